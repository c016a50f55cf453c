/* SPDX-License-Identifier: Apache-2.0 */
#include "src/node/authority.h"

#include <openssl/rand.h>
#include <string.h>

#include "src/peer/hello.h"
#include "src/proto/agent.h"

static const struct vault_place place = { "ocp_cluster", 1, "authority" };

int node_draw_lineage(struct arena *arena, const char **out, struct err *e)
{
    uint8_t bytes[OCPCLUSTER_ID_BYTES];
    char hex[OCPCLUSTER_HEX_SIZE];

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return err_set(e, &ERR_UNEXPECTED, "no random bytes");
    *out = arena_strdup(arena, ocpcluster_hex(bytes, sizeof bytes, hex));
    return *out != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int seal(const struct vault *v, const char *key, struct arena *arena, struct slice *out, struct err *e)
{
    struct str sealed;
    int rv;

    str_init(&sealed, arena);
    rv = vault_seal(v, &place, (struct slice){ key, strlen(key) }, &sealed, e);
    *out = (struct slice){ sealed.s, sealed.n };
    return rv;
}

int node_authority_found(const struct vault *v, const uint8_t id[OCPCLUSTER_ID_BYTES], struct arena *arena, struct ocpcluster *out,
                         struct err *e)
{
    char hex[OCPCLUSTER_HEX_SIZE];
    struct identity ca = { 0 };
    int rv;

    *out = (struct ocpcluster){ .cluster = arena_strdup(arena, ocpcluster_hex(id, OCPCLUSTER_ID_BYTES, hex)) };
    if (out->cluster == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = node_draw_lineage(arena, &out->lineage, e);
    if (rv == 0)
        rv = authority_found("ocp-server cluster", arena, &ca, e);
    if (rv == 0)
        rv = seal(v, ca.key, arena, &out->authority_key, e);
    out->authority = ca.certificate;
    if (ca.key != NULL)
        mem_wipe(ca.key, strlen(ca.key));
    return rv;
}

/* The authority with its key open, to be given to close_it. */
static int open_it(const struct vault *v, const struct ocpcluster *row, struct arena *arena, struct identity *out, struct err *e)
{
    *out = (struct identity){ .certificate = arena_strdup(arena, row->authority), .key = NULL };
    if (out->certificate == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return vault_open(v, &place, row->authority_key, &out->key, e);
}

static void close_it(struct identity *ca)
{
    secret_free(ca->key);
}

static int issue(const struct vault *v, const struct ocpcluster *row, const char *uri, int days, struct arena *arena, struct identity *out,
                 struct err *e)
{
    struct identity ca;
    int rv = open_it(v, row, arena, &ca, e);

    *out = (struct identity){ .key = NULL };
    if (rv == 0)
        rv = authority_issue(&ca, uri, days, arena, out, e);
    close_it(&ca);
    return rv;
}

static int issue_node(const struct vault *v, const struct ocpcluster *row, int64_t node, struct arena *arena, struct identity *out, struct err *e)
{
    uint8_t cluster[OCPCLUSTER_ID_BYTES];
    char uri[PEER_URI_SIZE];

    if (!ocpcluster_unhex(row->cluster, cluster, sizeof cluster))
        return err_set(e, &ERR_UNEXPECTED, "the id of the cluster in MetaDB is no id");
    return issue(v, row, peer_uri(cluster, (uint64_t)node, uri), AUTHORITY_DAYS, arena, out, e);
}

int node_authority_issue_agent(const struct vault *v, const struct ocpcluster *row, int64_t host, struct arena *arena, struct identity *out,
                               struct err *e)
{
    char uri[AGENT_URI_SIZE];

    return issue(v, row, agent_uri(row->cluster, host, uri), AUTHORITY_DAYS, arena, out, e);
}

int node_authority_issue(struct db *d, const struct vault *v, const struct ocpcluster *row, int64_t node, struct arena *arena,
                         struct identity *out, struct err *e)
{
    struct certificate_facts facts;
    struct node_certificate c = { .node_id = node };
    int rv;

    *out = (struct identity){ .key = NULL };
    rv = issue_node(v, row, node, arena, out, e);
    if (rv == 0)
        rv = authority_read(out->certificate, &facts, e);
    if (rv == 0) {
        c.serial = facts.serial;
        c.issued_us = facts.issued_us;
        c.expires_us = facts.expires_us;
        rv = store_certificate_insert(d, &c, e);
    }
    if (rv != 0 && out->key != NULL)
        mem_wipe(out->key, strlen(out->key));
    return rv;
}

int node_authority_sign(const struct vault *v, const struct ocpcluster *row, struct slice text, struct arena *arena, struct slice *signature,
                        struct err *e)
{
    struct identity ca;
    int rv = open_it(v, row, arena, &ca, e);

    if (rv == 0)
        rv = authority_sign(&ca, text, arena, signature, e);
    close_it(&ca);
    return rv;
}
