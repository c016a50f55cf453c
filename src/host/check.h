/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - may these hosts be added? Rules over what was found at each of them: all reasons at once. Pure; any thread. */
#ifndef HOST_CHECK_H
#define HOST_CHECK_H

#include "src/host/facts.h"
#include "src/host/shell.h"

ERR_DECLARE(ERR_HOST_SUDO);      /* 8103 {0} host, {1} what sudo said */
ERR_DECLARE(ERR_HOST_LATENCY);   /* 7020 {0} host, {1} ms it took, {2} ms allowed */
ERR_DECLARE(ERR_HOST_CLOCK);     /* 7021 {0} host, {1} ms of difference, {2} ms allowed */
ERR_DECLARE(ERR_HOST_OUTPUT);    /* 7024 {0} host: what it answers makes no sense */
ERR_DECLARE(ERR_HOST_SYSTEM);    /* 7025 {0} host, {1} its system: there is no agent for it */
ERR_DECLARE(ERR_HOST_NO_WAY);    /* 7026 {0} host, {1} our address, {2} why it does not reach that */
ERR_DECLARE(ERR_HOSTS_OS);       /* 7017 {0} hosts and systems */
ERR_DECLARE(ERR_HOSTS_MACHINE);  /* 7018 {0} hosts and architectures */
ERR_DECLARE(ERR_HOST_PORT);      /* {0} host, {1} port: something listens there */
ERR_DECLARE(ERR_HOST_HAS_AGENT); /* 7012 {0} host, {1} directory, {2} whose agent it is */
ERR_DECLARE(ERR_HOST_DIRECTORY); /* {0} host, {1} directory: something else is there */
ERR_DECLARE(ERR_HOST_DISK);      /* 7050 {0} host, {1} directory, {2} free, {3} needed */
ERR_DECLARE(ERR_HOST_SILENT);    /* {0} host, {1} seconds: it did not answer in time */
extern const struct err_row *const host_check_err_rows[];

/* What is looked at, in this order. */
enum host_check { CHECK_SSH, CHECK_SUDO, CHECK_LATENCY, CHECK_CLOCK, CHECK_SYSTEM, CHECK_ADDRESS, CHECK_PORTS, CHECK_DIRECTORY, CHECK_DISK,
                  CHECK_KNOWN, CHECK_BATCH, N_HOST_CHECKS };
extern const char *const host_check_names[]; /* "ssh", ...; then NULL */

enum { HOST_AGENT_PORTS = 3 };

/* What is allowed. */
struct check_rules {
    int64_t max_delay_ms;
    bool compare_clocks;
    int64_t max_clock_diff_ms;
    const char *url;                        /* of ours; NULL: not asked */
    const char *home;                       /* directory of the agent */
    int64_t ports[HOST_AGENT_PORTS];
    int64_t min_free_bytes;
    const char *ocp_id;
    const char *const *machines;            /* architectures that an agent is there for; ends with NULL */
};

/* What was found at one host. */
struct host_probe {
    const char *ip;
    int64_t host_id;                        /* 0: it has none yet */
    struct err failed;                      /* row not NULL: it was not reached, or what it answers makes no sense */
    char fingerprint[SSH_FINGERPRINT_SIZE];
    enum shell_power power;
    const char *refusal;                    /* of sudo */
    int64_t delay_us;                       /* of a round trip on the open connection */
    struct host_greeting greeting;
    int64_t clock_diff_us, clock_error_us;
    struct host_facts facts;
    enum facts_reach reach;
    const char *reach_reason;
    bool is_known;                          /* it shall be added, and a host has its address already */
    bool agent_is_stray;                    /* the agent there is ours, of a host that is not known any more */
};

/* One rule at one host. */
struct host_finding {
    const char *ip;
    enum host_check check;
    bool passed;
    struct err why;                         /* it did not */
};

/* The rules that can be looked at (a host that is not reached has one finding), in order of hosts and rules. `out` is in the arena; one finding
 * a host and rule, a port rule once a busy port. Returns the number that did not pass, or -1 when memory is out. */
int host_check_all(const struct check_rules *rules, const struct host_probe *probes, size_t n, struct arena *arena, struct host_finding **out,
                   size_t *n_out);

/* Where the agent of this host listens: the address at which we reached it, unless that is not its own. Returns `buf`, of ADDR_TEXT_SIZE. */
const char *host_listen_address(const struct host_probe *p, char *buf);

#endif
