/* SPDX-License-Identifier: Apache-2.0 */
/* A package becomes a directory in one step: its files are written beside it, synced, and then it gets its name. What an RPM wants besides
 * (scripts, users, devices) is not done. Runs in a process of its own, whose parser can hurt nobody: no new privileges, no network, nothing to be
 * written but below the directory that the package goes to (as far as the kernel offers that: Landlock). */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "agent/act.h"
#include "agent/sandbox.h"
#include "agent/users.h"
#include "src/io/file.h"

enum { BLOCK = 256 * 1024, MAX_FILES = 200000, MAX_PATH = 1024 };
#define MAX_BYTES (INT64_C(64) << 30)

struct extraction {
    const struct agent_extract_package *args;
    struct agent_extract_package_answer *answer;
    struct roots target;                 /* the new directory as a root of its own */
    const char *dir;                     /* its temporary path */
    struct user owner;
    bool gives;
    char *block;
};

static int bad(const struct extraction *x, const char *why, struct err *e)
{
    (void)err_set(e, &ERR_AGENT_PACKAGE, "%.16s", x->args->sha256);
    return err_arg(e, "%s", why);
}

/* The path inside the new directory; NULL: left out. False: no path that an honest package has. */
static bool place_of(const struct extraction *x, const char *name, char out[MAX_PATH], bool *wanted)
{
    const char *strip = x->args->strip;
    char clean[MAX_PATH];
    size_t n = 0;

    *wanted = false;
    while (name[0] == '.' && name[1] == '/')
        name += 2;
    while (name[0] == '/')
        name++;
    for (const char *part = name; *part != '\0'; ) {
        size_t m = strcspn(part, "/");

        if ((m == 2 && part[0] == '.' && part[1] == '.') || n + m + 2 > MAX_PATH)
            return false;
        if (m > 0 && !(m == 1 && part[0] == '.')) {
            clean[n++] = '/';
            memcpy(clean + n, part, m);
            n += m;
        }
        part += m + (part[m] == '/');
    }
    clean[n] = '\0';
    if (strip != NULL) {
        size_t m = strlen(strip);

        if (strncmp(clean, strip, m) != 0 || (clean[m] != '/' && clean[m] != '\0'))
            return true;
        memmove(clean, clean + m, n - m + 1);
    }
    *wanted = clean[0] != '\0';
    return snprintf(out, MAX_PATH, "%s%s", x->dir, clean) < MAX_PATH;
}

/* ---- one entry ------------------------------------------------------------------------------------------------------------------------ */

static int make_dirs(const struct extraction *x, const char *path, struct err *e)
{
    char part[MAX_PATH], name[ROOTS_NAME_SIZE];
    int rv = 0, dir;

    for (const char *at = strchr(path + strlen(x->dir) + 1, '/'); rv == 0 && at != NULL; at = strchr(at + 1, '/')) {
        (void)snprintf(part, sizeof part, "%.*s", (int)(at - path), path);
        rv = roots_open_parent(&x->target, part, &dir, name, e);
        if (rv != 0)
            return rv;
        if (mkdirat(dir, name, 0755) != 0 ? errno != EEXIST
                                          : x->gives && fchownat(dir, name, x->owner.uid, x->owner.gid, AT_SYMLINK_NOFOLLOW) != 0)
            rv = roots_failed(part, e);
        (void)close(dir);
    }
    return rv;
}

static int copy_data(const struct extraction *x, struct archive *a, int fd, const char *path, struct err *e)
{
    for (;;) {
        la_ssize_t n = archive_read_data(a, x->block, BLOCK);

        if (n == 0)
            return 0;
        if (n < 0)
            return bad(x, archive_error_string(a) != NULL ? archive_error_string(a) : "its content is cut short", e);
        x->answer->bytes += n;
        if (x->answer->bytes > MAX_BYTES)
            return bad(x, "it is larger than any package", e);
        if (!file_write_all(fd, x->block, (size_t)n))
            return roots_failed(path, e);
    }
}

static int put_file(const struct extraction *x, struct archive *a, struct archive_entry *entry, int dir, const char *name, const char *path,
                    struct err *e)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int rv;

    if (fd < 0)
        return roots_failed(path, e);
    rv = copy_data(x, a, fd, path, e);
    if (rv == 0 && ((x->gives && fchown(fd, x->owner.uid, x->owner.gid) != 0) || fchmod(fd, archive_entry_perm(entry) & 0777) != 0))
        rv = roots_failed(path, e);
    (void)close(fd);
    return rv;
}

