/* SPDX-License-Identifier: Apache-2.0 */
/* ALTER SYSTEM for what leaves nothing to be seen (REFRESH SCHEMA, RELOAD, FLUSH, SWITCH LEADER, RUN JOB, LOAD MODULE DATA), CHANGE TENANT,
 * KILL SESSION, and the service names of tenants. */
#include <string.h>

#include "tests/obsim/cmd.h"

static bool read_clause_value(struct cmd *x)
{
    struct parse_list list;
    struct slice value;

    (void)parse_mark(&x->p, "="); /* may be missing */
    if (parse_peek(&x->p)->kind == LEX_MARK)
        return parse_names(&x->p, false, &list);
    return parse_name_or_string(&x->p, &value) || parse_number(&x->p, &value);
}

/* WORD [=] value ..., any number, commas may be missing; values may be lists in parentheses. */
static bool read_clauses(struct cmd *x, const char *const *words)
{
    for (;;) {
        bool has_comma = parse_mark(&x->p, ",");
        size_t i = 0;

        while (words[i] != NULL && !parse_words(&x->p, words[i]))
            i++;
        if (words[i] == NULL)
            return !has_comma;
        if (!read_clause_value(x))
            return false;
    }
}

static int record(struct cmd *x)
{
    static const char *const words[] = { "TENANT", "TENANTS", "SERVER", "ZONE", "SQL_ID", "DATABASES", "LS", "PARTITION_ID", "MODULE", "PATH", "INFILE",
                                         "NAMESPACE", NULL };
    int rv;

    (void)parse_words(&x->p, "GLOBAL"); /* may be missing, or come last */
    if (!read_clauses(x, words))
        return cmd_syntax(x);
    (void)parse_words(&x->p, "GLOBAL");
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    sim_note(x->c, "root_service", "admin_statement", "statement", x->row->words, NULL);
    return cmd_ok(x);
}

/* RUN JOB 'root_inspection' [SERVER ... | ZONE ...] */
static int run_job(struct cmd *x)
{
    struct slice job;

    if (!parse_string(&x->p, &job))
        return cmd_syntax(x);
    if (!slice_is_nocase(job, "root_inspection") && !slice_is_nocase(job, "check_partition_table"))
        return cmd_fail(x, 1210, "Incorrect arguments to run job");
    return record(x);
}

/* SWITCH REPLICA {LEADER | FOLLOWER} {LS [=] n | TENANT ...} SERVER [=] 'ip:port' | ZONE [=] 'z' */
static int switch_role(struct cmd *x)
{
    if (!parse_words(&x->p, "LEADER") && !parse_words(&x->p, "FOLLOWER"))
        return cmd_syntax(x);
    return record(x);
}

/* CHANGE TENANT [=] t, CHANGE TENANT TENANT_ID [=] n: the session works in another tenant from now on. */
static int change_tenant(struct cmd *x)
{
    struct sim_tenant *t = NULL;
    struct slice name = { "", 0 };
    int64_t id;
    int rv;

    if (parse_words(&x->p, "TENANT_ID")) {
        if (!cmd_i64_after_equal(x, &id))
            return cmd_syntax(x);
        t = sim_tenant_get(x->c, id);
    } else {
        if (!cmd_name_after_equal(x, &name))
            return cmd_syntax(x);
        t = sim_tenant_find(x->c, name);
    }
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    if (x->s->client->tenant_id != 1)
        return cmd_fail(x, 1227, "Access denied; you need (at least one of) the ALTER SYSTEM privilege(s) for this operation");
    if (x->s->client->in_transaction)
        return cmd_fail(x, 4179, "change tenant in transaction not allowed");
    if (t == NULL)
        return cmd_fail(x, 5157, "Unknown tenant '%.*s'", SLICE_FMT(name));
    x->s->tenant_id = t->id;
    x->s->tenant = t;
    sim_name(x->s->client->database, SLICE("oceanbase"));
    return cmd_ok(x);
}

