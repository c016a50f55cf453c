/* SPDX-License-Identifier: Apache-2.0 */
/* state.h - all that a simulated OceanBase 4.x cluster knows about itself: zones, servers, resource units, pools, tenants, jobs, events,
 * sessions. Data only: no I/O, no threads, no processes, no clock of its own. Views are filled from it, statements (command.h) change it,
 * and sim_advance lets time pass: what a statement sets going is done later, after a seeded delay.
 *
 *   statement ──> row changed, step scheduled ──(sim_advance reaches its time)──> step done, next one scheduled or job finished
 *
 * Objects refer to each other by id. Times are microseconds since 1970, 0: never. One thread at a time. */
#ifndef OBSIM_STATE_H
#define OBSIM_STATE_H

#include "tests/obsim/list.h"
#include "tests/obsim/tenant.h"
#include "tests/obsim/values.h"

struct sim_zone {
    char name[SIM_NAME], region[SIM_NAME], idc[SIM_NAME];
    bool is_active;                   /* STATUS ACTIVE, else INACTIVE (added and not started, or stopped) */
    int64_t created_us, modified_us;
};

enum sim_server_status { SIM_SERVER_ACTIVE, SIM_SERVER_INACTIVE, SIM_SERVER_DELETING };

struct sim_capacity {
    double cpu;
    int64_t memory, log_disk, data_disk; /* bytes */
};

/* A process. Those with is_member have a row in DBA_OB_SERVERS; others are started and empty, ADD SERVER may take them. */
struct sim_server {
    int64_t id;                       /* 0: never was a member */
    char ip[64];
    int rpc_port, sql_port;
    char zone[SIM_NAME];              /* of a process that is no member: what it was started with, "" any */
    bool is_member;
    bool is_alive;                    /* its process runs; set with sim_server_alive */
    bool is_cut;                      /* the others do not hear of it, though it runs (fault) */
    bool is_refused;                  /* it runs, and the cluster does not take it: it lost its data, or has another version */
    bool knows_rootservice;           /* it was started with a list of root servers, or where to ask for one */
    enum sim_server_status status;
    int64_t start_service_us, stop_us, last_offline_us, block_migrate_us, created_us, modified_us;
    char build_version[SIM_NAME];     /* "4.2.1.0_100000102023092807-<hash>(Sep 28 2023 07:25:28)" */
    struct sim_capacity capacity;     /* for units */
    int64_t minor_freeze_us;          /* end of the last one: checkpoints of its replicas are not older */
    struct sim_values parameters;     /* values of this server that differ from the cluster's default */
    struct sim_values pending;        /* STATIC_EFFECTIVE: set, in force after the next start of the process */
};

struct sim_unit_config {
    int64_t id;
    char name[SIM_NAME];
    double max_cpu, min_cpu;
    int64_t memory, log_disk;         /* bytes */
    int64_t max_iops, min_iops, iops_weight;
    int64_t created_us, modified_us;
};

struct sim_pool {
    int64_t id, tenant_id;            /* tenant_id 0: granted to nobody */
    int64_t config_id;
    char name[SIM_NAME];
    int unit_num;                     /* units in each zone */
    SIM_LIST(struct sim_label) zones;  /* names, in the order given */
    int64_t created_us, modified_us;
};

struct sim_unit {
    int64_t id, pool_id, group_id;    /* group_id 0: pool granted to nobody */
    char zone[SIM_NAME];
    int64_t server_id, migrate_from;  /* migrate_from: server id while it moves, else 0 */
    bool is_manual;                   /* moved by MIGRATE UNIT */
    bool is_deleting;
    int64_t created_us, modified_us;
};

/* A row of DBA_OB_TENANT_JOBS, DBA_OB_UNIT_JOBS or DBA_OB_SERVER_JOBS. */
enum sim_job_kind { SIM_JOB_TENANT, SIM_JOB_UNIT, SIM_JOB_SERVER };
struct sim_job {
    enum sim_job_kind kind;
    int64_t id, tenant_id, unit_id, server_id;
    const char *type;                 /* static: "ALTER_TENANT_LOCALITY" */
    const char *status;               /* static: INPROGRESS, SUCCESS, FAILED */
    int result, progress;             /* result counts once it is not INPROGRESS */
    int64_t started_us, modified_us;
    char *sql_text, *extra;           /* owned; extra NULL: none */
    char rs_ip[64];
    int rs_port;
};

/* A row of DBA_OB_ROOTSERVICE_EVENT_HISTORY. */
enum { SIM_EVENT_PAIRS = 6 };
struct sim_event {
    int64_t us;
    char module[64], event[64];
    char names[SIM_EVENT_PAIRS][64];  /* "" from the first unused one on */
    char *values[SIM_EVENT_PAIRS];    /* owned */
    char rs_ip[64];
    int rs_port;
};

