/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/io/child.h"
#include "src/io/http_client.h"
#include "tests/lib/httpd.h"

/* What each test has: a server, a client on a running loop, an arena. */
struct world {
    struct httpd *server;
    struct http_client *client;
    struct arena arena;
    char url[128];
    void (*test)(struct world *w);
};

static const char *url(struct world *w, const char *path)
{
    (void)snprintf(w->url, sizeof w->url, "http://127.0.0.1:%u%s", httpd_port(w->server), path);
    return w->url;
}

static void run_world(void *data)
{
    struct world *w = data;
    struct http_client_conf conf = { .loop = loop_current() };
    struct err e;

    assert_ok(http_client_new(&conf, &w->client, &e), &e);
    w->test(w);
    http_client_free(w->client);
}

static void in_world(void (*test)(struct world *w), const char *pem, bool ask_client)
{
    struct world w = { .server = httpd_start(pem, ask_client), .test = test };

    arena_init(&w.arena);
    test_in_fiber(run_world, &w);
    arena_fini(&w.arena);
    httpd_stop(w.server);
}

static void fetches(struct world *w, const struct http_fetch *req, struct http_fetched *res)
{
    struct err e;

    assert_ok(http_fetch(w->client, req, &w->arena, res, &e), &e);
}

static void fails(struct world *w, const struct http_fetch *req, const struct err_row *row, const char *part)
{
    struct http_fetched res;
    struct err e = { 0 };
    char text[1024];

    assert_int_equal(http_fetch(w->client, req, &w->arena, &res, &e), row->code);
    assert_true(err_is(&e, row));
    if (strstr(err_log_text(&e, text, sizeof text), part) == NULL)
        fail_msg("'%s' does not mention '%s'", text, part);
}

static void sends_and_reads(struct world *w)
{
    const char *const headers[] = { "X-One: 1", "Content-Type: text/plain", NULL };
    struct http_fetched res;

    fetches(w, &(struct http_fetch){ .url = url(w, "/echo?a=b") }, &res);
    assert_int_equal(res.status, 200);
    assert_int_equal(strncmp(res.body.s, "GET /echo?a=b HTTP/1.1\r\n", 24), 0);
    assert_non_null(strstr(res.body.s, "\r\nUser-Agent: ocp-server/"));
    assert_null(strstr(res.body.s, "Content-"));
    assert_string_equal(http_fetched_header(&res, "x-mark"), "here");
    assert_null(http_fetched_header(&res, "X-Other"));
    fetches(w, &(struct http_fetch){ .url = url(w, "/echo"), .method = "PATCH", .headers = headers, .body = SLICE("some text"), .user = "u:1", .password = "p" }, &res);
    assert_int_equal(strncmp(res.body.s, "PATCH /echo HTTP/1.1\r\n", 22), 0);
    assert_non_null(strstr(res.body.s, "\r\nX-One: 1\r\n"));
    assert_non_null(strstr(res.body.s, "\r\nContent-Type: text/plain\r\n"));
    assert_non_null(strstr(res.body.s, "\r\nAuthorization: Basic dToxOnA=\r\n"));
    assert_non_null(strstr(res.body.s, "\r\nContent-Length: 9\r\n"));
    assert_string_equal(strstr(res.body.s, "\r\n\r\n"), "\r\n\r\nsome text");
    fetches(w, &(struct http_fetch){ .url = url(w, "/echo"), .method = "POST" }, &res);
    assert_non_null(strstr(res.body.s, "\r\nContent-Length: 0\r\n"));
    assert_null(strstr(res.body.s, "Content-Type"));
    fetches(w, &(struct http_fetch){ .url = url(w, "/echo"), .method = "HEAD" }, &res);
    assert_int_equal(res.body.n, 0);
    assert_string_equal(http_fetched_header(&res, "Content-Length"), "5");
    fetches(w, &(struct http_fetch){ .url = url(w, "/echo"), .method = "DELETE" }, &res);
    assert_int_equal(strncmp(res.body.s, "DELETE ", 7), 0);
}

