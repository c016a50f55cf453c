/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "src/io/http_conn.h"
#include "src/io/http_encode.h"

enum { COMPRESS_MIN = 1024, FILE_STEP = 128 * 1024, HEADERS_MAX = 256 };

#define EXCHANGE(RQ) ((struct http_exchange *)(RQ))

int http_reply_status(const struct http_request *rq)
{
    return ((const struct http_exchange *)rq)->status;
}

static bool are_sound(const struct http_header *h, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (!http_token_is_valid(h[i].name) || !http_value_is_valid(h[i].value))
            return false;
    }
    return n <= HEADERS_MAX;
}

static int may_begin(struct http_exchange *x, int status, const struct http_header *headers, unsigned n, struct err *e)
{
    if (x->status != 0)
        return err_set(e, &ERR_UNEXPECTED, "a second reply, %d after %d", status, x->status);
    if (status < 200 || status > 599 || !are_sound(headers, n))
        return err_set(e, &ERR_UNEXPECTED, "a reply with status %d whose headers are not sound", status);
    return x->conn != NULL ? 0 : err_set(e, &ERR_CANCELLED, "");
}

static bool has_body(const struct http_exchange *x, int status)
{
    return !slice_is(x->rq.method, "HEAD") && status != 204 && status != 304;
}

static int begin(struct http_exchange *x, int status, const struct http_header *headers, unsigned n, int64_t length, struct err *e)
{
    int rv;

    x->status = status;
    x->bodyless = !has_body(x, status);
    x->announced = length;
    x->moved_ms = x->server->now_ms;
    rv = x->conn->proto->head(x, headers, n, status == 204 || status == 304 ? -1 : length, e);
    if (rv != 0)
        x->conn->doomed = true;
    return rv;
}

/* ---- compression ---------------------------------------------------------------------------------------------------- */

static struct slice find(const struct http_header *h, unsigned n, const char *name)
{
    for (unsigned i = 0; i < n; i++) {
        if (slice_is(h[i].name, name))
            return h[i].value;
    }
    return (struct slice){ NULL, 0 };
}

static bool says(struct slice value, const char *word)
{
    return value.n > 0 && memmem(value.s, value.n, word, strlen(word)) != NULL;
}

/* A strong ETag names exactly these bytes, and no-transform forbids it (RFC 9110 8.8.1, RFC 9111 5.2.2.6). */
static bool may_encode(int status, const struct http_header *h, unsigned n, struct slice body)
{
    return body.n > COMPRESS_MIN && status != 204 && status != 206 && status != 304 &&
           http_type_is_compressible(find(h, n, "content-type")) && find(h, n, "content-encoding").s == NULL &&
           find(h, n, "etag").s == NULL && !says(find(h, n, "cache-control"), "no-transform");
}

static bool compress(struct http_exchange *x, enum http_coding coding, struct slice *body)
{
    struct http_server *s = x->server;
    struct slice packed;

    if (s->encoder == NULL)
        s->encoder = http_encoder_new();
    if (s->encoder == NULL || !http_encode(s->encoder, coding, *body, s->conf.pool, &x->arena, &packed))
        return false;
    *body = packed;
    return true;
}

/* Compresses the body if the client takes that, and says so in the headers. */
static void encode(struct http_exchange *x, const struct http_header **headers, unsigned *n, struct slice *body)
{
    enum http_coding coding = http_coding_choose(http_header(&x->rq, "accept-encoding"), 1u << HTTP_GZIP | 1u << HTTP_ZSTD);
    struct http_header *more = arena_array(&x->arena, *n + 2, sizeof *more);

    if (more == NULL)
        return;
    if (*n > 0)
        memcpy(more, *headers, *n * sizeof *more);
    *headers = more;
    more[(*n)++] = (struct http_header){ SLICE("vary"), SLICE("accept-encoding") };
    if (coding != HTTP_IDENTITY && compress(x, coding, body))
        more[(*n)++] = (struct http_header){ SLICE("content-encoding"), http_coding_name(coding) };
}

int http_reply(struct http_request *rq, int status, const struct http_header *headers, unsigned n, struct slice body, struct err *e)
{
    struct http_exchange *x = EXCHANGE(rq);
    int rv = may_begin(x, status, headers, n, e);

    if (rv == 0 && may_encode(status, headers, n, body)) {
        encode(x, &headers, &n, &body);
        if (x->conn == NULL)
            rv = err_set(e, &ERR_CANCELLED, "");
    }
    if (rv == 0)
        rv = begin(x, status, headers, n, (int64_t)body.n, e);
    if (rv != 0)
        return rv;
    x->rest = x->bodyless ? SLICE("") : body;
    x->written = body.n;
    x->ended = true;
    x->conn->proto->more(x);
    return 0;
}

int http_reply_plain(struct http_request *rq, const struct err *why)
{
    static const struct http_header type = { { "content-type", 12 }, { "text/plain; charset=utf-8", 25 } };
    char text[ERR_ARG_SIZE * 2];
    const char *copy;

    (void)err_text(why, ERR_EN, text, sizeof text - 1);
    copy = arena_printf(rq->arena, "%s\n", text);
    if (copy == NULL)
        copy = "";
    return http_reply(rq, why->row->http, &type, 1, (struct slice){ copy, strlen(copy) }, NULL);
}

