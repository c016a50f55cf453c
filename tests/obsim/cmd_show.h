/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_show.h - SHOW statements, shared between their files. */
#ifndef OBSIM_CMD_SHOW_H
#define OBSIM_CMD_SHOW_H

#include "tests/obsim/cmd.h"

/* LIKE or WHERE, then the end. */
int show_end(struct cmd *x, unsigned like_column);
int show_grants(struct cmd *x);
int show_processlist(struct cmd *x);
int show_create_database(struct cmd *x);
int show_create_tenant(struct cmd *x);

#endif
