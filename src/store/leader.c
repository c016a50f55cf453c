/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/leader.h"

#include <stdatomic.h>

#include "src/store/list.h"

ERR_DEFINE(ERR_FENCED, 90210, 503, ERR_RETRY, "A newer leader has taken over from epoch {0}; nothing was changed here.",
           "新的主节点已接替纪元 {0}，此处未做任何修改。");
ERR_DEFINE(ERR_LEADER_GIVEN_UP, 90211, 500, ERR_FINAL,
           "The cluster of generation {0} was founded anew without this node. Delete its Raft directory and add it to the new cluster.",
           "第 {0} 代集群已重新创建且不包含本节点。请删除本节点的 Raft 目录并将其加入新集群。");

const struct err_row *const leader_err_rows[] = { &ERR_FENCED, &ERR_LEADER_GIVEN_UP, NULL };

static struct {
    _Atomic uint64_t claims, fenced;
} count;

struct leader_stats leader_stats(void)
{
    return (struct leader_stats){ .claims = count.claims, .fenced = count.fenced };
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

/* --- claiming --------------------------------------------------------------------------------------------------------------------- */

struct claim {
    const struct leadership *wanted;
    struct leadership now;
    bool fresh;
};

static int claim(struct tx *tx, void *data, struct err *e)
{
    struct claim *c = data;
    const struct leadership *l = c->wanted;
    uint64_t won;
    int rv = tx_exec(tx,
                     "UPDATE leader_epoch SET generation = ?, term = ?, epoch = epoch + 1, node_id = ?, claimed_at = NOW(6) "
                     "WHERE id = 1 AND (generation < ? OR (generation = ? AND term < ?))",
                     DB_ARGS(SQL_V_I(l->generation), SQL_V_I(l->term), SQL_V_I(l->node_id), SQL_V_I(l->generation), SQL_V_I(l->generation),
                             SQL_V_I(l->term)),
                     &won, e);

    c->fresh = won == 1;
    if (rv == 0)
        rv = read_in(tx, &c->now, e);
    return rv == 0 && c->fresh ? move_fence(tx, c->now.epoch, e) : rv;
}

static bool is_own(const struct leadership *a, const struct leadership *b)
{
    return a->generation == b->generation && a->term == b->term && a->node_id == b->node_id;
}

int leader_claim(struct db *d, struct leadership *l, enum leader_claimed *out, struct err *e)
{
    struct claim c = { .wanted = l };
    int rv = db_transact(d, claim, &c, e);

    if (rv != 0)
        return rv;
    if (c.now.generation > l->generation)
        return err_set(e, &ERR_LEADER_GIVEN_UP, "%lld", (long long)l->generation);
    *out = is_own(&c.now, l) ? LEADER_CLAIMED : LEADER_OVERTAKEN;
    if (*out == LEADER_CLAIMED) {
        l->epoch = c.now.epoch;
        count.claims += c.fresh;
    }
    return 0;
}

/* --- writing ---------------------------------------------------------------------------------------------------------------------- */

struct fenced {
    const struct leadership *leader;
    int64_t slot;
    int (*body)(struct tx *tx, void *data, struct err *e);
    void *data;
};

static int pass_fence(struct tx *tx, void *data, struct err *e)
{
    struct fenced *f = data;
    uint64_t passed;
    int rv = tx_exec(tx, "UPDATE leader_fence SET n = n + 1 WHERE slot = ? AND epoch = ?",
                     DB_ARGS(SQL_V_I(f->slot), SQL_V_I(f->leader->epoch)), &passed, e);

    if (rv != 0)
        return rv;
    if (passed != 1) {
        count.fenced++;
        return err_set(e, &ERR_FENCED, "%lld", (long long)f->leader->epoch);
    }
    return f->body(tx, f->data, e);
}

int leader_transact(struct db *d, const struct leadership *l, int64_t object, int (*body)(struct tx *tx, void *data, struct err *e), void *data,
                    struct err *e)
{
    struct fenced f = { l, (int64_t)((uint64_t)object * UINT64_C(0x9E3779B97F4A7C15) >> 58), body, data };

    return db_transact(d, pass_fence, &f, e);
}

/* --- disaster --------------------------------------------------------------------------------------------------------------------- */

struct founding {
    int64_t from;
    struct leadership now;
};

static int found_anew(struct tx *tx, void *data, struct err *e)
{
    struct founding *f = data;
    uint64_t changed;
    int rv = tx_exec(tx,
                     "UPDATE leader_epoch SET generation = generation + 1, term = 0, epoch = epoch + 1, node_id = 0, claimed_at = NOW(6) "
                     "WHERE id = 1 AND generation = ?",
                     DB_ARGS(SQL_V_I(f->from)), &changed, e);

    if (rv == 0)
        rv = read_in(tx, &f->now, e);
    return rv == 0 && changed == 1 ? move_fence(tx, f->now.epoch, e) : rv;
}

int leader_found_anew(struct db *d, int64_t from, int64_t *generation, struct err *e)
{
    struct founding f = { .from = from };
    int rv = db_transact(d, found_anew, &f, e);

    if (rv != 0)
        return rv;
    if (f.now.generation != from + 1) {
        (void)err_set(e, &ERR_CONFLICT, "generation");
        return err_arg(e, "%lld", (long long)f.now.generation);
    }
    *generation = f.now.generation;
    return 0;
}
