/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/proto/agent.h"

/* Of linux/landlock.h, which Debian 11 lacks: version 1 of its rules. */
enum {
    CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, PATH_BENEATH = 1,
    /* execute, write, remove and make of all kinds; reading is left alone (bits 2 and 3) */
    CHANGES = 0x1ff3,
};
struct ruleset {
    uint64_t handled;
};
struct beneath {
    uint64_t allowed;
    int32_t fd;
} __attribute__((packed));

static bool allow(long rules, const char *dir)
{
    struct beneath rule = { .allowed = CHANGES & ~1U, .fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC) };
    bool ok = rule.fd >= 0 && syscall(ADD_RULE, rules, PATH_BENEATH, &rule, 0) == 0;

    if (rule.fd >= 0)
        (void)close(rule.fd);
    return ok;
}

static bool restrict_files(const char *dir)
{
    const struct ruleset changes = { .handled = CHANGES };
    char parent[4096];
    long rules = syscall(CREATE_RULESET, &changes, sizeof changes, 0);
    bool ok;

    if (rules < 0)
        return errno == ENOSYS || errno == EOPNOTSUPP || errno == EPERM; /* an older kernel, or one that has it switched off */
    (void)snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(dir, '/') - dir), dir);
    ok = allow(rules, parent) && syscall(RESTRICT_SELF, rules, 0) == 0;
    (void)close((int)rules);
    return ok;
}

int sandbox_enter(const char *dir, struct err *e)
{
    const struct rlimit none = { 0, 0 };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0 && restrict_files(dir))
        return 0;
    (void)err_set(e, &ERR_AGENT_PROCESS, "%s", "sandbox");
    return err_arg(e, "%s", strerror(errno));
}
