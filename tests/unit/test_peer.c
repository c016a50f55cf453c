/* SPDX-License-Identifier: Apache-2.0 */
/* Calls between nodes: who is let in, who is believed, what becomes of a call that finds nobody. Three nodes of one cluster on one loop: node 1
 * calls, node 2 answers, node 3 was removed. */
#include "tests/lib/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/io/authority.h"
#include "src/io/http.h"
#include "src/peer/call.h"

static const uint8_t cluster[PEER_CLUSTER_BYTES] = "0123456789abcde";

struct world {
    char dir[64];
    struct arena arena;
    struct identity ca;
    struct tls_server *tls, *plain_tls;
    struct http_server *server;
    unsigned port, plain_port;
    unsigned served;
    char peer[PEER_URI_SIZE], client[ADDR_TEXT_SIZE], scheme[8];
    bool tls_shown;
    enum http_version version;
    void (*test)(struct world *w);
};

/* --- certificates ------------------------------------------------------------------------------------------------------------------ */

static const char *path(struct world *w, const char *name)
{
    return arena_printf(&w->arena, "%s/%s", w->dir, name);
}

static void save(struct world *w, const char *name, const char *text)
{
    FILE *out = fopen(path(w, name), "w");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
}

static void issue(struct world *w, const struct identity *ca, uint64_t node, const char *name)
{
    char uri[PEER_URI_SIZE];
    struct identity id;
    struct err e = { 0 };

    assert_ok(authority_issue(ca, peer_uri(cluster, node, uri), 1, &w->arena, &id, &e), &e);
    save(w, arena_printf(&w->arena, "%s.crt", name), id.certificate);
    save(w, arena_printf(&w->arena, "%s.key", name), id.key);
}

