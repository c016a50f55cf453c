/* SPDX-License-Identifier: Apache-2.0 */
/* num.h - numbers as people and programs write them, read strictly: the whole text is the number or the call is false.
 * No sign but '-', no blanks around, no hex, no locale; overflow is an error, never a wrap. `*v` is written on success only.
 * Any thread. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/str.h"

/* Decimal digits with an optional '-'. */
MUST_CHECK bool num_parse_i64(struct slice text, int64_t *v);
/* The same, and within [min, max]. */
MUST_CHECK bool num_parse_i64_in(struct slice text, int64_t min, int64_t max, int64_t *v);
/* The grammar of a JSON number; finite, at most 63 characters. */
MUST_CHECK bool num_parse_double(struct slice text, double *v);
/* true yes on 1 / false no off 0, in any case. */
MUST_CHECK bool num_parse_bool(struct slice text, bool *v);
/* Digits, at most one blank, and a unit: ms, s, m (or min), h, d. "0" needs no unit. Never negative. */
MUST_CHECK bool num_parse_duration_ms(struct slice text, int64_t *ms);
/* Digits, at most one blank, and a unit: none or B, k, M, G, T, each also with B or iB behind it, in any case.
 * Every unit is a power of 1024. Never negative. */
MUST_CHECK bool num_parse_size(struct slice text, int64_t *bytes);

/* Writes what the parser reads, in the largest unit that divides the value: "90s", "2h", "64KiB". */
void num_add_duration(struct str *t, int64_t ms);
void num_add_size(struct str *t, int64_t bytes);

#endif
