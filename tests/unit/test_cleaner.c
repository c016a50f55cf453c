/* SPDX-License-Identifier: Apache-2.0 */
/* ob_cleaner: which files it removes, decided on numbers, and on a directory with files that are old, young, open, linked, or something else. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/clean_dir.h"
#include "tests/lib/test.h"

enum { NOW_S = 2000000000, MIB = 1 << 20 };

/* ---- names ------------------------------------------------------------------------------------------------------------------------ */

static void only_rotated_files_count(void **state)
{
    static const char *const rotated[] = { "observer.log.20260101120000", "observer.log.20260101120000123", "election.log.wf.20260101120000",
                                           "obproxy_digest.log.20260101", "rootservice.log.20260101120000123.zst", "a.log.20260101.gz",
                                           "core.1234", NULL };
    static const char *const others[] = { "observer.log", "observer.log.wf", "observer.log.1", "observer.log.2026010112000012345",
                                          "observer.conf.20260101120000", "log.20260101120000", ".log.20260101120000", "core", "core.", "core.12a",
                                          "core.d", "observer.log.20260101120000.tmp", "20260101120000", "", ".zst", NULL };

    (void)state;
    for (const char *const *n = rotated; *n != NULL; n++)
        assert_true(clean_is_rotated(*n));
    for (const char *const *n = others; *n != NULL; n++)
        assert_false(clean_is_rotated(*n));
}

/* ---- decisions -------------------------------------------------------------------------------------------------------------------- */

static const struct clean_rule plain = { "/x", "*", FIELD_NONE, FIELD_NONE, 80, 8, 60 };

/* Ten files of 10 MiB, one a day old, one two days old ... The disk has 1000 MiB. */
static void make(struct clean_file files[10])
{
    static const char *const names[] = { "a.log.20260101", "a.log.20260102", "a.log.20260103", "a.log.20260104", "a.log.20260105",
                                         "a.log.20260106", "a.log.20260107", "a.log.20260108", "a.log.20260109", "a.log.20260110" };

    for (int i = 0; i < 10; i++)
        files[i] = (struct clean_file){ .name = names[i], .bytes = 10 * MIB, .changed_s = NOW_S - (int64_t)(i + 1) * CLEAN_DAY_S - 1 };
}

static size_t decide(const struct clean_rule *rule, struct clean_file *files, int64_t used_mib)
{
    return clean_decide(rule, files, 10, (struct clean_disk){ (int64_t)1000 * MIB, used_mib * MIB }, NOW_S);
}

static void nothing_goes_while_there_is_space(void **state)
{
    struct clean_file files[10];

    (void)state;
    make(files);
    assert_int_equal(decide(&plain, files, 800), 0);
    assert_true(files[0].changed_s < files[9].changed_s);
}

static void a_full_disk_loses_the_old_and_then_the_oldest(void **state)
{
    struct clean_file files[10];

    (void)state;
    make(files);
    assert_int_equal(decide(&plain, files, 815), 2); /* 10 and 9 days old */
    assert_int_equal(files[0].reason, CLEAN_DISK_AGE);
    assert_int_equal(files[1].reason, CLEAN_DISK_AGE);
    assert_int_equal(files[2].reason, CLEAN_KEEP);
    make(files);
    assert_int_equal(decide(&plain, files, 835), 4); /* three are older than 8 days; the next is the oldest left */
    assert_int_equal(files[2].reason, CLEAN_DISK_AGE);
    assert_int_equal(files[3].reason, CLEAN_DISK);
    make(files);
    assert_int_equal(decide(&plain, files, 1000), 5); /* 60 % of the seven that are left stay: 42 of 70 MiB, so two of them go */
    assert_int_equal(files[4].reason, CLEAN_DISK);
    assert_int_equal(files[5].reason, CLEAN_KEEP);
}

