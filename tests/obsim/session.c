/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "src/base/num.h"
#include "tests/obsim/command.h"
#include "tests/obsim/conn.h"
#include "tests/obsim/journal.h"
#include "tests/obsim/select.h"
#include "tests/obsim/world.h"

enum { NO_TENANT = 5160, TIMEOUT = 4012, INTERRUPTED = 1317, INITIALIZING = 8001, NO_TABLE = 1146, DEFAULT_TIMEOUT_US = 10000000 };

const char *session_variable(const struct sim_session *s, const char *name)
{
    const struct sim_variable *v = sim_variable_find(sim_slice(name));

    return v != NULL && s->tenant != NULL ? sim_variable_value(s->tenant, &s->variables, v) : sim_values_get(&s->variables, name);
}

int64_t session_number(const struct sim_session *s, const char *name, int64_t otherwise)
{
    const char *value = session_variable(s, name);
    int64_t v;

    return value != NULL && num_parse_i64(sim_slice(value), &v) ? v : otherwise;
}

/* "+08:00"; names of zones are unknown until they are imported: UTC then. */
int session_zone_min(const struct sim_session *s)
{
    const char *zone = session_variable(s, "time_zone");
    unsigned hours, minutes;
    char sign;

    if (zone == NULL || sscanf(zone, "%c%2u:%2u", &sign, &hours, &minutes) != 3 || (sign != '+' && sign != '-'))
        return 0;
    return (int)(hours * 60 + minutes) * (sign == '-' ? -1 : 1);
}

