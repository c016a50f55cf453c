/* SPDX-License-Identifier: Apache-2.0 */
/* pos_proxy: executes commands of ocp-server. HTTP/2 with mutual TLS; only nodes of the OCP cluster that installed the agent are let in, and
 * the agent's own guard, which only asks whether it answers. */
#include <ctype.h>
#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/groups.h"
#include "agent/install.h"
#include "agent/names.h"
#include "agent/serve.h"

enum { GUARD_EVERY_MS = 500, SWEEP_EVERY = 3600 * 1000 / GUARD_EVERY_MS };

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

/* The server shares its port with its like (SO_REUSEPORT), but here there must be no other: a bind that does not share finds it. */
static int check_port(const struct agent_conf *conf, struct err *e)
{
    struct roots none = { NULL, 0, false };
    struct agent_check_port ask = { .address = conf->listen, .port = conf->port, .timeout_ms = 1, .connect = 0 };
    struct agent_port found = { .free = 0 };
    struct arena arena;
    struct act a;
    int rv;

    arena_init(&arena);
    a = (struct act){ &none, "", &arena, INT64_MAX };
    rv = act_check_port(&a, &ask, &found, e);
    if (rv == 0 && found.free != 1)
        rv = err_set(e, &ERR_IO, "listen on %s port %lld: %s", conf->listen, (long long)conf->port, found.reason != NULL ? found.reason : "taken");
    arena_fini(&arena);
    return rv;
}

