/* SPDX-License-Identifier: Apache-2.0 */
/* pos_proxy: executes commands of ocp-server. HTTP/2 with mutual TLS; only nodes of the OCP cluster that installed the agent are let in, and
 * the agent's own guard, which only asks whether it answers. */
#include <ctype.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "agent/names.h"
#include "agent/serve.h"

static const struct http_limits limits = {
    .connections = 256, .connections_per_client = 128, .body_bytes = AGENT_BLOB_PIECE, .idle_ms = 600000, .streams = 64,
};

static bool is_welcome(const char *serial, const char *uri, void *data)
{
    const struct frame *f = data;
    char own[AGENT_URI_SIZE];

    (void)serial;
    return strncmp(uri, "ocp-node:", 9) == 0 || strcmp(uri, agent_uri(f->conf.ocp_id, f->conf.host_id, own)) == 0;
}

static int make_tls(struct proxy *p, struct err *e)
{
    struct frame *f = p->frame;
    const struct tls_conf conf = {
        .cert_file = frame_path(f, "conf/agent.crt"), .key_file = frame_path(f, "conf/agent.key"),
        .client_ca = frame_path(f, "conf/authority.crt"), .welcome = is_welcome, .data = f, .alpn = "h2,http/1.1",
    };

    if (conf.cert_file == NULL || conf.key_file == NULL || conf.client_ca == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return tls_server_new(&conf, &p->tls, e);
}

static int listen_there(struct proxy *p, struct err *e)
{
    const struct http_conf conf = { .loop = p->frame->loop, .limits = &limits, .serve = proxy_serve, .data = p };
    const struct http_listen at = { .address = p->frame->conf.listen, .port = (unsigned)p->frame->conf.port, .tls = p->tls, .nodes = true };
    int rv = http_server_new(&conf, &p->http, e);

    if (rv == 0)
        rv = http_server_listen(p->http, &at, NULL, e);
    if (rv == 0)
        log_info(&p->frame->log, "listening", LOG_S("address", at.address), LOG_I("port", at.port));
    return rv;
}

/* The kernel's id of this boot, without its dashes. */
static int read_boot(struct proxy *p, struct err *e)
{
    struct slice text;
    int rv = frame_read("/proc/sys/kernel/random/boot_id", &p->frame->arena, &text, e);
    size_t n = 0;

    for (size_t i = 0; rv == 0 && i < text.n && n < AGENT_ID_SIZE - 1; i++)
        if (isxdigit((unsigned char)text.s[i]))
            p->boot[n++] = text.s[i];
    if (rv == 0 && n != AGENT_ID_SIZE - 1)
        rv = err_set(e, &ERR_IO, "/proc/sys/kernel/random/boot_id holds no id");
    return rv;
}

static int take_incarnation(struct proxy *p, struct err *e)
{
    unsigned char bytes[(AGENT_ID_SIZE - 1) / 2];

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return err_set(e, &ERR_UNEXPECTED, "no random bytes");
    for (unsigned i = 0; i < sizeof bytes; i++)
        (void)snprintf(p->incarnation + (size_t)2 * i, 3, "%02x", bytes[i]);
    return 0;
}

static int start(struct frame *f, void *data, struct err *e)
{
    struct proxy *p = data;
    int rv = read_boot(p, e);

    p->epoch = f->conf.epoch;
    if (rv == 0)
        rv = take_incarnation(p, e);
    if (rv == 0)
        rv = make_tls(p, e);
    return rv == 0 ? listen_there(p, e) : rv;
}

static void stop(struct frame *f, void *data)
{
    struct proxy *p = data;

    (void)f;
    if (p->http != NULL)
        http_server_free(p->http);
    tls_server_free(p->tls);
}

int pos_proxy_main(struct frame *f, int argc, char **argv)
{
    struct proxy p = { .frame = f };

    (void)argc;
    (void)argv;
    return frame_run(f, start, stop, &p);
}