static void any_status_is_an_answer(struct world *w)
{
    struct http_fetched res;

    fetches(w, &(struct http_fetch){ .url = url(w, "/status/503") }, &res);
    assert_int_equal(res.status, 503);
    fetches(w, &(struct http_fetch){ .url = url(w, "/status/302") }, &res);
    assert_int_equal(res.status, 302);
    assert_string_equal(http_fetched_header(&res, "Location"), "/echo");
}

static void keeps_connections_but_not_for_once(struct world *w)
{
    struct http_fetched res;

    for (int i = 0; i < 5; i++)
        fetches(w, &(struct http_fetch){ .url = url(w, "/count") }, &res);
    assert_string_equal(res.body.s, "1");
    fetches(w, &(struct http_fetch){ .url = url(w, "/count"), .once = true }, &res);
    assert_string_equal(res.body.s, "2");
}

static void proxies_of_the_environment_are_ignored(struct world *w)
{
    struct http_fetched res;

    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1/", 1), 0);
    assert_int_equal(setenv("ALL_PROXY", "http://127.0.0.1:1/", 1), 0);
    fetches(w, &(struct http_fetch){ .url = url(w, "/echo") }, &res);
    (void)unsetenv("http_proxy");
    (void)unsetenv("ALL_PROXY");
    assert_int_equal(res.status, 200);
}

static void answers_are_bounded(struct world *w)
{
    struct http_fetched res;

    fails(w, &(struct http_fetch){ .url = url(w, "/huge") }, &ERR_HTTP_TOO_LARGE, "1048576 bytes");
    fails(w, &(struct http_fetch){ .url = url(w, "/huge"), .max_body_bytes = 100 }, &ERR_HTTP_TOO_LARGE, "100 bytes");
    fails(w, &(struct http_fetch){ .url = url(w, "/length") }, &ERR_HTTP_TOO_LARGE, "127.0.0.1");
    fetches(w, &(struct http_fetch){ .url = url(w, "/many") }, &res);
    assert_int_equal(res.n_headers, 200);
}

static void broken_connections_are_told_apart(struct world *w)
{
    fails(w, &(struct http_fetch){ .url = url(w, "/drop") }, &ERR_HTTP_LOST, "127.0.0.1");
    fails(w, &(struct http_fetch){ .url = url(w, "/cut") }, &ERR_HTTP_LOST, "127.0.0.1");
    fails(w, &(struct http_fetch){ .url = "http://127.0.0.1:1/secret?token=x" }, &ERR_HTTP_CONNECT, "127.0.0.1:1:");
    fails(w, &(struct http_fetch){ .url = "ftp://127.0.0.1/" }, &ERR_INVALID, "ftp");
    fails(w, &(struct http_fetch){ .url = "http://[::" }, &ERR_INVALID, "URL");
    fails(w, &(struct http_fetch){ .url = url(w, "/echo"), .http2 = true }, &ERR_HTTP_LOST, "127.0.0.1");
}

/* curl sends again what a kept connection has lost: that its second try met nobody does not mean that the first did. */
static void what_was_sent_once_is_lost(struct world *w)
{
    struct http_fetched res;

    fetches(w, &(struct http_fetch){ .url = url(w, "/count") }, &res);
    fails(w, &(struct http_fetch){ .url = url(w, "/die"), .method = "POST" }, &ERR_HTTP_LOST, "127.0.0.1");
    fails(w, &(struct http_fetch){ .url = w->url }, &ERR_HTTP_CONNECT, "127.0.0.1");
}

static void ends_at_the_deadline(struct world *w, const char *path)
{
    int64_t before = clock_now_ms(&clock_system);
    int64_t former = fiber_narrow_deadline(50);

    fails(w, &(struct http_fetch){ .url = url(w, path) }, &ERR_TIMEOUT, "request to 127.0.0.1");
    fiber_restore_deadline(former);
    assert_true(clock_now_ms(&clock_system) - before < 2000);
}

static void stalled_servers_are_left(struct world *w)
{
    struct http_fetched res;
    struct err e;

    ends_at_the_deadline(w, "/stall");
    ends_at_the_deadline(w, "/half");
    while (httpd_n_ended(w->server) < 2) /* its connection is closed, not kept */
        assert_ok(fiber_sleep(1, &e), &e);
    fetches(w, &(struct http_fetch){ .url = url(w, "/echo") }, &res);
    assert_int_equal(res.status, 200);
}

