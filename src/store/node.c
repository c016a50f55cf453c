/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/node.h"

#include "src/store/change.h"

static const struct list_sort sorts[] = {
    { "name", "name" }, { "id", "id" }, { "zone", "zone" }, { "version", "version" }, { "startTime", "started_at" }, { "seenTime", "seen_at" }, { NULL },
};
static const struct sql_field fields[] = {
    SQL_FIELD(node, id, "id", SQL_C_INT64),
    SQL_FIELD(node, name, "name", SQL_C_TEXT),
    SQL_FIELD(node, zone, "zone", SQL_C_TEXT),
    SQL_FIELD(node, idc, "idc", SQL_C_TEXT),
    SQL_FIELD(node, address, "address", SQL_C_TEXT),
    SQL_FIELD(node, version, "version", SQL_C_TEXT),
    SQL_FIELD(node, build_time, "build_time", SQL_C_TEXT),
    SQL_FIELD(node, peer_address, "peer_address", SQL_C_TEXT),
    SQL_FIELD(node, witness, "witness", SQL_C_BOOL),
    SQL_FIELD(node, drain_wanted, "drain_wanted", SQL_C_BOOL),
    SQL_FIELD(node, renew_wanted, "renew_wanted", SQL_C_BOOL),
    SQL_FIELD(node, draining, "draining", SQL_C_BOOL),
    SQL_FIELD(node, started_us, "started_at", SQL_C_TIME),
    SQL_FIELD(node, seen_us, "seen_at", SQL_C_TIME),
    SQL_FIELD(node, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(node, unseen_us, "unseen_us", SQL_C_INT64),
    SQL_FIELD(node, status, "status", SQL_C_TEXT),
    { NULL },
};
static const struct list_kind node_kind = {
    .noun = "node",
    .columns = "id, name, zone, idc, address, version, build_time, peer_address, witness, drain_wanted, renew_wanted, draining, started_at, seen_at, "
               "created_at, TIMESTAMPDIFF(MICROSECOND, seen_at, NOW(6)) AS unseen_us, CASE WHEN version = '' THEN 'JOINING' "
               "WHEN seen_at < NOW(6) - INTERVAL " NODE_DOWN_SECONDS " SECOND THEN 'OFFLINE' WHEN draining = 1 THEN 'DRAINING' "
               "ELSE 'ONLINE' END AS status",
    .from = "node",
    .sorts = sorts,
    .key = "id",
    .fields = fields,
    .size = sizeof(struct node),
};

int store_node_list(struct db *d, const struct store_page *page, struct arena *arena, struct node **out, size_t *n, int64_t *total,
                    struct err *e)
{
    return list_read(d, &node_kind, NULL, page, arena, (void **)out, n, total, e);
}

int store_node_get(struct db *d, int64_t id, struct arena *arena, struct node *out, struct err *e)
{
    return list_get(d, &node_kind, "id = ?", SQL_V_I(id), arena, out, e);
}

/* --- registering -------------------------------------------------------------------------------------------------------------- */

static const char *peer_address(const struct node *n)
{
    return n->peer_address != NULL ? n->peer_address : "";
}

static int insert(struct tx *tx, const struct node *n, int64_t id, struct err *e)
{
    return tx_exec(tx,
                   "INSERT INTO node (id, name, zone, idc, address, peer_address, version, build_time, draining, started_at, seen_at, created_at) "
                   "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?, NOW(6), NOW(6))",
                   DB_ARGS(SQL_V_I(id), sql_v_s(n->name), sql_v_s(n->zone), sql_v_s(n->idc), sql_v_s(n->address),
                           sql_v_s(peer_address(n)), sql_v_s(n->version), sql_v_s(n->build_time),
                           SQL_V_TIME(n->started_us)),
                   NULL, e);
}

static int update(struct tx *tx, const struct node *n, struct err *e)
{
    return tx_exec(tx,
                   "UPDATE node SET zone = ?, idc = ?, address = ?, peer_address = ?, version = ?, build_time = ?, draining = 0, started_at = ?, "
                   "seen_at = NOW(6) WHERE name = ?",
                   DB_ARGS(sql_v_s(n->zone), sql_v_s(n->idc), sql_v_s(n->address), sql_v_s(peer_address(n)), sql_v_s(n->version),
                           sql_v_s(n->build_time), SQL_V_TIME(n->started_us), sql_v_s(n->name)),
                   NULL, e);
}

static int take_over(struct tx *tx, struct node *n, struct err *e)
{
    struct arena arena;
    struct node now;
    int rv = update(tx, n, e);

    arena_init(&arena);
    if (rv == 0)
        rv = list_get_in(tx, &node_kind, "name = ?", sql_v_s(n->name), false, &arena, &now, e);
    if (rv == 0)
        n->id = now.id;
    arena_fini(&arena);
    return rv;
}

int store_node_register_in(struct tx *tx, struct node *n, int64_t fresh_id, struct err *e)
{
    int rv = insert(tx, n, fresh_id, e);

    n->id = fresh_id;
    return rv == ERR_SQL_DUPLICATE.code ? take_over(tx, n, e) : rv;
}

struct registration {
    struct node *node;
    int64_t fresh_id;
};

static int register_body(struct tx *tx, void *data, struct err *e)
{
    const struct registration *r = data;

    return store_node_register_in(tx, r->node, r->fresh_id, e);
}

int store_node_register(struct db *d, struct node *n, struct err *e)
{
    struct registration r = { .node = n };
    int rv = db_next_id(d, &r.fresh_id, e);

    return rv == 0 ? db_transact(d, register_body, &r, e) : rv;
}

int store_node_claim(struct db *d, const struct node *n, struct err *e)
{
    struct change c = { "node", n->name, false };

    return change_run(d, &c,
                      "UPDATE node SET name = ?, zone = ?, idc = ?, address = ?, version = ?, build_time = ?, draining = 0, started_at = ?, "
                      "seen_at = NOW(6) WHERE id = ?",
                      DB_ARGS(sql_v_s(n->name), sql_v_s(n->zone), sql_v_s(n->idc), sql_v_s(n->address), sql_v_s(n->version),
                              sql_v_s(n->build_time), SQL_V_TIME(n->started_us), SQL_V_I(n->id)),
                      e);
}

int store_node_expect_in(struct tx *tx, int64_t id, const char *name, const char *peer_address, bool witness, struct err *e)
{
    struct change c = { "node", name, false };

    return change_run_in(tx, &c,
                         "INSERT INTO node (id, name, zone, idc, address, peer_address, witness, version, build_time, draining, started_at, seen_at, "
                         "created_at) VALUES (?, ?, '', '', '', ?, ?, '', '', 0, NOW(6), NOW(6), NOW(6))",
                         DB_ARGS(SQL_V_I(id), sql_v_s(name), sql_v_s(peer_address), SQL_V_I(witness)), e);
}

int store_node_delete_in(struct tx *tx, int64_t id, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change c = { "node", change_id(id, text), false };

    return change_run_in(tx, &c, "DELETE FROM node WHERE id = ?", DB_ARGS(SQL_V_I(id)), e);
}

static int want(struct db *d, const char *text, int64_t id, bool on, struct err *e)
{
    char number[CHANGE_ID_SIZE];
    struct change c = { "node", change_id(id, number), false };

    return change_run(d, &c, text, DB_ARGS(SQL_V_I(on), SQL_V_I(id)), e);
}

int store_node_want_drain(struct db *d, int64_t id, bool on, struct err *e)
{
    return want(d, "UPDATE node SET drain_wanted = ? WHERE id = ?", id, on, e);
}

int store_node_want_renewal(struct db *d, int64_t id, bool on, struct err *e)
{
    return want(d, "UPDATE node SET renew_wanted = ? WHERE id = ?", id, on, e);
}

int store_node_beat(struct db *d, int64_t id, bool draining, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change c = { "node", change_id(id, text), false };

    return change_run(d, &c, "UPDATE node SET seen_at = NOW(6), draining = ? WHERE id = ?", DB_ARGS(SQL_V_I(draining), SQL_V_I(id)), e);
}
