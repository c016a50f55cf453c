/* SPDX-License-Identifier: Apache-2.0 */
/* Answers kept for the time without MetaDB: whose they are, how old they may be, how many there can be. */
#include "tests/lib/test.h"

#include <stdio.h>

#include "api/api.h"
#include "api/stale.h"
#include "src/iam/principal.h"

/* A read of some user, at some time. */
struct world {
    struct clock_fake clock;
    struct api_node node;
    struct api_shared shared;
    struct api api;
    struct arena arena;
    struct stale_store *store;
};

static const struct route list = { .id = "list", .method = "GET", .path = "/list", .reply = REPLY_LIST };
static const struct route change = { .id = "change", .method = "POST", .path = "/list", .reply = REPLY_OBJECT };
static const struct route text = { .id = "text", .method = "GET", .path = "/text", .reply = REPLY_OWN };
static const struct route secret = { .id = "secret", .method = "GET", .path = "/secret", .reply = REPLY_OBJECT, .flags = ROUTE_SECRET_REPLY };

static void begin(struct world *w)
{
    struct err e = { 0 };

    *w = (struct world){ 0 };
    clock_fake_init(&w->clock, 1000, 0);
    w->node.clock = &w->clock.clock;
    w->shared.node = &w->node;
    w->api.shared = &w->shared;
    arena_init(&w->arena);
    assert_ok(stale_new(&w->store, &e), &e);
}

static void end(struct world *w)
{
    stale_free(w->store);
    arena_fini(&w->arena);
}

struct request {
    struct http_request rq;
    struct principal user;
    struct call c;
};

/* The user 7 reads `target`. */
static struct request *reads(struct world *w, const struct route *route, const char *target)
{
    struct request *r = arena_zalloc(&w->arena, sizeof *r);

    assert_non_null(r);
    r->rq.target = (struct slice){ target, strlen(target) };
    r->user = (struct principal){ .user_id = 7, .credential_version = 3 };
    r->c = (struct call){ .rq = &r->rq, .route = route, .api = &w->api, .arena = &w->arena, .user = &r->user, .status = 200, .stale_s = -1 };
    str_init(&r->c.data, &w->arena);
    return r;
}

static void keep(struct world *w, const struct route *route, const char *target, const char *data)
{
    struct request *r = reads(w, route, target);

    str_add(&r->c.data, data);
    stale_keep(w->store, &r->c);
}

static void expect(struct world *w, struct request *r, const char *data)
{
    assert_int_equal(stale_has(w->store, &r->c), data != NULL);
    assert_int_equal(stale_replay(w->store, &r->c), data != NULL);
    if (data != NULL)
        assert_string_equal(str_c(&r->c.data), data);
}

static void the_same_question_gets_the_last_answer(void **state)
{
    struct world w;
    struct request *r;

    (void)state;
    begin(&w);
    expect(&w, reads(&w, &list, "/list?page=1"), NULL);
    keep(&w, &list, "/list?page=1", "{\"data\":1");
    w.clock.ms += STALE_RENEW_MS;
    keep(&w, &list, "/list?page=1", "{\"data\":2");
    w.clock.ms += STALE_RENEW_MS - 1;
    keep(&w, &list, "/list?page=1", "{\"data\":3"); /* the former one is young: no need to copy */
    w.clock.ms += 4000;
    r = reads(&w, &list, "/list?page=1");
    str_add(&r->c.data, "half of another answer");
    expect(&w, r, "{\"data\":2");
    assert_int_equal(r->c.stale_s, 4);
    expect(&w, reads(&w, &list, "/list?page=2"), NULL);
    w.clock.ms += STALE_AGE_MS;
    expect(&w, reads(&w, &list, "/list?page=1"), NULL);
    end(&w);
}