/* KILL SESSION 'id[, serial]' [IMMEDIATE] */
static int kill_session(struct cmd *x)
{
    struct slice text, number;
    int64_t id = 0;
    int rv;

    if (!parse_i64(&x->p, &id)) {
        if (!parse_string(&x->p, &text))
            return cmd_syntax(x);
        number = slice_trim(slice_cut(&text, ','));
        for (size_t i = 0; i < number.n && id < INT32_MAX; i++)
            id = number.s[i] >= '0' && number.s[i] <= '9' ? id * 10 + number.s[i] - '0' : INT32_MAX;
    }
    (void)parse_words(&x->p, "IMMEDIATE"); /* may be missing */
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    for (size_t i = 0; i < x->c->clients.n; i++)
        if (x->c->clients.items[i]->id == id && (x->t->type == SIM_TENANT_SYS || x->c->clients.items[i]->tenant_id == x->t->id)) {
            x->c->clients.items[i]->kill = SIM_KILL_CONNECTION;
            return cmd_ok(x);
        }
    return cmd_fail(x, 1094, "Unknown thread id: %lld", (long long)id);
}

/* {CREATE | START | STOP | DELETE} SERVICE name [TENANT [=] t]: one for each tenant of users. */
static int service(struct cmd *x)
{
    enum { CREATE, START, STOP, DELETE } order = strstr(x->row->words, "CREATE") != NULL  ? CREATE
                                                 : strstr(x->row->words, "START") != NULL ? START
                                                 : strstr(x->row->words, "STOP") != NULL  ? STOP
                                                                                          : DELETE;
    struct sim_tenant *t = x->t;
    struct slice name, tenant;
    int rv;

    if (!parse_name_or_string(&x->p, &name))
        return cmd_syntax(x);
    if (parse_words(&x->p, "TENANT")) {
        if (!cmd_name_after_equal(x, &tenant))
            return cmd_syntax(x);
        t = sim_tenant_find(x->c, tenant);
        if (t == NULL)
            return cmd_fail(x, 5157, "Unknown tenant '%.*s'", SLICE_FMT(tenant));
    }
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    if (t->type != SIM_TENANT_USER || name.n >= sizeof t->service || (order == CREATE) != (t->service[0] == '\0') ||
        (order != CREATE && !slice_is(name, t->service)) || (order == DELETE && !t->is_service_stopped))
        return cmd_fail(x, 4179, "service name operation not allowed");
    if (order == CREATE)
        sim_name(t->service, name);
    if (order == DELETE)
        t->service[0] = '\0';
    t->is_service_stopped = order == STOP;
    sim_note(x->c, "service", "change_service", "statement", x->row->words, NULL);
    return cmd_ok(x);
}

#define ROW(WORDS, RUN) { "ALTER SYSTEM " WORDS, RUN, CMD_SYS, SIM_P(ALTER_SYSTEM), 0 }
const struct cmd_row cmd_system_rows[] = {
    ROW("REFRESH SCHEMA", record),
    ROW("REFRESH TIME_ZONE_INFO", record),
    ROW("RELOAD SERVER", record),
    ROW("RELOAD UNIT", record),
    ROW("RELOAD ZONE", record),
    ROW("FLUSH PLAN CACHE", record),
    ROW("FLUSH KVCACHE", record),
    ROW("FLUSH SQL AUDIT", record),
    ROW("RUN JOB", run_job),
    ROW("LOAD MODULE DATA", record),
    ROW("CREATE SERVICE", service),
    ROW("START SERVICE", service),
    ROW("STOP SERVICE", service),
    ROW("DELETE SERVICE", service),
    ROW("SWITCH REPLICA", switch_role),
    ROW("SWITCH LEADER", record),
    { "ALTER SYSTEM CHANGE TENANT", change_tenant, 0, SIM_P(ALTER_SYSTEM), 0 },
    { "ALTER SYSTEM KILL SESSION", kill_session, CMD_ORACLE, SIM_P(ALTER_SYSTEM), 0 },
    { "", NULL, 0, 0, 0 },
};
