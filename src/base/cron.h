/* SPDX-License-Identifier: Apache-2.0 */
/* cron.h - when something that comes again and again is due: six fields, "second minute hour day-of-month month day-of-week".
 *
 *   field          values                special
 *   second         0-59                  , - * /
 *   minute         0-59                  , - * /
 *   hour           0-23                  , - * /
 *   day of month   1-31                  , - * / ?
 *   month          1-12, JAN-DEC         , - * /
 *   day of week    1-7, MON-SUN (1=MON)  , - * / ?
 *
 * "a/n" is every n-th from a on, "a-b/n" within a range, "*" and "?" are all. A day must fit day of month, month and day of week. Pure, any thread. */
#ifndef BASE_CRON_H
#define BASE_CRON_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/err.h"
#include "src/base/str.h"

enum cron_field { CRON_SECOND, CRON_MINUTE, CRON_HOUR, CRON_DAY, CRON_MONTH, CRON_WEEKDAY, CRON_FIELDS };

struct cron {
    uint64_t set[CRON_FIELDS];   /* bit v: the value v fits */
};

enum { CRON_MAX_LENGTH = 256 };

/* Errors: INVALID, naming the field and what is allowed there. */
MUST_CHECK int cron_parse(struct slice text, struct cron *out, struct err *e);
/* The first time after `wall_us` that fits on a clock that is `offset_min` minutes ahead of UTC, in microseconds since 1970; -1: none within
 * forty years (30 February). */
int64_t cron_next(const struct cron *c, int64_t wall_us, int offset_min);

#endif
