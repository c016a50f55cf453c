/* SPDX-License-Identifier: Apache-2.0 */
/* The server from within: lack of memory at every allocation, its end with requests under way, listening. The protocols have
 * their suite in tests/e2e/http. */
#include "tests/lib/test.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/io/http.h"

struct bench {
    struct loop *loop;
    struct http_server *server;
    unsigned served, cancelled, finished, refused;
};

static void serve(struct http_request *rq, void *data)
{
    static const struct http_header type = { { "content-type", 12 }, { "application/json", 16 } };
    struct bench *b = data;
    struct slice body;
    struct err e;

    b->served++;
    if (slice_is(rq->path, "/hold")) {
        b->cancelled += fiber_sleep(100000, &e) == ERR_CANCELLED.code;
        return;
    }
    if (http_body_all(rq, 10000, &body, &e) != 0)
        return;
    if (body.n == 0) {
        char *zeros = arena_zalloc(rq->arena, 3000);

        if (zeros == NULL)
            return;
        memset(zeros, '0', 3000);
        body = (struct slice){ zeros, 3000 };
    }
    (void)http_reply(rq, 200, &type, 1, body, &e); /* the client may be gone */
}

static void finished(struct http_request *rq, const struct http_outcome *outcome, void *data)
{
    struct bench *b = data;

    (void)rq;
    b->finished++;
    b->refused += outcome->status >= 400;
}

static int bench_start(struct bench *b, struct err *e)
{
    struct loop_conf lc = { "test", &clock_system, &test_log, 100, LOOP_STACK_BYTES };
    struct http_conf hc = { .serve = serve, .finished = finished, .data = b, .name = "test" };
    int rv = loop_new(&lc, &b->loop, e);

    if (rv != 0)
        return rv;
    hc.loop = b->loop;
    rv = http_server_new(&hc, &b->server, e);
    if (rv != 0)
        loop_free(b->loop);
    return rv;
}

static void bench_end(struct bench *b)
{
    http_server_free(b->server);
    loop_stop(b->loop);
    loop_run(b->loop);
    loop_free(b->loop);
}

static int client(struct bench *b, struct err *e)
{
    struct http_listen at = { .address = NULL };
    int fd[2], rv;

    (void)signal(SIGPIPE, SIG_IGN);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
    rv = http_server_adopt(b->server, fd[1], &at, e);
    if (rv == 0)
        return fd[0];
    (void)close(fd[0]);
    return -1;
}

/* Sends, lets the server work, and reads what comes until nothing comes any more. */
static size_t talk(struct bench *b, int fd, struct slice out, char *in, size_t size)
{
    size_t got = 0;

    (void)!write(fd, out.s, out.n); /* the server may have given up already */
    for (int quiet = 0; quiet < 5; quiet++) {
        ssize_t n = read(fd, in + got, size - got);

        if (n > 0) {
            got += (size_t)n;
            quiet = 0;
        }
        loop_run_once(b->loop, false);
    }
    return got;
}

/* ---- lack of memory ------------------------------------------------------------------------------------------------- */

struct script {
    struct slice bytes;
    const char *expected; /* part of the answer when nothing fails */
};

static int run_script(void *data)
{
    const struct script *s = data;
    struct bench b = { .served = 0 };
    static char in[65536];
    struct err e = { 0 };
    int rv = bench_start(&b, &e), fd;
    size_t n;

    if (rv != 0)
        return rv;
    fd = client(&b, &e);
    if (fd >= 0) {
        n = talk(&b, fd, s->bytes, in, sizeof in);
        rv = memmem(in, n, s->expected, strlen(s->expected)) != NULL ? 0 : ERR_UNEXPECTED.code;
        (void)close(fd);
    } else {
        rv = e.row->code;
    }
    bench_end(&b);
    return rv;
}

static void test_http1_survives_lack_of_memory(void **state)
{
    struct script s = { SLICE("GET /a HTTP/1.1\r\nHost: t\r\nAccept-Encoding: gzip\r\nCookie: a\r\n\r\nPOST /b HTTP/1.1\r\nHost: t\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /c HTTP/1.1\r\nHost : t\r\n\r\n"),
                        "content-length: 5\r\n\r\nhelloHTTP/1.1 400 Bad Request" };

    (void)state;
    test_oom_sweep(run_script, &s);
}

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
#define FIELDS "\x86\x84\x41\1t"

