/* SPDX-License-Identifier: Apache-2.0 */
/* upgrade.h - another version of the agent, in place:
 *
 *   pos_proxy: blob -> bin/ocp-agent.new, does it run? -> data/upgrade.json -> tells ocp_agentd, and waits for the result file of its command
 *   ocp_agentd: bin/ocp-agent.old, new one in its place -> another pos_proxy -> does it answer?
 *      yes: the others too, result, and ocp_agentd becomes the new program        no: the former program is back, result says why
 *
 * Each step may be cut short and done again. */
#ifndef AGENT_UPGRADE_H
#define AGENT_UPGRADE_H

#include "agent/frame.h"
#include "src/proto/agent.h"

struct upgrade {
    struct agent_key *key;            /* of the command that waits */
    const char *version;              /* of the new program */
    int trying;                       /* it is in its place */
};
extern const struct field upgrade_fields[];

/* What is under way; *there false: nothing. Blocking. Errors: IO, INVALID, NOMEM. */
MUST_CHECK int upgrade_read(struct frame *f, struct arena *arena, struct upgrade *out, bool *there, struct err *e);
/* Errors: IO, NOMEM. */
MUST_CHECK int upgrade_write(struct frame *f, const struct upgrade *u, struct err *e);
/* Puts the new program in its place, and the former one aside. Errors: IO. */
MUST_CHECK int upgrade_swap(struct frame *f, struct err *e);
/* The former program is back. Errors: IO. */
MUST_CHECK int upgrade_swap_back(struct frame *f, struct err *e);
/* It is over: the command's result is there, and nothing is under way any more. `why` NULL: it went well. Errors: IO, NOMEM. */
MUST_CHECK int upgrade_end(struct frame *f, const struct upgrade *u, const struct err *why, struct err *e);
/* Does pos_proxy answer? From a fiber; within its deadline. Errors: those of stream.h; UNEXPECTED (something else answers). */
MUST_CHECK int upgrade_ping(struct frame *f, struct err *e);

#endif
