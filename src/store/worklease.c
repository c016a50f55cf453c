/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/worklease.h"

#include <stdatomic.h>

ERR_DEFINE(ERR_LEASE_LOST, 90215, 503, ERR_RETRY, "Shard {0} of the standing work is not leased to this node in view {1} any more; nothing was changed.",
           "常驻任务分片 {0} 在视图 {1} 中已不再租约给本节点，未做任何修改。");

const struct err_row *const worklease_err_rows[] = { &ERR_LEASE_LOST, NULL };

#define NEW_END "NOW(6) + INTERVAL 10 SECOND"
#define GIVEN_BACK "'2000-01-01'" /* not NOW(6): a clock that is set back would make it run again, and be renewed for ever */
_Static_assert(WORKLEASE_TTL_MS == 10000, "NEW_END says the same");

static _Atomic uint64_t refused;

uint64_t worklease_refused(void)
{
    return refused;
}

/* --- reading ---------------------------------------------------------------------------------------------------------------------- */

static const struct list_sort sorts[] = { { "shard", "w.shard" }, { "view", "w.view" }, { "expireTime", "w.expires_at" }, { NULL } };
static const struct sql_field fields[] = {
    SQL_FIELD(worklease, shard, "shard", SQL_C_INT64),
    SQL_FIELD(worklease, node_id, "node_id", SQL_C_INT64),
    SQL_FIELD(worklease, next_id, "next_id", SQL_C_INT64),
    SQL_FIELD_OPT(worklease, node_name, "node_name", SQL_C_TEXT),
    SQL_FIELD_OPT(worklease, next_name, "next_name", SQL_C_TEXT),
    SQL_FIELD(worklease, view, "view", SQL_C_INT64),
    SQL_FIELD(worklease, kicks, "kicks", SQL_C_INT64),
    SQL_FIELD_OPT(worklease, results, "results", SQL_C_INT64),
    SQL_FIELD(worklease, expires_us, "expires_at", SQL_C_TIME),
    SQL_FIELD(worklease, left_us, "left_us", SQL_C_INT64),
    SQL_FIELD_OPT(worklease, status, "status", SQL_C_TEXT),
    { NULL },
};
static const struct worklease blank = { .node_name = "", .next_name = "", .status = "" };
static const struct list_kind worklease_kind = {
    .noun = "lease",
    .columns = "w.shard, w.node_id, w.next_id, n.name AS node_name, m.name AS next_name, w.view, w.kicks, w.results, w.expires_at, "
               "TIMESTAMPDIFF(MICROSECOND, NOW(6), w.expires_at) AS left_us, CASE WHEN w.node_id = 0 THEN 'FREE' "
               "WHEN w.expires_at <= NOW(6) THEN 'EXPIRED' WHEN w.next_id <> 0 THEN 'MOVING' ELSE 'HELD' END AS status",
    .from = "work_lease w LEFT JOIN node n ON n.id = w.node_id LEFT JOIN node m ON m.id = w.next_id",
    .sorts = sorts,
    .key = "w.shard",
    .fields = fields,
    .size = sizeof(struct worklease),
    .init = &blank,
};

int store_worklease_list(struct db *d, const struct store_page *page, struct arena *arena, struct worklease **out, size_t *n, int64_t *total,
                         struct err *e)
{
    struct store_page by_shard = page != NULL ? *page : (struct store_page){ 0 };

    if (by_shard.sort == NULL)
        by_shard.sort = "shard";
    return list_read(d, &worklease_kind, NULL, &by_shard, arena, (void **)out, n, total, e);
}

int store_worklease_read(struct db *d, int64_t node_id, struct arena *arena, struct worklease **out, size_t *n, struct err *e)
{
    return db_list(d,
                   "SELECT shard, node_id, next_id, view, kicks, expires_at, TIMESTAMPDIFF(MICROSECOND, NOW(6), expires_at) AS left_us "
                   "FROM work_lease WHERE node_id = ? AND expires_at > NOW(6)",
                   DB_ARGS(SQL_V_I(node_id)), fields, sizeof **out, arena, (void **)out, n, e);
}

/* --- statements over many shards ----------------------------------------------------------------------------------------------------- */

static void add_shard(struct str *t, unsigned shard, bool first)
{
    str_printf(t, "%s%u", first ? "" : ",", shard);
}

/* Runs a statement that changes what is there and may be repeated, without a transaction around it. */
static int run(struct db *d, struct str *text, const struct sql_value *values, unsigned n, struct err *e)
{
    struct arena arena;
    int rv;

    if (str_failed(text))
        return err_set(e, &ERR_NOMEM, "");
    arena_init(&arena);
    rv = db_read(d, text->s, values, n, &arena, NULL, e);
    arena_fini(&arena);
    return rv;
}

/* --- the leader ----------------------------------------------------------------------------------------------------------------------- */

struct round {
    const struct leadership *leader;
    const struct worklease_change *changes;
    unsigned n;
    int64_t view;
};

static bool is_alike(const struct worklease_change *a, const struct worklease_change *b)
{
    return a->to == b->to && a->is_ask == b->is_ask && a->from_dead == b->from_dead;
}

