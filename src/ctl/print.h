/* SPDX-License-Identifier: Apache-2.0 */
/* print.h - JSON as text for people. Control characters that a server sends are not passed on to the terminal. */
#ifndef CTL_PRINT_H
#define CTL_PRINT_H

#include "src/base/json.h"
#include "src/ctl/command.h"

/* Appends what `path` finds in `object`: a string without quotes, "a,b" for a list, "-" for nothing. */
void print_value(struct str *t, const json_t *object, const char *path);
/* Appends `list` as a table, one row per object, columns as wide as their widest value. */
void print_table(struct str *t, const json_t *list, const struct column *columns);
/* Appends `object` as one line per column. */
void print_object(struct str *t, const json_t *object, const struct column *columns);
/* Appends it indented, with a newline. */
void print_json(struct str *t, const json_t *value);

#endif
