/* SPDX-License-Identifier: Apache-2.0 */
/* agent.h - what ocp-server and the agent of a host say to each other. HTTP/2 with mutual TLS on AGENT_PORT, JSON bodies, the fields declared
 * once here for both sides:
 *
 *   POST /agent/hello                     agent_hello_ask -> agent_hello
 *   POST /agent/command                   agent_call -> agent_reply    starts a command, waits for its end at most wait_ms
 *   POST /agent/query                     agent_ask -> agent_replies   what became of these keys
 *   POST /agent/fence                     agent_fence -> agent_replies commands of older dispatches of that step, running ones above all
 *   POST /agent/stop                      agent_ask -> agent_replies   ends what these keys still run
 *   POST /agent/acknowledge               agent_ask -> agent_replies   the results are recorded: forget them
 *   GET  /agent/command/{key}/output?from=N   bytes of its output from there on; header x-agent-state tells whether more may come
 *   GET  /agent/blob/{sha256}             agent_blob: how much of it is there
 *   PUT  /agent/blob/{sha256}?offset=N&size=M a piece of a package -> agent_blob
 *   GET  /agent/status                    agent_status: the processes of the agent
 *   POST /agent/certificate               agent_renewal -> agent_certificate   from now on it shows this one
 *   GET  /agent/ping                      incarnation; for the agent's own guard
 *
 * A refusal is a status of 400 and above with an agent_failure. Pure; any thread. */
#ifndef PROTO_AGENT_H
#define PROTO_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/err.h"
#include "src/base/field.h"
#include "src/proto/agent_kind.h"

enum {
    AGENT_PORT = 62888, AGENT_EXPORTER_PORT = 62889, AGENT_NODE_EXPORTER_PORT = 63000,
    AGENT_START_MS = 10000,             /* how far ahead start_by may lie */
    AGENT_ID_SIZE = 33, AGENT_KEY_SIZE = 192, AGENT_URI_SIZE = 80, AGENT_SHA256_SIZE = 65,
    AGENT_CALL_MAX = 256 * 1024,        /* bytes of a request's body, blobs excepted */
    AGENT_ANSWER_MAX = 256 * 1024,      /* bytes of what a command answers */
    AGENT_OUTPUT_MAX = 1024 * 1024,     /* bytes of output kept of a command */
    AGENT_BLOB_PIECE = 4 * 1024 * 1024, /* bytes of one PUT at most */
    AGENT_KEYS_MAX = 1000,              /* in one query */
};

ERR_DECLARE(ERR_AGENT_INCARNATION); /* {0} the one that was meant, {1} the agent's: it was installed anew since */
ERR_DECLARE(ERR_AGENT_EPOCH);       /* {0} the caller's, {1} the floor: the caller is not the leader any more */
ERR_DECLARE(ERR_AGENT_EPOCH_WILD);  /* {0} an epoch that no cluster reaches */
ERR_DECLARE(ERR_AGENT_DISPATCH);    /* {0} the caller's, {1} the highest seen of that step */
ERR_DECLARE(ERR_AGENT_LATE);        /* {0} what came too late, or claims to be too early */
ERR_DECLARE(ERR_AGENT_ALTERED);     /* {0} key: it is known with another content */
ERR_DECLARE(ERR_AGENT_BURIED);      /* {0} key: somebody was told that it never came, so it may not come any more */
ERR_DECLARE(ERR_AGENT_FORGOTTEN);   /* {0} key: its result was acknowledged */
ERR_DECLARE(ERR_AGENT_OTHER);       /* {0} whose the agent is: the caller is of another OCP cluster */
ERR_DECLARE(ERR_AGENT_KIND);        /* {0} command that this agent does not know, or not with these members */
ERR_DECLARE(ERR_AGENT_FULL);        /* {0} which store of the agent is full, {1} limit */
ERR_DECLARE(ERR_AGENT_PATH);        /* {0} path, {1} why it may not be used */
ERR_DECLARE(ERR_AGENT_FILE);        /* {0} path, {1} reason */
ERR_DECLARE(ERR_AGENT_NOT_EMPTY);   /* {0} directory: it holds something that is not ours */
ERR_DECLARE(ERR_AGENT_BLOB);        /* {0} sha256, {1} what is wrong with it */
ERR_DECLARE(ERR_AGENT_PACKAGE);     /* {0} package, {1} why it cannot be extracted */
ERR_DECLARE(ERR_AGENT_PROCESS);     /* {0} program or process, {1} reason */
ERR_DECLARE(ERR_AGENT_SCRIPT);      /* {0} script, {1} how it ended */
ERR_DECLARE(ERR_AGENT_STOPPED);     /* {0} key: ended on request before it was done */
ERR_DECLARE(ERR_AGENT_UPGRADE);     /* {0} version, {1} why the former one is back */
ERR_DECLARE(ERR_AGENT_UNKNOWN);     /* {0} key: the agent or the host ended in the midst of it */
extern const struct err_row *const agent_err_rows[];

/* Which command it is: one row of the ledger of an agent. */
struct agent_key {
    const char *ocp_id;                /* of the OCP cluster: 32 hex digits */
    const char *lineage;               /* drawn anew when MetaDB was restored: 32 hex digits */
    int64_t task, step, dispatch, seq; /* step: id of the subtask; seq counts from 0 within (dispatch, host) */
};
extern const struct field agent_key_fields[];
/* "ocp_id.lineage.task.step.dispatch.seq". Returns `buf`. */
const char *agent_key_text(const struct agent_key *k, char buf[AGENT_KEY_SIZE]);
/* Reads that form; false when it is none. Texts lie in the arena. */
bool agent_key_parse(struct slice text, struct arena *arena, struct agent_key *out);

