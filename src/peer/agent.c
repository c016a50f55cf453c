/* SPDX-License-Identifier: Apache-2.0 */
#include "src/peer/agent.h"

#include <inttypes.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/base/json.h"
#include "src/io/addr.h"
#include "src/io/fiber.h"
#include "src/io/http_client.h"

ERR_DEFINE(ERR_AGENT_AWAY, 90881, 503, ERR_RETRY,
           "The agent of host {0} cannot be reached: {1}. See whether the host is up, its agent runs (ocp_agent_ctl status) and no firewall closes the port.",
           "无法连接主机 {0} 的代理：{1}。请检查主机是否在线、代理是否运行（ocp_agent_ctl status）以及防火墙是否放行端口。");
ERR_DEFINE(ERR_AGENT_LOST, 90882, 503, ERR_UNKNOWN, "The agent of host {0} did not answer: {1}. What it was asked may have been done.",
           "主机 {0} 的代理未应答：{1}。请求的操作可能已执行。");

const struct err_row *const agent_client_err_rows[] = { &ERR_AGENT_AWAY, &ERR_AGENT_LOST, NULL };

enum { ANSWER_MAX = 2 * 1024 * 1024, POLL_MS = 20000, KNOWN_MAX = 4096, RETRY_MS = 200, AGENT_RETURN_MS = 20000, START_MS = AGENT_START_MS - 1000 };

/* What an agent's hello said, and when: for start_by in its clock. */
struct known {
    char key[AGENT_URI_SIZE];
    char incarnation[AGENT_ID_SIZE], boot[AGENT_ID_SIZE];
    int64_t ahead_ms;                 /* its boot clock minus ours, at most: start_by never lies too far */
    struct known *next;
};

struct agent_client {
    struct http_client *http;         /* owned */
    char *authority, *certificate, *key;
    struct known *known;              /* owned */
    unsigned n_known;
};

static const struct field_style style = { .lang = ERR_EN, .offset_min = CLOCK_Z };

int agent_client_new(const struct agent_client_conf *conf, struct agent_client **out, struct err *e)
{
    const struct http_client_conf http = { .loop = conf->loop };
    struct agent_client *c = mem_zalloc(sizeof *c);
    int rv = 0;

    if (c == NULL)
        return err_set(e, &ERR_NOMEM, "");
    c->authority = mem_strdup(conf->authority);
    c->certificate = mem_strdup(conf->certificate);
    c->key = mem_strdup(conf->key);
    if (c->authority == NULL || c->certificate == NULL || c->key == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv == 0)
        rv = http_client_new(&http, &c->http, e);
    if (rv != 0) {
        agent_client_free(c);
        return rv;
    }
    *out = c;
    return 0;
}

static void forget_all(struct agent_client *c)
{
    while (c->known != NULL) {
        struct known *k = c->known;

        c->known = k->next;
        mem_free(k);
    }
    c->n_known = 0;
}

void agent_client_free(struct agent_client *c)
{
    if (c == NULL)
        return;
    http_client_free(c->http);
    forget_all(c);
    mem_free(c->authority);
    mem_free(c->certificate);
    mem_free(c->key);
    mem_free(c);
}

/* ---- one call ---------------------------------------------------------------------------------------------------------- */

struct exchange {
    const char *method;
    const char *target;
    struct slice body;
    const struct field *fields;       /* of the answer */
    void *out;
};

static int failed(const struct agent_at *at, const struct err_row *row, const char *why, struct err *e)
{
    (void)err_set(e, row, "%s", at->address);
    return err_arg(e, "%s", why);
}

static int translate(const struct agent_at *at, const struct err *why, struct err *e)
{
    if (err_is(why, &ERR_HTTP_CONNECT))
        return failed(at, &ERR_AGENT_AWAY, why->arg[1], e);
    if (err_is(why, &ERR_HTTP_LOST) || err_is(why, &ERR_HTTP_TOO_LARGE))
        return failed(at, &ERR_AGENT_LOST, why->arg[1], e);
    if (err_is(why, &ERR_TIMEOUT))
        return failed(at, &ERR_AGENT_LOST, "no answer in time", e);
    if (e != NULL)
        *e = *why;
    return why->row->code;
}

