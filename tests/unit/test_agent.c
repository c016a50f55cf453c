/* SPDX-License-Identifier: Apache-2.0 */
/* The pure parts of the agent: keys and digests, the ledger and its rules, the journal cut at any byte, and ways out of the declared directories. */
#include "tests/lib/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "agent/act.h"
#include "agent/journal.h"
#include "agent/process.h"
#include "agent/roots.h"

#define OCP "0123456789abcdef0123456789abcdef"
#define LINEAGE "ffffffffffffffffffffffffffffffff"
#define INCARNATION "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BOOT "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DIGEST "0000000000000000000000000000000000000000000000000000000000000000"
#define NO_NUMBERS .epoch = FIELD_NONE, .forgotten = FIELD_NONE, .pid = FIELD_NONE, .start_time = FIELD_NONE, .output_bytes = FIELD_NONE, .output_cut = -1

static struct agent_key key_of(int64_t step, int64_t dispatch, int64_t seq)
{
    return (struct agent_key){ OCP, LINEAGE, 1, step, dispatch, seq };
}

static struct ledger *ledger_made(void)
{
    const struct record birth = { .type = RECORD_BIRTH, .incarnation = INCARNATION, NO_NUMBERS };
    struct ledger *l;
    struct err e = { 0 };

    assert_ok(ledger_new(&l, &e), &e);
    assert_ok(ledger_apply(l, &birth, &e), &e);
    return l;
}

static void apply(struct ledger *l, enum record_type type, struct agent_key key, int64_t at_us)
{
    struct record r = { .type = type, .key = &key, .at_us = at_us, NO_NUMBERS };
    struct err e = { 0 };

    if (type == RECORD_INTENT) {
        r.kind = "mkdirs";
        r.digest = DIGEST;
    }
    assert_ok(ledger_apply(l, &r, &e), &e);
}

static int admit(struct ledger *l, struct agent_key key, const char *digest, int64_t start_by, int64_t now_ms, struct admission *out)
{
    const struct agent_call call = { .key = &key, .digest = digest, .epoch = 1, .incarnation = INCARNATION, .boot = BOOT, .start_by = start_by,
                                     .kind = "mkdirs" };
    struct err e = { 0 };

    return ledger_admit(l, &call, BOOT, now_ms, out, &e);
}

/* ---- keys --------------------------------------------------------------------------------------------------------------------------- */

static void keys_are_written_and_read(void **state)
{
    struct agent_key key = key_of(2, 3, INT64_MAX), again;
    char text[AGENT_KEY_SIZE];
    struct arena arena;

    (void)state;
    arena_init(&arena);
    (void)agent_key_text(&key, text);
    assert_string_equal(text, OCP "." LINEAGE ".1.2.3.9223372036854775807");
    assert_true(agent_key_parse((struct slice){ text, strlen(text) }, &arena, &again));
    assert_true(again.seq == INT64_MAX && again.dispatch == 3 && strcmp(again.ocp_id, OCP) == 0);
    for (size_t n = 0; n < strlen(text) - 20; n++) /* no prefix with fewer parts is a key */
        assert_false(agent_key_parse((struct slice){ text, n }, &arena, &again));
    assert_false(agent_key_parse(SLICE(OCP "." LINEAGE ".1.2.3.4.5"), &arena, &again));
    assert_false(agent_key_parse(SLICE(OCP "." LINEAGE ".1.2.-3.4"), &arena, &again));
    assert_false(agent_key_parse(SLICE("../../../../etc/passwd" "." LINEAGE ".1.2.3.4"), &arena, &again));
    arena_fini(&arena);
}

static void digests_cover_every_member(void **state)
{
    const char *path = "/data/1";
    struct agent_mkdirs a = { .paths = { &path, 1 }, .owner = "admin", .mode = 0750, .mark = "m" }, b = a;
    char one[AGENT_SHA256_SIZE], two[AGENT_SHA256_SIZE];
    const struct agent_kind *kind = agent_kind_find("mkdirs");
    struct err e = { 0 };

    (void)state;
    assert_ok(agent_digest(kind, &a, one, &e), &e);
    assert_ok(agent_digest(kind, &b, two, &e), &e);
    assert_string_equal(one, two);
    b.mode = 0755;
    assert_ok(agent_digest(kind, &b, two, &e), &e);
    assert_string_not_equal(one, two);
    b = a;
    b.owner = NULL;
    assert_ok(agent_digest(kind, &b, two, &e), &e);
    assert_string_not_equal(one, two);
}

