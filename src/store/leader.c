/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/leader.h"

#include <stdatomic.h>
#include <stdio.h>

#include "src/store/inside.h"

ERR_DEFINE(ERR_FENCED, 90210, 503, ERR_RETRY, "A newer leader has taken over from epoch {0}; nothing was changed here.",
           "新的主节点已接替纪元 {0}，此处未做任何修改。");
ERR_DEFINE(ERR_LEADER_GIVEN_UP, 90211, 500, ERR_FINAL,
           "The cluster of generation {0} was founded anew without this node. Delete its Raft directory and add it to the new cluster.",
           "第 {0} 代集群已重新创建且不包含本节点。请删除本节点的 Raft 目录并将其加入新集群。");

const struct err_row *const leader_err_rows[] = { &ERR_FENCED, &ERR_LEADER_GIVEN_UP, NULL };

static struct {
    _Atomic uint64_t claims, fenced, killed;
} count;

struct leader_stats leader_stats(void)
{
    return (struct leader_stats){ .claims = count.claims, .fenced = count.fenced, .killed = count.killed };
}

/* --- the row ---------------------------------------------------------------------------------------------------------------------- */

static int read_row(const struct sql_rows *rows, struct leadership *out, struct err *e)
{
    if (rows->n_rows == 1 && sql_i64(rows, 0, 0, &out->generation) && sql_i64(rows, 0, 1, &out->term) && sql_i64(rows, 0, 2, &out->epoch) &&
        sql_i64(rows, 0, 3, &out->node_id))
        return 0;
    return err_set(e, &ERR_UNEXPECTED, "the row of leader_epoch is missing");
}

#define READ_ROW "SELECT generation, term, epoch, node_id, claimed_at FROM leader_epoch WHERE id = 1"

static int read_in(struct tx *tx, struct leadership *out, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = tx_run(tx, READ_ROW, DB_NO_ARGS, &arena, &rows, e);
    if (rv == 0)
        rv = read_row(&rows, out, e);
    arena_fini(&arena);
    return rv;
}

int leader_read(struct db *d, struct leadership *out, int64_t *claimed_us, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = db_read(d, READ_ROW, DB_NO_ARGS, &arena, &rows, e);
    if (rv == 0)
        rv = read_row(&rows, out, e);
    if (rv == 0 && !sql_time_us(&rows, 0, 4, claimed_us))
        *claimed_us = 0;
    arena_fini(&arena);
    return rv;
}

/* All rows, whatever epoch they are of: fewer than LEADER_SLOTS would let somebody through. */
static int move_fence(struct tx *tx, int64_t epoch, struct err *e)
{
    uint64_t moved;
    int rv = tx_exec(tx, "UPDATE leader_fence SET epoch = ?, n = n + 1 WHERE epoch < ? ORDER BY slot", DB_ARGS(SQL_V_I(epoch), SQL_V_I(epoch)),
                     &moved, e);

    if (rv == 0 && moved != LEADER_SLOTS)
        rv = err_set(e, &ERR_UNEXPECTED, "%llu of %d rows of leader_fence could be moved to epoch %lld", (unsigned long long)moved,
                     (int)LEADER_SLOTS, (long long)epoch);
    return rv;
}

/* --- sessions of leaders ------------------------------------------------------------------------------------------------------------ */

/* Which server a session is on, and its number there. */
#define WHO_OCEANBASE "SELECT CONCAT(host_ip(), ':', rpc_port(), ':', @@port), CONNECTION_ID()"
#define WHO_OTHER "SELECT CONCAT(@@hostname, ':', @@port, ':', @@datadir), CONNECTION_ID()"

struct leader_db {
    struct db *db;
    int64_t node_id, epoch;         /* epoch 0: nobody's */
    uint64_t turn;                  /* transactions take the slots in turn */
    void (*fenced)(int64_t epoch, void *data);
    void *data;
};

static const char *who_statement(const struct sql *sql)
{
    enum sql_engine engine = sql_engine(sql);

    return engine == SQL_OCEANBASE || engine == SQL_SEEKDB ? WHO_OCEANBASE : WHO_OTHER;
}