const char *session_time(const struct sim_session *s, int64_t us, char *buf)
{
    int64_t local = us + (int64_t)session_zone_min(s) * 60 * 1000000;
    time_t seconds = (time_t)(local / 1000000);
    struct tm tm;

    (void)gmtime_r(&seconds, &tm);
    (void)snprintf(buf, 32, "%04u-%02u-%02u %02u:%02u:%02u.%06u", (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)(tm.tm_mon + 1) % 100,
                   (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100, (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100,
                   (unsigned)(local % 1000000));
    return buf;
}

bool session_may(const struct sim_session *s, uint64_t privilege, const char *database)
{
    const struct sim_user *u = s->tenant != NULL ? sim_user_find(s->tenant, s->user, s->account_host) : NULL;

    return u != NULL && (sim_user_privileges(s->tenant, u, database) & privilege) == privilege;
}

/* Numbers of sessions are unique in the cluster and never small, as a kernel's are. Processes that count by themselves have a range each. */
static int64_t session_number_new(struct sim_observer *o)
{
    int64_t range = o->deployment->world->journal != NULL ? (o->server->id % 512) << 20 : 0;

    return INT64_C(3221487616) + range + ++o->deployment->n_sessions;
}

struct sim_session *session_new(struct sim_observer *o, struct sim_tenant *t, const struct sim_user *account, const char *peer)
{
    struct sim_cluster *c = o->deployment->cluster;
    struct sim_session *s = sim_alloc(sizeof *s);
    struct sim_client *client = sim_push(&c->clients);

    s->observer = o;
    s->cluster = c;
    s->server = o->server;
    s->tenant_id = t->id;
    s->tenant = t;
    s->client = client;
    s->now_us = world_advance(o->deployment) + o->skew_us;
    sim_name(s->user, sim_slice(account != NULL ? account->name : "root"));
    sim_name(s->account_host, sim_slice(account != NULL ? account->host : "%"));
    client->id = session_number_new(o);
    client->server_id = o->server->id;
    client->tenant_id = t->id;
    sim_name(client->user, sim_slice(s->user));
    (void)snprintf(client->host, sizeof client->host, "%s", peer);
    client->command = "Sleep";
    client->state = "SLEEP";
    client->since_us = client->started_us = s->now_us;
    return s;
}

static void forget_client(struct sim_session *s)
{
    for (size_t i = 0; i < s->cluster->clients.n; i++)
        if (s->cluster->clients.items[i] == s->client) {
            mem_free(s->client->info);
            sim_remove(&s->cluster->clients, i);
            return;
        }
}

void session_free(struct sim_session *s)
{
    if (s == NULL)
        return;
    forget_client(s);
    sim_values_fini(&s->variables);
    mem_free(s);
}

void session_reset(struct sim_session *s)
{
    sim_values_fini(&s->variables);
    s->variables = (struct sim_values){ 0 };
    s->client->in_transaction = false;
}

static void begin(struct sim_session *s, struct slice sql)
{
    s->now_us = world_advance(s->observer->deployment) + s->observer->skew_us;
    s->tenant = sim_tenant_get(s->cluster, s->tenant_id);
    s->client->command = "Query";
    s->client->state = "ACTIVE";
    s->client->since_us = s->now_us;
    sim_text(&s->client->info, sql);
}

static void end(struct sim_session *s)
{
    s->client->command = "Sleep";
    s->client->state = "SLEEP";
    s->client->since_us = world_advance(s->observer->deployment) + s->observer->skew_us;
    mem_free(s->client->info);
    s->client->info = NULL;
}

/* KILL has marked its victims: their connections are told. */
void session_tell_victims(struct sim_deployment *d)
{
    for (size_t i = 0; i < d->observers.n; i++)
        for (struct sim_conn *c = d->observers.items[i]->connections; c != NULL; c = c->next) {
            struct sim_client *client = c->session != NULL ? c->session->client : NULL;

            if (client == NULL || client->kill == SIM_KILL_NONE)
                continue;
            conn_order(c, client->kill == SIM_KILL_QUERY ? ORDER_KILL_QUERY : ORDER_END);
            client->kill = SIM_KILL_NONE;
        }
}

static bool is_allowed_before_bootstrap(struct slice sql)
{
    struct slice text = slice_trim(sql);

    return slice_is_nocase(text, "SELECT 1") || (text.n > 4 && strncasecmp(text.s, "SHOW", 4) == 0) ||
           (text.n > 3 && strncasecmp(text.s, "SET", 3) == 0) || memmem(text.s, text.n, "@@", 2) != NULL || command_bootstraps(text);
}

/* Its tables are not there yet; of everything else it says that it is initializing. */
static void refuse_before_bootstrap(struct slice sql, struct sim_reply *out)
{
    static const char table[] = "__all_core_table";

    if (memmem(sql.s, sql.n, table, sizeof table - 1) != NULL)
        (void)reply_error(out, NO_TABLE, "Table 'oceanbase.%s' doesn't exist", table);
    else
        (void)reply_error(out, INITIALIZING, "Server is initializing");
}

static void execute(struct sim_session *s, struct slice sql, struct sim_reply *out)
{
    if (s->tenant == NULL) {
        (void)reply_error(out, NO_TENANT, "invalid tenant name");
        return;
    }
    if (!s->server->is_member && !is_allowed_before_bootstrap(sql)) {
        refuse_before_bootstrap(sql, out);
        return;
    }
    if (command_is_select(sql)) {
        (void)select_run(s, sql, out);
        return;
    }
    if (s->observer->deployment->world->journal != NULL && command_changes(sql))
        journal_statement(s->observer->deployment->world->journal, s, sql);
    (void)command_run(s, sql, out);
    if (out->until_us > s->cluster->now_us)
        out->takes_us += (int64_t)((double)(out->until_us - s->cluster->now_us) * s->observer->deployment->world->speed);
    session_tell_victims(s->observer->deployment);
}

static void be_late(struct sim_reply *out)
{
    reply_clear(out);
    (void)reply_error(out, TIMEOUT, "Timeout, query has reached the maximum query timeout. Please check the value of ob_query_timeout.");
}

/* What the fault makes of a statement that was run, or not. */
static enum sim_ending spoil(const struct sim_fault *f, struct sim_reply *out, int64_t timeout_us)
{
    static const enum sim_ending endings[SIM_FAULT_N] = { [SIM_FAULT_LOST] = SIM_LOST, [SIM_FAULT_CUT] = SIM_CUT,
                                                          [SIM_FAULT_SILENT] = SIM_SILENT };

    if (f->kind == SIM_FAULT_ERROR) {
        reply_clear(out);
        (void)reply_error(out, f->number, "%s", sim_c(f->text));
    }
    if (f->kind == SIM_FAULT_TIMEOUT)
        out->takes_us = timeout_us + 1;
    if (f->kind == SIM_FAULT_SLOW)
        out->takes_us += f->delay_us;
    return endings[f->kind];
}

/* Fault kinds that answer something have to run the statement; the others only when they are told to. */
static bool runs(const struct sim_fault *f)
{
    return f == NULL || f->is_done || f->kind == SIM_FAULT_CUT || f->kind == SIM_FAULT_SLOW;
}

/* Waits out what the statement takes. */
static enum sim_ending wait_out(struct sim_session *s, struct sim_reply *out, int64_t timeout_us, double speed)
{
    bool is_late = out->takes_us > timeout_us;
    double us = (double)(is_late ? timeout_us : out->takes_us) / speed;

    if (s->conn != NULL && us > 0 && !conn_wait(s->conn, conn_now_us() + (int64_t)us)) {
        if (s->conn->order != ORDER_KILL_QUERY)
            return SIM_LOST;
        reply_clear(out);
        (void)reply_error(out, INTERRUPTED, "Query execution was interrupted");
        return SIM_ANSWER;
    }
    if (is_late)
        be_late(out);
    return SIM_ANSWER;
}

enum sim_ending session_run(struct sim_session *s, struct slice sql, struct sim_reply *out)
{
    struct sim_world *w = s->observer->deployment->world;
    enum sim_ending ending = SIM_ANSWER, waited;
    int64_t began = conn_now_us(), timeout_us;
    struct sim_fault *f;

    world_lock(w);
    begin(s, sql);
    timeout_us = session_number(s, "ob_query_timeout", DEFAULT_TIMEOUT_US);
    f = fault_strike(s->observer->deployment, s, sql);
    if (runs(f))
        execute(s, sql, out);
    if (f != NULL)
        ending = spoil(f, out, timeout_us);
    world_unlock(w);
    waited = wait_out(s, out, timeout_us, w->speed);
    world_lock(w);
    s->tenant = sim_tenant_get(s->cluster, s->tenant_id);
    end(s);
    if (out->kind == SIM_REPLY_OK) {
        s->affected = out->affected;
        s->insert_id = out->insert_id != 0 ? out->insert_id : s->insert_id;
    }
    audit_write(w, s, sql, out->kind == SIM_REPLY_ERROR ? out->number : 0, (conn_now_us() - began) / 1000);
    if (s->tenant == NULL && ending == SIM_ANSWER)
        ending = SIM_ANSWER_LAST;
    world_unlock(w);
    return waited != SIM_ANSWER ? waited : ending;
}
