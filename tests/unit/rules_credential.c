/* SPDX-License-Identifier: Apache-2.0 */
/* The password box. */
#include "src/io/ssh.h"
#include "src/store/obcluster.h"
#include "src/vault/credential.h"
#include "tests/lib/store.h"
#include "tests/unit/rules_tests.h"

static const unsigned char key[32] = { 1, 2, 3 };

static struct credential_context begin(struct test_store *t)
{
    struct credential_context c = { .db = t->db, .connect_pool = t->connect_pool, .long_pool = t->connect_pool };
    struct vault *v;

    (void)test_store_sql(t, "DELETE FROM credential");
    assert_ok(vault_new_keys(key, NULL, &v, &t->e), &t->e);
    c.vault = v;
    return c;
}

static void end(struct credential_context *c)
{
    vault_free((struct vault *)c->vault);
}

static struct credential_spec host(const char *name)
{
    return (struct credential_spec){ .target = CREDENTIAL_HOST, .name = name, .kind = -1, .username = "admin", .passphrase = "aaBB11##" };
}

static int64_t create(struct test_store *t, const struct credential_context *c, const struct credential_spec *spec)
{
    struct credential_view v;

    assert_ok(credential_create(c, 7, spec, &t->arena, &v, &t->e), &t->e);
    return v.id;
}

static void kept_and_used(struct test_store *t)
{
    struct credential_context c = begin(t);
    struct credential_spec spec = host("3f2a90c1d7e4");
    const int64_t hosts[] = { 5, 6 };
    struct credential_view v;
    char *secret;
    int64_t id;

    spec.host_ids = hosts;
    spec.n_host_ids = 2;
    spec.has_host_ids = true;
    spec.cluster_name = "ignored";
    id = create(t, &c, &spec);
    assert_int_equal(test_store_number(t, "SELECT COUNT(*) FROM credential WHERE LOCATE('aaBB', secret) > 0 OR LENGTH(secret) < 20"), 0);
    assert_ok(credential_open(&c, 7, id, &t->arena, &v, &secret, &t->e), &t->e);
    assert_string_equal(secret, "aaBB11##");
    secret_free(secret);
    assert_string_equal(v.name, "3f2a90c1d7e4");
    assert_string_equal(v.description, "");
    assert_string_equal(v.username, "admin");
    assert_int_equal(v.target, CREDENTIAL_HOST);
    assert_int_equal(v.kind, CREDENTIAL_PASSWORD);
    assert_int_equal(v.n_host_ids, 2);
    assert_int_equal(v.host_ids[1], 6);
    assert_null(v.cluster_name);
    assert_true(v.created_us > 0);
    end(&c);
}
STORE_TEST(kept_and_used)

static void others_have_nothing_of_it(struct test_store *t)
{
    struct credential_context c = begin(t);
    struct credential_spec spec = host("mine");
    struct credential_view v, *list;
    const char *name;
    char *secret;
    int64_t id = create(t, &c, &spec);
    size_t n;

    assert_err(credential_get(&c, 8, id, &t->arena, &v, &t->e), &t->e, ERR_CREDENTIAL_DENIED);
    assert_err(credential_update(&c, 8, id, &spec, &t->arena, &v, &t->e), &t->e, ERR_CREDENTIAL_DENIED);
    assert_err(credential_open(&c, 8, id, &t->arena, &v, &secret, &t->e), &t->e, ERR_CREDENTIAL_DENIED);
    assert_err(credential_delete(&c, 8, id, &t->arena, &name, &t->e), &t->e, ERR_CREDENTIAL_FOREIGN);
    assert_err(credential_get(&c, 8, 999999, &t->arena, &v, &t->e), &t->e, ERR_NOT_FOUND);
    assert_ok(credential_list(&c, 8, -1, &t->arena, &list, &n, &t->e), &t->e);
    assert_int_equal(n, 0);
    assert_ok(credential_create(&c, 8, &spec, &t->arena, &v, &t->e), &t->e);  /* names are unique for each user by itself */
    end(&c);
}
STORE_TEST(others_have_nothing_of_it)

static void listed_newest_first(struct test_store *t)
{
    struct credential_context c = begin(t);
    struct credential_spec one = host("one"), two = host("two");
    struct credential_view *list;
    size_t n;

    two.target = CREDENTIAL_OB;
    two.cluster_name = "c1";
    two.tenant_name = "t1";
    (void)create(t, &c, &one);
    (void)create(t, &c, &two);
    assert_ok(credential_list(&c, 7, -1, &t->arena, &list, &n, &t->e), &t->e);
    assert_int_equal(n, 2);
    assert_string_equal(list[0].name, "two");
    assert_string_equal(list[0].tenant_name, "t1");
    assert_ok(credential_list(&c, 7, CREDENTIAL_HOST, &t->arena, &list, &n, &t->e), &t->e);
    assert_int_equal(n, 1);
    assert_string_equal(list[0].name, "one");
    end(&c);
}
STORE_TEST(listed_newest_first)

