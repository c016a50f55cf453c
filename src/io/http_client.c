/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl's multi interface on a loop. curl says which sockets it waits for (on_socket) and when it wants to be called again
 * (on_timer_wanted); we say what happened (uv_poll, uv_timer). A fiber adds its transfer and parks; a finished transfer wakes
 * it; a fiber that gives up removes its transfer. curl's callbacks never run a fiber, so nobody enters curl from inside it.
 *
 * Name resolution runs in curl's own threads; CURLOPT_QUICK_EXIT lets an abandoned one end by itself instead of being joined. */
#include "src/io/http_client.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "config.h"
#include "src/io/fiber.h"
#include "src/io/tls.h"

enum { DEFAULT_MAX_BODY = 1 << 20, DEFAULT_CONNECT_TIMEOUT_MS = 5000, MAX_HEADERS = 200, STANDSTILL_S = 60 };

ERR_DEFINE(ERR_HTTP_CONNECT, 90020, 502, ERR_RETRY, "No connection to {0}: {1}. Check that the address is right and the service runs.",
           "无法连接 {0}：{1}。请检查地址是否正确、服务是否运行。");
ERR_DEFINE(ERR_HTTP_LOST, 90021, 502, ERR_UNKNOWN,
           "The connection to {0} ended before the answer was complete: {1}. Look whether the request took effect before repeating it.",
           "与 {0} 的连接在应答完成前中断：{1}。重试前请先确认请求是否已生效。");
ERR_DEFINE(ERR_HTTP_TOO_LARGE, 90022, 502, ERR_FINAL, "The answer of {0} is larger than the {1} bytes allowed for it.",
           "{0} 的应答超过允许的 {1} 字节。");

const struct err_row *const http_client_err_rows[] = { &ERR_HTTP_CONNECT, &ERR_HTTP_LOST, &ERR_HTTP_TOO_LARGE, NULL };

struct http_client {
    struct loop *loop;           /* borrowed */
    CURLM *multi;                /* owned */
    uv_timer_t timer;
    char user_agent[64];
    unsigned n_handles;          /* not closed yet */
    bool freed;
};

struct watched {
    uv_poll_t poll;
    struct http_client *client;
    curl_socket_t fd;            /* curl's */
};

/* One fetch, on its fiber's stack. */
struct transfer {
    const struct http_fetch *req;
    struct arena *arena;
    CURL *easy;                  /* owned */
    struct curl_slist *headers;  /* owned */
    struct wait wait;
    CURLcode result;
    struct str body;
    size_t max_body;
    bool is_too_large;
    bool is_stranger;            /* the server is not tls_uri */
    bool was_sent;               /* at least once: curl sends again what a kept connection has lost */
    char reason[CURL_ERROR_SIZE];
};

static void free_when_closed(struct http_client *c)
{
    if (c->freed && c->n_handles == 0)
        mem_free(c);
}

static void note_finished(struct http_client *c)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
        void *data = NULL;
        struct transfer *t;

        if (m->msg != CURLMSG_DONE || curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &data) != CURLE_OK)
            continue;
        t = data;
        t->result = m->data.result;
        wait_wake(&t->wait);
    }
}

static void act(struct http_client *c, curl_socket_t fd, int events)
{
    int running;

    (void)curl_multi_socket_action(c->multi, fd, events, &running); /* failures of transfers come as their results */
    note_finished(c);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
    struct watched *w = poll->data;
    int curl_events = status < 0 ? CURL_CSELECT_ERR : 0;

    if (events & UV_READABLE)
        curl_events |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        curl_events |= CURL_CSELECT_OUT;
    act(w->client, w->fd, curl_events); /* may close `w` */
}

static void on_watched_closed(uv_handle_t *handle)
{
    struct watched *w = handle->data;
    struct http_client *c = w->client;

    mem_free(w);
    c->n_handles--;
    free_when_closed(c);
}

static struct watched *watched_new(struct http_client *c, curl_socket_t fd)
{
    struct watched *w = mem_zalloc(sizeof *w);

    if (w == NULL)
        return NULL;
    w->poll.data = w;
    w->client = c;
    w->fd = fd;
    if (uv_poll_init_socket(loop_uv(c->loop), &w->poll, fd) != 0) {
        mem_free(w);
        return NULL;
    }
    c->n_handles++;
    (void)curl_multi_assign(c->multi, fd, w); /* fails only for a socket curl does not know */
    return w;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *assigned)
{
    struct http_client *c = data;
    struct watched *w = assigned;
    int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w != NULL)
            uv_close((uv_handle_t *)&w->poll, on_watched_closed);
        return 0;
    }
    if (w == NULL)
        w = watched_new(c, fd);
    if (w == NULL)
        return -1; /* ends the transfers that wait for this socket */
    (void)uv_poll_start(&w->poll, events, on_event); /* fails only for a handle that is being closed */
    return 0;
}

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer_wanted(CURLM *multi, long ms, void *data)
{
    struct http_client *c = data;

    (void)multi;
    if (ms < 0)
        (void)uv_timer_stop(&c->timer); /* documented to return 0 */
    else
        (void)uv_timer_start(&c->timer, on_timer, (uint64_t)ms, 0); /* fails only without a callback */
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct http_client *c = handle->data;

    c->n_handles--;
    free_when_closed(c);
}