static void age_and_size_hold_on_an_empty_disk(void **state)
{
    struct clean_rule rule = plain;
    struct clean_file files[10];

    (void)state;
    make(files);
    rule.max_age_days = 7;
    assert_int_equal(decide(&rule, files, 10), 4);
    assert_int_equal(files[3].reason, CLEAN_AGE);
    make(files);
    rule.max_bytes = 25 * MIB;
    assert_int_equal(decide(&rule, files, 10), 8);
    assert_int_equal(files[4].reason, CLEAN_SIZE);
    assert_int_equal(files[8].reason, CLEAN_KEEP);
}

static void open_fresh_and_active_files_stay(void **state)
{
    struct clean_rule rule = plain;
    struct clean_file files[10];

    (void)state;
    make(files);
    rule.max_bytes = 0;
    files[9].open = true;                  /* the oldest */
    files[0].changed_s = NOW_S - 59;       /* the youngest */
    files[5].name = "observer.log";
    assert_int_equal(decide(&rule, files, 1000), 7);
    for (int i = 0; i < 10; i++)
        if (files[i].open || files[i].changed_s == NOW_S - 59 || strcmp(files[i].name, "observer.log") == 0)
            assert_int_equal(files[i].reason, CLEAN_KEEP);
}

static void odd_numbers_do_no_harm(void **state)
{
    struct clean_file files[10];

    (void)state;
    make(files);
    assert_int_equal(clean_decide(&plain, files, 10, (struct clean_disk){ 0, 0 }, NOW_S), 0);
    assert_int_equal(clean_decide(&plain, NULL, 0, (struct clean_disk){ 100, 100 }, NOW_S), 0);
    for (int i = 0; i < 10; i++)
        files[i].changed_s = INT64_C(4000000000); /* the clock was set back */
    assert_int_equal(decide(&plain, files, 1000), 0);
}

/* ---- settings --------------------------------------------------------------------------------------------------------------------- */

static void rules_are_read(void **state)
{
    const char *roots[] = { "/home/admin", "/data" };
    struct field_strings two = { roots, 2 };
    struct clean_conf conf;
    struct clean_rule *rules;
    struct arena arena;
    struct err e;

    (void)state;
    arena_init(&arena);
    assert_ok(clean_conf_read((struct slice){ NULL, 0 }, two, &arena, &conf, &e), &e);
    assert_true(conf.enabled);
    assert_int_equal(conf.interval_s, 300);
    assert_int_equal(conf.rules.n, 12);
    rules = conf.rules.items;
    assert_string_equal(rules[0].directory, "/home/admin/*/log");
    assert_int_equal(rules[0].max_bytes, FIELD_NONE);
    assert_ok(clean_conf_read(SLICE("{\"intervalSeconds\":5,\"rules\":[{\"directory\":\"/d\",\"pattern\":\"*\",\"maxBytes\":0}]}"), two, &arena, &conf, &e), &e);
    rules = conf.rules.items;
    assert_int_equal(conf.rules.n, 1);
    assert_int_equal(rules[0].disk_percent, 80);
    assert_int_equal(rules[0].max_bytes, 0);
    assert_int_equal(rules[0].max_age_days, FIELD_NONE);
    assert_err(clean_conf_read(SLICE("[]"), two, &arena, &conf, &e), &e, ERR_REQUEST);
    assert_err(clean_conf_read(SLICE("{\"rules\":[{\"directory\":\"d\",\"pattern\":\"*\"}]}"), two, &arena, &conf, &e), &e, ERR_INVALID);
    assert_err(clean_conf_read(SLICE("{\"rules\":[{\"directory\":\"/a/../b\",\"pattern\":\"*\"}]}"), two, &arena, &conf, &e), &e, ERR_INVALID);
    assert_err(clean_conf_read(SLICE("{\"rules\":[{\"directory\":\"/1/2/3/4/5/6/7/8/9/10/11/12/13\",\"pattern\":\"*\"}]}"), two, &arena, &conf, &e), &e,
               ERR_INVALID);
    assert_err(clean_conf_read(SLICE("{\"rules\":[{\"directory\":\"/a\",\"pattern\":\"b/*\"}]}"), two, &arena, &conf, &e), &e, ERR_INVALID);
    assert_err(clean_conf_read(SLICE("{\"rules\":[{\"directory\":\"/a\"}]}"), two, &arena, &conf, &e), &e, ERR_INVALID);
    arena_fini(&arena);
}

