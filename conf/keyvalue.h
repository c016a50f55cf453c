/* SPDX-License-Identifier: Apache-2.0 */
/* keyvalue.h - reader of `key = value` lines.
 *
 * One pair a line; blanks around key and value do not count. A line whose first visible character is '#' is a comment, an empty
 * line is nothing; a '#' anywhere else belongs to the value. A value that begins with '"' ends with '"' and may hold \" \\ \n \t;
 * any other value is taken as it stands. Pure; any thread. */
#ifndef CONF_KEYVALUE_H
#define CONF_KEYVALUE_H

#include <stdbool.h>

#include "src/base/str.h"

struct keyvalue {
    char *next, *end; /* the caller's text, which reading quoted values changes */
    unsigned line;
};

struct keyvalue_line {
    unsigned line;           /* 1, 2, 3 ... */
    struct slice key, value; /* lie in the text */
    const char *bad;         /* why this line is no pair; NULL: it is one. key is set if there was one, value is empty */
};

/* Reads from the caller's `text`, which must stay until the last line was used. */
void keyvalue_init(struct keyvalue *r, char *text, size_t n);
/* The next line that is not empty and no comment. False at the end. */
bool keyvalue_next(struct keyvalue *r, struct keyvalue_line *out);

#endif
