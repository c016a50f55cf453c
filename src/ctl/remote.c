/* SPDX-License-Identifier: Apache-2.0 */
/* A call goes to the current endpoint. When that cannot be reached, breaks off or says 502, 503 or 504, the call goes round to the
 * others; a single endpoint that broke off is asked once more. When one of a round says when to come back (503 with Retry-After, as
 * while a leader is being elected, or 409 while the first request with the same key is still running), there is another round. Only when all have failed does the call fail. */
#include "src/ctl/remote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "src/base/clock.h"
#include "src/ctl/sign.h"
#include "src/io/fiber.h"
#include "src/io/http_client.h"

ERR_DEFINE(ERR_CTL_REFUSED, 90901, 502, ERR_FINAL, "{0} (code {1}, trace {2})", "{0}（错误码 {1}，追踪号 {2}）");
ERR_DEFINE(ERR_CTL_LOGIN, 90902, 502, ERR_FINAL, "{0} (code {1}, trace {2})", "{0}（错误码 {1}，追踪号 {2}）");
ERR_DEFINE(ERR_CTL_ODD, 90903, 502, ERR_FINAL, "{0} does not answer like an OCP: {1}.", "{0} 的应答不是 OCP 的应答：{1}。");
ERR_DEFINE(ERR_CTL_UNREACHABLE, 90904, 502, ERR_RETRY, "No server could be reached. {0}", "无法连接任何服务器。{0}");

enum { ROUNDS = 4, MAX_RETRY_MS = 3000, MAX_ENDPOINTS = 16, READY_MS = 3000, MAX_ANSWER = 256 << 20, KEY_BYTES = 16, FILE_MS = 86400000 };

struct remote {
    struct remote_conf conf;
    struct http_client *client;       /* owned */
    char *urls[MAX_ENDPOINTS];        /* owned, without a '/' at the end */
    unsigned n, current;
    int64_t retry_ms;                 /* Retry-After of a 503 or 409 in this round; 0: there was none */
    bool chosen;
};

static int add_endpoint(struct remote *r, struct slice text, struct err *e)
{
    struct str url;

    while (text.n > 0 && text.s[text.n - 1] == '/')
        text.n--;
    if (text.n == 0)
        return 0;
    if (r->n == MAX_ENDPOINTS)
        return err_set(e, &ERR_INVALID, "--server: more than %d endpoints", MAX_ENDPOINTS);
    str_init(&url, NULL);
    if (memchr(text.s, '/', text.n) == NULL)
        str_add(&url, "http://");
    str_add_n(&url, text.s, text.n);
    if (str_failed(&url))
        return err_set(e, &ERR_NOMEM, "");
    r->urls[r->n++] = url.s;
    if (strncmp(url.s, "http://", 7) != 0 && strncmp(url.s, "https://", 8) != 0)
        return err_set(e, &ERR_INVALID, "--server: \"%s\" is not a URL like https://ocp.example.com:8080", url.s);
    return 0;
}

int remote_new(const struct remote_conf *conf, struct remote **out, struct err *e)
{
    struct http_client_conf client = { .loop = conf->loop, .user_agent = "ocpctl" };
    struct remote *r = mem_zalloc(sizeof *r);
    struct slice rest = { conf->endpoints, strlen(conf->endpoints) };
    int rv = 0;

    if (r == NULL)
        return err_set(e, &ERR_NOMEM, "");
    r->conf = *conf;
    while (rv == 0 && rest.n > 0)
        rv = add_endpoint(r, slice_trim(slice_cut(&rest, ',')), e);
    if (rv == 0 && r->n == 0)
        rv = err_set(e, &ERR_INVALID, "--server: no endpoint is given");
    if (rv == 0)
        rv = http_client_new(&client, &r->client, e);
    if (rv != 0) {
        remote_free(r);
        return rv;
    }
    *out = r;
    return 0;
}

void remote_free(struct remote *r)
{
    if (r == NULL)
        return;
    http_client_free(r->client);
    for (unsigned i = 0; i < r->n; i++)
        mem_free(r->urls[i]);
    mem_free(r);
}

