/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/act.h"
#include "agent/users.h"
#include "src/io/file.h"

enum { LINK_SIZE = 4096, SCAN_MAX = 100000 };

/* ---- symlink ------------------------------------------------------------------------------------------------------------------------ */

static int exists(const char *path, struct err *e)
{
    errno = EEXIST;
    return roots_failed(path, e);
}

static int link_there(int dir, const char *name, const struct agent_symlink *l, struct err *e)
{
    char former[LINK_SIZE], fresh[ROOTS_NAME_SIZE + 16];
    ssize_t n = readlinkat(dir, name, former, sizeof former - 1);

    if (n >= 0) {
        former[n] = '\0';
        if (strcmp(former, l->target) == 0)
            return 0;
        if (l->replace != 1)
            return exists(l->path, e);
    } else if (errno != ENOENT) {
        return exists(l->path, e); /* EINVAL: something that is no link */
    }
    (void)snprintf(fresh, sizeof fresh, "%.200s.ocp-new", name);
    (void)unlinkat(dir, fresh, 0); /* left by one that was cut short */
    if (symlinkat(l->target, dir, fresh) != 0 || renameat(dir, fresh, dir, name) != 0 || fsync(dir) != 0)
        return roots_failed(l->path, e);
    return 0;
}

int act_symlink(struct act *a, const void *args, void *answer, struct err *e)
{
    const struct agent_symlink *l = args;
    char name[ROOTS_NAME_SIZE];
    int dir, rv = roots_check(a->roots, l->target, e);

    (void)answer;
    if (rv == 0)
        rv = roots_open_parent(a->roots, l->path, &dir, name, e);
    if (rv != 0)
        return rv;
    rv = link_there(dir, name, l, e);
    (void)close(dir);
    return rv;
}

/* ---- write_file --------------------------------------------------------------------------------------------------------------------- */

static bool write_new(int dir, const char *name, struct slice text, mode_t mode, const struct user *owner)
{
    bool there = unlinkat(dir, name, 0) != 0 && errno != ENOENT; /* left by one that was cut short, or put there: a pipe, a file of others */
    int fd = there ? -1 : openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0 && file_write_all(fd, text.s, text.n) && (owner == NULL || fchown(fd, owner->uid, owner->gid) == 0) &&
              fchmod(fd, mode) == 0 && fsync(fd) == 0;
    int number = errno;

    if (fd >= 0)
        (void)close(fd);
    errno = number;
    return ok;
}

int act_replace(const struct roots *roots, const char *path, struct slice text, mode_t mode, const char *owner, struct err *e)
{
    char name[ROOTS_NAME_SIZE], fresh[ROOTS_NAME_SIZE + 16];
    struct user user;
    int dir, rv = owner != NULL ? user_find(owner, &user, e) : 0;

    if (rv == 0)
        rv = roots_open_parent(roots, path, &dir, name, e);
    if (rv != 0)
        return rv;
    (void)snprintf(fresh, sizeof fresh, "%.200s.ocp-new", name);
    if (!write_new(dir, fresh, text, mode, owner != NULL ? &user : NULL) || renameat(dir, fresh, dir, name) != 0 || fsync(dir) != 0) {
        rv = roots_failed(path, e);
        (void)unlinkat(dir, fresh, 0); /* half of it is of no use */
    }
    (void)close(dir);
    return rv;
}

int act_write_file(struct act *a, const void *args, void *answer, struct err *e)
{
    const struct agent_write_file *w = args;
    size_t n = strlen(w->data), padding = n > 0 && w->data[n - 1] == '=' ? (n > 1 && w->data[n - 2] == '=' ? 2 : 1) : 0;
    unsigned char *bytes = arena_alloc(a->arena, n + 4);
    int got;

    (void)answer;
    if (bytes == NULL)
        return err_set(e, &ERR_NOMEM, "");
    got = EVP_DecodeBlock(bytes, (const unsigned char *)w->data, (int)n);
    if (n % 4 != 0 || got < 0)
        return err_set(e, &ERR_INVALID, "data: must be base64");
    return act_replace(a->roots, w->path, (struct slice){ (char *)bytes, (size_t)got - padding }, (mode_t)w->mode, w->owner, e);
}

/* ---- read_file_range ----------------------------------------------------------------------------------------------------------------- */

