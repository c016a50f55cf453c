/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/serve.h"

#include <string.h>

#include "agent/self.h"
#include "config.h"
#include "src/base/json.h"

enum { SERVER = 1 << 0 };

struct proxy_route {
    const char *method, *path;        /* a path that ends with '/' takes what begins with it */
    int (*serve)(struct proxy_call *c, struct err *e);
    unsigned flags;                   /* SERVER: for nodes of our OCP cluster only */
};

static const struct proxy_route routes[] = {
    { "GET", "/agent/ping", proxy_ping, 0 },
    { "POST", "/agent/hello", proxy_hello, SERVER },
    { "POST", "/agent/command", proxy_command, SERVER },
    { "POST", "/agent/query", proxy_query, SERVER },
    { "POST", "/agent/fence", proxy_fence, SERVER },
    { "POST", "/agent/stop", proxy_stop, SERVER },
    { "POST", "/agent/acknowledge", proxy_acknowledge, SERVER },
    { "GET", "/agent/command/", proxy_output, SERVER },
    { "GET", "/agent/blob/", proxy_blob_get, SERVER },
    { "PUT", "/agent/blob/", proxy_blob_put, SERVER },
    { "GET", "/agent/status", proxy_status, SERVER },
    { "POST", "/agent/certificate", proxy_certificate, SERVER },
    { "GET", "/metrics/stat", proxy_metrics, 0 },
    { .method = NULL },
};

static const struct field_style style = { .lang = ERR_EN, .offset_min = CLOCK_Z };
static const struct http_header json_header = { { "content-type", 12 }, { "application/json", 16 } };

static int parse(struct slice text, const struct field *fields, void *obj, struct arena *arena, struct err *e)
{
    json_t *value;
    int rv = json_parse(text, &value, e);

    if (rv != 0)
        return rv;
    rv = fields_init(fields, obj, arena, e);
    if (rv == 0)
        rv = json_is_object(value) ? fields_read(fields, value, obj, arena, e) : err_set(e, &ERR_REQUEST, "the body must be a JSON object");
    json_decref(value);
    return rv;
}

int proxy_parse(const char *text, const struct field *fields, void *obj, struct arena *arena, struct err *e)
{
    return parse((struct slice){ text, strlen(text) }, fields, obj, arena, e);
}

int proxy_read(struct proxy_call *c, const struct field *fields, void *obj, struct err *e)
{
    struct slice body;
    int rv = http_body_all(c->rq, AGENT_CALL_MAX, &body, e);

    return rv == 0 ? parse(body, fields, obj, c->rq->arena, e) : rv;
}

static int reply_json(struct proxy_call *c, int status, const struct field *fields, const void *obj, struct err *e)
{
    struct str t;
    int rv;

    str_init(&t, c->rq->arena);
    fields_write(&t, fields, obj, &style);
    if (str_failed(&t))
        return err_set(e, &ERR_NOMEM, "");
    rv = journal_sync(c->proxy->journal, e);
    return rv == 0 ? http_reply(c->rq, status, &json_header, 1, (struct slice){ t.s, t.n }, e) : rv;
}

int proxy_answer(struct proxy_call *c, const struct field *fields, const void *obj, struct err *e)
{
    return reply_json(c, 200, fields, obj, e);
}

/* Also a refused call may have raised the floor. */
static void refuse(struct proxy_call *c, const struct err *why)
{
    struct agent_failure failure;
    struct err e = { 0 };

    if (agent_failure_of(why, c->rq->arena, &failure, &e) == 0)
        (void)reply_json(c, why->row->http, agent_failure_fields, &failure, &e); /* who is gone needs no answer */
}

static bool matches(const struct proxy_route *r, struct slice path, struct slice *rest)
{
    size_t n = strlen(r->path);

    if (r->path[n - 1] != '/')
        return slice_is(path, r->path);
    if (!slice_starts(path, r->path))
        return false;
    *rest = (struct slice){ path.s + n, path.n - n };
    return true;
}

