/* SPDX-License-Identifier: Apache-2.0 */
/* sandbox.h - what a process gives up before it parses what strangers have written. */
#ifndef AGENT_SANDBOX_H
#define AGENT_SANDBOX_H

#include "src/base/err.h"

/* This process and what it starts gain no privileges, dump no core, and (Linux 5.13 and above, where Landlock is on) change nothing outside of the
 * directory and the one above it. For good. Errors: AGENT_PROCESS. */
MUST_CHECK int sandbox_enter(const char *dir, struct err *e);

#endif
