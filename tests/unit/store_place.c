/* SPDX-License-Identifier: Apache-2.0 */
/* Regions, IDCs, host types and hosts; with them what all lists have in common. */
#include <stdio.h>

#include "src/store/host.h"
#include "src/store/place.h"
#include "tests/lib/store.h"
#include "tests/unit/store_tests.h"

static int64_t new_id(struct test_store *t)
{
    int64_t id;

    assert_ok(db_next_id(t->db, &id, &t->e), &t->e);
    return id;
}

static void clear(struct test_store *t)
{
    (void)test_store_sql(t, "DELETE FROM host");
    (void)test_store_sql(t, "DELETE FROM idc");
    (void)test_store_sql(t, "DELETE FROM region");
    (void)test_store_sql(t, "DELETE FROM host_type");
}

static int64_t add_region(struct test_store *t, const char *name)
{
    struct region r = { .id = new_id(t), .name = name, .description = "of tests" };

    assert_ok(store_region_insert(t->db, &r, &t->e), &t->e);
    return r.id;
}

static int64_t add_idc(struct test_store *t, const char *name, int64_t region_id)
{
    struct idc i = { .id = new_id(t), .name = name, .description = "", .region_id = region_id };

    assert_ok(store_idc_insert(t->db, &i, &t->e), &t->e);
    return i.id;
}

static int64_t add_host_type(struct test_store *t, const char *name)
{
    struct host_type h = { .id = new_id(t), .name = name, .description = "" };

    assert_ok(store_host_type_insert(t->db, &h, &t->e), &t->e);
    return h.id;
}

static void region_lives(struct test_store *t)
{
    struct region r = { .name = "r\xc3\xb6gion 'x'", .description = "d" }, same = { .name = "r\xc3\xb6gion 'x'", .description = "" };
    struct region got;

    clear(t);
    r.id = new_id(t);
    same.id = new_id(t);
    assert_ok(store_region_insert(t->db, &r, &t->e), &t->e);
    assert_err(store_region_insert(t->db, &same, &t->e), &t->e, ERR_NAME_USED);
    assert_ok(store_region_find(t->db, r.name, &t->arena, &got, &t->e), &t->e);
    assert_int_equal(got.id, r.id);
    assert_true(got.created_us > 1700000000ll * 1000000 && got.updated_us == got.created_us);
    r.name = "other";
    r.description = "e";
    assert_ok(store_region_update(t->db, &r, &t->e), &t->e);
    assert_ok(store_region_get(t->db, r.id, &t->arena, &got, &t->e), &t->e);
    assert_string_equal(got.name, "other");
    assert_string_equal(got.description, "e");
    assert_ok(store_region_delete(t->db, r.id, &t->e), &t->e);
    assert_err(store_region_get(t->db, r.id, &t->arena, &got, &t->e), &t->e, ERR_NOT_FOUND);
    assert_err(store_region_update(t->db, &r, &t->e), &t->e, ERR_NOT_FOUND);
    assert_err(store_region_delete(t->db, r.id, &t->e), &t->e, ERR_NOT_FOUND);
}
STORE_TEST(region_lives)

static void what_is_used_stays(struct test_store *t)
{
    struct idc nowhere = { .id = new_id(t), .name = "x", .description = "", .region_id = 999 };
    char text[256];
    int64_t region, idc;

    clear(t);
    region = add_region(t, "r");
    idc = add_idc(t, "i", region);
    assert_err(store_idc_insert(t->db, &nowhere, &t->e), &t->e, ERR_NOT_FOUND);
    assert_err(store_region_delete(t->db, region, &t->e), &t->e, ERR_IN_USE);
    (void)snprintf(text, sizeof text, "The region %lld is used by 1 IDCs. Remove that first.", (long long)region);
    assert_string_equal(err_text(&t->e, ERR_EN, (char[512]){ 0 }, 512), text);
    assert_ok(store_idc_delete(t->db, idc, &t->e), &t->e);
    assert_ok(store_region_delete(t->db, region, &t->e), &t->e);
}
STORE_TEST(what_is_used_stays)

