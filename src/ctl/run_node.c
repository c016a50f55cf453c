/* SPDX-License-Identifier: Apache-2.0 */
/* How the OCP itself does. */
#include <stdio.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/ctl/ctl.h"

static const struct column status_columns[] = {
    { "status", "status" }, { "reason", "reason" },   { "node", "node" },           { "zone", "zone" }, { "role", "role" },
    { "MetaDB", "metadb" }, { "version", "version" }, { "uptime (s)", "uptimeSeconds" }, { NULL, NULL },
};

/* /health answers 503 with the same object when the node is not ready. */
int ctl_status(struct ctl *c, struct err *e)
{
    struct remote_answer a;
    json_t *root;
    int rv = remote_call(c->remote, "GET", "/health", NULL, &c->arena, &a, e);

    if (rv != 0)
        return rv;
    if (json_parse(a.body, &root, e) != 0 || json_object_get(root, "status") == NULL) {
        (void)err_set(e, &ERR_CTL_ODD, "%s", a.url);
        return err_arg(e, "status %d of /health without the members of an OCP", a.status);
    }
    c->status = a.status == 200 ? 0 : EXIT_REFUSED;
    rv = ctl_show(c, root, status_columns, e);
    json_decref(root);
    return rv;
}

static const struct column check_columns[] = {
    { "ENDPOINT", "endpoint" }, { "LIVE", "live" }, { "READY", "ready" },     { "MS", "ms" },
    { "NODE", "node" },         { "VERSION", "version" }, { "REASON", "reason" }, { NULL, NULL },
};

static int probe(struct ctl *c, unsigned n, const char *path, struct remote_answer *a, struct err *e)
{
    err_clear(e);
    return remote_call_one(c->remote, n, path, &c->arena, a, e);
}

static void add_health(struct ctl *c, unsigned n, json_t *row)
{
    static const char *const members[] = { "node", "version", "reason" };
    struct remote_answer a;
    struct err e = { .row = NULL };
    json_t *health;

    if (probe(c, n, "/health", &a, &e) != 0 || json_parse(a.body, &health, &e) != 0)
        return;
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (json_object_get(health, members[i]) != NULL)
            (void)json_object_set(row, members[i], json_object_get(health, members[i])); /* a member less for lack of memory */
    json_decref(health);
}

static json_t *check_one(struct ctl *c, unsigned n)
{
    int64_t begin = clock_now_ms(&clock_system);
    struct remote_answer a = { .status = 0 };
    struct err e = { .row = NULL };
    char reason[1024];
    bool live = probe(c, n, "/livez", &a, &e) == 0 && a.status == 200, ready = false;
    json_t *row;

    if (e.row == NULL)
        ready = probe(c, n, "/readyz", &a, &e) == 0 && a.status == 200;
    row = json_pack("{s:s, s:b, s:b, s:I}", "endpoint", remote_url(c->remote, n), "live", live, "ready", ready, "ms",
                    (json_int_t)(clock_now_ms(&clock_system) - begin));
    if (e.row != NULL && row != NULL)
        (void)json_object_set_new(row, "reason", json_string(err_text(&e, ERR_EN, reason, sizeof reason))); /* as above */
    else if (row != NULL)
        add_health(c, n, row);
    if (!ready)
        c->status = EXIT_REFUSED;
    return row;
}

int ctl_check(struct ctl *c, struct err *e)
{
    json_t *list = json_array();
    int rv;

    for (unsigned i = 0; i < remote_count(c->remote); i++)
        (void)json_array_append_new(list, check_one(c, i));
    if (json_array_size(list) != remote_count(c->remote)) {
        json_decref(list);
        return err_set(e, &ERR_NOMEM, "");
    }
    rv = ctl_show(c, list, check_columns, e);
    json_decref(list);
    return rv;
}
