/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/users.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/frame.h"
#include "src/base/num.h"
#include "src/base/str.h"
#include "src/proto/agent.h"

/* name:x:uid:gid:gecos:home:shell */
static bool read_user(struct slice line, struct user *out)
{
    struct slice name = slice_cut(&line, ':');
    int64_t uid, gid;
    struct slice home;

    (void)slice_cut(&line, ':');
    if (!num_parse_i64_in(slice_cut(&line, ':'), 0, UINT32_MAX - 1, &uid) || !num_parse_i64_in(slice_cut(&line, ':'), 0, UINT32_MAX - 1, &gid))
        return false;
    (void)slice_cut(&line, ':');
    home = slice_cut(&line, ':');
    *out = (struct user){ .uid = (uid_t)uid, .gid = (gid_t)gid };
    (void)snprintf(out->name, sizeof out->name, "%.*s", SLICE_FMT(name));
    (void)snprintf(out->home, sizeof out->home, "%.*s", SLICE_FMT(home));
    return true;
}

static bool lists(struct slice members, const char *name)
{
    while (members.n > 0)
        if (slice_is(slice_cut(&members, ','), name))
            return true;
    return false;
}

/* name:x:gid:member,member */
static void add_groups(struct slice text, struct user *u)
{
    u->groups[u->n_groups++] = u->gid;
    while (text.n > 0 && u->n_groups < USER_MAX_GROUPS) {
        struct slice line = slice_cut(&text, '\n');
        int64_t gid;

        (void)slice_cut(&line, ':');
        (void)slice_cut(&line, ':');
        if (num_parse_i64_in(slice_cut(&line, ':'), 0, UINT32_MAX - 1, &gid) && (gid_t)gid != u->gid && lists(line, u->name))
            u->groups[u->n_groups++] = (gid_t)gid;
    }
}

static bool find_in(struct slice text, const char *name, uid_t uid, struct user *out)
{
    while (text.n > 0) {
        struct user u;

        if (!read_user(slice_cut(&text, '\n'), &u) || (name != NULL ? strcmp(u.name, name) != 0 : u.uid != uid))
            continue;
        *out = u;
        return true;
    }
    return false;
}

static int unknown(const char *name, const char *why, struct err *e)
{
    (void)err_set(e, &ERR_AGENT_PROCESS, "user %s", name);
    return err_arg(e, "%s", why);
}

static int find(const char *name, struct arena *arena, struct user *out, struct err *e)
{
    struct slice passwd, group;
    int64_t uid = (int64_t)geteuid();
    bool by_number = name == NULL || num_parse_i64_in((struct slice){ name, strlen(name) }, 0, UINT32_MAX - 1, &uid);
    int rv = frame_read("/etc/passwd", arena, &passwd, e);

    if (rv == 0)
        rv = frame_read("/etc/group", arena, &group, e);
    if (rv != 0)
        return rv;
    if (!find_in(passwd, by_number ? NULL : name, (uid_t)uid, out)) {
        if (!by_number)
            return unknown(name, "there is no such user on this host", e);
        *out = (struct user){ .uid = (uid_t)uid, .gid = name == NULL ? getegid() : (gid_t)uid, .home = "/" };
    }
    add_groups(group, out);
    if (geteuid() != 0 && out->uid != geteuid())
        return unknown(name, "the agent does not run as root and cannot become another user", e);
    return 0;
}

int user_find(const char *name, struct user *out, struct err *e)
{
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = find(name, &arena, out, e);
    arena_fini(&arena);
    return rv;
}

const char *user_name(uid_t uid, struct arena *arena)
{
    struct slice passwd;
    struct user u;
    struct err e;

    if (frame_read("/etc/passwd", arena, &passwd, &e) == 0 && find_in(passwd, NULL, uid, &u))
        return arena_strdup(arena, u.name);
    return arena_printf(arena, "%u", (unsigned)uid);
}
