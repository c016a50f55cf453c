/* SPDX-License-Identifier: Apache-2.0 */
/* facts.h - what a bare host says of itself over SSH, before an agent is there: the script that asks, and the reader of what it prints. The host
 * is not believed: what it prints is bounded and cleaned. Pure; any thread. */
#ifndef HOST_FACTS_H
#define HOST_FACTS_H

#include <stdint.h>

#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/base/str.h"
#include "src/io/addr.h"


/* For sh, as whoever logs in: prints $SSH_CONNECTION and the time. */
extern const char greet_script[];
/* For sh, as root if possible; $1: directory of the agent. Prints "name=value" lines. */
extern const char facts_script[];
/* For sh; $1: a URL of ours. Prints "reach=yes", "reach=no REASON" or "reach=unknown". */
extern const char reach_script[];

/* Texts lie in the arena; "" when the host did not say. */
struct host_facts {
    const char *system;          /* "Linux" */
    const char *machine;         /* x86_64, aarch64 */
    const char *kernel, *name;   /* release of the kernel; name of the host */
    const char *os, *release, *title; /* ID, VERSION_ID and PRETTY_NAME of os-release */
    const char *serial;
    bool systemd;
    int64_t free_bytes;          /* where the agent will be; -1: unknown */
    bool occupied;               /* something is at the agent's directory */
    const char *agent_ocp, *agent_host; /* an agent is there: of which OCP cluster, and which of its hosts; "" */
    const char *exporter;        /* path of a node exporter that is installed there; "" */
    struct addr *listening;      /* TCP sockets that listen */
    size_t n_listening;
};
/* Errors: UNEXPECTED (that is not what the script prints), NOMEM. */
MUST_CHECK int facts_read(struct slice text, struct arena *arena, struct host_facts *out, struct err *e);
/* Does something listen there that keeps others from listening on `at` and its port? */
bool facts_listens(const struct host_facts *f, const struct addr *at);

enum facts_reach { REACH_UNKNOWN, REACH_YES, REACH_NO };
/* `reason` gets why not, in the arena; "". Errors: NOMEM. */
MUST_CHECK int facts_read_reach(struct slice text, struct arena *arena, enum facts_reach *out, const char **reason, struct err *e);

/* What greet_script prints. */
struct host_greeting {
    struct addr local;           /* address of the host at which we arrived; not `known`: it did not say */
    int64_t wall_us, step_us;    /* its time, since 1970, and how exact that is */
};
/* Errors: UNEXPECTED (that is not what the script prints). */
MUST_CHECK int facts_read_greeting(struct slice text, struct host_greeting *out, struct err *e);
/* How far the host's clock is from ours: our clock before and after asking, and what it said. *error_us: how wrong that may be. */
int64_t facts_clock_difference(int64_t before_us, int64_t after_us, const struct host_greeting *g, int64_t *error_us);

#endif
