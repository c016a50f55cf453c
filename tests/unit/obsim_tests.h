/* SPDX-License-Identifier: Apache-2.0 */
/* obsim_tests.h - statements of the simulated kernel, run without a server: what the parts of test_obsim_command share. */
#ifndef TESTS_UNIT_OBSIM_TESTS_H
#define TESTS_UNIT_OBSIM_TESTS_H

#include "tests/lib/test.h"

#include "tests/obsim/command.h"
#include "tests/obsim/session.h"

/* Two sessions of the account root: in sys, and in a user tenant. */
struct rig {
    struct sim_cluster *c;
    struct sim_session sys, user;
    struct sim_reply reply;           /* of the last statement */
};

/* `zones` zones of `servers` servers, tenants tenant1 (id 1002) and, in Oracle mode, oracle1 (1004). */
void rig_init(struct rig *r, unsigned zones, unsigned servers);
void rig_fini(struct rig *r);
/* A session of another account or tenant; the caller frees its variables with rig_logout. */
void rig_login(struct rig *r, struct sim_session *s, struct sim_tenant *t, const char *user);
void rig_logout(struct sim_session *s);

/* Runs it, returns its errno. */
int rig_run(struct rig *r, struct sim_session *s, const char *sql);
/* It ends with this errno (0: OK), else the test fails and names it. */
void rig_expect(struct rig *r, struct sim_session *s, int number, const char *sql);
/* Cell of the last reply. */
const char *rig_cell(struct rig *r, size_t row, unsigned column);
/* Lets everything that is under way come to its end. */
void rig_settle(struct rig *r);

struct rig_row {
    int number;
    const char *sql;
};
/* Each of them in turn. */
void rig_script(struct rig *r, struct sim_session *s, const struct rig_row *rows, size_t n);
#define RIG_SCRIPT(R, S, ROWS) rig_script((R), (S), (ROWS), sizeof(ROWS) / sizeof(ROWS)[0])

extern const struct CMUnitTest obsim_account_tests[], obsim_cluster_tests[], obsim_lex_tests[], obsim_setting_tests[], obsim_tenant_tests[];

#endif