static void another_one_gets_nothing_of_it(void **state)
{
    static const struct scope_item items[] = { { "CLUSTER", 1, 0 }, { "CLUSTER", 2, 0 } };
    const struct scope one = { items, 1 }, two = { items, 2 }, none = { items, 0 };
    struct world w;
    struct request *r;

    (void)state;
    begin(&w);
    keep(&w, &list, "/list", "{\"data\":1");
    r = reads(&w, &list, "/list");
    r->user.user_id = 8;
    expect(&w, r, NULL);
    r = reads(&w, &list, "/list");
    r->user.credential_version = 4; /* another password, or other roles */
    expect(&w, r, NULL);
    r = reads(&w, &list, "/list");
    r->c.style.lang = ERR_ZH;
    expect(&w, r, NULL);
    for (unsigned i = 0; i < 3; i++) { /* who may see everything saw more than those who may not */
        r = reads(&w, &list, "/list");
        r->c.scope = i == 0 ? &one : i == 1 ? &two : &none;
        expect(&w, r, NULL);
    }
    r = reads(&w, &list, "/list");
    r->c.user = NULL;
    expect(&w, r, NULL);
    expect(&w, reads(&w, &list, "/list"), "{\"data\":1");
    end(&w);
}

static void not_everything_is_kept(void **state)
{
    struct world w;
    struct request *r;
    char *large;

    (void)state;
    begin(&w);
    keep(&w, &change, "/list", "{\"data\":1");
    expect(&w, reads(&w, &change, "/list"), NULL);
    keep(&w, &text, "/text", "{\"data\":1");
    expect(&w, reads(&w, &text, "/text"), NULL);
    keep(&w, &secret, "/secret", "{\"data\":1");
    expect(&w, reads(&w, &secret, "/secret"), NULL);
    r = reads(&w, &list, "/list");
    r->c.status = 404;
    str_add(&r->c.data, "{\"data\":1");
    stale_keep(w.store, &r->c);
    expect(&w, reads(&w, &list, "/list"), NULL);
    large = arena_zalloc(&w.arena, STALE_ANSWER_BYTES + 2);
    assert_non_null(large);
    memset(large, 'x', STALE_ANSWER_BYTES + 1);
    keep(&w, &list, "/large", large);
    expect(&w, reads(&w, &list, "/large"), NULL);
    large[STALE_ANSWER_BYTES] = '\0';
    keep(&w, &list, "/large", large);
    expect(&w, reads(&w, &list, "/large"), large);
    end(&w);
}

static void the_oldest_go_when_there_is_no_room(void **state)
{
    enum { N = STALE_BYTES / STALE_ANSWER_BYTES };
    struct world w;
    char *large, target[32];

    (void)state;
    begin(&w);
    large = arena_zalloc(&w.arena, STALE_ANSWER_BYTES + 1);
    assert_non_null(large);
    memset(large, 'x', STALE_ANSWER_BYTES);
    for (int i = 0; i < N + 3; i++) {
        (void)snprintf(target, sizeof target, "/list?page=%d", i);
        keep(&w, &list, arena_strdup(&w.arena, target), large);
    }
    expect(&w, reads(&w, &list, "/list?page=0"), NULL);
    expect(&w, reads(&w, &list, "/list?page=3"), NULL);
    expect(&w, reads(&w, &list, "/list?page=4"), large); /* N - 1 fit beside what each takes for itself */
    (void)snprintf(target, sizeof target, "/list?page=%d", N + 2);
    expect(&w, reads(&w, &list, target), large);
    end(&w);
}

static int make_and_keep(void *data)
{
    struct stale_store *s;
    struct err e = { 0 };
    int rv = stale_new(&s, &e);

    if (rv != 0)
        return rv;
    stale_keep(s, data); /* does without memory */
    stale_free(s);
    return 0;
}

static void memory_may_run_out(void **state)
{
    struct world w;
    struct request *r;

    (void)state;
    begin(&w);
    r = reads(&w, &list, "/list");
    str_add(&r->c.data, "{\"data\":1");
    test_oom_sweep(make_and_keep, &r->c);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_question_gets_the_last_answer), cmocka_unit_test(another_one_gets_nothing_of_it),
        cmocka_unit_test(not_everything_is_kept),                 cmocka_unit_test(the_oldest_go_when_there_is_no_room),
        cmocka_unit_test(memory_may_run_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
