/* SPDX-License-Identifier: Apache-2.0 */
/*  BEGIN --(--boundary)--> LINE --(CRLF)--> HEAD --(empty line)--> VALUE --(CRLF--boundary)--> LINE --(--)--> OVER
 *
 * The end of a value is not given out while it could be the beginning of the line that ends it. */
#include "api/multipart_stream.h"

#include <string.h>

enum { BEGIN, LINE, HEAD, VALUE, OVER, BROKEN };

bool multipart_stream_init(struct multipart_stream *m, struct slice content_type)
{
    m->n_line = multipart_line(content_type, m->line);
    m->state = BEGIN;
    m->from = m->to = 0;
    return m->n_line > 0;
}

char *multipart_stream_room(struct multipart_stream *m, size_t *n)
{
    memmove(m->window, m->window + m->from, m->to - m->from);
    m->to -= m->from;
    m->from = 0;
    *n = sizeof m->window - m->to;
    return m->window + m->to;
}

void multipart_stream_fill(struct multipart_stream *m, size_t n)
{
    m->to += n;
}

static size_t left(const struct multipart_stream *m)
{
    return m->to - m->from;
}

static const char *at(const struct multipart_stream *m)
{
    return m->window + m->from;
}

static enum multipart_event broken(struct multipart_stream *m)
{
    m->state = BROKEN;
    return MULTIPART_BAD;
}

/* The first line has no line end before it. */
static enum multipart_event begin(struct multipart_stream *m)
{
    if (left(m) < m->n_line - 2)
        return MULTIPART_MORE;
    if (memcmp(at(m), m->line + 2, m->n_line - 2) != 0)
        return broken(m);
    m->from += m->n_line - 2;
    m->state = LINE;
    return MULTIPART_PART_END; /* of what came before: nothing */
}

static enum multipart_event line(struct multipart_stream *m)
{
    if (left(m) < 2)
        return MULTIPART_MORE;
    if (memcmp(at(m), "--", 2) == 0) {
        m->state = OVER;
        return MULTIPART_END;
    }
    if (memcmp(at(m), "\r\n", 2) != 0)
        return broken(m);
    m->from += 2;
    m->state = HEAD;
    return MULTIPART_PART_END;
}

/* The line end that ends the last header may belong to the boundary: then there is no empty line, and no head. */
static enum multipart_event head(struct multipart_stream *m, struct multipart_part *part)
{
    const char *end = memmem(at(m), left(m), "\r\n\r\n", 4), *cut = memmem(at(m), left(m), m->line, m->n_line);
    size_t n;

    if (cut != NULL && (end == NULL || cut < end + 4))
        return broken(m);
    if (end == NULL || (size_t)(m->window + m->to - end) < m->n_line + 2)
        return left(m) < MULTIPART_MAX_HEAD + m->n_line + 4 ? MULTIPART_MORE : broken(m);
    n = (size_t)(end - at(m));
    if (n > MULTIPART_MAX_HEAD || !multipart_read_head((struct slice){ at(m), n }, part))
        return broken(m);
    m->from += n + 4;
    m->state = VALUE;
    return MULTIPART_PART;
}

static enum multipart_event value(struct multipart_stream *m, struct slice *data)
{
    const char *end = memmem(at(m), left(m), m->line, m->n_line);
    size_t n = end != NULL ? (size_t)(end - at(m)) : left(m) >= m->n_line ? left(m) - m->n_line + 1 : 0;

    *data = (struct slice){ at(m), n };
    m->from += n;
    if (n > 0)
        return MULTIPART_DATA;
    if (end == NULL)
        return MULTIPART_MORE;
    m->from += m->n_line;
    m->state = LINE;
    return MULTIPART_PART_END;
}

enum multipart_event multipart_stream_next(struct multipart_stream *m, struct multipart_part *part, struct slice *data)
{
    enum multipart_event r = MULTIPART_PART_END;
    int was;

    do {
        was = m->state;
        switch (was) {
        case BEGIN:
            r = begin(m);
            break;
        case LINE:
            r = line(m);
            break;
        case HEAD:
            r = head(m, part);
            break;
        case VALUE:
            r = value(m, data);
            break;
        case OVER:
            return MULTIPART_END;
        default:
            return MULTIPART_BAD;
        }
    } while (r == MULTIPART_PART_END && was != VALUE);
    return r;
}
