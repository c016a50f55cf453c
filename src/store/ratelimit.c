/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/ratelimit.h"

#include "src/store/many.h"

static const struct sql_field limit_fields[] = {
    SQL_FIELD(ratelimit, user_id, "user_id", SQL_C_INT64),
    SQL_FIELD(ratelimit, window_s, "window_s", SQL_C_INT64),
    SQL_FIELD(ratelimit, max_calls, "max_calls", SQL_C_INT64),
    { NULL },
};
static const struct sql_field count_fields[] = {
    SQL_FIELD(ratecount, user_id, "user_id", SQL_C_INT64),
    SQL_FIELD(ratecount, window_s, "window_s", SQL_C_INT64),
    SQL_FIELD(ratecount, starts_us, "starts_at", SQL_C_TIME),
    SQL_FIELD(ratecount, calls, "calls", SQL_C_INT64),
    { NULL },
};
static const struct many_kind count_kind = { "rate_count", "user_id, window_s, starts_at, node, calls", 5, "calls" };

enum { N_VALUES = 5, MAX_WRITE = 500 };

int store_ratelimit_list(struct db *d, int64_t user_id, struct arena *arena, struct ratelimit **out, size_t *n, struct err *e)
{
    return db_list(d, "SELECT user_id, window_s, max_calls FROM rate_limit WHERE ? = 0 OR user_id = ? ORDER BY user_id, window_s",
                   DB_ARGS(SQL_V_I(user_id), SQL_V_I(user_id)), limit_fields, sizeof **out, arena, (void **)out, n, e);
}

struct setting {
    int64_t user_id;
    const struct ratelimit *limits;
    unsigned n;
};

int store_ratelimit_delete(struct tx *tx, int64_t user_id, struct err *e)
{
    return tx_exec(tx, "DELETE FROM rate_limit WHERE user_id = ?", DB_ARGS(SQL_V_I(user_id)), NULL, e);
}

static int hold_user(struct tx *tx, int64_t id, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = tx_run(tx, "SELECT id FROM user WHERE id = ? FOR UPDATE", DB_ARGS(SQL_V_I(id)), &arena, &rows, e);
    if (rv == 0 && rows.n_rows == 0) {
        (void)err_set(e, &ERR_NOT_FOUND, "user");
        rv = err_arg(e, "%lld", (long long)id);
    }
    arena_fini(&arena);
    return rv;
}

static int tx_set(struct tx *tx, void *data, struct err *e)
{
    const struct setting *s = data;
    int rv = tx_exec(tx, "UPDATE store_sequence SET next_id = next_id + 1 WHERE name = 'rate_limit'", DB_NO_ARGS, NULL, e);

    if (rv == 0)
        rv = hold_user(tx, s->user_id, e);
    if (rv == 0)
        rv = store_ratelimit_delete(tx, s->user_id, e);
    for (unsigned i = 0; rv == 0 && i < s->n; i++) {
        if (s->limits[i].max_calls > 0)
            rv = tx_exec(tx, "INSERT INTO rate_limit (user_id, window_s, max_calls) VALUES (?, ?, ?)",
                         DB_ARGS(SQL_V_I(s->user_id), SQL_V_I(s->limits[i].window_s), SQL_V_I(s->limits[i].max_calls)), NULL, e);
    }
    return rv;
}

int store_ratelimit_set(struct db *d, int64_t user_id, const struct ratelimit *limits, unsigned n, struct err *e)
{
    struct setting s = { user_id, limits, n };

    return db_transact(d, tx_set, &s, e);
}

/* ---- counts ------------------------------------------------------------------------------------------------------------ */

struct counting {
    const struct sql_value *values;
    size_t n;
    struct arena *arena;
};

static int tx_count(struct tx *tx, void *data, struct err *e)
{
    const struct counting *c = data;

    return many_write(tx, &count_kind, c->values, c->n, c->arena, e);
}

int store_ratecount_write(struct db *d, const char *node, const struct ratecount *counts, size_t n, struct err *e)
{
    struct sql_value *values;
    struct counting c;
    struct arena arena;
    int rv;

    n = n < MAX_WRITE ? n : MAX_WRITE;
    if (n == 0)
        return 0;
    arena_init(&arena);
    values = arena_array(&arena, n * N_VALUES, sizeof *values);
    for (size_t i = 0; values != NULL && i < n; i++) {
        struct sql_value *v = &values[i * N_VALUES];

        v[0] = SQL_V_I(counts[i].user_id);
        v[1] = SQL_V_I(counts[i].window_s);
        v[2] = SQL_V_TIME(counts[i].starts_us);
        v[3] = sql_v_s(node);
        v[4] = SQL_V_I(counts[i].calls);
    }
    c = (struct counting){ values, n, &arena };
    rv = values != NULL ? db_transact(d, tx_count, &c, e) : err_set(e, &ERR_NOMEM, "");
    arena_fini(&arena);
    return rv;
}

int store_ratecount_read(struct db *d, const char *node, int64_t from_us, struct arena *arena, struct ratecount **out, size_t *n,
                         struct err *e)
{
    return db_list(d,
                   "SELECT user_id, window_s, starts_at, SUM(calls) AS calls FROM rate_count WHERE starts_at >= ? AND node <> ? "
                   "GROUP BY user_id, window_s, starts_at",
                   DB_ARGS(SQL_V_TIME(from_us), sql_v_s(node)), count_fields, sizeof **out, arena, (void **)out, n, e);
}

int store_ratecount_prune(struct db *d, struct err *e)
{
    return db_prune(d, "DELETE FROM rate_count WHERE starts_at < NOW(6) - INTERVAL 25 HOUR LIMIT ?", e);
}
