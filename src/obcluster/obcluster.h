/* SPDX-License-Identifier: Apache-2.0 */
/* obcluster.h - managed OceanBase clusters: taking over, moving out, looking at them in the background, their parameters and password.
 *
 *              take over                    done                 move out
 *   (nothing) -----------> TAKINGOVER -------------> RUNNING -------------> MOVINGOUT ---> (nothing)
 *       ^                       |                       ^                       |
 *       '-------- failed -------'                       '------- failed --------'
 *
 * One struct obclusters for the process; any thread unless a function says otherwise. */
#ifndef OBCLUSTER_OBCLUSTER_H
#define OBCLUSTER_OBCLUSTER_H

#include "conf/settings.h"
#include "ha/drive/leases.h"
#include "src/store/obcluster.h"
#include "src/store/obtopology.h"
#include "src/task/engine.h"
#include "src/task/schedules.h"
#include "src/vault/vault.h"

struct obclusters;

ERR_DECLARE(ERR_OBCLUSTER_STATE);         /* 11007 {0} cluster, {1} its state, {2} what was asked for */
ERR_DECLARE(ERR_OBCLUSTER_OLD_PASSWORD);  /* 11011 */
ERR_DECLARE(ERR_OBCLUSTER_TASK);          /* 11020 {0} cluster, {1} id of the task that is not finished */
ERR_DECLARE(ERR_OBCLUSTER_NEW_PASSWORD);  /* 11029 {0} what is wrong with it */
ERR_DECLARE(ERR_OBCLUSTER_NAME);          /* 11038 {0} name */
ERR_DECLARE(ERR_OBCLUSTER_NAME_TAKEN);    /* 11014 {0} name */
ERR_DECLARE(ERR_OBCLUSTER_MODE);          /* 11040 {0} what was given */
ERR_DECLARE(ERR_OBCLUSTER_PROXY_NAME);    /* 11041 */
ERR_DECLARE(ERR_TAKE_OVER_OTHER);         /* 11006 {0} address, {1} number asked for, {2} number found */
ERR_DECLARE(ERR_TAKE_OVER_SERVERS);       /* 11050 {0} servers and their states */
ERR_DECLARE(ERR_TAKE_OVER_AWAY);          /* 11028 {0} address, {1} why it does not answer */
ERR_DECLARE(ERR_TAKE_OVER_DENIED);        /* 11005 {0} address, {1} user */
ERR_DECLARE(ERR_OBCLUSTER_SCOPE);         /* 11057 {0} parameter, {1} why it cannot be set there */
ERR_DECLARE(ERR_OBCLUSTER_READ_ONLY);     /* 11058 {0} parameter */
extern const struct err_row *const obcluster_err_rows[]; /* all of src/obcluster but link.h's, then NULL */

struct obclusters_conf {
    const struct vault *vault;            /* borrowed, as all: outlive the obclusters */
    struct work_pool *connect_pool;
    struct settings_box *settings;        /* refresh.interval; may change at any time */
    const struct clock *clock;
    const struct log *log;
    const char *node;                     /* name of this node: accepts the tasks */
    struct leases *leases;                /* which clusters this node watches; NULL: all, as the only node there is */
};
/* Errors: NOMEM. */
MUST_CHECK int obclusters_new(const struct obclusters_conf *conf, struct obclusters **out, struct err *e);
/* When no loop uses it any more and the loops are freed. NULL is fine. */
void obclusters_free(struct obclusters *o);

/* What it was made of. */
const struct obclusters_conf *obclusters_conf(const struct obclusters *o);

/* Flows of this domain, for the task engine; ends with NULL. Their task_data is a struct domain_graph. */
extern const struct task_flow *const obcluster_flows[];

/* Where cluster `id` keeps its administrator's password, that of proxies, and that of monitoring. */
struct vault_place obcluster_place(int64_t id);
struct vault_place obcluster_proxyro_place(int64_t id);
struct vault_place obcluster_monitor_place(int64_t id);

/* Who asks for a change. */
struct obcluster_user {
    int64_t id;
    const char *name;
};
/* What was started. */
struct obcluster_started {
    int64_t task_id, cluster_id;
    const char *name;                     /* of the cluster */
};

/* --- take-over --------------------------------------------------------------------------------------------------------------- */