static int register_session(struct sql *sql, void *data, struct err *e)
{
    const struct leader_db *k = data;
    struct sql_rows rows;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = sql_run(sql, who_statement(sql), NULL, 0, 0, &arena, &rows, e);
    if (rv == 0)
        rv = sql_run(sql,
                     "INSERT INTO leader_session (server, connection_id, node_id, registered_at) VALUES (?, ?, ?, NOW(6)) "
                     "ON DUPLICATE KEY UPDATE node_id = VALUES(node_id), registered_at = NOW(6)",
                     DB_ARGS({ .kind = SQL_TEXT, .text = sql_text(&rows, 0, 0) }, { .kind = SQL_TEXT, .text = sql_text(&rows, 0, 1) },
                             SQL_V_I(k->node_id)), 0, &arena, NULL, e);
    arena_fini(&arena);
    return rv;
}

/* A session that is still there under its number, of our user, and holds what somebody else registered. */
#define FOREIGN_SESSIONS                                                                                                                \
    "SELECT s.connection_id FROM leader_session s JOIN information_schema.processlist p ON p.id = s.connection_id "                     \
    "WHERE s.server = ? AND s.node_id <> ? AND p.user = SUBSTRING_INDEX(USER(), '@', 1)"

/* On the very server that this transaction is on: numbers of others mean nothing here. What cannot be killed ends by its own limits. */
static int kill_foreign_sessions(struct tx *tx, int64_t node_id, struct err *e)
{
    struct sql_rows who, found;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = tx_run(tx, who_statement(tx_sql(tx)), DB_NO_ARGS, &arena, &who, e);
    if (rv == 0)
        rv = tx_run(tx, FOREIGN_SESSIONS, DB_ARGS({ .kind = SQL_TEXT, .text = sql_text(&who, 0, 0) }, SQL_V_I(node_id)), &arena, &found, e);
    for (size_t i = 0; rv == 0 && i < found.n_rows; i++) {
        char text[64];
        int64_t id;

        if (!sql_i64(&found, i, 0, &id))
            continue;
        (void)snprintf(text, sizeof text, "KILL %lld", (long long)id);
        if (tx_exec(tx, text, DB_NO_ARGS, NULL, e) == 0)
            count.killed++;
    }
    arena_fini(&arena);
    return rv;
}

int leader_prune(struct db *d, struct err *e)
{
    return db_prune(d, "DELETE FROM leader_session WHERE registered_at < NOW(6) - INTERVAL 2 HOUR LIMIT ?", e);
}

/* --- claiming --------------------------------------------------------------------------------------------------------------------- */

struct claim {
    const struct leadership *wanted;
    struct leadership now;
    bool won;
    unsigned runs;
};

static int write_history(struct tx *tx, const struct leadership *l, int64_t epoch, struct err *e)
{
    return tx_exec(tx,
                   "INSERT INTO leadership (epoch, generation, term, node_id, node_name, cause, claimed_at) VALUES (?, ?, ?, ?, ?, ?, NOW(6))",
                   DB_ARGS(SQL_V_I(epoch), SQL_V_I(l->generation), SQL_V_I(l->term), SQL_V_I(l->node_id),
                           sql_v_s(l->node_name != NULL ? l->node_name : ""), sql_v_s(l->cause != NULL ? l->cause : "")),
                   NULL, e);
}

/* The same node in the same term claims anew: its process before may have something open still (a lone voter is elected again in its old
 * term). Raft lets nobody else lead in that term, and its directory lets no two processes be that node. */
static int claim(struct tx *tx, void *data, struct err *e)
{
    struct claim *c = data;
    const struct leadership *l = c->wanted;
    uint64_t won = 0;
    int rv = c->runs++ > 0 ? kill_foreign_sessions(tx, l->node_id, e) : 0; /* the run before waited in vain */

    if (rv == 0)
        rv = tx_exec(tx,
                     "UPDATE leader_epoch SET generation = ?, term = ?, epoch = epoch + 1, node_id = ?, claimed_at = NOW(6) "
                     "WHERE id = 1 AND (generation < ? OR (generation = ? AND (term < ? OR (term = ? AND node_id = ?))))",
                     DB_ARGS(SQL_V_I(l->generation), SQL_V_I(l->term), SQL_V_I(l->node_id), SQL_V_I(l->generation), SQL_V_I(l->generation),
                             SQL_V_I(l->term), SQL_V_I(l->term), SQL_V_I(l->node_id)),
                     &won, e);
    c->won = won == 1;
    if (rv == 0)
        rv = read_in(tx, &c->now, e);
    if (rv == 0 && c->won)
        rv = move_fence(tx, c->now.epoch, e);
    return rv == 0 && c->won ? write_history(tx, l, c->now.epoch, e) : rv;
}

