/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/blobs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "src/io/file.h"

enum { PIECE = 128 * 1024, PATH_SIZE = 4096, HEX = AGENT_SHA256_SIZE - 1 };

struct push {
    struct blobs *blobs;
    const char *sha256;
    int64_t size, there;              /* announced; so far */
    bool complete;
    int fd;
    const char *bytes;
    size_t n;
    struct err err;
    int rv;
};

static int check_sha(const char *sha256, struct err *e)
{
    return strlen(sha256) == HEX && strspn(sha256, "0123456789abcdef") == HEX ? 0
               : err_set(e, &ERR_INVALID, "sha256: must be 64 lower-case hex digits");
}

static void path_of(const struct blobs *b, const char *sha256, const char *end, char out[PATH_SIZE])
{
    (void)snprintf(out, PATH_SIZE, "%s/%s%s", b->dir, sha256, end);
}

static int on_thread(struct push *p, void (*fn)(void *data), struct err *e)
{
    int rv = commands_on_thread(p->blobs->commands, fn, p, e);

    if (rv == 0 && p->rv != 0) {
        *e = p->err;
        rv = p->rv;
    }
    return rv;
}

static void look(void *data)
{
    struct push *p = data;
    char path[PATH_SIZE];
    struct stat st;

    path_of(p->blobs, p->sha256, "", path);
    p->complete = stat(path, &st) == 0;
    if (!p->complete) {
        path_of(p->blobs, p->sha256, ".part", path);
        if (stat(path, &st) != 0)
            st.st_size = 0;
    }
    p->there = st.st_size;
}

int blobs_have(struct blobs *b, const char *sha256, struct agent_blob *out, struct err *e)
{
    struct push p = { .blobs = b, .sha256 = sha256 };
    int rv = check_sha(sha256, e);

    if (rv == 0)
        rv = on_thread(&p, look, e);
    *out = (struct agent_blob){ p.there, p.complete };
    return rv;
}

/* ---- room ----------------------------------------------------------------------------------------------------------------------------- */

struct shelf {
    int64_t used;
    char eldest[NAME_MAX + 1];
    struct timespec age;
};

static bool is_older(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static void look_at_shelf(const struct push *p, struct shelf *out)
{
    DIR *d = opendir(p->blobs->dir);
    struct dirent *entry;

    *out = (struct shelf){ 0 };
    while (d != NULL && (entry = readdir(d)) != NULL) {
        struct stat st;

        if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        out->used += st.st_size;
        if (strncmp(entry->d_name, p->sha256, HEX) == 0 || (out->eldest[0] != '\0' && !is_older(&st.st_mtim, &out->age)))
            continue;
        (void)snprintf(out->eldest, sizeof out->eldest, "%s", entry->d_name);
        out->age = st.st_mtim;
    }
    if (d != NULL)
        (void)closedir(d);
}

static int full(struct push *p, const char *what, int64_t limit)
{
    (void)err_set(&p->err, &ERR_AGENT_FULL, "%s", what);
    return err_arg(&p->err, "%lld bytes", (long long)limit);
}

/* Room for what is still to come; the eldest others go first. A package that is being extracted is open, and stays until it is closed. */
static int make_room(struct push *p)
{
    int64_t wanted = p->size - p->there;

    if (p->size > p->blobs->quota)
        return full(p, "store of packages", p->blobs->quota);
    for (;;) {
        char path[PATH_SIZE + NAME_MAX + 2];
        struct statvfs fs;
        struct shelf s;
        int64_t available;

        look_at_shelf(p, &s);
        available = statvfs(p->blobs->dir, &fs) == 0 ? (int64_t)(fs.f_bavail * fs.f_frsize) : INT64_MAX;
        if (s.used + wanted <= p->blobs->quota && wanted + BLOBS_SPARE_BYTES <= available)
            return 0;
        if (s.eldest[0] == '\0')
            return s.used + wanted > p->blobs->quota ? full(p, "store of packages", p->blobs->quota) : full(p, "disk", available);
        (void)snprintf(path, sizeof path, "%s/%s", p->blobs->dir, s.eldest);
        if (unlink(path) != 0)
            return roots_failed(path, &p->err);
    }
}

/* ---- a piece ------------------------------------------------------------------------------------------------------------------------------ */

static void open_part(void *data)
{
    struct push *p = data;
    char path[PATH_SIZE];

    p->rv = make_room(p);
    if (p->rv != 0)
        return;
    path_of(p->blobs, p->sha256, ".part", path);
    p->fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (p->fd < 0)
        p->rv = roots_failed(path, &p->err);
}

static void write_part(void *data)
{
    struct push *p = data;

    if (file_write_all(p->fd, p->bytes, p->n))
        p->there += (int64_t)p->n;
    else
        p->rv = roots_failed(p->blobs->dir, &p->err);
}

static int take_body(struct push *p, struct http_request *rq, struct err *e)
{
    char *buf = arena_alloc(rq->arena, PIECE);
    int rv = buf == NULL ? err_set(e, &ERR_NOMEM, "") : 0;
    size_t n = 1;

    while (rv == 0) {
        rv = http_body_read(rq, buf, PIECE, &n, e);
        if (rv != 0 || n == 0)
            break;
        if (p->there + (int64_t)n > p->size)
            return err_set(e, &ERR_INVALID, "more than the %lld bytes that were announced", (long long)p->size);
        p->bytes = buf;
        p->n = n;
        rv = on_thread(p, write_part, e);
    }
    return rv;
}

static bool hash_file(int fd, char out[AGENT_SHA256_SIZE])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char buf[65536], sum[32];
    unsigned len = 0;
    ssize_t n = 1;
    bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

    while (ok && (n = read(fd, buf, sizeof buf)) > 0)
        ok = EVP_DigestUpdate(ctx, buf, (size_t)n) == 1;
    ok = ok && n == 0 && EVP_DigestFinal_ex(ctx, sum, &len) == 1 && len == sizeof sum;
    for (unsigned i = 0; ok && i < len; i++)
        (void)snprintf(out + (size_t)2 * i, 3, "%02x", sum[i]);
    EVP_MD_CTX_free(ctx);
    return ok;
}

