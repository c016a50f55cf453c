/* SPDX-License-Identifier: Apache-2.0 */
/* functions.h - scalar functions of the kernel that SQLite lacks or that mean something else there. */
#ifndef OBSIM_FUNCTIONS_H
#define OBSIM_FUNCTIONS_H

#include <sqlite3.h>

struct sim_session;

/* Registers them all. `session` is read whenever one of them runs. */
void functions_register(sqlite3 *db, struct sim_session **session);

#endif