int leader_claim(struct db *d, struct leadership *l, enum leader_claimed *out, struct err *e)
{
    struct claim c = { .wanted = l };
    int rv = db_transact_unfenced(d, claim, &c, e);

    if (rv != 0)
        return rv;
    if (c.now.generation > l->generation)
        return err_set(e, &ERR_LEADER_GIVEN_UP, "%lld", (long long)l->generation);
    *out = c.won ? LEADER_CLAIMED : LEADER_OVERTAKEN;
    l->epoch = c.won ? c.now.epoch : 0;
    count.claims += c.won;
    return 0;
}

/* --- writing ---------------------------------------------------------------------------------------------------------------------- */

static unsigned slot_of(int64_t object)
{
    return (unsigned)((uint64_t)object * UINT64_C(0x9E3779B97F4A7C15) >> 58);
}

static int pass_fence(struct tx *tx, int64_t epoch, unsigned slot, struct err *e)
{
    uint64_t passed;
    int rv = tx_exec(tx, "UPDATE leader_fence SET n = n + 1 WHERE slot = ? AND epoch = ?", DB_ARGS(SQL_V_I(slot), SQL_V_I(epoch)), &passed, e);

    if (rv != 0 || passed == 1)
        return rv;
    count.fenced++;
    return err_set(e, &ERR_FENCED, "%lld", (long long)epoch);
}

struct fenced {
    const struct leadership *leader;
    unsigned slot;
    int (*body)(struct tx *tx, void *data, struct err *e);
    void *data;
};

static int run_fenced(struct tx *tx, void *data, struct err *e)
{
    struct fenced *f = data;
    int rv = pass_fence(tx, f->leader->epoch, f->slot, e);

    return rv == 0 ? f->body(tx, f->data, e) : rv;
}

int leader_transact(struct db *d, const struct leadership *l, int64_t object, int (*body)(struct tx *tx, void *data, struct err *e), void *data,
                    struct err *e)
{
    struct fenced f = { l, slot_of(object), body, data };

    return db_transact_unfenced(d, run_fenced, &f, e);
}

/* --- the leader's database -------------------------------------------------------------------------------------------------------- */

static int fence_of_db(struct tx *tx, void *data, struct err *e)
{
    struct leader_db *k = data;
    int64_t epoch = k->epoch;
    int rv;

    if (epoch == 0)
        return err_set(e, &ERR_FENCED, "0");
    rv = pass_fence(tx, epoch, (unsigned)(k->turn++ % LEADER_SLOTS), e);
    if (rv == ERR_FENCED.code && k->fenced != NULL)
        k->fenced(epoch, k->data);
    return rv;
}

