/* SPDX-License-Identifier: Apache-2.0 */
/* What this node does about itself, each in a job of its own: it says that it is there and learns what people want of it (to drain, to renew its
 * certificate), keeps the list of certificates that count no more, and renews its own in time. */
#include "src/server_parts.h"

#include "ha/drive/drive.h"
#include "src/io/tls.h"
#include "src/node/home.h"
#include "src/node/registry.h"
#include "src/node/renew.h"
#include "src/node/revoked.h"
#include "src/task/engine.h"

/* Another node has removed this one, or the cluster was founded anew without it: it serves nobody any more, and says so when it is started again.
 * The exit status keeps the service manager from doing that again and again. */
static void leave_for_good(struct server *s, const struct err *why)
{
    if (s->stopping)
        return;
    log_error(&s->log, "this node was removed -> it stops", LOG_E(why));
    s->start_rv = why->row->code;
    s->start_error = *why;
    server_begin_stop(s);
}

/* A witness is drained for ever. */
static void obey_drain(struct server *s, bool drained)
{
    if (s->is_drained == drained || s->drive == NULL)
        return;
    log_info(&s->log, drained ? "drained: not ready, leadership and work go elsewhere" : "resumed");
    s->is_drained = drained;
    task_engine_drain(s->shared.tasks, drained);
    s->node.draining = drained || s->stopping;
    drive_drain(s->drive, drained);
}

int server_look_for_wishes(struct server *s, struct err *e)
{
    struct arena arena;
    struct node row;
    int rv;

    arena_init(&arena);
    rv = store_node_get(s->metadb, s->self.id, &arena, &row, e);
    if (rv == 0) {
        if (row.witness && !s->node.witness)
            log_info(&s->log, "this node is a witness: it votes and serves nobody");
        s->node.witness = row.witness != 0;
        obey_drain(s, row.drain_wanted || row.witness);
        s->renewal_wanted = row.renew_wanted;
    }
    arena_fini(&arena);
    return rv;
}

int server_is_current(const struct server *s, struct err *e)
{
    struct raft_node_status status;

    raft_node_status(s->raft, &status);
    return node_is_current(s->metadb, status.identity.generation, e);
}

int server_beat(void *data, struct err *e)
{
    struct server *s = data;
    int rv = server_is_current(s, e);

    if (rv == 0)
        rv = node_beat(s->metadb, &s->self, s->node.draining, e);
    if (rv == ERR_NODE_REMOVED.code || rv == ERR_LEADER_GIVEN_UP.code)
        leave_for_good(s, e);
    return rv == 0 ? server_look_for_wishes(s, e) : rv;
}

/* --- certificates -------------------------------------------------------------------------------------------------------------------- */

static int renew(struct server *s, struct err *e)
{
    int rv = node_renew(s->home, s->metadb, s->shared.vault, s->self.id, s->longer, e);

    if (rv == 0)
        rv = server_reload_certificates(s, e);
    if (rv != 0)
        return rv;
    log_info(&s->log, "certificate renewed");
    s->renewal_wanted = false;
    return store_node_want_renewal(s->metadb, s->self.id, false, e);
}

int server_keep_certificates(void *data, struct err *e)
{
    struct server *s = data;
    int rv = node_revoked_refresh(s->revoked, s->metadb, s->longer, e);

    if (rv == 0 && (s->renewal_wanted || node_renewal_is_due(tls_server_expires_us(s->peer_tls), clock_wall_us(&clock_system))))
        rv = renew(s, e);
    return rv;
}

bool server_is_revoked(const char *serial, struct server *s)
{
    return node_revoked_has(s->revoked, serial);
}
