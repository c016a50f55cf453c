/* SPDX-License-Identifier: Apache-2.0 */
#include "src/io/http_static.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "src/io/http_encode.h"

enum { MAX_BYTES = 64 * 1024 * 1024, MAX_DEPTH = 16, ETAG_SIZE = 40 };

struct form {
    char *bytes;            /* owned; NULL: there is no such form */
    size_t n;
    char etag[ETAG_SIZE];   /* quoted */
};

struct file {
    char *name;             /* owned; below the directory, without a leading '/' */
    const char *type;
    struct form form[HTTP_CODINGS];
};

struct http_static {
    struct file *file;      /* owned, sorted by name */
    unsigned n, space;
    size_t n_bytes;
};

static const char *type_of(const char *name)
{
    static const struct { const char *end, *type; } rows[] = {
        { ".html", "text/html; charset=utf-8" }, { ".js", "text/javascript; charset=utf-8" }, { ".mjs", "text/javascript; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" }, { ".json", "application/json" }, { ".map", "application/json" },
        { ".svg", "image/svg+xml" }, { ".png", "image/png" }, { ".ico", "image/x-icon" }, { ".webp", "image/webp" },
        { ".woff2", "font/woff2" }, { ".txt", "text/plain; charset=utf-8" }, { ".md", "text/markdown; charset=utf-8" },
        { ".yaml", "application/yaml" }, { ".wasm", "application/wasm" }, { ".webmanifest", "application/manifest+json" },
    };
    size_t n = strlen(name);

    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t k = strlen(rows[i].end);

        if (n > k && strcmp(name + n - k, rows[i].end) == 0)
            return rows[i].type;
    }
    return "application/octet-stream";
}

/* ---- reading the directory ------------------------------------------------------------------------------------------ */

static int read_bytes(int fd, struct form *f, size_t n, const char *path, struct err *e)
{
    f->bytes = mem_alloc(n + 1);
    if (f->bytes == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (f->n < n) {
        ssize_t got = read(fd, f->bytes + f->n, n - f->n);

        if (got <= 0)
            return err_set(e, &ERR_IO, "read %s: %s", path, got < 0 ? strerror(errno) : "it became shorter");
        f->n += (size_t)got;
    }
    return 0;
}

static void set_etag(struct form *f)
{
    XXH128_hash_t h = XXH3_128bits(f->bytes, f->n);

    (void)snprintf(f->etag, sizeof f->etag, "\"%016llx%016llx\"", (unsigned long long)h.high64, (unsigned long long)h.low64);
}

static int add_file(struct http_static *s, const char *path, const char *name, int fd, size_t n, struct err *e)
{
    struct file *f;
    int rv;

    if (n > MAX_BYTES - s->n_bytes)
        return err_set(e, &ERR_INVALID, "the files below the directory of %s are more than %d MiB", path, MAX_BYTES >> 20);
    if (s->n == s->space) {
        unsigned space = s->space > 0 ? s->space * 2 : 32;
        struct file *more = mem_realloc(s->file, space * sizeof *more);

        if (more == NULL)
            return err_set(e, &ERR_NOMEM, "");
        s->file = more;
        s->space = space;
    }
    f = &s->file[s->n];
    *f = (struct file){ .name = mem_strdup(name), .type = type_of(name) };
    s->n++;
    if (f->name == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = read_bytes(fd, &f->form[HTTP_IDENTITY], n, path, e);
    if (rv != 0)
        return rv;
    s->n_bytes += n;
    set_etag(&f->form[HTTP_IDENTITY]);
    return 0;
}

static int read_dir(struct http_static *s, const char *dir, const char *prefix, unsigned depth, struct err *e);

static int read_entry(struct http_static *s, const char *path, const char *name, unsigned depth, struct err *e)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    int rv = 0;

    if (fd < 0)
        return errno == ELOOP ? 0 : err_set(e, &ERR_IO, "open %s: %s", path, strerror(errno));
    if (fstat(fd, &st) != 0)
        rv = err_set(e, &ERR_IO, "stat %s: %s", path, strerror(errno));
    else if (S_ISREG(st.st_mode))
        rv = add_file(s, path, name, fd, (size_t)st.st_size, e);
    else if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH)
        rv = read_dir(s, path, name, depth + 1, e);
    (void)close(fd);
    return rv;
}

static int read_dir(struct http_static *s, const char *dir, const char *prefix, unsigned depth, struct err *e)
{
    DIR *d = opendir(dir);
    struct dirent *entry;
    int rv = 0;

    if (d == NULL)
        return err_set(e, &ERR_IO, "open %s: %s", dir, strerror(errno));
    while (rv == 0 && (entry = readdir(d)) != NULL) {
        struct str path, name;

        if (entry->d_name[0] == '.')
            continue;
        str_init(&path, NULL);
        str_init(&name, NULL);
        str_printf(&path, "%s/%s", dir, entry->d_name);
        str_printf(&name, "%s%s%s", prefix, prefix[0] != '\0' ? "/" : "", entry->d_name);
        if (str_failed(&path) || str_failed(&name))
            rv = err_set(e, &ERR_NOMEM, "");
        else
            rv = read_entry(s, str_c(&path), str_c(&name), depth, e);
        str_fini(&path);
        str_fini(&name);
    }
    (void)closedir(d);
    return rv;
}