int leader_db_new(const struct leader_db_conf *conf, struct loop *l, struct leader_db **out, struct err *e)
{
    struct leader_db *k = mem_zalloc(sizeof *k);
    struct db_conf db = conf->db;
    int rv;

    if (k == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *k = (struct leader_db){ .node_id = conf->node_id, .fenced = conf->fenced, .data = conf->data };
    db.leads = true;
    db.opened = register_session;
    db.data = k;
    rv = db_new(&db, l, &k->db, e);
    if (rv != 0) {
        mem_free(k);
        return rv;
    }
    k->db->fence = fence_of_db;
    k->db->fence_data = k;
    *out = k;
    return 0;
}

void leader_db_free(struct leader_db *k)
{
    if (k == NULL)
        return;
    db_free(k->db);
    mem_free(k);
}

struct db *leader_db(struct leader_db *k)
{
    return k->db;
}

void leader_db_lead(struct leader_db *k, const struct leadership *l)
{
    k->epoch = l != NULL ? l->epoch : 0;
}

/* --- history ---------------------------------------------------------------------------------------------------------------------- */

static const struct list_sort history_sorts[] = { { "epoch", "epoch" }, { "claimTime", "claimed_at" }, { NULL } };
static const struct sql_field history_fields[] = {
    SQL_FIELD(leadership_row, epoch, "epoch", SQL_C_INT64),          SQL_FIELD(leadership_row, generation, "generation", SQL_C_INT64),
    SQL_FIELD(leadership_row, term, "term", SQL_C_INT64),            SQL_FIELD(leadership_row, node_id, "node_id", SQL_C_INT64),
    SQL_FIELD(leadership_row, node_name, "node_name", SQL_C_TEXT),   SQL_FIELD(leadership_row, cause, "cause", SQL_C_TEXT),
    SQL_FIELD(leadership_row, claimed_us, "claimed_at", SQL_C_TIME), { NULL },
};
static const struct list_kind history_kind = {
    .noun = "leadership",
    .columns = "epoch, generation, term, node_id, node_name, cause, claimed_at",
    .from = "leadership",
    .sorts = history_sorts,
    .key = "epoch",
    .fields = history_fields,
    .size = sizeof(struct leadership_row),
};

int leader_history(struct db *d, const struct store_page *page, struct arena *arena, struct leadership_row **out, size_t *n, int64_t *total,
                   struct err *e)
{
    return list_read(d, &history_kind, NULL, page, arena, (void **)out, n, total, e);
}

/* --- disaster --------------------------------------------------------------------------------------------------------------------- */

struct founding {
    int64_t from;
    struct leadership now;
};

/* After a restore (step > 1) the row may be one of long ago: generations and epochs that were given out since must not come again, however often
 * the same backup is restored. Seconds since 1970 are ahead of both, which grow by far less than one a second. */
#define ONWARDS "generation = generation + 1, epoch = epoch + ?"
#define AHEAD "generation = GREATEST(generation + 1, UNIX_TIMESTAMP()), epoch = GREATEST(epoch + ?, UNIX_TIMESTAMP())"
#define RAISE(HOW) "UPDATE leader_epoch SET " HOW ", term = 0, node_id = 0, claimed_at = NOW(6) WHERE id = 1 AND generation = ?"

static int raise_generation(struct tx *tx, int64_t from, int64_t step, struct leadership *now, struct err *e)
{
    uint64_t changed;
    int rv = tx_exec(tx, step > 1 ? RAISE(AHEAD) : RAISE(ONWARDS), DB_ARGS(SQL_V_I(step), SQL_V_I(from)), &changed, e);

    if (rv == 0)
        rv = read_in(tx, now, e);
    return rv == 0 && changed == 1 ? move_fence(tx, now->epoch, e) : rv;
}

static int found_anew(struct tx *tx, void *data, struct err *e)
{
    struct founding *f = data;

    return raise_generation(tx, f->from, 1, &f->now, e);
}

/* The next one, or one that is ahead of all; an earlier call may have made it. */
static int check_generation(const struct leadership *now, int64_t from, int64_t step, struct err *e)
{
    if (now->generation == from + 1 || (step > 1 && now->generation > from))
        return 0;
    (void)err_set(e, &ERR_CONFLICT, "generation");
    return err_arg(e, "%lld", (long long)now->generation);
}

int leader_found_anew_in(struct tx *tx, int64_t from, int64_t step, int64_t *generation, struct err *e)
{
    struct leadership now = { 0 };
    int rv = raise_generation(tx, from, step, &now, e);

    *generation = now.generation;
    return rv == 0 ? check_generation(&now, from, step, e) : rv;
}

int leader_found_anew(struct db *d, int64_t from, int64_t *generation, struct err *e)
{
    struct founding f = { .from = from };
    int rv = db_transact(d, found_anew, &f, e);

    if (rv != 0)
        return rv;
    rv = check_generation(&f.now, from, 1, e);
    if (rv == 0)
        *generation = f.now.generation;
    return rv;
}
