/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/login.h"

#include <stdlib.h>

/* A row of the answer: the number is a user's version, or 1 for what is alive. */
struct row {
    int64_t kind, id, number;
};

/* Kinds of the rows that are about no login. */
enum { ADDRESSES = 10, RATES = 11 };

/* By kind: which rows are there. The users come first, with kind LOGIN_PASSWORD. */
static const struct {
    const char *select;
    const char *tail;
} questions[LOGIN_KINDS] = {
    [LOGIN_PASSWORD] = { "SELECT 0, id, credential_version FROM user WHERE id IN (", ") AND enabled = 1 AND locked = 0" },
    [LOGIN_SESSION] = { "SELECT 1, id, 1 FROM user_session WHERE id IN (", ") AND expires_at > NOW(6)" },
    [LOGIN_KEY] = { "SELECT 2, id, 1 FROM access_key WHERE id IN (", ") AND enabled = 1" },
};

static int64_t id_of(const struct login_state *s, enum login_kind kind)
{
    return kind == LOGIN_PASSWORD ? s->user_id : s->object_id;
}

static void add_question(struct str *t, enum login_kind kind, const struct login_state *states, size_t n)
{
    bool first = true;

    for (size_t i = 0; i < n; i++) {
        if (kind != LOGIN_PASSWORD && states[i].kind != kind)
            continue;
        if (first)
            str_printf(t, "%s%s", t->n > 0 ? " UNION ALL " : "", questions[kind].select);
        else
            str_add_c(t, ',');
        first = false;
        str_add_i64(t, id_of(&states[i], kind));
    }
    if (!first)
        str_add(t, questions[kind].tail);
}

static int compare(const void *a, const void *b)
{
    const struct row *x = a, *y = b;

    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

static const struct row *find(const struct row *rows, size_t n, enum login_kind kind, int64_t id)
{
    const struct row wanted = { kind, id, 0 };

    return n > 0 ? bsearch(&wanted, rows, n, sizeof *rows, compare) : NULL;
}

static int fill(const struct sql_rows *answer, struct login_state *states, size_t n, struct arena *arena, struct err *e)
{
    struct row *rows = arena_array(arena, answer->n_rows + 1, sizeof *rows);
    size_t n_rows = 0;

    if (rows == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < answer->n_rows; i++) {
        struct row *r = &rows[n_rows];

        if (sql_i64(answer, i, 0, &r->kind) && sql_i64(answer, i, 1, &r->id) && sql_i64(answer, i, 2, &r->number))
            n_rows++;
    }
    qsort(rows, n_rows, sizeof *rows, compare);
    for (size_t i = 0; i < n; i++) {
        const struct row *user = find(rows, n_rows, LOGIN_PASSWORD, states[i].user_id);

        states[i].version = user != NULL ? user->number : -1;
        states[i].alive = states[i].kind == LOGIN_PASSWORD || find(rows, n_rows, states[i].kind, states[i].object_id) != NULL;
    }
    return 0;
}

static void take_versions(const struct sql_rows *rows, struct login_versions *out)
{
    for (size_t i = 0; i < rows->n_rows; i++) {
        int64_t kind, number;

        if (!sql_i64(rows, i, 0, &kind) || !sql_i64(rows, i, 2, &number))
            continue;
        if (kind == ADDRESSES)
            out->addresses = number;
        else if (kind == RATES)
            out->rates = number;
    }
}

int store_login_states(struct db *d, struct login_state *states, size_t n, struct login_versions *versions, struct err *e)
{
    struct arena arena;
    struct sql_rows rows;
    struct str text;
    int rv;

    arena_init(&arena);
    str_init(&text, &arena);
    str_add(&text, "SELECT 10, 0, next_id FROM store_sequence WHERE name = 'address_rule' UNION ALL "
                   "SELECT 11, 0, next_id FROM store_sequence WHERE name = 'rate_limit'");
    for (int kind = LOGIN_PASSWORD; kind < LOGIN_KINDS; kind++)
        add_question(&text, (enum login_kind)kind, states, n);
    rv = str_failed(&text) ? err_set(e, &ERR_NOMEM, "") : db_read(d, text.s, DB_NO_ARGS, &arena, &rows, e);
    if (rv == 0)
        take_versions(&rows, versions);
    if (rv == 0)
        rv = fill(&rows, states, n, &arena, e);
    arena_fini(&arena);
    return rv;
}
