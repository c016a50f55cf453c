/* SPDX-License-Identifier: Apache-2.0 */
/* Files are kept compressed, as the build compressed them; a client that takes no gzip has them inflated. Names of files hold a hash
 * of what is in them, so browsers may keep them for ever. The index page is sent anew each time, with a nonce of that reply
 * for the style elements that the console makes: everything else in it comes from this server by name. */
#include "api/console.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "api/api.h"
#include "src/base/json.h"
#include "src/io/http_encode.h"

#define NONCE_MARK "nonce-of-this-reply"
#define FILE_PREFIX "/assets/"

enum { MAX_FILE = 16 * 1024 * 1024 - 1, NONCE_BYTES = 16, GZIP_WINDOW = 15 + 16 };

struct file {
    const char *name;        /* below FILE_PREFIX */
    struct slice type, bytes;
    struct slice etag;
    bool gzip;
};

struct console {
    struct arena arena;      /* holds everything below but the router */
    struct router *router;
    struct file *files;      /* sorted by name */
    size_t n_files;
    struct slice index[2];   /* before and after the nonce */
};

/* ---- replies ------------------------------------------------------------------------------------------------------- */

#define NEVER_SNIFF { SLICE("x-content-type-options"), SLICE("nosniff") }

static int reply(struct call *c, int status, const struct http_header *headers, unsigned n, struct slice body)
{
    (void)http_reply(c->rq, status, headers, n, body, NULL); /* a client that left needs no answer */
    return 0;
}

static int reply_page(struct call *c, int status, const char *style, struct slice body, struct err *e)
{
    char *csp = arena_printf(c->arena,
                             "default-src 'none'; script-src 'self'; style-src 'self'%s; img-src 'self' data:; font-src 'self'; "
                             "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'", style);
    struct http_header headers[] = {
        { SLICE("content-type"), SLICE("text/html; charset=utf-8") },
        { SLICE("cache-control"), SLICE("no-cache") },
        { SLICE("content-security-policy"), { csp, csp != NULL ? strlen(csp) : 0 } },
        NEVER_SNIFF,
        { SLICE("x-frame-options"), SLICE("DENY") },
        { SLICE("referrer-policy"), SLICE("same-origin") },
        { SLICE("cross-origin-opener-policy"), SLICE("same-origin") },
    };

    return csp != NULL ? reply(c, status, headers, sizeof headers / sizeof *headers, body) : err_set(e, &ERR_NOMEM, "");
}

static int get_index(struct call *c, struct err *e)
{
    const struct console *console = c->api->shared->console;
    unsigned char random[NONCE_BYTES];
    struct str nonce, body;
    const char *style;

    if (RAND_bytes(random, sizeof random) != 1)
        return err_set(e, &ERR_UNEXPECTED, "no random numbers");
    str_init(&nonce, c->arena);
    str_init(&body, c->arena);
    str_add_hex(&nonce, random, sizeof random);
    style = arena_printf(c->arena, " 'nonce-%s'", str_c(&nonce));
    str_add_n(&body, console->index[0].s, console->index[0].n);
    str_add(&body, str_c(&nonce));
    str_add_n(&body, console->index[1].s, console->index[1].n);
    if (style == NULL || str_failed(&nonce) || str_failed(&body))
        return err_set(e, &ERR_NOMEM, "");
    return reply_page(c, 200, style, (struct slice){ body.s, body.n }, e);
}

static int get_absent(struct call *c, struct err *e)
{
    static const struct slice pages[] = {
        [ERR_EN] = SLICE("<!doctype html><html lang=\"en\"><title>No console</title><h1>The console is not installed</h1>"
                         "<p>This ocp-server was built without its web console. Install Node.js 18 or newer and npm, then configure and "
                         "build it again (the release tarball has the console built already), or name the folder of a built console in "
                         "the setting http.console_dir.</p><p><a href=\"/api/v2/docs\">The API works, and has a page of its own.</a></p>"
                         "</html>\n"),
        [ERR_ZH] = SLICE("<!doctype html><html lang=\"zh\"><meta charset=\"utf-8\"><title>未安装控制台</title><h1>未安装控制台</h1>"
                         "<p>此 ocp-server 构建时未包含 Web 控制台。请安装 Node.js 18 或更高版本以及 npm 后重新 configure 并构建（发布包中已包含"
                         "构建好的控制台），或通过配置项 http.console_dir 指定控制台所在目录。</p>"
                         "<p><a href=\"/api/v2/docs\">API 可正常使用，并有独立的页面。</a></p></html>\n"),
    };

    return reply_page(c, 404, "", pages[c->style.lang], e);
}

