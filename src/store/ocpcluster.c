/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/ocpcluster.h"

#include <stdio.h>
#include <string.h>

#include "src/store/change.h"

static const struct sql_field fields[] = {
    SQL_FIELD(ocpcluster, cluster, "cluster", SQL_C_TEXT),
    SQL_FIELD(ocpcluster, lineage, "lineage", SQL_C_TEXT),
    SQL_FIELD(ocpcluster, founder, "founder", SQL_C_INT64),
    SQL_FIELD(ocpcluster, authority, "authority", SQL_C_TEXT),
    SQL_FIELD(ocpcluster, authority_key, "authority_key", SQL_C_BYTES),
    SQL_FIELD(ocpcluster, created_us, "created_at", SQL_C_TIME),
    { NULL },
};
static const struct sql_field certificate_fields[] = {
    SQL_FIELD(node_certificate, serial, "serial", SQL_C_TEXT),
    SQL_FIELD(node_certificate, node_id, "node_id", SQL_C_INT64),
    SQL_FIELD(node_certificate, issued_us, "issued_at", SQL_C_TIME),
    SQL_FIELD(node_certificate, expires_us, "expires_at", SQL_C_TIME),
    SQL_FIELD(node_certificate, revoked_us, "revoked_at", SQL_C_TIME),
    { NULL },
};
static const struct change the_cluster = { "cluster of nodes", "1", false };

/* --- ids ------------------------------------------------------------------------------------------------------------------------- */

const char *ocpcluster_hex(const uint8_t *bytes, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    out[2 * n] = '\0';
    return out;
}

bool ocpcluster_unhex(const char *text, uint8_t *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    if (strlen(text) != 2 * n || strspn(text, digits) != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)((strchr(digits, text[2 * i]) - digits) << 4 | (strchr(digits, text[2 * i + 1]) - digits));
    return true;
}

/* --- the row --------------------------------------------------------------------------------------------------------------------- */

int store_ocpcluster_find(struct db *d, struct arena *arena, struct ocpcluster **out, struct err *e)
{
    size_t n = 0;
    int rv = db_list(d, "SELECT cluster, lineage, founder, authority, authority_key, created_at FROM ocp_cluster WHERE id = 1", DB_NO_ARGS,
                     fields, sizeof **out, arena, (void **)out, &n, e);

    if (rv != 0 || n == 0)
        *out = NULL;
    return rv;
}

int store_ocpcluster_insert_in(struct tx *tx, const struct ocpcluster *c, struct err *e)
{
    return change_run_in(tx, &the_cluster,
                         "INSERT INTO ocp_cluster (id, cluster, lineage, founder, authority, authority_key, created_at) "
                         "VALUES (1, ?, ?, ?, ?, ?, NOW(6))",
                         DB_ARGS(sql_v_s(c->cluster), sql_v_s(c->lineage), SQL_V_I(c->founder), sql_v_s(c->authority),
                                 sql_v_bytes(c->authority_key.s, c->authority_key.n)),
                         e);
}

int store_ocpcluster_refound_in(struct tx *tx, const char *lineage, struct err *e)
{
    return change_run_in(tx, &the_cluster, "UPDATE ocp_cluster SET founder = 0, lineage = ? WHERE id = 1", DB_ARGS(sql_v_s(lineage)), e);
}

/* --- certificates ---------------------------------------------------------------------------------------------------------------- */

int store_certificate_insert(struct db *d, const struct node_certificate *c, struct err *e)
{
    struct change what = { "certificate", c->serial, false };

    return change_run(d, &what, "INSERT INTO node_certificate (serial, node_id, issued_at, expires_at) VALUES (?, ?, ?, ?)",
                      DB_ARGS(sql_v_s(c->serial), SQL_V_I(c->node_id), SQL_V_TIME(c->issued_us), SQL_V_TIME(c->expires_us)), e);
}

int store_certificate_revoke_in(struct tx *tx, int64_t node_id, struct err *e)
{
    return tx_exec(tx, "UPDATE node_certificate SET revoked_at = NOW(6) WHERE (node_id = ? OR ? = 0) AND revoked_at IS NULL",
                   DB_ARGS(SQL_V_I(node_id), SQL_V_I(node_id)), NULL, e);
}

#define CERTIFICATES "SELECT serial, node_id, issued_at, expires_at, revoked_at FROM node_certificate "

int store_certificate_revoked(struct db *d, struct arena *arena, struct node_certificate **out, size_t *n, struct err *e)
{
    return db_list(d, CERTIFICATES "WHERE revoked_at IS NOT NULL AND expires_at > NOW(6) ORDER BY serial", DB_NO_ARGS, certificate_fields,
                   sizeof **out, arena, (void **)out, n, e);
}

int store_certificate_present(struct db *d, struct arena *arena, struct node_certificate **out, size_t *n, struct err *e)
{
    return db_list(d,
                   "SELECT '' AS serial, node_id, MAX(issued_at) AS issued_at, MAX(expires_at) AS expires_at, NULL AS revoked_at "
                   "FROM node_certificate WHERE revoked_at IS NULL GROUP BY node_id ORDER BY node_id",
                   DB_NO_ARGS, certificate_fields, sizeof **out, arena, (void **)out, n, e);
}

int store_certificate_prune(struct db *d, struct err *e)
{
    return db_prune(d, "DELETE FROM node_certificate WHERE expires_at < NOW(6) - INTERVAL 30 DAY LIMIT ?", e);
}
