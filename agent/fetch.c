/* SPDX-License-Identifier: Apache-2.0 */
/* A request of HTTP/1.0: the answer is not in chunks, and the connection ends with it. */
#include "agent/fetch.h"

#include <string.h>

#include "src/base/num.h"
#include "src/io/stream.h"

enum { PIECE = 64 * 1024 };

static int odd(struct err *e, const char *what)
{
    return err_set(e, &ERR_INVALID, "the answer %s", what);
}

/* Content-Length among the header lines; -1: there is none. */
static int64_t announced(struct slice head)
{
    int64_t n = -1;

    while (head.n > 0) {
        struct slice line = slice_cut(&head, '\n'), key = slice_trim(slice_cut(&line, ':'));

        if (slice_is_nocase(key, "content-length") && !num_parse_i64_in(slice_trim(line), 0, FETCH_MAX_BYTES, &n))
            n = -1;
    }
    return n;
}

int fetch_read(struct slice answer, struct slice *body, struct err *e)
{
    const char *end = answer.n > 0 ? memmem(answer.s, answer.n, "\r\n\r\n", 4) : NULL;
    struct slice head;
    int64_t n;

    if (end == NULL || !slice_starts(answer, "HTTP/1."))
        return odd(e, "is no HTTP");
    head = (struct slice){ answer.s, (size_t)(end - answer.s) };
    if (head.n < 12 || memcmp(head.s + 8, " 200", 4) != 0)
        return odd(e, "has another status than 200");
    *body = (struct slice){ end + 4, answer.n - head.n - 4 };
    n = announced(head);
    if (n >= 0 && (size_t)n > body->n)
        return odd(e, "was cut off");
    if (n >= 0)
        body->n = (size_t)n;
    return 0;
}

static int read_all(struct stream *s, struct str *t, struct err *e)
{
    size_t n = 1;
    int rv = 0;

    while (rv == 0 && n > 0) {
        char *to = t->n < FETCH_MAX_BYTES ? str_reserve(t, PIECE) : NULL;

        if (to == NULL)
            return str_failed(t) ? err_set(e, &ERR_NOMEM, "") : odd(e, "is too large");
        rv = stream_read(s, to, PIECE, &n, e);
        if (rv == 0)
            t->n += n;
    }
    return rv;
}

int fetch_get(const struct addr *at, const char *path, struct arena *arena, struct slice *body, struct err *e)
{
    char peer[ADDR_TEXT_SIZE];
    struct str request, answer;
    struct stream *s;
    int rv;

    str_init(&request, arena);
    str_init(&answer, arena);
    str_printf(&request, "GET %s HTTP/1.0\r\nHost: %s\r\nAccept: text/plain\r\nConnection: close\r\n\r\n", path, addr_text_port(at, peer));
    if (str_failed(&request))
        return err_set(e, &ERR_NOMEM, "");
    rv = stream_connect(at, NULL, &s, e);
    if (rv != 0)
        return rv;
    rv = stream_write(s, request.s, request.n, e);
    if (rv == 0)
        rv = read_all(s, &answer, e);
    stream_close(s);
    return rv == 0 ? fetch_read((struct slice){ answer.s, answer.n }, body, e) : rv;
}
