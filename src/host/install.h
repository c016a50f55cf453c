/* SPDX-License-Identifier: Apache-2.0 */
/* install.h - brings the agent to a host over SSH, starts it, removes it. Each function may be repeated at any point, also by another node while
 * the first one is still at it: files are replaced as a whole, and the certificate and its key are one file. From fibers. */
#ifndef HOST_INSTALL_H
#define HOST_INSTALL_H

#include "src/host/program.h"
#include "src/host/shell.h"
#include "src/io/authority.h"
#include "src/store/host_agent.h"

/* What is installed. */
struct agent_install {
    const struct host_agent *agent;     /* install_home, listen, ports */
    const char *ocp_id;
    int64_t host_id, epoch;             /* epoch: the floor; older leaders have no power over it from the beginning */
    const char *prefix;                 /* what lies below it commands may touch */
    struct host_program program;
    const char *node_exporter;          /* of the host; "": none */
    struct host_program exporter;       /* to be brought there instead; file NULL: none */
    const char *authority;              /* PEM */
    const struct identity *identity;
};
/* Directory, settings, certificate, program; nothing runs yet. *sent: the program was not there. Errors: those of shell_do. */
MUST_CHECK int agent_bring(struct shell *s, const struct agent_install *a, struct arena *arena, bool *sent, struct err *e);
/* Stops what runs of it, starts the processes of the group ocp_agent, by systemd where there is one. Errors: those of shell_do. */
MUST_CHECK int agent_start(struct shell *s, const char *home, struct arena *arena, struct err *e);
MUST_CHECK int agent_halt(struct shell *s, const char *home, struct arena *arena, struct err *e);
/* Stops it and removes all of it, if it is that of this OCP cluster and host; what it has started goes on. *gone false: something else is there,
 * which stays. Errors: those of shell_do. */
MUST_CHECK int agent_remove(struct shell *s, const char *home, const char *ocp_id, int64_t host_id, struct arena *arena, bool *gone,
                            struct err *e);
/* The last lines of its logs, for people who look why it does not answer; "" when there are none. Errors: those of shell_run. */
MUST_CHECK int agent_last_words(struct shell *s, const char *home, struct arena *arena, const char **out, struct err *e);

#endif