static int by_name(const void *a, const void *b)
{
    const struct file *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static struct slice inflate_into(struct arena *arena, struct slice packed)
{
    const unsigned char *end = (const unsigned char *)packed.s + packed.n;
    size_t size = packed.n >= 4 ? (size_t)end[-4] | (size_t)end[-3] << 8 | (size_t)end[-2] << 16 : 0; /* RFC 1952 2.3.1: ISIZE */
    z_stream z = { .next_in = (Bytef *)(uintptr_t)packed.s, .avail_in = (uInt)packed.n };
    char *out = arena_alloc(arena, size + 1);
    struct slice got = { NULL, 0 };

    if (out == NULL || inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return got;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)size + 1;
    if (inflate(&z, Z_FINISH) == Z_STREAM_END)
        got = (struct slice){ out, z.total_out };
    (void)inflateEnd(&z); /* complains only about a broken z */
    return got;
}

static int reply_file(struct call *c, const struct file *f, bool gzip, struct err *e)
{
    struct http_header headers[] = {
        { SLICE("content-type"), f->type },
        { SLICE("etag"), f->etag },
        { SLICE("cache-control"), SLICE("public, max-age=31536000, immutable") },
        { SLICE("vary"), SLICE("accept-encoding") },
        NEVER_SNIFF,
        { SLICE("content-encoding"), SLICE("gzip") },
    };
    unsigned n = sizeof headers / sizeof *headers - (gzip ? 0 : 1);
    struct slice body;

    if (call_holds(c, f->etag))
        return reply(c, 304, headers, n, SLICE(""));
    body = gzip || !f->gzip ? f->bytes : inflate_into(c->arena, f->bytes);
    return body.s != NULL ? reply(c, 200, headers, n, body) : err_set(e, &ERR_NOMEM, "");
}

static int get_file(struct call *c, struct err *e)
{
    const struct console *console = c->api->shared->console;
    struct file wanted = { .name = call_text(c, "file") };
    const struct file *f = bsearch(&wanted, console->files, console->n_files, sizeof *f, by_name);

    if (f == NULL)
        return err_set(e, &ERR_ROUTE_UNKNOWN, "%.*s", SLICE_FMT(c->rq->path));
    return reply_file(c, f, f->gzip && http_coding_choose(http_header(c->rq, "accept-encoding"), 1u << HTTP_GZIP) == HTTP_GZIP, e);
}

/* ---- loading ------------------------------------------------------------------------------------------------------- */

/* The whole file `dir`/`name`, at most MAX_FILE bytes. */
static int read_file(struct arena *arena, const char *dir, const char *name, struct slice *out, struct err *e)
{
    char *path = arena_printf(arena, "%s/%s", dir, name), *bytes = NULL;
    struct stat about;
    ssize_t got = -1;
    int fd, rv;

    if (path == NULL)
        return err_set(e, &ERR_NOMEM, "");
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && errno == ENOENT) {
        (void)err_set(e, &ERR_NOT_FOUND, "file");
        return err_arg(e, "%s", path);
    }
    if (fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode) && about.st_size <= MAX_FILE) {
        bytes = arena_alloc(arena, (size_t)about.st_size + 1);
        got = bytes != NULL ? read(fd, bytes, (size_t)about.st_size) : -1; /* a whole regular file of this size comes at once */
    }
    *out = (struct slice){ bytes, got > 0 ? (size_t)got : 0 };
    rv = bytes != NULL && got == about.st_size ? 0 : err_set(e, &ERR_IO, "%s cannot be read", path);
    if (fd >= 0)
        (void)close(fd); /* it was only read */
    return rv;
}

static int broken(struct err *e, const char *what)
{
    return err_set(e, &ERR_REQUEST, "console.json: %s; install the console again", what);
}

static int load_index(struct console *c, const char *dir, struct err *e)
{
    struct slice page;
    const char *mark;
    int rv = read_file(&c->arena, dir, "index.html", &page, e);

    if (rv != 0)
        return rv;
    mark = memmem(page.s, page.n, NONCE_MARK, strlen(NONCE_MARK));
    if (mark == NULL)
        return broken(e, "index.html has no place for the nonce");
    c->index[0] = (struct slice){ page.s, (size_t)(mark - page.s) };
    c->index[1] = (struct slice){ mark + strlen(NONCE_MARK), page.n - c->index[0].n - strlen(NONCE_MARK) };
    return 0;
}

