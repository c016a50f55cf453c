/* SPDX-License-Identifier: Apache-2.0 */
/* httpd - a service on the HTTP server whose behaviour a test asks for by the path. Prints "port N" for each listener, then serves
 * until SIGTERM (drains, at most drain_ms, then prints "drained" or "cut off"). SIGHUP reloads the certificate. Arguments are name=value:
 *   listen=ADDRESS  proxy=1 (PROXY protocol on the next listeners)  cert=FILE key=FILE (TLS on the next listeners)
 *   trusted=CIDRS  root=DIR (for /static)  fibers=N  loops=N  drain_ms=N  and every field of struct http_limits
 * Paths:
 *   /hello          "hello"                       /describe    everything the request shows, a line each
 *   /echo           body back, as it comes        /all?N       body back, at most N bytes
 *   /hash           SHA-256 and length of the body /json?N     N bytes of JSON
 *   /zeros?N        stream of N bytes, length announced; /chunks?N the same without
 *   /sse?N          N events, one every 10 ms     /sleep?MS    "slept"
 *   /hold           never answers                 /status?N    status N with a short body
 *   /file?PATH      that file                     /static/...  below root
 *   /none           returns without a reply       /half        begins a reply of 10 bytes, sends 5, returns
 *   /twice          two replies                   /split       a reply header with a line break
 *   /after          replies, then works for 50 ms /stats       counters, name=value */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "src/io/crash.h"
#include "src/io/fiber.h"
#include "src/io/http.h"
#include "src/io/http_static.h"

enum { STEP = 64 * 1024, LOOPS_MAX = 8, LISTEN_MAX = 8 };

struct instance;

struct app {
    struct http_limits limits;
    struct cidr_list trusted;
    struct http_static *root;
    struct work_pool *pool;
    struct log_sink sink;
    struct log log;
    unsigned fibers, loops, drain_ms;
    struct http_listen listen[LISTEN_MAX];
    struct tls_server *tls[LISTEN_MAX];
    unsigned n_listen;
    struct instance *first;
};

/* One loop with its server. */
struct instance {
    struct app *app;
    struct loop *loop;
    struct http_server *server;
    struct loop_post post;
    uint64_t cancelled, served, after, finished;
};

static const char pattern[STEP];

static uint64_t number(const struct http_request *rq)
{
    return rq->query.n > 0 ? strtoull(rq->query.s, NULL, 10) : 0;
}

static void reply_text(struct http_request *rq, int status, const char *type, struct slice body)
{
    struct http_header h = { SLICE("content-type"), { type, strlen(type) } };
    struct err e;

    if (http_reply(rq, status, &h, 1, body, &e) != 0 && !err_is(&e, &ERR_CANCELLED))
        abort();
}

static void reply_error(struct http_request *rq, const struct err *e)
{
    char *text = arena_alloc(rq->arena, 512);

    if (text == NULL || http_reply_status(rq) != 0)
        return;
    (void)err_text(e, ERR_EN, text, 512);
    reply_text(rq, e->row->http, "text/plain", (struct slice){ text, strlen(text) });
}

/* ---- paths ---------------------------------------------------------------------------------------------------------- */

static int hello(struct instance *in, struct http_request *rq, struct err *e)
{
    (void)in;
    (void)e;
    reply_text(rq, 200, "text/plain", SLICE("hello\n"));
    return 0;
}

static int describe(struct instance *in, struct http_request *rq, struct err *e)
{
    static const char *const versions[] = { "HTTP/1.0", "HTTP/1.1", "HTTP/2" };
    char client[ADDR_TEXT_SIZE], peer[ADDR_TEXT_SIZE];
    struct str t;

    (void)in;
    (void)e;
    str_init(&t, rq->arena);
    str_printf(&t, "method=%.*s\ntarget=%.*s\npath=%.*s\nquery=%.*s\n", SLICE_FMT(rq->method), SLICE_FMT(rq->target),
               SLICE_FMT(rq->path), rq->query.s != NULL ? (int)rq->query.n : 4, rq->query.s != NULL ? rq->query.s : "none");
    str_printf(&t, "authority=%.*s\nscheme=%.*s\nversion=%s\ntls=%d\n", SLICE_FMT(rq->authority), SLICE_FMT(rq->scheme),
               versions[rq->version], rq->tls);
    str_printf(&t, "client=%s\npeer=%s\nlength=%" PRId64 "\n", addr_text(&rq->client, client), addr_text(&rq->peer, peer),
               http_body_length(rq));
    for (unsigned i = 0; i < rq->n_headers; i++)
        str_printf(&t, "%.*s: %.*s\n", SLICE_FMT(rq->headers[i].name), SLICE_FMT(rq->headers[i].value));
    reply_text(rq, 200, "text/plain", (struct slice){ str_c(&t), t.n });
    return 0;
}

