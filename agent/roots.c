/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "src/proto/agent.h"

enum { PATH_SIZE = 4096 };

int roots_failed(const char *path, struct err *e)
{
    int number = errno;

    (void)err_set(e, &ERR_AGENT_FILE, "%s", path);
    return err_arg(e, "%s", strerror(number));
}

static int refused(const char *path, const char *why, struct err *e)
{
    (void)err_set(e, &ERR_AGENT_PATH, "%s", path);
    return err_arg(e, "%s", why);
}

/* No "", "." or ".." between its slashes, and none at its end. */
static bool is_clean(const char *path)
{
    const char *part = path + 1;

    if (path[0] != '/' || path[1] == '\0' || strlen(path) >= PATH_SIZE)
        return false;
    for (;;) {
        size_t n = strcspn(part, "/");

        if (n == 0 || n >= ROOTS_NAME_SIZE || (n == 1 && part[0] == '.') || (n == 2 && part[0] == '.' && part[1] == '.'))
            return false;
        for (size_t i = 0; i < n; i++)
            if ((unsigned char)part[i] < ' ' || part[i] == 0x7f)
                return false;
        if (part[n] == '\0')
            return true;
        part += n + 1;
    }
}

/* The longest root that the path lies in; *rest: what follows it, "" for the root itself. */
static const char *root_of(const struct roots *r, const char *path, const char **rest)
{
    const char *found = NULL;
    size_t longest = 0;

    for (size_t i = 0; i < r->n; i++) {
        size_t n = strlen(r->dirs[i]);

        if (n < longest || strncmp(path, r->dirs[i], n) != 0 || (path[n] != '/' && path[n] != '\0'))
            continue;
        found = r->dirs[i];
        longest = n;
        *rest = path[n] == '/' ? path + n + 1 : path + n;
    }
    return found;
}

int roots_check(const struct roots *r, const char *path, struct err *e)
{
    const char *rest;

    if (!is_clean(path))
        return refused(path, "it must be absolute, without empty parts, . and .., and without control characters", e);
    return root_of(r, path, &rest) != NULL ? 0 : refused(path, "it lies below no directory that was declared to the agent", e);
}

int roots_check_new(const char *path, struct err *e)
{
    static const char *const own[] = { "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/root/.ssh", "/run", "/sbin", "/sys",
                                       "/usr", "/var/lib/dpkg", "/var/lib/rpm", "/var/run", NULL };

    if (!is_clean(path))
        return refused(path, "it must be absolute, without empty parts, . and .., and without control characters", e);
    for (const char *const *s = own; *s != NULL; s++) {
        size_t n = strlen(*s);

        if (strncmp(path, *s, n) == 0 && (path[n] == '/' || path[n] == '\0'))
            return refused(path, "it belongs to the system", e);
    }
    if (strcmp(path, "/var") == 0 || strcmp(path, "/home") == 0 || strcmp(path, "/opt") == 0 || strcmp(path, "/srv") == 0)
        return refused(path, "too much lies below it; name a directory of its own", e);
    return 0;
}

/* ---- opening ----------------------------------------------------------------------------------------------------------------------- */

/* Step by step, following no link: what the kernel's RESOLVE_BENEATH allows and more is refused. */
static int walk(int root, const char *rest, int flags, mode_t mode)
{
    int at = fcntl(root, F_DUPFD_CLOEXEC, 3);

    while (at >= 0) {
        char part[ROOTS_NAME_SIZE];
        size_t n = strcspn(rest, "/");
        int next;

        (void)snprintf(part, sizeof part, "%.*s", (int)n, rest);
        rest += n + (rest[n] == '/');
        next = *rest != '\0' ? openat(at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : openat(at, part, flags | O_NOFOLLOW, mode);
        (void)close(at);
        if (*rest == '\0')
            return next;
        at = next;
    }
    return -1;
}

static int open_beneath(const struct roots *r, int root, const char *rest, int flags, mode_t mode)
{
    const struct open_how how = {
        .flags = (unsigned)flags, .mode = (flags & O_CREAT) != 0 ? mode : 0, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd;

    if (r->walk)
        return walk(root, rest, flags, mode);
    fd = syscall(SYS_openat2, root, rest, &how, sizeof how);
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
        return (int)fd;
    return walk(root, rest, flags, mode);
}

static int outcome(int fd, const char *path, struct err *e)
{
    if (fd >= 0)
        return 0;
    if (errno == EXDEV)
        return refused(path, "a link in it leads out of the declared directory", e);
    if (errno == ELOOP)
        return refused(path, "it is or goes through a symbolic link", e);
    return roots_failed(path, e);
}

int roots_open(const struct roots *r, const char *path, int flags, mode_t mode, int *fd, struct err *e)
{
    const char *rest = "", *dir;
    int rv = roots_check(r, path, e), root;

    *fd = -1;
    if (rv != 0)
        return rv;
    dir = root_of(r, path, &rest);
    if (rest[0] == '\0') {
        *fd = open(dir, flags | O_CLOEXEC, mode);
        return outcome(*fd, path, e);
    }
    root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return roots_failed(dir, e);
    *fd = open_beneath(r, root, rest, flags | O_CLOEXEC, mode);
    rv = outcome(*fd, path, e);
    (void)close(root);
    return rv;
}

int roots_open_parent(const struct roots *r, const char *path, int *fd, char name[ROOTS_NAME_SIZE], struct err *e)
{
    const char *slash = strrchr(path, '/'), *rest = "";
    char parent[PATH_SIZE];
    int rv = roots_check(r, path, e);

    *fd = -1;
    if (rv != 0)
        return rv;
    (void)root_of(r, path, &rest);
    if (rest[0] == '\0')
        return refused(path, "it is the declared directory itself", e);
    (void)snprintf(name, ROOTS_NAME_SIZE, "%s", slash + 1);
    (void)snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
    return roots_open(r, parent, O_RDONLY | O_DIRECTORY, 0, fd, e);
}
