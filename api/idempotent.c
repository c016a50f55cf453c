/* SPDX-License-Identifier: Apache-2.0 */
/* claim key --> first: handler --> keep reply            (or give the key back when the handler certainly did nothing)
 *          \--> done before: the same reply again
 *          \--> same key, other request: refused
 *          \--> first one still under way: refused; the caller asks again
 *          \--> its node died before it had changed anything: first
 *          \--> its node died later, or it failed after that: the task that it has started, or refused; the caller looks what became of it
 *
 * "Anything" is what MetaDB knows of: the request's first transaction says in the same COMMIT that there is an effect, and whatever acts on
 * something else (sessions to managed clusters, members of this OCP) says so before (db_hold_guard). */
#include "api/idempotent.h"

#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "api/api.h"
#include "api/task.h"
#include "raft/node.h"
#include "src/iam/principal.h"
#include "src/io/fiber.h"
#include "src/store/idempotency.h"

ERR_DEFINE(ERR_IDEMPOTENCY_REUSED, 90102, 409, ERR_FINAL,
           "The key {0} came with another request before. Use a new key for each new request.", "键 {0} 已用于另一个请求，请为新的请求使用新的键。");
ERR_DEFINE(ERR_IDEMPOTENCY_BUSY, 90103, 409, ERR_RETRY,
           "The request with the key {0} is still running. Send it again in a few seconds to get its reply.",
           "键 {0} 对应的请求仍在执行，请稍后重新发送以获取结果。");
ERR_DEFINE(ERR_IDEMPOTENCY_LOST, 90108, 409, ERR_UNKNOWN,
           "The request with the key {0} had begun to change something when it failed on node {1}, or that node ended. Look what it did "
           "before using a new key.",
           "键 {0} 对应的请求已开始修改，但在节点 {1} 上失败，或该节点已终止。请先确认其效果，再使用新的键。");

const struct err_row *const idempotent_err_rows[] = { &ERR_IDEMPOTENCY_REUSED, &ERR_IDEMPOTENCY_BUSY, &ERR_IDEMPOTENCY_LOST, NULL };

enum { KEY_MIN = 8, KEY_MAX = 64, CLAIM_BYTES = 16, SETTLE_MS = 5000 };

/* Is the reply one that may be kept? Not a secret that is shown once, and not what its handler sends itself. */
static bool is_kept(const struct route *r)
{
    return (r->flags & ROUTE_SECRET_REPLY) == 0 && r->reply != REPLY_OWN;
}

/* The key of this request; NULL when it has none. */
static const char *find_key(const struct call *c)
{
    struct slice header = http_header(c->rq, "idempotency-key");

    if (header.s != NULL)
        return arena_strndup(c->arena, header.s, header.n);
    return json_is_object(c->json) ? json_string_value(json_object_get(c->json, "clientToken")) : NULL;
}

static int check_key(const char *key, struct err *e)
{
    size_t n = strlen(key);

    if (n < KEY_MIN || n > KEY_MAX)
        return err_set(e, &ERR_INVALID, "the idempotency key (clientToken) must have %d to %d characters, has %zu", KEY_MIN, KEY_MAX, n);
    for (const char *p = key; *p != '\0'; p++)
        if (*p < 0x21 || *p > 0x7e)
            return err_set(e, &ERR_INVALID, "the idempotency key (clientToken) must consist of visible ASCII characters");
    return 0;
}

/* In the arena; NULL when memory is out. */
static const char *hex_of(const unsigned char *bytes, size_t n, struct arena *arena)
{
    struct str t;

    str_init(&t, arena);
    str_add_hex(&t, bytes, n);
    return str_failed(&t) ? NULL : str_c(&t);
}

