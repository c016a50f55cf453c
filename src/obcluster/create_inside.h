/* SPDX-License-Identifier: Apache-2.0 */
/* create_inside.h - what making a cluster and making it larger share: facts about hosts and package, rows of new servers. */
#ifndef OBCLUSTER_CREATE_INSIDE_H
#define OBCLUSTER_CREATE_INSIDE_H

#include "src/obcluster/create.h"
#include "src/obcluster/flows.h"
#include "src/obcluster/inside.h"
#include "src/store/host.h"
#include "src/store/obinstall.h"
#include "src/store/package.h"

struct create {
    struct obclusters *o;
    struct db *db;
    const struct create_want *want;
    struct arena *arena;
    struct create_known known;
    struct host *hosts;
    size_t n_hosts;
    struct package package;
    struct obcluster c;
    struct obinstall install;
    struct obinstall_server *servers;
    size_t n_servers;
    struct install_plan plan;
    struct task_new task;
    struct task_prepared prepared;
    struct task_lock_want *locks;
};

/* Fills known, hosts and package for what is wanted. Errors: those of db_read, INVALID (too many hosts), NOMEM. */
MUST_CHECK int create_read_known(struct create *c, struct err *e);
/* Fills servers for the zones that are wanted, of the cluster c->c.id, by zone. Errors: those of db_next_id. */
MUST_CHECK int create_describe_servers(struct create *c, struct err *e);

#endif
