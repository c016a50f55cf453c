/* SPDX-License-Identifier: Apache-2.0 */
/* task_inside.h - what src/store/task.c and src/store/subtask.c share. */
#ifndef STORE_TASK_INSIDE_H
#define STORE_TASK_INSIDE_H

#include "src/store/task.h"

extern const struct sql_field subtask_columns[];
/* Whole or partial rows of steps, in the arena. */
MUST_CHECK int subtask_fetch(const struct sql_rows *rows, struct arena *arena, struct subtask **out, size_t *n, struct err *e);

#endif
