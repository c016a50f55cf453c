/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/stmt.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/obsim/lex.h"
#include "tests/obsim/packet.h"

enum { UNSIGNED_PARAM = 0x8000, KIND = 0xff };
enum { PARAM_TINY = 1, PARAM_SHORT, PARAM_LONG, PARAM_FLOAT, PARAM_DOUBLE, PARAM_NULL, PARAM_TIMESTAMP, PARAM_LONGLONG, PARAM_INT24,
       PARAM_DATE, PARAM_TIME, PARAM_DATETIME, PARAM_YEAR };

static void stmt_fini(struct sim_stmt *st)
{
    stmt_forget_data(st);
    mem_free(st->text);
    mem_free(st->places);
    mem_free(st->types);
    mem_free(st->long_data);
    mem_free(st->long_n);
}

void stmts_fini(struct sim_stmts *s)
{
    for (size_t i = 0; i < s->list.n; i++)
        stmt_fini(s->list.items[i]);
    sim_clear(&s->list);
}

struct sim_stmt *stmt_new(struct sim_stmts *s, struct slice text)
{
    struct sim_stmt *st;
    struct arena arena;
    struct lex lex;

    if (s->list.n == STMTS_MAX)
        return NULL;
    arena_init(&arena);
    if (!lex_all(text, 0, &arena, &lex))
        abort();
    st = sim_push(&s->list);
    st->id = ++s->last;
    sim_text(&st->text, text);
    st->places = sim_alloc((lex.n + 1) * sizeof *st->places);
    for (size_t i = 0; i < lex.n; i++)
        if (lex.tokens[i].kind == LEX_PLACEHOLDER)
            st->places[st->n_params++] = lex.tokens[i].at;
    st->types = sim_alloc((st->n_params + 1) * sizeof *st->types);
    st->long_data = sim_alloc((st->n_params + 1) * sizeof *st->long_data);
    st->long_n = sim_alloc((st->n_params + 1) * sizeof *st->long_n);
    arena_fini(&arena);
    return st;
}

struct sim_stmt *stmt_find(struct sim_stmts *s, uint32_t id)
{
    for (size_t i = 0; i < s->list.n; i++)
        if (s->list.items[i]->id == id)
            return s->list.items[i];
    return NULL;
}

void stmt_close(struct sim_stmts *s, uint32_t id)
{
    for (size_t i = 0; i < s->list.n; i++)
        if (s->list.items[i]->id == id) {
            stmt_fini(s->list.items[i]);
            sim_remove(&s->list, i);
            return;
        }
}

void stmt_forget_data(struct sim_stmt *st)
{
    for (unsigned i = 0; i < st->n_params; i++) {
        mem_free(st->long_data[i]);
        st->long_data[i] = NULL;
        st->long_n[i] = 0;
    }
}

void stmt_add_long_data(struct sim_stmt *st, struct slice payload)
{
    struct packet_reader r = { .rest = payload };
    uint64_t i = packet_int(&r, 2);
    char *longer;

    if (r.bad || i >= st->n_params)
        return;
    longer = mem_realloc(st->long_data[i], st->long_n[i] + r.rest.n + 1);
    if (longer == NULL)
        abort();
    memcpy(longer + st->long_n[i], r.rest.s, r.rest.n);
    st->long_data[i] = longer;
    st->long_n[i] += r.rest.n;
}

static void add_quoted(struct str *t, struct slice text)
{
    str_add_c(t, '\'');
    for (size_t i = 0; i < text.n; i++) {
        if (text.s[i] == '\'' || text.s[i] == '\\')
            str_add_c(t, '\\');
        if (text.s[i] == '\0')
            str_add(t, "\\0");
        else
            str_add_c(t, text.s[i]);
    }
    str_add_c(t, '\'');
}

static void add_integer(struct str *t, uint64_t v, unsigned bytes, bool is_unsigned)
{
    unsigned unused = 64 - 8 * bytes;

    if (is_unsigned)
        str_add_u64(t, v);
    else
        str_add_i64(t, (int64_t)(v << unused) >> unused);
}

static void add_moment(struct str *t, struct packet_reader *r)
{
    struct packet_reader m = { .rest = packet_bytes(r, (size_t)packet_int(r, 1)) };
    unsigned v[7] = { 0 };
    static const unsigned char sizes[] = { 2, 1, 1, 1, 1, 1, 4 };

    for (unsigned i = 0; i < 7 && m.rest.n > 0; i++)
        v[i] = (unsigned)packet_int(&m, sizes[i]);
    str_printf(t, "'%04u-%02u-%02u %02u:%02u:%02u.%06u'", v[0], v[1], v[2], v[3], v[4], v[5], v[6]);
    r->bad = r->bad || m.bad;
}

static void add_real(struct str *t, struct packet_reader *r, bool is_double)
{
    uint64_t bits = packet_int(r, is_double ? 8 : 4);
    uint32_t low = (uint32_t)bits;
    double d;
    float f;

    memcpy(&d, &bits, sizeof d);
    memcpy(&f, &low, sizeof f);
    str_printf(t, "%.17g", is_double ? d : (double)f);
}

static void add_value(struct str *t, struct packet_reader *r, uint16_t type)
{
    static const unsigned char sizes[] = { [PARAM_TINY] = 1, [PARAM_SHORT] = 2, [PARAM_LONG] = 4, [PARAM_LONGLONG] = 8, [PARAM_INT24] = 4,
                                           [PARAM_YEAR] = 2 };
    unsigned kind = type & KIND;

    if (kind < sizeof sizes && sizes[kind] != 0)
        add_integer(t, packet_int(r, sizes[kind]), sizes[kind], (type & UNSIGNED_PARAM) != 0);
    else if (kind == PARAM_FLOAT || kind == PARAM_DOUBLE)
        add_real(t, r, kind == PARAM_DOUBLE);
    else if (kind == PARAM_DATE || kind == PARAM_DATETIME || kind == PARAM_TIMESTAMP)
        add_moment(t, r);
    else if (kind == PARAM_NULL)
        str_add(t, "NULL");
    else if (kind == PARAM_TIME)
        r->bad = true; /* nobody sends it */
    else
        add_quoted(t, packet_bytes(r, (size_t)packet_lenenc(r)));
}

bool stmt_bind(struct sim_stmt *st, struct slice payload, struct str *sql)
{
    struct packet_reader r = { .rest = payload };
    struct slice nulls;
    size_t done = 0;

    (void)packet_bytes(&r, 5); /* flags, iterations */
    nulls = packet_bytes(&r, (st->n_params + 7) / 8);
    if (st->n_params > 0 && packet_int(&r, 1) == 1)
        for (unsigned i = 0; i < st->n_params; i++)
            st->types[i] = (uint16_t)packet_int(&r, 2);
    for (unsigned i = 0; i < st->n_params && !r.bad; i++) {
        str_add_n(sql, st->text + done, st->places[i] - done);
        done = st->places[i] + 1;
        if (st->long_data[i] != NULL)
            add_quoted(sql, (struct slice){ st->long_data[i], st->long_n[i] });
        else if ((nulls.s[i / 8] >> i % 8 & 1) != 0)
            str_add(sql, "NULL");
        else
            add_value(sql, &r, st->types[i]);
    }
    str_add(sql, st->text + done);
    stmt_forget_data(st);
    return !r.bad;
}
