/* SPDX-License-Identifier: Apache-2.0 */
/* Software packages: list, upload, download, delete. Files go through in pieces, in both directions. */
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "api/multipart_stream.h"
#include "api/tables.h"
#include "src/iam/principal.h"
#include "src/io/fiber.h"
#include "src/package/package.h"
#include "src/package/upload.h"
#include "src/store/package_blob.h"
#include "src/task/domains.h"

#define FILES_PATH "/api/v2/files/sys-package/"

/* ---- what a package looks like ------------------------------------------------------------------------------------------------- */

static const struct field host_fields[] = {
    F_INT(package_host, host_id, "hostId", DOC("Id of the host.")),
    F_STRING(package_host, address, "innerIpAddress", DOC("Its address.")),
    F_TIME(package_host, brought_us, "installTime", DOC("When the package was brought there.")),
    FIELD_END,
};

struct package_view {
    struct package p;
    const char *extension, *download_url;
    int deletable;
    struct field_list hosts;
};
static const struct field package_fields[] = {
    F_INT(package_view, p.id, "id", DOC("Id of the package.")),
    F_STRING(package_view, p.name, "name", DOC("Name in its header.")),
    F_STRING(package_view, p.file_name, "fileName", DOC("Name of the file.")),
    F_STRING(package_view, extension, "extension", DOC("What kind of file it is.")),
    F_INT(package_view, p.size, "size", DOC("Bytes.")),
    F_STRING(package_view, p.sha1, "sha1", DOC("SHA-1 of the file, in hex.")),
    F_STRING(package_view, p.sha256, "sha256", DOC("SHA-256 of the file, in hex.")),
    F_STRING(package_view, download_url, "downloadUrl", DOC("Where to fetch the file from; no login is needed.")),
    F_STRING(package_view, p.type, "type", DOC("What it installs.")),
    F_STRING(package_view, p.version, "version", DOC("Version.")),
    F_STRING(package_view, p.build, "buildNumber", DOC("Release without the operating system.")),
    F_STRING(package_view, p.operating_system, "operatingSystem", DOC("Operating system that it is for, as the release says.")),
    F_STRING(package_view, p.architecture, "architecture", DOC("Processor that it is for.")),
    F_BOOL(package_view, deletable, "deletable", DOC("Whether it may be deleted now: no unfinished task uses it, no cluster was installed from it.")),
    F_LIST(package_view, hosts, "installationDataList", package_host, host_fields, DOC("Hosts that were given it.")),
    F_STRING(package_view, p.creator, "creator", DOC("Who has uploaded it.")),
    F_TIME(package_view, p.created_us, "createTime", DOC("When it was uploaded.")),
    FIELD_END,
};

/* The first of the hosts, which are in the order of packages, that has this package or a later one. */
static size_t first_of(const struct package_host *hosts, size_t n, int64_t package_id)
{
    size_t from = 0;

    while (from < n) {
        size_t middle = from + (n - from) / 2;

        if (hosts[middle].package_id < package_id)
            from = middle + 1;
        else
            n = middle;
    }
    return from;
}

static struct field_list hosts_of(struct package_host *hosts, size_t n, int64_t package_id)
{
    size_t from = first_of(hosts, n, package_id);