static void lists_come_in_pages(struct test_store *t)
{
    struct store_page page = { .number = 2, .size = 3, .sort = "name" };
    struct region *r;
    char name[8];
    int64_t total;
    size_t n;

    clear(t);
    for (int i = 0; i < 7; i++) {
        (void)snprintf(name, sizeof name, "r%d", i);
        (void)add_region(t, name);
    }
    assert_ok(store_region_list(t->db, &page, &t->arena, &r, &n, &total, &t->e), &t->e);
    assert_int_equal(n, 3);
    assert_int_equal(total, 7);
    assert_string_equal(r[0].name, "r3");
    page.number = 3;
    assert_ok(store_region_list(t->db, &page, &t->arena, &r, &n, &total, &t->e), &t->e);
    assert_int_equal(n, 1);
    assert_int_equal(total, 7);
    page.number = 4;
    assert_ok(store_region_list(t->db, &page, &t->arena, &r, &n, &total, &t->e), &t->e);
    assert_int_equal(n, 0);
    assert_int_equal(total, 7);
    page.number = INT64_MAX / 2;
    assert_ok(store_region_list(t->db, &page, &t->arena, &r, &n, &total, &t->e), &t->e);
    assert_int_equal(n, 0);
    page = (struct store_page){ .number = 1, .size = 100, .sort = "name; DROP TABLE region", .descending = false };
    assert_ok(store_region_list(t->db, &page, &t->arena, &r, &n, &total, &t->e), &t->e);
    assert_string_equal(r[0].name, "r6"); /* newest first */
    assert_ok(store_region_list(t->db, NULL, &t->arena, &r, &n, &total, &t->e), &t->e);
    assert_int_equal(n, 7);
    assert_int_equal(total, 7);
}
STORE_TEST(lists_come_in_pages)

/* --- hosts ------------------------------------------------------------------------------------------------------------------ */

struct insert {
    struct host host;
    const char *from, *to;
};

static int insert_host(struct tx *tx, void *data, struct err *e)
{
    return store_host_insert(tx, &((struct insert *)data)->host, e);
}

static int update_host(struct tx *tx, void *data, struct err *e)
{
    return store_host_update(tx, &((struct insert *)data)->host, e);
}

static int move_host(struct tx *tx, void *data, struct err *e)
{
    struct insert *i = data;

    return store_host_set_status(tx, i->host.id, i->from, i->to, e);
}

static int delete_host(struct tx *tx, void *data, struct err *e)
{
    return store_host_delete(tx, ((struct insert *)data)->host.id, e);
}

static struct insert some_host(struct test_store *t, const char *ip, int64_t idc, int64_t type)
{
    return (struct insert){ .host = { .id = new_id(t), .name = ip, .alias = "Alias_100%", .description = "", .operating_system = "Linux",
                                      .operating_system_release = "6.1", .architecture = "x86_64", .serial_number = "", .ip = ip,
                                      .ssh_port = 22, .kind = "DEDICATED_PHYSICAL_MACHINE", .publish_ports = "", .status = "AVAILABLE",
                                      .idc_id = idc, .type_id = type } };
}

static void host_lives(struct test_store *t)
{
    struct insert h;
    struct host got;
    int64_t idc, type;

    clear(t);
    idc = add_idc(t, "i", add_region(t, "r"));
    type = add_host_type(t, "t");
    h = some_host(t, "10.0.0.1", idc, type);
    assert_ok(db_transact(t->db, insert_host, &h, &t->e), &t->e);
    assert_ok(store_host_find(t->db, "10.0.0.1", &t->arena, &got, &t->e), &t->e);
    assert_string_equal(got.region_name, "r");
    assert_string_equal(got.idc_name, "i");
    assert_string_equal(got.type_name, "t");
    assert_err(store_host_type_delete(t->db, type, &t->e), &t->e, ERR_IN_USE);
    assert_err(store_idc_delete(t->db, idc, &t->e), &t->e, ERR_IN_USE);
    h.host.id++;
    assert_err(db_transact(t->db, insert_host, &h, &t->e), &t->e, ERR_NAME_USED);
    assert_err(db_transact(t->db, update_host, &h, &t->e), &t->e, ERR_NOT_FOUND);
    h.host.id--;
    h.host.alias = "new";
    assert_ok(db_transact(t->db, update_host, &h, &t->e), &t->e);
    h.from = "ONLINE";
    h.to = "DELETING";
    assert_err(db_transact(t->db, move_host, &h, &t->e), &t->e, ERR_CONFLICT);
    h.from = "AVAILABLE";
    assert_ok(db_transact(t->db, move_host, &h, &t->e), &t->e);
    assert_ok(store_host_get(t->db, h.host.id, &t->arena, &got, &t->e), &t->e);
    assert_string_equal(got.alias, "new");
    assert_string_equal(got.status, "DELETING");
    h.host = (struct host){ .id = got.id, .description = "only this", .ssh_port = FIELD_NONE, .idc_id = FIELD_NONE, .type_id = FIELD_NONE, .credential_id = FIELD_NONE };
    assert_ok(db_transact(t->db, update_host, &h, &t->e), &t->e);
    assert_ok(store_host_get(t->db, h.host.id, &t->arena, &got, &t->e), &t->e);
    assert_string_equal(got.description, "only this");
    assert_string_equal(got.alias, "new");
    assert_string_equal(got.status, "DELETING");
    assert_int_equal(got.ssh_port, 22);
    assert_int_equal(got.idc_id, idc);
    assert_ok(db_transact(t->db, delete_host, &h, &t->e), &t->e);
    assert_err(db_transact(t->db, delete_host, &h, &t->e), &t->e, ERR_NOT_FOUND);
}
STORE_TEST(host_lives)