static int echo(struct instance *in, struct http_request *rq, struct err *e)
{
    char *buf = arena_alloc(rq->arena, STEP);
    size_t n = 1;
    int rv;

    (void)in;
    if (buf == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = http_reply_begin(rq, 200, NULL, 0, -1, e);
    while (rv == 0 && n > 0) {
        rv = http_body_read(rq, buf, STEP, &n, e);
        if (rv == 0 && n > 0)
            rv = http_reply_write(rq, buf, n, e);
    }
    return rv == 0 ? http_reply_end(rq, e) : rv;
}

static int all(struct instance *in, struct http_request *rq, struct err *e)
{
    struct slice body;
    int rv = http_body_all(rq, (size_t)number(rq), &body, e);

    (void)in;
    if (rv != 0)
        return rv;
    reply_text(rq, 200, "application/octet-stream", body);
    return 0;
}

static int hash(struct instance *in, struct http_request *rq, struct err *e)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    unsigned char digest[32];
    char *buf = arena_alloc(rq->arena, STEP);
    uint64_t total = 0;
    size_t n = 1;
    struct str t;
    int rv = 0;

    (void)in;
    if (md == NULL || buf == NULL || EVP_DigestInit_ex(md, EVP_sha256(), NULL) != 1)
        abort();
    while (rv == 0 && n > 0) {
        rv = http_body_read(rq, buf, STEP, &n, e);
        if (rv == 0 && EVP_DigestUpdate(md, buf, n) != 1)
            abort();
        total += rv == 0 ? n : 0;
    }
    if (EVP_DigestFinal_ex(md, digest, NULL) != 1)
        abort();
    EVP_MD_CTX_free(md);
    if (rv != 0)
        return rv;
    str_init(&t, rq->arena);
    str_add_hex(&t, digest, sizeof digest);
    str_printf(&t, " %" PRIu64 "\n", total);
    reply_text(rq, 200, "text/plain", (struct slice){ str_c(&t), t.n });
    return 0;
}

static int json(struct instance *in, struct http_request *rq, struct err *e)
{
    struct str t;

    (void)in;
    (void)e;
    str_init(&t, rq->arena);
    str_add(&t, "[0");
    for (unsigned i = 1; t.n + 1 < number(rq); i++)
        str_printf(&t, ",%u", i);
    str_add(&t, "]");
    reply_text(rq, 200, "application/json", (struct slice){ str_c(&t), t.n });
    return 0;
}

static int send_zeros(struct http_request *rq, int64_t length, struct err *e)
{
    uint64_t left = number(rq);
    int rv = http_reply_begin(rq, 200, NULL, 0, length, e);

    while (rv == 0 && left > 0) {
        size_t n = left < STEP ? (size_t)left : STEP;

        rv = http_reply_write(rq, pattern, n, e);
        left -= n;
    }
    return rv == 0 ? http_reply_end(rq, e) : rv;
}

static int zeros(struct instance *in, struct http_request *rq, struct err *e)
{
    (void)in;
    return send_zeros(rq, (int64_t)number(rq), e);
}

static int chunks(struct instance *in, struct http_request *rq, struct err *e)
{
    (void)in;
    return send_zeros(rq, -1, e);
}

static int sse(struct instance *in, struct http_request *rq, struct err *e)
{
    static const struct http_header type = { { "content-type", 12 }, { "text/event-stream", 17 } };
    int rv = http_reply_begin(rq, 200, &type, 1, -1, e);

    (void)in;
    for (uint64_t i = 0; rv == 0 && i < number(rq); i++) {
        char event[64];
        int n = snprintf(event, sizeof event, "data: %" PRIu64 "\n\n", i);

        rv = http_reply_write(rq, event, (size_t)n, e);
        if (rv == 0)
            rv = fiber_sleep(10, e);
    }
    return rv == 0 ? http_reply_end(rq, e) : rv;
}

