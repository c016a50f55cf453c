/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint.h - where the servers of a cluster listen for SQL, and which of them to try first: where it was taken over, then the others that
 * serve; those that failed within the last half minute, whichever loop found out, after the rest; those that do not serve last.
 * Any thread. */
#ifndef OBCLUSTER_ENDPOINT_H
#define OBCLUSTER_ENDPOINT_H

#include "src/store/obcluster.h"

struct obclusters;

enum { ENDPOINT_MAX = 16, ENDPOINT_NAME_SIZE = 280, ENDPOINT_SICK_MS = 30000 };

struct endpoint {
    char host[256];
    unsigned port;
    char name[ENDPOINT_NAME_SIZE];   /* "10.0.0.1:2881", "[::1]:2881": as sql_peer has it */
    enum { ENDPOINT_WELL, ENDPOINT_SICK, ENDPOINT_IDLE } state; /* serves; failed lately; does not serve */
};

/* Up to ENDPOINT_MAX, best first; at least one. Behind a proxy only the proxy. Text that is no list of addresses is skipped. */
size_t endpoints_of(struct obclusters *o, const struct obcluster *c, struct endpoint *out);
/* Should a session to `name` be given up, because another server is the better one? */
bool endpoint_is_worse(struct obclusters *o, const struct obcluster *c, const char *name);
/* It failed, or answers again. */
void endpoint_note(struct obclusters *o, const char *name, bool is_well);

#endif