static bool is_first_of_its_kind(const struct round *r, unsigned i)
{
    for (unsigned k = 0; k < i; k++)
        if (is_alike(&r->changes[k], &r->changes[i]))
            return false;
    return true;
}

/* All rows, in the order in which everybody locks them, and the highest view. */
static int lock_rows(struct tx *tx, int64_t *highest, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int64_t view;
    int rv;

    arena_init(&arena);
    *highest = 0;
    rv = tx_run(tx, "SELECT view FROM work_lease ORDER BY shard FOR UPDATE", DB_NO_ARGS, &arena, &rows, e);
    if (rv == 0 && rows.n_rows != WORKLEASE_SHARDS)
        rv = err_set(e, &ERR_UNEXPECTED, "work_lease has %zu rows instead of %d", rows.n_rows, (int)WORKLEASE_SHARDS);
    for (size_t i = 0; rv == 0 && i < rows.n_rows; i++)
        if (sql_i64(&rows, i, 0, &view) && view > *highest)
            *highest = view;
    arena_fini(&arena);
    return rv;
}

/* All changes that are like number `first`. */
static int write_kind(struct tx *tx, const struct round *r, unsigned first, struct err *e)
{
    const struct worklease_change *of = &r->changes[first];
    bool is_first = true;
    struct str t;
    int rv;

    str_init(&t, NULL);
    str_printf(&t, of->is_ask ? "UPDATE work_lease SET next_id = %lld" : "UPDATE work_lease SET node_id = %lld", (long long)of->to);
    if (!of->is_ask)
        str_printf(&t, ", view = %lld, next_id = 0, expires_at = " NEW_END, (long long)r->view);
    str_add(&t, " WHERE shard IN (");
    for (unsigned i = first; i < r->n; i++) {
        if (!is_alike(&r->changes[i], of))
            continue;
        add_shard(&t, r->changes[i].shard, is_first);
        is_first = false;
    }
    str_add(&t, of->is_ask || of->from_dead ? ")" : ") AND expires_at <= NOW(6)");
    rv = str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : tx_exec(tx, t.s, DB_NO_ARGS, NULL, e);
    str_fini(&t);
    return rv;
}

static int change_body(struct tx *tx, void *data, struct err *e)
{
    struct round *r = data;
    int64_t highest, least = r->leader->epoch << 20;
    int rv = lock_rows(tx, &highest, e);

    r->view = (highest > least ? highest : least) + 1;
    for (unsigned i = 0; rv == 0 && i < r->n; i++)
        if (is_first_of_its_kind(r, i))
            rv = write_kind(tx, r, i, e);
    return rv;
}

int store_worklease_change(struct db *d, const struct leadership *l, const struct worklease_change *changes, unsigned n, int64_t *view,
                           struct err *e)
{
    struct round r = { .leader = l, .changes = changes, .n = n };
    int rv = n > 0 ? leader_transact(d, l, 0, change_body, &r, e) : 0;

    *view = r.view;
    return rv;
}

/* --- nodes ------------------------------------------------------------------------------------------------------------------------------ */

int store_worklease_renew(struct db *d, int64_t node_id, struct err *e)
{
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = db_read(d, "UPDATE work_lease SET expires_at = " NEW_END " WHERE node_id = ? AND expires_at > NOW(6)", DB_ARGS(SQL_V_I(node_id)), &arena,
                 NULL, e);
    arena_fini(&arena);
    return rv;
}

int store_worklease_release(struct db *d, int64_t node_id, const unsigned *shards, const int64_t *views, unsigned n, struct err *e)
{
    struct str t;
    int rv;

    if (n == 0)
        return 0;
    str_init(&t, NULL);
    str_add(&t, "UPDATE work_lease SET expires_at = " GIVEN_BACK " WHERE node_id = ? AND expires_at > NOW(6) AND (shard, view) IN (");
    for (unsigned i = 0; i < n; i++)
        str_printf(&t, "%s(%u,%lld)", i == 0 ? "" : ",", shards[i], (long long)views[i]);
    str_add_c(&t, ')');
    rv = run(d, &t, DB_ARGS(SQL_V_I(node_id)), e);
    str_fini(&t);
    return rv;
}

int store_worklease_kick(struct db *d, const unsigned *shards, unsigned n, struct err *e)
{
    struct str t;
    int rv;

    if (n == 0)
        return 0;
    str_init(&t, NULL);
    str_add(&t, "UPDATE work_lease SET kicks = kicks + 1 WHERE shard IN (");
    for (unsigned i = 0; i < n; i++)
        add_shard(&t, shards[i], i == 0);
    str_add_c(&t, ')');
    rv = run(d, &t, DB_NO_ARGS, e);
    str_fini(&t);
    return rv;
}

int lease_guard(struct tx *tx, unsigned shard, int64_t view, struct err *e)
{
    uint64_t held;
    int rv = tx_exec(tx, "UPDATE work_lease SET results = results + 1 WHERE shard = ? AND view = ?", DB_ARGS(SQL_V_I(shard), SQL_V_I(view)), &held, e);

    if (rv != 0 || held == 1)
        return rv;
    refused++;
    (void)err_set(e, &ERR_LEASE_LOST, "%u", shard);
    return err_arg(e, "%lld", (long long)view);
}
