/* SPDX-License-Identifier: Apache-2.0 */
/* parameters.h - OCP's system parameters: what an administrator decides for all nodes at once. The rows are declared in
 * parameter_rows.h; the values live in MetaDB (declared and kept by src/setting). Whoever reads MetaDB hands all values to
 * parameters_apply every few seconds; everybody else reads numbers from `struct parameters` without a lock. */
#ifndef CONF_PARAMETERS_H
#define CONF_PARAMETERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/err.h"
#include "src/base/str.h"

#define PARAMETER(ID, ...) PARAM_##ID,
enum parameter_id {
#include "conf/parameter_rows.h"
    N_PARAMETERS
};
#undef PARAMETER

enum parameter_group {
    PARAMETER_GLOBAL, PARAMETER_SECURITY, PARAMETER_METADB, PARAMETER_MONITORDB, PARAMETER_SQL, PARAMETER_HOST, PARAMETER_ALARM,
    PARAMETER_BACKUP, PARAMETER_AGENT, PARAMETER_TASK, PARAMETER_CONNECTION, PARAMETER_LOG, PARAMETER_FILE, PARAMETER_FLOW,
    PARAMETER_MONITOR, PARAMETER_ANALYSIS, PARAMETER_INSPECTION, PARAMETER_MULTI_CLUSTER, N_PARAMETER_GROUPS
};

enum parameter_type {
    PARAMETER_STRING,
    PARAMETER_SECRET,   /* sealed in MetaDB, never shown */
    PARAMETER_INT,
    PARAMETER_DOUBLE,
    PARAMETER_BOOL,
    PARAMETER_DURATION, /* "30 m"; its number is in milliseconds */
    PARAMETER_SIZE,     /* "100 MB"; its number is in bytes */
    PARAMETER_ENUM,     /* its number is the index of the value */
    PARAMETER_JSON,     /* an object */
};

enum parameter_effect {
    PARAMETER_LIVE,     /* a change is in force on every node within 10 s */
    PARAMETER_RESTART,  /* a node goes on with the value it started with */
    PARAMETER_INERT,    /* kept and shown for programs that expect it; nothing reads it */
    PARAMETER_FIXED,    /* shown, cannot be changed */
};

struct parameter {
    const char *name;
    enum parameter_group group;
    enum parameter_type type;
    enum parameter_effect effect;
    const char *def;
    const char *doc[2];      /* by err_lang */
    const char *unit;        /* of an integer: "ms", "day" ...; NULL: none */
    const char *values;      /* of an enum: "a|b|c" */
    int64_t min, max;        /* INT, DOUBLE; DURATION in ms, SIZE in bytes. STRING: max bytes, 0: 4096 */
    const char *(*check)(struct slice text); /* STRING: NULL when fine, else what is wrong */
};

extern const struct parameter parameter_table[N_PARAMETERS];
extern const char *const parameter_group_names[N_PARAMETER_GROUPS][2]; /* by err_lang */
/* "int", "string" ... as OCP names types. */
const char *parameter_type_name(enum parameter_type type);
/* N_PARAMETERS when there is no such parameter. */
enum parameter_id parameter_find(struct slice name);
/* May `text` be the value of this parameter? Errors: INVALID with the reason, NOMEM. FIXED parameters are not refused here. */
MUST_CHECK int parameter_check(const struct parameter *row, struct slice text, struct err *e);
/* Appends the table as a JSON array, for --dump parameters. */
void conf_dump_parameters(struct str *t);

/* ---- values ---------------------------------------------------------------------------------------------------------- */

struct parameters;

/* All parameters at their defaults. Errors: NOMEM. */
MUST_CHECK int parameters_new(struct parameters **out, struct err *e);
void parameters_free(struct parameters *p);

/* Values in force. Any thread, without a lock; asking for another type than the row's is a bug. */
int64_t parameter_int(const struct parameters *p, enum parameter_id id); /* INT, DURATION (ms), SIZE (bytes), ENUM (index) */
bool parameter_bool(const struct parameters *p, enum parameter_id id);
double parameter_double(const struct parameters *p, enum parameter_id id);
/* The value in force as text, of any type, copied into `arena`. Any thread; takes a lock for a moment. Errors: NOMEM. */
MUST_CHECK int parameter_text(struct parameters *p, enum parameter_id id, struct arena *arena, const char **out, struct err *e);
/* Does a changed value wait for this node's restart? Any thread. */
bool parameter_is_pending(const struct parameters *p, enum parameter_id id);

struct parameter_value {
    const char *name;
    const char *text;
};

enum parameter_news {
    PARAMETER_APPLIED,
    PARAMETER_PENDING,       /* it waits for a restart */
    PARAMETER_REFUSED,
};

struct parameter_change {
    const struct parameter *row;
    enum parameter_news news;
    const char *reason;      /* of a refusal */
};

/* Takes over what MetaDB says: a parameter that is not among `values` has its default; names without a row (of a newer release) are
 * passed over; a value its row does not allow is refused, and the one in force stays. The first call puts RESTART parameters in force
 * too. `changes`, in `arena`, lists what is new since the last call. All or nothing. One thread at a time. Errors: NOMEM. */
MUST_CHECK int parameters_apply(struct parameters *p, const struct parameter_value *values, size_t n, struct arena *arena,
                                struct parameter_change **changes, size_t *n_changes, struct err *e);

#endif