static int draw_claim(struct arena *arena, const char **out, struct err *e)
{
    unsigned char bytes[CLAIM_BYTES];

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return err_set(e, &ERR_UNEXPECTED, "no random numbers");
    *out = hex_of(bytes, sizeof bytes, arena);
    return *out != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

/* SHA-256 of what makes two requests the same; NULL when memory is out. */
static const char *digest_of(const struct call *c)
{
    char *body = c->json != NULL ? json_dumps(c->json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
    unsigned char md[EVP_MAX_MD_SIZE];
    struct str t;
    unsigned n = 0;

    str_init(&t, c->arena);
    str_printf(&t, "%s\n%.*s\n%s", c->route->method, SLICE_FMT(c->rq->target), body != NULL ? body : "");
    mem_free(body);
    return !str_failed(&t) && EVP_Digest(t.s, t.n, md, &n, EVP_sha256(), NULL) == 1 ? hex_of(md, n, c->arena) : NULL;
}

/* It did not end, as far as MetaDB knows, and is not ours to run. */
static int judge_lost(struct call *c, const struct idempotency *former, struct err *e)
{
    if (!former->gone) {
        call_header(c, SLICE("retry-after"), "1");
        return err_set(e, &ERR_IDEMPOTENCY_BUSY, "%s", former->key);
    }
    if (former->task_id != 0 && (c->route->out == task_started_fields || c->route->out == task_started_text_fields))
        return api_task_reply(c, former->task_id, e);
    (void)err_set(e, &ERR_IDEMPOTENCY_LOST, "%s", former->key);
    return err_arg(e, "%s", former->node);
}

static int replay(struct call *c, const struct idempotency *request, const struct idempotency *former, struct err *e)
{
    if (strcmp(request->digest, former->digest) != 0)
        return err_set(e, &ERR_IDEMPOTENCY_REUSED, "%s", request->key);
    if (!former->done)
        return judge_lost(c, former, e);
    str_add(&c->data, former->reply);
    return str_failed(&c->data) ? err_set(e, &ERR_NOMEM, "") : 0;
}

/* What has begun is settled, though the request's time may be over. Returns its deadline. */
static int64_t allow_settling(void)
{
    int64_t former = fiber_deadline();

    fiber_restore_deadline(INT64_MAX);
    (void)fiber_narrow_deadline(SETTLE_MS);
    return former;
}

/* A reply that cannot be kept leaves the key claimed: a repetition is told to look. */
static void keep(struct call *c, const struct idempotency *request)
{
    int64_t deadline = allow_settling();
    struct err e;

    if (store_idempotency_finish(c->db, request, c->status, str_c(&c->data), &e) != 0)
        log_warn(&c->api->log, "the reply to a request with a key was not kept", LOG_S("trace", c->trace), LOG_E(&e));
    fiber_restore_deadline(deadline);
}

/* Who may try again may have come halfway: an error of MetaDB after a change of a managed cluster, say. */
static void release(struct call *c, const struct idempotency *request, const struct err *why)
{
    int64_t deadline = allow_settling();
    struct err e;

    if (store_idempotency_release(c->db, request, why->row->retry == ERR_FINAL, &e) != 0)
        log_warn(&c->api->log, "the key of a failed request was not given back", LOG_S("trace", c->trace), LOG_E(&e));
    fiber_restore_deadline(deadline);
}

static int run_guarded(struct call *c, const struct idempotency *request, struct err *e)
{
    struct db_guard guard = store_idempotency_guard(c->db, request);
    int rv;

    db_guard(&guard);
    rv = c->route->handle(c, e);
    db_guard(NULL);
    return rv;
}

static int64_t own_id(const struct call *c)
{
    struct raft_node_status s;

    if (c->api->shared->raft == NULL)
        return 0;
    raft_node_status(c->api->shared->raft, &s);
    return (int64_t)s.identity.node;
}

/* Its process has ended, and its peers saw that before MetaDB misses it. */
static bool is_dead(const struct call *c, int64_t node)
{
    struct raft_node_status s;

    if (node == 0 || c->api->shared->raft == NULL)
        return false;
    raft_node_status(c->api->shared->raft, &s);
    for (unsigned i = 0; i < s.n_peers; i++)
        if ((int64_t)s.peers[i].member.id == node)
            return s.peers[i].dead;
    return false;
}

static int claim(struct call *c, const struct idempotency *request, bool *claimed, struct idempotency *former, struct err *e)
{
    int rv = store_idempotency_claim(c->db, request, 0, claimed, c->arena, former, e);

    if (rv == 0 && !*claimed && !former->done && !former->gone && is_dead(c, former->node_id))
        rv = store_idempotency_claim(c->db, request, former->node_id, claimed, c->arena, former, e);
    return rv;
}

static int run_once(struct call *c, const struct idempotency *request, struct err *e)
{
    struct idempotency former;
    bool claimed;
    int rv = claim(c, request, &claimed, &former, e);

    if (rv != 0)
        return rv;
    if (!claimed)
        return replay(c, request, &former, e);
    rv = run_guarded(c, request, e);
    if (rv == 0)
        keep(c, request);
    else if (e->row->retry != ERR_UNKNOWN)
        release(c, request, e);
    return rv;
}

int idempotent_handle(struct call *c, struct err *e)
{
    const char *key = strcmp(c->route->method, "GET") != 0 && c->user != NULL ? find_key(c) : NULL;
    const char *digest, *random;
    struct idempotency request;
    bool shielded;
    int rv;

    if (key == NULL || key[0] == '\0' || !is_kept(c->route))
        return c->route->handle(c, e);
    rv = check_key(key, e);
    if (rv == 0)
        rv = draw_claim(c->arena, &random, e);
    if (rv != 0)
        return rv;
    digest = digest_of(c);
    if (digest == NULL)
        return err_set(e, &ERR_NOMEM, "");
    request = (struct idempotency){ .user_id = c->user->user_id, .key = key, .digest = digest, .claim = random, .trace = c->trace,
                                    .node = c->api->shared->node->name, .node_id = own_id(c),
                                    .node_started_us = c->api->shared->node->started_wall_us };
    shielded = fiber_shield(true); /* a client that leaves comes back with its key, and wants to know what became of the request */
    rv = run_once(c, &request, e);
    (void)fiber_shield(shielded);
    return rv;
}