/* A link may lead anywhere inside the package, and nowhere else. */
static bool stays_inside(const char *path, const char *target, const char *dir)
{
    int depth = 0;

    if (target[0] == '/')
        return false;
    for (const char *s = path + strlen(dir) + 1; (s = strchr(s, '/')) != NULL; s++)
        depth++;
    for (const char *part = target; *part != '\0'; ) {
        size_t m = strcspn(part, "/");

        if (m == 2 && part[0] == '.' && part[1] == '.')
            depth--;
        else if (m > 0 && !(m == 1 && part[0] == '.'))
            depth++;
        if (depth < 0)
            return false;
        part += m + (part[m] == '/');
    }
    return true;
}

static int put_entry(const struct extraction *x, struct archive *a, struct archive_entry *entry, const char *path, struct err *e)
{
    const char *target = archive_entry_symlink(entry), *hard = archive_entry_hardlink(entry);
    mode_t type = archive_entry_filetype(entry);
    char name[ROOTS_NAME_SIZE];
    int dir, rv = make_dirs(x, path, e);

    if (rv == 0)
        rv = roots_open_parent(&x->target, path, &dir, name, e);
    if (rv != 0)
        return rv;
    if (hard != NULL)
        rv = bad(x, "it holds a hard link", e);
    else if (type == AE_IFDIR)
        rv = mkdirat(dir, name, 0755) == 0 || errno == EEXIST ? 0 : roots_failed(path, e);
    else if (type == AE_IFREG)
        rv = put_file(x, a, entry, dir, name, path, e);
    else if (type == AE_IFLNK && target != NULL && stays_inside(path, target, x->dir))
        rv = symlinkat(target, dir, name) == 0 ? 0 : roots_failed(path, e);
    else
        rv = bad(x, type == AE_IFLNK ? "a link in it leads out of it" : "it holds something that is neither file, directory nor link", e);
    if (rv == 0 && x->gives && type != AE_IFREG && fchownat(dir, name, x->owner.uid, x->owner.gid, AT_SYMLINK_NOFOLLOW) != 0)
        rv = roots_failed(path, e);
    (void)close(dir);
    x->answer->files += rv == 0;
    return rv == 0 && x->answer->files > MAX_FILES ? bad(x, "it holds more files than any package", e) : rv;
}

/* ---- the whole --------------------------------------------------------------------------------------------------------------------------- */

static int put_all(const struct extraction *x, struct archive *a, struct err *e)
{
    struct archive_entry *entry;
    char path[MAX_PATH];
    int rv = 0, status;

    while ((status = archive_read_next_header(a, &entry)) == ARCHIVE_OK || status == ARCHIVE_WARN) {
        const char *name = archive_entry_pathname(entry);
        bool wanted;

        if (name == NULL || !place_of(x, name, path, &wanted))
            return bad(x, "a path in it leads out of it", e);
        rv = wanted ? put_entry(x, a, entry, path, e) : 0;
        if (rv != 0)
            return rv;
    }
    if (status != ARCHIVE_EOF)
        return bad(x, archive_error_string(a) != NULL ? archive_error_string(a) : "it is no RPM", e);
    return x->answer->files > 0 ? 0 : bad(x, "it holds no files where they are expected", e);
}