/* ---- streams -------------------------------------------------------------------------------------------------------- */

int http_reply_begin(struct http_request *rq, int status, const struct http_header *headers, unsigned n, int64_t length,
                     struct err *e)
{
    struct http_exchange *x = EXCHANGE(rq);
    int rv = may_begin(x, status, headers, n, e);

    if (rv == 0)
        rv = begin(x, status, headers, n, length, e);
    if (rv == 0)
        x->conn->proto->more(x);
    return rv;
}

static int await_room(struct http_exchange *x, struct err *e)
{
    const struct http_limits *l = &x->server->limits;
    int64_t former = fiber_narrow_deadline(l->write_ms);
    bool own = fiber_deadline() < former;
    struct wait w;
    int rv;

    wait_init(&w);
    x->writer = &w;
    rv = wait_for(&w, e);
    x->writer = NULL;
    fiber_restore_deadline(former);
    if (rv != ERR_TIMEOUT.code || !own)
        return rv;
    x->slow = true;
    return err_set(e, &ERR_HTTP_SLOW, "reading the reply");
}

static int may_write(struct http_exchange *x, size_t n, struct err *e)
{
    if (x->status == 0 || x->ended)
        return err_set(e, &ERR_UNEXPECTED, "writing a reply that %s", x->ended ? "has ended" : "was not begun");
    if (x->announced >= 0 && n > (uint64_t)x->announced - x->written)
        return err_set(e, &ERR_UNEXPECTED, "a reply longer than announced");
    return x->conn != NULL && !fiber_is_cancelled(fiber_current()) ? 0 : err_set(e, &ERR_CANCELLED, "");
}

int http_reply_write(struct http_request *rq, const void *bytes, size_t n, struct err *e)
{
    struct http_exchange *x = EXCHANGE(rq);
    int rv = may_write(x, n, e);

    x->written += rv == 0 ? n : 0;
    for (size_t done = 0; rv == 0 && done < n && !x->bodyless;) {
        size_t room = x->queue.n < HTTP_QUEUE_HIGH ? HTTP_QUEUE_HIGH - x->queue.n : 0;
        size_t step = n - done < room ? n - done : room;

        if (x->conn == NULL)
            return err_set(e, &ERR_CANCELLED, "");
        if (!http_chain_put(&x->queue, &x->server->blocks, (const char *)bytes + done, step, true))
            return err_set(e, &ERR_NOMEM, "");
        done += step;
        if (step > 0)
            x->conn->proto->more(x);
        else
            rv = await_room(x, e);
    }
    return rv;
}

int http_reply_end(struct http_request *rq, struct err *e)
{
    struct http_exchange *x = EXCHANGE(rq);
    int rv = may_write(x, 0, e);

    if (rv != 0)
        return rv;
    if (x->announced >= 0 && x->written < (uint64_t)x->announced)
        return err_set(e, &ERR_UNEXPECTED, "a reply shorter than announced");
    x->ended = true;
    x->conn->proto->more(x);
    return 0;
}

/* ---- files ---------------------------------------------------------------------------------------------------------- */

struct read_job {
    struct work work;
    int fd, number;   /* number: errno */
    uint64_t at;
    ssize_t n;
    char bytes[FILE_STEP];
};

/* Should the fiber have given up meanwhile, `fd` may be another file by now: what is read goes nowhere then. */
static void read_run(struct work *w)
{
    struct read_job *j = (struct read_job *)w;

    j->n = pread(j->fd, j->bytes, sizeof j->bytes, (off_t)j->at);
    j->number = errno;
}

static void read_drop(struct work *w)
{
    mem_free(w);
}

static int read_step(struct http_exchange *x, struct read_job *j, struct err *e)
{
    int rv = 0;

    if (x->server->conf.pool != NULL)
        rv = work_run(x->server->conf.pool, &j->work, e); /* on failure the job is the pool's */
    else
        read_run(&j->work);
    return rv;
}

static int send_file(struct http_exchange *x, int fd, uint64_t size, struct err *e)
{
    struct read_job *j = mem_alloc(sizeof *j);
    uint64_t at = 0;
    int rv = 0;

    if (j == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (rv == 0 && at < size) {
        memset(&j->work, 0, sizeof j->work);
        j->work.run = read_run;
        j->work.drop = read_drop;
        j->fd = fd;
        j->at = at;
        rv = read_step(x, j, e);
        if (rv != 0)
            return rv;
        if (j->n <= 0) {
            rv = err_set(e, &ERR_IO, "read file: %s", j->n < 0 ? strerror(j->number) : "it has become shorter");
            break;
        }
        if ((uint64_t)j->n > size - at)
            j->n = (ssize_t)(size - at);
        rv = http_reply_write(&x->rq, j->bytes, (size_t)j->n, e);
        at += (uint64_t)j->n;
    }
    mem_free(j);
    return rv;
}

int http_reply_file(struct http_request *rq, int status, const struct http_header *headers, unsigned n, int fd, uint64_t size,
                    struct err *e)
{
    struct http_exchange *x = EXCHANGE(rq);
    int rv = http_reply_begin(rq, status, headers, n, (int64_t)size, e);

    if (rv == 0 && x->bodyless)
        x->written = size;
    else if (rv == 0)
        rv = send_file(x, fd, size, e);
    return rv == 0 ? http_reply_end(rq, e) : rv;
}
