/* SPDX-License-Identifier: Apache-2.0 */
/* storeprobe - the store on a loop of its own, to be stopped, cut off and killed together with its database.
 *
 * usage: storeprobe HOST PORT[,PORT] USER PASSWORD DATABASE COMMAND ...
 *   migrate NODE LEASE_MS TABLE      brings the schema to TABLE (metadb, slow, stuck, older, changed); prints "ok" or the error's symbol and text
 *   ledger CLIENT SEED ACCOUNTS      moves money between accounts until SIGTERM, with 8 fibers; one line per operation:
 *                                    "begin OP" before it, then "ok OP", "failed OP SYMBOL" or "unsettled OP"; at SIGTERM "stats ..."
 *   lead NODE SEED MS                claims the leadership, writes as leader with 4 fibers until somebody else has claimed it, rests for up to
 *                                    MS milliseconds, and so on until SIGTERM; "claimed EPOCH", "begin OP EPOCH", "ok OP", "fenced OP"...
 *
 * An operation is one transaction: it raises the client's counter by one, moves an amount, and adds a row to ledger_entry under a
 * key that is new each time the transaction runs, so that one that was committed twice shows. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/io/fiber.h"
#include "src/store/leader.h"
#include "src/store/migrate.h"

#define STEPS(...) (const char *const[]){ __VA_ARGS__, NULL }
#define TABLE_END ") DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"

enum { WORKERS = 8, LEADING = 4, OPERATION_MS = 60000 };

/* Rounds of 1 to 3 seconds, so that a death falls into one of them. */
/* `stuck` stays in the middle until the node is killed. */
#define SLOW(SECONDS)                                                                                                                       \
    {                                                                                                                                       \
        { 1, "first", STEPS("CREATE TABLE slow_a (id BIGINT NOT NULL, PRIMARY KEY (id)" TABLE_END) },                                       \
        { 2, "slow",                                                                                                                        \
          STEPS("CREATE TABLE slow_b (id BIGINT NOT NULL, PRIMARY KEY (id)" TABLE_END, "INSERT INTO slow_a (id) VALUES (1)",                \
                "SELECT SLEEP(" SECONDS ")", "ALTER TABLE slow_b ADD COLUMN n BIGINT NOT NULL DEFAULT 0", "INSERT INTO slow_a (id) VALUES (2)") }, \
        { 3, "last", STEPS("CREATE TABLE slow_c (id BIGINT NOT NULL, PRIMARY KEY (id)" TABLE_END) },                                        \
        { 0 },                                                                                                                              \
    }
static const struct migration slow[] = SLOW("1.5");
static const struct migration stuck[] = SLOW("60");
static const struct migration older[] = {
    { 1, "first", STEPS("CREATE TABLE slow_a (id BIGINT NOT NULL, PRIMARY KEY (id)" TABLE_END) },
    { 0 },
};
static const struct migration changed[] = {
    { 1, "first", STEPS("CREATE TABLE slow_a (id INT NOT NULL, PRIMARY KEY (id)" TABLE_END) },
    { 0 },
};

struct probe {
    struct loop *loop;
    struct db *db;
    char **args;             /* of the command */
    int status;
    bool stopping;
    uv_signal_t term;
    /* ledger */
    unsigned n_accounts;
    uint64_t random;
    uint64_t n_operations, n_runs;
    /* lead */
    struct leadership leader;
    bool fenced;
};

static void say(const char *text)
{
    if (write(STDOUT_FILENO, text, strlen(text)) < 0) /* one call: a kill leaves whole lines */
        exit(3);
}

static const char *error_text(const struct err *e, char *buf, size_t size)
{
    char text[512];

    (void)snprintf(buf, size, "%s %s", e->row->symbol, err_log_text(e, text, sizeof text));
    return buf;
}

/* --- migrate ---------------------------------------------------------------------------------------------------------------- */

static const struct migration *table(const char *name)
{
    return strcmp(name, "metadb") == 0 ? metadb_migrations
           : strcmp(name, "slow") == 0 ? slow
           : strcmp(name, "stuck") == 0 ? stuck
           : strcmp(name, "older") == 0 ? older
                                        : changed;
}

static void run_migrate(void *data)
{
    struct probe *p = data;
    struct err e = { 0 };
    char text[640], line[700];
    int rv;

    (void)fiber_narrow_deadline(OPERATION_MS);
    rv = migrate_leased(p->db, table(p->args[2]), p->args[0], (unsigned)atoi(p->args[1]), &e);
    (void)snprintf(line, sizeof line, "%s\n", rv == 0 ? "ok" : error_text(&e, text, sizeof text));
    say(line);
    p->status = rv == 0 ? 0 : 1;
    db_free(p->db);
    loop_stop(p->loop);
}

/* --- ledger ----------------------------------------------------------------------------------------------------------------- */

struct operation {
    struct probe *probe;
    uint64_t number;
    unsigned from, to;
    int64_t amount;
};

