/* SPDX-License-Identifier: Apache-2.0 */
/* reply.h - how one statement of the simulated kernel ended: OK, an error, or rows of text. Made by command_run and select_run, told to the
 * client by wire.c. What it refers to lies in its own arena; a test program without memory aborts. One thread at a time. */
#ifndef OBSIM_REPLY_H
#define OBSIM_REPLY_H

#include <stdint.h>

#include "src/base/arena.h"
#include "src/base/str.h"

enum sim_reply_kind { SIM_REPLY_OK, SIM_REPLY_ERROR, SIM_REPLY_ROWS };

/* As the protocol numbers them; those of the kernel's own views. */
enum sim_column_type {
    SIM_T_DOUBLE = 5,
    SIM_T_TIMESTAMP = 7,
    SIM_T_BIGINT = 8,
    SIM_T_DATETIME = 12,
    SIM_T_DECIMAL = 246,
    SIM_T_TEXT = 252,
    SIM_T_VARCHAR = 253,
};

struct sim_column {
    const char *name;
    enum sim_column_type type;
    bool is_unsigned;
};

struct sim_reply {
    enum sim_reply_kind kind;
    struct arena arena;
    /* How long the kernel works on it, by its own clock. The caller waits that long, but not beyond ob_query_timeout: then the client is
     * told 4012, and what was done or set going stays so. */
    int64_t takes_us;
    int64_t until_us;                 /* the same as a time of the cluster's clock: the step that ends it. 0: none */
    /* OK */
    uint64_t affected, insert_id;
    const char *info;                 /* NULL: none */
    /* ERROR */
    unsigned number;
    char sqlstate[6];
    const char *text;
    /* ROWS: columns first, then cells from left to right, row by row */
    struct sim_column *columns;
    unsigned n_columns, space_columns;
    struct slice *cells;              /* s NULL: SQL NULL */
    size_t n_cells, space_cells;
};

/* OK with nothing affected, until something else is said. */
void reply_init(struct sim_reply *r);
void reply_fini(struct sim_reply *r);
/* Forgets what was said and starts over. */
void reply_clear(struct sim_reply *r);

int reply_ok(struct sim_reply *r, uint64_t affected); /* returns 0 */
/* Returns `number`; the SQLSTATE follows from it. */
int reply_error(struct sim_reply *r, unsigned number, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* "42S02" for 1146, HY000 for those that have none of their own. */
const char *reply_sqlstate(unsigned number);

/* The first column makes it a reply with rows. Names are copied. */
void reply_column(struct sim_reply *r, const char *name, enum sim_column_type type);
void reply_cell(struct sim_reply *r, const char *text);    /* copied; NULL: SQL NULL */
void reply_cell_n(struct sim_reply *r, struct slice text); /* copied; s NULL: SQL NULL */
void reply_cell_i64(struct sim_reply *r, int64_t v);
void reply_cell_printf(struct sim_reply *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
size_t reply_n_rows(const struct sim_reply *r);
/* Cell of a row that is complete. */
struct slice reply_at(const struct sim_reply *r, size_t row, unsigned column);

#endif
