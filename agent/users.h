/* SPDX-License-Identifier: Apache-2.0 */
/* users.h - users of the host, read from /etc/passwd and /etc/group: the agent has no plug-ins of the C library. Blocking; any thread. */
#ifndef AGENT_USERS_H
#define AGENT_USERS_H

#include <sys/types.h>

#include "src/base/arena.h"
#include "src/base/err.h"

enum { USER_MAX_GROUPS = 64 };
struct user {
    uid_t uid;
    gid_t gid;
    gid_t groups[USER_MAX_GROUPS];
    int n_groups;
    char home[256], name[64];
};
/* `name` is a name or a number; NULL: who we are. Errors: AGENT_PROCESS (there is no such user, or we may not become it), IO, NOMEM. */
MUST_CHECK int user_find(const char *name, struct user *out, struct err *e);
/* The name of a uid, in the arena; its number when it has none. */
const char *user_name(uid_t uid, struct arena *arena);

#endif