/* A session as others see it (GV$OB_PROCESSLIST); the program makes one at login. */
enum sim_kill { SIM_KILL_NONE, SIM_KILL_QUERY, SIM_KILL_CONNECTION };
struct sim_client {
    int64_t id, server_id, tenant_id;
    char user[SIM_NAME], host[64];    /* host: "10.0.0.9:51234" */
    char database[SIM_NAME];          /* "" none */
    const char *command;              /* static: Sleep, Query */
    const char *state;                /* static: SLEEP, ACTIVE */
    char *info;                       /* owned; statement that runs, NULL none */
    int64_t since_us, started_us;     /* of this command, of the session */
    bool in_transaction;
    enum sim_kill kill;               /* set by KILL; the program obeys and, for QUERY, resets */
};

/* One of those that BOOTSTRAP names. */
struct sim_founder {
    char zone[SIM_NAME], region[SIM_NAME], idc[SIM_NAME];
    struct sim_server *server;        /* borrowed */
};

/* What sim_advance has still to do. The meaning of `id`, `other` and `text` is that of the kind (state_step.c). */
enum sim_step_kind {
    SIM_STEP_BOOTSTRAP,               /* the founders are a cluster */
    SIM_STEP_SERVER_ONLINE,           /* an added or returned server starts its service */
    SIM_STEP_SERVER_OFFLINE,          /* a dead process is noticed */
    SIM_STEP_SERVER_DELETE,           /* a DELETING server gives its next unit away, or goes */
    SIM_STEP_LEADERS,                 /* leaders leave where they may not stay and go where they should be */
    SIM_STEP_UNIT_MIGRATE,            /* a unit has arrived */
    SIM_STEP_TENANT_CREATED,
    SIM_STEP_TENANT_DROPPED,
    SIM_STEP_TENANT_JOB,              /* a job of DBA_OB_TENANT_JOBS is done */
    SIM_STEP_MAJOR,                   /* a major compaction reaches its next phase */
    SIM_STEP_MINOR,                   /* a minor freeze is done */
    SIM_STEP_N
};
struct sim_step {
    enum sim_step_kind kind;
    int64_t at_us, id, other;
    char text[SIM_NAME];
};

enum { SIM_TIME_ZONE_TABLES = 5 };
extern const char *const sim_time_zone_tables[SIM_TIME_ZONE_TABLES]; /* inner tables of time zones, and __all_sys_stat */

struct sim_cluster {
    char name[SIM_NAME];
    int64_t id;
    char version[32];                 /* "4.2.1.0" */
    char build[SIM_NAME];             /* "100000102023092807-<hash>(Sep 28 2023 07:25:28)" */
    bool is_enterprise;
    int64_t now_us;                   /* of the last sim_advance */
    uint64_t random;
    int64_t min_delay_us, max_delay_us; /* of each step */
    bool held[SIM_STEP_N];            /* steps of these kinds stay undone until released (faults) */
    bool is_bootstrapped;
    int64_t time_zone_rows[SIM_TIME_ZONE_TABLES]; /* by sim_time_zone_tables */

    SIM_LIST(struct sim_zone) zones;
    SIM_LIST(struct sim_server) servers;
    SIM_LIST(struct sim_founder) founders; /* while BOOTSTRAP runs */
    SIM_LIST(struct sim_unit_config) configs;
    SIM_LIST(struct sim_pool) pools;
    SIM_LIST(struct sim_unit) units;
    SIM_LIST(struct sim_tenant) tenants; /* sys, and for each user tenant its meta tenant, too */
    SIM_LIST(struct sim_job) jobs;
    SIM_LIST(struct sim_event) events;
    SIM_LIST(struct sim_client) clients;
    SIM_LIST(struct sim_step) steps;
    struct sim_values parameters;     /* cluster-wide values that differ from their defaults */
    int64_t next_server, next_config, next_pool, next_unit, next_group, next_tenant, next_job, next_client;
    int64_t created_us;
    int64_t changes;                  /* grows with every change, by statement or by time: who caches looks here */
};

