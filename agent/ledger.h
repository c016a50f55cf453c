/* SPDX-License-Identifier: Apache-2.0 */
/* ledger.h - what an agent remembers of its callers and their commands, and who may still start what. Pure: no clock, no disk, no process; the
 * journal keeps its records, and reading them again makes the same ledger.
 *
 *   call --admit--> refused (incarnation, epoch, dispatch, late, altered, buried, forgotten)
 *                   known: its entry          new: the caller writes RECORD_MARK if asked to, RECORD_INTENT, acts, RECORD_RESULT
 *
 *   entry: RUNNING --result--> DONE --acknowledged--> (forgotten)       asked for, never heard: BURIED, refused when it comes
 *             └──gone after a restart of the agent--> UNKNOWN --acknowledged--> (forgotten)
 *
 * Marks (the highest dispatch of a step, and what was forgotten of it) and burials outlive the last entry of their step by LEDGER_KEEP_US. */
#ifndef AGENT_LEDGER_H
#define AGENT_LEDGER_H

#include "src/proto/agent.h"

struct ledger;
#define LEDGER_KEEP_US (INT64_C(24) * 3600 * 1000000)
/* Results that nobody has acknowledged in this time are forgotten, too: of clusters that were given up, of lineages that a restore has ended. */
#define LEDGER_STALE_US (30 * LEDGER_KEEP_US)
enum { LEDGER_MAX_ENTRIES = 20000, LEDGER_MAX_MARKS = 100000, LEDGER_MAX_FLOORS = 16 };
/* An epoch grows by one with each leader: a jump beyond this is no epoch. */
#define LEDGER_MAX_JUMP INT64_C(1000000000)

/* What is written, and read again. */
enum record_type {
    RECORD_BIRTH,    /* incarnation */
    RECORD_FLOOR,    /* key.ocp_id, epoch */
    RECORD_MARK,     /* key but seq: dispatch, forgotten */
    RECORD_INTENT,   /* key, digest, kind */
    RECORD_PROCESS,  /* key, pid, start_time, boot */
    RECORD_RESULT,   /* key, failure or answer, output */
    RECORD_UNKNOWN,  /* key: nobody knows how it ended */
    RECORD_BURY,     /* key */
    RECORD_FORGET,   /* key: acknowledged */
    RECORD_ROOT,     /* path: declared */
};
struct record {
    int type;                        /* enum record_type */
    int64_t at_us;
    struct agent_key *key;
    const char *incarnation, *digest, *kind, *boot, *path;
    int64_t epoch, forgotten, pid, start_time;
    struct agent_failure *failure;
    const char *answer;
    int64_t output_bytes;
    int output_cut;
};
extern const struct field record_fields[];

enum entry_state { ENTRY_RUNNING, ENTRY_DONE, ENTRY_UNKNOWN, ENTRY_BURIED };
struct entry {
    struct agent_key key;
    enum entry_state state;
    const struct agent_kind *kind;   /* NULL: buried */
    char digest[AGENT_SHA256_SIZE], boot[AGENT_ID_SIZE];
    int64_t pid, start_time;         /* FIELD_NONE: no process */
    struct agent_failure *failure;   /* owned by the entry's arena */
    const char *answer;
    int64_t output_bytes;
    int output_cut;
    void *live;                      /* whoever executes it; NULL: nobody does. The ledger does not look at it */
};

/* Errors: NOMEM. */
MUST_CHECK int ledger_new(struct ledger **out, struct err *e);
void ledger_free(struct ledger *l);
/* Forgets everything. */
void ledger_clear(struct ledger *l);
/* Takes in one record, of the journal or just decided. Errors: INVALID (a record that makes no sense), NOMEM. */
MUST_CHECK int ledger_apply(struct ledger *l, const struct record *r, struct err *e);
/* "" before RECORD_BIRTH. */
const char *ledger_incarnation(const struct ledger *l);
int64_t ledger_floor(const struct ledger *l, const char *ocp_id);

/* May a caller of this epoch say anything? *raises: the floor is lower, so RECORD_FLOOR comes before the answer.
 * Errors: AGENT_INCARNATION (`incarnation` NULL: not asked), AGENT_EPOCH, AGENT_EPOCH_WILD, AGENT_FULL. */
MUST_CHECK int ledger_hear(const struct ledger *l, const char *ocp_id, const char *incarnation, int64_t epoch, bool *raises, struct err *e);

struct admission {
    struct entry *known;             /* it was heard before; NULL: it may start */
    bool marks;                      /* RECORD_MARK comes before it starts */
};
/* May this command start, at `now_ms` of the boot clock? After ledger_hear. Errors: AGENT_DISPATCH, AGENT_LATE, AGENT_ALTERED, AGENT_BURIED,
 * AGENT_FORGOTTEN, AGENT_FULL. */
MUST_CHECK int ledger_admit(const struct ledger *l, const struct agent_call *call, const char *boot, int64_t now_ms, struct admission *out,
                            struct err *e);
/* The entry of this key; NULL if there is none. */
struct entry *ledger_find(const struct ledger *l, const struct agent_key *key);
/* What a query says of a key; for AGENT_NEVER_HEARD it must be buried. */
enum agent_state ledger_state(const struct ledger *l, const struct agent_key *key);
/* Does a fence of this dispatch raise the mark? Errors: AGENT_DISPATCH (it is itself fenced), AGENT_FULL. */
MUST_CHECK int ledger_fence(const struct ledger *l, const struct agent_key *key, bool *marks, struct err *e);

/* Calls fn for each entry until it answers false. */
void ledger_each(const struct ledger *l, bool (*fn)(struct entry *entry, void *data), void *data);
/* Drops marks, burials and results whose time is over. */
void ledger_prune(struct ledger *l, int64_t now_us);
/* Everything as records, for a new journal: calls fn with each, until it answers other than 0, which is answered. */
MUST_CHECK int ledger_write(const struct ledger *l, int (*fn)(const struct record *r, void *data, struct err *e), void *data, struct err *e);

struct ledger_count {
    unsigned entries, marks, running;
};
struct ledger_count ledger_count(const struct ledger *l);
/* Roots that were declared; n of them. */
const char *const *ledger_roots(const struct ledger *l, size_t *n);

#endif
