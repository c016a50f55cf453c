/* SPDX-License-Identifier: Apache-2.0 */
/* tenant.h - a tenant of the simulated cluster: log streams, accounts, privileges, databases, objects, variables, compaction.
 * Part of state.h, which it is read with. */
#ifndef OBSIM_TENANT_H
#define OBSIM_TENANT_H

#include "tests/obsim/list.h"

struct sim_cluster;

/* --- privileges: a bit each ----------------------------------------------------------------------------------------------------- */

#define SIM_PRIVILEGES(X)                                                                                                            \
    X(ALTER, "ALTER", T) X(CREATE, "CREATE", T) X(DELETE, "DELETE", T) X(DROP, "DROP", T) X(INSERT, "INSERT", T)                     \
    X(SELECT, "SELECT", T) X(UPDATE, "UPDATE", T) X(INDEX, "INDEX", T) X(CREATE_VIEW, "CREATE VIEW", T)                              \
    X(SHOW_VIEW, "SHOW VIEW", T) X(REFERENCES, "REFERENCES", T) X(TRIGGER, "TRIGGER", T) X(EXECUTE, "EXECUTE", R)                    \
    X(ALTER_ROUTINE, "ALTER ROUTINE", R) X(CREATE_ROUTINE, "CREATE ROUTINE", D) X(LOCK_TABLES, "LOCK TABLES", D)                     \
    X(EVENT, "EVENT", D) X(GRANT_OPTION, "GRANT OPTION", T | R) X(CREATE_USER, "CREATE USER", 0) X(PROCESS, "PROCESS", 0)            \
    X(SUPER, "SUPER", 0) X(SHOW_DATABASES, "SHOW DATABASES", 0) X(FILE, "FILE", 0) X(ALTER_SYSTEM, "ALTER SYSTEM", 0)                \
    X(ALTER_TENANT, "ALTER TENANT", 0) X(REPLICATION_SLAVE, "REPLICATION SLAVE", 0)                                                  \
    X(REPLICATION_CLIENT, "REPLICATION CLIENT", 0) X(CREATE_TABLESPACE, "CREATE TABLESPACE", 0) X(SHUTDOWN, "SHUTDOWN", 0)           \
    X(RELOAD, "RELOAD", 0) X(CREATE_ROLE, "CREATE ROLE", 0) X(DROP_ROLE, "DROP ROLE", 0)                                             \
    X(CREATE_RESOURCE_POOL, "CREATE RESOURCE POOL", 0) X(CREATE_RESOURCE_UNIT, "CREATE RESOURCE UNIT", 0)                            \
    X(CREATE_SYNONYM, "CREATE SYNONYM", 0) X(CREATE_DATABASE_LINK, "CREATE DATABASE LINK", 0)                                        \
    X(DROP_DATABASE_LINK, "DROP DATABASE LINK", 0)

enum sim_privilege_bit {
#define X(NAME, WORDS, LEVELS) SIM_BIT_##NAME,
    SIM_PRIVILEGES(X)
#undef X
    SIM_PRIVILEGE_N
};
/* One mask each: SIM_SELECT, SIM_GRANT_OPTION, ... */
#define SIM_P(NAME) (UINT64_C(1) << SIM_BIT_##NAME)

/* Where beside *.* it may be granted. */
enum { SIM_ON_DATABASE = 1, SIM_ON_TABLE = 2, SIM_ON_ROUTINE = 4 };
struct sim_privilege {
    const char *words;                /* "CREATE VIEW" */
    unsigned levels;
};
extern const struct sim_privilege sim_privileges[SIM_PRIVILEGE_N]; /* by bit */
/* All that can be granted there: level 0 (on *.*), SIM_ON_DATABASE, ... GRANT OPTION is not among them. */
uint64_t sim_privileges_all(unsigned level);

/* --- accounts -------------------------------------------------------------------------------------------------------------------- */

enum sim_object_kind { SIM_TABLE, SIM_VIEW, SIM_INDEX, SIM_PROCEDURE, SIM_FUNCTION };

/* On a database (object ""), or on an object in it. */
struct sim_grant {
    char database[SIM_NAME], object[SIM_NAME];
    bool is_routine;
    enum sim_object_kind kind;        /* of a routine: PROCEDURE or FUNCTION */
    uint64_t privileges;
    int64_t created_us, modified_us;
};

struct sim_role_edge {
    char role[SIM_NAME], host[SIM_NAME];
    bool with_admin, is_default;
};

struct sim_user {
    int64_t id;
    char name[SIM_NAME], host[SIM_NAME];
    bool is_role, is_locked, has_password;
    unsigned char password[20];       /* SHA1(SHA1(password)) when has_password */
    uint64_t privileges;              /* on *.* */
    SIM_LIST(struct sim_grant) grants;
    SIM_LIST(struct sim_role_edge) roles; /* granted to it */
    int64_t created_us, modified_us, password_changed_us;
};

struct sim_database {
    int64_t id;
    char name[SIM_NAME], charset[64], collation[64];
    bool is_read_only;
    char *comment;                    /* owned, NULL: none */
    int64_t created_us, modified_us;
};

