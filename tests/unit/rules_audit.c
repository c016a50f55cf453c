/* SPDX-License-Identifier: Apache-2.0 */
/* The record of changes. */
#include "src/audit/audit.h"
#include "tests/lib/store.h"
#include "tests/unit/rules_tests.h"

static struct audit_event sample(void)
{
    return (struct audit_event){
        .operation = "host-batch-create", .event = "ADD_HOSTS", .type = "COMPUTE_HOST_MANAGEMENT", .resource_type = "COMPUTE_HOST",
        .resource_id = 5, .resource_name = "h1", .parent_resource = "", .user_id = 7, .username = "anna", .client_ip = "10.0.0.1",
        .status = "SUCCESS", .execution = "NEW", .info = "{\"request\":{\"passphrase\":\"******\"}}", .trace = "0123456789abcdef",
        .started_us = 1700000000000000, .ended_us = 1700000000500000,
    };
}

static void events_are_written(struct test_store *t)
{
    struct audit_event event = sample(), read;
    struct audit a;

    audit_init(&a, "n1", &test_log);
    audit_write(&a, t->db, &event);
    assert_int_equal(a.written, 1);
    assert_ok(store_audit_get(t->db, event.id, &t->arena, &read, &t->e), &t->e);
    assert_string_equal(read.event, "ADD_HOSTS");
    assert_string_equal(read.node, "n1");
    assert_string_equal(read.username, "anna");
}
STORE_TEST(events_are_written)

static void a_cancelled_request_is_recorded(struct test_store *t)
{
    struct audit_event event = sample(), read;
    struct audit a;

    audit_init(&a, "n1", &test_log);
    fiber_cancel(fiber_current());
    audit_write(&a, t->db, &event);
    (void)fiber_shield(true);
    assert_int_equal(a.written, 1);
    assert_ok(store_audit_get(t->db, event.id, &t->arena, &read, &t->e), &t->e);
}
STORE_TEST(a_cancelled_request_is_recorded)

static void failures_are_counted(struct test_store *t)
{
    struct sql_target nowhere = { .host = "127.0.0.1", .port = 1, .user = "x", .database = "x", .connect_timeout_ms = 200 };
    struct db *away = test_store_open(t, (struct db_conf){ .name = "MetaDB", .targets = &nowhere, .n_targets = 1 });
    struct audit_event event = sample();
    struct audit a;

    audit_init(&a, "n1", &test_log);
    (void)fiber_narrow_deadline(500);
    audit_write(&a, away, &event);
    assert_int_equal(a.written, 0);
    assert_int_equal(a.failed, 1);
    db_free(away);
}
STORE_TEST(failures_are_counted)

static void operations_have_names(struct test_store *t)
{
    char made[AUDIT_NAME_SIZE];
    struct audit_operation o = audit_operation_of("ob-cluster-take-over", made);

    (void)t;
    assert_string_equal(o.event, "TAKE_OVER_OB_CLUSTER");
    assert_string_equal(o.type, "OB_CLUSTER_MANAGEMENT");
    o = audit_operation_of("ob-cluster-tenant-user-something-new", made);
    assert_string_equal(o.event, "OB_CLUSTER_TENANT_USER_SOMETHING_NEW");
    assert_string_equal(o.type, "OB_TENANT_MANAGEMENT");
    o = audit_operation_of("config-property-update", made);
    assert_string_equal(o.event, "CONFIG_PROPERTY_UPDATE");
    assert_string_equal(o.type, "OCP_CLUSTER_MANAGEMENT");
    o = audit_operation_of("an-operation-whose-name-is-longer-than-sixty-four-characters-by-far", made);
    assert_int_equal(strlen(o.event), AUDIT_NAME_SIZE - 1);
    for (const struct audit_operation *a = audit_operations; a->operation != NULL; a++)
        for (const struct audit_operation *b = a + 1; b->operation != NULL; b++)
            assert_string_not_equal(a->operation, b->operation);
}
STORE_TEST(operations_have_names)

const struct CMUnitTest rules_audit_tests[] = {
    STORE_UNIT(events_are_written), STORE_UNIT(a_cancelled_request_is_recorded), STORE_UNIT(failures_are_counted),
    STORE_UNIT(operations_have_names), { 0 },
};
