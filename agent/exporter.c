/* SPDX-License-Identifier: Apache-2.0 */
/* ocp_exporter: metrics of this host for Prometheus. Each path is one row: a function that appends samples. Those of OceanBase and OBProxy answer
 * on the same frame, and say that they collect nothing yet. It starts once ocp-server has called.
 *
 *   /metrics/node/host   node_exporter's, under OCP's names, and what /proc says beside it. Without node_exporter the rest is served still.
 *   /metrics/stat        this process and the other processes of the agent */
#include <stdio.h>
#include <string.h>

#include "agent/fetch.h"
#include "agent/metric_text.h"
#include "agent/names.h"
#include "agent/self.h"
#include "src/io/fiber.h"
#include "src/io/http.h"

enum { FETCH_MS = 5000 };

struct exporter {
    struct frame *frame;
    struct http_server *http;            /* owned */
    uint64_t n_scrapes;
    bool node_exporter_failing;          /* to log it once */
};

struct scrape {
    struct exporter *exporter;
    struct http_request *rq;
    struct str out;
};

/* ---- what is served ----------------------------------------------------------------------------------------------------------------- */

static int ask_node_exporter(struct scrape *s, struct slice *text, struct err *e)
{
    const struct frame *f = s->exporter->frame;
    struct slice listen = { f->conf.listen, strlen(f->conf.listen) };
    struct addr at;
    int64_t former;
    int rv;

    if (!addr_parse(slice_starts(listen, "127.") ? listen : SLICE("127.0.0.1"), &at)) /* where node_exporter is made to listen */
        return err_set(e, &ERR_INVALID, "%s is no address", f->conf.listen);
    at.port = (uint16_t)f->conf.node_exporter_port;
    former = fiber_narrow_deadline(FETCH_MS);
    rv = fetch_get(&at, "/metrics", s->rq->arena, text, e);
    fiber_restore_deadline(former);
    return rv;
}

static void add_host(struct scrape *s)
{
    struct exporter *x = s->exporter;
    struct err e = { 0 };
    struct slice text;
    int rv = ask_node_exporter(s, &text, &e);

    if (rv == 0)
        metric_add_host(&s->out, text);
    if (rv != 0 && !x->node_exporter_failing)
        log_warn(&x->frame->log, "no metrics from node_exporter", LOG_E(&e));
    else if (rv == 0 && x->node_exporter_failing)
        log_info(&x->frame->log, "node_exporter answers again");
    x->node_exporter_failing = rv != 0;
    str_printf(&s->out, "node_exporter_up %d\n", rv == 0);
    self_add_clock_keepers(&s->out);
    self_add_agent(x->frame, &s->out);
}

static void add_stat(struct scrape *s)
{
    self_add_process(&s->out);
    str_printf(&s->out, "# TYPE ocp_exporter_scrapes_total counter\nocp_exporter_scrapes_total %llu\n", (unsigned long long)s->exporter->n_scrapes);
    self_add_agent(s->exporter->frame, &s->out);
}

static void add_nothing(struct scrape *s)
{
    str_add(&s->out, "# nothing is collected for this path yet\n");
    str_printf(&s->out, "ocp_exporter_collects{path=\"%.*s\"} 0\n", SLICE_FMT(s->rq->path));
}

static const struct {
    const char *path;
    void (*add)(struct scrape *s);
} paths[] = {
    { "/metrics/node/host", add_host },       { "/metrics/stat", add_stat },           { "/metrics/node/ob", add_nothing },
    { "/metrics/ob/basic", add_nothing }, { "/metrics/ob/extra", add_nothing }, { "/metrics/node/obproxy", add_nothing },
    { "/metrics/obproxy", add_nothing },  { "/metrics/ob/perSecond", add_nothing }, { "/metrics/ob/perMinute", add_nothing },
};
enum { N_PATHS = sizeof paths / sizeof paths[0] };

/* ---- serving ------------------------------------------------------------------------------------------------------------------------- */

static void reply(struct http_request *rq, int status, struct slice text)
{
    static const struct http_header headers[] = {
        { SLICE("content-type"), SLICE("text/plain; version=0.0.4; charset=utf-8") },
        { SLICE("cache-control"), SLICE("no-store") },
    };

    (void)http_reply(rq, status, headers, 2, text, NULL); /* who is gone needs no answer */
}

static void serve(struct http_request *rq, void *data)
{
    struct scrape s = { .exporter = data, .rq = rq };
    unsigned i = 0;

    while (i < N_PATHS && !slice_is(rq->path, paths[i].path))
        i++;
    if (i == N_PATHS) {
        reply(rq, 404, SLICE("there is nothing at this path\n"));
        return;
    }
    if (!slice_is(rq->method, "GET") && !slice_is(rq->method, "HEAD")) {
        reply(rq, 405, SLICE("only GET\n"));
        return;
    }
    s.exporter->n_scrapes++;
    str_init(&s.out, rq->arena);
    paths[i].add(&s);
    reply(rq, str_failed(&s.out) ? 503 : 200, str_failed(&s.out) ? SLICE("out of memory\n") : (struct slice){ s.out.s, s.out.n });
}

static const struct http_limits limits = { .connections = 64, .connections_per_client = 32, .body_bytes = 1024, .streams = 16 };

static int listen_there(struct exporter *x, struct err *e)
{
    const struct http_conf conf = { .loop = x->frame->loop, .limits = &limits, .serve = serve, .data = x };
    const struct http_listen at = { .address = x->frame->conf.listen, .port = (unsigned)x->frame->conf.exporter_port };
    int rv = http_server_new(&conf, &x->http, e);

    if (rv == 0)
        rv = http_server_listen(x->http, &at, NULL, e);
    if (rv == 0)
        log_info(&x->frame->log, "listening", LOG_S("address", at.address), LOG_I("port", at.port));
    return rv;
}

static int start(struct frame *f, void *data, struct err *e)
{
    struct exporter *x = data;
    int rv = frame_wait_server(f, e);

    x->frame = f;
    if (rv == 0)
        rv = listen_there(x, e);
    if (rv == 0)
        frame_note(f, "metrics of the host; nothing is collected from OceanBase and OBProxy yet");
    return rv;
}

static void stop(struct frame *f, void *data)
{
    struct exporter *x = data;

    (void)f;
    if (x->http != NULL)
        http_server_free(x->http);
}

int exporter_main(struct frame *f, int argc, char **argv)
{
    struct exporter x = { .frame = f };

    (void)argc;
    (void)argv;
    return frame_run(f, start, stop, &x);
}