/* URI in the certificate of a host's agent: "ocp-agent:OCPID:HOST". Those of nodes begin with "ocp-node:OCPID:". Returns `buf`. */
const char *agent_uri(const char *ocp_id, int64_t host, char buf[AGENT_URI_SIZE]);

/* ---- calls: every one bears who asks ---- */
struct agent_hello_ask {
    int64_t epoch;
};
extern const struct field agent_hello_ask_fields[];
struct agent_hello {
    const char *incarnation;           /* drawn at the installation */
    const char *boot;                  /* id of the host's present boot */
    const char *version;               /* of the agent */
    const char *ocp_id;
    int64_t host_id;
    int64_t clock_ms;                  /* its boot clock: what start_by is compared with */
    int64_t wall_us;                   /* its wall clock */
    int64_t epoch;                     /* floor: the highest seen */
    struct field_strings roots;        /* directories that commands may touch */
    struct field_strings kinds;        /* commands that it knows */
};
extern const struct field agent_hello_fields[];

struct agent_call {
    struct agent_key *key;
    const char *digest;                /* agent_digest of kind and args */
    int64_t epoch;
    const char *incarnation, *boot;    /* as its hello said */
    int64_t start_by;                  /* in the agent's boot clock, at most AGENT_START_MS ahead */
    int64_t timeout_ms;                /* of the command; it is ended then */
    int64_t wait_ms;                   /* of this call; then it answers AGENT_RUNNING */
    const char *kind;
    const char *args;                  /* JSON object, members by the kind's table */
};
extern const struct field agent_call_fields[];
struct agent_ask {
    const char *incarnation;
    int64_t epoch, wait_ms;            /* wait_ms: query waits so long for the first that runs to end */
    struct field_list keys;            /* of struct agent_key */
};
extern const struct field agent_ask_fields[];
struct agent_fence {
    struct agent_key *key;             /* seq does not count */
    const char *incarnation;
    int64_t epoch;
};
extern const struct field agent_fence_fields[];

/* The key is a secret: the call is TLS, and nobody writes it anywhere but the agent into its file. */
struct agent_renewal {
    const char *incarnation;
    int64_t epoch;
    const char *certificate, *key;     /* PEM */
};
extern const struct field agent_renewal_fields[];

/* ---- answers ---- */
struct agent_certificate {
    const char *serial;                /* of the one in use now */
    int64_t expires_us;
};
extern const struct field agent_certificate_fields[];
enum agent_state { AGENT_NEVER_HEARD, AGENT_RUNNING, AGENT_DONE, AGENT_UNKNOWN, AGENT_FORGOTTEN };
extern const char *const agent_state_names[];

/* An error as it travels: the row by its code, and its arguments, so that the server words it in its reader's language. */
struct agent_failure {
    int64_t code;
    struct field_strings args;
};
extern const struct field agent_failure_fields[];
/* Texts lie in the arena, or are borrowed from `e`. Errors: NOMEM. */
MUST_CHECK int agent_failure_of(const struct err *e, struct arena *arena, struct agent_failure *out, struct err *why);
/* The error that it stands for; one of a row unknown here becomes UNEXPECTED. Returns its code. */
int agent_failure_set(const struct agent_failure *f, struct err *e);

struct agent_reply {
    struct agent_key *key;
    const char *digest;                /* NULL unless the agent knows it */
    int state;                         /* enum agent_state */
    const char *kind;
    struct agent_failure *failure;     /* AGENT_DONE: it failed; NULL: it succeeded */
    const char *answer;                /* AGENT_DONE: JSON object, members by the kind's table; NULL: none */
    int64_t output_bytes;              /* kept of its output so far */
    int output_cut;                    /* more came than was kept */
    int64_t pid, start_time;           /* of what it runs as; FIELD_NONE: no process */
};
extern const struct field agent_reply_fields[];
struct agent_replies {
    const char *incarnation;
    struct field_list commands;        /* of struct agent_reply */
};
extern const struct field agent_replies_fields[];
struct agent_blob {
    int64_t size;                      /* bytes there so far; what comes next has this offset */
    int complete;                      /* whole, and its SHA-256 was checked */
};
extern const struct field agent_blob_fields[];

struct agent_process {
    const char *name, *group, *state;  /* RUNNING, STOPPED, BACKING_OFF, WAITING */
    const char *note;                  /* what it says of itself; NULL */
    int64_t pid, start_time, started_us, restarts, port, rss_bytes;
};
struct agent_status {
    const char *incarnation, *version;
    struct field_strings groups;       /* that are wanted to run */
    struct field_list processes;       /* of struct agent_process */
};
extern const struct field agent_process_fields[];
extern const struct field agent_status_fields[];

/* SHA-256, in hex, of the kind's name and its arguments as the kind's table writes them: equal on both sides whatever the text on the way.
 * Errors: NOMEM, UNEXPECTED (libcrypto). */
MUST_CHECK int agent_digest(const struct agent_kind *kind, const void *args, char out[AGENT_SHA256_SIZE], struct err *e);

#endif
