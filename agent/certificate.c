/* SPDX-License-Identifier: Apache-2.0 */
/* POST /agent/certificate: another certificate before the present one ends.
 *
 *   is it ours, of our authority, good now? --> conf/agent.pem is replaced as a whole, durably --> sessions from now on show it
 *
 * Connections that are there go on. It may be repeated; a crash leaves the former file or the new one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/serve.h"
#include "src/io/authority.h"
#include "src/io/tls.h"

static int file_failed(const char *path, const char *why, struct err *e)
{
    (void)err_set(e, &ERR_AGENT_FILE, "%s", path);
    return err_arg(e, "%s", why);
}

/* Whose it is, and whether it would be of use: one that is refused here would lock everybody out. */
static int check(struct proxy *p, const struct agent_renewal *r, struct certificate_facts *facts, struct arena *arena, struct err *e)
{
    const struct agent_conf *conf = &p->frame->conf;
    int64_t now_us = clock_wall_us(&clock_system);
    const char *path = arena_printf(arena, "%s/conf/authority.crt", p->frame->home);
    char own[AGENT_URI_SIZE];
    struct slice authority = { NULL, 0 };
    int rv = path != NULL ? frame_read(path, arena, &authority, e) : err_set(e, &ERR_NOMEM, "");

    if (rv == 0 && authority.s == NULL)
        rv = file_failed(path, "it is missing", e);
    if (rv == 0)
        rv = authority_check(authority.s, r->certificate, r->key, e);
    if (rv == 0)
        rv = authority_read(r->certificate, facts, e);
    if (rv != 0)
        return rv;
    if (strcmp(facts->uri, agent_uri(conf->ocp_id, conf->host_id, own)) != 0)
        return err_set(e, &ERR_INVALID, "certificate: it is for %s, and this is %s", facts->uri, own);
    if (now_us < facts->issued_us || now_us >= facts->expires_us)
        return err_set(e, &ERR_INVALID, "certificate: by the clock of this host it is not good now; set the clock right");
    return 0;
}

/* Certificate and key are one file, so that no moment has one of them with another's other: both names must lead there. */
static int check_links(const char *conf, struct err *e)
{
    static const char *const names[] = { "agent.crt", "agent.key" };
    char path[4096], to[64];

    for (unsigned i = 0; i < 2; i++) {
        ssize_t n;

        (void)snprintf(path, sizeof path, "%s/%s", conf, names[i]);
        n = readlink(path, to, sizeof to);
        if (n != 9 || memcmp(to, "agent.pem", 9) != 0)
            return file_failed(path, "it does not lead to agent.pem: install the agent anew", e);
    }
    return 0;
}

struct replacing {
    const struct frame *frame;
    const struct agent_renewal *renewal;
    struct err err;
    int rv;
};

static void replace(void *data)
{
    struct replacing *r = data;
    size_t n = strlen(r->renewal->certificate), m = strlen(r->renewal->key);
    char conf[4000], path[4096], *both = mem_alloc(n + m);

    (void)snprintf(conf, sizeof conf, "%s/conf", r->frame->home);
    (void)snprintf(path, sizeof path, "%s/agent.pem", conf);
    r->rv = both != NULL ? check_links(conf, &r->err) : err_set(&r->err, &ERR_NOMEM, "");
    if (r->rv == 0) {
        memcpy(both, r->renewal->certificate, n);
        memcpy(both + n, r->renewal->key, m);
        r->rv = frame_write(path, (struct slice){ both, n + m }, true, &r->err);
        mem_wipe(both, n + m);
    }
    mem_free(both);
}

int proxy_certificate(struct proxy_call *c, struct err *e)
{
    struct proxy *p = c->proxy;
    struct certificate_facts facts;
    struct agent_renewal renewal;
    struct replacing r = { .frame = p->frame, .renewal = &renewal };
    struct agent_certificate out;
    int rv = proxy_read(c, agent_renewal_fields, &renewal, e);

    if (rv == 0)
        rv = proxy_hear(p, p->frame->conf.ocp_id, renewal.incarnation, renewal.epoch, e);
    if (rv == 0)
        rv = check(p, &renewal, &facts, c->rq->arena, e);
    if (rv == 0)
        rv = commands_on_thread(&p->commands, replace, &r, e);
    if (rv == 0 && r.rv != 0) {
        *e = r.err;
        rv = r.rv;
    }
    if (rv == 0)
        rv = tls_server_reload(p->tls, e);
    if (rv != 0)
        return rv;
    log_info(&p->frame->log, "another certificate is in use", LOG_S("serial", facts.serial));
    out = (struct agent_certificate){ .serial = facts.serial, .expires_us = facts.expires_us };
    return proxy_answer(c, agent_certificate_fields, &out, e);
}
