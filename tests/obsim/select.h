/* SPDX-License-Identifier: Apache-2.0 */
/* select.h - SELECT of the simulated kernel: SQLite over tables that are filled from the state of the cluster when a statement names them.
 * Names of tables and columns are those of the data files views.json and tables.json, so a wrong one fails as on a real server. */
#ifndef OBSIM_SELECT_H
#define OBSIM_SELECT_H

#include "src/base/str.h"

struct sim_session;
struct sim_reply;

/* Runs one statement that reads, for the session, under the program's lock. Returns the errno that was replied, 0: rows. Statements of the
 * kernel that are SELECTs by another name (SHOW PARAMETERS ... WHERE) may be put to it as SELECT texts. */
int select_run(struct sim_session *s, struct slice sql, struct sim_reply *out);

/* The columns that it would have; no rows, and none for what is no SELECT. The same errors. */
int select_columns(struct sim_session *s, struct slice sql, struct sim_reply *out);

/* The engine, with all tables of the data files of `folder`. NULL with a line on stderr: they cannot be read. */
struct sim_engine;
struct sim_engine *engine_new(const char *folder);
void engine_free(struct sim_engine *e);

#endif