static unsigned pick(struct probe *p, unsigned below)
{
    p->random = p->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(p->random >> 33) % below;
}

static int move(struct tx *tx, unsigned account, int64_t amount, struct err *e)
{
    uint64_t affected = 0;
    int rv = tx_exec(tx, "UPDATE ledger_account SET balance = balance + ? WHERE id = ?", DB_ARGS(SQL_V_I(amount), SQL_V_I(account)), &affected, e);

    return rv == 0 && affected != 1 ? err_set(e, &ERR_UNEXPECTED, "account %u is missing", account) : rv;
}

static int operate(struct tx *tx, void *data, struct err *e)
{
    const struct operation *o = data;
    struct probe *p = o->probe;
    const char *client = p->args[0];
    uint64_t run = ++p->n_runs;
    bool up = o->from < o->to;
    int rv = tx_exec(tx, "UPDATE ledger_client SET n = n + 1 WHERE client = ?", DB_ARGS(sql_v_s(client)), NULL, e);

    if (rv == 0)
        rv = move(tx, up ? o->from : o->to, up ? -o->amount : o->amount, e);
    if (rv == 0)
        rv = move(tx, up ? o->to : o->from, up ? o->amount : -o->amount, e);
    if (rv != 0)
        return rv;
    return tx_exec(tx, "INSERT INTO ledger_entry (client, run, op, amount) VALUES (?, ?, ?, ?)",
                   DB_ARGS(sql_v_s(client), SQL_V_I(run), SQL_V_I(o->number), SQL_V_I(o->amount)), NULL, e);
}

static void say_fate(uint64_t number, int rv, const struct err *e)
{
    char line[128];

    if (rv == 0)
        (void)snprintf(line, sizeof line, "ok %" PRIu64 "\n", number);
    else if (err_is(e, &ERR_FENCED) || err_is(e, &ERR_DB_UNSETTLED))
        (void)snprintf(line, sizeof line, "%s %" PRIu64 "\n", err_is(e, &ERR_FENCED) ? "fenced" : "unsettled", number);
    else
        (void)snprintf(line, sizeof line, "failed %" PRIu64 " %s\n", number, e->row->symbol);
    say(line);
}

static void operate_once(struct probe *p)
{
    struct operation o = { .probe = p, .number = ++p->n_operations, .from = pick(p, p->n_accounts), .amount = 1 + pick(p, 9) };
    int64_t former = fiber_narrow_deadline(OPERATION_MS);
    struct err e = { 0 };
    char line[128];
    int rv;

    o.to = (o.from + 1 + pick(p, p->n_accounts - 1)) % p->n_accounts;
    (void)snprintf(line, sizeof line, "begin %" PRIu64 "\n", o.number);
    say(line);
    rv = db_transact(p->db, operate, &o, &e);
    fiber_restore_deadline(former);
    say_fate(o.number, rv, &e);
}

static void worker(void *data)
{
    struct probe *p = data;

    while (!p->stopping)
        operate_once(p);
}

static void end(struct probe *p)
{
    db_free(p->db);
    uv_close((uv_handle_t *)&p->term, NULL);
    loop_stop(p->loop);
}

static void run_ledger(void *data)
{
    struct probe *p = data;
    struct fiber_group g = { 0 };
    struct db_stats s;
    struct err e = { 0 };
    char line[200];

    p->random = strtoull(p->args[1], NULL, 10);
    p->n_accounts = (unsigned)atoi(p->args[2]);
    for (int i = 0; i < WORKERS; i++)
        if (fiber_group_start(&g, p->loop, "worker", worker, p, &e) != 0)
            exit(3);
    while (g.running > 0)
        if (fiber_group_wait(&g, &e) != 0)
            exit(3);
    s = db_stats(p->db);
    (void)snprintf(line, sizeof line, "stats %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", s.unknown, s.settled_committed,
                   s.settled_lost, s.repeated, s.reconnects);
    say(line);
    end(p);
}

/* --- lead ------------------------------------------------------------------------------------------------------------------- */

static int count_up(struct tx *tx, void *data, struct err *e)
{
    const struct operation *o = data;
    int rv = tx_exec(tx, "UPDATE lead_counter SET n = n + 1", DB_NO_ARGS, NULL, e);

    return rv != 0 ? rv
                   : tx_exec(tx, "INSERT INTO lead_entry (n, epoch, node, op) SELECT n, ?, ?, ? FROM lead_counter",
                             DB_ARGS(SQL_V_I(o->probe->leader.epoch), SQL_V_I(o->probe->leader.node_id), SQL_V_I(o->number)), NULL, e);
}