static void wrong_ones_are_refused(struct test_store *t)
{
    struct credential_context c = begin(t);
    struct credential_spec good = host("good"), wrong[6];
    struct credential_view v;

    (void)create(t, &c, &good);
    assert_err(credential_create(&c, 7, &good, &t->arena, &v, &t->e), &t->e, ERR_CREDENTIAL_NAME_USED);
    for (unsigned i = 0; i < 6; i++)
        wrong[i] = host("wrong");
    wrong[0].name = "";
    wrong[1].name = "a\nb";
    wrong[2].username = NULL;
    wrong[3].passphrase = NULL;
    wrong[4].passphrase = "";
    wrong[5].target = CREDENTIAL_OB;
    wrong[5].kind = CREDENTIAL_PRIVATE_KEY;
    for (unsigned i = 0; i < 6; i++)
        assert_err(credential_create(&c, 7, &wrong[i], &t->arena, &v, &t->e), &t->e, ERR_INVALID);
    end(&c);
}
STORE_TEST(wrong_ones_are_refused)

static void updates_keep_what_is_not_given(struct test_store *t)
{
    struct credential_context c = begin(t);
    struct credential_spec spec = host("one"), rename = { .target = -1, .name = "renamed", .kind = -1 }, other = host("other"),
                           secret_only = { .target = -1, .kind = -1, .passphrase = "ccDD22##" }, no_key = { .target = -1, .kind = CREDENTIAL_PRIVATE_KEY },
                           moved = { .target = CREDENTIAL_OB, .kind = -1 };
    struct credential_view v;
    char *secret;
    int64_t id = create(t, &c, &spec);

    (void)create(t, &c, &other);
    assert_ok(credential_update(&c, 7, id, &rename, &t->arena, &v, &t->e), &t->e);
    assert_string_equal(v.name, "renamed");
    assert_string_equal(v.username, "admin");
    assert_ok(credential_open(&c, 7, id, &t->arena, &v, &secret, &t->e), &t->e);
    assert_string_equal(secret, "aaBB11##");
    secret_free(secret);
    assert_ok(credential_update(&c, 7, id, &secret_only, &t->arena, &v, &t->e), &t->e);
    assert_ok(credential_open(&c, 7, id, &t->arena, &v, &secret, &t->e), &t->e);
    assert_string_equal(secret, "ccDD22##");
    secret_free(secret);
    rename.name = "other";
    assert_err(credential_update(&c, 7, id, &rename, &t->arena, &v, &t->e), &t->e, ERR_CREDENTIAL_NAME_USED);
    assert_err(credential_update(&c, 7, id, &no_key, &t->arena, &v, &t->e), &t->e, ERR_INVALID);
    assert_err(credential_update(&c, 7, id, &moved, &t->arena, &v, &t->e), &t->e, ERR_INVALID);
    assert_err(credential_update(&c, 7, 999999, &rename, &t->arena, &v, &t->e), &t->e, ERR_NOT_FOUND);
    end(&c);
}
STORE_TEST(updates_keep_what_is_not_given)

static void saving_creates_or_replaces(struct test_store *t)
{
    struct credential_context c = begin(t);
    struct credential_spec spec = host("root@sys of c1");
    struct credential_view *list;
    char *secret;
    size_t n;

    spec.target = CREDENTIAL_OB;
    spec.cluster_name = "c1";
    assert_ok(credential_save(&c, 7, &spec, &t->arena, &t->e), &t->e);
    spec.passphrase = "ccDD22##";
    assert_ok(credential_save(&c, 7, &spec, &t->arena, &t->e), &t->e);
    assert_ok(credential_list(&c, 7, -1, &t->arena, &list, &n, &t->e), &t->e);
    assert_int_equal(n, 1);
    assert_ok(credential_open(&c, 7, list[0].id, &t->arena, &list[0], &secret, &t->e), &t->e);
    assert_string_equal(secret, "ccDD22##");
    secret_free(secret);
    end(&c);
}
STORE_TEST(saving_creates_or_replaces)