/* ---- compressed forms ----------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static struct file *find_file(const struct http_static *s, const char *name)
{
    struct file key = { .name = (char *)(uintptr_t)name };

    return s->n > 0 ? bsearch(&key, s->file, s->n, sizeof key, by_name) : NULL;
}

/* "name.gz" beside "name" becomes a form of it and is not a file of its own any more. Strong ETags differ from form to form. */
static void attach_forms(struct http_static *s, enum http_coding coding, const char *end)
{
    char name[4096];

    for (unsigned i = 0; i < s->n; i++) {
        struct file *f;

        if (s->file[i].form[HTTP_IDENTITY].bytes == NULL || snprintf(name, sizeof name, "%s%s", s->file[i].name, end) >= (int)sizeof name)
            continue;
        f = find_file(s, name);
        if (f == NULL || f->form[HTTP_IDENTITY].bytes == NULL)
            continue;
        s->file[i].form[coding] = f->form[HTTP_IDENTITY];
        f->form[HTTP_IDENTITY] = (struct form){ .bytes = NULL };
    }
}

int http_static_new(const char *dir, struct http_static **out, struct err *e)
{
    struct http_static *s = mem_zalloc(sizeof *s);
    int rv;

    if (s == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = read_dir(s, dir, "", 0, e);
    if (rv != 0) {
        http_static_free(s);
        return rv;
    }
    if (s->n > 0)
        qsort(s->file, s->n, sizeof *s->file, by_name);
    attach_forms(s, HTTP_GZIP, ".gz");
    attach_forms(s, HTTP_ZSTD, ".zst");
    *out = s;
    return 0;
}

void http_static_free(struct http_static *s)
{
    for (unsigned i = 0; s != NULL && i < s->n; i++) {
        for (enum http_coding c = 0; c < HTTP_CODINGS; c++)
            mem_free(s->file[i].form[c].bytes);
        mem_free(s->file[i].name);
    }
    if (s != NULL)
        mem_free(s->file);
    mem_free(s);
}

unsigned http_static_count(const struct http_static *s)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->n; i++)
        n += s->file[i].form[HTTP_IDENTITY].bytes != NULL;
    return n;
}

/* ---- replying ------------------------------------------------------------------------------------------------------- */

static const struct file *resolve(const struct http_static *s, struct slice path)
{
    char name[1024];
    const struct file *f;
    int n = snprintf(name, sizeof name, "%.*s%s", SLICE_FMT(path), path.n == 0 || path.s[path.n - 1] == '/' ? "index.html" : "");

    if (n < 0 || n >= (int)sizeof name || memchr(path.s, '\0', path.n) != NULL)
        return NULL;
    f = find_file(s, name);
    return f != NULL && f->form[HTTP_IDENTITY].bytes != NULL ? f : NULL;
}

static unsigned forms_of(const struct file *f)
{
    unsigned have = 0;

    for (enum http_coding c = 0; c < HTTP_CODINGS; c++)
        have |= f->form[c].bytes != NULL ? 1u << c : 0;
    return have;
}

/* If-None-Match compares weakly: W/ does not matter (RFC 9110 13.1.2). */
static bool is_match(struct slice list, const char *etag)
{
    while (list.n > 0) {
        struct slice tag = slice_trim(slice_cut(&list, ','));

        if (slice_starts(tag, "W/"))
            tag = (struct slice){ tag.s + 2, tag.n - 2 };
        if (slice_is(tag, "*") || slice_is(tag, etag))
            return true;
    }
    return false;
}

static struct slice text(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

int http_static_reply(const struct http_static *s, struct http_request *rq, struct slice path, const char *cache_control,
                      struct err *e)
{
    const struct file *f = resolve(s, path);
    struct http_header h[6];
    enum http_coding coding;
    const struct form *form;
    unsigned n = 0;
    int rv;

    if (f == NULL) {
        rv = err_set(e, &ERR_NOT_FOUND, "file");
        (void)err_arg(e, "%.*s", SLICE_FMT(path));
        return rv;
    }
    coding = http_coding_choose(http_header(rq, "accept-encoding"), forms_of(f));
    form = &f->form[coding];
    h[n++] = (struct http_header){ SLICE("etag"), text(form->etag) };
    h[n++] = (struct http_header){ SLICE("vary"), SLICE("accept-encoding") };
    if (cache_control != NULL)
        h[n++] = (struct http_header){ SLICE("cache-control"), text(cache_control) };
    if (is_match(http_header(rq, "if-none-match"), form->etag))
        return http_reply(rq, 304, h, n, SLICE(""), e);
    h[n++] = (struct http_header){ SLICE("content-type"), text(f->type) };
    h[n++] = (struct http_header){ SLICE("x-content-type-options"), SLICE("nosniff") };
    if (coding != HTTP_IDENTITY)
        h[n++] = (struct http_header){ SLICE("content-encoding"), http_coding_name(coding) };
    return http_reply(rq, 200, h, n, (struct slice){ form->bytes, form->n }, e);
}