static void make_files(struct world *w)
{
    struct identity other;
    struct err e = { 0 };

    (void)snprintf(w->dir, sizeof w->dir, "/tmp/peer-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    assert_ok(authority_found("nodes", &w->arena, &w->ca, &e), &e);
    assert_ok(authority_found("others", &w->arena, &other, &e), &e);
    save(w, "ca.crt", w->ca.certificate);
    issue(w, &w->ca, 1, "1");
    issue(w, &w->ca, 2, "2");
    issue(w, &w->ca, 3, "3");
    issue(w, &other, 1, "stranger");
}

/* --- node 2 ------------------------------------------------------------------------------------------------------------------------ */

static bool is_member(const char *serial, const char *uri, void *data)
{
    char own[PEER_URI_SIZE];

    (void)serial;
    (void)data;
    return strcmp(uri, peer_uri(cluster, 3, own)) != 0;
}

static void serve(struct http_request *rq, void *data)
{
    static const struct http_header mark = { { "x-mark", 6 }, { "here", 4 } };
    struct world *w = data;
    struct slice body;
    struct err e;

    w->served++;
    w->version = rq->version;
    (void)snprintf(w->peer, sizeof w->peer, "%s", rq->peer_uri != NULL ? rq->peer_uri : "nobody");
    (void)snprintf(w->scheme, sizeof w->scheme, "%.*s", SLICE_FMT(rq->scheme));
    (void)addr_text(&rq->client, w->client);
    w->tls_shown = rq->tls;
    if (slice_is(rq->path, "/hang") && fiber_sleep(1000000, &e) != 0)
        return;
    if (http_body_all(rq, 1000, &body, &e) == 0)
        (void)http_reply(rq, 201, &mark, 1, body.n > 0 ? body : rq->target, &e);
}

static void start(struct world *w)
{
    struct tls_conf tls = { .cert_file = path(w, "2.crt"), .key_file = path(w, "2.key"), .client_ca = path(w, "ca.crt"),
                            .welcome = is_member, .alpn = "h2,http/1.1" };
    struct http_conf conf = { .loop = loop_current(), .serve = serve, .data = w };
    struct http_listen at = { .address = "127.0.0.1", .nodes = true };
    struct err e = { 0 };

    assert_ok(tls_server_new(&tls, &w->tls, &e), &e);
    tls.client_ca = NULL;
    tls.welcome = NULL;
    assert_ok(tls_server_new(&tls, &w->plain_tls, &e), &e);
    assert_ok(http_server_new(&conf, &w->server, &e), &e);
    at.tls = w->tls;
    assert_ok(http_server_listen(w->server, &at, &w->port, &e), &e);
    at.tls = w->plain_tls;
    at.nodes = false;
    assert_ok(http_server_listen(w->server, &at, &w->plain_port, &e), &e);
}

static void run(void *data)
{
    struct world *w = data;

    start(w);
    w->test(w);
    http_server_free(w->server);
}

static void in_world(void (*test)(struct world *w))
{
    struct world w = { .test = test };
    char command[96];

    arena_init(&w.arena);
    make_files(&w);
    test_in_fiber(run, &w);
    tls_server_free(w.tls);
    tls_server_free(w.plain_tls);
    (void)snprintf(command, sizeof command, "rm -rf %s", w.dir);
    assert_int_equal(system(command), 0);
    arena_fini(&w.arena);
}

/* --- node 1 ------------------------------------------------------------------------------------------------------------------------ */

static struct peer_caller *caller(struct world *w, const char *as)
{
    struct peer_caller_conf conf = { .loop = loop_current(), .authority = path(w, "ca.crt"),
                                     .certificate = path(w, arena_printf(&w->arena, "%s.crt", as)),
                                     .key = path(w, arena_printf(&w->arena, "%s.key", as)) };
    struct peer_caller *p;
    struct err e = { 0 };

    memcpy(conf.cluster, cluster, sizeof cluster);
    assert_ok(peer_caller_new(&conf, &p, &e), &e);
    return p;
}

static struct peer_call to(struct world *w, uint64_t node, unsigned port, const char *target)
{
    return (struct peer_call){ .node = node, .address = arena_printf(&w->arena, "127.0.0.1:%u", port), .method = "GET", .target = target,
                               .repeatable = true };
}

static void fails(struct world *w, struct peer_caller *p, const struct peer_call *call, const struct err_row *row)
{
    struct peer_answer answer;
    struct err e = { 0 };
    char text[512];
    int rv = peer_call(p, call, &w->arena, &answer, &e);

    if (rv != row->code)
        fail_msg("%d: %s", rv, err_log_text(&e, text, sizeof text));
    assert_string_equal(e.arg[0], arena_printf(&w->arena, "%u", (unsigned)call->node));
}

static void calls_and_is_believed(struct world *w)
{
    const char *const headers[] = { "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http", "Host: ocp.example.com", NULL };
    struct peer_caller *p = caller(w, "1");
    struct peer_call call = to(w, 2, w->port, "/a?b=c");
    struct peer_answer answer;
    struct err e = { 0 };
    char own[PEER_URI_SIZE];

    for (int i = 0; i < 3; i++) {
        assert_ok(peer_call(p, &call, &w->arena, &answer, &e), &e);
        assert_int_equal(answer.status, 201);
        assert_string_equal(answer.body.s, "/a?b=c");
        assert_string_equal(w->peer, peer_uri(cluster, 1, own));
        assert_string_equal(w->client, "127.0.0.1");
        assert_string_equal(w->scheme, "https");
    }
    assert_int_equal(w->version, HTTP_2);
    assert_int_equal(http_server_stats(w->server).accepted[1], 1);
    call.headers = headers;
    call.method = "POST";
    call.body = SLICE("body");
    call.repeatable = false;
    assert_ok(peer_call(p, &call, &w->arena, &answer, &e), &e);
    assert_string_equal(answer.body.s, "body");
    assert_string_equal(w->client, "192.0.2.7");
    assert_string_equal(w->scheme, "http");
    assert_false(w->tls_shown); /* the client's way to the node that passes its request on was in the clear */
    assert_true(answer.n_headers > 0);
    assert_int_equal(http_server_stats(w->server).accepted[1], 2); /* what must not be done twice goes on a connection that is alive */
    peer_caller_free(p);
}

static void another_node_is_not_asked(struct world *w)
{
    struct peer_caller *p = caller(w, "1");
    struct peer_call right = to(w, 2, w->port, "/"), wrong = to(w, 4, w->port, "/");
    struct peer_answer answer;
    struct err e = { 0 };

    fails(w, p, &wrong, &ERR_PEER_AWAY);
    assert_int_equal(w->served, 0);
    assert_ok(peer_call(p, &right, &w->arena, &answer, &e), &e);
    fails(w, p, &wrong, &ERR_PEER_AWAY); /* also on the connection that is there */
    assert_int_equal(w->served, 1);
    assert_ok(peer_call(p, &right, &w->arena, &answer, &e), &e);
    peer_caller_free(p);
}

static void strangers_get_nothing(struct world *w)
{
    static const char *const who[] = { "stranger", "3" };
    struct peer_call call = to(w, 2, w->port, "/");

    for (unsigned i = 0; i < 2; i++) {
        struct peer_caller *p = caller(w, who[i]);
        struct peer_answer answer;
        struct err e = { 0 };
        int rv = peer_call(p, &call, &w->arena, &answer, &e);

        /* TLS 1.3: the client has sent its request before it hears that its certificate is refused */
        assert_true(rv == ERR_PEER_AWAY.code || rv == ERR_PEER_LOST.code);
        peer_caller_free(p);
    }
    assert_int_equal(w->served, 0);
}

/* The port of the API asks for no certificate, and believes nobody. */
static void other_ports_know_no_nodes(struct world *w)
{
    const char *const headers[] = { "X-Forwarded-For: 192.0.2.7", "X-Forwarded-Proto: http", "X-Forwarded-Node: 1", NULL };
    struct peer_caller *p = caller(w, "1");
    struct peer_call call = to(w, 2, w->plain_port, "/");
    struct peer_answer answer;
    struct err e = { 0 };

    call.headers = headers;
    assert_ok(peer_call(p, &call, &w->arena, &answer, &e), &e);
    assert_string_equal(w->peer, "nobody");
    assert_string_equal(w->client, "127.0.0.1");
    assert_string_equal(w->scheme, "https");
    peer_caller_free(p);
}

static void nobody_is_waited_for_too_long(struct world *w)
{
    struct peer_caller *p = caller(w, "1");
    struct peer_call dead = to(w, 2, 1, "/"), hangs = to(w, 2, w->port, "/hang");
    int64_t former;

    fails(w, p, &dead, &ERR_PEER_AWAY);
    former = fiber_narrow_deadline(200);
    fails(w, p, &hangs, &ERR_PEER_LOST);
    fiber_restore_deadline(former);
    assert_int_equal(w->served, 1);
    peer_caller_free(p);
}

static void test_calls_and_is_believed(void **state)
{
    (void)state;
    in_world(calls_and_is_believed);
}

static void test_another_node_is_not_asked(void **state)
{
    (void)state;
    in_world(another_node_is_not_asked);
}

static void test_strangers_get_nothing(void **state)
{
    (void)state;
    in_world(strangers_get_nothing);
}

static void test_other_ports_know_no_nodes(void **state)
{
    (void)state;
    in_world(other_ports_know_no_nodes);
}

static void test_nobody_is_waited_for_too_long(void **state)
{
    (void)state;
    in_world(nobody_is_waited_for_too_long);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_and_is_believed),     cmocka_unit_test(test_another_node_is_not_asked),
        cmocka_unit_test(test_strangers_get_nothing),     cmocka_unit_test(test_other_ports_know_no_nodes),
        cmocka_unit_test(test_nobody_is_waited_for_too_long),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
