/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials, properties, audit events, request keys. */
#include <stdio.h>

#include "src/node/registry.h"
#include "src/store/audit.h"
#include "src/store/credential.h"
#include "src/store/property.h"
#include "tests/lib/store.h"
#include "tests/unit/store_tests.h"

static int64_t new_id(struct test_store *t)
{
    int64_t id;

    assert_ok(db_next_id(t->db, &id, &t->e), &t->e);
    return id;
}

/* --- credentials ------------------------------------------------------------------------------------------------------------ */

struct box {
    struct credential c;
    struct slice former;
    int64_t user_id;
    bool changed;
};

static int insert_credential(struct tx *tx, void *data, struct err *e)
{
    return store_credential_insert(tx, &((struct box *)data)->c, e);
}

static int update_credential(struct tx *tx, void *data, struct err *e)
{
    return store_credential_update(tx, &((struct box *)data)->c, e);
}

static int delete_credential(struct tx *tx, void *data, struct err *e)
{
    struct box *b = data;

    return store_credential_delete(tx, b->user_id, b->c.id, e);
}

static int reseal_credential(struct tx *tx, void *data, struct err *e)
{
    struct box *b = data;

    return store_credential_reseal(tx, b->c.id, b->former, b->c.secret, &b->changed, e);
}

static struct box some_credential(struct test_store *t, int64_t user_id, const char *name)
{
    return (struct box){ .user_id = user_id,
                         .c = { .id = new_id(t), .user_id = user_id, .target_type = "HOST", .name = name, .description = "", .kind = "PASSWORD",
                                .username = "admin", .secret = { "s\0\xff'\\", 5 }, .extra = "{}" } };
}

static void credential_lives(struct test_store *t)
{
    struct box b, other;
    struct credential got, *list;
    int64_t total;
    size_t n;

    (void)test_store_sql(t, "DELETE FROM credential");
    b = some_credential(t, 7, "a");
    other = some_credential(t, 8, "a");
    assert_ok(db_transact(t->db, insert_credential, &b, &t->e), &t->e);
    assert_ok(db_transact(t->db, insert_credential, &other, &t->e), &t->e);
    assert_err(store_credential_get(t->db, 7, other.c.id, &t->arena, &got, &t->e), &t->e, ERR_NOT_FOUND);
    assert_ok(store_credential_open(t->db, other.c.id, &t->arena, &got, &t->e), &t->e);
    assert_ok(store_credential_get(t->db, 7, b.c.id, &t->arena, &got, &t->e), &t->e);
    assert_int_equal(got.secret.n, 5);
    assert_memory_equal(got.secret.s, "s\0\xff'\\", 5);
    b.c.id++;
    assert_err(db_transact(t->db, insert_credential, &b, &t->e), &t->e, ERR_NAME_USED);
    b.c.id--;
    b.c.username = "root";
    b.c.secret = (struct slice){ NULL, 0 };
    assert_ok(db_transact(t->db, update_credential, &b, &t->e), &t->e);
    assert_ok(store_credential_list(t->db, 7, "HOST", "a", NULL, &t->arena, &list, &n, &total, &t->e), &t->e);
    assert_int_equal(n, 1);
    assert_string_equal(list[0].username, "root");
    assert_int_equal(list[0].secret.n, 5);
    assert_ok(store_credential_list(t->db, 7, "OB", NULL, NULL, &t->arena, &list, &n, &total, &t->e), &t->e);
    assert_int_equal(n, 0);
    b.user_id = 8;
    assert_err(db_transact(t->db, delete_credential, &b, &t->e), &t->e, ERR_NOT_FOUND);
    b.user_id = 7;
    assert_ok(db_transact(t->db, delete_credential, &b, &t->e), &t->e);
}
STORE_TEST(credential_lives)

static void credentials_are_sealed_anew(struct test_store *t)
{
    struct box b = some_credential(t, 9, "first"), second = some_credential(t, 9, "second");
    struct credential *list;
    size_t n;

    (void)test_store_sql(t, "DELETE FROM credential");
    assert_ok(db_transact(t->db, insert_credential, &b, &t->e), &t->e);
    assert_ok(db_transact(t->db, insert_credential, &second, &t->e), &t->e);
    assert_ok(store_credential_after(t->db, 0, 1, &t->arena, &list, &n, &t->e), &t->e);
    assert_int_equal(n, 1);
    assert_int_equal(list[0].id, b.c.id);
    b.former = list[0].secret;
    b.c.secret = SLICE("anew");
    assert_ok(db_transact(t->db, reseal_credential, &b, &t->e), &t->e);
    assert_true(b.changed);
    assert_ok(db_transact(t->db, reseal_credential, &b, &t->e), &t->e);
    assert_false(b.changed);
    assert_ok(store_credential_after(t->db, b.c.id, 10, &t->arena, &list, &n, &t->e), &t->e);
    assert_int_equal(n, 1);
    assert_int_equal(list[0].id, second.c.id);
}
STORE_TEST(credentials_are_sealed_anew)

/* --- properties ------------------------------------------------------------------------------------------------------------- */