static int read_object(const struct field *fields, struct slice text, void *out, struct arena *arena, struct err *e)
{
    json_t *value;
    int rv = json_parse(text, &value, e);

    if (rv != 0)
        return rv;
    rv = fields_init(fields, out, arena, e);
    if (rv == 0)
        rv = json_is_object(value) ? fields_read(fields, value, out, arena, e) : err_set(e, &ERR_REQUEST, "not an object");
    json_decref(value);
    return rv;
}

static int take_refusal(const struct agent_at *at, const struct http_fetched *res, struct arena *arena, struct err *e)
{
    struct agent_failure failure;
    struct err bad = { 0 };

    if (read_object(agent_failure_fields, res->body, &failure, arena, &bad) != 0)
        return err_set(e, &ERR_UNEXPECTED, "the agent of %s answers with status %d", at->address, res->status);
    if (failure.code == ERR_CANCELLED.code)
        return failed(at, &ERR_AGENT_LOST, "it is being restarted", e);
    (void)agent_failure_set(&failure, e);
    return err_wrap(e, "agent of %s", at->address);
}

static const char *url_of(const struct agent_at *at, const char *target, struct arena *arena)
{
    struct addr address;

    if (!addr_parse((struct slice){ at->address, strlen(at->address) }, &address))
        return NULL;
    return arena_printf(arena, addr_is_v4(&address) ? "https://%s:%" PRId64 "%s" : "https://[%s]:%" PRId64 "%s", at->address, at->port, target);
}

static int perform(struct agent_client *c, const struct agent_at *at, const struct exchange *x, struct arena *arena,
                   struct http_fetched *res, struct err *e)
{
    static const char *const headers[] = { "Content-Type: application/json", NULL };
    char uri[AGENT_URI_SIZE];
    const struct http_fetch req = {
        .method = x->method, .url = url_of(at, x->target, arena), .headers = headers, .body = x->body,
        .tls_ca = c->authority, .tls_uri = agent_uri(at->ocp_id, at->host_id, uri), .tls_cert = c->certificate, .tls_key = c->key,
        .connect_timeout_ms = AGENT_CONNECT_MS, .max_body_bytes = ANSWER_MAX,
    };
    struct err why = { 0 };

    if (req.url == NULL)
        return err_set(e, &ERR_INVALID, "%s is not an IP address", at->address);
    if (http_fetch(c->http, &req, arena, res, &why) != 0)
        return translate(at, &why, e);
    return res->status == 200 ? 0 : take_refusal(at, res, arena, e);
}

static int call(struct agent_client *c, const struct agent_at *at, const struct exchange *x, struct arena *arena, struct err *e)
{
    struct http_fetched res = { .status = 0 };
    struct err bad = { 0 };
    char text[512];
    int rv = perform(c, at, x, arena, &res, e);

    if (rv != 0 || read_object(x->fields, res.body, x->out, arena, &bad) == 0)
        return rv;
    return err_set(e, &ERR_UNEXPECTED, "the agent of %s answers what nobody understands: %s", at->address,
                   err_log_text(&bad, text, sizeof text));
}

static int post(struct agent_client *c, const struct agent_at *at, const char *target, const struct field *in, const void *obj,
                const struct field *fields, void *out, struct arena *arena, struct err *e)
{
    struct exchange x = { .method = "POST", .target = target, .fields = fields, .out = out };
    struct str body;

    str_init(&body, arena);
    fields_write(&body, in, obj, &style);
    if (str_failed(&body))
        return err_set(e, &ERR_NOMEM, "");
    x.body = (struct slice){ body.s, body.n };
    return call(c, at, &x, arena, e);
}

/* ---- hello ------------------------------------------------------------------------------------------------------------- */

static struct known *known_of(struct agent_client *c, const struct agent_at *at, bool add)
{
    char key[AGENT_URI_SIZE];
    struct known *k;

