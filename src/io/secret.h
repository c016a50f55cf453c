/* SPDX-License-Identifier: Apache-2.0 */
/* secret.h - passwords reach a program through a file, the environment or the terminal. Blocks; before the loop runs or where nothing
 * else is under way. */
#ifndef IO_SECRET_H
#define IO_SECRET_H

#include "src/base/arena.h"
#include "src/base/err.h"

/* First line of `file` if it is given ("-": standard input), else the variable `environment` if it is set, else what is typed at the
 * terminal after `prompt`, unseen. Warns on standard error when others may read the file. In the arena.
 * Errors: IO (file), INVALID (nothing given, and no terminal; or Ctrl-C), NOMEM. */
MUST_CHECK int secret_read(const char *file, const char *environment, const char *prompt, struct arena *arena, const char **out,
                           struct err *e);

#endif
