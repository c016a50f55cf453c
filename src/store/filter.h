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

/* Which objects a caller may see: those of `items`. An id is SCOPE_ANY where every object counts. */
enum { SCOPE_ANY = -1 };
struct scope_item {
    const char *kind;               /* "CLUSTER", "TENANT"; borrowed, for ever */
    int64_t id, sub_id;             /* TENANT: of the cluster, and of the tenant */
};
struct scope {
    const struct scope_item *items; /* borrowed */
    size_t n;
};
/* In which columns of a list the objects of a kind are. */
struct scope_column {
    const char *kind, *column;
    const char *sub_column;         /* NULL: the kind has no second id */
    bool optional;                  /* rows may be about no such object: the column is not above 0 then */
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
/* Only rows about objects of the scope; `columns` ends with { NULL }, kinds that it does not name are passed over. A scope of NULL is
 * everything, one without items nothing. Ids are written into the text, so any number of them is fine. */
void filter_scope(struct filter *f, const struct scope *scope, const struct scope_column *columns);

#endif
