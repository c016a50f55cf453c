/* SPDX-License-Identifier: Apache-2.0 */
/* stmt.h - server-side prepared statements: a text with '?' per statement; to execute one is to write its values into the text. Pure. */
#ifndef OBSIM_STMT_H
#define OBSIM_STMT_H

#include "tests/obsim/list.h"

enum { STMTS_MAX = 50 }; /* open_cursors: the next is 5930 */

struct sim_stmt {
    uint32_t id;
    char *text;                       /* owned */
    unsigned n_params;
    size_t *places;                   /* owned: where the '?' stand */
    uint16_t *types;                  /* owned: of the last execution that named them */
    char **long_data;                 /* owned: what was sent ahead; NULL: nothing */
    size_t *long_n;                   /* owned: its bytes */
};

struct sim_stmts {
    SIM_LIST(struct sim_stmt) list;
    uint32_t last;
};

void stmts_fini(struct sim_stmts *s);
/* NULL: too many. */
struct sim_stmt *stmt_new(struct sim_stmts *s, struct slice text);
struct sim_stmt *stmt_find(struct sim_stmts *s, uint32_t id);
void stmt_close(struct sim_stmts *s, uint32_t id);
/* The payloads without command and id. */
void stmt_add_long_data(struct sim_stmt *st, struct slice payload);
/* The statement with its values as literals is appended to `sql`. False: the payload cannot be read. */
bool stmt_bind(struct sim_stmt *st, struct slice payload, struct str *sql);
void stmt_forget_data(struct sim_stmt *st);

#endif