static int sleeps(struct instance *in, struct http_request *rq, struct err *e)
{
    int rv = fiber_sleep((int64_t)number(rq), e);

    (void)in;
    if (rv == 0)
        reply_text(rq, 200, "text/plain", SLICE("slept\n"));
    return rv;
}

static int hold(struct instance *in, struct http_request *rq, struct err *e)
{
    (void)in;
    (void)rq;
    return fiber_sleep(1000000, e);
}

static int status(struct instance *in, struct http_request *rq, struct err *e)
{
    (void)in;
    return http_reply(rq, (int)number(rq), NULL, 0, SLICE("short\n"), e);
}

static int file(struct instance *in, struct http_request *rq, struct err *e)
{
    char *path = arena_strndup(rq->arena, rq->query.s, rq->query.n);
    struct stat st;
    int fd = path != NULL ? open(path, O_RDONLY) : -1;
    int rv;

    (void)in;
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_set(e, &ERR_NOT_FOUND, "file");
    rv = http_reply_file(rq, 200, NULL, 0, fd, (uint64_t)st.st_size, e);
    (void)close(fd);
    return rv;
}

static int from_root(struct instance *in, struct http_request *rq, struct err *e)
{
    struct slice path = { rq->path.s + strlen("/static/"), rq->path.n - strlen("/static/") };

    if (in->app->root == NULL)
        return err_set(e, &ERR_NOT_FOUND, "root");
    return http_static_reply(in->app->root, rq, path, "no-cache", e);
}

static int none(struct instance *in, struct http_request *rq, struct err *e)
{
    (void)in;
    (void)rq;
    (void)e;
    return 0;
}

static int half(struct instance *in, struct http_request *rq, struct err *e)
{
    int rv = http_reply_begin(rq, 200, NULL, 0, 10, e);

    (void)in;
    return rv == 0 ? http_reply_write(rq, "12345", 5, e) : rv;
}

static int twice(struct instance *in, struct http_request *rq, struct err *e)
{
    reply_text(rq, 200, "text/plain", SLICE("first\n"));
    in->after += http_reply(rq, 200, NULL, 0, SLICE("second\n"), e) == ERR_UNEXPECTED.code;
    return 0;
}

static int split(struct instance *in, struct http_request *rq, struct err *e)
{
    struct http_header h = { SLICE("location"), SLICE("/\r\nset-cookie: a=b") };

    (void)in;
    return http_reply(rq, 302, &h, 1, SLICE(""), e);
}

static int after(struct instance *in, struct http_request *rq, struct err *e)
{
    int rv;

    reply_text(rq, 200, "text/plain", SLICE("done\n"));
    rv = fiber_sleep(50, e);
    in->after += rv == 0;
    return rv;
}

static int stats(struct instance *in, struct http_request *rq, struct err *e)
{
    struct http_stats s = http_server_stats(in->server);
    struct loop_stats l = loop_stats(in->loop);
    struct str t;

    (void)e;
    str_init(&t, rq->arena);
    str_printf(&t, "connections=%u\nidle=%u\nin_flight=%u\nfloods=%" PRIu64 "\nresets=%" PRIu64 "\nrefused_connections=%" PRIu64 "\n",
               s.connections, s.idle, s.in_flight, s.floods, s.resets, s.refused_connections);
    str_printf(&t, "requests10=%" PRIu64 "\nrequests11=%" PRIu64 "\nrequests2=%" PRIu64 "\nh1=%" PRIu64 "\nh2=%" PRIu64 "\n",
               s.requests[0], s.requests[1], s.requests[2], s.protocol[0], s.protocol[1]);
    for (unsigned i = 0; i < 8; i++)
        str_printf(&t, "refused%u=%" PRIu64 "\n", i, s.refused[i]);
    str_printf(&t, "handshakes_failed=%" PRIu64 "\naccepted=%" PRIu64 "\naccepted_tls=%" PRIu64 "\n", s.handshakes_failed, s.accepted[0],
               s.accepted[1]);
    str_printf(&t, "cancelled=%" PRIu64 "\nserved=%" PRIu64 "\nfinished=%" PRIu64 "\nafter=%" PRIu64 "\n", in->cancelled, in->served,
               in->finished, in->after);
    str_printf(&t, "fibers=%u\nturns=%" PRIu64 "\n", l.fibers, l.turns);
    reply_text(rq, 200, "text/plain", (struct slice){ str_c(&t), t.n });
    return 0;
}