struct sim_object {
    int64_t id;
    enum sim_object_kind kind;
    char database[SIM_NAME], name[SIM_NAME];
    char table[SIM_NAME];             /* of an index */
    int64_t created_us, modified_us;
};

/* What DROP put into the recycle bin: databases, and tables. Tenants lie there themselves (sim_tenant.in_recyclebin). */
struct sim_dropped {
    char name[SIM_NAME], original[SIM_NAME], database[SIM_NAME];
    const char *type;                 /* static: DATABASE, TABLE */
    int64_t created_us;
};

/* --- log streams ----------------------------------------------------------------------------------------------------------------- */

struct sim_replica {
    int64_t server_id;
    char type;                        /* 'F' full, 'R' read only */
    bool is_leader, in_sync;
};

struct sim_ls {
    int64_t id, group_id;             /* unit group, 0 for log stream 1 */
    char *primary_zone;               /* owned */
    SIM_LIST(struct sim_replica) replicas;
    int64_t proposal;                 /* grows with each new leader */
    int64_t created_us;
};

struct sim_compaction_zone {
    char zone[SIM_NAME];
    int64_t broadcast_scn, last_scn, started_us, finished_us;
    const char *status;               /* static: IDLE, COMPACTION */
};

struct sim_compaction {
    int64_t frozen_scn, broadcast_scn, last_scn; /* ns */
    int64_t started_us, finished_us;
    const char *status;               /* static: IDLE, COMPACTION, CHECKSUM */
    bool is_error, is_suspended;
    char *info;                       /* owned, NULL: none */
    SIM_LIST(struct sim_compaction_zone) zones;
};

/* --- tenants --------------------------------------------------------------------------------------------------------------------- */

enum sim_tenant_type { SIM_TENANT_SYS, SIM_TENANT_META, SIM_TENANT_USER };
enum sim_tenant_status { SIM_TENANT_CREATING, SIM_TENANT_NORMAL, SIM_TENANT_DROPPING };

struct sim_tenant {
    int64_t id;                       /* sys 1; user tenants even from 1002 on, their meta tenant is one less */
    char name[SIM_NAME];              /* in the recycle bin: the name there */
    char original[SIM_NAME];          /* of one in the recycle bin */
    enum sim_tenant_type type;
    enum sim_tenant_status status;
    bool is_oracle, is_locked, is_read_only, in_recyclebin, has_arbitration;
    char *locality, *previous_locality, *primary_zone, *comment; /* owned; previous_locality and comment NULL: none */
    char charset[64], collation[64];
    char compatible[32];
    char service[SIM_NAME];           /* its service name, "": none */
    bool is_service_stopped;
    int unit_num;
    int64_t created_us, modified_us;
    int64_t next_user, next_object, next_ls;
    SIM_LIST(struct sim_ls) streams;
    SIM_LIST(struct sim_user) users;  /* roles too */
    SIM_LIST(struct sim_database) databases;
    SIM_LIST(struct sim_object) objects;
    SIM_LIST(struct sim_dropped) recyclebin;
    struct sim_values variables;      /* global values that differ from their defaults */
    struct sim_values parameters;     /* of TENANT scope, that differ from their defaults */
    struct sim_compaction compaction;
};

const char *sim_tenant_type_name(enum sim_tenant_type type);       /* "USER" */
const char *sim_tenant_status_name(enum sim_tenant_status status); /* "NORMAL" */
const char *sim_object_kind_name(enum sim_object_kind kind);       /* "TABLE" */

/* Look-ups; NULL when there is none. Users by exact name and host, databases and objects in any case. */
struct sim_user *sim_user_find(struct sim_tenant *t, const char *name, const char *host);
struct sim_database *sim_database_find(struct sim_tenant *t, const char *name);
struct sim_object *sim_object_find(struct sim_tenant *t, const char *database, const char *name, enum sim_object_kind kind);

/* The account of a login from `ip`: the one whose host matches best ('10.0.0.1' before '10.0.%' before '%'). Roles do not log in. */
struct sim_user *sim_user_match(struct sim_tenant *t, const char *name, const char *ip);
/* Does the answer to the challenge (20 bytes each, mysql_native_password; n_answer 0: no password given) prove the password? */
bool sim_user_proves(const struct sim_user *u, const unsigned char *challenge, const unsigned char *answer, size_t n_answer);
void sim_user_set_password(struct sim_user *u, struct slice password, int64_t now_us); /* "": none */
/* Privileges held on `database` ("": global ones only), including those of granted roles. */
uint64_t sim_user_privileges(struct sim_tenant *t, const struct sim_user *u, const char *database);
/* Is `ip` among the tenant's ob_tcp_invited_nodes? */
bool sim_tenant_invites(const struct sim_tenant *t, const char *ip);

/* End of the log of a stream, ns: runs with the clock. */
int64_t sim_ls_end_scn(const struct sim_cluster *c, const struct sim_ls *ls);
/* The server that leads it, 0: nobody. */
int64_t sim_ls_leader(const struct sim_ls *ls);
/* A unit of the tenant (of the user tenant, for a meta tenant) is there. */
bool sim_tenant_is_on(struct sim_cluster *c, const struct sim_tenant *t, int64_t server_id);

#endif
