/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes through the server's own entry. The first byte of an input chooses: bit 0 HTTP/2 (its preface and an empty SETTINGS are
 * put in front, which chance would hardly find), bit 2 the input comes in pieces of one to sixteen bytes, bit 3 the client reads
 * nothing. Small limits, so that they are reached. Handlers read the body in every way. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/io/fiber.h"
#include "src/io/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct log silent = { .sink = NULL };

static struct {
    struct loop *loop;
    struct http_server *server;
    struct clock_fake clock;
} fuzz;

static void reply_echo(struct http_request *rq)
{
    char buf[512];
    size_t n = 1;
    struct err e;

    if (http_reply_begin(rq, 200, NULL, 0, -1, &e) != 0)
        return;
    while (n > 0 && http_body_read(rq, buf, sizeof buf, &n, &e) == 0) {
        if (http_reply_write(rq, buf, n, &e) != 0)
            return;
    }
    if (n == 0 && http_reply_end(rq, &e) != 0)
        abort(); /* nothing was announced that could be broken; a client that is gone has ended the loop above or is fine */
}

static void serve(struct http_request *rq, void *data)
{
    struct slice body = SLICE("none");
    struct err e;

    (void)data;
    if (rq->path.n == 0 || (rq->path.s[0] != '/' && rq->path.s[0] != '*') || rq->method.n == 0)
        abort();
    if (slice_is(rq->path, "/echo")) {
        reply_echo(rq);
        return;
    }
    if (slice_is(rq->path, "/all") && http_body_all(rq, 1000, &body, &e) != 0)
        return;
    if (slice_is(rq->path, "/none"))
        return;
    if (slice_is(rq->path, "/sleep") && fiber_sleep(1, &e) != 0)
        return;
    (void)http_header_has(rq, "connection", "close");
    (void)http_reply(rq, 200, rq->headers, rq->n_headers < 5 ? rq->n_headers : 5, body, &e); /* hostile headers may be refused */
}

static void start(void)
{
    static const struct http_limits limits = { .header_bytes = 2000, .headers = 10, .target_bytes = 200, .body_bytes = 3000, .discard_bytes = 1000,
                                               .pipelined_bytes = 1000, .streams = 5, .stream_window = 2000, .connection_window = 70000, .resets = 10,
                                               .control_frames = 30,
                                               .linger_ms = 40 };
    struct loop_conf lc = { "fuzz", &fuzz.clock.clock, &silent, 200, LOOP_STACK_BYTES };
    struct http_conf hc = { .limits = &limits, .name = "fuzz", .serve = serve };
    struct err e;

    (void)signal(SIGPIPE, SIG_IGN);
    clock_fake_init(&fuzz.clock, 1000, 1000000);
    if (loop_new(&lc, &fuzz.loop, &e) != 0)
        abort();
    hc.loop = fuzz.loop;
    if (http_server_new(&hc, &fuzz.server, &e) != 0)
        abort();
}

static void turn(int fd, bool reads)
{
    char sink[4096];

    for (int i = 0; i < 3; i++)
        loop_run_once(fuzz.loop, false);
    while (reads && read(fd, sink, sizeof sink) > 0)
        loop_run_once(fuzz.loop, false);
}

static void feed(int fd, const uint8_t *data, size_t size, bool pieces, bool reads)
{
    size_t at = 0;
    int refusals = 0;

    while (at < size && refusals < 50) {
        size_t n = pieces ? 1u + data[at] % 16 : size - at;
        ssize_t sent = write(fd, data + at, n < size - at ? n : size - at);

        if (sent < 0 && errno != EAGAIN)
            return; /* the server has had enough */
        at += sent > 0 ? (size_t)sent : 0;
        refusals += sent < 0;
        fuzz.clock.ms += sent < 0 ? 10 : 0; /* it takes no more now: some of its waits shall end */
        turn(fd, reads || sent < 0);
    }
}

/* Time passes until every deadline has done its work. */
static void settle(void)
{
    for (int i = 0; i < 3000 && http_server_stats(fuzz.server).connections > 0; i++) {
        fuzz.clock.ms += 1000;
        loop_run_once(fuzz.loop, true);
    }
    if (http_server_stats(fuzz.server).connections > 0 || http_server_stats(fuzz.server).in_flight > 0 || loop_stats(fuzz.loop).fibers > 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0";
    struct http_listen at = { .tls = NULL };
    bool reads = size > 0 && (data[0] & 8) == 0;
    int fd[2];
    struct err e;

    if (fuzz.loop == NULL)
        start();
    if (size == 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) != 0)
        return 0;
    if (http_server_adopt(fuzz.server, fd[1], &at, &e) != 0)
        abort();
    if ((data[0] & 1) != 0)
        feed(fd[0], (const uint8_t *)preface, sizeof preface, false, reads);
    feed(fd[0], data + 1, size - 1, (data[0] & 4) != 0, reads);
    turn(fd[0], reads);
    (void)close(fd[0]);
    turn(-1, false);
    settle();
    return 0;
}