static void errors_travel_with_their_arguments(void **state)
{
    struct err e = { 0 }, again = { 0 }, why = { 0 };
    struct agent_failure f;
    struct arena arena;
    char text[256];

    (void)state;
    arena_init(&arena);
    (void)err_set(&e, &ERR_AGENT_PATH, "%s", "/x");
    (void)err_arg(&e, "%s", "why not");
    assert_ok(agent_failure_of(&e, &arena, &f, &why), &why);
    assert_err(agent_failure_set(&f, &again), &again, ERR_AGENT_PATH);
    assert_string_equal(err_text(&again, ERR_EN, text, sizeof text), "The path /x may not be used: why not.");
    f.code = 12345;
    assert_err(agent_failure_set(&f, &again), &again, ERR_UNEXPECTED);
    arena_fini(&arena);
}

static void kinds_are_complete(void **state)
{
    (void)state;
    for (const struct agent_kind *k = agent_kinds; k->name != NULL; k++) {
        assert_ptr_equal(agent_kind_find(k->name), k);
        assert_non_null(k->args);
        assert_non_null(k->doc);
        if ((k->flags & (AGENT_READS | AGENT_SLOW)) != 0)
            assert_non_null(act_find(k->name));
    }
    assert_null(agent_kind_find("rm"));
}

/* ---- rules of the ledger ---------------------------------------------------------------------------------------------------------------- */

static void only_the_newest_leader_is_heard(void **state)
{
    struct ledger *l = ledger_made();
    struct agent_key key = key_of(1, 1, 1);
    struct record floor = { .type = RECORD_FLOOR, .key = &key, NO_NUMBERS };
    struct err e = { 0 };
    bool raises;

    (void)state;
    assert_int_equal(ledger_hear(l, OCP, INCARNATION, 7, &raises, &e), 0);
    assert_true(raises);
    floor.epoch = 7;
    assert_ok(ledger_apply(l, &floor, &e), &e);
    assert_int_equal(ledger_hear(l, OCP, INCARNATION, 7, &raises, &e), 0);
    assert_false(raises);
    assert_err(ledger_hear(l, OCP, INCARNATION, 6, &raises, &e), &e, ERR_AGENT_EPOCH);
    assert_err(ledger_hear(l, OCP, INCARNATION, INT64_MAX, &raises, &e), &e, ERR_AGENT_EPOCH_WILD);
    assert_err(ledger_hear(l, OCP, BOOT, 8, &raises, &e), &e, ERR_AGENT_INCARNATION);
    assert_int_equal(ledger_floor(l, OCP), 7);
    assert_int_equal(ledger_floor(l, LINEAGE), 0);
    ledger_free(l);
}

static void a_command_starts_once(void **state)
{
    struct ledger *l = ledger_made();
    struct admission a;

    (void)state;
    assert_int_equal(admit(l, key_of(1, 1, 1), DIGEST, 1000, 900, &a), 0);
    assert_true(a.known == NULL && a.marks);
    apply(l, RECORD_MARK, key_of(1, 1, 1), 1);
    apply(l, RECORD_INTENT, key_of(1, 1, 1), 1);
    assert_int_equal(admit(l, key_of(1, 1, 1), DIGEST, 1000, 900, &a), 0);
    assert_true(a.known != NULL && a.known->state == ENTRY_RUNNING && !a.marks);
    assert_int_equal(admit(l, key_of(1, 1, 1), INCARNATION INCARNATION, 1000, 900, &a), ERR_AGENT_ALTERED.code);
    apply(l, RECORD_RESULT, key_of(1, 1, 1), 2);
    assert_int_equal(admit(l, key_of(1, 1, 1), DIGEST, 1000, 999999, &a), 0); /* its result, however late */
    assert_true(a.known->state == ENTRY_DONE);
    apply(l, RECORD_FORGET, key_of(1, 1, 1), 3);
    assert_int_equal(admit(l, key_of(1, 1, 1), DIGEST, 1000, 900, &a), ERR_AGENT_FORGOTTEN.code);
    assert_int_equal(ledger_state(l, &(struct agent_key){ OCP, LINEAGE, 1, 1, 1, 1 }), AGENT_FORGOTTEN);
    ledger_free(l);
}