int http_client_new(const struct http_client_conf *conf, struct http_client **out, struct err *e)
{
    struct http_client *c = mem_zalloc(sizeof *c);

    if (c == NULL)
        return err_set(e, &ERR_NOMEM, "");
    c->loop = conf->loop;
    (void)snprintf(c->user_agent, sizeof c->user_agent, "%s", conf->user_agent != NULL ? conf->user_agent : "ocp-server/" PACKAGE_VERSION);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) /* counted, and safe from any thread since curl 7.84 */
        goto free_client;
    c->multi = curl_multi_init();
    if (c->multi == NULL)
        goto cleanup_global;
    /* setting options of these types cannot fail */
    (void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    (void)curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer_wanted);
    (void)curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    (void)curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, conf->max_connections > 0 ? (long)conf->max_connections : 256L);
    (void)curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, conf->max_per_host > 0 ? (long)conf->max_per_host : 16L);
    (void)uv_timer_init(loop_uv(c->loop), &c->timer); /* documented to return 0 */
    c->timer.data = c;
    c->n_handles = 1;
    *out = c;
    return 0;

cleanup_global:
    curl_global_cleanup();
free_client:
    mem_free(c);
    return err_set(e, &ERR_NOMEM, "");
}

void http_client_free(struct http_client *c)
{
    if (c == NULL)
        return;
    (void)curl_multi_cleanup(c->multi); /* closes the kept connections */
    curl_global_cleanup();
    c->freed = true;
    uv_close((uv_handle_t *)&c->timer, on_timer_closed);
}

static bool goes_out(struct transfer *t)
{
    long status = 0;

    return t->req->download != NULL && curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status == 200;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *data)
{
    struct transfer *t = data;

    n *= size;
    if (goes_out(t))
        return t->req->download->write(t->req->download->data, bytes, n) ? n : CURL_WRITEFUNC_ERROR;
    if (n > t->max_body - t->body.n) {
        t->is_too_large = true;
        return CURL_WRITEFUNC_ERROR;
    }
    str_add_n(&t->body, bytes, n);
    return str_failed(&t->body) ? CURL_WRITEFUNC_ERROR : n;
}

static size_t on_upload(char *to, size_t size, size_t n, void *data)
{
    const struct http_stream *s = data;
    size_t got = s->read(s->data, to, size * n);

    return got > 0 ? got : CURL_READFUNC_ABORT; /* curl does not ask beyond the end */
}

static int on_rewind(void *data, curl_off_t offset, int origin)
{
    const struct http_stream *s = data;

    return offset == 0 && origin == SEEK_SET && s->rewind(s->data) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static void set_stream(struct transfer *t)
{
    const struct http_stream *s = t->req->upload;

    (void)curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
    (void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)s->bytes);
    (void)curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, on_upload);
    (void)curl_easy_setopt(t->easy, CURLOPT_READDATA, (void *)(uintptr_t)s);
    (void)curl_easy_setopt(t->easy, CURLOPT_SEEKFUNCTION, on_rewind);
    (void)curl_easy_setopt(t->easy, CURLOPT_SEEKDATA, (void *)(uintptr_t)s);
}

static bool add_header(struct transfer *t, const char *line)
{
    struct curl_slist *list = curl_slist_append(t->headers, line);

    if (list != NULL)
        t->headers = list;
    return list != NULL;
}

/* No waiting for 100-continue, and no Content-Type that the caller did not give. */
static bool add_headers(struct transfer *t)
{
    bool has_type = false;

    for (const char *const *h = t->req->headers; h != NULL && *h != NULL; h++) {
        has_type = has_type || strncasecmp(*h, "Content-Type:", 13) == 0;
        if (!add_header(t, *h))
            return false;
    }
    return add_header(t, "Expect:") && (has_type || add_header(t, "Content-Type:"));
}

static bool is_expected(const struct transfer *t)
{
    struct curl_tlssessioninfo *session = NULL;

    return t->req->tls_uri == NULL ||
           (curl_easy_getinfo(t->easy, CURLINFO_TLS_SSL_PTR, &session) == CURLE_OK && session->backend == CURLSSLBACKEND_OPENSSL &&
            session->internals != NULL && tls_session_is(session->internals, t->req->tls_uri));
}