    (void)agent_uri(at->ocp_id, at->host_id, key);
    for (k = c->known; k != NULL; k = k->next)
        if (strcmp(k->key, key) == 0)
            return k;
    if (!add)
        return NULL;
    if (c->n_known >= KNOWN_MAX)
        forget_all(c);
    k = mem_zalloc(sizeof *k);
    if (k == NULL)
        return NULL;
    (void)memcpy(k->key, key, sizeof key);
    k->next = c->known;
    c->known = k;
    c->n_known++;
    return k;
}

static void forget(struct agent_client *c, const struct agent_at *at)
{
    struct known *k = known_of(c, at, false);

    if (k != NULL)
        k->boot[0] = '\0';
}

int agent_hello(struct agent_client *c, const struct agent_at *at, int64_t epoch, struct arena *arena, struct agent_hello *out, struct err *e)
{
    const struct agent_hello_ask ask = { .epoch = epoch };
    int rv = post(c, at, "/agent/hello", agent_hello_ask_fields, &ask, agent_hello_fields, out, arena, e);
    struct known *k = rv == 0 ? known_of(c, at, true) : NULL;

    if (rv != 0)
        return rv;
    if (k == NULL)
        return err_set(e, &ERR_NOMEM, "");
    (void)memccpy(k->incarnation, out->incarnation, 0, sizeof k->incarnation);
    (void)memccpy(k->boot, out->boot, 0, sizeof k->boot);
    k->ahead_ms = out->clock_ms - clock_now_ms(&clock_system); /* the answer took time to come: its clock is further by now, start_by is early */
    return 0;
}

/* ---- commands ------------------------------------------------------------------------------------------------------------ */

static int get_known(struct agent_client *c, const struct agent_at *at, int64_t epoch, struct arena *arena, struct known **out, struct err *e)
{
    struct agent_hello hello;
    int rv = 0;

    *out = known_of(c, at, false);
    if (*out == NULL || (*out)->boot[0] == '\0')
        rv = agent_hello(c, at, epoch, arena, &hello, e);
    if (rv == 0)
        *out = known_of(c, at, false);
    return rv;
}

static int64_t patience_ms(void)
{
    int64_t left = fiber_ms_left() - 500;

    return left < 0 ? 0 : left < POLL_MS ? left : POLL_MS;
}

static int make_call(const struct agent_kind *kind, const struct agent_at *at, const struct agent_command *cmd, const struct known *k,
                     struct arena *arena, struct agent_call *out, struct err *e)
{
    char *digest = arena_alloc(arena, AGENT_SHA256_SIZE);
    struct str args;
    int rv;

    str_init(&args, arena);
    fields_write(&args, kind->args, cmd->args, &style);
    if (digest == NULL || str_failed(&args))
        return err_set(e, &ERR_NOMEM, "");
    rv = agent_digest(kind, cmd->args, digest, e);
    *out = (struct agent_call){
        .key = (struct agent_key *)&cmd->key, .digest = digest, .epoch = cmd->epoch,
        .incarnation = at->incarnation != NULL ? at->incarnation : k->incarnation, .boot = k->boot,
        .start_by = clock_now_ms(&clock_system) + k->ahead_ms + START_MS,
        .timeout_ms = cmd->timeout_ms > 0 ? cmd->timeout_ms : fiber_ms_left() > 1 ? fiber_ms_left() : 1,
        .wait_ms = cmd->on_output != NULL && patience_ms() > 1000 ? 1000 : patience_ms(), .kind = kind->name, .args = args.s,
    };
    return rv;
}

/* An agent that went away in the midst of it may come back: its guard starts it again within a second. `since_ms` is when it was last heard, and
 * 0 before it was. True: ask again. */
static bool may_return(int rv, int64_t since_ms, struct err *e)
{
    struct err cancelled;

    if (since_ms == 0 || (rv != ERR_AGENT_LOST.code && rv != ERR_AGENT_AWAY.code))
        return false;
    if (clock_now_ms(&clock_system) - since_ms > AGENT_RETURN_MS || fiber_ms_left() < RETRY_MS || fiber_sleep(RETRY_MS, &cancelled) != 0)
        return false;
    err_clear(e);
    return true;
}

