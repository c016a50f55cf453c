/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - what the files of src/obcluster share. */
#ifndef OBCLUSTER_INSIDE_H
#define OBCLUSTER_INSIDE_H

#include <pthread.h>

#include "src/obcluster/obcluster.h"

struct sick;
struct watch;

struct obclusters {
    struct obclusters_conf conf;
    struct log log;
    pthread_mutex_t lock;              /* of the next members */
    struct watch *watch;               /* owned by its loop; NULL before and after */
    struct sick *sick;                 /* servers that failed lately; owned (endpoint.c) */
};

/* Milliseconds between two looks at a cluster. */
int64_t obclusters_interval_ms(struct obclusters *o);

void endpoints_forget(struct obclusters *o);

/* A session of its own with this password, to the first server that answers; to be closed by the caller (link.c). Errors: those of
 * sql_connect, OBCLUSTER_OTHER. */
MUST_CHECK int link_login(struct obclusters *o, const struct obcluster *c, const char *password, struct sql **out, struct err *e);

/* A session of its own with the password that is kept, to the first server that answers; to be closed by the caller (link.c). Errors: as
 * link_take without BUSY. */
MUST_CHECK int link_open(struct obclusters *o, const struct obcluster *c, struct sql **out, struct err *e);

/* Errors of connecting and of use, worded anew (link_error.c). Return the code to go on with. */
int link_word_connect(struct err *e, const struct obcluster *c);
int link_word_use(struct err *e, const char *cluster_name);

#endif
