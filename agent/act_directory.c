/* SPDX-License-Identifier: Apache-2.0 */
/* Directories: made with a mark that tells whose they are, and removed only by whoever names that mark. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/act.h"
#include "agent/users.h"
#include "src/io/file.h"

enum { MAX_DEPTH = 200, MARK_SIZE = 256 };

int act_read_mark(int dir, const char *name, char *text, size_t size, struct err *e)
{
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t n;

    text[0] = '\0';
    if (fd < 0)
        return errno == ENOENT ? 0 : roots_failed(name, e);
    n = read(fd, text, size - 1);
    (void)close(fd);
    if (n < 0)
        return roots_failed(name, e);
    text[n] = '\0';
    return 0;
}

/* ---- mkdirs ----------------------------------------------------------------------------------------------------------------------- */

struct making {
    struct act *a;
    const struct agent_mkdirs *args;
    struct user owner;
    struct agent_mkdirs_answer *answer;
};

static int note_made(struct making *m, const char *path, struct err *e)
{
    char *copy = arena_strdup(m->a->arena, path);

    if (copy == NULL)
        return err_set(e, &ERR_NOMEM, "");
    m->answer->made.items[m->answer->made.n++] = copy;
    return 0;
}

/* A root that is not there yet: it is trusted, with all that is above it. */
static bool make_root(const char *dir, mode_t mode)
{
    char path[4096];

    for (const char *slash = strchr(dir + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        (void)snprintf(path, sizeof path, "%.*s", (int)(slash - dir), dir);
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            return false;
    }
    return mkdir(dir, mode) == 0 || errno == EEXIST;
}

static bool is_root(const struct roots *r, const char *path)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->dirs[i], path) == 0)
            return true;
    return false;
}

static bool give(const struct making *m, int fd)
{
    return m->args->owner == NULL || fchown(fd, m->owner.uid, m->owner.gid) == 0;
}

/* By its descriptor: whoever owns the directory above may put something else in its place. */
static bool dress(const struct making *m, int dir, const char *name, mode_t mode)
{
    int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool ok = fd >= 0 && give(m, fd) && fchmod(fd, mode) == 0 && fsync(dir) == 0;
    int number = errno;

    if (fd >= 0)
        (void)close(fd);
    errno = number;
    return ok;
}

/* One directory whose parent is there. *made: it was not. */
static int make_one(struct making *m, const char *path, bool last, bool *made, struct err *e)
{
    mode_t mode = last ? (mode_t)m->args->mode : 0755;
    char name[ROOTS_NAME_SIZE];
    int dir, rv;

    *made = false;
    if (is_root(m->a->roots, path))
        return make_root(path, mode) ? 0 : roots_failed(path, e);
    rv = roots_open_parent(m->a->roots, path, &dir, name, e);
    if (rv != 0)
        return rv;
    *made = mkdirat(dir, name, 0700) == 0;
    if (!*made && errno != EEXIST)
        rv = roots_failed(path, e);
    else if (*made && !dress(m, dir, name, mode))
        rv = roots_failed(path, e);
    (void)close(dir);
    return rv;
}

/* But for a mark that was cut short, as by a full disk. */
static bool is_empty(int fd)
{
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
    struct dirent *entry;
    bool empty = d != NULL;

    if (d == NULL && copy >= 0)
        (void)close(copy);
    while (empty && (entry = readdir(d)) != NULL)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 || strcmp(entry->d_name, "lost+found") == 0 ||
                strcmp(entry->d_name, ACT_MARK) == 0;
    if (d != NULL)
        (void)closedir(d);
    return empty;
}

static bool put_mark(const struct making *m, int dir)
{
    int fd = (unlinkat(dir, ACT_MARK, 0) == 0 || errno == ENOENT) ? openat(dir, ACT_MARK, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644) : -1;
    bool ok = fd >= 0 && file_write_all(fd, m->args->mark, strlen(m->args->mark)) && give(m, fd) && fsync(fd) == 0;

    if (fd >= 0)
        (void)close(fd);
    return ok && fsync(dir) == 0;
}

static int claim(const struct making *m, int dir, const char *path, struct err *e)
{
    char mark[MARK_SIZE];
    int rv = act_read_mark(dir, ACT_MARK, mark, sizeof mark, e);

    if (rv != 0 || strcmp(mark, m->args->mark) == 0)
        return rv;
    if (mark[0] != '\0' || !is_empty(dir))
        return err_set(e, &ERR_AGENT_NOT_EMPTY, "%s", path);
    return put_mark(m, dir) ? 0 : roots_failed(path, e);
}

