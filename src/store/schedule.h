/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.h - what is known of work that the leader does by the clock (src/task/schedules.h): one row per name, made when it is first seen.
 * Loop thread only, from fibers. */
#ifndef STORE_SCHEDULE_H
#define STORE_SCHEDULE_H

#include "src/store/db.h"

enum schedule_status { SCHEDULE_NEVER, SCHEDULE_RUNNING, SCHEDULE_SUCCESSFUL, SCHEDULE_FAILED };
extern const char *const schedule_status_names[];

struct schedule_row {
    const char *name;
    int status;                  /* enum schedule_status */
    int wanted;                  /* somebody wants it to run now */
    int64_t runs;                /* how often it was begun */
    int64_t seen_us;             /* when the row was made */
    int64_t began_us, ended_us;  /* of the last run; FIELD_NONE: never */
    const char *error;           /* of the last run; "" */
    const char *node;            /* that began it; "" */
};

MUST_CHECK int store_schedule_list(struct db *d, struct arena *arena, struct schedule_row **out, size_t *n, struct err *e);
/* Makes the row unless it is there. Errors: those of db_transact. */
MUST_CHECK int store_schedule_add(struct db *d, const char *name, int64_t now_us, struct err *e);
/* Run number `runs` + 1 begins here, unless somebody else has begun it. *mine says. Errors: those of db_transact. */
MUST_CHECK int store_schedule_begin(struct db *d, const char *name, int64_t runs, const char *node, int64_t now_us, bool *mine, struct err *e);
/* That run has ended; `error` is NULL after success. Errors: those of db_transact. */
MUST_CHECK int store_schedule_end(struct db *d, const char *name, int64_t runs, const char *error, int64_t now_us, struct err *e);
/* Somebody wants it to run now. *found: there is such a row. Errors: those of db_transact. */
MUST_CHECK int store_schedule_want(struct db *d, const char *name, bool *found, struct err *e);

#endif
