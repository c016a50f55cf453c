/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/embedded_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/store/embedded.h"

int embedded_dir_fails(const struct embedded_dir *d, struct err *e, const char *fmt, ...)
{
    char reason[ERR_ARG_SIZE];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(reason, sizeof reason, fmt, ap);
    va_end(ap);
    (void)err_set(e, &ERR_EMBEDDED_SETUP, "%s", d->path);
    if (e != NULL)
        (void)err_arg(e, "%s", reason);
    return ERR_EMBEDDED_SETUP.code;
}

static void name_of(uid_t uid, char *name, size_t size)
{
    char buf[4096];
    struct passwd pw, *found = NULL;

    name[0] = '\0';
    if (getpwuid_r(uid, &pw, buf, sizeof buf, &found) == 0 && found != NULL)
        (void)snprintf(name, size, "%s", found->pw_name);
}

static bool is_path_fine(const struct embedded_dir *d, const char *path, struct err *e)
{
    if (path[0] != '/')
        return embedded_dir_fails(d, e, "its path must be absolute"), false;
    if (strlen(path) > EMBEDDED_PATH_MAX)
        return embedded_dir_fails(d, e, "its path has %zu characters, %d are allowed, because a Unix socket lies in it: choose a shorter one",
                                  strlen(path), EMBEDDED_PATH_MAX), false;
    return true;
}

static int use_account(struct embedded_dir *d, const char *account, struct err *e)
{
    char buf[4096];
    struct passwd pw, *found = NULL;

    if (getpwnam_r(account, &pw, buf, sizeof buf, &found) != 0 || found == NULL)
        return embedded_dir_fails(d, e, "there is no user %s", account);
    if (found->pw_uid == 0)
        return embedded_dir_fails(d, e, "MariaDB must not run as root: name another account");
    d->uid = found->pw_uid;
    d->gid = found->pw_gid;
    return 0;
}

static int use_owner(struct embedded_dir *d, struct err *e)
{
    struct stat st;

    if (stat(d->path, &st) != 0 || st.st_uid == 0)
        return embedded_dir_fails(d, e, "MariaDB must not run as root: name an account for it, or make the folder one's own with chown, or run as another user");
    d->uid = st.st_uid;
    d->gid = st.st_gid;
    return 0;
}

/* Whom mariadbd runs as: ourselves, or as root the named account, or the owner of what is there. */
static int choose_account(struct embedded_dir *d, const char *account, struct err *e)
{
    int rv;

    d->changes_user = geteuid() == 0;
    d->uid = geteuid();
    d->gid = getegid();
    if (d->changes_user) {
        rv = account != NULL ? use_account(d, account, e) : use_owner(d, e);
        if (rv != 0)
            return rv;
    }
    name_of(d->uid, d->account, sizeof d->account);
    name_of(geteuid(), d->self, sizeof d->self);
    if (d->self[0] == '\0') /* unix_socket authentication goes by names */
        return embedded_dir_fails(d, e, "the user id %u has no name: add it to /etc/passwd", (unsigned)geteuid());
    return 0;
}

static int open_folder(struct embedded_dir *d, struct err *e)
{
    bool is_new = mkdir(d->path, 0700) == 0;
    struct stat st;

    d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (d->fd < 0)
        return embedded_dir_fails(d, e, "%s", strerror(errno));
    if (is_new && d->changes_user && fchown(d->fd, d->uid, d->gid) != 0)
        return embedded_dir_fails(d, e, "give it to %s: %s", d->account, strerror(errno));
    if (fstat(d->fd, &st) != 0)
        return embedded_dir_fails(d, e, "%s", strerror(errno));
    if (st.st_uid != d->uid)
        return embedded_dir_fails(d, e, "it belongs to user id %u, not to %s: chown it, or name its owner as the account", (unsigned)st.st_uid, d->account);
    if ((st.st_mode & 077) != 0)
        return embedded_dir_fails(d, e, "others may enter it (mode %04o): chmod 0700 %s", (unsigned)(st.st_mode & 07777), d->path);
    return 0;
}

