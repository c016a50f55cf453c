/* SPDX-License-Identifier: Apache-2.0 */
#include "src/peer/call.h"

#include <string.h>

#include "src/io/fiber.h"
#include "src/io/http_client.h"

ERR_DEFINE(ERR_PEER_AWAY, 90741, 503, ERR_RETRY, "Node {0} cannot be reached: {1}. Nothing was changed; try again shortly.",
           "无法连接节点 {0}：{1}。未做任何修改，请稍后重试。");
ERR_DEFINE(ERR_PEER_LOST, 90742, 503, ERR_UNKNOWN,
           "Node {0} did not answer: {1}. Look whether the request took effect before repeating it, or repeat it with the same idempotency key.",
           "节点 {0} 未应答：{1}。重试前请先确认请求是否已生效，或使用相同的幂等键重试。");

const struct err_row *const peer_call_err_rows[] = { &ERR_PEER_AWAY, &ERR_PEER_LOST, NULL };

struct peer_caller {
    struct http_client *client;  /* owned */
    char *authority, *certificate, *key;
    uint8_t cluster[PEER_CLUSTER_BYTES];
};

int peer_caller_new(const struct peer_caller_conf *conf, struct peer_caller **out, struct err *e)
{
    const struct http_client_conf client = { .loop = conf->loop };
    struct peer_caller *p = mem_zalloc(sizeof *p);
    int rv = 0;

    if (p == NULL)
        return err_set(e, &ERR_NOMEM, "");
    memcpy(p->cluster, conf->cluster, sizeof p->cluster);
    p->authority = mem_strdup(conf->authority);
    p->certificate = mem_strdup(conf->certificate);
    p->key = mem_strdup(conf->key);
    if (p->authority == NULL || p->certificate == NULL || p->key == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv == 0)
        rv = http_client_new(&client, &p->client, e);
    if (rv != 0) {
        peer_caller_free(p);
        return rv;
    }
    *out = p;
    return 0;
}

void peer_caller_free(struct peer_caller *p)
{
    if (p == NULL)
        return;
    http_client_free(p->client);
    mem_free(p->authority);
    mem_free(p->certificate);
    mem_free(p->key);
    mem_free(p);
}

static int failed(const struct peer_call *call, const struct err_row *row, const char *why, struct err *e)
{
    (void)err_set(e, row, "%llu", (unsigned long long)call->node);
    return err_arg(e, "%s", why);
}

/* Errors of the client to ours: was it asked, or not? */
static int translate(const struct peer_call *call, const struct err *why, struct err *e)
{
    if (err_is(why, &ERR_HTTP_CONNECT))
        return failed(call, &ERR_PEER_AWAY, why->arg[1], e);
    if (err_is(why, &ERR_HTTP_LOST) || err_is(why, &ERR_HTTP_TOO_LARGE))
        return failed(call, &ERR_PEER_LOST, why->arg[1], e);
    if (err_is(why, &ERR_TIMEOUT))
        return failed(call, &ERR_PEER_LOST, "no answer in time", e);
    if (e != NULL)
        *e = *why;
    return why->row->code;
}

static int take_answer(const struct http_fetched *res, struct arena *arena, struct peer_answer *out, struct err *e)
{
    struct peer_header *headers = arena_array(arena, res->n_headers > 0 ? res->n_headers : 1, sizeof *headers);

    if (headers == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (unsigned i = 0; i < res->n_headers; i++)
        headers[i] = (struct peer_header){ res->headers[i].name, res->headers[i].value };
    *out = (struct peer_answer){ res->status, res->body, headers, res->n_headers };
    return 0;
}

int peer_call(struct peer_caller *p, const struct peer_call *call, struct arena *arena, struct peer_answer *out, struct err *e)
{
    char uri[PEER_URI_SIZE];
    struct http_fetch req = {
        .method = call->method,
        .url = arena_printf(arena, "https://%s%s", call->address, call->target),
        .headers = call->headers,
        .body = call->body,
        .tls_ca = p->authority,
        .tls_uri = peer_uri(p->cluster, call->node, uri),
        .tls_cert = p->certificate,
        .tls_key = p->key,
        .once = !call->repeatable,
        .connect_timeout_ms = PEER_CONNECT_MS,
        .max_body_bytes = PEER_ANSWER_MAX,
    };
    struct http_fetched res;
    struct err why = { 0 };

    if (req.url == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (http_fetch(p->client, &req, arena, &res, &why) != 0)
        return translate(call, &why, e);
    return take_answer(&res, arena, out, e);
}
