/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/upgrade.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/job.h"
#include "src/base/json.h"
#include "src/io/addr.h"
#include "src/io/file.h"
#include "src/io/stream.h"
#include "src/io/tls.h"

enum { PATH_SIZE = 4096 };

const struct field upgrade_fields[] = {
    F_OBJECT(upgrade, key, "key", agent_key, agent_key_fields, .flags = FIELD_REQUIRED),
    F_STRING(upgrade, version, "version", .flags = FIELD_REQUIRED, .max = 64),
    F_BOOL(upgrade, trying, "trying", .def = "false"),
    FIELD_END,
};
static const struct field_style style = { .lang = ERR_EN, .offset_min = CLOCK_Z };

static void path_of(const struct frame *f, const char *name, char out[PATH_SIZE])
{
    (void)snprintf(out, PATH_SIZE, "%s/%s", f->home, name);
}

static int failed(const char *path, struct err *e)
{
    return err_set(e, &ERR_IO, "%s: %s", path, strerror(errno));
}

int upgrade_read(struct frame *f, struct arena *arena, struct upgrade *out, bool *there, struct err *e)
{
    char path[PATH_SIZE];
    struct slice text;
    json_t *value;
    int rv;

    path_of(f, "data/upgrade.json", path);
    rv = frame_read(path, arena, &text, e);
    *there = rv == 0 && text.s != NULL;
    if (!*there)
        return rv;
    rv = json_parse(text, &value, e);
    if (rv != 0)
        return rv;
    rv = fields_init(upgrade_fields, out, arena, e);
    if (rv == 0)
        rv = json_is_object(value) ? fields_read(upgrade_fields, value, out, arena, e) : err_set(e, &ERR_INVALID, "%s is no object", path);
    json_decref(value);
    return rv;
}

int upgrade_write(struct frame *f, const struct upgrade *u, struct err *e)
{
    char path[PATH_SIZE];
    struct str text;
    int rv;

    path_of(f, "data/upgrade.json", path);
    str_init(&text, NULL);
    fields_write(&text, upgrade_fields, u, &style);
    rv = str_failed(&text) ? err_set(e, &ERR_NOMEM, "") : frame_write(path, (struct slice){ text.s, text.n }, true, e);
    str_fini(&text);
    return rv;
}

static int move(struct frame *f, const char *from, const char *to, struct err *e)
{
    char a[PATH_SIZE], b[PATH_SIZE], bin[PATH_SIZE];

    path_of(f, from, a);
    path_of(f, to, b);
    path_of(f, "bin", bin);
    return rename(a, b) == 0 && file_sync_dir(bin) ? 0 : failed(b, e);
}

int upgrade_swap(struct frame *f, struct err *e)
{
    char program[PATH_SIZE], old[PATH_SIZE], fresh[PATH_SIZE];

    path_of(f, "bin/ocp-agent", program);
    path_of(f, "bin/ocp-agent.old", old);
    path_of(f, "bin/ocp-agent.new", fresh);
    if (access(fresh, X_OK) != 0)
        return errno == ENOENT && access(old, X_OK) == 0 ? 0 : failed(fresh, e); /* done before */
    if ((unlink(old) != 0 && errno != ENOENT) || link(program, old) != 0)
        return failed(old, e);
    return move(f, "bin/ocp-agent.new", "bin/ocp-agent", e);
}

int upgrade_swap_back(struct frame *f, struct err *e)
{
    return move(f, "bin/ocp-agent.old", "bin/ocp-agent", e);
}

static int write_result(struct frame *f, const struct upgrade *u, const struct err *why, struct arena *arena, struct err *e)
{
    const struct agent_installed done = { .version = u->version };
    struct agent_failure failure;
    struct job_result result = { .output_cut = 0 };
    char path[JOB_PATH_SIZE];
    struct str answer, text;
    int rv = why != NULL ? agent_failure_of(why, arena, &failure, e) : 0;

    str_init(&answer, arena);
    str_init(&text, arena);
    fields_write(&answer, agent_installed_fields, &done, &style);
    if (why != NULL)
        result.failure = &failure;
    else
        result.answer = answer.s;
    fields_write(&text, job_result_fields, &result, &style);
    if (rv == 0 && (str_failed(&answer) || str_failed(&text)))
        rv = err_set(e, &ERR_NOMEM, "");
    return rv != 0 ? rv : frame_write(job_path(f->home, u->key, "result", path), (struct slice){ text.s, text.n }, true, e);
}

int upgrade_end(struct frame *f, const struct upgrade *u, const struct err *why, struct err *e)
{
    char path[PATH_SIZE];
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = write_result(f, u, why, &arena, e);
    arena_fini(&arena);
    path_of(f, "data/upgrade.json", path);
    if (rv == 0 && unlink(path) != 0 && errno != ENOENT)
        rv = failed(path, e);
    path_of(f, "bin/ocp-agent.new", path);
    (void)unlink(path); /* left when it was not even tried */
    return rv;
}

/* ---- does it answer? ------------------------------------------------------------------------------------------------------------------- */

static int ask(struct frame *f, struct stream *s, struct err *e)
{
    static const char request[] = "GET /agent/ping HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n", good[] = "HTTP/1.1 200";
    char uri[AGENT_URI_SIZE], answer[sizeof good - 1];
    int rv = stream_handshake(s, e);

    if (rv == 0 && strcmp(stream_peer_uri(s), agent_uri(f->conf.ocp_id, f->conf.host_id, uri)) != 0)
        rv = err_set(e, &ERR_UNEXPECTED, "another program answers on the port of pos_proxy");
    if (rv == 0)
        rv = stream_write(s, request, sizeof request - 1, e);
    if (rv == 0)
        rv = stream_read_all(s, answer, sizeof answer, e);
    if (rv == 0 && memcmp(answer, good, sizeof answer) != 0)
        rv = err_set(e, &ERR_UNEXPECTED, "pos_proxy answers with an error");
    return rv;
}

/* Its own address; where it listens on all of them, the loopback. */
static struct addr address_of(const struct frame *f)
{
    struct addr at;
    bool any = strcmp(f->conf.listen, "0.0.0.0") == 0;
    const char *text = any ? "127.0.0.1" : strcmp(f->conf.listen, "::") == 0 ? "::1" : f->conf.listen;

    if (!addr_parse((struct slice){ text, strlen(text) }, &at))
        at.known = false;
    at.port = (uint16_t)f->conf.port;
    return at;
}

int upgrade_ping(struct frame *f, struct err *e)
{
    char certificate[PATH_SIZE], key[PATH_SIZE], authority[PATH_SIZE];
    const struct tls_conf conf = { .cert_file = certificate, .key_file = key, .client_ca = authority };
    const struct addr at = address_of(f);
    struct tls_server *tls;
    struct stream *s;
    int rv;

    path_of(f, "conf/agent.crt", certificate);
    path_of(f, "conf/agent.key", key);
    path_of(f, "conf/authority.crt", authority);
    rv = tls_server_new(&conf, &tls, e);
    if (rv != 0)
        return rv;
    rv = stream_connect(&at, tls, &s, e);
    if (rv == 0) {
        rv = ask(f, s, e);
        stream_abort(s);
        stream_close(s);
    }
    tls_server_free(tls);
    return rv;
}