unsigned remote_count(const struct remote *r)
{
    return r->n;
}

const char *remote_url(const struct remote *r, unsigned n)
{
    return r->urls[n];
}

struct request {
    const char *method, *path, *body;
    const char *key;                  /* Idempotency-Key header; NULL when nothing is changed */
    bool with_login;
    int64_t timeout_ms;
    const struct http_stream *upload, *download; /* files; NULL: none */
    const char *type;                 /* "Content-Type: ..." of the upload */
};

/* With Retry-After: the same request may succeed then. */
static bool is_passing(int status)
{
    return status == 503 || status == 409;
}

static int64_t retry_of(const struct http_fetched *res)
{
    const char *after = http_fetched_header(res, "Retry-After");
    int64_t s = after != NULL ? strtoll(after, NULL, 10) : 0;

    return s < 0 ? 0 : s * 1000 < MAX_RETRY_MS ? s * 1000 : MAX_RETRY_MS;
}

static int fetch(struct remote *r, unsigned n, const struct request *q, struct arena *arena, struct remote_answer *out, struct err *e)
{
    const char *headers[7] = { "Accept: application/json, */*" };
    struct http_fetch req = { .method = q->method, .headers = headers, .max_body_bytes = MAX_ANSWER, .tls_ca = r->conf.tls_ca,
                              .tls_unverified = r->conf.tls_unverified };
    struct http_fetched res;
    unsigned n_headers = 1;
    int64_t former;
    int rv;

    req.url = arena_printf(arena, "%s%s", r->urls[n], q->path);
    if (r->conf.language != NULL)
        headers[n_headers++] = arena_printf(arena, "Accept-Language: %s", r->conf.language);
    if (q->key != NULL)
        headers[n_headers++] = q->key;
    if (q->body != NULL || q->upload != NULL)
        headers[n_headers++] = q->upload != NULL ? q->type : "Content-Type: application/json";
    req.upload = q->upload;
    req.download = q->download;
    if (req.url == NULL || (r->conf.language != NULL && headers[1] == NULL))
        return err_set(e, &ERR_NOMEM, "");
    if (q->body != NULL)
        req.body = (struct slice){ q->body, strlen(q->body) };
    if (q->with_login && r->conf.access_key != NULL) {
        const struct signing s = { r->conf.access_key, r->conf.secret_key, q->method, req.url, q->body != NULL ? "application/json" : "", req.body,
                                   clock_wall_us(&clock_system) };

        rv = sign_headers(&s, arena, &headers[n_headers], e);
        if (rv != 0)
            return rv;
    } else if (q->with_login && r->conf.user != NULL) {
        req.user = r->conf.user;
        req.password = r->conf.password;
    }
    former = fiber_narrow_deadline(q->timeout_ms);
    rv = http_fetch(r->client, &req, arena, &res, e);
    fiber_restore_deadline(former);
    if (rv != 0)
        return rv;
    *out = (struct remote_answer){ .status = res.status, .body = res.body, .url = r->urls[n] };
    if (is_passing(res.status))
        r->retry_ms = retry_of(&res);
    out->content_type = http_fetched_header(&res, "Content-Type");
    if (out->content_type == NULL)
        out->content_type = "";
    return 0;
}

/* With several endpoints: the first that is ready. When none is, the first one: the call itself will say what is wrong. */
static void choose(struct remote *r, struct arena *arena)
{
    const struct request ready = { .method = "GET", .path = "/readyz", .timeout_ms = READY_MS };
    struct remote_answer a;
    struct err e = { .row = NULL };

    for (unsigned i = 0; r->n > 1 && i < r->n; i++) {
        if (fetch(r, i, &ready, arena, &a, &e) == 0 && a.status == 200) {
            r->current = i;
            break;
        }
    }
    r->chosen = true;
}

static bool is_elsewhere_better(int status)
{
    return status == 502 || status == 503 || status == 504;
}

