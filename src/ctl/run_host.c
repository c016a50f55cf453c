/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that look at hosts, and change them and their agents. */
#include <string.h>

#include "src/base/num.h"
#include "src/ctl/ctl.h"

#define HOSTS "/api/v2/compute/hosts"
#define HOST HOSTS "/{HOST}"

/* ---- adding ------------------------------------------------------------------------------------------------------------------ */

static const struct {
    enum option option;
    const char *member;
    int64_t max, none;           /* 0: it must be given */
} numbers[] = {
    { OPT_IDC, "idcId", INT64_MAX, 0 },
    { OPT_TYPE, "typeId", INT64_MAX, 0 },
    { OPT_CREDENTIAL, "credentialId", INT64_MAX, 0 },
    { OPT_SSH_PORT, "sshPort", 65535, 22 },
};

static int add_number(struct ctl *c, json_t *body, size_t i, struct err *e)
{
    const char *name = option_rows[numbers[i].option].name, *text = ctl_option(c, numbers[i].option);
    int64_t value = numbers[i].none;

    if (text == NULL && value == 0)
        return err_set(e, &ERR_INVALID, "say --%s", name);
    if (text != NULL && !num_parse_i64_in((struct slice){ text, strlen(text) }, 1, numbers[i].max, &value))
        return err_set(e, &ERR_INVALID, "--%s must be a number from 1", name);
    return json_object_set_new(body, numbers[i].member, json_integer(value)) == 0 ? 0 : err_set(e, &ERR_NOMEM, "");
}

/* What all the addresses on the command line shall be added as. */
static int describe(struct ctl *c, json_t **out, struct err *e)
{
    json_t *list = json_array(), *body = json_pack("{s:s, s:o}", "kind", "DEDICATED_PHYSICAL_MACHINE", "hostBasicDataList", list);
    bool ok = body != NULL;
    int rv = 0;

    for (unsigned i = 0; ok && ctl_operand(c, i) != NULL; i++)
        ok = json_array_append_new(list, json_pack("{s:s}", "innerIpAddress", ctl_operand(c, i))) == 0;
    if (!ok)
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < sizeof numbers / sizeof numbers[0]; i++)
        rv = add_number(c, body, i, e);
    if (rv != 0) {
        json_decref(body);
        return rv;
    }
    *out = body;
    return 0;
}

static const struct column finding_columns[] = {
    { "HOST", "innerIpAddress" }, { "CHECK", "check" }, { "CODE", "errorCode" }, { "REASON", "reason" }, { NULL, NULL },
};

static int show_findings(struct ctl *c, const json_t *data, struct err *e)
{
    const json_t *all = json_object_get(data, "checkResults");
    json_t *against = json_array();
    bool ok = against != NULL;
    int rv;

    for (size_t i = 0; ok && i < json_array_size(all); i++)
        if (!json_is_true(json_object_get(json_array_get(all, i), "passed")))
            ok = json_array_append(against, json_array_get(all, i)) == 0;
    if (!ok)
        rv = err_set(e, &ERR_NOMEM, "");
    else if (c->is_json)
        rv = ctl_show(c, data, finding_columns, e);
    else if (json_array_size(against) > 0)
        rv = ctl_show(c, against, finding_columns, e);
    else
        rv = ctl_done(c, data, "Nothing speaks against adding them.", e);
    json_decref(against);
    return rv;
}

int ctl_host_check(struct ctl *c, struct err *e)
{
    const char *text = NULL;
    const json_t *data;
    json_t *body, *root;
    int rv = describe(c, &body, e);

    if (rv == 0 && (text = ctl_dump(c, body, e)) == NULL)
        rv = e->row->code;
    if (rv == 0)
        rv = remote_data(c->remote, "POST", HOSTS "/batchCreatePreCheck", text, &c->arena, &root, &data, e);
    if (rv != 0)
        return rv;
    rv = show_findings(c, data, e);
    if (rv == 0 && !json_is_true(json_object_get(data, "valid")))
        c->status = EXIT_REFUSED;
    json_decref(root);
    return rv;
}

int ctl_host_add(struct ctl *c, struct err *e)
{
    json_t *body;
    int rv = describe(c, &body, e);

    return rv == 0 ? ctl_start(c, HOSTS "/batchCreate", body, e) : rv;
}

/* ---- changing ---------------------------------------------------------------------------------------------------------------- */

int ctl_host_delete(struct ctl *c, struct err *e)
{
    return ctl_change(c, "DELETE", ctl_option(c, OPT_FORCE) != NULL ? HOST "?force=true" : HOST, NULL,
                      "The host is being deleted; ocpctl tasks shows how far it is.", e);
}

int ctl_host_accept_key(struct ctl *c, struct err *e)
{
    return ctl_change(c, "POST", HOST "/sshKey/accept", json_pack("{s:s}", "fingerprint", ctl_operand(c, 1)), "This key counts from now on.", e);
}

int ctl_agent_stop(struct ctl *c, struct err *e)
{
    return ctl_start(c, HOST "/agent/stop", json_object(), e);
}

int ctl_agent_restart(struct ctl *c, struct err *e)
{
    return ctl_start(c, HOST "/agent/restart", json_object(), e);
}

int ctl_agent_upgrade(struct ctl *c, struct err *e)
{
    return ctl_start(c, HOST "/agent/upgrade", json_object(), e);
}

int ctl_agent_install(struct ctl *c, struct err *e)
{
    return ctl_start(c, HOST "/agent/reinstall", json_object(), e);
}