static int read_package(const struct extraction *x, int fd, struct err *e)
{
    struct archive *a = archive_read_new();
    int rv;

    if (a == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (archive_read_support_filter_rpm(a) != ARCHIVE_OK || archive_read_support_filter_gzip(a) != ARCHIVE_OK ||
        archive_read_support_filter_xz(a) != ARCHIVE_OK || archive_read_support_filter_zstd(a) != ARCHIVE_OK ||
        archive_read_support_format_cpio(a) != ARCHIVE_OK || archive_read_open_fd(a, fd, BLOCK) != ARCHIVE_OK)
        rv = bad(x, archive_error_string(a) != NULL ? archive_error_string(a) : "it cannot be opened", e);
    else
        rv = put_all(x, a, e);
    (void)archive_read_free(a);
    return rv;
}

static int mark_package(const struct extraction *x, struct err *e)
{
    char path[MAX_PATH];

    (void)snprintf(path, sizeof path, "%s/" ACT_PACKAGE, x->dir);
    return act_replace(&x->target, path, (struct slice){ x->args->sha256, strlen(x->args->sha256) }, 0644, x->args->owner, e);
}

static int fill(struct extraction *x, int package, int dir, struct err *e)
{
    struct err why = { 0 };
    int rv = sandbox_enter(x->dir, &why);

    if (rv == 0)
        rv = read_package(x, package, &why);
    if (rv == 0)
        rv = mark_package(x, &why);
    if (rv == 0 && syncfs(dir) != 0)
        rv = roots_failed(x->dir, &why);
    if (rv != 0)
        *e = why;
    return rv;
}

static int open_blob(const struct act *a, const struct extraction *x, int *fd, struct err *e)
{
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/%s", a->blobs, x->args->sha256);
    *fd = open(path, O_RDONLY | O_CLOEXEC);
    if (*fd >= 0)
        return 0;
    (void)err_set(e, &ERR_AGENT_BLOB, "%s", x->args->sha256);
    return err_arg(e, "%s", errno == ENOENT ? "the agent does not have it" : strerror(errno));
}

/* Is the directory there, and does it hold this package? *there false: it may be made. */
static int is_done(const struct act *a, const struct extraction *x, bool *there, struct err *e)
{
    struct err why = { 0 };
    char sha[80];
    int dir, rv = roots_open(a->roots, x->args->directory, O_RDONLY | O_DIRECTORY, 0, &dir, &why);

    *there = false;
    if (rv != 0 && errno == ENOENT)
        return 0;
    if (rv != 0) {
        *e = why;
        return rv;
    }
    rv = act_read_mark(dir, ACT_PACKAGE, sha, sizeof sha, e);
    (void)close(dir);
    *there = rv == 0 && strcmp(sha, x->args->sha256) == 0;
    return rv != 0 || *there ? rv : err_set(e, &ERR_AGENT_NOT_EMPTY, "%s", x->args->directory);
}

/* What a try has left: nobody else makes names like this one. */
static int remove_rest(const struct act *a, const struct extraction *x, struct err *e)
{
    const struct agent_remove_tree rest = { .path = x->dir, .mark = x->args->sha256, .keep = 0 };
    struct agent_remove_tree_answer removed;
    struct act own = *a;

    return act_remove_tree(&own, &rest, &removed, e);
}

/* What a former try left, as when the power went, is removed first. */
static int begin(const struct act *a, const struct extraction *x, int *dir, struct err *e)
{
    const struct agent_mkdirs fresh = { .paths = { (const char **)&x->dir, 1 }, .owner = x->args->owner, .mode = 0755, .mark = x->args->sha256 };
    struct agent_mkdirs_answer made;
    struct act own = *a;
    int rv = remove_rest(a, x, e);

    if (rv == 0)
        rv = act_mkdirs(&own, &fresh, &made, e);
    return rv == 0 ? roots_open(a->roots, x->dir, O_RDONLY | O_DIRECTORY, 0, dir, e) : rv;
}

static int finish(const struct act *a, const struct extraction *x, struct err *e)
{
    char from[ROOTS_NAME_SIZE], to[ROOTS_NAME_SIZE];
    int dir, rv = roots_open_parent(a->roots, x->dir, &dir, from, e);

    if (rv != 0)
        return rv;
    (void)snprintf(to, sizeof to, "%s", strrchr(x->args->directory, '/') + 1);
    if (renameat(dir, from, dir, to) != 0 || fsync(dir) != 0)
        rv = roots_failed(x->args->directory, e);
    (void)close(dir);
    return rv;
}

static int extract(struct act *a, struct extraction *x, struct err *e)
{
    int package, dir = -1, rv = open_blob(a, x, &package, e);
    struct err rest;

    if (rv != 0)
        return rv;
    rv = begin(a, x, &dir, e);
    if (rv == 0)
        rv = fill(x, package, dir, e);
    if (rv == 0)
        rv = finish(a, x, e);
    if (rv != 0)
        (void)remove_rest(a, x, &rest); /* a full disk is not left full; the error is that of the extraction */
    if (dir >= 0)
        (void)close(dir);
    (void)close(package);
    return rv;
}

int act_extract_package(struct act *a, const void *args, void *answer, struct err *e)
{
    struct extraction x = { .args = args, .answer = answer };
    const char *dirs[1];
    bool there;
    int rv = roots_check(a->roots, x.args->directory, e);

    *x.answer = (struct agent_extract_package_answer){ 0 };
    if (rv == 0 && strspn(x.args->sha256, "0123456789abcdef") != AGENT_SHA256_SIZE - 1)
        rv = err_set(e, &ERR_INVALID, "sha256: must be 64 lower-case hex digits");
    if (rv == 0)
        rv = is_done(a, &x, &there, e);
    if (rv == 0)
        rv = user_find(x.args->owner, &x.owner, e);
    if (rv != 0 || there) {
        x.answer->already = rv == 0;
        return rv;
    }
    x.gives = x.args->owner != NULL;
    x.dir = arena_printf(a->arena, "%s.%.12s.part", x.args->directory, x.args->sha256);
    x.block = arena_alloc(a->arena, BLOCK);
    if (x.dir == NULL || x.block == NULL)
        return err_set(e, &ERR_NOMEM, "");
    dirs[0] = x.dir;
    x.target = (struct roots){ dirs, 1, a->roots->walk };
    return extract(a, &x, e);
}
