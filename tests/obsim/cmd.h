/* SPDX-License-Identifier: Apache-2.0 */
/* cmd.h - the inside of command.h: one statement while it runs, and what statements share. Each function reads its grammar, then calls
 * cmd_end, then changes the cluster and replies; it returns the errno that it replied, 0 for none. */
#ifndef OBSIM_CMD_H
#define OBSIM_CMD_H

#include "tests/obsim/command.h"
#include "tests/obsim/like.h"
#include "tests/obsim/parse.h"
#include "tests/obsim/place.h"
#include "tests/obsim/reply.h"
#include "tests/obsim/session.h"

struct cmd;

enum {
    CMD_SYS = 1,       /* in tenant sys only: 1227 elsewhere */
    CMD_ORACLE = 2,    /* in Oracle tenants, too: 4007 without it */
};
struct cmd_row {
    const char *words;                /* how it starts: "ALTER SYSTEM SET"; "" ends a table */
    int (*run)(struct cmd *x);
    unsigned flags;
    uint64_t privilege;               /* SIM_P that cmd_end asks for on *.*; 0: none */
    int arg;                          /* what the function wants to know of several */
};

struct cmd {
    struct sim_session *s;
    struct sim_cluster *c;
    struct sim_tenant *t;             /* the one whose objects are meant */
    struct sim_reply *out;
    struct arena arena;               /* for the time of the statement */
    struct slice sql;                 /* without the ';' and blanks around it */
    struct lex lex;
    struct parse p;
    const struct cmd_row *row;
};

/* Tables of statements, each in the file of its noun. */
extern const struct cmd_row cmd_account_rows[], cmd_bootstrap_rows[], cmd_compaction_rows[], cmd_database_rows[], cmd_grant_rows[], cmd_object_rows[],
    cmd_parameter_rows[], cmd_pool_rows[], cmd_server_rows[], cmd_session_rows[], cmd_set_rows[], cmd_show_rows[], cmd_system_rows[],
    cmd_tenant_rows[], cmd_time_zone_rows[], cmd_unit_rows[], cmd_zone_rows[];

/* 1064, near the next token. */
int cmd_syntax(struct cmd *x);
#define cmd_fail(X, NUMBER, ...) reply_error((X)->out, (NUMBER), __VA_ARGS__)
int cmd_ok(struct cmd *x);
int cmd_place_failed(struct cmd *x, const struct place_error *e);
/* The statement has to be over, and the account allowed to run it. Errors: 1064, 1227. */
int cmd_end(struct cmd *x);
/* As cmd_end for statements whose right depends on a database: 1044 without it. */
int cmd_end_on(struct cmd *x, uint64_t privilege, const char *database);
bool cmd_may(const struct cmd *x, uint64_t privilege, const char *database);
/* The account of the session; NULL when it is dropped. */
struct sim_user *cmd_account(const struct cmd *x);

/* Copy in the arena of the statement. */
const char *cmd_text(struct cmd *x, struct slice s);
/* IF [NOT] EXISTS: 1 there, 0 not there, -1 half of it. */
int cmd_if_exists(struct cmd *x);
int cmd_if_not_exists(struct cmd *x);
/* An optional [=], then what follows. */
bool cmd_name_after_equal(struct cmd *x, struct slice *out);
bool cmd_i64_after_equal(struct cmd *x, int64_t *out);
/* [=] '4G', 4294967296: bytes. */
bool cmd_size_after_equal(struct cmd *x, int64_t *out);

/* TENANT [=] list: names, and ALL, ALL_USER, ALL_META; without one, `*n` 0. The array lies in the arena. Errors: 1064, 5157 as the
 * statement's reply, when the result is not 0. Only sys may name another tenant than its own: 1227. */
int cmd_tenants(struct cmd *x, struct sim_tenant ***out, size_t *n);

/* 'name'@'host', name, with '%' for no host. False: 1064. */
struct cmd_account_name {
    char name[SIM_NAME], host[SIM_NAME];
};
bool cmd_account_name(struct cmd *x, struct cmd_account_name *out);
/* Database that is meant where none is named. Errors: 1046. NULL: replied. */
const char *cmd_current_database(struct cmd *x);
/* [database.]name. Errors: 1046, replied. False: 1064 or replied (x->out->number != 0). */
bool cmd_qualified_name(struct cmd *x, char database[SIM_NAME], char name[SIM_NAME]);
/* Users connected to a database, a name that the kernel keeps for itself. */
bool cmd_is_system_database(const char *name);

/* name = value [, ...] of SET and SET VARIABLES: read first, checked once the statement has ended. */
struct cmd_assignment {
    struct slice name, value;
    bool is_text, is_default;
};
bool cmd_read_assignment(struct cmd *x, struct cmd_assignment *a);
/* What is to be kept of it: the variable and its value in the arena (NULL: the default). `scope`: SIM_V_GLOBAL or SIM_V_SESSION.
 * Errors: 1193, 1228, 1229, 1231, 1232, 1238, 1115, 1273, 1298. */
int cmd_check_assignment(struct cmd *x, const struct cmd_assignment *a, unsigned scope, bool at_creation, const struct sim_variable **v,
                         const char **value);
void cmd_assign(struct cmd *x, struct sim_values *to, const struct sim_variable *v, const char *value);

/* SHOW ... [LIKE 'p' | WHERE column op value [AND ...]] over rows that are already in the reply: keeps those that fit.
 * `like_column`: what LIKE looks at. Errors: 1064, 1054. */
int cmd_filter(struct cmd *x, unsigned like_column);
/* "2024-01-01 00:00:00.000000" in the time zone of the session. */
const char *cmd_time(struct cmd *x, int64_t us);

#endif
