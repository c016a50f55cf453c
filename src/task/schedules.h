/* SPDX-License-Identifier: Apache-2.0 */
/* schedules.h - work that the leader does by the clock. Domains declare it in const tables; when it is due, and how the last run ended, is one row in
 * MetaDB each (store/schedule.h), so no change of leaders loses or doubles a run. One that was missed while nobody led is done once; one whose leader
 * was lost in the midst of it is done again once its time is over.
 * What comes too often for that, or has to be at several places, is a job (job.h) or standing work; such a row only says so. */
#ifndef TASK_SCHEDULES_H
#define TASK_SCHEDULES_H

#include "src/io/loop.h"
#include "src/store/schedule.h"

struct schedule {
    const char *name;                 /* key of its row and in the API; NULL ends a table */
    const char *title;                /* as OCP names it */
    const char *doc;
    const char *cron;                 /* base/cron.h, by this node's time zone */
    int64_t timeout_ms;
    int (*run)(struct db *d, void *data, struct err *e); /* with the leader's MetaDB; safe to run twice; NULL: done all the time, not by the clock */
};

struct schedules;
struct schedules_conf {
    const struct schedule *const *tables; /* ends with NULL; borrowed, as all */
    struct loop *loop;                /* the control loop */
    struct db *db;                    /* the leader's */
    void *data;                       /* for run() */
    const char *node;
    const struct log *log;
};
/* Errors: NOMEM. */
MUST_CHECK int schedules_new(const struct schedules_conf *conf, struct schedules **out, struct err *e);
/* When the loop has stopped. NULL is fine. */
void schedules_free(struct schedules *s);
/* One round, to be called each second while this node leads, from a fiber: begins what is due, each in a fiber of its own. Errors: those of store/schedule.h. */
MUST_CHECK int schedules_round(struct schedules *s, struct err *e);

/* When a row is due next; -1: never. Pure. */
int64_t schedule_next(const struct schedule *what, const struct schedule_row *row, int offset_min);
/* Is it to begin now, unless it is running here? Pure. */
bool schedule_is_due(const struct schedule *what, const struct schedule_row *row, int64_t now_us, int offset_min);
/* Minutes by which this machine's time zone is ahead of UTC at that time. */
int schedule_offset_min(int64_t wall_us);

/* What the engine itself does by the clock. */
extern const struct schedule task_schedules[];

#endif
