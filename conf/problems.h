/* SPDX-License-Identifier: Apache-2.0 */
/* problems.h - collecting what is wrong with the settings; the reader's side is in settings.h. */
#ifndef CONF_PROBLEMS_H
#define CONF_PROBLEMS_H

#include "conf/settings.h"

/* Where a value was found. */
struct setting_origin {
    const char *source; /* borrowed, outlives the loading */
    unsigned line;
};

/* Notes a problem; `nearest` is borrowed and may be NULL. Errors: NOMEM. */
MUST_CHECK int problem_add(struct settings_problems *p, struct setting_origin at, struct slice key, const char *reason,
                           const char *nearest);
/* The same, for what is no obstacle. */
MUST_CHECK int problem_warn(struct settings_problems *p, struct setting_origin at, struct slice key, const char *reason,
                            const char *nearest);

/* Name of the setting that `key` was probably meant to be; NULL when none is near. */
const char *problem_nearest(struct slice key);

#endif
