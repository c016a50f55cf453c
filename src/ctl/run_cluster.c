/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that change managed clusters. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/base/num.h"
#include "src/ctl/ctl.h"
#include "src/io/secret.h"

const char *ctl_dump(struct ctl *c, json_t *body, struct err *e)
{
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    const char *kept = text != NULL ? arena_strdup(&c->arena, text) : NULL;

    mem_free(text);
    json_decref(body);
    if (kept == NULL)
        (void)err_set(e, &ERR_NOMEM, "");
    return kept;
}

int ctl_change(struct ctl *c, const char *method, const char *path, json_t *body, const char *sentence, struct err *e)
{
    bool has_body = strcmp(method, "DELETE") != 0;
    const char *expanded, *text = has_body ? ctl_dump(c, body, e) : NULL;
    const json_t *data;
    json_t *root;
    int rv;

    if (has_body && text == NULL)
        return e->row->code;
    rv = ctl_path(c, path, &expanded, e);
    if (rv == 0)
        rv = remote_data(c->remote, method, expanded, text, &c->arena, &root, &data, e);
    if (rv != 0)
        return rv;
    rv = ctl_done(c, data, sentence, e);
    json_decref(root);
    return rv;
}

/* Says which task was started, or follows it. */
static int after_start(struct ctl *c, const json_t *data, struct err *e)
{
    int64_t id = json_integer_value(json_object_get(data, "id"));
    const json_t *cluster = json_object_get(data, "clusterId");
    const char *sentence;

    if (ctl_option(c, OPT_WAIT) != NULL)
        return ctl_wait_task(c, id, e);
    if (cluster != NULL)
        sentence = arena_printf(&c->arena, "Task %" PRId64 " started for cluster %" JSON_INTEGER_FORMAT ". ocpctl task %" PRId64 " --wait follows it.",
                                id, json_integer_value(cluster), id);
    else
        sentence = arena_printf(&c->arena, "Task %" PRId64 " started. ocpctl task %" PRId64 " --wait follows it.", id, id);
    return sentence != NULL ? ctl_done(c, data, sentence, e) : err_set(e, &ERR_NOMEM, "");
}

int ctl_start(struct ctl *c, const char *path, json_t *body, struct err *e)
{
    const char *expanded, *text = ctl_dump(c, body, e);
    const json_t *data;
    json_t *root;
    int rv;

    if (text == NULL)
        return e->row->code;
    rv = ctl_path(c, path, &expanded, e);
    if (rv == 0)
        rv = remote_data(c->remote, "POST", expanded, text, &c->arena, &root, &data, e);
    if (rv != 0)
        return rv;
    rv = after_start(c, data, e);
    json_decref(root);
    return rv;
}

int ctl_takeover(struct ctl *c, struct err *e)
{
    const char *address = ctl_option(c, OPT_ADDRESS), *port = ctl_option(c, OPT_PORT), *password;
    int64_t number;
    int rv;

    if (address == NULL)
        return err_set(e, &ERR_INVALID, "--address is missing: where is a server of the cluster?");
    if (port == NULL)
        port = "2881";
    if (!num_parse_i64_in((struct slice){ port, strlen(port) }, 1, 65535, &number))
        return err_set(e, &ERR_INVALID, "--port: \"%.20s\" is no port", port);
    rv = secret_read(ctl_option(c, OPT_ROOT_PASSWORD_FILE), "OCP_ROOT_PASSWORD", "Password of root@sys", &c->arena, &password, e);
    if (rv != 0)
        return rv;
    return ctl_start(c, "/api/v2/ob/clusters/takeOver",
                 json_pack("{s:s, s:I, s:s, s:s}", "address", address, "port", (json_int_t)number, "rootSysPassword", password,
                           "connectionMode", "direct"), e);
}

int ctl_cluster_password(struct ctl *c, struct err *e)
{
    const char *password;
    int rv = secret_read(ctl_option(c, OPT_NEW_PASSWORD_FILE), "OCP_NEW_PASSWORD", "New password of root", &c->arena, &password, e);

    if (rv != 0)
        return rv;
    return ctl_change(c, "POST", "/api/v2/ob/clusters/{CLUSTER}/changePassword", json_pack("{s:s}", "newPassword", password),
                      "OCP and the cluster have the new password.", e);
}

int ctl_moveout(struct ctl *c, struct err *e)
{
    return ctl_start(c, "/api/v2/ob/clusters/{CLUSTER}/moveOut", json_object(), e);
}