static int send_once(struct agent_client *c, const struct agent_at *at, const struct agent_kind *kind, const struct agent_command *cmd,
                     struct arena *arena, struct agent_reply *reply, struct err *e)
{
    struct agent_call wire;
    struct known *k;
    int rv = get_known(c, at, cmd->epoch, arena, &k, e);

    if (rv == 0)
        rv = make_call(kind, at, cmd, k, arena, &wire, e);
    return rv == 0 ? post(c, at, "/agent/command", agent_call_fields, &wire, agent_reply_fields, reply, arena, e) : rv;
}

/* One that came too late is sent again after a fresh look at the agent's clock: the refusal says that it was not taken in. One whose answer was
 * lost is sent again, too: with the same key it is the same command. */
static int send_call(struct agent_client *c, const struct agent_at *at, const struct agent_kind *kind, const struct agent_command *cmd,
                     struct arena *arena, struct agent_reply *reply, struct err *e)
{
    bool looked_again = false;
    int64_t lost_ms = 0;

    for (;;) {
        int rv = send_once(c, at, kind, cmd, arena, reply, e);
        bool stale = rv == ERR_AGENT_LATE.code || (rv == ERR_AGENT_INCARNATION.code && at->incarnation == NULL);

        if (rv == 0)
            return 0;
        if (rv == ERR_AGENT_LOST.code && lost_ms == 0)
            lost_ms = clock_now_ms(&clock_system);
        if (stale)
            forget(c, at);
        if (stale && !looked_again) {
            looked_again = true;
            err_clear(e);
        } else if (!may_return(rv, lost_ms, e)) {
            return rv;
        }
    }
}

/* Hands on what has come of the output since `from`. */
static int take_output(struct agent_client *c, const struct agent_at *at, const struct agent_command *cmd, const struct agent_reply *reply,
                       int64_t *from, struct arena *arena, struct err *e)
{
    char key[AGENT_KEY_SIZE];
    struct exchange x = { .method = "GET" };
    struct http_fetched res;
    int rv;

    while (cmd->on_output != NULL && *from < reply->output_bytes) {
        x.target = arena_printf(arena, "/agent/command/%s/output?from=%" PRId64, agent_key_text(&cmd->key, key), *from);
        if (x.target == NULL)
            return err_set(e, &ERR_NOMEM, "");
        rv = perform(c, at, &x, arena, &res, e);
        if (rv != 0)
            return rv;
        if (res.body.n == 0)
            break;
        cmd->on_output(cmd->data, res.body);
        *from += (int64_t)res.body.n;
    }
    return 0;
}

static int conclude(const struct agent_kind *kind, const struct agent_command *cmd, const struct agent_reply *reply, struct agent_result *out,
                    struct err *e)
{
    char key[AGENT_KEY_SIZE];

    *out = (struct agent_result){ (enum agent_state)reply->state, kind, reply->answer, reply->output_bytes, reply->output_cut, reply->pid,
                                  reply->start_time };
    (void)agent_key_text(&cmd->key, key);
    if (reply->state == AGENT_DONE)
        return reply->failure != NULL ? agent_failure_set(reply->failure, e) : 0;
    if (reply->state == AGENT_UNKNOWN)
        return err_set(e, &ERR_AGENT_UNKNOWN, "%s", key);
    if (reply->state == AGENT_FORGOTTEN)
        return err_set(e, &ERR_AGENT_FORGOTTEN, "%s", key);
    (void)err_set(e, &ERR_NOT_FOUND, "%s", "command");
    return err_arg(e, "%s", key);
}

static int follow(struct agent_client *c, const struct agent_at *at, const struct agent_kind *kind, const struct agent_command *cmd,
                  struct agent_reply *reply, struct arena *arena, struct agent_result *out, struct err *e)
{
    struct agent_reply *now = reply;
    int64_t from = 0, heard_ms = clock_now_ms(&clock_system);
    int rv = 0;