static int read_part(struct act *a, const struct agent_read_file *r, int fd, struct agent_file_part *out, struct err *e)
{
    char *bytes = arena_alloc(a->arena, (size_t)r->length);
    unsigned char *text = arena_alloc(a->arena, (size_t)r->length * 4 / 3 + 8);
    struct stat st;
    ssize_t n;

    if (bytes == NULL || text == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (fstat(fd, &st) != 0)
        return roots_failed(r->path, e);
    errno = EISDIR;
    if (!S_ISREG(st.st_mode))
        return roots_failed(r->path, e);
    out->size = st.st_size;
    out->offset = r->offset >= 0 ? r->offset : st.st_size + r->offset > 0 ? st.st_size + r->offset : 0;
    n = pread(fd, bytes, (size_t)r->length, out->offset);
    if (n < 0)
        return roots_failed(r->path, e);
    (void)EVP_EncodeBlock(text, (const unsigned char *)bytes, (int)n);
    out->data = (const char *)text;
    return 0;
}

int act_read_file(struct act *a, const void *args, void *answer, struct err *e)
{
    const struct agent_read_file *r = args;
    int fd, rv = roots_open(a->roots, r->path, O_RDONLY | O_NONBLOCK, 0, &fd, e); /* not to wait for the writer of a pipe */

    if (rv != 0)
        return rv;
    rv = read_part(a, r, fd, answer, e);
    (void)close(fd);
    return rv;
}

/* ---- list_directory -------------------------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int look_at(struct act *a, int dir, const char *name, struct agent_file *out, struct err *e)
{
    struct stat st;
    char target[LINK_SIZE];
    ssize_t n;

    *out = (struct agent_file){ .name = name, .type = "OTHER", .size = FIELD_NONE, .mode = FIELD_NONE, .modified_us = FIELD_NONE };
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return 0; /* it went meanwhile */
    out->type = S_ISREG(st.st_mode) ? "FILE" : S_ISDIR(st.st_mode) ? "DIRECTORY" : S_ISLNK(st.st_mode) ? "LINK" : "OTHER";
    out->size = st.st_size;
    out->mode = st.st_mode & 07777;
    out->modified_us = (int64_t)st.st_mtim.tv_sec * 1000000 + st.st_mtim.tv_nsec / 1000;
    n = S_ISLNK(st.st_mode) ? readlinkat(dir, name, target, sizeof target) : -1;
    if (n < 0)
        return 0;
    out->target = arena_strndup(a->arena, target, (size_t)n);
    return out->target != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int read_names(struct act *a, DIR *d, const char ***out, size_t *n, struct err *e)
{
    size_t space = 256;
    const char **names = arena_array(a->arena, space, sizeof *names);
    struct dirent *entry;

    *n = 0;
    while (names != NULL && *n < SCAN_MAX && (entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (*n == space) {
            const char **more = arena_array(a->arena, space * 2, sizeof *names);

            if (more == NULL)
                return err_set(e, &ERR_NOMEM, "");
            memcpy(more, names, *n * sizeof *names);
            names = more;
            space *= 2;
        }
        names[*n] = arena_strdup(a->arena, entry->d_name);
        if (names[(*n)++] == NULL)
            return err_set(e, &ERR_NOMEM, "");
    }
    *out = names;
    return names != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int list(struct act *a, const struct agent_list_directory *l, DIR *d, struct agent_files *out, struct err *e)
{
    struct agent_file *files;
    const char **names;
    size_t n, take;
    int rv = read_names(a, d, &names, &n, e);

    if (rv != 0)
        return rv;
    qsort(names, n, sizeof *names, by_name);
    take = n < (size_t)l->limit ? n : (size_t)l->limit;
    files = arena_array(a->arena, take + 1, sizeof *files);
    if (files == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < take; i++)
        rv = look_at(a, dirfd(d), names[i], &files[i], e);
    *out = (struct agent_files){ .entries = { files, take }, .truncated = take < n };
    return rv;
}

int act_list_directory(struct act *a, const void *args, void *answer, struct err *e)
{
    const struct agent_list_directory *l = args;
    int fd, rv = roots_open(a->roots, l->path, O_RDONLY | O_DIRECTORY, 0, &fd, e);
    DIR *d = rv == 0 ? fdopendir(fd) : NULL;

    if (rv != 0)
        return rv;
    if (d == NULL) {
        rv = roots_failed(l->path, e);
        (void)close(fd);
        return rv;
    }
    rv = list(a, l, d, answer, e);
    (void)closedir(d);
    return rv;
}