/* Nothing was sent, or the request may be sent again: it only reads, or bears a key. */
static bool may_repeat(const struct err *e)
{
    return err_is(e, &ERR_HTTP_CONNECT) || err_is(e, &ERR_HTTP_LOST) || err_is(e, &ERR_TIMEOUT);
}

static void note_failure(struct str *why, const char *url, const struct err *e, int status)
{
    char text[1024];

    str_add(why, why->n > 0 ? " " : "");
    if (e->row == NULL)
        str_printf(why, "%s: status %d.", url, status);
    else if (err_is(e, &ERR_TIMEOUT))
        str_printf(why, "%s: no answer in time.", url);
    else
        str_add(why, err_text(e, ERR_EN, text, sizeof text));
}

static int unreachable(const struct str *why, struct remote *r, struct err *e)
{
    (void)snprintf(r->conf.message, REMOTE_MESSAGE_SIZE, "No server could be reached. %s", str_c(why));
    return err_set(e, &ERR_CTL_UNREACHABLE, "%.150s", str_c(why));
}

/* The URL was looked at before, so what is invalid is the answer: not HTTP. */
static int odd(const char *url, struct err *e)
{
    char reason[ERR_ARG_SIZE];

    (void)snprintf(reason, sizeof reason, "%s", e->arg[0]);
    (void)err_set(e, &ERR_CTL_ODD, "%s", url);
    return err_arg(e, "%s", reason);
}

