/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "agent/frame.h"
#include "conf/keyvalue.h"
#include "src/proto/agent.h"

enum { PORT_MAX = 65535 };

static const char *check_ocp_id(const char *s)
{
    return strlen(s) == AGENT_ID_SIZE - 1 && strspn(s, "0123456789abcdef") == AGENT_ID_SIZE - 1 ? NULL : "must be 32 lower-case hex digits";
}

static const char *check_root(const char *s)
{
    return s[0] == '/' && s[1] != '\0' ? NULL : "must be absolute paths, and not /";
}

const struct field agent_conf_fields[] = {
    F_STRING(agent_conf, ocp_id, "ocp_id", .flags = FIELD_REQUIRED, .check = check_ocp_id, DOC("Id of the OCP cluster that the agent obeys.")),
    F_INT(agent_conf, host_id, "host_id", .flags = FIELD_REQUIRED, .min = 1, .max = INT64_MAX, DOC("Number of the host there.")),
    F_STRING(agent_conf, listen, "listen", .def = "0.0.0.0", DOC("IP address to listen on.")),
    F_INT(agent_conf, port, "port", .def = "62888", .min = 1, .max = PORT_MAX, DOC("Port of pos_proxy.")),
    F_INT(agent_conf, exporter_port, "exporter_port", .def = "62889", .min = 1, .max = PORT_MAX, DOC("Port of ocp_exporter.")),
    F_INT(agent_conf, node_exporter_port, "node_exporter_port", .def = "63000", .min = 1, .max = PORT_MAX, DOC("Port of node_exporter.")),
    F_STRING(agent_conf, node_exporter, "node_exporter", DOC("Program of the Prometheus node exporter; without it there is none.")),
    F_STRINGS(agent_conf, roots, "roots", .flags = FIELD_REQUIRED, .max = 100, .check = check_root,
              DOC("Directories that commands may touch, separated by commas.")),
    F_INT(agent_conf, epoch, "epoch", .def = "0", .min = 0, .max = INT64_MAX, DOC("Epoch of the OCP cluster at the installation.")),
    F_INT(agent_conf, blob_quota, "blob_quota", .def = "8589934592", .min = 1, .max = INT64_MAX, DOC("Bytes of package contents kept.")),
    F_STRING(agent_conf, scope, "scope",
             DOC("Program that puts a started process into a scope of systemd; empty: systemd is left alone. Default: systemd-run, where systemd runs.")),
    FIELD_END,
};

static int read_line(struct frame *f, const struct keyvalue_line *line, struct err *e)
{
    const struct field *row = line->bad == NULL ? field_find(agent_conf_fields, line->key) : NULL;

    if (line->bad != NULL)
        return err_set(e, &ERR_INVALID, "line %u: %s", line->line, line->bad);
    if (row == NULL)
        return err_set(e, &ERR_INVALID, "line %u: there is no setting %.*s", line->line, SLICE_FMT(line->key));
    if (row->type == FIELD_STRING && line->value.n == 0 && strcmp(row->name, "scope") == 0) {
        f->conf.scope = "";
        return 0;
    }
    return field_read_text(row, line->value, &f->conf, &f->arena, e);
}

int frame_load(struct frame *f, struct err *e)
{
    const char *path = frame_path(f, "conf/agent.conf");
    struct keyvalue_line line;
    struct keyvalue reader;
    struct slice text;
    int rv = path == NULL ? err_set(e, &ERR_NOMEM, "") : frame_read(path, &f->arena, &text, e);

    if (rv == 0 && text.s == NULL)
        rv = err_set(e, &ERR_IO, "%s is missing", path);
    if (rv == 0)
        rv = fields_init(agent_conf_fields, &f->conf, &f->arena, e);
    if (rv != 0)
        return rv;
    keyvalue_init(&reader, (char *)text.s, text.n); /* the arena's, so ours to change */
    while (rv == 0 && keyvalue_next(&reader, &line))
        rv = read_line(f, &line, e);
    if (rv == 0)
        rv = fields_check_required(agent_conf_fields, &f->conf, e);
    return rv == 0 ? 0 : err_wrap(e, "%s", path);
}