static const struct {
    const char *path;
    int (*fn)(struct instance *in, struct http_request *rq, struct err *e);
} paths[] = {
    { "/hello", hello },   { "/describe", describe }, { "/echo", echo },     { "/all", all },     { "/hash", hash },
    { "/json", json },     { "/zeros", zeros },       { "/chunks", chunks }, { "/sse", sse },     { "/sleep", sleeps },
    { "/hold", hold },     { "/status", status },     { "/file", file },     { "/static/", from_root }, { "/none", none },
    { "/half", half },     { "/twice", twice },       { "/split", split },   { "/after", after }, { "/stats", stats },
};

static void serve(struct http_request *rq, void *data)
{
    struct instance *in = data;
    struct err e = { 0 };
    int rv;

    in->served++;
    for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        size_t n = strlen(paths[i].path);

        if (!slice_starts(rq->path, paths[i].path) || (rq->path.n != n && paths[i].path[n - 1] != '/'))
            continue;
        rv = paths[i].fn(in, rq, &e);
        in->cancelled += rv == ERR_CANCELLED.code;
        if (rv != 0)
            reply_error(rq, &e);
        return;
    }
    reply_text(rq, 404, "text/plain", SLICE("no such path\n"));
}

static void refuse(struct http_request *rq, const struct err *why, void *data)
{
    (void)data;
    reply_error(rq, why);
}

static void finished(struct http_request *rq, const struct http_outcome *outcome, void *data)
{
    struct instance *in = data;

    (void)rq;
    (void)outcome;
    in->finished++;
}

/* ---- process -------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    size_t offset;
} limits[] = {
#define LIMIT(F) { #F, offsetof(struct http_limits, F) }
    LIMIT(connections), LIMIT(connections_per_client), LIMIT(header_bytes), LIMIT(headers), LIMIT(target_bytes), LIMIT(discard_bytes),
    LIMIT(pipelined_bytes), LIMIT(handshake_ms), LIMIT(header_ms), LIMIT(body_ms), LIMIT(write_ms), LIMIT(min_rate), LIMIT(idle_ms),
    LIMIT(linger_ms), LIMIT(streams), LIMIT(stream_window), LIMIT(connection_window), LIMIT(resets), LIMIT(control_frames),
};

static bool set_limit(struct app *a, const char *name, const char *value)
{
    if (strcmp(name, "body_bytes") == 0) {
        a->limits.body_bytes = strtoull(value, NULL, 10);
        return true;
    }
    for (unsigned i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        if (strcmp(name, limits[i].name) == 0) {
            unsigned v = (unsigned)strtoul(value, NULL, 10);

            memcpy((char *)&a->limits + limits[i].offset, &v, sizeof v);
            return true;
        }
    }
    return false;
}

static void must(int rv, const struct err *e)
{
    char text[512];

    if (rv == 0)
        return;
    (void)fprintf(stderr, "httpd: %s\n", err_log_text(e, text, sizeof text));
    exit(1);
}

static void add_listen(struct app *a, const char *address, bool proxy, const char *cert, const char *key)
{
    struct tls_conf conf = { .cert_file = cert, .key_file = key, .alpn = "h2,http/1.1" };
    struct err e;

    if (a->n_listen == LISTEN_MAX)
        exit(2);
    if (cert != NULL)
        must(tls_server_new(&conf, &a->tls[a->n_listen], &e), &e);
    a->listen[a->n_listen] = (struct http_listen){ .address = address, .tls = a->tls[a->n_listen], .proxy_protocol = proxy };
    a->n_listen++;
}

static void read_arguments(struct app *a, int argc, char **argv)
{
    const char *cert = NULL, *key = NULL;
    bool proxy = false;
    struct err e;

    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');

        if (value == NULL)
            exit(2);
        *value++ = '\0';
        if (strcmp(argv[i], "listen") == 0)
            add_listen(a, value, proxy, cert, key);
        else if (strcmp(argv[i], "proxy") == 0)
            proxy = value[0] == '1';
        else if (strcmp(argv[i], "cert") == 0)
            cert = value[0] != '\0' ? value : NULL;
        else if (strcmp(argv[i], "key") == 0)
            key = value;
        else if (strcmp(argv[i], "trusted") == 0)
            must(cidr_list_parse((struct slice){ value, strlen(value) }, &a->trusted, &e), &e);
        else if (strcmp(argv[i], "root") == 0)
            must(http_static_new(value, &a->root, &e), &e);
        else if (strcmp(argv[i], "fibers") == 0)
            a->fibers = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "loops") == 0)
            a->loops = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "drain_ms") == 0)
            a->drain_ms = (unsigned)strtoul(value, NULL, 10);
        else if (!set_limit(a, argv[i], value))
            exit(2);
    }
    if (a->n_listen == 0)
        add_listen(a, "127.0.0.1", false, NULL, NULL);
}

/* The first loop learns the ports, the others share them. */
static void start(struct app *a, struct instance *in)
{
    struct loop_conf lc = { "httpd", &clock_system, &a->log, a->fibers, LOOP_STACK_BYTES };
    struct http_conf hc = { .limits = &a->limits, .trusted = &a->trusted, .pool = a->pool, .name = "httpd", .serve = serve, .refuse = refuse,
                            .finished = finished, .data = in };
    struct err e;

    in->app = a;
    must(loop_new(&lc, &in->loop, &e), &e);
    hc.loop = in->loop;
    must(http_server_new(&hc, &in->server, &e), &e);
    for (unsigned i = 0; i < a->n_listen; i++) {
        must(http_server_listen(in->server, &a->listen[i], &a->listen[i].port, &e), &e);
        if (in == a->first)
            printf("port %u\n", a->listen[i].port);
    }
    must(loop_thread_start(in->loop, &e), &e);
}