static bool is_safe_method(const char *method)
{
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

static const char *make_key(struct arena *arena, struct err *e)
{
    unsigned char random[KEY_BYTES];
    struct str t;

    str_init(&t, arena);
    if (getrandom(random, sizeof random, 0) != sizeof random) {
        (void)err_set(e, &ERR_IO, "getrandom");
        return NULL;
    }
    str_add(&t, "Idempotency-Key: ocpctl-");
    str_add_hex(&t, random, sizeof random);
    if (!str_failed(&t))
        return t.s;
    (void)err_set(e, &ERR_NOMEM, "");
    return NULL;
}

static int go_round(struct remote *r, const struct request *q, struct arena *arena, struct remote_answer *out, struct err *e)
{
    struct str why;

    str_init(&why, arena);
    r->retry_ms = 0;
    for (unsigned left = r->n > 1 ? r->n : 2; left > 0; left--) {
        int rv;

        err_clear(e);
        rv = fetch(r, r->current, q, arena, out, e);
        if (rv == 0 && (left == 1 || r->n == 1 || !is_elsewhere_better(out->status)))
            return 0;
        if (rv != 0 && !may_repeat(e))
            return err_is(e, &ERR_INVALID) ? odd(r->urls[r->current], e) : rv;
        note_failure(&why, r->urls[r->current], e, out->status);
        if (r->n == 1 && !err_is(e, &ERR_HTTP_LOST))
            break;
        r->current = (r->current + 1) % r->n;
    }
    return unreachable(&why, r, e);
}

static bool is_for_later(const struct remote *r, int rv, const struct remote_answer *a)
{
    return r->retry_ms > 0 && (rv == ERR_CTL_UNREACHABLE.code || (rv == 0 && is_passing(a->status)));
}

static int ask(struct remote *r, struct request *q, struct arena *arena, struct remote_answer *out, struct err *e)
{
    int rv;

    if (!r->chosen)
        choose(r, arena);
    if (!is_safe_method(q->method)) {
        q->key = make_key(arena, e);
        if (q->key == NULL)
            return e->row->code;
    }
    rv = go_round(r, q, arena, out, e);
    for (unsigned i = 1; i < ROUNDS && is_for_later(r, rv, out) && strncmp(q->path, "/api/", 5) == 0; i++) {
        if (fiber_sleep(r->retry_ms, NULL) != 0)
            break; /* the answer stands */
        rv = go_round(r, q, arena, out, e);
    }
    return rv;
}

int remote_call(struct remote *r, const char *method, const char *path, const char *body, struct arena *arena,
                struct remote_answer *out, struct err *e)
{
    struct request q = { method, path, body, .with_login = true, .timeout_ms = r->conf.timeout_ms };

    return ask(r, &q, arena, out, e);
}

int remote_call_one(struct remote *r, unsigned n, const char *path, struct arena *arena, struct remote_answer *out, struct err *e)
{
    const struct request q = { .method = "GET", .path = path, .timeout_ms = r->conf.timeout_ms };

    return fetch(r, n, &q, arena, out, e);
}

static int refused(struct remote *r, const struct remote_answer *a, const json_t *root, struct err *e)
{
    const json_t *error = json_object_get(root, "error");
    const char *message = json_string_value(json_object_get(error, "message"));
    const char *trace = json_string_value(json_object_get(root, "traceId"));
    json_int_t code = json_integer_value(json_object_get(error, "code"));

    if (message == NULL) {
        (void)err_set(e, &ERR_CTL_ODD, "%s", a->url);
        return err_arg(e, "status %d without an error message", a->status);
    }
    (void)snprintf(r->conf.message, REMOTE_MESSAGE_SIZE, "%s (status %d, code %" JSON_INTEGER_FORMAT ", trace %s)", message, a->status, code,
                   trace != NULL ? trace : "-");
    (void)err_set(e, a->status == 401 || a->status == 403 ? &ERR_CTL_LOGIN : &ERR_CTL_REFUSED, "%.150s", message);
    (void)err_arg(e, "%" JSON_INTEGER_FORMAT, code);
    return err_arg(e, "%s", trace != NULL ? trace : "-");
}

static int judge(struct remote *r, const struct remote_answer *a, json_t *root, const json_t **data, struct err *e)
{
    const json_t *member = json_object_get(root, "data");

    if (a->status != 200)
        return refused(r, a, root, e);
    *data = member != NULL ? member : json_object_get(root, "successful") != NULL ? NULL : root;
    return 0;
}

static int read_answer(struct remote *r, const struct remote_answer *a, json_t **root, const json_t **data, struct err *e)
{
    int rv;

    if (json_parse(a->body, root, e) != 0) {
        (void)err_set(e, &ERR_CTL_ODD, "%s", a->url);
        return err_arg(e, "status %d and no JSON", a->status);
    }
    rv = judge(r, a, *root, data, e);
    if (rv != 0) {
        json_decref(*root);
        *root = NULL;
    }
    return rv;
}

int remote_data(struct remote *r, const char *method, const char *path, const char *body, struct arena *arena, json_t **root,
                const json_t **data, struct err *e)
{
    struct remote_answer a;
    int rv = remote_call(r, method, path, body, arena, &a, e);

    *root = NULL;
    *data = NULL;
    return rv == 0 ? read_answer(r, &a, root, data, e) : rv;
}

int remote_upload(struct remote *r, const char *path, const struct http_stream *file, const char *type, struct arena *arena, json_t **root,
                  const json_t **data, struct err *e)
{
    struct request q = { .method = "POST", .path = path, .with_login = true, .timeout_ms = FILE_MS, .upload = file,
                         .type = arena_printf(arena, "Content-Type: %s", type) };
    struct remote_answer a;
    int rv = q.type != NULL ? ask(r, &q, arena, &a, e) : err_set(e, &ERR_NOMEM, "");

    *root = NULL;
    *data = NULL;
    return rv == 0 ? read_answer(r, &a, root, data, e) : rv;
}

int remote_download(struct remote *r, const char *path, const struct http_stream *file, struct arena *arena, struct err *e)
{
    struct request q = { .method = "GET", .path = path, .with_login = true, .timeout_ms = FILE_MS, .download = file };
    struct remote_answer a;
    const json_t *data;
    json_t *root = NULL;
    int rv;

    if (!r->chosen)
        choose(r, arena);
    rv = fetch(r, r->current, &q, arena, &a, e);
    if (rv != 0 || a.status == 200)
        return rv;
    rv = read_answer(r, &a, &root, &data, e);
    json_decref(root);
    return rv;
}