/* Before each request, on a new connection as on a kept one. */
static int on_ready(void *data, char *their_ip, char *our_ip, int their_port, int our_port)
{
    struct transfer *t = data;

    (void)their_ip;
    (void)our_ip;
    (void)their_port;
    (void)our_port;
    t->is_stranger = !is_expected(t);
    t->was_sent = t->was_sent || !t->is_stranger;
    return t->is_stranger ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

/* The authority's file may have been replaced, so it is read for each connection. */
static void expect_uri(struct transfer *t)
{
    (void)curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, 0L);
    (void)curl_easy_setopt(t->easy, CURLOPT_CA_CACHE_TIMEOUT, 0L);
}

/* Options whose value is text are copied, so they can run out of memory; the others cannot fail. */
static bool set_text(struct transfer *t, CURLoption option, const char *value)
{
    return value == NULL || curl_easy_setopt(t->easy, option, value) == CURLE_OK;
}

static void set_body(struct transfer *t, const char *method)
{
    bool is_get = strcmp(method, "GET") == 0;

    if (t->req->upload != NULL || t->req->download != NULL) {
        (void)curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
        (void)curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME, (long)STANDSTILL_S);
    }
    if (t->req->upload != NULL)
        set_stream(t);
    else if (strcmp(method, "HEAD") == 0)
        (void)curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
    else if (!is_get || t->req->body.n > 0) {
        (void)curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->req->body.n);
        (void)curl_easy_setopt(t->easy, CURLOPT_POSTFIELDS, t->req->body.n > 0 ? t->req->body.s : "");
    }
}

static bool set_request(struct transfer *t)
{
    const struct http_fetch *r = t->req;
    const char *method = r->method != NULL ? r->method : "GET";

    set_body(t, method);
    (void)curl_easy_setopt(t->easy, CURLOPT_HTTP_VERSION, r->http2 ? (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE : (long)CURL_HTTP_VERSION_2TLS);
    (void)curl_easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, r->once ? 1L : 0L);
    (void)curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, r->connect_timeout_ms > 0 ? (long)r->connect_timeout_ms : (long)DEFAULT_CONNECT_TIMEOUT_MS);
    (void)curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    (void)curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYPEER, r->tls_unverified ? 0L : 1L);
    (void)curl_easy_setopt(t->easy, CURLOPT_SSL_VERIFYHOST, r->tls_unverified ? 0L : 2L);
    if (r->tls_uri != NULL)
        expect_uri(t);
    if (r->tls_ca != NULL) /* and nothing but that */
        (void)curl_easy_setopt(t->easy, CURLOPT_CAPATH, NULL);
    return (strcmp(method, "HEAD") == 0 || set_text(t, CURLOPT_CUSTOMREQUEST, method)) && set_text(t, CURLOPT_URL, r->url) &&
           set_text(t, CURLOPT_USERNAME, r->user) && set_text(t, CURLOPT_PASSWORD, r->password) &&
           set_text(t, CURLOPT_CAINFO, r->tls_ca) && set_text(t, CURLOPT_SSLCERT, r->tls_cert) && set_text(t, CURLOPT_SSLKEY, r->tls_key);
}

static bool set_policy(struct transfer *t, const struct http_client *c)
{
    (void)curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    (void)curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->reason);
    (void)curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    (void)curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, on_ready);
    (void)curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t);
    (void)curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(t->easy, CURLOPT_QUICK_EXIT, 1L);
    (void)curl_easy_setopt(t->easy, CURLOPT_MAXFILESIZE_LARGE, t->req->download != NULL ? (curl_off_t)0 : (curl_off_t)t->max_body);
    (void)curl_easy_setopt(t->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(t->easy, CURLOPT_PATH_AS_IS, 1L);
    return set_text(t, CURLOPT_PROXY, "") && set_text(t, CURLOPT_PROTOCOLS_STR, "http,https") && set_text(t, CURLOPT_USERAGENT, c->user_agent);
}

static int prepare(struct transfer *t, const struct http_client *c, struct err *e)
{
    t->easy = curl_easy_init();
    if (t->easy == NULL || !add_headers(t) || !set_policy(t, c) || !set_request(t))
        return err_set(e, &ERR_NOMEM, "");
    return 0;
}

