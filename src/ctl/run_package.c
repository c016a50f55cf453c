/* SPDX-License-Identifier: Apache-2.0 */
/* Software packages. Files go through in pieces. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/ctl/ctl.h"

#define PACKAGES "/api/v2/software-packages"

enum { BOUNDARY_BYTES = 16 };

/* ---- upload --------------------------------------------------------------------------------------------------------------------- */

/* A form: what comes before the file, the file, what comes after it. */
struct form {
    FILE *file;
    const char *before, *after;
    size_t n_before, n_after, n_file;
    size_t at;                       /* of the whole */
};

static size_t copy_text(const char *text, size_t n_text, size_t from, char *to, size_t n)
{
    size_t left = n_text - from;

    left = left < n ? left : n;
    memcpy(to, text + from, left);
    return left;
}

static size_t read_form(void *data, char *to, size_t n)
{
    struct form *f = data;
    size_t end = f->n_before + f->n_file, got;

    if (f->at < f->n_before)
        got = copy_text(f->before, f->n_before, f->at, to, n);
    else if (f->at < end)
        got = fread(to, 1, n < end - f->at ? n : end - f->at, f->file);
    else
        got = copy_text(f->after, f->n_after, f->at - end, to, n);
    f->at += got;
    return got;
}

static bool rewind_form(void *data)
{
    struct form *f = data;

    f->at = 0;
    return fseek(f->file, 0, SEEK_SET) == 0;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

static int file_error(const char *path, struct err *e)
{
    return err_set(e, &ERR_IO, "%s: %s", path, strerror(errno));
}

/* Opens the file, which must be an ordinary one: its length is announced. */
static int open_file(const char *path, struct form *f, struct err *e)
{
    struct stat st;

    f->file = fopen(path, "re");
    if (f->file == NULL || fstat(fileno(f->file), &st) != 0)
        return file_error(path, e);
    if (!S_ISREG(st.st_mode))
        return err_set(e, &ERR_INVALID, "%s is no file", path);
    f->n_file = (size_t)st.st_size;
    return 0;
}

static int frame_form(struct ctl *c, struct form *f, const char *name, const char **type, struct err *e)
{
    unsigned char random[BOUNDARY_BYTES];
    struct str boundary;

    if (strpbrk(name, "\"\r\n\\") != NULL)
        return err_set(e, &ERR_INVALID, "%s: a package cannot be called so", name);
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        return err_set(e, &ERR_IO, "getrandom");
    str_init(&boundary, &c->arena);
    str_add_hex(&boundary, random, sizeof random);
    f->before = arena_printf(&c->arena, "--%s\r\nContent-Disposition: form-data; name=\"file\"; filename=\"%s\"\r\nContent-Type: application/x-rpm\r\n\r\n",
                             str_c(&boundary), name);
    f->after = arena_printf(&c->arena, "\r\n--%s--\r\n", str_c(&boundary));
    *type = arena_printf(&c->arena, "multipart/form-data; boundary=%s", str_c(&boundary));
    if (str_failed(&boundary) || f->before == NULL || f->after == NULL || *type == NULL)
        return err_set(e, &ERR_NOMEM, "");
    f->n_before = strlen(f->before);
    f->n_after = strlen(f->after);
    return 0;
}

static int upload(struct ctl *c, struct form *f, const char *name, struct err *e)
{
    struct http_stream stream = { .read = read_form, .rewind = rewind_form, .data = f };
    const json_t *data;
    const char *type = NULL, *sentence;
    json_t *root;
    int rv = frame_form(c, f, name, &type, e);

    stream.bytes = (int64_t)(f->n_before + f->n_file + f->n_after);
    if (rv == 0)
        rv = remote_upload(c->remote, PACKAGES, &stream, type, &c->arena, &root, &data, e);
    if (rv != 0)
        return rv;
    sentence = arena_printf(&c->arena, "Package %" JSON_INTEGER_FORMAT " uploaded.", json_integer_value(json_object_get(data, "id")));
    rv = sentence != NULL ? ctl_done(c, data, sentence, e) : err_set(e, &ERR_NOMEM, "");
    json_decref(root);
    return rv;
}

int ctl_package_upload(struct ctl *c, struct err *e)
{
    const char *path = ctl_operand(c, 0);
    struct form f = { .file = NULL };
    int rv = open_file(path, &f, e);

    if (rv == 0)
        rv = upload(c, &f, base_name(path), e);
    if (f.file != NULL)
        (void)fclose(f.file); /* only read from */
    return rv;
}

/* ---- download ------------------------------------------------------------------------------------------------------------------- */

static bool write_file(void *data, const char *bytes, size_t n)
{
    return fwrite(bytes, 1, n, data) == n;
}

/* What was fetched only in part is removed. */
static int download(struct ctl *c, const char *url, const char *path, struct err *e)
{
    FILE *file = fopen(path, "wxe");
    struct http_stream stream = { .write = write_file, .data = file };
    int rv;

    if (file == NULL)
        return file_error(path, e);
    rv = remote_download(c->remote, url, &stream, &c->arena, e);
    if (fclose(file) != 0 && rv == 0)
        rv = file_error(path, e);
    if (rv != 0)
        (void)unlink(path); /* it was made here */
    return rv;
}

int ctl_package_download(struct ctl *c, struct err *e)
{
    const char *path = ctl_option(c, OPT_OUT), *url, *place;
    const json_t *data;
    json_t *root = NULL;
    int rv = ctl_path(c, PACKAGES "/{PACKAGE}", &place, e);

    if (rv == 0)
        rv = remote_data(c->remote, "GET", place, NULL, &c->arena, &root, &data, e);
    if (rv != 0)
        return rv;
    url = json_string_value(json_object_get(data, "downloadUrl"));
    if (path == NULL)
        path = json_string_value(json_object_get(data, "fileName"));
    if (url == NULL || path == NULL || path[0] == '\0' || (ctl_option(c, OPT_OUT) == NULL && strchr(path, '/') != NULL))
        rv = err_set(e, &ERR_UNEXPECTED, "the server names no file");
    if (rv == 0)
        rv = download(c, url, path, e);
    if (rv == 0)
        rv = ctl_done(c, data, path, e);
    json_decref(root);
    return rv;
}

int ctl_package_delete(struct ctl *c, struct err *e)
{
    const json_t *data;
    const char *path;
    json_t *root = NULL;
    int rv = ctl_path(c, PACKAGES "/{PACKAGE}", &path, e);

    if (rv == 0)
        rv = remote_data(c->remote, "DELETE", path, NULL, &c->arena, &root, &data, e);
    if (rv == 0)
        rv = ctl_done(c, data, "Package deleted.", e);
    json_decref(root);
    return rv;
}
