/* SPDX-License-Identifier: Apache-2.0 */
/* err.h - what failed, on which object, why, and what to do about it.
 *
 * A function that can fail returns 0 or the code of an error row, and on failure fills `struct err`. A row is declared
 * once, beside the code that raises it (ERR_DEFINE), and carries everything about the condition: OCP's error code,
 * HTTP status, advice on retrying, and the sentence in English and Chinese in which {0} {1} {2} stand for arguments.
 * On the way up callers add context with err_wrap; the trail goes to the log, the sentence to the user. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>
#include <stddef.h>

#include "src/base/mem.h"

enum err_retry {
    ERR_FINAL,   /* the same call will fail again */
    ERR_RETRY,   /* nothing happened; the same call may succeed later */
    ERR_UNKNOWN, /* it may have happened: look before repeating */
};

enum err_lang { ERR_EN, ERR_ZH };

struct err_row {
    int code;              /* OCP's error code, or 90xxx for conditions that OCP has no code for */
    const char *symbol;    /* name in logs and docs */
    int http;              /* HTTP status of a reply that ends with this error */
    enum err_retry retry;
    const char *text[2];   /* sentence by err_lang */
};

enum { ERR_MAX_ARGS = 5, ERR_ARG_SIZE = 160, ERR_TRAIL_SIZE = 256 };

struct err {
    const struct err_row *row;                /* NULL: no error was set */
    unsigned n_args;
    int lib_code;                             /* number of the library or server below (errno, MySQL errno); 0 if none */
    char arg[ERR_MAX_ARGS][ERR_ARG_SIZE];
    char trail[ERR_TRAIL_SIZE];               /* "open store: migrate to 7"; empty when nobody wrapped */
};

#define ERR_DECLARE(NAME) extern const struct err_row NAME
#define ERR_DEFINE(NAME, CODE, HTTP, RETRY, EN, ZH) \
    const struct err_row NAME = { .code = (CODE), .symbol = #NAME, .http = (HTTP), .retry = (RETRY), .text = { EN, ZH } }

/* General rows. Domains declare their own in their headers. */
ERR_DECLARE(ERR_INVALID);         /* {0} reason */
ERR_DECLARE(ERR_NOT_FOUND);       /* {0} kind of object, {1} its name or id */
ERR_DECLARE(ERR_REQUEST);         /* {0} reason: the request itself is malformed */
ERR_DECLARE(ERR_TIMEOUT);         /* a deadline passed */
ERR_DECLARE(ERR_NAME_USED);       /* {0} kind of object, {1} name */
ERR_DECLARE(ERR_UNEXPECTED);      /* {0} what; a bug of ours or of a library */
ERR_DECLARE(ERR_NOMEM);
ERR_DECLARE(ERR_CANCELLED);       /* the fiber was cancelled: client gone, shutdown, leadership lost */
ERR_DECLARE(ERR_BUSY);            /* {0} which limit: too much at once */
ERR_DECLARE(ERR_CONFLICT);        /* {0} kind, {1} name: someone else changed it first */
ERR_DECLARE(ERR_IO);              /* {0} reason: file, socket or process */
ERR_DECLARE(ERR_DENIED);          /* known user without permission */

/* Sets `e` to `row`; `fmt` makes argument {0} ("" for a row without arguments). Returns row->code. `e` may be NULL.
 * Control characters of an argument become '?', its line breaks blanks. */
int err_set(struct err *e, const struct err_row *row, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Adds the next argument to the error in `e`. Returns the code of its row. */
int err_arg(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Puts "text: " in front of the trail. Returns the code of its row. */
int err_wrap(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* True when `e` holds an error of exactly this row. */
bool err_is(const struct err *e, const struct err_row *row);

/* Forgets the error. */
void err_clear(struct err *e);

/* Writes the user's sentence with its arguments filled in; always NUL-terminated. Returns `buf`. */
const char *err_text(const struct err *e, enum err_lang lang, char *buf, size_t size);

/* Writes trail and English sentence, for logs. Returns `buf`. */
const char *err_log_text(const struct err *e, char *buf, size_t size);

/* A table of rows ends with NULL; src/server.c collects one per module. */
extern const struct err_row *const err_rows[];

#endif
