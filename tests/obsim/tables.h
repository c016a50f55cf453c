/* SPDX-License-Identifier: Apache-2.0 */
/* tables.h - names and columns of the kernel's own tables, read from views.json and tables.json. */
#ifndef OBSIM_TABLES_H
#define OBSIM_TABLES_H

#include "tests/obsim/list.h"
#include "tests/obsim/reply.h"

struct sim_table_column {
    char name[SIM_NAME];
    char *declared;                   /* owned; "bigint(20)" */
    enum sim_column_type type;
    bool is_unsigned;
    bool is_newer;                    /* not before version 4.3 */
};

struct sim_view;
struct sim_table {
    char database[32], name[SIM_NAME];
    bool in_user_tenant;              /* seen by other tenants than sys, too */
    SIM_LIST(struct sim_table_column) columns;
    const struct sim_view *view;      /* what fills it; NULL: it is always empty */
};
struct sim_tables {
    SIM_LIST(struct sim_table) list;
};

/* Reads both files of the folder. False with a line on stderr. */
bool tables_load(const char *folder, struct sim_tables *out);
void tables_fini(struct sim_tables *t);
/* In any case; NULL: there is none. */
struct sim_table *tables_find(const struct sim_tables *t, const char *database, const char *name);
/* Has the kernel of this version the column? */
bool table_has(const struct sim_table_column *c, bool is_newer);

#endif