    for (;;) {
        if (rv == 0)
            rv = take_output(c, at, cmd, now, &from, arena, e);
        if (rv == 0)
            heard_ms = clock_now_ms(&clock_system);
        if (rv == 0 && now->state != AGENT_RUNNING)
            return conclude(kind, cmd, now, out, e);
        if (rv != 0 && !may_return(rv, heard_ms, e))
            return rv;
        if (fiber_ms_left() <= 0)
            return err_set(e, &ERR_TIMEOUT, "");
        rv = agent_query(c, at, cmd->epoch, &cmd->key, 1, cmd->on_output != NULL && patience_ms() > 1000 ? 1000 : patience_ms(), arena, &now, e);
    }
}

static int find_kind(const struct agent_command *cmd, const struct agent_kind **out, struct err *e)
{
    *out = agent_kind_find(cmd->kind);
    return *out != NULL ? 0 : err_set(e, &ERR_AGENT_KIND, "%s", cmd->kind);
}

int agent_command(struct agent_client *c, const struct agent_at *at, const struct agent_command *cmd, struct arena *arena,
                  struct agent_result *out, struct err *e)
{
    const struct agent_kind *kind;
    struct agent_reply reply;
    int rv = find_kind(cmd, &kind, e);

    *out = (struct agent_result){ .state = AGENT_UNKNOWN, .pid = FIELD_NONE, .start_time = FIELD_NONE };
    if (rv == 0)
        rv = send_call(c, at, kind, cmd, arena, &reply, e);
    return rv == 0 ? follow(c, at, kind, cmd, &reply, arena, out, e) : rv;
}

int agent_wait(struct agent_client *c, const struct agent_at *at, const struct agent_command *cmd, struct arena *arena,
               struct agent_result *out, struct err *e)
{
    const struct agent_kind *kind;
    struct agent_reply *reply;
    int rv = find_kind(cmd, &kind, e);

    *out = (struct agent_result){ .state = AGENT_UNKNOWN, .pid = FIELD_NONE, .start_time = FIELD_NONE };
    if (rv == 0)
        rv = agent_query(c, at, cmd->epoch, &cmd->key, 1, 0, arena, &reply, e);
    return rv == 0 ? follow(c, at, kind, cmd, reply, arena, out, e) : rv;
}

int agent_result_read(const struct agent_result *r, void *obj, struct arena *arena, struct err *e)
{
    if (r->answer == NULL || r->kind->answer == NULL)
        return err_set(e, &ERR_UNEXPECTED, "the agent's %s has no answer", r->kind->name);
    return read_object(r->kind->answer, (struct slice){ r->answer, strlen(r->answer) }, obj, arena, e);
}

/* ---- keys ---------------------------------------------------------------------------------------------------------------- */

static int ask_keys(struct agent_client *c, const struct agent_at *at, const char *target, const struct agent_ask *ask, struct arena *arena,
                    struct agent_replies *out, struct err *e)
{
    struct agent_ask full = *ask;
    struct known *k;
    int rv = get_known(c, at, ask->epoch, arena, &k, e);

    if (rv != 0)
        return rv;
    full.incarnation = at->incarnation != NULL ? at->incarnation : k->incarnation;
    rv = post(c, at, target, agent_ask_fields, &full, agent_replies_fields, out, arena, e);
    if (rv == ERR_AGENT_INCARNATION.code)
        forget(c, at);
    return rv;
}

int agent_query(struct agent_client *c, const struct agent_at *at, int64_t epoch, const struct agent_key *keys, size_t n, int64_t wait_ms,
                struct arena *arena, struct agent_reply **out, struct err *e)
{
    const struct agent_ask ask = { .epoch = epoch, .wait_ms = wait_ms, .keys = { (void *)keys, n } };
    struct agent_replies replies;
    int rv = ask_keys(c, at, "/agent/query", &ask, arena, &replies, e);

    if (rv == 0 && replies.commands.n != n)
        rv = err_set(e, &ERR_UNEXPECTED, "the agent of %s answers for %zu commands of %zu", at->address, replies.commands.n, n);
    if (rv == 0)
        *out = replies.commands.items;
    return rv;
}