struct victim {
    struct world *world;
    struct fiber *fiber;
    int rv;
};

static void victim_run(void *data)
{
    struct victim *v = data;
    struct http_fetch req = { .url = v->world->url };
    struct http_fetched res;
    struct err e;

    v->fiber = fiber_current();
    v->rv = http_fetch(v->world->client, &req, &v->world->arena, &res, &e);
}

static void cancelling_ends_it(struct world *w)
{
    struct victim v = { .world = w };
    struct fiber_group g = { 0 };
    struct err e;

    (void)url(w, "/stall");
    assert_ok(fiber_group_start(&g, loop_current(), "victim", victim_run, &v, &e), &e);
    assert_ok(fiber_sleep(20, &e), &e);
    fiber_cancel(v.fiber);
    assert_ok(fiber_group_wait(&g, &e), &e);
    assert_int_equal(v.rv, ERR_CANCELLED.code);
}

static void echo_run(void *data)
{
    struct world *w = data;
    struct http_fetched res;
    char own[128];

    (void)snprintf(own, sizeof own, "http://127.0.0.1:%u/echo", httpd_port(w->server));
    fetches(w, &(struct http_fetch){ .url = own }, &res);
    assert_int_equal(res.status, 200);
}

static void many_at_once(struct world *w)
{
    struct fiber_group g = { 0 };
    struct err e;

    for (int i = 0; i < 200; i++)
        assert_ok(fiber_group_start(&g, loop_current(), "echo", echo_run, w, &e), &e);
    assert_ok(fiber_group_wait(&g, &e), &e);
}

/* A resolver that hangs for one name: libcurl finds this one first. */
static pthread_mutex_t resolver_gate = PTHREAD_MUTEX_INITIALIZER;

__attribute__((visibility("default"))) int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    void *found = dlsym(RTLD_NEXT, "getaddrinfo");

    memcpy(&real, &found, sizeof real);
    if (name != NULL && strcmp(name, "hangs.test") == 0) {
        pthread_mutex_lock(&resolver_gate);
        pthread_mutex_unlock(&resolver_gate);
        return EAI_NONAME;
    }
    return real(name, service, hints, out);
}

static void hanging_resolver_is_left(struct world *w)
{
    int64_t former, before = clock_now_ms(&clock_system);

    pthread_mutex_lock(&resolver_gate);
    former = fiber_narrow_deadline(50);
    fails(w, &(struct http_fetch){ .url = "http://hangs.test/" }, &ERR_TIMEOUT, "hangs.test:80");
    fiber_restore_deadline(former);
    fails(w, &(struct http_fetch){ .url = "http://hangs.test/", .connect_timeout_ms = 50 }, &ERR_HTTP_CONNECT, "hangs.test:80");
    assert_true(clock_now_ms(&clock_system) - before < 5000);
    pthread_mutex_unlock(&resolver_gate);
}

static char pem[64];

static const char *tls_url(struct world *w, const char *host)
{
    (void)snprintf(w->url, sizeof w->url, "https://%s:%u/echo", host, httpd_port(w->server));
    return w->url;
}

static void tls_is_verified(struct world *w)
{
    struct http_fetched res;

    fetches(w, &(struct http_fetch){ .url = tls_url(w, "127.0.0.1"), .tls_ca = pem }, &res);
    assert_int_equal(res.status, 200);
    fails(w, &(struct http_fetch){ .url = w->url }, &ERR_HTTP_CONNECT, "certificate");
    fails(w, &(struct http_fetch){ .url = w->url, .tls_ca = "/no/such.pem" }, &ERR_IO, "/no/such.pem");
    fails(w, &(struct http_fetch){ .url = w->url, .tls_ca = pem, .tls_cert = "/no/such.pem", .tls_key = "/no/such.pem" }, &ERR_IO, "/no/such.pem");
    fails(w, &(struct http_fetch){ .url = tls_url(w, "localhost"), .tls_ca = pem }, &ERR_HTTP_CONNECT, "localhost");
}