static void test_http2_survives_lack_of_memory(void **state)
{
    struct script s = { SLICE(PREFACE "\0\0\6\1\5\0\0\0\1\x82" FIELDS "\0\0\6\1\4\0\0\0\3\x83" FIELDS "\0\0\5\0\1\0\0\0\3hello"), "hello" };

    (void)state;
    test_oom_sweep(run_script, &s);
}

/* ---- the end -------------------------------------------------------------------------------------------------------- */

static void test_free_cancels_what_is_under_way(void **state)
{
    static char in[4096];
    struct bench b = { .served = 0 };
    struct err e = { 0 };
    int fd[2];

    (void)state;
    assert_ok(bench_start(&b, &e), &e);
    fd[0] = client(&b, &e);
    fd[1] = client(&b, &e);
    (void)talk(&b, fd[0], SLICE("GET /hold HTTP/1.1\r\nHost: t\r\n\r\n"), in, sizeof in);
    (void)talk(&b, fd[1], SLICE(PREFACE "\0\0\x0c\1\5\0\0\0\1\x82\x86\4\5/hold\x41\1t"), in, sizeof in);
    assert_int_equal(b.served, 2);
    assert_int_equal(http_server_stats(b.server).connections, 2);
    bench_end(&b);
    assert_int_equal(b.cancelled, b.served);
    assert_int_equal(b.finished, b.served);
    assert_int_equal(read(fd[0], in, 1), 0);
    (void)close(fd[0]);
    (void)close(fd[1]);
}

static void test_idle_server_needs_no_turns(void **state)
{
    static char in[4096];
    struct bench b = { .served = 0 };
    struct err e = { 0 };
    int fd;

    (void)state;
    assert_ok(bench_start(&b, &e), &e);
    fd = client(&b, &e);
    assert_true(talk(&b, fd, SLICE("GET / HTTP/1.0\r\n\r\n"), in, sizeof in) > 3000);
    (void)close(fd);
    (void)talk(&b, fd, SLICE(""), in, 0);
    assert_int_equal(http_server_stats(b.server).connections, 0);
    assert_int_equal(b.finished, 1);
    assert_int_equal(b.refused, 0);
    bench_end(&b);
}

/* ---- listening ------------------------------------------------------------------------------------------------------ */

static int occupied_port(int *fd)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof in;

    *fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(*fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(listen(*fd, 1), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&in, &len), 0);
    return ntohs(in.sin_port);
}

static void test_listening(void **state)
{
    struct bench one = { .served = 0 }, two = { .served = 0 };
    struct http_listen at = { .address = "127.0.0.1" };
    struct err e = { 0 };
    unsigned port = 0, same = 0;
    int fd;

    (void)state;
    assert_ok(bench_start(&one, &e), &e);
    assert_ok(bench_start(&two, &e), &e);
    assert_ok(http_server_listen(one.server, &at, &port, &e), &e);
    assert_true(port > 0);
    at.port = port;
    assert_ok(http_server_listen(two.server, &at, &same, &e), &e);
    assert_int_equal(port, same);
    at.address = "localhost";
    assert_err(http_server_listen(two.server, &at, NULL, &e), &e, ERR_INVALID);
    at.address = "127.0.0.1";
    at.port = (unsigned)occupied_port(&fd);
    assert_err(http_server_listen(two.server, &at, NULL, &e), &e, ERR_IO);
    assert_non_null(strstr(e.arg[0], "address already in use"));
    (void)close(fd);
    bench_end(&one);
    bench_end(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http1_survives_lack_of_memory),
        cmocka_unit_test(test_http2_survives_lack_of_memory),
        cmocka_unit_test(test_free_cancels_what_is_under_way),
        cmocka_unit_test(test_idle_server_needs_no_turns),
        cmocka_unit_test(test_listening),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
