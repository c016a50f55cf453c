/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/packet.h"

#include <string.h>

enum { UTF8MB4_BIN = 46, BINARY = 63, MINIMAL_41 = 32, EOF_MARK = 0xfe, NULL_CELL = 0xfb };
enum { FLAG_UNSIGNED = 32, FLAG_BINARY = 128 };

/* What the kernel offers: 0xF7DF below (no compression; TLS is added where there is a certificate), the plugin and attributes above. No
 * CLIENT_DEPRECATE_EOF, no MULTI_STATEMENTS. */
static const uint32_t offered = 0xf7df | CAP_PLUGIN_AUTH | CAP_CONNECT_ATTRS | CAP_LENENC_AUTH;
static const char plugin_name[] = "mysql_native_password";

uint64_t packet_int(struct packet_reader *r, unsigned bytes)
{
    struct slice at = packet_bytes(r, bytes);
    uint64_t v = 0;

    for (size_t i = at.n; i > 0; i--)
        v = v << 8 | (unsigned char)at.s[i - 1];
    return v;
}

uint64_t packet_lenenc(struct packet_reader *r)
{
    uint64_t first = packet_int(r, 1);

    if (first < NULL_CELL)
        return first;
    if (first < 0xfc || first > 0xfe) {
        r->bad = true;
        return 0;
    }
    return packet_int(r, first == 0xfc ? 2 : first == 0xfd ? 3 : 8);
}

struct slice packet_bytes(struct packet_reader *r, size_t n)
{
    struct slice out = { r->rest.s, n };

    if (r->bad || n > r->rest.n) {
        r->bad = true;
        return (struct slice){ "", 0 };
    }
    r->rest.s += n;
    r->rest.n -= n;
    return out;
}

struct slice packet_text(struct packet_reader *r)
{
    const char *end = r->rest.n > 0 ? memchr(r->rest.s, '\0', r->rest.n) : NULL;
    struct slice out = packet_bytes(r, end != NULL ? (size_t)(end - r->rest.s) : r->rest.n);

    if (end != NULL)
        (void)packet_bytes(r, 1);
    return out;
}

static struct slice read_answer(struct packet_reader *r, uint32_t capabilities)
{
    if ((capabilities & CAP_LENENC_AUTH) != 0)
        return packet_bytes(r, (size_t)packet_lenenc(r));
    if ((capabilities & CAP_SECURE_CONNECTION) != 0)
        return packet_bytes(r, (size_t)packet_int(r, 1));
    return packet_text(r);
}

bool packet_read_login(struct slice payload, struct packet_login *out)
{
    struct packet_reader r = { .rest = payload };

    *out = (struct packet_login){ .capabilities = (uint32_t)packet_int(&r, 4) };
    (void)packet_bytes(&r, MINIMAL_41 - 4); /* largest packet, character set, filler */
    if (r.bad || (out->capabilities & CAP_PROTOCOL_41) == 0)
        return false;
    out->is_tls_request = r.rest.n == 0 && (out->capabilities & CAP_TLS) != 0;
    if (out->is_tls_request)
        return true;
    out->user = packet_text(&r);
    out->answer = read_answer(&r, out->capabilities);
    if ((out->capabilities & CAP_CONNECT_WITH_DB) != 0)
        out->database = packet_text(&r);
    if ((out->capabilities & CAP_PLUGIN_AUTH) != 0)
        out->plugin = packet_text(&r);
    return !r.bad;
}

bool packet_read_change_user(struct slice payload, uint32_t capabilities, struct packet_login *out)
{
    struct packet_reader r = { .rest = payload };

    *out = (struct packet_login){ .capabilities = capabilities, .user = packet_text(&r) };
    out->answer = packet_bytes(&r, (size_t)packet_int(&r, 1));
    out->database = packet_text(&r);
    if (r.bad)
        return false;
    if (r.rest.n > 0)
        (void)packet_int(&r, 2); /* character set */
    if (r.rest.n > 0)
        out->plugin = packet_text(&r);
    return !r.bad;
}