/* "host:port" of the URL, without user, password, path and query, which may hold secrets. */
static void name_peer(const char *url, char *peer, size_t size)
{
    CURLU *u = curl_url();
    char *host = NULL, *port = NULL;

    (void)snprintf(peer, size, "%s", "the given URL");
    if (u != NULL && curl_url_set(u, CURLUPART_URL, url, 0) == CURLUE_OK && curl_url_get(u, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK)
        (void)snprintf(peer, size, "%s:%s", host, port);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(u);
}

/* Of HTTP_CONNECT everybody believes that nothing was sent. */
static const struct err_row *unconnected(const struct transfer *t)
{
    return t->was_sent ? &ERR_HTTP_LOST : &ERR_HTTP_CONNECT;
}

static const struct err_row *classify(const struct transfer *t)
{
    if (t->is_too_large)
        return &ERR_HTTP_TOO_LARGE;
    if (t->is_stranger)
        return unconnected(t);
    if (str_failed(&t->body))
        return &ERR_NOMEM;
    switch (t->result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_OPERATION_TIMEDOUT: /* of connecting: there is no other limit in curl */
        return unconnected(t);
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
        return &ERR_IO;
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
        return &ERR_INVALID;
    case CURLE_OUT_OF_MEMORY:
        return &ERR_NOMEM;
    case CURLE_FILESIZE_EXCEEDED:
        return &ERR_HTTP_TOO_LARGE;
    default:
        return &ERR_HTTP_LOST;
    }
}

static int failure(const struct transfer *t, struct err *e)
{
    const char *reason = t->reason[0] != '\0' ? t->reason : curl_easy_strerror(t->result);
    const struct err_row *row = classify(t);
    char peer[ERR_ARG_SIZE];

    name_peer(t->req->url, peer, sizeof peer);
    if (row == &ERR_NOMEM)
        return err_set(e, row, "");
    if (t->is_stranger)
        reason = "the certificate there is another one's";
    if (row == &ERR_INVALID || row == &ERR_IO)
        return err_set(e, row, "%s: %s", peer, reason);
    (void)err_set(e, row, "%s", peer);
    if (row == &ERR_HTTP_TOO_LARGE)
        return e != NULL ? err_arg(e, "%zu", t->max_body) : row->code;
    return e != NULL ? err_arg(e, "%s", reason) : row->code;
}

static int take_headers(struct transfer *t, struct http_fetched *res, struct err *e)
{
    struct http_header *list = arena_array(t->arena, MAX_HEADERS, sizeof *list);
    struct curl_header *h = NULL;

    if (list == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (res->n_headers < MAX_HEADERS && (h = curl_easy_nextheader(t->easy, CURLH_HEADER, -1, h)) != NULL) {
        struct http_header *out = &list[res->n_headers++];

        out->name = arena_strdup(t->arena, h->name);
        out->value = arena_strdup(t->arena, h->value);
        if (out->name == NULL || out->value == NULL)
            return err_set(e, &ERR_NOMEM, "");
    }
    res->headers = list;
    return 0;
}

static int take_answer(struct transfer *t, struct http_fetched *res, struct err *e)
{
    long status = 0, version = 0;

    if (t->result != CURLE_OK)
        return failure(t, e);
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status); /* these two exist in every build */
    (void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
    *res = (struct http_fetched){ .status = (int)status, .is_http2 = version == CURL_HTTP_VERSION_2_0 };
    res->body = (struct slice){ str_c(&t->body), t->body.n };
    return take_headers(t, res, e);
}

static int perform(struct http_client *c, struct transfer *t, struct http_fetched *res, struct err *e)
{
    int rv;

    wait_init(&t->wait);
    if (curl_multi_add_handle(c->multi, t->easy) != CURLM_OK)
        return err_set(e, &ERR_NOMEM, "");
    rv = wait_for(&t->wait, e);
    /* removing first: from here on no callback knows the transfer; what was under way on its connection is cut off */
    (void)curl_multi_remove_handle(c->multi, t->easy);
    if (rv != 0) {
        char peer[ERR_ARG_SIZE];

        name_peer(t->req->url, peer, sizeof peer);
        (void)err_wrap(e, "request to %s", peer);
        return rv;
    }
    return take_answer(t, res, e);
}

int http_fetch(struct http_client *c, const struct http_fetch *req, struct arena *arena, struct http_fetched *res, struct err *e)
{
    struct transfer t = { .req = req, .arena = arena };
    int rv;

    t.max_body = req->max_body_bytes > 0 ? req->max_body_bytes : DEFAULT_MAX_BODY;
    str_init(&t.body, arena);
    rv = prepare(&t, c, e);
    if (rv == 0)
        rv = perform(c, &t, res, e);
    curl_easy_cleanup(t.easy);
    curl_slist_free_all(t.headers);
    return rv;
}

const char *http_fetched_header(const struct http_fetched *res, const char *name)
{
    for (unsigned i = 0; i < res->n_headers; i++)
        if (strcasecmp(res->headers[i].name, name) == 0)
            return res->headers[i].value;
    return NULL;
}