    return (struct field_list){ hosts + from, first_of(hosts, n, package_id + 1) - from };
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static int views_of(const struct call *c, const struct package *packages, size_t n, struct package_view **out, struct err *e)
{
    struct package_view *views = arena_array(c->arena, n, sizeof *views);
    struct field_ints ids = { arena_array(c->arena, n, sizeof *ids.items), n };
    struct package_host *hosts = NULL;
    struct field_ints used = { NULL, 0 };
    size_t n_hosts;
    int rv;

    if (views == NULL || ids.items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        views[i] = (struct package_view){ packages[i], "rpm", arena_printf(c->arena, FILES_PATH "%s", packages[i].file_name), true, { NULL, 0 } };
        ids.items[i] = packages[i].id;
        if (views[i].download_url == NULL)
            return err_set(e, &ERR_NOMEM, "");
    }
    rv = store_package_hosts(c->db, &ids, c->arena, &hosts, &n_hosts, e);
    if (rv == 0)
        rv = store_packages_used(c->db, &ids, c->arena, &used, e);
    for (size_t i = 0; rv == 0 && i < n; i++) {
        views[i].hosts = hosts_of(hosts, n_hosts, packages[i].id);
        views[i].deletable = used.n == 0 || bsearch(&packages[i].id, used.items, used.n, sizeof *used.items, compare_ids) == NULL;
    }
    *out = views;
    return rv;
}

static int reply_package(struct call *c, const struct package *p, struct err *e)
{
    struct package_view *view;
    int rv = views_of(c, p, 1, &view, e);

    return rv == 0 ? call_object(c, view, e) : rv;
}

/* ---- list and delete ------------------------------------------------------------------------------------------------------------ */

static const struct field list_query[] = {
    F_STRING(package_filter, keyword, "keyword", DOC("Only those with this in their name or file name.")),
    F_STRINGS(package_filter, types, "type", .max = 16, DOC("Only those that install one of these.")),
    F_STRINGS(package_filter, versions, "version", .max = 16, DOC("Only these versions.")),
    F_STRINGS(package_filter, operating_systems, "operatingSystem", .max = 16, DOC("Only those for these operating systems.")),
    F_STRINGS(package_filter, architectures, "architecture", .max = 16, DOC("Only those for these processors.")),
    FIELD_END,
};
static const char *const list_sort[] = { "createTime", "id", "name", "fileName", "version", "size", "type", NULL };

static int api_package_list(struct call *c, struct err *e)
{
    struct store_page page = call_store_page(c);
    struct package_view *views;
    struct package *packages;
    int64_t total;
    size_t n;
    int rv = store_package_list(c->db, c->query, &page, c->arena, &packages, &n, &total, e);

    if (rv == 0)
        rv = views_of(c, packages, n, &views, e);
    return rv == 0 ? call_paged(c, views, n, total, e) : rv;
}

static int api_package_get(struct call *c, struct err *e)
{
    struct package p;
    int rv = package_get(c->db, call_id(c, "id"), c->arena, &p, e);

    return rv == 0 ? reply_package(c, &p, e) : rv;
}

static int api_package_delete(struct call *c, struct err *e)
{
    struct package p = { .file_name = NULL };
    int rv;

    c->object_kind = "PACKAGE";
    c->object_id = call_id(c, "id");
    rv = package_delete(c->api->shared->domains->packages, c->db, c->object_id, c->arena, &p, e);
    c->object_name = p.file_name;
    return rv;
}

/* ---- upload --------------------------------------------------------------------------------------------------------------------- */

struct incoming {
    struct call *call;
    const char *type;                /* what it must be; NULL: any */
    struct multipart_stream *m;
    struct package_upload *upload;   /* NULL until the part with the file begins */
    bool inside;                     /* of that part */
    bool complete;                   /* it has ended */
};

static int malformed(struct err *e)
{
    return err_set(e, &ERR_REQUEST, "the body must be multipart/form-data with the file as the part \"file\"; it is malformed or cut off");
}

/* Fills the window; the body's end before the form's is an error. */
static int fetch(struct incoming *in, struct err *e)
{
    size_t room, n;
    char *to = multipart_stream_room(in->m, &room);
    int rv = http_body_read(in->call->rq, to, room, &n, e);

    if (rv != 0)
        return rv;
    if (n == 0)
        return malformed(e);
    multipart_stream_fill(in->m, n);
    return 0;
}

static int begin_part(struct incoming *in, const struct multipart_part *part, struct err *e)
{
    struct call *c = in->call;
    int64_t length = http_body_length(c->rq);
    struct slice name = package_base_name(part->filename);

    in->inside = in->upload == NULL && slice_is(part->name, "file") && part->filename.s != NULL;
    if (!in->inside)
        return 0;
    c->object_name = arena_strndup(c->arena, name.s, name.n);
    return package_upload_begin(c->api->shared->domains->packages, c->db, part->filename, length, in->type, &in->upload, e);
}

static int receive(struct incoming *in, struct err *e)
{
    struct multipart_part part;
    struct slice data;
    int rv = 0;

    while (rv == 0) {
        switch (multipart_stream_next(in->m, &part, &data)) {
        case MULTIPART_MORE:
            rv = fetch(in, e);
            break;
        case MULTIPART_PART:
            rv = begin_part(in, &part, e);
            break;
        case MULTIPART_DATA:
            rv = in->inside ? package_upload_write(in->upload, data.s, data.n, e) : 0;
            break;
        case MULTIPART_PART_END:
            in->complete = in->complete || in->inside;
            in->inside = false;
            break;
        case MULTIPART_END:
            return in->complete ? 0 : err_set(e, &ERR_REQUEST, "the form has no part \"file\" with a file name");
        case MULTIPART_BAD:
            return malformed(e);
        }
    }
    return rv;
}

/* Many clients read no reply before they have sent everything: what is refused is taken in to its end and thrown away. */
static void discard_rest(struct incoming *in)
{
    size_t n = 1;

    while (n > 0 && http_body_read(in->call->rq, in->m->window, sizeof in->m->window, &n, NULL) == 0)
        continue;
}

static int upload(struct call *c, const char *type, struct err *e)
{
    struct incoming in = { .call = c, .type = type, .m = mem_alloc(sizeof *in.m) };
    struct package p;
    int rv;

    c->object_kind = "PACKAGE";
    if (in.m == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = multipart_stream_init(in.m, http_header(c->rq, "content-type")) ? receive(&in, e) : malformed(e);
    if (rv == 0)
        rv = package_upload_finish(in.upload, c->user->name, c->arena, &p, e);
    package_upload_free(in.upload);
    if (rv != 0)
        discard_rest(&in);
    mem_free(in.m);
    if (rv != 0)
        return rv;
    c->object_id = p.id;
    return reply_package(c, &p, e);
}

/* How long a file takes is the client's doing; that it comes at all, http_body_read sees to (settings http.body_timeout). */
static int api_package_create(struct call *c, struct err *e)
{
    int64_t former = fiber_deadline();
    int rv;

    fiber_restore_deadline(INT64_MAX);
    rv = upload(c, NULL, e);
    fiber_restore_deadline(former);
    return rv;
}

/* Names of OCP 2.4; the second is what it called the agent. */
static const char *const legacy_types[] = { "OB_SERVER_INSTALL_PACKAGE", "OB_AGENT_INSTALL_PACKAGE", "OCP_AGENT_INSTALL_PACKAGE",
                                            "OBPROXY_INSTALL_PACKAGE", "OB_BACKUP_AGENT_INSTALL_PACKAGE", "OTHERS_RPM", "SCRIPT", NULL };
static const char *const legacy_means[] = { "OB_SERVER_INSTALL_PACKAGE", "OCP_AGENT_INSTALL_PACKAGE", "OCP_AGENT_INSTALL_PACKAGE",
                                            "OBPROXY_INSTALL_PACKAGE", "OB_BACKUP_AGENT_INSTALL_PACKAGE", "OTHERS_RPM", "SCRIPT" };
struct legacy_query {
    int type;
};
static const struct field legacy_fields[] = {
    F_ENUM(legacy_query, type, "type", legacy_types, .flags = FIELD_REQUIRED, DOC("What the file is; scripts are not taken.")),
    FIELD_END,
};

static int api_file_upload(struct call *c, struct err *e)
{
    const struct legacy_query *q = c->query;
    int64_t former = fiber_deadline();
    int rv;

    fiber_restore_deadline(INT64_MAX);
    rv = upload(c, legacy_means[q->type], e);
    fiber_restore_deadline(former);
    return rv;
}

/* ---- download ------------------------------------------------------------------------------------------------------------------- */

/* The first chunk was read: what cannot be read at all is told as an error. */
static int send_chunks(struct call *c, const struct package *p, struct slice first, struct err *e)
{
    struct slice chunk = first;
    struct arena arena;
    int rv;

    if (slice_is(c->rq->method, "HEAD"))
        return http_reply_end(c->rq, e);
    rv = http_reply_write(c->rq, first.s, first.n, e);
    for (int64_t i = 1; rv == 0 && i * PACKAGE_CHUNK_BYTES < p->size; i++) {
        arena_init(&arena);
        rv = package_read(c->api->shared->domains->packages, c->db, p, i, &arena, &chunk, e);
        if (rv == 0)
            rv = http_reply_write(c->rq, chunk.s, chunk.n, e);
        arena_fini(&arena);
    }
    return rv == 0 ? http_reply_end(c->rq, e) : rv;
}

static int send_package(struct call *c, const struct package *p, struct err *e)
{
    const char *etag = arena_printf(c->arena, "\"%s\"", p->sha256);
    struct http_header headers[] = {
        { SLICE("content-type"), SLICE("application/x-rpm") },
        { SLICE("x-content-type-options"), SLICE("nosniff") },
        { SLICE("etag"), { etag, etag != NULL ? strlen(etag) : 0 } },
    };
    unsigned n = sizeof headers / sizeof headers[0];
    struct slice first;
    int rv;

    if (etag == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (call_holds(c, headers[2].value))
        return http_reply(c->rq, 304, headers, n, SLICE(""), e);
    rv = package_read(c->api->shared->domains->packages, c->db, p, 0, c->arena, &first, e);
    if (rv == 0)
        rv = http_reply_begin(c->rq, 200, headers, n, p->size, e);
    return rv == 0 ? send_chunks(c, p, first, e) : rv;
}

static int api_package_download(struct call *c, struct err *e)
{
    int64_t former = fiber_deadline();
    struct package p;
    int rv = package_get_named(c->db, call_text(c, "fileName"), c->arena, &p, e);

    if (rv != 0)
        return rv;
    fiber_restore_deadline(INT64_MAX); /* http_reply_write ends with a client that takes nothing any more */
    rv = send_package(c, &p, e);
    fiber_restore_deadline(former);
    return rv;
}

#define TAG .tag = "Packages"
#define OUT ROUTE_OUT(package_view, package_fields)

const struct route package_routes[] = {
    ROUTE("software-packages-list", "GET", "/api/v2/software-packages", "PACKAGE:*:READ", api_package_list, REPLY_PAGED, ROUTE_DOCUMENTED,
          "List the software packages.", TAG, ROUTE_QUERY(package_filter, list_query), OUT, .sort = list_sort),
    ROUTE("software-package-create", "POST", "/api/v2/software-packages", "PACKAGE:*:CREATE", api_package_create, REPLY_OBJECT, ROUTE_DOCUMENTED,
          "Upload a software package: an RPM as the part file of a form.", TAG, .flags = ROUTE_BODY_RAW | ROUTE_SLOW, OUT),
    ROUTE("software-package-get", "GET", "/api/v2/software-packages/{id}", "PACKAGE:*:READ", api_package_get, REPLY_OBJECT, ROUTE_OWN,
          "Show a software package.", TAG, OUT),
    ROUTE("software-package-delete", "DELETE", "/api/v2/software-packages/{id}", "PACKAGE:*:DELETE", api_package_delete, REPLY_NONE, ROUTE_DOCUMENTED,
          "Delete a software package that no task uses.", TAG),
    ROUTE("sys-package-file-get", "GET", FILES_PATH "{fileName}", PERM_PUBLIC, api_package_download, REPLY_OWN, ROUTE_ADDITIONAL,
          "Download the file of a software package.", TAG, .flags = ROUTE_SLOW),
    ROUTE("file-upload-legacy", "POST", "/api/v2/files/uploadFile", "PACKAGE:*:CREATE", api_file_upload, REPLY_OBJECT, ROUTE_ADDITIONAL,
          "Upload a software package, saying what it is.", TAG, .flags = ROUTE_BODY_RAW | ROUTE_SLOW, ROUTE_QUERY(legacy_query, legacy_fields), OUT),
    ROUTE_END,
};
