/* SPDX-License-Identifier: Apache-2.0 */
/* The Raft directory: what was written comes back after any kind of end; what is damaged is seen. */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "raft/disk.h"
#include "tests/lib/test.h"

static const struct raft_identity who = { .cluster = "sixteen bytes id", .generation = 3, .node = 2 };
static const char eight[8] = "command", sixteen[16] = "a longer command";

struct fixture {
    char top[64], path[80];
    struct arena arena;
    struct raft_dir_state st;
    struct raft_dir *dir;
    struct err e;
};

static const struct entry first_entry = { 1, ENTRY_CHANGE, 16, sixteen };

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    (void)snprintf(f->top, sizeof f->top, "/tmp/raft-dir-XXXXXX");
    assert_non_null(mkdtemp(f->top));
    (void)snprintf(f->path, sizeof f->path, "%s/raft", f->top);
    arena_init(&f->arena);
    assert_ok(raft_dir_create(f->path, &who, &first_entry, &f->e), &f->e);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[160];

    raft_dir_close(f->dir);
    arena_fini(&f->arena);
    (void)snprintf(command, sizeof command, "rm -rf %s", f->top);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static void open_it(struct fixture *f)
{
    raft_dir_close(f->dir);
    arena_fini(&f->arena);
    assert_ok(raft_dir_open(f->path, &f->arena, &f->st, &f->dir, &f->e), &f->e);
}

static void refuse_it(struct fixture *f, const struct err_row *row, const char *naming)
{
    char text[512];

    raft_dir_close(f->dir);
    f->dir = NULL;
    assert_int_equal(raft_dir_open(f->path, &f->arena, &f->st, &f->dir, &f->e), row->code);
    assert_non_null(strstr(err_text(&f->e, ERR_EN, text, sizeof text), naming));
}

static void write_some(struct fixture *f, uint64_t index, uint64_t term, unsigned n)
{
    struct entry entries[16];

    for (unsigned i = 0; i < n; i++)
        entries[i] = (struct entry){ term, ENTRY_COMMAND, i % 2 == 0 ? 8 : 16, i % 2 == 0 ? eight : sixteen };
    assert_ok(raft_dir_write(f->dir, index, entries, n, &f->e), &f->e);
}

static int open_file(struct fixture *f, const char *name)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", f->path, name);
    return open(path, O_RDWR);
}

static off_t size_of_log(struct fixture *f)
{
    int fd = open_file(f, "log");
    off_t n = lseek(fd, 0, SEEK_END);

    (void)close(fd);
    return n;
}

static void flip(struct fixture *f, const char *name, off_t at)
{
    int fd = open_file(f, name);
    char c;

    assert_int_equal(pread(fd, &c, 1, at), 1);
    c ^= 0x10;
    assert_int_equal(pwrite(fd, &c, 1, at), 1);
    (void)close(fd);
}

static void shorten(struct fixture *f, off_t by)
{
    int fd = open_file(f, "log");

    assert_int_equal(ftruncate(fd, size_of_log(f) - by), 0);
    (void)close(fd);
}

/* --- tests ---------------------------------------------------------------------------------------------------------------------- */

static void what_was_written_comes_back(void **state)
{
    struct fixture *f = *state;

    open_it(f);
    assert_int_equal(f->st.n_entries, 1);
    assert_int_equal(f->st.term, 1);
    assert_memory_equal(&f->st.identity, &who, sizeof who);
    write_some(f, 2, 4, 3);
    assert_ok(raft_dir_write_meta(f->dir, 4, 2, &f->e), &f->e);
    open_it(f);
    assert_int_equal(f->st.n_entries, 4);
    assert_int_equal(f->st.entries[3].term, 4);
    assert_int_equal(f->st.entries[2].size, 16);
    assert_memory_equal(f->st.entries[2].data, sixteen, 16);
    assert_int_equal(f->st.term, 4);
    assert_int_equal(f->st.vote, 2);
}

static void conflicting_end_is_replaced(void **state)
{
    struct fixture *f = *state;

    open_it(f);
    write_some(f, 2, 4, 8);
    assert_ok(raft_dir_touch(f->dir, &f->e), &f->e);
    write_some(f, 5, 6, 1);
    open_it(f);
    assert_int_equal(f->st.n_entries, 5);
    assert_int_equal(f->st.entries[4].term, 6);
    assert_int_equal(raft_dir_write(f->dir, 7, f->st.entries, 1, &f->e), ERR_UNEXPECTED.code); /* a gap */
}

static void torn_end_is_cut_off(void **state)
{
    struct fixture *f = *state;
    off_t whole;

    open_it(f);
    write_some(f, 2, 4, 2);
    whole = size_of_log(f);
    for (off_t by = 1; by < 40; by += 13) {
        write_some(f, 4, 5, 1);
        shorten(f, by);
        open_it(f);
        assert_int_equal(f->st.n_entries, 3);
        assert_int_equal(size_of_log(f), whole);
    }
}

static void lost_entries_are_seen(void **state)
{
    struct fixture *f = *state;

    open_it(f);
    write_some(f, 2, 4, 2);
    assert_ok(raft_dir_touch(f->dir, &f->e), &f->e);
    shorten(f, 3);
    refuse_it(f, &ERR_RAFT_DIR_CORRUPT, "missing");
}

static void damage_in_the_middle_is_seen(void **state)
{
    struct fixture *f = *state;

    open_it(f);
    write_some(f, 2, 4, 4);
    flip(f, "log", 90);
    refuse_it(f, &ERR_RAFT_DIR_CORRUPT, "middle");
}