int agent_fence(struct agent_client *c, const struct agent_at *at, int64_t epoch, const struct agent_key *key, struct arena *arena,
                struct agent_reply **out, size_t *n, struct err *e)
{
    struct agent_fence fence = { .key = (struct agent_key *)key, .epoch = epoch };
    struct agent_replies replies;
    struct known *k;
    int rv = get_known(c, at, epoch, arena, &k, e);

    if (rv != 0)
        return rv;
    fence.incarnation = at->incarnation != NULL ? at->incarnation : k->incarnation;
    rv = post(c, at, "/agent/fence", agent_fence_fields, &fence, agent_replies_fields, &replies, arena, e);
    if (rv == ERR_AGENT_INCARNATION.code)
        forget(c, at);
    if (rv == 0) {
        *out = replies.commands.items;
        *n = replies.commands.n;
    }
    return rv;
}

static int tell_keys(struct agent_client *c, const struct agent_at *at, const char *target, int64_t epoch, const struct agent_key *keys,
                     size_t n, struct arena *arena, struct err *e)
{
    const struct agent_ask ask = { .epoch = epoch, .keys = { (void *)keys, n } };
    struct agent_replies replies;

    return n == 0 ? 0 : ask_keys(c, at, target, &ask, arena, &replies, e);
}

int agent_stop(struct agent_client *c, const struct agent_at *at, int64_t epoch, const struct agent_key *keys, size_t n, struct arena *arena,
               struct err *e)
{
    return tell_keys(c, at, "/agent/stop", epoch, keys, n, arena, e);
}

int agent_acknowledge(struct agent_client *c, const struct agent_at *at, int64_t epoch, const struct agent_key *keys, size_t n,
                      struct arena *arena, struct err *e)
{
    return tell_keys(c, at, "/agent/acknowledge", epoch, keys, n, arena, e);
}

/* ---- blobs, certificate, status ------------------------------------------------------------------------------------------------------- */

int agent_blob_have(struct agent_client *c, const struct agent_at *at, const char *sha256, struct arena *arena, struct agent_blob *out,
                    struct err *e)
{
    struct exchange x = { .method = "GET", .target = arena_printf(arena, "/agent/blob/%s", sha256), .fields = agent_blob_fields, .out = out };

    return x.target == NULL ? err_set(e, &ERR_NOMEM, "") : call(c, at, &x, arena, e);
}

int agent_push_blob(struct agent_client *c, const struct agent_at *at, const char *sha256, int64_t offset, int64_t size, struct slice bytes,
                    struct arena *arena, struct agent_blob *out, struct err *e)
{
    struct exchange x = {
        .method = "PUT", .target = arena_printf(arena, "/agent/blob/%s?offset=%" PRId64 "&size=%" PRId64, sha256, offset, size),
        .body = bytes, .fields = agent_blob_fields, .out = out,
    };

    return x.target == NULL ? err_set(e, &ERR_NOMEM, "") : call(c, at, &x, arena, e);
}

int agent_renew(struct agent_client *c, const struct agent_at *at, const struct agent_renewal *ask, struct arena *arena,
                struct agent_certificate *out, struct err *e)
{
    struct agent_renewal full = *ask;
    struct known *k;
    int rv = get_known(c, at, ask->epoch, arena, &k, e);

    if (rv != 0)
        return rv;
    full.incarnation = at->incarnation != NULL ? at->incarnation : k->incarnation;
    rv = post(c, at, "/agent/certificate", agent_renewal_fields, &full, agent_certificate_fields, out, arena, e);
    if (rv == ERR_AGENT_INCARNATION.code)
        forget(c, at);
    return rv;
}

int agent_status(struct agent_client *c, const struct agent_at *at, struct arena *arena, struct agent_status *out, struct err *e)
{
    struct exchange x = { .method = "GET", .target = "/agent/status", .fields = agent_status_fields, .out = out };

    return call(c, at, &x, arena, e);
}