void packet_add_int(struct str *t, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        str_add_c(t, (char)(v >> 8 * i));
}

void packet_add_lenenc(struct str *t, uint64_t v)
{
    if (v < NULL_CELL) {
        packet_add_int(t, v, 1);
    } else if (v < 1 << 16) {
        packet_add_int(t, 0xfc, 1);
        packet_add_int(t, v, 2);
    } else if (v < 1 << 24) {
        packet_add_int(t, 0xfd, 1);
        packet_add_int(t, v, 3);
    } else {
        packet_add_int(t, 0xfe, 1);
        packet_add_int(t, v, 8);
    }
}

void packet_add_text(struct str *t, struct slice text)
{
    packet_add_lenenc(t, text.n);
    str_add_n(t, text.s, text.n);
}

void packet_begin(struct packet_writer *w)
{
    packet_add_int(w->to, 0, PACKET_HEADER);
    w->start = w->to->n;
}

static void put_header(struct packet_writer *w, size_t at, size_t n)
{
    for (unsigned i = 0; i < 3; i++)
        w->to->s[at + i] = (char)(n >> 8 * i);
    w->to->s[at + 3] = (char)w->seq++;
}

void packet_end(struct packet_writer *w)
{
    if (str_failed(w->to))
        return;
    while (w->to->n - w->start >= PACKET_MAX) {
        size_t next = w->start + PACKET_MAX;

        put_header(w, w->start - PACKET_HEADER, PACKET_MAX);
        if (str_reserve(w->to, PACKET_HEADER) == NULL)
            return;
        memmove(w->to->s + next + PACKET_HEADER, w->to->s + next, w->to->n - next);
        w->to->n += PACKET_HEADER;
        w->start = next + PACKET_HEADER;
    }
    put_header(w, w->start - PACKET_HEADER, w->to->n - w->start);
}

void packet_write_greeting(struct packet_writer *w, const char *version, uint32_t connection, const char *challenge, bool offers_tls)
{
    uint32_t capabilities = offered | (uint32_t)(offers_tls ? CAP_TLS : 0);
    struct str *t = w->to;

    packet_begin(w);
    packet_add_int(t, 10, 1);
    str_add_n(t, version, strlen(version) + 1);
    packet_add_int(t, connection, 4);
    str_add_n(t, challenge, 8);
    packet_add_int(t, 0, 1);
    packet_add_int(t, capabilities & 0xffff, 2);
    packet_add_int(t, UTF8MB4_BIN, 1);
    packet_add_int(t, 0, 2); /* status */
    packet_add_int(t, capabilities >> 16, 2);
    packet_add_int(t, PACKET_CHALLENGE + 1, 1);
    packet_add_int(t, 0, 8);
    packet_add_int(t, 0, 2);
    str_add_n(t, challenge + 8, PACKET_CHALLENGE - 8);
    packet_add_int(t, 0, 1);
    str_add_n(t, plugin_name, sizeof plugin_name);
    packet_end(w);
}

void packet_write_ok(struct packet_writer *w, const struct sim_reply *r, unsigned status)
{
    packet_begin(w);
    packet_add_int(w->to, 0, 1);
    packet_add_lenenc(w->to, r->affected);
    packet_add_lenenc(w->to, r->insert_id);
    packet_add_int(w->to, status, 2);
    packet_add_int(w->to, 0, 2); /* warnings */
    if (r->info != NULL)
        str_add(w->to, r->info);
    packet_end(w);
}

void packet_write_error(struct packet_writer *w, unsigned number, const char *sqlstate, const char *text)
{
    packet_begin(w);
    packet_add_int(w->to, 0xff, 1);
    packet_add_int(w->to, number, 2);
    str_printf(w->to, "#%s%s", sqlstate, text);
    packet_end(w);
}

static void write_eof(struct packet_writer *w, unsigned status)
{
    packet_begin(w);
    packet_add_int(w->to, EOF_MARK, 1);
    packet_add_int(w->to, 0, 2);
    packet_add_int(w->to, status, 2);
    packet_end(w);
}