static void one_damaged_copy_does_no_harm(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < 2; i++) {
        open_it(f);
        assert_ok(raft_dir_write_meta(f->dir, 10 + i, 3, &f->e), &f->e);
        flip(f, i == 0 ? "meta-a" : "meta-b", 60);
        open_it(f);
        assert_int_equal(f->st.term, 10 + i);
        assert_int_equal(f->st.vote, 3);
        assert_ok(raft_dir_touch(f->dir, &f->e), &f->e);
    }
    flip(f, "meta-a", 60);
    flip(f, "meta-b", 9);
    refuse_it(f, &ERR_RAFT_DIR_CORRUPT, "neither");
}

static void log_of_another_generation_is_refused(void **state)
{
    struct fixture *f = *state;

    flip(f, "log", 8);
    refuse_it(f, &ERR_RAFT_DIR_CORRUPT, "header");
}

static void only_one_process_has_it(void **state)
{
    struct fixture *f = *state;
    struct raft_dir *other;
    struct raft_dir_state st;

    open_it(f);
    assert_err(raft_dir_open(f->path, &f->arena, &st, &other, &f->e), &f->e, ERR_RAFT_DIR_USED);
    assert_err(raft_dir_create(f->path, &who, NULL, &f->e), &f->e, ERR_INVALID);
}

static void absent_one_is_named(void **state)
{
    struct fixture *f = *state;

    (void)snprintf(f->path, sizeof f->path, "%s/none", f->top);
    refuse_it(f, &ERR_RAFT_DIR_ABSENT, "cluster init");
}

static int open_and_write(void *data)
{
    struct fixture *f = data;
    const struct entry en = { 5, ENTRY_COMMAND, 8, eight };
    struct raft_dir *dir = NULL;
    struct raft_dir_state st;
    struct arena arena;
    struct err e;
    int rv;

    arena_init(&arena);
    rv = raft_dir_open(f->path, &arena, &st, &dir, &e);
    if (rv == 0)
        rv = raft_dir_write(dir, 2, &en, 1, &e);
    raft_dir_close(dir);
    arena_fini(&arena);
    return rv;
}

static void memory_may_run_out(void **state)
{
    test_oom_sweep(open_and_write, *state);
}

/* --- the thread ----------------------------------------------------------------------------------------------------------------- */

struct seen {
    _Atomic unsigned metas, entries, failures;
    _Atomic uint64_t index;
};

static void meta_done(void *data)
{
    ((struct seen *)data)->metas++;
}

static void entries_done(uint64_t index, uint64_t term, void *data)
{
    struct seen *s = data;

    assert_int_equal(term, 9);
    s->entries++;
    s->index = index;
}

static void disk_failed(const struct err *why, void *data)
{
    assert_int_equal(why->row->code, ERR_UNEXPECTED.code);
    ((struct seen *)data)->failures++;
}

static void thread_writes_in_order(void **state)
{
    struct fixture *f = *state;
    struct seen seen = { 0 };
    struct raft_disk_conf conf = { NULL, meta_done, entries_done, disk_failed, &seen };
    const struct entry en = { 9, ENTRY_COMMAND, 8, eight };
    struct raft_disk *disk;

    open_it(f);
    conf.dir = f->dir;
    f->dir = NULL;
    assert_ok(raft_disk_new(&conf, &disk, &f->e), &f->e);
    for (uint64_t i = 2; i < 20; i++) {
        assert_ok(raft_disk_meta(disk, i, 1, &f->e), &f->e);
        assert_ok(raft_disk_write(disk, &(struct consensus_write){ i, &en, 1 }, &f->e), &f->e);
    }
    raft_disk_free(disk); /* finishes what was asked for */
    assert_int_equal(seen.metas, 18);
    assert_int_equal(seen.entries, 18);
    assert_int_equal(seen.index, 19);
    open_it(f);
    assert_int_equal(f->st.n_entries, 19);
    assert_int_equal(f->st.term, 19);
}

static void first_failure_ends_all_writing(void **state)
{
    struct fixture *f = *state;
    struct seen seen = { 0 };
    struct raft_disk_conf conf = { NULL, meta_done, entries_done, disk_failed, &seen };
    const struct entry en = { 9, ENTRY_COMMAND, 8, eight };
    struct raft_disk *disk;

    open_it(f);
    conf.dir = f->dir;
    f->dir = NULL;
    assert_ok(raft_disk_new(&conf, &disk, &f->e), &f->e);
    assert_ok(raft_disk_write(disk, &(struct consensus_write){ 7, &en, 1 }, &f->e), &f->e); /* leaves a gap */
    assert_ok(raft_disk_meta(disk, 99, 1, &f->e), &f->e);
    raft_disk_free(disk);
    assert_int_equal(seen.failures, 1);
    assert_int_equal(seen.metas, 0);
    open_it(f);
    assert_int_equal(f->st.term, 1);
}

#define T(F) cmocka_unit_test_setup_teardown(F, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_was_written_comes_back), T(conflicting_end_is_replaced), T(torn_end_is_cut_off), T(lost_entries_are_seen),
        T(damage_in_the_middle_is_seen), T(one_damaged_copy_does_no_harm), T(log_of_another_generation_is_refused),
        T(only_one_process_has_it), T(absent_one_is_named), T(memory_may_run_out), T(thread_writes_in_order),
        T(first_failure_ends_all_writing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
