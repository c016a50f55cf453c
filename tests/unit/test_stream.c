/* SPDX-License-Identifier: Apache-2.0 */
/* Streams between fibers of one loop, in the clear and with certificates of an authority of our own. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "src/io/authority.h"
#include "src/io/stream.h"
#include "src/io/tls.h"
#include "tests/lib/test.h"

/* --- certificates on the disk ----------------------------------------------------------------------------------------------------- */

struct files {
    char dir[64];
    struct arena arena;
    struct identity ca;
};

static const char *save(struct files *f, const char *name, const char *text)
{
    char *path = arena_printf(&f->arena, "%s/%s", f->dir, name);
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    assert_true(fputs(text, out) >= 0);
    assert_int_equal(fclose(out), 0);
    return path;
}

static void found(struct files *f, const char *name)
{
    struct err e = { 0 };

    (void)snprintf(f->dir, sizeof f->dir, "/tmp/stream-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    arena_init(&f->arena);
    assert_ok(authority_found(name, &f->arena, &f->ca, &e), &e);
}

static void scrap(struct files *f)
{
    char command[96];

    (void)snprintf(command, sizeof command, "rm -rf %s", f->dir);
    assert_int_equal(system(command), 0);
    arena_fini(&f->arena);
}

static struct tls_server *side(struct files *f, struct files *trusts, const char *uri, bool (*welcome)(const char *, const char *, void *),
                               void *data)
{
    struct identity id;
    struct tls_server *t;
    struct err e = { 0 };
    struct tls_conf conf = { .welcome = welcome, .data = data };

    assert_ok(authority_issue(&f->ca, uri, 1, &f->arena, &id, &e), &e);
    conf.cert_file = save(f, uri, id.certificate);
    conf.key_file = save(f, "key", id.key);
    conf.client_ca = save(trusts, "ca", trusts->ca.certificate);
    assert_ok(tls_server_new(&conf, &t, &e), &e);
    return t;
}

/* --- a listener that sends back what it gets --------------------------------------------------------------------------------------- */

struct echo {
    struct stream_listener *listener;
    struct addr at;
    struct fiber_group group;
    char uri[128];
    int handshake;
    size_t served;
};

static void serve_one(void *data)
{
    struct echo *s = data;
    struct err e = { 0 };
    struct stream *c;
    char buf[4096];
    size_t n;

    assert_ok(stream_accept(s->listener, &c, &e), &e);
    s->handshake = stream_handshake(c, &e);
    (void)snprintf(s->uri, sizeof s->uri, "%s", stream_peer_uri(c));
    while (s->handshake == 0 && stream_read(c, buf, sizeof buf, &n, &e) == 0 && n > 0) {
        s->served += n;
        if (stream_write(c, buf, n, &e) != 0)
            break;
    }
    stream_close(c);
}

static void echo_start(struct echo *s, struct tls_server *tls)
{
    struct err e = { 0 };

    assert_true(addr_parse(SLICE("127.0.0.1"), &s->at));
    s->at.port = 0;
    assert_ok(stream_listen(loop_current(), &s->at, tls, &s->listener, &e), &e);
    s->at.port = stream_listener_port(s->listener);
    assert_ok(fiber_group_start(&s->group, loop_current(), "echo", serve_one, s, &e), &e);
}

static void echo_end(struct echo *s)
{
    struct err e = { 0 };

    assert_ok(fiber_group_wait(&s->group, &e), &e);
    stream_listener_close(s->listener);
}

/* --- tests ------------------------------------------------------------------------------------------------------------------------ */

struct much {
    struct stream *c;
    size_t n;
};

static void write_much(void *data)
{
    struct much *m = data;
    struct err e = { 0 };
    char block[10000];

    for (size_t sent = 0; sent < m->n; sent += sizeof block) {
        memset(block, (int)(sent / sizeof block % 251), sizeof block);
        assert_ok(stream_write(m->c, block, sizeof block, &e), &e);
        assert_true(stream_queued(m->c) <= STREAM_MAX_QUEUED + 2 * sizeof block);
    }
}

static void talk(struct tls_server *ours, struct tls_server *theirs, const char *uri)
{
    struct echo s = { 0 };
    struct much m = { .n = 8000000 };
    struct fiber_group g = { 0 };
    struct err e = { 0 };
    char block[10000];

    echo_start(&s, theirs);
    assert_ok(stream_connect(&s.at, ours, &m.c, &e), &e);
    assert_ok(stream_handshake(m.c, &e), &e);
    assert_string_equal(stream_peer_uri(m.c), ours != NULL ? "ocp-node:2" : "");
    assert_ok(fiber_group_start(&g, loop_current(), "writer", write_much, &m, &e), &e);
    for (size_t got = 0; got < m.n; got += sizeof block) {
        assert_ok(stream_read_all(m.c, block, sizeof block, &e), &e);
        assert_int_equal((unsigned char)block[0], got / sizeof block % 251);
        assert_int_equal((unsigned char)block[sizeof block - 1], got / sizeof block % 251);
    }
    assert_ok(fiber_group_wait(&g, &e), &e);
    stream_close(m.c);
    echo_end(&s);
    assert_int_equal(s.served, m.n);
    assert_string_equal(s.uri, uri);
}

static void talk_clear(void *data)
{
    (void)data;
    talk(NULL, NULL, "");
}

static void bytes_go_both_ways_in_the_clear(void **state)
{
    (void)state;
    test_in_fiber(talk_clear, NULL);
}

static void talk_tls(void *data)
{
    struct files *f = data;
    struct tls_server *a = side(f, f, "ocp-node:1", NULL, NULL), *b = side(f, f, "ocp-node:2", NULL, NULL);

    talk(a, b, "ocp-node:1");
    tls_server_free(a);
    tls_server_free(b);
}

static void bytes_go_both_ways_under_tls(void **state)
{
    struct files f;

    (void)state;
    found(&f, "nodes");
    test_in_fiber(talk_tls, &f);
    scrap(&f);
}

/* Somewhere in handshake or first read it must end with STREAM_TLS or STREAM_LOST, never with bytes. */
static void expect_refusal(struct tls_server *ours, struct tls_server *theirs)
{
    struct echo s = { 0 };
    struct stream *c;
    struct err e = { 0 };
    char buf[32] = "GET / HTTP/1.1";
    size_t n = 0;
    int rv;

    echo_start(&s, theirs);
    assert_ok(stream_connect(&s.at, ours, &c, &e), &e);
    rv = stream_handshake(c, &e);
    if (rv == 0)
        rv = stream_write(c, buf, sizeof buf, &e);
    if (rv == 0)
        rv = stream_read(c, buf, sizeof buf, &n, &e);
    if (ours != NULL) {
        assert_int_equal(n, 0);
        assert_true(rv == ERR_STREAM_TLS.code || rv == ERR_STREAM_LOST.code);
    }
    stream_close(c);
    echo_end(&s);
    assert_true(s.handshake == ERR_STREAM_TLS.code || s.handshake == ERR_STREAM_LOST.code);
}

static bool not_node_one(const char *serial, const char *uri, void *data)
{
    assert_int_equal(strlen(serial), 32);
    ++*(int *)data;
    return strcmp(uri, "ocp-node:1") != 0;
}

static void refusals(void *data)
{
    struct files *f = data, other;
    struct tls_server *a, *b, *stranger;
    int asked = 0;

    found(&other, "others");
    a = side(f, f, "ocp-node:1", NULL, NULL);
    b = side(f, f, "ocp-node:2", not_node_one, &asked);
    stranger = side(&other, f, "ocp-node:3", NULL, NULL);
    expect_refusal(stranger, a); /* of another authority */
    expect_refusal(a, stranger);
    expect_refusal(a, b);        /* revoked */
    assert_int_equal(asked, 1);
    expect_refusal(NULL, a);     /* no TLS at all */
    tls_server_free(a);
    tls_server_free(b);
    tls_server_free(stranger);
    scrap(&other);
}

static void strangers_are_refused(void **state)
{
    struct files f;

    (void)state;
    found(&f, "nodes");
    test_in_fiber(refusals, &f);
    scrap(&f);
}

static void dead_ends(void *data)
{
    struct echo s = { 0 };
    struct stream *c;
    struct err e = { 0 };
    int64_t former;
    char byte;
    size_t n;

    (void)data;
    echo_start(&s, NULL);
    assert_ok(stream_connect(&s.at, NULL, &c, &e), &e);
    former = fiber_narrow_deadline(20);
    assert_err(stream_read(c, &byte, 1, &n, &e), &e, ERR_TIMEOUT);
    fiber_restore_deadline(former);
    stream_abort(c);
    assert_err(stream_read(c, &byte, 1, &n, &e), &e, ERR_STREAM_LOST);
    assert_err(stream_write(c, &byte, 1, &e), &e, ERR_STREAM_LOST);
    stream_close(c);
    echo_end(&s);
    assert_err(stream_connect(&s.at, NULL, &c, &e), &e, ERR_STREAM_REFUSED);
}

static void a_dead_process_is_told_from_a_slow_one(void **state)
{
    (void)state;
    test_in_fiber(dead_ends, NULL);
}

/* --- the first byte --------------------------------------------------------------------------------------------------------------- */

struct sorter {
    struct stream_listener *listener;
    struct tls_server *tls;      /* NULL: detaches */
    char first, in[8];
    char uri[128];
};

static void sort_one(void *data)
{
    struct sorter *s = data;
    struct err e = { 0 };
    struct stream *c;
    char mark;
    int fd;

    assert_ok(stream_accept(s->listener, &c, &e), &e);
    assert_ok(stream_peek(c, &s->first, &e), &e);
    if (s->tls == NULL) {
        fd = stream_detach(c);
        assert_true(fd >= 0);
        assert_int_equal(read(fd, s->in, sizeof s->in), 5);
        assert_int_equal(close(fd), 0);
        return;
    }
    assert_ok(stream_read_all(c, &mark, 1, &e), &e);
    assert_int_equal(mark, 'R');
    assert_ok(stream_secure(c, s->tls, false, &e), &e);
    assert_ok(stream_handshake(c, &e), &e);
    (void)snprintf(s->uri, sizeof s->uri, "%s", stream_peer_uri(c));
    assert_ok(stream_read_all(c, s->in, 5, &e), &e);
    stream_close(c);
}

static struct stream *sort_start(struct sorter *s, struct fiber_group *g)
{
    struct err e = { 0 };
    struct stream *c;
    struct addr at;

    assert_true(addr_parse(SLICE("127.0.0.1"), &at));
    at.port = 0;
    assert_ok(stream_listen(loop_current(), &at, NULL, &s->listener, &e), &e);
    at.port = stream_listener_port(s->listener);
    assert_ok(fiber_group_start(g, loop_current(), "sorter", sort_one, s, &e), &e);
    assert_ok(stream_connect(&at, NULL, &c, &e), &e);
    return c;
}

static void sort_end(struct sorter *s, struct fiber_group *g)
{
    struct err e = { 0 };

    assert_ok(fiber_group_wait(g, &e), &e);
    stream_listener_close(s->listener);
}

static void sorting(void *data)
{
    struct files *f = data;
    struct tls_server *a = side(f, f, "ocp-node:1", NULL, NULL), *b = side(f, f, "ocp-node:2", NULL, NULL);
    struct sorter clear = { .tls = NULL }, secured = { .tls = b };
    struct fiber_group g = { 0 };
    struct err e = { 0 };
    struct stream *c = sort_start(&clear, &g);
    char byte;
    size_t n;

    assert_ok(stream_write(c, "hello", 5, &e), &e);
    sort_end(&clear, &g);
    assert_int_equal(clear.first, 'h');
    assert_memory_equal(clear.in, "hello", 5);
    assert_ok(stream_read(c, &byte, 1, &n, &e), &e);
    assert_int_equal(n, 0); /* the other owner has closed it */
    stream_close(c);

    c = sort_start(&secured, &g);
    assert_ok(stream_write(c, "R", 1, &e), &e);
    assert_ok(stream_secure(c, a, true, &e), &e);
    assert_ok(stream_handshake(c, &e), &e);
    assert_string_equal(stream_peer_uri(c), "ocp-node:2");
    assert_ok(stream_write(c, "hello", 5, &e), &e);
    sort_end(&secured, &g);
    assert_string_equal(secured.uri, "ocp-node:1");
    assert_memory_equal(secured.in, "hello", 5);
    stream_close(c);
    tls_server_free(a);
    tls_server_free(b);
}

static void the_first_byte_tells_what_a_connection_is_for(void **state)
{
    struct files f;

    (void)state;
    found(&f, "nodes");
    test_in_fiber(sorting, &f);
    scrap(&f);
}

struct silent {
    struct stream_listener *listener;
    int rv[2];
};

static void peek_silence(void *data)
{
    struct silent *s = data;
    struct err e = { 0 };
    struct stream *c;
    int64_t former = fiber_narrow_deadline(20);
    char byte;

    assert_ok(stream_accept(s->listener, &c, &e), &e);
    s->rv[0] = stream_peek(c, &byte, &e);
    fiber_restore_deadline(former);
    stream_close(c);
    assert_ok(stream_accept(s->listener, &c, &e), &e);
    s->rv[1] = stream_peek(c, &byte, &e);
    stream_close(c);
}

static void silence(void *data)
{
    struct silent s = { 0 };
    struct fiber_group g = { 0 };
    struct err e = { 0 };
    struct stream *mute, *gone;
    struct addr at;

    (void)data;
    assert_true(addr_parse(SLICE("127.0.0.1"), &at));
    at.port = 0;
    assert_ok(stream_listen(loop_current(), &at, NULL, &s.listener, &e), &e);
    at.port = stream_listener_port(s.listener);
    assert_ok(fiber_group_start(&g, loop_current(), "peeker", peek_silence, &s, &e), &e);
    assert_ok(stream_connect(&at, NULL, &mute, &e), &e);
    assert_ok(stream_connect(&at, NULL, &gone, &e), &e);
    stream_close(gone);
    assert_ok(fiber_group_wait(&g, &e), &e);
    stream_close(mute);
    stream_listener_close(s.listener);
    assert_int_equal(s.rv[0], ERR_TIMEOUT.code);
    assert_int_equal(s.rv[1], ERR_STREAM_LOST.code);
}

static void who_says_nothing_is_not_waited_for(void **state)
{
    (void)state;
    test_in_fiber(silence, NULL);
}

static int issue(void *data)
{
    struct files *f = data;
    struct identity id;
    struct arena arena;
    struct err e;
    int rv;

    arena_init(&arena);
    rv = authority_issue(&f->ca, "ocp-node:9", 30, &arena, &id, &e);
    arena_fini(&arena);
    return rv;
}

static void memory_may_run_out(void **state)
{
    struct files f;
    struct err e = { 0 };
    struct identity id;

    (void)state;
    found(&f, "nodes");
    test_oom_sweep(issue, &f);
    assert_err(authority_issue(&f.ca, "two,names", 1, &f.arena, &id, &e), &e, ERR_INVALID);
    f.ca.key[40] = '!';
    assert_err(authority_issue(&f.ca, "ocp-node:9", 1, &f.arena, &id, &e), &e, ERR_INVALID);
    scrap(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_go_both_ways_in_the_clear), cmocka_unit_test(bytes_go_both_ways_under_tls),
        cmocka_unit_test(strangers_are_refused),           cmocka_unit_test(a_dead_process_is_told_from_a_slow_one),
        cmocka_unit_test(memory_may_run_out),              cmocka_unit_test(the_first_byte_tells_what_a_connection_is_for),
        cmocka_unit_test(who_says_nothing_is_not_waited_for),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
