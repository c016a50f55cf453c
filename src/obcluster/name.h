/* SPDX-License-Identifier: Apache-2.0 */
/* name.h - names of managed clusters: a letter, then letters, digits and underscores; 2 to 48 characters. Pure. */
#ifndef OBCLUSTER_NAME_H
#define OBCLUSTER_NAME_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/arena.h"

enum { OBCLUSTER_NAME_MIN = 2, OBCLUSTER_NAME_MAX = 48 };

bool obcluster_name_is_valid(const char *name);
/* A valid name for the cluster at address:port whose kernel calls itself `own` (NULL: it has no name):
 *   own, when it is valid; for `attempt` > 0 (the former is taken by another cluster) own_PORT, then own_PORT_2 ...
 *   else "ob_ADDRESS_PORT" with every other character made an underscore, cut from the left: "ob_10_0_0_1_2881"; then ..._2 ...
 * NULL when memory is out. */
const char *obcluster_name_make(const char *own, const char *address, int64_t port, unsigned attempt, struct arena *arena);

#endif
