/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/vault/vault.h"

static const unsigned char key_a[32] = { 'a', 1, 2, 3 }, key_b[32] = { 'b', 4, 5, 6 };
static const struct vault_place place = { "credential", 7, "passphrase" };

static struct slice text(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

static struct vault *with_keys(const unsigned char *present, const unsigned char *former)
{
    struct vault *v;
    struct err e = { 0 };

    assert_ok(vault_new_keys(present, former, &v, &e), &e);
    return v;
}

static void seal(const struct vault *v, const char *secret, struct str *out)
{
    struct err e = { 0 };

    str_init(out, NULL);
    assert_ok(vault_seal(v, &place, text(secret), out, &e), &e);
    assert_int_equal(out->n, strlen(secret) + VAULT_OVERHEAD);
}

static void expect_open(const struct vault *v, const struct str *sealed, const char *secret)
{
    struct err e = { 0 };
    char *opened;

    assert_ok(vault_open(v, &place, (struct slice){ sealed->s, sealed->n }, &opened, &e), &e);
    assert_string_equal(opened, secret);
    secret_free(opened);
}

static void expect_refused(const struct vault *v, const struct vault_place *at, struct slice sealed, const char *reason)
{
    char buf[512];
    struct err e = { 0 };
    char *opened;

    assert_err(vault_open(v, at, sealed, &opened, &e), &e, ERR_VAULT_OPEN);
    assert_non_null(strstr(err_text(&e, ERR_EN, buf, sizeof buf), reason));
}

static void test_round_trip(void **state)
{
    struct vault *v = with_keys(key_a, NULL);
    struct str one, two, empty;

    (void)state;
    seal(v, "aaBB11##", &one);
    seal(v, "aaBB11##", &two);
    seal(v, "", &empty);
    assert_memory_not_equal(one.s + 5, two.s + 5, 12);      /* fresh nonces */
    assert_null(memmem(one.s, one.n, "aaBB", 4));
    expect_open(v, &one, "aaBB11##");
    expect_open(v, &two, "aaBB11##");
    expect_open(v, &empty, "");
    str_fini(&one);
    str_fini(&two);
    str_fini(&empty);
    secret_free(NULL);
    vault_free(v);
    vault_free(NULL);
}

static void test_every_changed_bit_is_noticed(void **state)
{
    struct vault *v = with_keys(key_a, NULL);
    struct str s;

    (void)state;
    seal(v, "aaBB11##", &s);
    for (size_t bit = 0; bit < s.n * 8; bit++) {
        struct err e = { 0 };
        char *opened;

        s.s[bit / 8] = (char)(s.s[bit / 8] ^ (1 << bit % 8));
        assert_err(vault_open(v, &place, (struct slice){ s.s, s.n }, &opened, &e), &e, ERR_VAULT_OPEN);
        s.s[bit / 8] = (char)(s.s[bit / 8] ^ (1 << bit % 8));
    }
    for (size_t n = 0; n < s.n; n++) {
        struct err e = { 0 };
        char *opened;

        assert_err(vault_open(v, &place, (struct slice){ s.s, n }, &opened, &e), &e, ERR_VAULT_OPEN);
    }
    expect_open(v, &s, "aaBB11##");
    str_fini(&s);
    vault_free(v);
}

static void test_a_secret_cannot_move(void **state)
{
    static const struct vault_place elsewhere[] = {
        { "credential", 8, "passphrase" }, { "property", 7, "passphrase" }, { "credential", 7, "" }, { "credentialp", 7, "assphrase" },
        { "credential", 7 + (1LL << 32), "passphrase" },
    };
    struct vault *v = with_keys(key_a, NULL);
    struct str s;

    (void)state;
    seal(v, "aaBB11##", &s);
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
        expect_refused(v, &elsewhere[i], (struct slice){ s.s, s.n }, "belongs to another object");
    str_fini(&s);
    vault_free(v);
}

static void test_two_keys_count(void **state)
{
    struct vault *old = with_keys(key_a, NULL), *both = with_keys(key_b, key_a), *young = with_keys(key_b, NULL);
    char name_a[9], name_b[9];
    struct str s, t;

    (void)state;
    seal(old, "aaBB11##", &s);
    seal(both, "aaBB11##", &t);
    expect_open(both, &s, "aaBB11##");
    expect_open(young, &t, "aaBB11##");
    expect_refused(young, &place, (struct slice){ s.s, s.n }, "another key");
    assert_true(vault_is_old(both, (struct slice){ s.s, s.n }));
    assert_false(vault_is_old(both, (struct slice){ t.s, t.n }));
    assert_string_equal(vault_key_name(both, name_a), vault_key_name(young, name_b));
    assert_string_not_equal(vault_key_name(old, name_a), name_b);
    str_fini(&s);
    str_fini(&t);
    vault_free(old);
    vault_free(both);
    vault_free(young);
}

/* ---- key file */

static char dir[] = "/tmp/test-vault-XXXXXX";

static char *path_of(const char *name)
{
    static char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static const char *put_file(const char *name, const void *bytes, size_t n, mode_t mode)
{
    const char *path = path_of(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0 && write(fd, bytes, n) == (ssize_t)n);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    return path;
}

static void test_the_key_file_is_made_once(void **state)
{
    const char *path = path_of("key");
    struct vault *v, *again;
    struct stat st;
    struct err e = { 0 };
    bool created;
    struct str s;

    (void)state;
    assert_err(vault_new(path, false, &created, &v, &e), &e, ERR_VAULT_FILE);
    assert_ok(vault_new(path, true, &created, &v, &e), &e);
    assert_true(created);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(st.st_size, 65);
    seal(v, "aaBB11##", &s);
    assert_ok(vault_new(path, true, &created, &again, &e), &e);
    assert_false(created);
    expect_open(again, &s, "aaBB11##");
    str_fini(&s);
    vault_free(v);
    vault_free(again);
    assert_int_equal(unlink(path), 0);
}

static void test_forms_of_the_key_file(void **state)
{
    static const char hex_a[] = "6101020300000000000000000000000000000000000000000000000000000000";
    static const char hex_b[] = "6204050600000000000000000000000000000000000000000000000000000000";
    struct vault *v, *reference = with_keys(key_a, key_b);
    char two[140], raw[64], name[9], wanted[9];
    struct err e = { 0 };
    bool created;

    (void)state;
    (void)snprintf(two, sizeof two, "%s\n%s\n", hex_a, hex_b);
    memcpy(raw, key_a, 32);
    memcpy(raw + 32, key_b, 32);
    const struct {
        const void *bytes;
        size_t n;
    } good[] = { { hex_a, 64 }, { two, strlen(two) }, { raw, 32 }, { raw, 64 } }, wrong[] = { { "", 0 }, { hex_a, 63 }, { raw, 31 }, { two, 100 }, { "x", 1 } };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_ok(vault_new(put_file("form", good[i].bytes, good[i].n, 0600), true, &created, &v, &e), &e);
        assert_string_equal(vault_key_name(v, name), vault_key_name(reference, wanted));
        vault_free(v);
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_err(vault_new(put_file("form", wrong[i].bytes, wrong[i].n, 0600), true, &created, &v, &e), &e, ERR_VAULT_FILE);
    assert_int_equal(unlink(path_of("form")), 0);
    vault_free(reference);
}

static void test_a_key_file_others_can_read_is_refused(void **state)
{
    static const mode_t open_modes[] = { 0644, 0604, 0620, 0602, 0660, 0666 };
    struct vault *v;
    struct err e = { 0 };
    bool created;

    (void)state;
    for (size_t i = 0; i < sizeof open_modes / sizeof open_modes[0]; i++)
        assert_err(vault_new(put_file("mode", key_a, 32, open_modes[i]), true, &created, &v, &e), &e, ERR_VAULT_FILE);
    assert_ok(vault_new(put_file("mode", key_a, 32, 0400), true, &created, &v, &e), &e);
    vault_free(v);
    assert_int_equal(unlink(path_of("mode")), 0);
    assert_err(vault_new(dir, true, &created, &v, &e), &e, ERR_VAULT_FILE);
    assert_err(vault_new(path_of("no/such/dir"), true, &created, &v, &e), &e, ERR_VAULT_FILE);
}

static int all_once(void *data)
{
    struct vault *v = NULL;
    struct str s;
    struct err e = { 0 };
    char *opened = NULL;
    bool created;
    int rv = vault_new(data, true, &created, &v, &e);

    str_init(&s, NULL);
    if (rv == 0)
        rv = vault_seal(v, &place, text("aaBB11##"), &s, &e);
    if (rv == 0)
        rv = vault_open(v, &place, (struct slice){ s.s, s.n }, &opened, &e);
    secret_free(opened);
    str_fini(&s);
    vault_free(v);
    (void)unlink(data);
    return rv;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    test_oom_sweep(all_once, path_of("oom"));
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_every_changed_bit_is_noticed),
        cmocka_unit_test(test_a_secret_cannot_move),
        cmocka_unit_test(test_two_keys_count),
        cmocka_unit_test(test_the_key_file_is_made_once),
        cmocka_unit_test(test_forms_of_the_key_file),
        cmocka_unit_test(test_a_key_file_others_can_read_is_refused),
        cmocka_unit_test(test_out_of_memory),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