static size_t count_hosts(struct test_store *t, const struct host_filter *f)
{
    struct store_page page = { .number = 1, .size = 2 };
    struct host *h;
    int64_t total;
    size_t n;

    assert_ok(store_host_list(t->db, f, &page, &t->arena, &h, &n, &total, &t->e), &t->e);
    return (size_t)total;
}

static void hosts_are_filtered(struct test_store *t)
{
    int64_t idc, type;
    int64_t ids[2];
    const char *words[] = { "AVAILABLE", "ONLINE" };
    const char *one_ip[] = { "10.0.0.2" };

    clear(t);
    idc = add_idc(t, "i", add_region(t, "r"));
    type = add_host_type(t, "t");
    for (int i = 0; i < 5; i++) {
        char ip[16];
        struct insert h;

        (void)snprintf(ip, sizeof ip, "10.0.0.%d", i);
        h = some_host(t, ip, idc, type);
        h.host.status = i < 3 ? "AVAILABLE" : "OFFLINE";
        assert_ok(db_transact(t->db, insert_host, &h, &t->e), &t->e);
        ids[i % 2] = h.host.id;
    }
    assert_int_equal(count_hosts(t, NULL), 5);
    assert_int_equal(count_hosts(t, &(struct host_filter){ .status = { words, 2 } }), 3);
    assert_int_equal(count_hosts(t, &(struct host_filter){ .keyword = "alias_100%" }), 5);
    assert_int_equal(count_hosts(t, &(struct host_filter){ .keyword = "10_0" }), 0);
    assert_int_equal(count_hosts(t, &(struct host_filter){ .keyword = "0.4" }), 1);
    assert_int_equal(count_hosts(t, &(struct host_filter){ .ids = { ids, 2 } }), 2);
    assert_int_equal(count_hosts(t, &(struct host_filter){ .ips = { one_ip, 1 }, .idc_ids = { &idc, 1 } }), 1);
    assert_int_equal(count_hosts(t, &(struct host_filter){ .type_ids = { &idc, 1 } }), 0);
}
STORE_TEST(hosts_are_filtered)

static void too_many_values_are_refused(struct test_store *t)
{
    int64_t ids[FILTER_MAX_VALUES + 1] = { 0 };
    struct host *h;
    size_t n;

    assert_err(store_host_list(t->db, &(struct host_filter){ .ids = { ids, FILTER_MAX_VALUES + 1 } }, NULL, &t->arena, &h, &n, NULL, &t->e), &t->e,
               ERR_INVALID);
}
STORE_TEST(too_many_values_are_refused)

static int lists_hosts(void *data)
{
    struct test_store *t = data;
    struct store_page page = { .number = 1, .size = 1 };
    const char *words[] = { "AVAILABLE", "OFFLINE" };
    struct host_filter f = { .status = { words, 2 }, .keyword = "10.0" };
    struct arena arena;
    struct host *h;
    int64_t total;
    size_t n;
    int rv;

    arena_init(&arena);
    rv = store_host_list(t->db, &f, &page, &arena, &h, &n, &total, &t->e);
    if (rv == 0) {
        assert_int_equal(n, 1);
        assert_int_equal(total, 5);
    }
    arena_fini(&arena);
    return rv;
}

static void memory_failures_leave_lists_alone(struct test_store *t)
{
    hosts_are_filtered(t);
    test_oom_sweep(lists_hosts, t);
}
STORE_TEST(memory_failures_leave_lists_alone)

const struct CMUnitTest store_place_tests[] = {
    STORE_UNIT(region_lives),
    STORE_UNIT(what_is_used_stays),
    STORE_UNIT(lists_come_in_pages),
    STORE_UNIT(host_lives),
    STORE_UNIT(hosts_are_filtered),
    STORE_UNIT(too_many_values_are_refused),
    STORE_UNIT(memory_failures_leave_lists_alone),
    { 0 },
};