static void tls_shows_a_certificate(struct world *w)
{
    struct http_fetched res;

    fetches(w, &(struct http_fetch){ .url = tls_url(w, "127.0.0.1"), .tls_ca = pem, .tls_cert = pem, .tls_key = pem }, &res);
    assert_int_equal(res.status, 200);
    fails(w, &(struct http_fetch){ .url = w->url, .tls_ca = pem }, &ERR_HTTP_LOST, "127.0.0.1"); /* TLS 1.3 refuses after the handshake */
}

static unsigned free_port(void)
{
    struct httpd *h = httpd_start(NULL, false);
    unsigned port = httpd_port(h);

    httpd_stop(h);
    return port;
}

/* Against the server that comes with nghttp2. */
static void speaks_http2(struct world *w)
{
    char port[16];
    const char *const argv[] = { "/usr/sbin/nghttpd", "--address=127.0.0.1", "--echo-upload", port, pem, pem, NULL };
    struct child_conf conf = { .argv = argv, .death_signal = SIGKILL };
    struct http_fetch req = { .url = w->url, .tls_ca = pem, .method = "POST", .body = SLICE("over HTTP/2") };
    struct http_fetched res;
    struct child *server;
    struct err e;

    (void)snprintf(port, sizeof port, "%u", free_port());
    (void)snprintf(w->url, sizeof w->url, "https://127.0.0.1:%s/", port);
    assert_ok(child_start(&conf, &server, &e), &e);
    while (http_fetch(w->client, &req, &w->arena, &res, &e) != 0) {
        assert_true(child_is_running(server) && err_is(&e, &ERR_HTTP_CONNECT));
        assert_ok(fiber_sleep(10, &e), &e);
    }
    assert_true(res.is_http2);
    assert_int_equal(res.status, 200);
    assert_string_equal(res.body.s, "over HTTP/2");
    child_free(server);
}

static void test_speaks_http2(void **state)
{
    (void)state;
    if (access("/usr/sbin/nghttpd", X_OK) != 0)
        skip();
    in_world(speaks_http2, NULL, false);
}

#define IN_WORLD(NAME, PEM, ASK)          \
    static void test_##NAME(void **state) \
    {                                     \
        (void)state;                      \
        in_world(NAME, PEM, ASK);         \
    }
IN_WORLD(sends_and_reads, NULL, false)
IN_WORLD(any_status_is_an_answer, NULL, false)
IN_WORLD(keeps_connections_but_not_for_once, NULL, false)
IN_WORLD(proxies_of_the_environment_are_ignored, NULL, false)
IN_WORLD(answers_are_bounded, NULL, false)
IN_WORLD(broken_connections_are_told_apart, NULL, false)
IN_WORLD(what_was_sent_once_is_lost, NULL, false)
IN_WORLD(stalled_servers_are_left, NULL, false)
IN_WORLD(cancelling_ends_it, NULL, false)
IN_WORLD(many_at_once, NULL, false)
IN_WORLD(hanging_resolver_is_left, NULL, false)
IN_WORLD(tls_is_verified, pem, false)
IN_WORLD(tls_shows_a_certificate, pem, true)

static int make_pem(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    httpd_make_pem(pem, sizeof pem);
    return 0;
}

static int remove_pem(void **state)
{
    (void)state;
    return unlink(pem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sends_and_reads),
        cmocka_unit_test(test_any_status_is_an_answer),
        cmocka_unit_test(test_keeps_connections_but_not_for_once),
        cmocka_unit_test(test_proxies_of_the_environment_are_ignored),
        cmocka_unit_test(test_answers_are_bounded),
        cmocka_unit_test(test_broken_connections_are_told_apart),
        cmocka_unit_test(test_what_was_sent_once_is_lost),
        cmocka_unit_test(test_stalled_servers_are_left),
        cmocka_unit_test(test_cancelling_ends_it),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_hanging_resolver_is_left),
        cmocka_unit_test(test_tls_is_verified),
        cmocka_unit_test(test_tls_shows_a_certificate),
        cmocka_unit_test(test_speaks_http2),
    };

    return cmocka_run_group_tests(tests, make_pem, remove_pem);
}