static int wrong(struct push *p, const char *why)
{
    (void)err_set(&p->err, &ERR_AGENT_BLOB, "%s", p->sha256);
    return err_arg(&p->err, "%s", why);
}

/* All of it is there: is it what it was announced as? */
static void finish(void *data)
{
    struct push *p = data;
    char part[PATH_SIZE], whole[PATH_SIZE], sum[AGENT_SHA256_SIZE] = "";
    int fd;

    path_of(p->blobs, p->sha256, ".part", part);
    path_of(p->blobs, p->sha256, "", whole);
    fd = open(part, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || !hash_file(fd, sum) || fsync(fd) != 0) {
        p->rv = roots_failed(part, &p->err);
    } else if (strcmp(sum, p->sha256) != 0) {
        (void)unlink(part); /* of no use to anybody */
        p->rv = wrong(p, "what came has another SHA-256");
    } else if (rename(part, whole) != 0 || !file_sync_dir(p->blobs->dir)) {
        p->rv = roots_failed(whole, &p->err);
    } else {
        p->complete = true;
    }
    if (fd >= 0)
        (void)close(fd);
}

static int put(struct push *p, int64_t offset, struct http_request *rq, struct err *e)
{
    int rv = on_thread(p, look, e);

    if (rv != 0 || p->complete || offset != p->there)
        return rv;
    rv = on_thread(p, open_part, e);
    if (rv != 0)
        return rv;
    rv = take_body(p, rq, e);
    (void)close(p->fd);
    return rv == 0 && p->there == p->size ? on_thread(p, finish, e) : rv;
}

int blobs_put(struct blobs *b, const char *sha256, int64_t offset, int64_t size, struct http_request *rq, struct agent_blob *out, struct err *e)
{
    struct push p = { .blobs = b, .sha256 = sha256, .size = size };
    int rv = check_sha(sha256, e);

    if (rv == 0 && (size <= 0 || offset < 0 || offset > size))
        rv = err_set(e, &ERR_INVALID, "offset and size: must be numbers, offset at most size, size above 0");
    if (rv == 0)
        rv = fiber_mutex_lock(&b->lock, e);
    if (rv != 0)
        return rv;
    rv = put(&p, offset, rq, e);
    fiber_mutex_unlock(&b->lock);
    *out = (struct agent_blob){ p.there, p.complete };
    return rv;
}
