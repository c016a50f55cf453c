/* SPDX-License-Identifier: Apache-2.0 */
/* claim key --> first: handler --> keep reply            (or give the key back when the handler certainly did nothing)
 *          \--> done before: the same reply again
 *          \--> same key, other request: refused
 *          \--> first one still under way, or its node died: refused; the caller looks what became of it */
#include "api/idempotent.h"

#include <string.h>

#include <openssl/evp.h>

#include "api/api.h"
#include "src/iam/principal.h"
#include "src/io/fiber.h"
#include "src/store/idempotency.h"

ERR_DEFINE(ERR_IDEMPOTENCY_REUSED, 90102, 409, ERR_FINAL,
           "The key {0} came with another request before. Use a new key for each new request.", "键 {0} 已用于另一个请求，请为新的请求使用新的键。");
ERR_DEFINE(ERR_IDEMPOTENCY_BUSY, 90103, 409, ERR_UNKNOWN,
           "The request with the key {0} is still running, or its outcome is not known. Look whether it took effect before using a new key.",
           "键 {0} 对应的请求仍在执行或结果未知，请先确认其是否已生效，再使用新的键。");

const struct err_row *const idempotent_err_rows[] = { &ERR_IDEMPOTENCY_REUSED, &ERR_IDEMPOTENCY_BUSY, NULL };

enum { KEY_MIN = 8, KEY_MAX = 64, DIGEST_TEXT = 65, SETTLE_MS = 5000 };

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

/* SHA-256 of what makes two requests the same. */
static bool digest_of(const struct call *c, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    char *body = c->json != NULL ? json_dumps(c->json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
    unsigned char md[EVP_MAX_MD_SIZE];
    struct str t;
    unsigned n = 0;
    bool ok;

    str_init(&t, c->arena);
    str_printf(&t, "%s\n%.*s\n%s", c->route->method, SLICE_FMT(c->rq->target), body != NULL ? body : "");
    mem_free(body);
    ok = !str_failed(&t) && EVP_Digest(t.s, t.n, md, &n, EVP_sha256(), NULL) == 1;
    for (unsigned i = 0; ok && i < n; i++) {
        hex[2 * i] = digits[md[i] >> 4];
        hex[2 * i + 1] = digits[md[i] & 15];
    }
    hex[2 * n] = '\0';
    return ok;
}

static int replay(struct call *c, const struct idempotency *request, const struct idempotency *former, struct err *e)
{
    if (strcmp(request->digest, former->digest) != 0)
        return err_set(e, &ERR_IDEMPOTENCY_REUSED, "%s", request->key);
    if (!former->done)
        return err_set(e, &ERR_IDEMPOTENCY_BUSY, "%s", request->key);
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

static void release(struct call *c, const struct idempotency *request)
{
    int64_t deadline = allow_settling();
    struct err e;

    if (store_idempotency_release(c->db, request, &e) != 0)
        log_warn(&c->api->log, "the key of a failed request was not given back", LOG_S("trace", c->trace), LOG_E(&e));
    fiber_restore_deadline(deadline);
}

static int run_once(struct call *c, const struct idempotency *request, struct err *e)
{
    struct idempotency former;
    bool claimed;
    int rv = store_idempotency_claim(c->db, request, &claimed, c->arena, &former, e);

    if (rv != 0)
        return rv;
    if (!claimed)
        return replay(c, request, &former, e);
    rv = c->route->handle(c, e);
    if (rv == 0)
        keep(c, request);
    else if (e->row->retry != ERR_UNKNOWN)
        release(c, request);
    return rv;
}

int idempotent_handle(struct call *c, struct err *e)
{
    const char *key = strcmp(c->route->method, "GET") != 0 && c->user != NULL ? find_key(c) : NULL;
    char digest[DIGEST_TEXT];
    struct idempotency request;
    bool shielded;
    int rv;

    if (key == NULL || key[0] == '\0' || !is_kept(c->route))
        return c->route->handle(c, e);
    rv = check_key(key, e);
    if (rv != 0)
        return rv;
    if (!digest_of(c, digest))
        return err_set(e, &ERR_NOMEM, "");
    request = (struct idempotency){ .user_id = c->user->user_id, .key = key, .digest = digest, .trace = c->trace,
                                    .node = c->api->shared->node->name };
    shielded = fiber_shield(true); /* a client that leaves comes back with its key, and wants to know what became of the request */
    rv = run_once(c, &request, e);
    (void)fiber_shield(shielded);
    return rv;
}
