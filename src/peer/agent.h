/* SPDX-License-Identifier: Apache-2.0 */
/* agent.h - client of the agents of hosts (src/proto/agent.h): HTTP/2 with mutual TLS on kept connections. We show the certificate of this node,
 * and the other side must show the one of the host's agent that is meant, whatever its address. One client per loop, used by its fibers; every
 * call ends with the fiber's deadline. A refusal by the agent is the agent's error (agent_err_rows). */
#ifndef PEER_AGENT_H
#define PEER_AGENT_H

#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/proto/agent.h"

struct loop;
struct agent_client;

ERR_DECLARE(ERR_AGENT_AWAY);  /* {0} host, {1} why: it was not reached, and nothing was asked */
ERR_DECLARE(ERR_AGENT_LOST);  /* {0} host, {1} why: it did not answer, and may or may not have done what it was asked */
extern const struct err_row *const agent_client_err_rows[];

/* Texts are copied. */
struct agent_client_conf {
    struct loop *loop;                         /* borrowed, outlives the client */
    const char *authority, *certificate, *key; /* PEM files; read for each new connection */
};
/* On the loop's thread, or before it runs. Errors: NOMEM. */
MUST_CHECK int agent_client_new(const struct agent_client_conf *conf, struct agent_client **out, struct err *e);
/* No call may be under way. The loop frees the rest when it runs next. NULL is fine. */
void agent_client_free(struct agent_client *c);

/* Where an agent is, and who it must be. Strings are borrowed. */
struct agent_at {
    const char *address;     /* IP address */
    int64_t port;
    const char *ocp_id;      /* of our OCP cluster: with host_id the name in its certificate */
    int64_t host_id;
    const char *incarnation; /* as recorded at the dispatch; NULL: whatever its hello said last */
};

enum { AGENT_CONNECT_MS = 3000 };

/* Who it is, what it knows, what time it has. Raises its floor to `epoch`. */
MUST_CHECK int agent_hello(struct agent_client *c, const struct agent_at *at, int64_t epoch, struct arena *arena, struct agent_hello *out,
                           struct err *e);

/* What is to be done. */
struct agent_command {
    struct agent_key key;
    int64_t epoch;
    const char *kind;        /* agent_kinds */
    const void *args;        /* the kind's struct; members without value as in field.h */
    int64_t timeout_ms;      /* 0: what is left until the fiber's deadline */
    /* Called with each piece of its output while it runs, from the calling fiber. NULL: output stays at the agent. */
    void (*on_output)(void *data, struct slice piece);
    void *data;
};
struct agent_result {
    enum agent_state state;  /* AGENT_DONE, or AGENT_UNKNOWN */
    const struct agent_kind *kind;
    const char *answer;      /* JSON; NULL: none. See agent_result_read */
    int64_t output_bytes;
    int output_cut;
    int64_t pid, start_time; /* of what it ran as; FIELD_NONE */
};
/* Sends it, waits for its end, and collects its output. Repeating it with the same key asks for the same command, never for another run.
 * Errors: AGENT_AWAY (it never arrived), AGENT_LOST and TIMEOUT (it may run), those of the command itself; AGENT_UNKNOWN: nobody knows. */
MUST_CHECK int agent_command(struct agent_client *c, const struct agent_at *at, const struct agent_command *cmd, struct arena *arena,
                             struct agent_result *out, struct err *e);
/* Reads the answer into the kind's struct (`struct agent_started`...). Errors: UNEXPECTED (none came), INVALID, NOMEM. */
MUST_CHECK int agent_result_read(const struct agent_result *r, void *obj, struct arena *arena, struct err *e);
/* Waits for the end of a command that was sent before. Errors: as agent_command; NOT_FOUND: never heard of it (and it never will). */
MUST_CHECK int agent_wait(struct agent_client *c, const struct agent_at *at, const struct agent_command *cmd, struct arena *arena,
                          struct agent_result *out, struct err *e);

/* What became of these keys, in their order; `wait_ms` for the first that runs to end. */
MUST_CHECK int agent_query(struct agent_client *c, const struct agent_at *at, int64_t epoch, const struct agent_key *keys, size_t n,
                           int64_t wait_ms, struct arena *arena, struct agent_reply **out, struct err *e);
/* No dispatch of this step below key->dispatch starts there any more; `out`: what older ones have left, running or ended. */
MUST_CHECK int agent_fence(struct agent_client *c, const struct agent_at *at, int64_t epoch, const struct agent_key *key, struct arena *arena,
                           struct agent_reply **out, size_t *n, struct err *e);
/* Ends what these keys still run. */
MUST_CHECK int agent_stop(struct agent_client *c, const struct agent_at *at, int64_t epoch, const struct agent_key *keys, size_t n,
                          struct arena *arena, struct err *e);
/* The results are recorded: the agent may forget them. */
MUST_CHECK int agent_acknowledge(struct agent_client *c, const struct agent_at *at, int64_t epoch, const struct agent_key *keys, size_t n,
                                 struct arena *arena, struct err *e);

/* How much of a package it has. */
MUST_CHECK int agent_blob_have(struct agent_client *c, const struct agent_at *at, const char *sha256, struct arena *arena,
                               struct agent_blob *out, struct err *e);
/* Pushes the bytes from `offset` on, of `size` in all; at most AGENT_BLOB_PIECE. `out->size` is where the next piece begins, whatever was sent. */
MUST_CHECK int agent_push_blob(struct agent_client *c, const struct agent_at *at, const char *sha256, int64_t offset, int64_t size,
                               struct slice bytes, struct arena *arena, struct agent_blob *out, struct err *e);
/* It shows this certificate from now on; safe to repeat. `ask->incarnation` is filled in. Errors: AGENT_EPOCH, AGENT_FILE, INVALID (not for this agent, or not
 * good by its clock). */
MUST_CHECK int agent_renew(struct agent_client *c, const struct agent_at *at, const struct agent_renewal *ask, struct arena *arena,
                           struct agent_certificate *out, struct err *e);
MUST_CHECK int agent_status(struct agent_client *c, const struct agent_at *at, struct arena *arena, struct agent_status *out, struct err *e);

#endif
