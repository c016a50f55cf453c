/* SPDX-License-Identifier: Apache-2.0 */
/* What the lines of a journal do to a replica. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/obsim/command.h"
#include "tests/obsim/ctl.h"
#include "tests/obsim/journal.h"
#include "tests/obsim/session.h"

static const char *text_of(const json_t *o, const char *key)
{
    return sim_c(json_string_value(json_object_get(o, key)));
}

static int64_t int_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static bool is_true(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

static struct sim_server *server_of(struct sim_deployment *d, const json_t *record)
{
    char address[96];

    (void)snprintf(address, sizeof address, "%s:%d", text_of(record, "ip"), (int)int_of(record, "rpc_port"));
    return sim_server_at(d->cluster, sim_slice(address));
}

/* --- processes ---------------------------------------------------------------------------------------------------------------------- */

/* Processes of another version are taken only while the cluster is being upgraded, and never those of an older one. */
static bool is_welcome(const struct sim_cluster *c, const char *build_version)
{
    const char *least = sim_values_get(&c->parameters, "min_observer_version"), *upgrade = sim_values_get(&c->parameters, "enable_upgrade_mode");
    size_t n = strcspn(build_version, "_");

    if (least == NULL || (strlen(least) == n && strncmp(least, build_version, n) == 0))
        return true;
    return upgrade != NULL && strcmp(upgrade, "True") == 0 && strverscmp(build_version, least) > 0;
}

/* What the process was started with, or has found in its file. */
static void take_options(struct sim_deployment *d, struct sim_server *s, const json_t *record)
{
    json_t *values = json_object_get(record, "values"), *value;
    const char *name;

    json_object_foreach(values, name, value)
        sim_values_set(&s->parameters, name, sim_slice(sim_c(json_string_value(value))), d->cluster->now_us);
    s->sql_port = (int)int_of(record, "sql_port");
    s->knows_rootservice = is_true(record, "knows_rootservice");
    s->capacity = (struct sim_capacity){ json_number_value(json_object_get(record, "cpu")), int_of(record, "memory"), int_of(record, "log_disk"),
                                         int_of(record, "data_disk") };
}

/* Does any member but this one run with its data? */
static bool is_still_there(const struct sim_cluster *c, const struct sim_server *but)
{
    for (size_t i = 0; i < c->servers.n; i++) {
        const struct sim_server *s = c->servers.items[i];

        if (s != but && s->is_member && s->is_alive && !s->is_refused)
            return true;
    }
    return false;
}

/* With an empty data directory a process can only become a new server; when nobody is left who remembers, the cluster was destroyed. */
static void on_up(struct sim_deployment *d, const json_t *record)
{
    const char *build = text_of(record, "build");
    struct sim_server *s = server_of(d, record);
    bool is_member;

    if (s != NULL && s->is_member && is_true(record, "blank") && !is_still_there(d->cluster, s))
        sim_cluster_forget(d->cluster);
    is_member = s != NULL && s->is_member;
    if (!is_member && (s == NULL || is_true(record, "blank")))
        s = sim_server_blank(d->cluster, text_of(record, "ip"), (int)int_of(record, "rpc_port"), (int)int_of(record, "sql_port"), text_of(record, "zone"));
    s->is_refused = is_member && (is_true(record, "blank") || !is_welcome(d->cluster, build));
    if (s->is_alive && is_member)
        sim_server_alive(d->cluster, s, false, NULL); /* it died and came back before anybody noticed */
    take_options(d, s, record);
    if (!s->is_refused)
        sim_server_alive(d->cluster, s, true, build);
    else
        sim_note(d->cluster, "server", "refuse_server", "server", s->ip, "reason", is_true(record, "blank") ? "its data is gone" : "its version",
                 NULL);
}

static void on_down(struct sim_deployment *d, const json_t *record)
{
    struct sim_server *s = server_of(d, record);

    if (s != NULL)
        sim_server_alive(d->cluster, s, false, NULL);
}

static void on_back(struct sim_deployment *d, const json_t *record)
{
    struct sim_server *s = server_of(d, record);

    if (s != NULL)
        sim_server_alive(d->cluster, s, true, NULL);
}

static void on_refused(struct sim_deployment *d, const json_t *record)
{
    char address[96], left[24];
    const char *value;

    (void)snprintf(address, sizeof address, "%s:%d", text_of(record, "ip"), (int)int_of(record, "rpc_port"));
    value = sim_values_get(&d->refused_starts, address);
    (void)snprintf(left, sizeof left, "%d", value != NULL ? atoi(value) - 1 : 0);
    sim_values_set(&d->refused_starts, address, sim_slice(left), d->cluster->now_us);
}

/* --- statements --------------------------------------------------------------------------------------------------------------------- */

static void take_variables(struct sim_session *s, json_t *values)
{
    const char *name;
    json_t *value;

    json_object_foreach(values, name, value)
        sim_values_set(&s->variables, name, sim_slice(sim_c(json_string_value(value))), s->now_us);
}

/* By a session like that of the process which ran it. */
static void on_sql(struct sim_deployment *d, const json_t *record)
{
    struct sim_tenant *home = sim_tenant_get(d->cluster, int_of(record, "home"));
    struct sim_server *server = server_of(d, record);
    const json_t *text = json_object_get(record, "text");
    struct sim_user *account = home != NULL ? sim_user_find(home, text_of(record, "user"), text_of(record, "host")) : NULL;
    struct sim_reply reply;
    struct sim_session *s;

    if (home == NULL || server == NULL || d->observers.n == 0)
        abort();
    s = session_new(d->observers.items[0], home, account, "");
    s->server = server;
    s->client->server_id = server->id;
    s->tenant_id = int_of(record, "tenant");
    s->tenant = sim_tenant_get(d->cluster, s->tenant_id);
    sim_name(s->client->database, sim_slice(text_of(record, "database")));
    take_variables(s, json_object_get(record, "variables"));
    reply_init(&reply);
    (void)command_run(s, (struct slice){ json_string_value(text), json_string_length(text) }, &reply); /* it was replied elsewhere */
    reply_fini(&reply);
    session_free(s);
}

/* --- faults ------------------------------------------------------------------------------------------------------------------------- */

static void on_struck(struct sim_deployment *d, const json_t *record)
{
    struct sim_fault *f = fault_find(d, int_of(record, "id"));

    if (f != NULL)
        (void)fault_use(f); /* where it struck that was looked at */
}

static void on_ctl(struct sim_deployment *d, const json_t *record)
{
    json_decref(ctl_apply(d, json_object_get(record, "command")));
}

void record_apply(struct sim_deployment *d, const json_t *record)
{
    static const struct {
        const char *k;
        void (*run)(struct sim_deployment *d, const json_t *record);
    } kinds[] = { { "up", on_up }, { "down", on_down }, { "back", on_back }, { "refused", on_refused }, { "sql", on_sql }, { "struck", on_struck }, { "ctl", on_ctl } };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].k, text_of(record, "k")) == 0)
            kinds[i].run(d, record);
    d->cluster->changes++;
}