static void drain(void *data)
{
    struct instance *in = data;
    struct err e;

    (void)fiber_narrow_deadline(in->app->drain_ms);
    puts(http_server_drain(in->server, &e) == 0 ? "drained" : "cut off");
    (void)fflush(stdout);
    http_server_free(in->server);
    loop_stop(in->loop);
}

static void begin_drain(struct loop_post *post)
{
    struct instance *in = (struct instance *)((char *)post - offsetof(struct instance, post));
    struct err e;

    must(fiber_start(in->loop, "drain", drain, in, NULL, &e), &e);
}

static void reload(struct app *a)
{
    struct err e;

    for (unsigned i = 0; i < a->n_listen; i++) {
        if (a->tls[i] != NULL)
            puts(tls_server_reload(a->tls[i], &e) == 0 ? "reloaded" : "not reloaded");
    }
    (void)fflush(stdout);
}

static void wait_for_signals(struct app *a, const sigset_t *set)
{
    int number = 0;

    while (sigwait(set, &number) == 0 && number == SIGHUP)
        reload(a);
}

int main(int argc, char **argv)
{
    struct app a = { .fibers = LOOP_MAX_FIBERS, .loops = 1, .drain_ms = 5000 };
    struct instance in[LOOPS_MAX] = { 0 };
    struct work_conf pool = { "work", 2, 100 };
    struct err e;
    sigset_t set;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    crash_install();
    a.sink = (struct log_sink){ .fd = 2, .level = LOG_INFO, .clock = &clock_system };
    log_init(&a.log, &a.sink);
    a.first = in;
    read_arguments(&a, argc, argv);
    must(work_pool_new(&pool, &a.pool, &e), &e);
    for (unsigned i = 0; i < a.loops && i < LOOPS_MAX; i++)
        start(&a, &in[i]);
    (void)fflush(stdout);
    wait_for_signals(&a, &set);
    for (unsigned i = 0; i < a.loops; i++) {
        in[i].post.fn = begin_drain;
        loop_post(in[i].loop, &in[i].post);
    }
    for (unsigned i = 0; i < a.loops; i++) {
        loop_thread_join(in[i].loop);
        loop_free(in[i].loop);
    }
    work_pool_free(a.pool);
    for (unsigned i = 0; i < a.n_listen; i++)
        tls_server_free(a.tls[i]);
    http_static_free(a.root);
    cidr_list_fini(&a.trusted);
    return 0;
}