static void nothing_starts_late_or_far_ahead(void **state)
{
    struct ledger *l = ledger_made();
    struct admission a;

    (void)state;
    assert_int_equal(admit(l, key_of(1, 1, 1), DIGEST, 1000, 1000, &a), 0);
    assert_int_equal(admit(l, key_of(1, 1, 1), DIGEST, 1000, 1001, &a), ERR_AGENT_LATE.code);
    assert_int_equal(admit(l, key_of(1, 1, 1), DIGEST, 1000 + AGENT_START_MS, 1000, &a), 0);
    assert_int_equal(admit(l, key_of(1, 1, 1), DIGEST, 1001 + AGENT_START_MS, 1000, &a), ERR_AGENT_LATE.code);
    ledger_free(l);
}

static void an_older_dispatch_never_starts(void **state)
{
    struct ledger *l = ledger_made();
    struct agent_key fence = key_of(1, 5, 0);
    struct err e = { 0 };
    struct admission a;
    bool marks;

    (void)state;
    apply(l, RECORD_INTENT, key_of(1, 4, 1), 1);
    assert_ok(ledger_fence(l, &fence, &marks, &e), &e);
    assert_true(marks);
    apply(l, RECORD_MARK, fence, 1);
    assert_int_equal(admit(l, key_of(1, 4, 2), DIGEST, 1000, 900, &a), ERR_AGENT_DISPATCH.code);
    assert_int_equal(admit(l, key_of(1, 4, 1), DIGEST, 1000, 900, &a), ERR_AGENT_DISPATCH.code); /* it may be asked for, not repeated */
    assert_int_equal(admit(l, key_of(2, 4, 1), DIGEST, 1000, 900, &a), 0);                       /* another step */
    assert_int_equal(admit(l, key_of(1, 5, 1), DIGEST, 1000, 900, &a), 0);
    fence.dispatch = 4;
    assert_err(ledger_fence(l, &fence, &marks, &e), &e, ERR_AGENT_DISPATCH);
    ledger_free(l);
}

static void what_was_asked_for_in_vain_never_starts(void **state)
{
    struct agent_key key = key_of(1, 1, 1);
    struct ledger *l = ledger_made();
    struct admission a;

    (void)state;
    assert_int_equal(ledger_state(l, &key), AGENT_NEVER_HEARD);
    apply(l, RECORD_BURY, key, 1);
    assert_int_equal(ledger_state(l, &key), AGENT_NEVER_HEARD);
    assert_int_equal(admit(l, key, DIGEST, 1000, 900, &a), ERR_AGENT_BURIED.code);
    ledger_free(l);
}

static void marks_outlive_their_commands_by_a_day(void **state)
{
    struct ledger *l = ledger_made();
    struct admission a;

    (void)state;
    apply(l, RECORD_MARK, key_of(1, 7, 0), 1000);
    apply(l, RECORD_INTENT, key_of(1, 7, 1), 1000);
    apply(l, RECORD_RESULT, key_of(1, 7, 1), 2000);
    ledger_prune(l, 2000 + LEDGER_KEEP_US);
    assert_int_equal(ledger_count(l).entries, 1); /* a result without acknowledgement stays */
    apply(l, RECORD_FORGET, key_of(1, 7, 1), 3000);
    ledger_prune(l, 2999 + LEDGER_KEEP_US);
    assert_int_equal(admit(l, key_of(1, 6, 1), DIGEST, 1000, 900, &a), ERR_AGENT_DISPATCH.code);
    ledger_prune(l, 3000 + LEDGER_KEEP_US);
    assert_int_equal(ledger_count(l).marks, 0);
    apply(l, RECORD_INTENT, key_of(1, 8, 1), 1);
    apply(l, RECORD_RESULT, key_of(1, 8, 1), 1);
    ledger_prune(l, LEDGER_STALE_US + 1);
    assert_int_equal(ledger_count(l).entries, 0); /* nobody came for it in a month */
    ledger_free(l);
}

static void records_that_make_no_sense_are_refused(void **state)
{
    static const enum record_type types[] = { RECORD_RESULT, RECORD_PROCESS, RECORD_UNKNOWN };
    struct ledger *l = ledger_made();
    struct agent_key key = key_of(1, 1, 1);
    struct err e = { 0 };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        const struct record r = { .type = (int)types[i], .key = &key, .boot = BOOT, NO_NUMBERS };

        assert_err(ledger_apply(l, &r, &e), &e, ERR_INVALID);
    }
    assert_err(ledger_apply(l, &(struct record){ .type = RECORD_INTENT, .key = &key, .kind = "rm", .digest = DIGEST, NO_NUMBERS }, &e), &e, ERR_INVALID);
    assert_err(ledger_apply(l, &(struct record){ .type = RECORD_BIRTH, .incarnation = "short", NO_NUMBERS }, &e), &e, ERR_INVALID);
    assert_err(ledger_apply(l, &(struct record){ .type = RECORD_MARK, NO_NUMBERS }, &e), &e, ERR_INVALID);
    ledger_free(l);
}

