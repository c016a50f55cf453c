/* SPDX-License-Identifier: Apache-2.0 */
/* like.h - SQL's LIKE without regard to case, and short texts. */
#ifndef OBSIM_LIKE_H
#define OBSIM_LIKE_H

#include <stdbool.h>

#include "src/base/str.h"

/* % any bytes, _ one byte, \ takes the meaning of what follows. */
bool sim_like(struct slice pattern, struct slice text);
/* Copies as much as fits, with a NUL. */
void sim_short(char *to, size_t size, struct slice from);

#endif