static int listen_there(struct proxy *p, struct err *e)
{
    const struct http_conf conf = { .loop = p->frame->loop, .limits = &limits, .serve = proxy_serve, .data = p };
    const struct http_listen at = { .address = p->frame->conf.listen, .port = (unsigned)p->frame->conf.port, .tls = p->tls, .nodes = true };
    int rv = check_port(&p->frame->conf, e);

    if (rv == 0)
        rv = http_server_new(&conf, &p->http, e);
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

/* A new incarnation: whatever was known of former commands is not known any more. */
static int give_birth(struct proxy *p, struct err *e)
{
    const struct agent_conf *conf = &p->frame->conf;
    const struct agent_key key = { .ocp_id = conf->ocp_id, .lineage = conf->ocp_id };
    struct record r = { .type = RECORD_BIRTH, .at_us = clock_wall_us(&clock_system), .key = (struct agent_key *)&key, .epoch = FIELD_NONE,
                        .forgotten = FIELD_NONE, .pid = FIELD_NONE, .start_time = FIELD_NONE, .output_bytes = FIELD_NONE, .output_cut = -1 };
    unsigned char bytes[(AGENT_ID_SIZE - 1) / 2];
    char incarnation[AGENT_ID_SIZE];
    int rv;

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return err_set(e, &ERR_UNEXPECTED, "no random bytes");
    for (unsigned i = 0; i < sizeof bytes; i++)
        (void)snprintf(incarnation + (size_t)2 * i, 3, "%02x", bytes[i]);
    r.incarnation = incarnation;
    rv = journal_add(p->journal, &r, e);
    r.type = RECORD_FLOOR;
    r.incarnation = NULL;
    r.epoch = conf->epoch;
    if (rv == 0)
        rv = journal_add(p->journal, &r, e);
    if (rv == 0)
        rv = journal_sync(p->journal, e);
    if (rv == 0)
        log_info(&p->frame->log, "this agent is a new incarnation", LOG_S("incarnation", incarnation), LOG_I("epoch", conf->epoch));
    return rv;
}

static int open_journal(struct proxy *p, struct err *e)
{
    const struct agent_conf *settings = &p->frame->conf;
    const struct journal_conf conf = {
        .dir = frame_path(p->frame, "data"), .ledger = p->ledger, .loop = p->frame->loop, .log = &p->frame->log, .ocp_id = settings->ocp_id,
        .max_floor = settings->epoch < INT64_MAX - LEDGER_MAX_JUMP ? settings->epoch + LEDGER_MAX_JUMP : INT64_MAX,
    };
    bool fresh;
    int rv = conf.dir == NULL ? err_set(e, &ERR_NOMEM, "") : journal_open(&conf, &p->journal, &fresh, e);

    if (rv != 0 || (!fresh && ledger_incarnation(p->ledger)[0] != '\0'))
        return rv;
    if (!fresh)
        log_error(&p->frame->log, "the journal has no beginning");
    return give_birth(p, e);
}

static int make_dirs(struct proxy *p, struct err *e)
{
    static const char *const names[] = { "data/blobs", "data/commands" };

    for (unsigned i = 0; i < 2; i++) {
        const char *path = frame_path(p->frame, "%s", names[i]);

        if (path == NULL)
            return err_set(e, &ERR_NOMEM, "");
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return err_set(e, &ERR_IO, "%s: %s", path, strerror(errno));
    }
    return 0;
}

/* The program that makes scopes, where systemd is what runs this host. */
static const char *scope_of(const struct frame *f)
{
    static const char systemd_run[] = "/usr/bin/systemd-run";

    if (f->conf.scope != NULL)
        return f->conf.scope[0] != '\0' ? f->conf.scope : NULL;
    return install_uses_systemd(f) && access(systemd_run, X_OK) == 0 ? systemd_run : NULL;
}

static int prepare(struct proxy *p, struct err *e)
{
    static const struct work_conf pool = { .name = "commands", .n_threads = 4, .max_queued = 256 };
    struct frame *f = p->frame;
    int rv = make_dirs(p, e);

    if (rv == 0)
        rv = work_pool_new(&pool, &p->pool, e);
    if (rv == 0)
        rv = ledger_new(&p->ledger, e);
    if (rv == 0)
        rv = open_journal(p, e);
    if (rv != 0)
        return rv;
    p->commands = (struct commands){ .frame = f, .ledger = p->ledger, .journal = p->journal, .pool = p->pool, .boot = p->boot,
                                     .blobs = frame_path(f, "data/blobs"), .scope = scope_of(f) };
    p->blobs = (struct blobs){ .commands = &p->commands, .dir = p->commands.blobs, .quota = f->conf.blob_quota };
    return p->commands.blobs != NULL ? commands_recover(&p->commands, e) : err_set(e, &ERR_NOMEM, "");
}

/* ---- who guards the guard: systemd, where it has started it; else this process -------------------------------------------------------------- */

static void look_at_guard(void *data)
{
    struct frame *f = data;
    struct wanted w;
    struct err e = { 0 };

    if (frame_holder(f, "ocp_agentd") > 0 || install_has_unit(f) || groups_load(f, &w, &e) != 0 || w.groups == 0)
        return;
    log_warn(&f->log, "ocp_agentd does not run and is started");
    if (install_start_agentd(f, &e) != 0)
        log_error(&f->log, "ocp_agentd cannot be started", LOG_E(&e));
}

static int guard_the_guard(struct proxy *p, struct err *e)
{
    int rv = 0;

    for (unsigned i = 1; rv == 0; i++) {
        if (i % SWEEP_EVERY == 0)
            commands_sweep(&p->commands);
        rv = fiber_sleep(GUARD_EVERY_MS, e);
        if (rv == 0)
            rv = commands_on_thread(&p->commands, look_at_guard, p->frame, e);
    }
    return rv;
}

static int start(struct frame *f, void *data, struct err *e)
{
    struct proxy *p = data;
    int rv = read_boot(p, e);

    (void)f;
    if (rv == 0)
        rv = prepare(p, e);
    if (rv == 0)
        rv = make_tls(p, e);
    if (rv == 0)
        rv = listen_there(p, e);
    return rv == 0 ? guard_the_guard(p, e) : rv;
}

static void stop(struct frame *f, void *data)
{
    struct proxy *p = data;

    (void)f;
    if (p->http != NULL)
        http_server_free(p->http);
    tls_server_free(p->tls);
    work_pool_free(p->pool);
    journal_close(p->journal);
    ledger_free(p->ledger);
}

int pos_proxy_main(struct frame *f, int argc, char **argv)
{
    struct proxy p = { .frame = f };

    (void)argc;
    (void)argv;
    return frame_run(f, start, stop, &p);
}