struct take_over {
    const char *address;
    int64_t port;
    const char *password;                 /* of root in the sys tenant */
    const char *mode;                     /* "direct", "proxy", in any letter case; NULL: direct */
    const char *cluster_name;             /* NULL: the kernel's own, or made from the address */
    int64_t ob_cluster_id;                /* FIELD_NONE: any */
    const char *proxyro_password;         /* NULL: none */
    bool switch_config_url;               /* its observers take their config URL from here */
};
/* What a look at the target has found. */
enum { TAKE_OVER_REASONS = 4 };
struct take_over_found {
    bool valid;
    struct err why[TAKE_OVER_REASONS];    /* when it is not valid, all reasons: OBCLUSTER_MANAGED, OBCLUSTER_NAME_TAKEN, TAKE_OVER_*, OB_* ... */
    unsigned n_why;
    const char *name;                     /* that it would get; NULL: not known */
    const char *engine, *version, *full_version, *instance, *username;
    int64_t ob_cluster_id;                /* FIELD_NONE: the kernel has none */
};
/* Connects and looks; a target that cannot be taken over is no error but !out->valid. Errors: OBCLUSTER_MODE, OBCLUSTER_PROXY_NAME,
 * OBCLUSTER_NAME (the request itself), those of db_read, CANCELLED, NOMEM. */
MUST_CHECK int obcluster_take_over_check(struct obclusters *o, struct db *d, const struct take_over *want, struct arena *arena,
                                         struct take_over_found *out, struct err *e);
/* Checks again and starts the task, in one transaction with the cluster's row.
 * Errors: as the check; the first of what the check found (take_over_found.why); those of db_transact. */
MUST_CHECK int obcluster_take_over(struct obclusters *o, struct db *d, struct task_engine *t, const struct take_over *want,
                                   const struct obcluster_user *who, struct arena *arena, struct obcluster_started *out, struct err *e);

/* --- move-out ---------------------------------------------------------------------------------------------------------------- */

/* Starts the task. `force`: although another task of the cluster is not finished. `config_address`: where its observers find a config URL from
 * then on ("http://ip:port"); NULL: it stays. Errors: OBCLUSTER_NOT_FOUND, OBCLUSTER_STATE, OBCLUSTER_TASK, those of db_transact. */
MUST_CHECK int obcluster_move_out(struct obclusters *o, struct db *d, struct task_engine *t, int64_t id, bool force, const char *config_address,
                                  const struct obcluster_user *who, struct arena *arena, struct obcluster_started *out, struct err *e);

/* --- password ---------------------------------------------------------------------------------------------------------------- */

struct password_change {
    const char *old_password;             /* NULL: the one kept here is used */
    const char *new_password;
};
/* Changes the administrator's password in the cluster and here, and verifies it by a login. When the kept one is refused because somebody
 * changed it behind our back, `old_password` (checked) is used, or `new_password` if the cluster has it already.
 * Errors: OBCLUSTER_OLD_PASSWORD, OBCLUSTER_NEW_PASSWORD, OBCLUSTER_STATE, those of link_take, OBCLUSTER_REFUSED, those of db_transact. */
MUST_CHECK int obcluster_change_password(struct obclusters *o, struct db *d, const struct obcluster *c, const struct password_change *want,
                                         struct arena *arena, struct err *e);

/* --- password box ------------------------------------------------------------------------------------------------------------ */

/* Keeps root's password of the sys tenant in the user's own password box too, under the name that obcluster_login_name makes. Moving the
 * cluster out removes it. Errors: those of credential_save. */
MUST_CHECK int obcluster_save_login(struct obclusters *o, struct db *d, const char *cluster_name, const char *password, int64_t user_id,
                                    struct arena *arena, struct err *e);
/* "root@sys#c1"; NULL when memory is out. */
const char *obcluster_login_name(const char *cluster_name, struct arena *arena);

/* --- looking ----------------------------------------------------------------------------------------------------------------- */

/* Starts watching the managed clusters that are this node's; from a fiber of the control loop, with that loop's MetaDB. Ends when the loop
 * stops. */
MUST_CHECK int obclusters_watch(struct obclusters *o, struct db *d, uint64_t seed, struct err *e);
/* What that does, as OCP names it. */
extern const struct schedule obcluster_schedules[];
/* Any thread: whoever watches this cluster, or is to begin with it or to end, looks now; on another node within about a second. */
void obclusters_look_soon(struct obclusters *o, int64_t cluster_id);
/* Not seen for so long that what is known of it may be wrong, or not to be asked at the moment. */
bool obcluster_is_stale(struct obclusters *o, const struct obcluster *c);

/* Its kernel is one server with one tenant (seekdb): there are no views and clauses for several. */
bool obcluster_is_one_server(const struct obcluster *c);
/* Requires that people may change it now. Errors: OBCLUSTER_STATE. */
MUST_CHECK int obcluster_require_running(const struct obcluster *c, const char *what, struct err *e);

#endif
