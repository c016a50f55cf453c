/* SPDX-License-Identifier: Apache-2.0 */
/* time_zone_file.h - etc/timezone_V1.log of a package, which servers before 4.3.5.2 have no statement for: statements for MySQL's tables of time
 * zones, one or several lines each, then how many rows there are to be.
 *
 *   TRUNCATE TABLE time_zone;                                     DELETE FROM oceanbase.__all_tenant_time_zone
 *   REPLACE INTO time_zone_name (tenant_id, ...) VALUES (tid, ...);   REPLACE INTO oceanbase.__all_tenant_time_zone_name ... VALUES (0, ...)
 *   replace into oceanbase.__all_sys_stat(...)                    as it is, when all rows are there: from then on the kernel uses them
 *   time_zone count:1750
 *
 * Nothing else is taken from the file: what is told to the kernel writes these tables alone. Pure. */
#ifndef OCEANBASE_TIME_ZONE_FILE_H
#define OCEANBASE_TIME_ZONE_FILE_H

#include "src/base/err.h"
#include "src/base/str.h"

ERR_DECLARE(ERR_TIME_ZONE_FILE);     /* {0} number of the line, {1} what it begins with */
extern const struct err_row *const time_zone_file_err_rows[];

enum { TIME_ZONE_TABLES = 4, TIME_ZONE_VERSION_MAX = 4 };
extern const char *const time_zone_tables[TIME_ZONE_TABLES]; /* "oceanbase.__all_tenant_time_zone", ... */

struct time_zone_plan {
    int64_t expected[TIME_ZONE_TABLES];                    /* rows; -1: the file does not say */
    struct slice version[TIME_ZONE_VERSION_MAX];           /* statements for the end; into the text */
    size_t n_version;
};
/* `run` gets each statement of the text, translated, without its semicolon; what it returns other than 0 ends it. Errors: TIME_ZONE_FILE, NOMEM,
 * those of `run`. */
typedef int (*time_zone_run)(const char *statement, void *data, struct err *e);
MUST_CHECK int time_zone_file_read(struct slice text, time_zone_run run, void *data, struct time_zone_plan *out, struct err *e);

#endif