static void deleted_once(struct test_store *t)
{
    struct credential_context c = begin(t);
    struct credential_spec spec = host("one");
    int64_t id = create(t, &c, &spec);
    const char *name;

    assert_ok(credential_delete(&c, 7, id, &t->arena, &name, &t->e), &t->e);
    assert_string_equal(name, "one");
    assert_err(credential_delete(&c, 7, id, &t->arena, &name, &t->e), &t->e, ERR_NOT_FOUND);
    end(&c);
}
STORE_TEST(deleted_once)

static void hosts_are_not_verified_in_pretence(struct test_store *t)
{
    struct credential_context c = begin(t);
    struct credential_spec spec = host("one");
    const int64_t hosts[] = { 5 };
    struct credential_view v;

    spec.validate = true;
    (void)create(t, &c, &spec);                     /* without hosts there is nothing to try */
    spec.name = "two";
    spec.host_ids = hosts;
    spec.n_host_ids = 1;
    spec.has_host_ids = true;
    assert_err(credential_create(&c, 7, &spec, &t->arena, &v, &t->e), &t->e, ERR_CREDENTIAL_UNVERIFIED);
    spec.has_host_ids = false;
    spec.kind = CREDENTIAL_PRIVATE_KEY;
    assert_err(credential_create(&c, 7, &spec, &t->arena, &v, &t->e), &t->e, ERR_SSH_KEY);
    spec.name = "three";
    spec.target = CREDENTIAL_OBPROXY;
    spec.kind = CREDENTIAL_PASSWORD;
    assert_err(credential_create(&c, 7, &spec, &t->arena, &v, &t->e), &t->e, ERR_CREDENTIAL_UNVERIFIED);
    end(&c);
}
STORE_TEST(hosts_are_not_verified_in_pretence)

static int insert_cluster(struct tx *tx, void *data, struct err *e)
{
    return store_obcluster_insert(tx, data, e);
}

static void logins_are_tried(struct test_store *t)
{
    struct obcluster cluster = { .id = 1, .name = "c1", .ob_cluster_id = 1, .engine = "OCEANBASE", .type = "PRIMARY", .connection_mode = "direct",
                                 .username = "root", .instance = "i", .version = "", .full_version = "", .architecture = "", .creator_name = "" };
    struct credential_context c = begin(t);
    struct credential_spec spec = host("ob");
    struct sql_target server = test_store_target(NULL);
    struct credential_view v;
    const char *user;

    if (server.host == NULL)
        return; /* the cluster of this test is the MariaDB itself, which has to be reachable by TCP */
    (void)test_store_sql(t, "DELETE FROM obcluster");
    cluster.address = server.host;
    cluster.port = server.port;
    assert_ok(db_transact(t->db, insert_cluster, &cluster, &t->e), &t->e);
    /* a kernel takes the tenant off the name; to a MariaDB it is part of it */
    user = test_store_is_mariadb(t) ? "probe@sys" : "probe";
    (void)test_store_sql(t, arena_printf(&t->arena, "DROP USER IF EXISTS '%s'@'%%'", user));
    (void)test_store_sql(t, arena_printf(&t->arena, "CREATE USER '%s'@'%%' IDENTIFIED BY 'aaBB11##'", user));
    spec.target = CREDENTIAL_OB;
    spec.validate = true;
    assert_err(credential_create(&c, 7, &spec, &t->arena, &v, &t->e), &t->e, ERR_CREDENTIAL_UNVERIFIED); /* names no cluster */
    spec.cluster_name = "unknown";
    assert_err(credential_create(&c, 7, &spec, &t->arena, &v, &t->e), &t->e, ERR_CREDENTIAL_UNVERIFIED);
    spec.cluster_name = "c1";
    assert_err(credential_create(&c, 7, &spec, &t->arena, &v, &t->e), &t->e, ERR_CREDENTIAL_UNVERIFIED); /* no such user */
    spec.username = "probe";
    (void)create(t, &c, &spec);
    spec.name = "ob2";
    spec.passphrase = "wrong";
    assert_err(credential_create(&c, 7, &spec, &t->arena, &v, &t->e), &t->e, ERR_CREDENTIAL_UNVERIFIED);
    end(&c);
}
STORE_TEST(logins_are_tried)

const struct CMUnitTest rules_credential_tests[] = {
    STORE_UNIT(kept_and_used),
    STORE_UNIT(others_have_nothing_of_it),
    STORE_UNIT(listed_newest_first),
    STORE_UNIT(wrong_ones_are_refused),
    STORE_UNIT(updates_keep_what_is_not_given),
    STORE_UNIT(saving_creates_or_replaces),
    STORE_UNIT(deleted_once),
    STORE_UNIT(hosts_are_not_verified_in_pretence),
    STORE_UNIT(logins_are_tried),
    { 0 },
};