/* ---- a directory ------------------------------------------------------------------------------------------------------------------ */

struct place {
    char root[64], log[96], elsewhere[64];
};

static void put(const char *dir, const char *name, int64_t age_s)
{
    struct timespec times[2] = { { .tv_sec = time(NULL) - age_s }, { .tv_sec = time(NULL) - age_s } };
    char path[256];
    int fd;

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0 && write(fd, "some bytes", 10) == 10 && futimens(fd, times) == 0);
    (void)close(fd);
}

static bool is_there(const char *dir, const char *name)
{
    char path[256];
    struct stat st;

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return lstat(path, &st) == 0;
}

static void make_place(struct place *p)
{
    (void)snprintf(p->root, sizeof p->root, "/tmp/ocp-clean-XXXXXX");
    (void)snprintf(p->elsewhere, sizeof p->elsewhere, "/tmp/ocp-clean-XXXXXX");
    assert_non_null(mkdtemp(p->root));
    assert_non_null(mkdtemp(p->elsewhere));
    (void)snprintf(p->log, sizeof p->log, "%s/log", p->root);
    assert_int_equal(mkdir(p->log, 0700), 0);
}

static void clear(const char *dir)
{
    char command[200];

    (void)snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

static uint64_t run(struct place *p, const char *directory, const char *proc)
{
    const char *roots[] = { p->root };
    struct clean_rule rule = { directory, "*", 8, FIELD_NONE, 100, 8, 60 };
    struct clean_round round;
    struct err e;

    clean_round_init(&round, (struct field_strings){ roots, 1 }, &test_log, time(NULL));
    if (proc != NULL)
        round.proc = proc;
    assert_ok(clean_by_rule(&round, &rule, &e), &e);
    clean_round_fini(&round);
    return round.n_removed;
}

static void files_are_removed_from_a_directory(void **state)
{
    char link_path[256], pattern[96];
    struct place p;
    int fd;

    (void)state;
    make_place(&p);
    put(p.log, "observer.log", 100 * CLEAN_DAY_S);
    put(p.log, "observer.log.20260101120000", 10 * CLEAN_DAY_S);
    put(p.log, "observer.log.20260108120000", CLEAN_DAY_S);
    put(p.log, "election.log.wf.20260101120000", 10 * CLEAN_DAY_S);
    put(p.log, "open.log.20260101120000", 10 * CLEAN_DAY_S);
    put(p.elsewhere, "far.log.20260101120000", 10 * CLEAN_DAY_S);
    (void)snprintf(link_path, sizeof link_path, "%s/linked.log.20260101120000", p.log);
    (void)snprintf(pattern, sizeof pattern, "%s/far.log.20260101120000", p.elsewhere);
    assert_int_equal(symlink(pattern, link_path), 0);
    (void)snprintf(pattern, sizeof pattern, "%s/open.log.20260101120000", p.log);
    fd = open(pattern, O_RDONLY);
    assert_true(fd >= 0);
    (void)snprintf(pattern, sizeof pattern, "%s/l?g", p.root);
    assert_int_equal(run(&p, pattern, "/proc/nothing-here"), 0); /* what is open cannot be known */
    assert_int_equal(run(&p, pattern, NULL), 2);
    assert_true(is_there(p.log, "observer.log"));
    assert_false(is_there(p.log, "observer.log.20260101120000"));
    assert_true(is_there(p.log, "observer.log.20260108120000"));
    assert_false(is_there(p.log, "election.log.wf.20260101120000"));
    assert_true(is_there(p.log, "open.log.20260101120000"));
    assert_true(is_there(p.log, "linked.log.20260101120000"));
    assert_true(is_there(p.elsewhere, "far.log.20260101120000"));
    (void)close(fd);
    assert_int_equal(run(&p, pattern, NULL), 1);
    assert_false(is_there(p.log, "open.log.20260101120000"));
    clear(p.root);
    clear(p.elsewhere);
}

static void directories_outside_of_the_roots_are_left_alone(void **state)
{
    char path[160];
    struct place p;

    (void)state;
    make_place(&p);
    put(p.elsewhere, "a.log.20260101120000", 10 * CLEAN_DAY_S);
    assert_int_equal(run(&p, p.elsewhere, NULL), 0);
    (void)snprintf(path, sizeof path, "%s/away", p.root);
    assert_int_equal(symlink(p.elsewhere, path), 0);
    assert_int_equal(run(&p, path, NULL), 0);
    assert_int_equal(run(&p, "/nowhere/at/all", NULL), 0);
    assert_true(is_there(p.elsewhere, "a.log.20260101120000"));
    (void)snprintf(path, sizeof path, "%s/inside", p.root); /* a link to a place within the roots is followed */
    assert_int_equal(symlink(p.log, path), 0);
    put(p.log, "a.log.20260101120000", 10 * CLEAN_DAY_S);
    assert_int_equal(run(&p, path, NULL), 1);
    clear(p.root);
    clear(p.elsewhere);
}

/* ---- memory ------------------------------------------------------------------------------------------------------------------------ */

static int read_rules(void *data)
{
    const char *roots[] = { "/home/admin" };
    struct field_strings one = { roots, 1 };
    struct clean_conf conf;
    struct arena arena;
    struct err e;
    int rv;

    arena_init(&arena);
    rv = clean_conf_read(*(struct slice *)data, one, &arena, &conf, &e);
    arena_fini(&arena);
    return rv;
}

static int clean_place(void *data)
{
    struct place *p = data;
    const char *roots[] = { p->root };
    struct clean_rule rule = { p->log, "*", FIELD_NONE, 0, 100, 8, 60 };
    struct clean_round round;
    struct err e;
    int rv;

    clean_round_init(&round, (struct field_strings){ roots, 1 }, &test_log, time(NULL));
    rv = clean_by_rule(&round, &rule, &e);
    clean_round_fini(&round);
    return rv;
}

static void lack_of_memory_removes_nothing_wrong(void **state)
{
    struct slice none = { NULL, 0 }, text = SLICE("{\"rules\":[{\"directory\":\"/d\",\"pattern\":\"*\"}]}");
    struct place p;

    (void)state;
    test_oom_sweep(read_rules, &none);
    test_oom_sweep(read_rules, &text);
    make_place(&p);
    put(p.log, "observer.log", 100 * CLEAN_DAY_S);
    put(p.log, "observer.log.20260101120000", 10 * CLEAN_DAY_S);
    test_oom_sweep(clean_place, &p);
    assert_true(is_there(p.log, "observer.log"));
    assert_false(is_there(p.log, "observer.log.20260101120000"));
    clear(p.root);
    clear(p.elsewhere);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_rotated_files_count),
        cmocka_unit_test(nothing_goes_while_there_is_space),
        cmocka_unit_test(a_full_disk_loses_the_old_and_then_the_oldest),
        cmocka_unit_test(age_and_size_hold_on_an_empty_disk),
        cmocka_unit_test(open_fresh_and_active_files_stay),
        cmocka_unit_test(odd_numbers_do_no_harm),
        cmocka_unit_test(rules_are_read),
        cmocka_unit_test(files_are_removed_from_a_directory),
        cmocka_unit_test(directories_outside_of_the_roots_are_left_alone),
        cmocka_unit_test(lack_of_memory_removes_nothing_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