struct setting_job {
    struct test_store *t;
    const char *name, *value, *old;
    int64_t id;
};

static int set_property(struct tx *tx, void *data, struct err *e)
{
    struct setting_job *j = data;

    return store_property_set(tx, j->id, j->name, j->value, 7, "admin", &j->t->arena, &j->old, e);
}

static const char *set(struct test_store *t, const char *name, const char *value)
{
    struct setting_job j = { .t = t, .name = name, .value = value, .id = new_id(t) };

    assert_ok(db_transact(t->db, set_property, &j, &t->e), &t->e);
    return j.old;
}

static void property_has_a_history(struct test_store *t)
{
    struct store_page page = { .number = 1, .size = 2 };
    struct property *all;
    struct property_change *changes;
    int64_t before, after, total;
    size_t n;

    assert_ok(store_property_version(t->db, &before, &t->e), &t->e);
    assert_null(set(t, "a.b", "1"));
    assert_string_equal(set(t, "a.b", "2"), "1");
    assert_string_equal(set(t, "a.b", "2"), "2");
    assert_null(set(t, "a.a", "x"));
    assert_ok(store_property_version(t->db, &after, &t->e), &t->e);
    assert_int_equal(after, before + 3);
    assert_ok(store_property_all(t->db, &t->arena, &all, &n, &t->e), &t->e);
    assert_int_equal(n, 2);
    assert_string_equal(all[0].name, "a.a");
    assert_int_equal(all[0].version, after);
    assert_string_equal(all[1].value, "2");
    assert_string_equal(all[1].username, "admin");
    assert_string_equal(set(t, "a.b", NULL), "2");
    assert_ok(store_property_all(t->db, &t->arena, &all, &n, &t->e), &t->e);
    assert_int_equal(n, 1);
    assert_ok(store_property_history(t->db, "a.b", &page, &t->arena, &changes, &n, &total, &t->e), &t->e);
    assert_int_equal(n, 2);
    assert_int_equal(total, 3);
    assert_string_equal(changes[0].old_value, "2");
    assert_null(changes[0].new_value);
    assert_string_equal(changes[1].old_value, "1");
}
STORE_TEST(property_has_a_history)

static void sets_often(void *data)
{
    struct setting_job *j = data;
    char value[24];

    for (int i = 0; i < 20; i++) {
        (void)snprintf(value, sizeof value, "%s %d", j->name, i);
        (void)set(j->t, j->name, value);
    }
}

static void every_change_has_its_version(struct test_store *t)
{
    struct setting_job jobs[3] = { { .t = t, .name = "c.x" }, { .t = t, .name = "c.y" }, { .t = t, .name = "c.z" } };
    struct fiber_group g = { 0 };
    int64_t before, after;

    assert_ok(store_property_version(t->db, &before, &t->e), &t->e);
    for (int i = 0; i < 3; i++)
        assert_ok(fiber_group_start(&g, loop_current(), "sets", sets_often, &jobs[i], &t->e), &t->e);
    assert_ok(fiber_group_wait(&g, &t->e), &t->e);
    assert_ok(store_property_version(t->db, &after, &t->e), &t->e);
    assert_int_equal(after, before + 60);
}
STORE_TEST(every_change_has_its_version)

/* --- audit ------------------------------------------------------------------------------------------------------------------ */

struct batch {
    struct audit_event events[AUDIT_MAX_BATCH];
    unsigned n;
};

static int insert_events(struct tx *tx, void *data, struct err *e)
{
    struct batch *b = data;

    return store_audit_insert(tx, b->events, b->n, e);
}

static void add_events(struct test_store *t, unsigned n, const char *user, int64_t user_id)
{
    struct batch b = { .n = n };
    int64_t now = clock_wall_us(&clock_system);

    for (unsigned i = 0; i < n; i++)
        b.events[i] = (struct audit_event){ .id = new_id(t), .operation = "host-delete", .event = "UPDATE_HOST", .type = "COMPUTE_HOST_MANAGEMENT",
                                            .resource_type = "COMPUTE_HOST", .resource_id = i, .resource_name = "Host-A", .username = user,
                                            .user_id = user_id, .client_ip = "10.0.0.9", .status = i % 2 == 0 ? "SUCCESS" : "FAILED",
                                            .execution = "NEW", .info = "{\"password\":\"******\"}", .trace = "0123456789abcdef", .node = "n1",
                                            .started_us = now + i, .ended_us = now + 1000 };
    assert_ok(db_transact(t->db, insert_events, &b, &t->e), &t->e);
}

static int64_t count_events(struct test_store *t, struct audit_filter f)
{
    struct store_page page = { .number = 1, .size = 1 };
    struct audit_event *events;
    int64_t total;
    size_t n;

    assert_ok(store_audit_list(t->db, &f, &page, &t->arena, &events, &n, &total, &t->e), &t->e);
    return total;
}