static void leading(void *data)
{
    struct probe *p = data;

    while (!p->stopping && !p->fenced) {
        struct operation o = { .probe = p, .number = ++p->n_operations };
        int64_t former = fiber_narrow_deadline(OPERATION_MS);
        struct err e = { 0 };
        char line[128];
        int rv;

        (void)snprintf(line, sizeof line, "begin %" PRIu64 " %" PRId64 "\n", o.number, p->leader.epoch);
        say(line);
        rv = leader_transact(p->db, &p->leader, pick(p, 1000), count_up, &o, &e);
        fiber_restore_deadline(former);
        p->fenced |= rv == ERR_FENCED.code;
        say_fate(o.number, rv, &e);
    }
}

/* As a node that Raft has made the leader of a new term. */
static bool claim(struct probe *p)
{
    int64_t former = fiber_narrow_deadline(OPERATION_MS), when;
    struct leadership last;
    enum leader_claimed how = LEADER_OVERTAKEN;
    struct err e = { 0 };
    char line[64];
    int rv = leader_read(p->db, &last, &when, &e);

    p->leader = (struct leadership){ .generation = 1, .term = last.term + 1, .node_id = atoi(p->args[0]) };
    if (rv == 0)
        rv = leader_claim(p->db, &p->leader, &how, &e);
    fiber_restore_deadline(former);
    if (rv != 0 || how != LEADER_CLAIMED)
        return false;
    (void)snprintf(line, sizeof line, "claimed %" PRId64 "\n", p->leader.epoch);
    say(line);
    return true;
}

static void run_lead(void *data)
{
    struct probe *p = data;
    struct err e = { 0 };

    p->random = strtoull(p->args[1], NULL, 10);
    while (!p->stopping) {
        struct fiber_group g = { 0 };

        p->fenced = !claim(p);
        for (int i = 0; i < LEADING; i++)
            if (fiber_group_start(&g, p->loop, "leads", leading, p, &e) != 0)
                exit(3);
        while (g.running > 0)
            if (fiber_group_wait(&g, &e) != 0)
                exit(3);
        if (!p->stopping && fiber_sleep(pick(p, 1 + (unsigned)atoi(p->args[2])), &e) != 0)
            exit(3);
    }
    end(p);
}

static void on_term(uv_signal_t *handle, int number)
{
    struct probe *p = handle->data;

    (void)number;
    p->stopping = true;
}

/* --- start ------------------------------------------------------------------------------------------------------------------ */

static void check(int rv, const struct err *e)
{
    char text[640];

    if (rv == 0)
        return;
    (void)fprintf(stderr, "storeprobe: %s\n", error_text(e, text, sizeof text));
    exit(3);
}

int main(int argc, char **argv)
{
    struct log_sink sink = { .fd = STDERR_FILENO, .level = LOG_INFO, .clock = &clock_system };
    struct log log;
    struct loop_conf loop_conf = { "probe", &clock_system, &log, LOOP_MAX_FIBERS, LOOP_STACK_BYTES };
    struct work_conf work_conf = { "connect", 4, 100 };
    struct probe p = { .args = argv + 7 };
    struct work_pool *pool;
    struct sql_target targets[2];
    struct db_conf conf;
    struct err e = { 0 };
    const char *second;
    bool is_ledger, is_leader;

    if (argc < 10) {
        (void)fprintf(stderr, "usage: storeprobe HOST PORT USER PASSWORD DATABASE migrate NODE LEASE_MS TABLE | ledger CLIENT SEED ACCOUNTS | "
                              "lead NODE SEED MS\n");
        return 2;
    }
    is_ledger = strcmp(argv[6], "ledger") == 0;
    is_leader = strcmp(argv[6], "lead") == 0;
    log_init(&log, &sink);
    check(loop_new(&loop_conf, &p.loop, &e), &e);
    check(work_pool_new(&work_conf, &pool, &e), &e);
    targets[0] = (struct sql_target){ .host = argv[1], .port = (unsigned)atoi(argv[2]), .user = argv[3], .password = argv[4],
                                      .database = argv[5], .connect_timeout_ms = 2000 };
    targets[1] = targets[0];
    second = strchr(argv[2], ',');
    if (second != NULL)
        targets[1].port = (unsigned)atoi(second + 1);
    conf = (struct db_conf){ .name = "MetaDB", .targets = targets, .n_targets = second != NULL ? 2 : 1, .max_sessions = 6,
                             .statement_timeout_ms = is_ledger || is_leader ? 2500 : 0, .connect_pool = pool, .log = &log, .seed = (uint64_t)getpid() };
    check(db_new(&conf, p.loop, &p.db, &e), &e);
    p.term.data = &p;
    if ((is_ledger || is_leader) && (uv_signal_init(loop_uv(p.loop), &p.term) != 0 || uv_signal_start(&p.term, on_term, SIGTERM) != 0))
        return 3;
    check(fiber_start(p.loop, "probe", is_ledger ? run_ledger : is_leader ? run_lead : run_migrate, &p, NULL, &e), &e);
    loop_run(p.loop);
    loop_free(p.loop);
    work_pool_free(pool);
    return p.status;
}