struct sim_cluster_conf {
    const char *name;                 /* NULL: "obcluster" */
    int64_t id;                       /* 0: 1 */
    const char *version;              /* NULL: "4.2.1.0" */
    const char *build;                /* NULL: that of 4.2.1.0 */
    const char *network;              /* NULL: "10.0"; servers are NETWORK.zone.server */
    int sql_port, rpc_port;           /* 0: 2881 and 2882 */
    unsigned zones, servers;          /* servers in each zone; 0: 1 */
    unsigned tenants, oracle_tenants; /* user tenants tenant1, tenant2, ..., and behind them oracle1, ... */
    bool is_enterprise;               /* else community; implied by oracle_tenants */
    int64_t now_us;
    uint64_t seed;
    int64_t min_delay_us, max_delay_us; /* both 0: 200 ms and 1 s */
    struct sim_capacity capacity;     /* of each server; zeros: 16 cores, 32 GiB, 96 GiB, 256 GiB */
};

/* A cluster in rest: bootstrapped, every zone and server active, every tenant NORMAL with a pool over all zones and root without
 * a password. The caller frees it. */
struct sim_cluster *sim_cluster_new(const struct sim_cluster_conf *conf);
/* A cluster that is none yet: without zones, servers and units, until processes come (sim_server_blank) and BOOTSTRAP is told which of
 * them found it. zones, servers, tenants, network, capacity of `conf` are not looked at. */
struct sim_cluster *sim_cluster_blank(const struct sim_cluster_conf *conf);
/* It was destroyed: what it knew is gone, its processes are blank; it can be founded anew. */
void sim_cluster_forget(struct sim_cluster *c);
/* Empties everything but the lists of processes and sessions. */
void sim_cluster_clear(struct sim_cluster *c);
/* The founders become zones with a server each, tenant sys with its units among them. */
void sim_cluster_found(struct sim_cluster *c);
/* "bootstrap", "server_delete": names of steps, for faults; SIM_STEP_N: there is none of that name. */
enum sim_step_kind sim_step_named(struct slice name);
void sim_cluster_free(struct sim_cluster *c);

/* Lets time pass: does every step whose time has come, in order of time. `now_us` earlier than before does nothing. */
void sim_advance(struct sim_cluster *c, int64_t now_us);
/* When the next step is due; 0: nothing is under way (held steps do not count). */
int64_t sim_next_us(const struct sim_cluster *c);
/* Notes a step for `now` plus a seeded delay. */
struct sim_step *sim_schedule(struct sim_cluster *c, enum sim_step_kind kind, int64_t id);
/* Makes and frees; internal to steps and statements, but harmless to call. */
struct sim_job *sim_job_start(struct sim_cluster *c, enum sim_job_kind kind, const char *type, struct slice sql);
void sim_job_end(struct sim_cluster *c, struct sim_job *j, const char *status, int result);
struct sim_job *sim_job_find(struct sim_cluster *c, int64_t id);
/* Adds to the history: pairs of name and value, ended by NULL. */
void sim_note(struct sim_cluster *c, const char *module, const char *event, ...) __attribute__((sentinel));

/* --- look-ups: NULL when there is none; names of zones, pools, units and tenants in any case -------------------------------- */
struct sim_zone *sim_zone_find(struct sim_cluster *c, struct slice name);
struct sim_server *sim_server_find(struct sim_cluster *c, int64_t id);
struct sim_server *sim_server_at(struct sim_cluster *c, struct slice address); /* "ip:rpc_port", members and others */
struct sim_unit_config *sim_config_find(struct sim_cluster *c, struct slice name);
struct sim_unit_config *sim_config_get(struct sim_cluster *c, int64_t id);
struct sim_pool *sim_pool_find(struct sim_cluster *c, struct slice name);
struct sim_pool *sim_pool_get(struct sim_cluster *c, int64_t id);
struct sim_unit *sim_unit_get(struct sim_cluster *c, int64_t id);
struct sim_tenant *sim_tenant_find(struct sim_cluster *c, struct slice name); /* not those in the recycle bin */
struct sim_tenant *sim_tenant_get(struct sim_cluster *c, int64_t id);

/* The server with the root service: where the leader of sys's log stream is. NULL: nobody leads. */
struct sim_server *sim_rootserver(struct sim_cluster *c);
/* May lead and serve: a member, alive, in service, neither stopped itself nor its zone. */
bool sim_server_serves(const struct sim_cluster *c, const struct sim_server *s);
/* The process died or returned (with `build_version`, NULL: the same as before). Noticed after a delay. */
void sim_server_alive(struct sim_cluster *c, struct sim_server *s, bool is_alive, const char *build_version);
/* A process that was started with nothing in its data directory; ADD SERVER may take it. */
struct sim_server *sim_server_blank(struct sim_cluster *c, const char *ip, int rpc_port, int sql_port, const char *zone);
/* Sum of what units take on it (a unit that moves counts on both). */
struct sim_capacity sim_server_assigned(struct sim_cluster *c, const struct sim_server *s);
const char *sim_server_status_name(enum sim_server_status status);

#endif