/* ---- any schedule: at most one effect per key, none by an older dispatch after a newer one was heard of ------------------------------------ */

struct model {
    int64_t mark[3];
    bool started[3][6][6], buried[3][6][6];
};

static uint64_t rnd(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static void one_event(struct ledger *l, struct model *m, uint64_t *seed)
{
    int64_t step = (int64_t)(rnd(seed) % 3), dispatch = (int64_t)(rnd(seed) % 6), seq = (int64_t)(rnd(seed) % 6);
    struct agent_key key = key_of(step, dispatch, seq);
    struct admission a;
    struct err e = { 0 };
    bool marks;

    switch (rnd(seed) % 5) {
    case 0: /* a command, perhaps a duplicate of an old one */
    case 1:
        if (admit(l, key, DIGEST, 1000, 900, &a) != 0 || a.known != NULL)
            break;
        assert_false(m->started[step][dispatch][seq]);
        assert_false(m->buried[step][dispatch][seq]);
        assert_true(dispatch >= m->mark[step]);
        m->started[step][dispatch][seq] = true;
        m->mark[step] = dispatch;
        if (a.marks)
            apply(l, RECORD_MARK, key, 1);
        apply(l, RECORD_INTENT, key, 1);
        break;
    case 2:
        if (ledger_fence(l, &key, &marks, &e) == 0 && marks) {
            apply(l, RECORD_MARK, key, 1);
            m->mark[step] = dispatch;
        }
        break;
    case 3:
        if (ledger_find(l, &key) != NULL && ledger_find(l, &key)->state == ENTRY_RUNNING)
            apply(l, RECORD_RESULT, key, 1);
        else if (ledger_find(l, &key) != NULL && ledger_find(l, &key)->state == ENTRY_DONE)
            apply(l, RECORD_FORGET, key, 1);
        break;
    default:
        if (ledger_state(l, &key) == AGENT_NEVER_HEARD && ledger_find(l, &key) == NULL) {
            assert_false(m->started[step][dispatch][seq]);
            m->buried[step][dispatch][seq] = true;
            apply(l, RECORD_BURY, key, 1);
        }
    }
}

static int copy_record(const struct record *r, void *data, struct err *e)
{
    return ledger_apply(data, r, e);
}

static void any_schedule_keeps_the_rules(void **state)
{
    struct err e = { 0 };

    (void)state;
    for (uint64_t run = 1; run <= 300; run++) {
        uint64_t seed = run * 0x9e3779b97f4a7c15u;
        struct ledger *l = ledger_made();
        struct model m = { .mark = { 0 } };

        for (unsigned i = 0; i < 200; i++) {
            one_event(l, &m, &seed);
            if (rnd(&seed) % 20 == 0) { /* the agent begins anew from what it has written */
                struct ledger *again;

                assert_ok(ledger_new(&again, &e), &e);
                assert_ok(ledger_write(l, copy_record, again, &e), &e);
                ledger_free(l);
                l = again;
            }
        }
        ledger_free(l);
    }
}

/* ---- the journal ---------------------------------------------------------------------------------------------------------------------------- */

struct world {
    char dir[64];
    struct ledger *ledger;
    struct journal *journal;
    bool fresh;
    int64_t max_floor;
};

static void world_open(struct world *w)
{
    struct journal_conf conf = { .dir = w->dir, .loop = loop_current(), .log = &test_log, .ocp_id = w->max_floor > 0 ? OCP : NULL, .max_floor = w->max_floor };
    struct err e = { 0 };

    assert_ok(ledger_new(&w->ledger, &e), &e);
    conf.ledger = w->ledger;
    assert_ok(journal_open(&conf, &w->journal, &w->fresh, &e), &e);
}

static void world_close(struct world *w)
{
    journal_close(w->journal);
    ledger_free(w->ledger);
}

static void add(struct world *w, enum record_type type, struct agent_key key)
{
    struct record r = { .type = type, .key = &key, .incarnation = INCARNATION, NO_NUMBERS };
    struct err e = { 0 };

    if (type == RECORD_INTENT) {
        r.kind = "mkdirs";
        r.digest = DIGEST;
    }
    assert_ok(journal_add(w->journal, &r, &e), &e);
    assert_ok(journal_sync(w->journal, &e), &e);
}

static char *slurp(const char *dir, size_t *n)
{
    char path[128], *text = test_malloc(1 << 22);
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/journal", dir);
    f = fopen(path, "r");
    assert_non_null(f);
    *n = fread(text, 1, 1 << 22, f);
    assert_int_equal(fclose(f), 0);
    while (*n > 0 && text[*n - 1] == '\0')
        (*n)--;
    return text;
}

static void spill(const char *dir, const char *text, size_t n)
{
    char path[128];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/journal", dir);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fwrite(text, 1, n, f) == n);
    assert_int_equal(fclose(f), 0);
}

static void fill(struct world *w)
{
    world_open(w);
    assert_true(w->fresh);
    add(w, RECORD_BIRTH, key_of(0, 0, 0));
    for (int64_t i = 1; i <= 5; i++) {
        add(w, RECORD_INTENT, key_of(1, i, i));
        if (i % 2 == 0)
            add(w, RECORD_RESULT, key_of(1, i, i));
    }
    world_close(w);
}

static void in_folder(void (*fn)(void *data))
{
    struct world w = { .dir = "/tmp/journal-XXXXXX" };
    char command[96];

    assert_non_null(mkdtemp(w.dir));
    test_in_fiber(fn, &w);
    (void)snprintf(command, sizeof command, "rm -rf %s", w.dir);
    assert_int_equal(system(command), 0);
}

/* Whatever byte the crash has cut it at: all batches before it are there, it goes on from there, and the incarnation stays. */
static void cut_anywhere(void *data)
{
    struct world *w = data;
    unsigned last = 0;
    size_t n;
    char *text;

    fill(w);
    text = slurp(w->dir, &n);
    for (size_t cut = 0; cut <= n; cut++) {
        spill(w->dir, text, cut);
        world_open(w);
        assert_true(w->fresh == (ledger_incarnation(w->ledger)[0] == '\0'));
        assert_true(ledger_count(w->ledger).entries >= last);
        last = ledger_count(w->ledger).entries;
        if (!w->fresh && cut % 37 == 0) {
            add(w, RECORD_INTENT, key_of(9, 1, 1));
            world_close(w);
            world_open(w);
            assert_false(w->fresh);
            assert_non_null(ledger_find(w->ledger, &(struct agent_key){ OCP, LINEAGE, 1, 9, 1, 1 }));
        }
        world_close(w);
    }
    assert_int_equal(last, 5);
    test_free(text);
}

static void a_journal_cut_at_any_byte_goes_on(void **state)
{
    (void)state;
    in_folder(cut_anywhere);
}

/* A byte that changed on the disk before other batches were synced: nothing of the file is believed. */
static void damage(void *data)
{
    struct world *w = data;
    size_t n;
    char *text;

    fill(w);
    text = slurp(w->dir, &n);
    for (size_t at = 0; at < n / 2; at += 11) {
        char was = text[at];

        text[at] = (char)(was ^ 1);
        spill(w->dir, text, n);
        world_open(w);
        assert_true(w->fresh);
        assert_int_equal(ledger_count(w->ledger).entries, 0);
        world_close(w);
        text[at] = was;
    }
    test_free(text);
}

static void a_damaged_journal_is_put_aside(void **state)
{
    (void)state;
    in_folder(damage);
}

static void add_floor(struct world *w, int64_t epoch)
{
    struct agent_key key = key_of(0, 0, 0);
    struct record r = { .type = RECORD_FLOOR, .key = &key, NO_NUMBERS };
    struct err e = { 0 };

    r.epoch = epoch;
    assert_ok(journal_add(w->journal, &r, &e), &e);
    assert_ok(journal_sync(w->journal, &e), &e);
}

/* What is beyond every cluster would refuse every leader for ever. */
static void alter(void *data)
{
    static const struct { int64_t epoch; bool believed; } floors[] = { { 7, true }, { 1000, true }, { 1001, false }, { 8, true }, { INT64_MAX, false } };
    struct world *w = data;

    w->max_floor = 1000;
    for (unsigned i = 0; i < sizeof floors / sizeof *floors; i++) {
        world_open(w);
        add(w, RECORD_BIRTH, key_of(0, 0, 0));
        add_floor(w, floors[i].epoch);
        world_close(w);
        world_open(w);
        assert_int_equal(w->fresh, !floors[i].believed);
        assert_int_equal(ledger_floor(w->ledger, OCP), floors[i].believed ? floors[i].epoch : 0);
        if (floors[i].believed)
            assert_string_equal(ledger_incarnation(w->ledger), INCARNATION);
        else
            assert_string_equal(ledger_incarnation(w->ledger), "");
        world_close(w);
    }
}

static void an_impossible_floor_is_not_believed(void **state)
{
    (void)state;
    in_folder(alter);
}

static void grow(void *data)
{
    struct world *w = data;
    struct stat st;
    char path[128];

    world_open(w);
    add(w, RECORD_BIRTH, key_of(0, 0, 0));
    for (int64_t i = 1; i <= 20000; i++) {
        struct agent_key key = key_of(i, 1, 1);
        struct record r = { .type = RECORD_INTENT, .key = &key, .kind = "mkdirs", .digest = DIGEST, NO_NUMBERS };
        struct err e = { 0 };

        assert_ok(journal_add(w->journal, &r, &e), &e);
        r.type = RECORD_RESULT;
        assert_ok(journal_add(w->journal, &r, &e), &e);
        r.type = RECORD_FORGET;
        r.at_us = 1;
        assert_ok(journal_add(w->journal, &r, &e), &e);
        if (i % 200 == 0)
            assert_ok(journal_sync(w->journal, &e), &e);
    }
    add(w, RECORD_INTENT, key_of(7, 8, 9));
    world_close(w);
    (void)snprintf(path, sizeof path, "%s/journal", w->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size < 12 << 20); /* some 14 MiB were written */
    world_open(w);
    assert_false(w->fresh);
    assert_non_null(ledger_find(w->ledger, &(struct agent_key){ OCP, LINEAGE, 1, 7, 8, 9 }));
    world_close(w);
}

static void a_journal_is_compacted(void **state)
{
    (void)state;
    in_folder(grow);
}

/* ---- roots ------------------------------------------------------------------------------------------------------------------------------------ */

struct place {
    char top[64], root[80];
    const char *dirs[1];
    struct roots roots;
};

static void place_make(struct place *p, bool walk)
{
    static const char *const commands =
        "cd %s && mkdir -p in/a out && echo secret >out/secret && echo fine >in/a/fine && ln -s ../out in/relative && ln -s %s/out in/absolute &&"
        " ln -s a in/inside && ln -s /proc/self/root in/magic";
    char command[512];

    *p = (struct place){ .top = "/tmp/roots-XXXXXX" };
    assert_non_null(mkdtemp(p->top));
    (void)snprintf(command, sizeof command, commands, p->top, p->top);
    assert_int_equal(system(command), 0);
    (void)snprintf(p->root, sizeof p->root, "%s/in", p->top);
    p->dirs[0] = p->root;
    p->roots = (struct roots){ p->dirs, 1, walk };
}

static void place_remove(struct place *p)
{
    char command[128];

    (void)snprintf(command, sizeof command, "rm -rf %s", p->top);
    assert_int_equal(system(command), 0);
}

static int open_there(struct place *p, const char *rest)
{
    char path[512];
    struct err e = { 0 };
    int fd, rv;

    (void)snprintf(path, sizeof path, "%s%s", p->root, rest);
    rv = roots_open(&p->roots, path, O_RDONLY, 0, &fd, &e);
    if (fd >= 0)
        (void)close(fd);
    return rv;
}

static void no_path_leads_out(void **state)
{
    static const char *const ways[] = { "/relative/secret", "/absolute/secret", "/magic/etc/passwd", "/../out/secret", "/a/../../out/secret",
                                        "//a/fine", "/./a/fine", "/a/", "/a\n/fine" };

    (void)state;
    for (int walk = 0; walk < 2; walk++) {
        struct place p;
        struct err e = { 0 };
        int fd;

        place_make(&p, walk == 1);
        for (unsigned i = 0; i < sizeof ways / sizeof ways[0]; i++)
            assert_int_not_equal(open_there(&p, ways[i]), 0);
        assert_int_equal(open_there(&p, "/a/fine"), 0);
        assert_int_equal(open_there(&p, ""), 0);
        assert_int_equal(open_there(&p, "side"), ERR_AGENT_PATH.code); /* "in" is a prefix of "inside" only as text */
        assert_err(roots_open(&p.roots, "/etc/passwd", O_RDONLY, 0, &fd, &e), &e, ERR_AGENT_PATH);
        assert_err(roots_open(&p.roots, "relative", O_RDONLY, 0, &fd, &e), &e, ERR_AGENT_PATH);
        place_remove(&p);
    }
}

static void only_sane_directories_become_roots(void **state)
{
    static const char *const bad[] = { "/", "/etc", "/etc/ssh", "/usr/local", "/var", "/home", "/proc/1", "/data/../etc", "data", "/data/" };
    static const char *const good[] = { "/data", "/data/1", "/home/admin", "/var/lib/oceanbase", "/etcetera" };
    struct err e = { 0 };

    (void)state;
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_err(roots_check_new(bad[i], &e), &e, ERR_AGENT_PATH);
    for (unsigned i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_ok(roots_check_new(good[i], &e), &e);
}

/* ---- acts ------------------------------------------------------------------------------------------------------------------------------------- */

static int make_and_remove(void *data)
{
    struct place *p = data;
    struct arena arena;
    char path[128];
    const char *paths[] = { path };
    struct agent_mkdirs make = { .paths = { paths, 1 }, .mode = 0750, .mark = "it" };
    struct agent_remove_tree take = { .path = path, .mark = "it", .keep = 0 };
    struct agent_remove_tree_answer removed;
    struct agent_mkdirs_answer made;
    struct act a = { &p->roots, p->top, &arena, INT64_MAX };
    struct err e = { 0 };
    int rv;

    arena_init(&arena);
    (void)snprintf(path, sizeof path, "%s/x/y/z", p->root);
    rv = act_mkdirs(&a, &make, &made, &e);
    if (rv == 0)
        rv = act_remove_tree(&a, &take, &removed, &e);
    arena_fini(&arena);
    return rv;
}

static void directories_are_made_and_removed_without_memory_too(void **state)
{
    struct place p;

    (void)state;
    place_make(&p, false);
    test_oom_sweep(make_and_remove, &p);
    place_remove(&p);
}

static void a_tree_without_the_mark_stays(void **state)
{
    struct agent_remove_tree take = { .mark = "it", .keep = 0 };
    struct agent_remove_tree_answer removed;
    struct arena arena;
    struct place p;
    struct act a;
    char path[128];
    struct err e = { 0 };

    (void)state;
    arena_init(&arena);
    place_make(&p, false);
    a = (struct act){ &p.roots, p.top, &arena, INT64_MAX };
    take.path = path;
    (void)snprintf(path, sizeof path, "%s/a", p.root);
    assert_err(act_remove_tree(&a, &take, &removed, &e), &e, ERR_AGENT_NOT_EMPTY);
    (void)snprintf(path, sizeof path, "%s/relative", p.root);
    assert_int_not_equal(act_remove_tree(&a, &take, &removed, &e), 0);
    (void)snprintf(path, sizeof path, "%s/nothing", p.root);
    assert_ok(act_remove_tree(&a, &take, &removed, &e), &e);
    assert_int_equal(open_there(&p, "/a/fine"), 0);
    place_remove(&p);
    arena_fini(&arena);
}

/* ---- processes ---------------------------------------------------------------------------------------------------------------------------------- */

static void a_process_is_its_pid_and_its_start(void **state)
{
    struct process p;

    (void)state;
    assert_true(process_look(getpid(), FIELD_NONE, &p));
    assert_true(process_look(getpid(), p.start_time, &p));
    assert_false(process_look(getpid(), p.start_time + 1, &p));
    assert_true(process_runs(&p, p.exe));
    assert_false(process_runs(&p, "/bin/true"));
    assert_int_equal(p.uid, getuid());
}

static void a_daemon_waits_for_its_go(void **state)
{
    const char *argv[] = { "/bin/sleep", "1000", NULL }, *env[] = { NULL };
    const struct daemon d = { .argv = argv, .env = env, .input = -1, .output = -1 };
    struct spawned s;
    struct process p;
    struct err e = { 0 };

    (void)state;
    assert_ok(daemon_spawn(&d, &s, &e), &e);
    assert_true(process_look(s.pid, s.start_time, &p));
    assert_false(process_runs(&p, "/bin/sleep"));
    assert_ok(daemon_go(&s, argv[0], &e), &e);
    assert_true(process_look(s.pid, s.start_time, &p));
    assert_true(process_runs(&p, "/bin/sleep"));
    assert_int_equal(getsid(s.pid), s.pid);
    assert_int_equal(kill(s.pid, SIGKILL), 0);
    assert_ok(daemon_spawn(&d, &s, &e), &e); /* and one that never gets it is gone */
    daemon_drop(&s);
    while (process_look(s.pid, s.start_time, &p))
        (void)usleep(1000);
    argv[0] = "/bin/no-such-program";
    assert_ok(daemon_spawn(&d, &s, &e), &e);
    assert_err(daemon_go(&s, argv[0], &e), &e, ERR_AGENT_PROCESS);
}

/* `echo` in place of systemd-run tells what that would be told. */
static void whoever_makes_the_scope_gets_variables_as_words(void **state)
{
    const char *argv[] = { "/bin/sleep", "1000", NULL }, *env[] = { "LD_LIBRARY_PATH=/x", "B=two words", NULL };
    char said[256] = "";
    struct daemon d = { .argv = argv, .env = env, .input = -1, .scope = "/bin/echo", .scope_name = "u" };
    FILE *out = tmpfile();
    struct spawned s;
    struct process p;
    struct err e = { 0 };

    (void)state;
    assert_non_null(out);
    d.output = fileno(out);
    assert_ok(daemon_spawn(&d, &s, &e), &e);
    assert_ok(daemon_go(&s, argv[0], &e), &e);
    while (process_look(s.pid, s.start_time, &p))
        (void)usleep(1000);
    rewind(out);
    assert_non_null(fgets(said, sizeof said, out));
    assert_string_equal(said, "--scope --quiet --unit=u --setenv=LD_LIBRARY_PATH=/x --setenv=B=two words -- /bin/sleep 1000\n");
    (void)fclose(out);
}

static void too_many_words_start_nothing(void **state)
{
    enum { N = 1200 };
    static const char *argv[N + 1];
    const char *env[] = { NULL };
    const struct daemon d = { .argv = argv, .env = env, .input = -1, .output = -1 };
    struct spawned s;
    struct err e = { 0 };

    (void)state;
    for (unsigned i = 0; i < N; i++)
        argv[i] = "/bin/true";
    assert_err(daemon_spawn(&d, &s, &e), &e, ERR_AGENT_PROCESS);
}

static int spawn_in_scope(void *data)
{
    const char *argv[] = { "/bin/sleep", "1000", NULL }, *env[] = { "A=1", "B=2", NULL };
    const struct daemon d = { .argv = argv, .env = env, .input = -1, .output = -1, .scope = "/bin/echo", .scope_name = "u" };
    struct spawned s;
    struct err e = { 0 };
    int rv = daemon_spawn(&d, &s, &e);

    (void)data;
    if (rv == 0)
        daemon_drop(&s);
    return rv;
}

static void a_daemon_without_memory_is_none(void **state)
{
    (void)state;
    test_oom_sweep(spawn_in_scope, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_written_and_read),
        cmocka_unit_test(digests_cover_every_member),
        cmocka_unit_test(errors_travel_with_their_arguments),
        cmocka_unit_test(kinds_are_complete),
        cmocka_unit_test(only_the_newest_leader_is_heard),
        cmocka_unit_test(a_command_starts_once),
        cmocka_unit_test(nothing_starts_late_or_far_ahead),
        cmocka_unit_test(an_older_dispatch_never_starts),
        cmocka_unit_test(what_was_asked_for_in_vain_never_starts),
        cmocka_unit_test(marks_outlive_their_commands_by_a_day),
        cmocka_unit_test(records_that_make_no_sense_are_refused),
        cmocka_unit_test(any_schedule_keeps_the_rules),
        cmocka_unit_test(a_journal_cut_at_any_byte_goes_on),
        cmocka_unit_test(a_damaged_journal_is_put_aside),
        cmocka_unit_test(an_impossible_floor_is_not_believed),
        cmocka_unit_test(a_journal_is_compacted),
        cmocka_unit_test(no_path_leads_out),
        cmocka_unit_test(only_sane_directories_become_roots),
        cmocka_unit_test(directories_are_made_and_removed_without_memory_too),
        cmocka_unit_test(a_tree_without_the_mark_stays),
        cmocka_unit_test(a_process_is_its_pid_and_its_start),
        cmocka_unit_test(a_daemon_waits_for_its_go),
        cmocka_unit_test(whoever_makes_the_scope_gets_variables_as_words),
        cmocka_unit_test(too_many_words_start_nothing),
        cmocka_unit_test(a_daemon_without_memory_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