int ctl_session_kill(struct ctl *c, struct err *e)
{
    bool statement = ctl_option(c, OPT_STATEMENT) != NULL;

    return ctl_change(c, "POST", "/api/v2/ob/clusters/{CLUSTER}/tenants/{TENANT}/sessions/{SESSION}/kill", json_pack("{s:b}", "query", statement),
                  statement ? "Statement ended." : "Session ended.", e);
}

int ctl_compaction_start(struct ctl *c, struct err *e)
{
    return ctl_change(c, "POST", "/api/v2/ob/clusters/{CLUSTER}/tenants/{TENANT}/compactions", json_object(),
                  "Compaction started; ocpctl compactions shows how far it is.", e);
}

static const struct column parameter_columns[] = {
    { "NAME", "name" }, { "VALUE", "currentValue.values" }, { "DEFAULT", "defaultValue" }, { "RESTART", "needRestart" },
    { "DESCRIPTION", "description" }, { NULL, NULL },
};
static const struct column tenant_parameter_columns[] = {
    { "NAME", "name" }, { "VALUE", "currentValue" }, { "DEFAULT", "defaultValue" }, { "READ ONLY", "readonly" },
    { "DESCRIPTION", "description" }, { NULL, NULL },
};

static const struct column property_columns[] = {
    { "KEY", "key" }, { "VALUE", "value" }, { "DEFAULT", "defaultValue" }, { "RESTART", "needRestart" }, { "DESCRIPTION", "description" },
    { NULL, NULL },
};

/* The API lists them all; a pattern is applied here: "*" stands for anything. */
static bool matches(const char *pattern, const char *name)
{
    const char *star = NULL, *back = NULL;

    while (*name != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            back = name;
        } else if (*pattern == *name) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star;
            name = ++back;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static json_t *filtered(const json_t *contents, const char *member, const char *pattern)
{
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(contents); i++) {
        json_t *row = json_array_get(contents, i);
        const char *name = json_string_value(json_object_get(row, member));

        if (pattern == NULL || (name != NULL && matches(pattern, name)))
            (void)json_array_append(list, row); /* a list that is too short for lack of memory is seen below */
    }
    return list;
}

/* Shows the rows of the list at `path` whose `member` matches `pattern`. */
static int show_matching(struct ctl *c, const char *path, const char *member, const char *pattern, const struct column *columns, struct err *e)
{
    const char *expanded;
    const json_t *data;
    json_t *root, *list;
    int rv = ctl_path(c, path, &expanded, e);

    if (rv == 0)
        rv = remote_data(c->remote, "GET", expanded, NULL, &c->arena, &root, &data, e);
    if (rv != 0)
        return rv;
    list = filtered(json_object_get(data, "contents"), member, pattern);
    rv = list == NULL ? err_set(e, &ERR_NOMEM, "") : ctl_show(c, list, columns, e);
    json_decref(list);
    json_decref(root);
    return rv;
}

int ctl_parameters(struct ctl *c, struct err *e)
{
    return show_matching(c, "/api/v2/ob/clusters/{CLUSTER}/tenants/{TENANT}/parameters", "name", ctl_operand(c, 1),
                         ctl_option(c, OPT_TENANT) != NULL ? tenant_parameter_columns : parameter_columns, e);
}

int ctl_properties(struct ctl *c, struct err *e)
{
    return show_matching(c, "/api/v2/config/properties", "key", ctl_operand(c, 0), property_columns, e);
}

int ctl_parameter_set(struct ctl *c, struct err *e)
{
    json_t *body = json_array();

    for (unsigned i = 1; i < c->args.n_operands; i++) {
        const char *pair = ctl_operand(c, i), *equals = strchr(pair, '=');

        if (equals == NULL || equals == pair) {
            json_decref(body);
            return err_set(e, &ERR_INVALID, "\"%.60s\" is not NAME=VALUE", pair);
        }
        (void)json_array_append_new(body, json_pack("{s:s%, s:s}", "name", pair, (size_t)(equals - pair), "value", equals + 1));
    }
    if (json_array_size(body) + 1 != c->args.n_operands) {
        json_decref(body);
        return err_set(e, &ERR_NOMEM, "");
    }
    return ctl_change(c, "PUT", "/api/v2/ob/clusters/{CLUSTER}/tenants/{TENANT}/parameters", body, "Parameters set.", e);
}

int ctl_property_reset(struct ctl *c, struct err *e)
{
    return ctl_change(c, "DELETE", "/api/v2/config/properties/{KEY}", NULL, "Property back at its default.", e);
}

int ctl_property_set(struct ctl *c, struct err *e)
{
    return ctl_change(c, "PATCH", "/api/v2/config/properties/{KEY}", json_pack("{s:s}", "value", ctl_operand(c, 1)),
                  "Property set; every node applies it within 10 seconds.", e);
}
