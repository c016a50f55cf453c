/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const level_names[] = { "error", "warn", "info", "debug" };
static const char journal_prefix[][4] = { "<3>", "<4>", "<6>", "<7>" };

enum { LINE_SIZE = 4096 };

struct line {
    char s[LINE_SIZE];
    size_t n;
    size_t limit; /* bytes that may be used; the rest is kept for closing the line */
};

static void put(struct line *l, const char *s, size_t n)
{
    n = n < l->limit - l->n ? n : l->limit - l->n;
    memcpy(l->s + l->n, s, n);
    l->n += n;
}

static void put_s(struct line *l, const char *s)
{
    put(l, s, strlen(s));
}

/* Quoted with the escapes that JSON and logfmt share; control characters never reach the log raw. */
static void put_quoted(struct line *l, const char *s)
{
    put_s(l, "\"");
    for (; *s != '\0' && l->n + 8 < l->limit; s++) {
        unsigned char c = (unsigned char)*s;
        char esc[8];

        if (c == '"' || c == '\\')
            (void)snprintf(esc, sizeof esc, "\\%c", c);
        else if (c == '\n')
            (void)snprintf(esc, sizeof esc, "\\n");
        else if (c < 0x20 || c == 0x7f)
            (void)snprintf(esc, sizeof esc, "\\u%04x", c);
        else
            (void)snprintf(esc, sizeof esc, "%c", c);
        put_s(l, esc);
    }
    put_s(l, "\"");
}

static bool is_bare(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@#+,%[]");

    return n > 0 && s[n] == '\0';
}

static void put_text(struct line *l, enum log_format format, const char *s)
{
    if (s == NULL)
        s = "";
    if (format == LOG_LOGFMT && is_bare(s))
        put_s(l, s);
    else
        put_quoted(l, s);
}

static void put_key(struct line *l, enum log_format format, const char *key)
{
    put_s(l, format == LOG_JSON ? ",\"" : " ");
    put_s(l, key);
    put_s(l, format == LOG_JSON ? "\":" : "=");
}

static void put_value(struct line *l, enum log_format format, const struct log_value *v)
{
    char text[ERR_TRAIL_SIZE + ERR_MAX_ARGS * ERR_ARG_SIZE];

    put_key(l, format, v->key);
    switch (v->kind) {
    case LOG_TEXT:
        put_text(l, format, v->s);
        break;
    case LOG_INT:
        (void)snprintf(text, sizeof text, "%lld", (long long)v->i);
        put_s(l, text);
        break;
    case LOG_ERR:
        put_text(l, format, err_log_text(v->e, text, sizeof text));
        if (v->e->lib_code != 0) {
            struct log_value below = LOG_I("below", v->e->lib_code);

            put_value(l, format, &below);
        }
        break;
    }
}

void log_init(struct log *log, struct log_sink *sink)
{
    log->sink = sink;
    log->context[0] = '\0';
}

void log_child(struct log *child, const struct log *parent, const char *key, const char *value)
{
    struct line l = { .limit = LOG_CONTEXT_SIZE - 1 };

    *child = *parent;
    if (parent->sink == NULL)
        return;
    put_s(&l, parent->context);
    put_key(&l, parent->sink->format, key);
    put_text(&l, parent->sink->format, value);
    if (l.n + 8 >= l.limit)
        return; /* a context that was cut could break the line's grammar: leave the key out */
    memcpy(child->context, l.s, l.n);
    child->context[l.n] = '\0';
}

bool log_wants(const struct log *log, enum log_level level)
{
    return log->sink != NULL && (int)level <= log->sink->level;
}

static void put_head(struct line *l, const struct log *log, enum log_level level, const char *sentence)
{
    const struct log_sink *k = log->sink;
    char time[CLOCK_TEXT_SIZE];

    if (k->journal)
        put_s(l, journal_prefix[level]);
    (void)clock_iso(clock_wall_us(k->clock), CLOCK_Z, time);
    if (k->format == LOG_JSON) {
        put_s(l, "{\"time\":");
        put_quoted(l, time);
        put_s(l, ",\"level\":");
        put_quoted(l, level_names[level]);
        put_s(l, ",\"msg\":");
        put_quoted(l, sentence);
    } else {
        if (!k->journal) {
            put_s(l, "time=");
            put_s(l, time);
            put_s(l, " ");
        }
        put_s(l, "level=");
        put_s(l, level_names[level]);
        put_s(l, " msg=");
        put_quoted(l, sentence);
    }
    put_s(l, log->context);
}

void log_write(const struct log *log, enum log_level level, const char *sentence, const struct log_value *values, unsigned n)
{
    struct line l;

    l.n = 0;
    l.limit = LINE_SIZE - 4;
    put_head(&l, log, level, sentence);
    for (unsigned i = 0; i < n; i++) {
        size_t before = l.n;

        put_value(&l, log->sink->format, &values[i]);
        if (l.n + 8 >= l.limit) {
            l.n = before; /* too long: a whole value less rather than half a value */
            break;
        }
    }
    l.limit = LINE_SIZE;
    put_s(&l, log->sink->format == LOG_JSON ? "}\n" : "\n");
    while (write(log->sink->fd, l.s, l.n) < 0 && errno == EINTR)
        continue; /* any other failure: there is no place left to say so */
}