static const struct proxy_route *route_of(struct proxy_call *c)
{
    for (const struct proxy_route *r = routes; r->method != NULL; r++)
        if (slice_is(c->rq->method, r->method) && matches(r, c->rq->path, &c->rest))
            return r;
    return NULL;
}

/* "ocp-node:OCPID:N" */
static bool is_our_node(const struct proxy *p, const char *uri)
{
    static const char prefix[] = "ocp-node:";
    size_t n = strlen(p->frame->conf.ocp_id);

    return uri != NULL && strncmp(uri, prefix, sizeof prefix - 1) == 0 && strncmp(uri + sizeof prefix - 1, p->frame->conf.ocp_id, n) == 0 &&
           uri[sizeof prefix - 1 + n] == ':';
}

static int serve(struct proxy_call *c, struct err *e)
{
    const struct proxy_route *r = route_of(c);

    if (r == NULL) {
        (void)err_set(e, &ERR_NOT_FOUND, "call");
        return err_arg(e, "%.*s %.*s", SLICE_FMT(c->rq->method), SLICE_FMT(c->rq->path));
    }
    c->from_server = is_our_node(c->proxy, c->rq->peer_uri);
    if ((r->flags & SERVER) != 0 && !c->from_server)
        return err_set(e, &ERR_AGENT_OTHER, "%s", c->proxy->frame->conf.ocp_id);
    if (c->from_server)
        frame_server_seen(c->proxy->frame);
    return r->serve(c, e);
}

void proxy_serve(struct http_request *rq, void *data)
{
    struct proxy_call c = { .proxy = data, .rq = rq };
    struct err e = { 0 };

    if (serve(&c, &e) != 0 && http_reply_status(rq) == 0)
        refuse(&c, &e);
}

/* ---- the simple calls -------------------------------------------------------------------------------------------------- */

/* What this process takes, for whoever has a certificate of the authority. */
int proxy_metrics(struct proxy_call *c, struct err *e)
{
    static const struct http_header text_header = { SLICE("content-type"), SLICE("text/plain; version=0.0.4; charset=utf-8") };
    struct str t;

    str_init(&t, c->rq->arena);
    self_add_process(&t);
    return str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : http_reply(c->rq, 200, &text_header, 1, (struct slice){ t.s, t.n }, e);
}

int proxy_ping(struct proxy_call *c, struct err *e)
{
    return http_reply(c->rq, 200, NULL, 0, (struct slice){ ledger_incarnation(c->proxy->ledger), AGENT_ID_SIZE - 1 }, e);
}

static int list_kinds(struct arena *arena, struct field_strings *out, struct err *e)
{
    size_t n = 0;

    while (agent_kinds[n].name != NULL)
        n++;
    *out = (struct field_strings){ arena_array(arena, n, sizeof(char *)), n };
    if (out->items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++)
        out->items[i] = agent_kinds[i].name;
    return 0;
}

int proxy_hello(struct proxy_call *c, struct err *e)
{
    struct proxy *p = c->proxy;
    const struct agent_conf *conf = &p->frame->conf;
    struct agent_hello out = {
        .boot = p->boot, .version = PACKAGE_VERSION, .ocp_id = conf->ocp_id, .host_id = conf->host_id, .wall_us = clock_wall_us(&clock_system),
    };
    struct agent_hello_ask ask;
    struct roots roots;
    int rv = proxy_read(c, agent_hello_ask_fields, &ask, e);

    if (rv == 0)
        rv = proxy_hear(p, conf->ocp_id, NULL, ask.epoch, e);
    if (rv == 0)
        rv = list_kinds(c->rq->arena, &out.kinds, e);
    if (rv == 0)
        rv = commands_roots(&p->commands, c->rq->arena, &roots, e);
    if (rv != 0)
        return rv;
    out.incarnation = ledger_incarnation(p->ledger);
    out.clock_ms = clock_now_ms(&clock_system);
    out.epoch = ledger_floor(p->ledger, conf->ocp_id);
    out.roots = (struct field_strings){ (const char **)roots.dirs, roots.n };
    return proxy_answer(c, agent_hello_fields, &out, e);
}
