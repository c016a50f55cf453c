/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - reading and writing JSON text. Reading is jansson's, behind a guard: text nested deeper than JSON_MAX_DEPTH is refused
 * before it is parsed, since jansson recurses and would eat a fiber's stack. Writing appends compact text (no blanks) to a str. */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "src/base/err.h"
#include "src/base/str.h"

enum { JSON_MAX_DEPTH = 64 };

/* Parses one JSON value of any kind; duplicate members and invalid UTF-8 are refused. The caller owns the reference.
 * Errors: REQUEST (says line, column and reason), NOMEM. */
MUST_CHECK int json_parse(struct slice text, json_t **out, struct err *e);

/* Appends a quoted string; control characters are escaped, invalid UTF-8 is replaced by U+FFFD. */
void json_add_string(struct str *t, const char *s);
void json_add_string_n(struct str *t, const char *s, size_t n);
/* Shortest text that reads back as the same number; null for what JSON cannot say (NaN, infinity). */
void json_add_double(struct str *t, double v);
/* Appends `,` unless the text ends with an opening bracket, then `"name":`. */
void json_add_key(struct str *t, const char *name);
/* Appends `,` unless the text ends with an opening bracket: between elements of an array. */
void json_add_comma(struct str *t);

#endif
