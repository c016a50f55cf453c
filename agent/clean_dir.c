/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/clean_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { MAX_FILES = 100000, BLOCK_BYTES = 512 };

struct clean_open {
    dev_t device;
    ino_t inode;
};

void clean_round_init(struct clean_round *r, struct field_strings roots, const struct log *log, int64_t now_s)
{
    *r = (struct clean_round){ .roots = roots, .log = log, .proc = "/proc", .now_s = now_s };
    arena_init(&r->arena);
}

void clean_round_fini(struct clean_round *r)
{
    mem_free(r->open);
    r->open = NULL;
    arena_fini(&r->arena);
}

static void note(const struct clean_round *r, const char *what, const char *path)
{
    log_warn(r->log, what, LOG_S("path", path), LOG_S("reason", strerror(errno)));
}

/* ---- what is open ----------------------------------------------------------------------------------------------------------------- */

static int by_inode(const void *a, const void *b)
{
    const struct clean_open *x = a, *y = b;

    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return x->inode < y->inode ? -1 : x->inode > y->inode;
}

static bool add_open(struct clean_round *r, const struct stat *st, size_t *space)
{
    if (r->n_open == *space) {
        size_t more = *space > 0 ? *space * 2 : 256;
        struct clean_open *p = mem_realloc(r->open, more * sizeof *p);

        if (p == NULL)
            return false;
        r->open = p;
        *space = more;
    }
    r->open[r->n_open++] = (struct clean_open){ st->st_dev, st->st_ino };
    return true;
}