static void audit_is_searched(struct test_store *t)
{
    const char *types[] = { "COMPUTE_HOST_MANAGEMENT" };
    int64_t users[] = { 21, 22 };
    struct audit_filter any = { .from_us = FIELD_NONE, .until_us = FIELD_NONE, .task_id = FIELD_NONE, .resource_id = FIELD_NONE }, f;
    int64_t begin = clock_wall_us(&clock_system);

    (void)test_store_sql(t, "DELETE FROM audit_event");
    add_events(t, 50, "alice", 21);
    add_events(t, 3, "bob", 23);
    assert_int_equal(count_events(t, any), 53);
    f = any, f.types = (struct field_strings){ types, 1 };
    assert_int_equal(count_events(t, f), 53);
    f = any, f.user_ids = (struct field_ints){ users, 2 };
    assert_int_equal(count_events(t, f), 50);
    f = any, f.status = "FAILED";
    assert_int_equal(count_events(t, f), 26);
    f = any, f.resource_name = "host-a", f.info = "PASSWORD";
    assert_int_equal(count_events(t, f), 53);
    f = any, f.until_us = begin - 1;
    assert_int_equal(count_events(t, f), 0);
    f = any, f.from_us = begin, f.task_id = 0;
    assert_int_equal(count_events(t, f), 53);
}
STORE_TEST(audit_is_searched)

static void long_texts_are_cut(struct test_store *t)
{
    char name[401];
    struct batch b = { .n = 1 };
    struct audit_event got;

    for (size_t i = 0; i + 1 < sizeof name; i += 2)
        memcpy(name + i, "\xc3\xa4", 3);
    b.events[0] = (struct audit_event){ .id = new_id(t), .operation = "x", .resource_name = name };
    assert_ok(db_transact(t->db, insert_events, &b, &t->e), &t->e);
    assert_ok(store_audit_get(t->db, b.events[0].id, &t->arena, &got, &t->e), &t->e);
    assert_int_equal(strlen(got.resource_name), 254);
    assert_string_equal(got.info, "");
    (void)test_store_sql(t, "UPDATE audit_event SET started_at = NOW(6) - INTERVAL 8 DAY WHERE operation = 'x'");
    assert_ok(store_audit_prune(t->db, 7, &t->e), &t->e);
    assert_err(store_audit_get(t->db, b.events[0].id, &t->arena, &got, &t->e), &t->e, ERR_NOT_FOUND);
}
STORE_TEST(long_texts_are_cut)

/* --- nodes ------------------------------------------------------------------------------------------------------------------ */

static void node_registers_itself(struct test_store *t)
{
    struct node self = { .name = "n1", .zone = "z", .idc = "", .address = "127.0.0.1:1", .version = "1", .build_time = "", .started_us = 1000000 };
    struct node again = self, read;

    assert_ok(node_beat(t->db, &self, false, &t->e), &t->e);
    assert_true(self.id > 1000);
    again.version = "2";
    assert_ok(node_beat(t->db, &again, false, &t->e), &t->e);
    assert_int_equal(again.id, self.id); /* a new process under the same name is the same node */
    assert_ok(store_node_get(t->db, self.id, &t->arena, &read, &t->e), &t->e);
    assert_string_equal(read.version, "2");
    assert_string_equal(read.status, "ONLINE");
    assert_int_equal(read.started_us, 1000000);
    assert_ok(node_beat(t->db, &again, true, &t->e), &t->e);
    assert_ok(store_node_get(t->db, self.id, &t->arena, &read, &t->e), &t->e);
    assert_string_equal(read.status, "DRAINING");
}
STORE_TEST(node_registers_itself)

static int lose_node(struct tx *tx, void *data, struct err *e)
{
    (void)data;
    return tx_exec(tx, "DELETE FROM node WHERE name = 'n2'", DB_NO_ARGS, NULL, e);
}

static int age_node(struct tx *tx, void *data, struct err *e)
{
    (void)data;
    return tx_exec(tx, "UPDATE node SET seen_at = NOW(6) - INTERVAL 11 SECOND WHERE name = 'n2'", DB_NO_ARGS, NULL, e);
}

static void removed_node_is_told(struct test_store *t)
{
    struct node self = { .name = "n2", .zone = "", .idc = "", .address = "", .version = "1", .build_time = "" }, read;
    int64_t former;

    assert_ok(node_beat(t->db, &self, false, &t->e), &t->e);
    former = self.id;
    assert_ok(db_transact(t->db, age_node, NULL, &t->e), &t->e);
    assert_ok(store_node_get(t->db, self.id, &t->arena, &read, &t->e), &t->e);
    assert_string_equal(read.status, "OFFLINE");
    assert_ok(db_transact(t->db, lose_node, NULL, &t->e), &t->e);
    assert_err(node_beat(t->db, &self, false, &t->e), &t->e, ERR_NODE_REMOVED);
    assert_int_equal(self.id, former);
}
STORE_TEST(removed_node_is_told)

const struct CMUnitTest store_record_tests[] = {
    STORE_UNIT(node_registers_itself),
    STORE_UNIT(removed_node_is_told),
    STORE_UNIT(credential_lives),
    STORE_UNIT(credentials_are_sealed_anew),
    STORE_UNIT(property_has_a_history),
    STORE_UNIT(every_change_has_its_version),
    STORE_UNIT(audit_is_searched),
    STORE_UNIT(long_texts_are_cut),
    { 0 },
};