static void write_column(struct packet_writer *w, const char *name, enum sim_column_type type, bool is_unsigned)
{
    bool is_text = type == SIM_T_VARCHAR || type == SIM_T_TEXT;
    struct slice n = { name, strlen(name) };

    packet_begin(w);
    packet_add_text(w->to, SLICE("def"));
    packet_add_text(w->to, SLICE("")); /* database */
    packet_add_text(w->to, SLICE("")); /* table, by alias and by name */
    packet_add_text(w->to, SLICE(""));
    packet_add_text(w->to, n);
    packet_add_text(w->to, n);
    packet_add_lenenc(w->to, 12);
    packet_add_int(w->to, is_text ? UTF8MB4_BIN : BINARY, 2);
    packet_add_int(w->to, is_text ? 65536 : 20, 4);
    packet_add_int(w->to, (uint64_t)type, 1);
    packet_add_int(w->to, (is_unsigned ? FLAG_UNSIGNED : 0) | (is_text ? 0 : FLAG_BINARY), 2);
    packet_add_int(w->to, type == SIM_T_DOUBLE ? 31 : type == SIM_T_TIMESTAMP || type == SIM_T_DATETIME ? 6 : 0, 1);
    packet_add_int(w->to, 0, 2);
    packet_end(w);
}

static void add_text_row(struct str *t, const struct slice *cells, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (cells[i].s == NULL)
            packet_add_int(t, NULL_CELL, 1);
        else
            packet_add_text(t, cells[i]);
    }
}

/* Every cell as text, as its column says (write_reply): clients convert. */
static void add_binary_row(struct str *t, const struct slice *cells, unsigned n)
{
    size_t map = t->n + 1;

    packet_add_int(t, 0, 1);
    for (unsigned i = 0; i < (n + 9) / 8; i++)
        packet_add_int(t, 0, 1);
    for (unsigned i = 0; i < n && !str_failed(t); i++) {
        if (cells[i].s != NULL)
            packet_add_text(t, cells[i]);
        else
            t->s[map + (i + 2) / 8] = (char)(t->s[map + (i + 2) / 8] | 1 << (i + 2) % 8);
    }
}

void packet_write_reply(struct packet_writer *w, const struct sim_reply *r, unsigned status, bool binary)
{
    if (r->kind == SIM_REPLY_OK) {
        packet_write_ok(w, r, status);
        return;
    }
    if (r->kind == SIM_REPLY_ERROR) {
        packet_write_error(w, r->number, r->sqlstate, r->text);
        return;
    }
    packet_begin(w);
    packet_add_lenenc(w->to, r->n_columns);
    packet_end(w);
    for (unsigned i = 0; i < r->n_columns; i++)
        write_column(w, r->columns[i].name, binary ? SIM_T_VARCHAR : r->columns[i].type, r->columns[i].is_unsigned);
    write_eof(w, status);
    for (size_t row = 0; row < reply_n_rows(r); row++) {
        packet_begin(w);
        (binary ? add_binary_row : add_text_row)(w->to, r->cells + row * r->n_columns, r->n_columns);
        packet_end(w);
    }
    write_eof(w, status);
}

void packet_write_prepared(struct packet_writer *w, uint32_t id, const struct sim_reply *columns, unsigned n_params)
{
    packet_begin(w);
    packet_add_int(w->to, 0, 1);
    packet_add_int(w->to, id, 4);
    packet_add_int(w->to, columns->n_columns, 2);
    packet_add_int(w->to, n_params, 2);
    packet_add_int(w->to, 0, 3);
    packet_end(w);
    for (unsigned i = 0; i < n_params; i++)
        write_column(w, "?", SIM_T_VARCHAR, false);
    if (n_params > 0)
        write_eof(w, STATUS_AUTOCOMMIT);
    for (unsigned i = 0; i < columns->n_columns; i++)
        write_column(w, columns->columns[i].name, SIM_T_VARCHAR, columns->columns[i].is_unsigned);
    if (columns->n_columns > 0)
        write_eof(w, STATUS_AUTOCOMMIT);
}