/* One entry {"name", "stored", "type", "gzip"} of "files". */
static int load_file(struct console *c, const char *dir, const json_t *entry, struct file *f, struct err *e)
{
    const char *name = json_string_value(json_object_get(entry, "name"));
    const char *stored = json_string_value(json_object_get(entry, "stored"));
    const char *type = json_string_value(json_object_get(entry, "type"));
    char *etag;
    int rv;

    if (name == NULL || stored == NULL || type == NULL)
        return broken(e, "a file without name, stored or type");
    rv = read_file(&c->arena, dir, stored, &f->bytes, e);
    if (rv != 0)
        return rv;
    f->gzip = json_is_true(json_object_get(entry, "gzip"));
    f->name = arena_strdup(&c->arena, name);
    f->type = (struct slice){ arena_strdup(&c->arena, type), strlen(type) };
    etag = arena_printf(&c->arena, "W/\"%016" PRIx64 "\"", (uint64_t)XXH3_64bits(f->bytes.s, f->bytes.n));
    if (f->name == NULL || f->type.s == NULL || etag == NULL)
        return err_set(e, &ERR_NOMEM, "");
    f->etag = (struct slice){ etag, strlen(etag) };
    return 0;
}

static int load_files(struct console *c, const char *dir, const json_t *entries, struct err *e)
{
    int rv = 0;

    c->n_files = json_array_size(entries);
    c->files = arena_array(&c->arena, c->n_files + 1, sizeof *c->files);
    if (c->files == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < c->n_files; i++)
        rv = load_file(c, dir, json_array_get(entries, i), &c->files[i], e);
    if (rv == 0)
        qsort(c->files, c->n_files, sizeof *c->files, by_name);
    return rv;
}

/* "/cluster/:id" of the console is "/cluster/{id}" here. NULL when memory is out. */
static const char *route_path(struct arena *arena, const char *declared)
{
    struct slice rest = { declared + 1, strlen(declared) - 1 };
    struct str t;

    str_init(&t, arena);
    str_add_c(&t, '/');
    while (rest.n > 0) {
        struct slice segment = slice_cut(&rest, '/');

        if (segment.s[0] == ':')
            str_printf(&t, "{%.*s}", (int)segment.n - 1, segment.s + 1);
        else
            str_add_n(&t, segment.s, segment.n);
        if (rest.n > 0)
            str_add_c(&t, '/');
    }
    return str_failed(&t) ? NULL : str_c(&t);
}

#define PAGE(PATH, HANDLE) ROUTE("console", "GET", PATH, PERM_PUBLIC, HANDLE, REPLY_OWN, ROUTE_OWN, "A page of the console.")

static int make_router(struct console *c, const struct route *rows, struct err *e)
{
    const struct route *const tables[] = { rows, NULL };

    return router_new(tables, &c->router, e);
}

static int load_routes(struct console *c, const json_t *paths, struct err *e)
{
    size_t n = json_array_size(paths);
    struct route *rows = arena_array(&c->arena, n + 2, sizeof *rows);

    if (rows == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        const char *path = json_string_value(json_array_get(paths, i));

        if (path == NULL || path[0] != '/')
            return broken(e, "a route that is no path");
        path = route_path(&c->arena, path);
        if (path == NULL)
            return err_set(e, &ERR_NOMEM, "");
        rows[i] = (struct route)PAGE(path, get_index);
    }
    rows[n] = (struct route)PAGE(FILE_PREFIX "{file}", get_file);
    return make_router(c, rows, e);
}

static int load(struct console *c, const char *dir, struct err *e)
{
    json_t *list = NULL;
    struct slice text;
    int rv = read_file(&c->arena, dir, "console.json", &text, e);

    if (rv == 0)
        rv = json_parse(text, &list, e);
    if (rv == 0)
        rv = load_index(c, dir, e);
    if (rv == 0)
        rv = load_files(c, dir, json_object_get(list, "files"), e);
    if (rv == 0)
        rv = load_routes(c, json_object_get(list, "routes"), e);
    json_decref(list);
    return rv;
}

static int absent(struct console *c, const char *dir, struct err *e)
{
    static const struct route rows[] = { PAGE("/", get_absent), PAGE("/login", get_absent), ROUTE_END };

    (void)dir;
    return make_router(c, rows, e);
}

static int make(int (*fill)(struct console *c, const char *dir, struct err *e), const char *dir, struct console **out, struct err *e)
{
    struct console *c = mem_zalloc(sizeof *c);
    int rv;

    if (c == NULL)
        return err_set(e, &ERR_NOMEM, "");
    arena_init(&c->arena);
    rv = fill(c, dir, e);
    if (rv != 0) {
        console_free(c);
        return err_wrap(e, "load the console");
    }
    *out = c;
    return 0;
}

int console_load(const char *dir, struct console **out, struct err *e)
{
    return make(load, dir, out, e);
}

int console_absent(struct console **out, struct err *e)
{
    return make(absent, "", out, e);
}

void console_free(struct console *c)
{
    if (c == NULL)
        return;
    router_free(c->router);
    arena_fini(&c->arena);
    mem_free(c);
}

void console_find(const struct console *c, struct slice method, struct slice path, struct route_match *m)
{
    router_find(c->router, method, path, m);
}