static int take_lock(struct embedded_dir *d, struct err *e)
{
    d->lock_fd = openat(d->fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (d->lock_fd < 0)
        return embedded_dir_fails(d, e, "lock: %s", strerror(errno));
    if (flock(d->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? embedded_dir_fails(d, e, "another ocp-server is using it: stop that one first")
                                    : embedded_dir_fails(d, e, "lock: %s", strerror(errno));
    return 0;
}

int embedded_dir_open(struct embedded_dir *d, const char *path, const char *account, struct err *e)
{
    int rv;

    *d = (struct embedded_dir){ .fd = -1, .lock_fd = -1 };
    (void)snprintf(d->path, sizeof d->path, "%s", path);
    rv = is_path_fine(d, path, e) ? choose_account(d, account, e) : ERR_EMBEDDED_SETUP.code;
    if (rv == 0)
        rv = open_folder(d, e);
    if (rv == 0)
        rv = take_lock(d, e);
    if (rv != 0)
        embedded_dir_close(d);
    return rv;
}

void embedded_dir_close(struct embedded_dir *d)
{
    if (d->lock_fd >= 0)
        (void)close(d->lock_fd); /* also lets the lock go */
    if (d->fd >= 0)
        (void)close(d->fd);
    d->fd = d->lock_fd = -1;
}

static int open_below(const struct embedded_dir *d, const char *folder)
{
    return openat(d->fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int embedded_dir_make(const struct embedded_dir *d, const char *name, struct err *e)
{
    if (mkdirat(d->fd, name, 0700) != 0)
        return errno == EEXIST ? 0 : embedded_dir_fails(d, e, "make %s: %s", name, strerror(errno));
    if (d->changes_user && fchownat(d->fd, name, d->uid, d->gid, AT_SYMLINK_NOFOLLOW) != 0)
        return embedded_dir_fails(d, e, "give %s to %s: %s", name, d->account, strerror(errno));
    return 0;
}

bool embedded_dir_has(const struct embedded_dir *d, const char *name)
{
    return faccessat(d->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool write_new(const struct embedded_dir *d, int folder, const char *name, const char *text)
{
    size_t n = strlen(text);
    int fd;
    bool ok;

    (void)unlinkat(folder, name, 0); /* left by one who was killed */
    fd = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    ok = write(fd, text, n) == (ssize_t)n && (!d->changes_user || fchown(fd, d->uid, d->gid) == 0) && fsync(fd) == 0;
    return close(fd) == 0 && ok;
}

int embedded_dir_write(const struct embedded_dir *d, const char *folder, const char *name, const char *text, struct err *e)
{
    int at = open_below(d, folder);
    char new_name[64];
    bool ok;
    int number;

    (void)snprintf(new_name, sizeof new_name, "%s.new", name);
    ok = at >= 0 && write_new(d, at, new_name, text) && renameat(at, new_name, at, name) == 0 && fsync(at) == 0;
    number = errno;
    if (at >= 0)
        (void)close(at); /* nothing was written through it */
    return ok ? 0 : embedded_dir_fails(d, e, "write %s/%s: %s", folder, name, strerror(number));
}

bool embedded_dir_read(const struct embedded_dir *d, const char *folder, const char *name, char *buf, size_t size)
{
    int at = open_below(d, folder);
    int fd = at >= 0 ? openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
    ssize_t n = fd >= 0 ? read(fd, buf, size - 1) : -1;

    if (fd >= 0)
        (void)close(fd); /* both were only read */
    if (at >= 0)
        (void)close(at);
    buf[n > 0 ? n : 0] = '\0';
    buf[strcspn(buf, "\n")] = '\0';
    return n > 0;
}

int embedded_dir_rename(const struct embedded_dir *d, const char *from, const char *to, struct err *e)
{
    if (renameat(d->fd, from, d->fd, to) != 0 || fsync(d->fd) != 0)
        return embedded_dir_fails(d, e, "rename %s to %s: %s", from, to, strerror(errno));
    return 0;
}

pid_t embedded_dir_holder(const struct embedded_dir *d)
{
    struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
    int at = open_below(d, "data");
    int fd = at >= 0 ? openat(at, "ibdata1", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
    bool is_locked = fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;

    if (fd >= 0)
        (void)close(fd);
    if (at >= 0)
        (void)close(at);
    return !is_locked ? 0 : lock.l_pid > 0 ? lock.l_pid : -1;
}
