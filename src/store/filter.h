/* SPDX-License-Identifier: Apache-2.0 */
/* filter.h - conditions on the rows of a list, all of which must hold. Their text is this program's; what a client sent goes into
 * values only. Pure. */
#ifndef STORE_FILTER_H
#define STORE_FILTER_H

#include "src/base/field.h"
#include "src/io/sql.h"

enum { FILTER_MAX_VALUES = 64 };

struct filter {
    struct str text;                /* " AND a = ? AND ..." in the arena */
    struct sql_value values[FILTER_MAX_VALUES];
    unsigned n_values;
    bool overflow;                  /* more values than fit: the list answers INVALID */
};

void filter_init(struct filter *f, struct arena *arena);

/* `condition` has one '?'; nothing is added when the value is absent: NULL or "", FIELD_NONE, -1. */
void filter_text(struct filter *f, const char *condition, const char *value);
void filter_i64(struct filter *f, const char *condition, int64_t value);
void filter_time(struct filter *f, const char *condition, int64_t wall_us);
void filter_bool(struct filter *f, const char *condition, int value);
/* One of `columns` (NULL-terminated) contains the text, whatever its letter case. */
void filter_contains(struct filter *f, const char *const *columns, const char *value);
/* `in` is "column IN" or "column NOT IN"; nothing is added for an empty list. */
void filter_strings(struct filter *f, const char *in, struct field_strings values);
void filter_ints(struct filter *f, const char *in, struct field_ints values);

#endif
