/* SPDX-License-Identifier: Apache-2.0 */
/* query.h - percent-encoding and query strings, as browsers and OCP's client programs write them (RFC 3986, form encoding). Pure. */
#ifndef API_QUERY_H
#define API_QUERY_H

#include "src/base/field.h"

/* Decodes %XX, and '+' as blank when `form`, into the arena. Errors: REQUEST (bad escape, or the character NUL), NOMEM. */
MUST_CHECK int query_decode(struct slice raw, bool form, struct arena *arena, struct slice *out, struct err *e);

/* Cuts the next "name=value" off `rest`, decoded. False at the end, or with *rv != 0 after an error. */
bool query_next(struct slice *rest, struct arena *arena, struct slice *name, struct slice *value, int *rv, struct err *e);

/* Reads a query by a table into `obj` (initialised by the caller): unknown names are ignored, empty values are "not given",
 * a repeated list grows. Does not check for required members. Errors: REQUEST, INVALID naming the parameter, NOMEM. */
MUST_CHECK int query_read(struct slice query, const struct field *fields, void *obj, struct arena *arena, struct err *e);

/* The query in canonical form: names sorted, names and values percent-encoded but for A-Z a-z 0-9 - . _ ~, values of one name sorted and
 * joined by commas. Errors: REQUEST, NOMEM. */
MUST_CHECK int query_canonical(struct slice query, struct arena *arena, struct str *out, struct err *e);

#endif