/* What one process has open. Processes end while one looks, and those of others may be closed to us. */
static bool add_process(struct clean_round *r, const char *pid, size_t *space)
{
    char path[PATH_MAX];
    struct dirent *entry;
    struct stat st;
    bool ok = true;
    DIR *dir;

    (void)snprintf(path, sizeof path, "%s/%s/fd", r->proc, pid);
    dir = opendir(path);
    if (dir == NULL)
        return errno != EMFILE && errno != ENFILE && errno != ENOMEM;
    while (ok && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
            ok = add_open(r, &st, space);
    (void)closedir(dir);
    return ok;
}

static bool read_open(struct clean_round *r)
{
    DIR *proc = opendir(r->proc);
    struct dirent *entry;
    size_t space = 0;
    bool ok = proc != NULL;

    while (ok && (entry = readdir(proc)) != NULL)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
            ok = add_process(r, entry->d_name, &space);
    if (proc != NULL)
        (void)closedir(proc);
    if (ok && r->n_open > 1)
        qsort(r->open, r->n_open, sizeof *r->open, by_inode);
    r->knows_open = ok;
    return ok;
}

static bool is_open(const struct clean_round *r, const struct stat *st)
{
    struct clean_open key = { st->st_dev, st->st_ino };

    return r->n_open > 0 && bsearch(&key, r->open, r->n_open, sizeof key, by_inode) != NULL;
}

/* ---- one directory ------------------------------------------------------------------------------------------------------------------ */

struct look {
    struct clean_round *round;
    const struct clean_rule *rule;
    const char *path;
    int fd;
    struct clean_disk disk;
    struct clean_file *files;        /* owned */
    struct stat *stats;              /* owned; of each file, by its index */
    size_t n, space;
};

static bool make_space(struct look *l)
{
    size_t more = l->space > 0 ? l->space * 2 : 64;
    struct clean_file *files = mem_realloc(l->files, more * sizeof *files);
    struct stat *stats;

    if (files == NULL)
        return false;
    l->files = files;
    stats = mem_realloc(l->stats, more * sizeof *stats);
    if (stats == NULL)
        return false;
    l->stats = stats;
    l->space = more;
    return true;
}

static bool keep(struct look *l, const char *name, const struct stat *st)
{
    const char *copy = arena_strdup(&l->round->arena, name);

    if (copy == NULL || (l->n == l->space && !make_space(l)))
        return false;
    l->stats[l->n] = *st;
    l->files[l->n] = (struct clean_file){
        .name = copy,
        .bytes = st->st_nlink == 1 ? (int64_t)st->st_blocks * BLOCK_BYTES : 0, /* with another name its blocks stay */
        .changed_s = st->st_mtim.tv_sec,
        .index = l->n,
    };
    l->n++;
    return true;
}

static int list(struct look *l, struct err *e)
{
    struct dirent *entry;
    struct stat st;
    int copy = dup(l->fd), rv = 0;
    DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;

    if (dir == NULL) {
        note(l->round, "a directory cannot be read", l->path);
        if (copy >= 0)
            (void)close(copy);
        return 0;
    }
    while (rv == 0 && l->n < MAX_FILES && (entry = readdir(dir)) != NULL) {
        if (!clean_is_rotated(entry->d_name) || fnmatch(l->rule->pattern, entry->d_name, 0) != 0)
            continue;
        if (fstatat(l->fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) && !keep(l, entry->d_name, &st))
            rv = err_set(e, &ERR_NOMEM, "");
    }
    (void)closedir(dir);
    return rv;
}

/* Removes the file if it still is the one that was looked at. */
static void remove_one(struct look *l, const struct clean_file *f)
{
    const struct stat *then = &l->stats[f->index];
    struct stat now;

    if (fstatat(l->fd, f->name, &now, AT_SYMLINK_NOFOLLOW) != 0 || now.st_ino != then->st_ino || now.st_size != then->st_size ||
        now.st_mtim.tv_sec != then->st_mtim.tv_sec)
        return;
    if (unlinkat(l->fd, f->name, 0) != 0) {
        note(l->round, "an old file cannot be removed", l->path);
        return;
    }
    l->round->n_removed++;
    l->round->bytes_removed += f->bytes;
    log_info(l->round->log, "removed", LOG_S("directory", l->path), LOG_S("file", f->name), LOG_I("bytes", f->bytes),
             LOG_S("because", clean_reasons[f->reason]));
}

static size_t decide(struct look *l)
{
    return clean_decide(l->rule, l->files, l->n, l->disk, l->round->now_s);
}

static int clean(struct look *l, struct err *e)
{
    int rv = list(l, e);

    l->round->n_files += l->n;
    if (rv != 0 || decide(l) == 0)
        return rv;
    if (!l->round->knows_open && !read_open(l->round)) {
        note(l->round, "nothing is removed, since what processes have open cannot be read", l->round->proc);
        return 0;
    }
    for (size_t i = 0; i < l->n; i++)
        l->files[i].open = is_open(l->round, &l->stats[l->files[i].index]);
    (void)decide(l); /* now that it is known what is open */
    for (size_t i = 0; i < l->n; i++)
        if (l->files[i].reason != CLEAN_KEEP)
            remove_one(l, &l->files[i]);
    return 0;
}

/* ---- directories --------------------------------------------------------------------------------------------------------------------- */

static bool is_below(const char *path, const char *root)
{
    size_t n = strlen(root);

    return strncmp(path, root, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static bool is_ours(const struct clean_round *r, const char *path)
{
    char root[PATH_MAX];

    for (size_t i = 0; i < r->roots.n; i++)
        if (realpath(r->roots.items[i], root) != NULL && is_below(path, root))
            return true;
    return false;
}

static int clean_directory(struct clean_round *r, const struct clean_rule *rule, const char *said, struct err *e)
{
    char path[PATH_MAX];
    struct look l = { .round = r, .rule = rule, .path = path };
    struct statvfs fs;
    int rv = 0;

    if (realpath(said, path) == NULL)
        return 0; /* it has gone meanwhile */
    if (!is_ours(r, path)) {
        log_warn(r->log, "a directory of a rule lies outside of the agent's roots", LOG_S("path", path));
        return 0;
    }
    l.fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (l.fd < 0 || fstatvfs(l.fd, &fs) != 0) {
        note(r, "a directory cannot be looked at", path);
    } else {
        l.disk.used = (int64_t)((fs.f_blocks - fs.f_bfree) * fs.f_frsize);
        l.disk.total = l.disk.used + (int64_t)(fs.f_bavail * fs.f_frsize);
        rv = clean(&l, e);
    }
    if (l.fd >= 0)
        (void)close(l.fd);
    mem_free(l.files);
    mem_free(l.stats);
    return rv;
}

/* The C library's glob() would look up users, for which it needs its plug-ins. So: `path` and then each part of `rest`, which may be a pattern. */
static int each_directory(struct clean_round *r, const struct clean_rule *rule, const char *path, struct slice rest, struct err *e);

static int each_entry(struct clean_round *r, const struct clean_rule *rule, const char *path, const char *pattern, struct slice rest, struct err *e)
{
    char next[PATH_MAX];
    struct dirent *entry;
    DIR *dir = opendir(path);
    int rv = 0;

    while (dir != NULL && rv == 0 && (entry = readdir(dir)) != NULL) {
        if (fnmatch(pattern, entry->d_name, FNM_PERIOD) != 0 || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (snprintf(next, sizeof next, "%s/%s", path, entry->d_name) < (int)sizeof next)
            rv = each_directory(r, rule, next, rest, e);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return rv;
}

static int each_directory(struct clean_round *r, const struct clean_rule *rule, const char *path, struct slice rest, struct err *e)
{
    struct slice part = slice_cut(&rest, '/');
    char next[PATH_MAX], pattern[NAME_MAX + 1];
    struct stat st;

    if (path[0] != '\0' && (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)))
        return 0;
    if (part.n == 0 && rest.n == 0)
        return clean_directory(r, rule, path, e);
    if (part.n >= sizeof pattern || snprintf(next, sizeof next, "%s/%.*s", path, SLICE_FMT(part)) >= (int)sizeof next)
        return 0; /* nothing has such a name */
    if (part.n == 0)
        return each_directory(r, rule, path, rest, e);
    (void)snprintf(pattern, sizeof pattern, "%.*s", SLICE_FMT(part));
    return strpbrk(pattern, "*?[") == NULL ? each_directory(r, rule, next, rest, e) : each_entry(r, rule, path[0] != '\0' ? path : "/", pattern, rest, e);
}

int clean_by_rule(struct clean_round *r, const struct clean_rule *rule, struct err *e)
{
    return each_directory(r, rule, "", (struct slice){ rule->directory + 1, strlen(rule->directory + 1) }, e);
}