static int make_path(struct making *m, const char *path, struct err *e)
{
    char part[4096];
    bool made = false;
    int rv = roots_check(m->a->roots, path, e), fd;

    for (const char *at = path; rv == 0 && at != NULL; ) {
        at = strchr(at + 1, '/');
        (void)snprintf(part, sizeof part, "%.*s", at != NULL ? (int)(at - path) : (int)strlen(path), path);
        if (roots_check(m->a->roots, part, NULL) == 0)
            rv = make_one(m, part, at == NULL, &made, e);
    }
    if (rv == 0)
        rv = roots_open(m->a->roots, path, O_RDONLY | O_DIRECTORY, 0, &fd, e);
    if (rv != 0)
        return rv;
    if (m->args->mark != NULL)
        rv = claim(m, fd, path, e);
    (void)close(fd);
    return rv == 0 && made ? note_made(m, path, e) : rv;
}

int act_mkdirs(struct act *a, const void *args, void *answer, struct err *e)
{
    struct making m = { .a = a, .args = args, .answer = answer };
    int rv = user_find(m.args->owner, &m.owner, e);

    m.answer->made = (struct field_strings){ arena_array(a->arena, m.args->paths.n + 1, sizeof(char *)), 0 };
    if (m.answer->made.items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < m.args->paths.n; i++)
        rv = make_path(&m, m.args->paths.items[i], e);
    return rv;
}

/* ---- remove_tree ------------------------------------------------------------------------------------------------------------------- */

struct removing {
    const char *path;
    dev_t device;
    int64_t removed;
};

static int empty_directory(struct removing *r, int dir, const char *keep, unsigned depth, struct err *e);

static int remove_entry(struct removing *r, int dir, const char *name, unsigned depth, struct err *e)
{
    struct stat st;
    int fd, rv;

    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : roots_failed(r->path, e);
    if (!S_ISDIR(st.st_mode)) {
        if (unlinkat(dir, name, 0) != 0 && errno != ENOENT)
            return roots_failed(r->path, e);
        r->removed++;
        return 0;
    }
    errno = EXDEV;
    if (st.st_dev != r->device || depth >= MAX_DEPTH)
        return roots_failed(r->path, e); /* another file system is mounted in it: that was not meant */
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return roots_failed(r->path, e);
    rv = empty_directory(r, fd, NULL, depth + 1, e);
    (void)close(fd);
    if (rv == 0 && unlinkat(dir, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
        rv = roots_failed(r->path, e);
    r->removed += rv == 0;
    return rv;
}

static int empty_directory(struct removing *r, int dir, const char *keep, unsigned depth, struct err *e)
{
    int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rv = 0;
    DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
    struct dirent *entry;

    if (d == NULL) {
        rv = roots_failed(r->path, e);
        if (copy >= 0)
            (void)close(copy);
        return rv;
    }
    while (rv == 0 && (entry = readdir(d)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && (keep == NULL || strcmp(entry->d_name, keep) != 0))
            rv = remove_entry(r, dir, entry->d_name, depth, e);
    (void)closedir(d);
    return rv;
}

/* Its mark goes last, so that what was cut short can be done again. */
static int remove_marked(const struct act *a, const struct agent_remove_tree *args, struct removing *r, int fd, struct err *e)
{
    char name[ROOTS_NAME_SIZE];
    struct stat st;
    int parent, rv;

    if (fstat(fd, &st) != 0)
        return roots_failed(args->path, e);
    r->device = st.st_dev;
    rv = empty_directory(r, fd, ACT_MARK, 0, e);
    if (rv != 0 || args->keep == 1)
        return rv;
    if (unlinkat(fd, ACT_MARK, 0) != 0 && errno != ENOENT)
        return roots_failed(args->path, e);
    if (is_root(a->roots, args->path))
        return 0;
    rv = roots_open_parent(a->roots, args->path, &parent, name, e);
    if (rv != 0)
        return rv;
    if (unlinkat(parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT && errno != EBUSY) /* EBUSY: a file system of its own stays, empty */
        rv = roots_failed(args->path, e);
    (void)fsync(parent); /* what comes back after a crash is removed again */
    (void)close(parent);
    r->removed += rv == 0;
    return rv;
}

int act_remove_tree(struct act *a, const void *args, void *answer, struct err *e)
{
    const struct agent_remove_tree *t = args;
    struct agent_remove_tree_answer *out = answer;
    struct removing r = { .path = t->path };
    char mark[MARK_SIZE];
    struct err why = { 0 };
    int fd, rv = roots_open(a->roots, t->path, O_RDONLY | O_DIRECTORY, 0, &fd, &why);

    out->removed = 0;
    if (rv != 0 && errno == ENOENT)
        return 0;
    if (rv != 0) {
        *e = why;
        return rv;
    }
    rv = act_read_mark(fd, ACT_MARK, mark, sizeof mark, e);
    if (rv == 0 && strcmp(mark, t->mark) != 0)
        rv = mark[0] == '\0' && is_empty(fd) ? 0 : err_set(e, &ERR_AGENT_NOT_EMPTY, "%s", t->path);
    if (rv == 0)
        rv = remove_marked(a, t, &r, fd, e);
    (void)close(fd);
    out->removed = r.removed;
    return rv;
}
