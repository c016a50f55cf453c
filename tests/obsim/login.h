/* SPDX-License-Identifier: Apache-2.0 */
/* login.h - who may come in: user@tenant#cluster:id against the state, as an observer checks it when a client connects directly. */
#ifndef OBSIM_LOGIN_H
#define OBSIM_LOGIN_H

#include "tests/obsim/reply.h"
#include "tests/obsim/state.h"

/* "root", "root@sys", "u@tenant", "u@tenant#cluster", "u@tenant#cluster:id". Views on the text; n 0: not given. */
struct login_name {
    struct slice user, tenant, cluster, cluster_id;
};
void login_split(struct slice text, struct login_name *out);

/* Finds tenant and account of a login from `ip` at the server, and checks the proof of its password. 0, or the errno that was replied:
 * 4666 other cluster, 5160 no such tenant, 5150 the tenant is not on this server, 5260 tenant locked, 1227 not invited, 1045 wrong user or
 * password, 3118 account locked. */
int login_check(struct sim_cluster *c, const struct sim_server *server, struct slice name, const unsigned char *challenge,
                struct slice answer, const char *ip, struct sim_tenant **tenant, struct sim_user **account, struct sim_reply *out);

#endif
