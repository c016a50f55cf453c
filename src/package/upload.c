/* SPDX-License-Identifier: Apache-2.0 */
/*  begin: row WRITING, place --> chunks: digest (pool) and write --> finish: row STORED and the package, in one transaction
 *            |                     |                                   |
 *            |                     the header is complete: librpm reads it, and it is judged
 *            '---------------------'------------------- free ----------'--> not finished: row CONDEMNED, bytes removed
 *
 * The chunk belongs to the job that digests it: a fiber that gives up waiting for the pool leaves the job to the pool. */
#include "src/package/upload.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "src/io/fiber.h"
#include "src/io/rpm.h"
#include "src/package/frame.h"
#include "src/package/place.h"

enum { CLEAN_UP_MS = 2000, GROW_BYTES = 64 * 1024 * 1024, SHA1_SIZE = 20, SHA256_SIZE = 32, N_DIGESTS = 3 };
enum { FILE_SHA1, FILE_SHA256, PAYLOAD_SHA256 };

/* One chunk, and what goes along from chunk to chunk. */
struct chunk_job {
    struct work work;
    EVP_MD_CTX *digest[N_DIGESTS];
    int fd;                     /* where it is written to; -1: the fiber writes it into MetaDB */
    int64_t number;
    size_t n, payload_at;       /* bytes in the chunk, and where the payload begins in it */
    bool last;                  /* the file is on the disk when the job is done */
    bool failed;                /* a digest could not be made */
    int error;                  /* errno of writing */
    char bytes[PACKAGE_CHUNK_BYTES];
};

struct header_job {
    struct work work;
    struct str bytes;           /* owned */
    struct rpm_facts facts;
    int rv;
    struct err e;
};

struct package_upload {
    struct packages *packages;
    struct db *db;
    struct chunk_job *job;      /* NULL: the pool has it */
    struct str header;          /* the file's first bytes, until its header was read */
    bool judged, begun, finished;
    struct package_frame frame;
    struct rpm_facts facts;
    struct package package;     /* as far as it is known; text below or in facts */
    char file_name[RPM_TEXT_SIZE];
    char build[RPM_TEXT_SIZE], operating_system[RPM_TEXT_SIZE];
    const char *type;           /* that it must have; NULL: any */
    int64_t size, reserved;     /* bytes that came; that may come without asking */
};

/* ---- on the pool ------------------------------------------------------------------------------------------------------------- */

static bool digest(EVP_MD_CTX *c, const char *bytes, size_t n)
{
    return n == 0 || EVP_DigestUpdate(c, bytes, n) == 1;
}

static bool write_at(int fd, const char *bytes, size_t n, off_t at)
{
    while (n > 0) {
        ssize_t done = pwrite(fd, bytes, n, at);

        if (done < 0 && errno != EINTR)
            return false;
        if (done > 0) {
            bytes += done;
            at += done;
            n -= (size_t)done;
        }
    }
    return true;
}

static void run_chunk(struct work *w)
{
    struct chunk_job *j = (struct chunk_job *)w;

    j->failed = !digest(j->digest[FILE_SHA1], j->bytes, j->n) || !digest(j->digest[FILE_SHA256], j->bytes, j->n) ||
                !digest(j->digest[PAYLOAD_SHA256], j->bytes + j->payload_at, j->n - j->payload_at);
    if (j->fd < 0)
        return;
    if (!write_at(j->fd, j->bytes, j->n, (off_t)(j->number * PACKAGE_CHUNK_BYTES)) || (j->last && fsync(j->fd) != 0))
        j->error = errno;
}

static void drop_chunk(struct work *w)
{
    struct chunk_job *j = (struct chunk_job *)w;

    for (unsigned i = 0; i < N_DIGESTS; i++)
        EVP_MD_CTX_free(j->digest[i]);
    if (j->fd >= 0)
        (void)close(j->fd); /* what had to be on the disk was synced */
    mem_free(j);
}

static void run_header(struct work *w)
{
    struct header_job *j = (struct header_job *)w;

    j->rv = rpm_read(j->bytes.s, j->bytes.n, &j->facts, &j->e);
}

static void drop_header(struct work *w)
{
    struct header_job *j = (struct header_job *)w;

    str_fini(&j->bytes);
    mem_free(j);
}

/* ---- judging ----------------------------------------------------------------------------------------------------------------- */

static int exists(const struct package_upload *u, const struct package *other, struct err *e)
{
    const struct package *p = &u->package;

    if (strcmp(other->name, p->name) != 0 || strcmp(other->version, p->version) != 0 || strcmp(other->build, p->build) != 0 ||
        strcmp(other->operating_system, p->operating_system) != 0 || strcmp(other->architecture, p->architecture) != 0)
        return err_set(e, &ERR_FILE_EXISTS, "%s", p->file_name);
    (void)err_set(e, &ERR_PACKAGE_EXISTS, "%s-%s-%s.%s", p->name, p->version, u->facts.release, p->architecture);
    return err_arg(e, "%s", other->file_name);
}

static int check_new(struct package_upload *u, struct err *e)
{
    struct package *other;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = store_package_find_like(u->db, &u->package, &arena, &other, e);
    if (rv == 0 && other != NULL)
        rv = exists(u, other, e);
    arena_fini(&arena);
    return rv;
}

static int check_type(const struct package_upload *u, int type, struct err *e)
{
    if (type < 0)
        return err_set(e, &ERR_PACKAGE_FOREIGN, "%s", u->facts.name);
    if (u->type == NULL || strcmp(u->type, package_type_names[type]) == 0)
        return 0;
    (void)err_set(e, &ERR_PACKAGE_TYPE, "%s", u->file_name);
    (void)err_arg(e, "%s", package_type_names[type]);
    return err_arg(e, "%s", u->type);
}

static int check_architecture(const struct package_upload *u, struct err *e)
{
    if (!u->facts.source && package_architecture_is_known(u->facts.architecture))
        return 0;
    (void)err_set(e, &ERR_PACKAGE_ARCH, "%s", u->file_name);
    return err_arg(e, "%s", u->facts.source ? "building from sources" : u->facts.architecture);
}

static const char *part(char *to, struct slice from)
{
    memcpy(to, from.s, from.n); /* both are parts of facts.release, which is as large */
    to[from.n] = '\0';
    return to;
}

static int judge(struct package_upload *u, struct err *e)
{
    const struct rpm_facts *f = &u->facts;
    struct slice build, operating_system;
    int type = package_type_of(f->name);
    int rv = check_type(u, type, e);

    if (rv == 0)
        rv = check_architecture(u, e);
    if (rv != 0)
        return rv;
    if (strlen(f->version) > 128 || strlen(f->release) > 128)
        return err_set(e, &ERR_PACKAGE_PARSE, "its version or release has more than 128 characters");
    package_split_release(f->release, &build, &operating_system);
    u->package.name = f->name;
    u->package.version = f->version;
    u->package.build = part(u->build, build);
    u->package.operating_system = part(u->operating_system, operating_system);
    u->package.architecture = f->architecture;
    u->package.type = package_type_names[type];
    return check_new(u, e);
}

/* Takes the header's bytes away from the upload. */
static int read_header(struct package_upload *u, struct err *e)
{
    struct header_job *j = mem_zalloc(sizeof *j);
    int rv;

    if (j == NULL)
        return err_set(e, &ERR_NOMEM, "");
    j->work = (struct work){ .run = run_header, .drop = drop_header };
    j->bytes = u->header;
    j->bytes.n = u->frame.payload_at;
    str_init(&u->header, NULL);
    rv = work_run(u->packages->conf.pool, &j->work, e);
    if (rv != 0)
        return rv;
    rv = j->rv;
    u->facts = j->facts;
    if (rv != 0 && e != NULL)
        *e = j->e;
    drop_header(&j->work);
    return rv;
}

/* Gathers the header; when it is complete it is read and judged. */
static int look(struct package_upload *u, const char *bytes, size_t n, struct err *e)
{
    int rv;

    str_add_n(&u->header, bytes, n);
    if (str_failed(&u->header))
        return err_set(e, &ERR_NOMEM, "");
    switch (package_frame_find(u->header.s, u->header.n, &u->frame)) {
    case PACKAGE_FRAME_MORE:
        return 0;
    case PACKAGE_FRAME_FOREIGN:
        return err_set(e, &ERR_FILE_TYPE, "%s", u->file_name);
    case PACKAGE_FRAME_TOO_LARGE:
        return err_set(e, &ERR_PACKAGE_PARSE, "its header has more than %d bytes", PACKAGE_MAX_HEADER);
    case PACKAGE_FRAME_DONE:
        break;
    }
    rv = read_header(u, e);
    u->judged = rv == 0;
    return rv == 0 ? judge(u, e) : rv;
}

/* ---- writing ----------------------------------------------------------------------------------------------------------------- */

static int64_t quota(const struct packages *p)
{
    return parameter_int(p->conf.parameters, PARAM_OCP_PACKAGE_QUOTA);
}

static int make_room(struct package_upload *u, struct err *e)
{
    int64_t wanted = u->size + GROW_BYTES;
    int rv;

    if (u->size <= u->reserved)
        return 0;
    rv = store_package_blob_grow(u->db, u->package.id, wanted, quota(u->packages), e);
    if (rv == ERR_PACKAGE_QUOTA.code) /* the end may be near */
        rv = store_package_blob_grow(u->db, u->package.id, wanted = u->size, quota(u->packages), e);
    if (rv == 0)
        u->reserved = wanted;
    return rv;
}

/* Where the payload begins in the chunk at hand. */
static size_t payload_in(const struct package_upload *u)
{
    const struct chunk_job *j = u->job;
    int64_t at = (int64_t)u->frame.payload_at - j->number * PACKAGE_CHUNK_BYTES;

    if (!u->judged || at >= (int64_t)j->n)
        return j->n;
    return at > 0 ? (size_t)at : 0;
}

static int flush(struct package_upload *u, bool last, struct err *e)
{
    struct chunk_job *j = u->job;
    int rv = make_room(u, e);

    if (rv != 0)
        return rv;
    j->payload_at = payload_in(u);
    j->last = last;
    u->job = NULL;
    rv = work_run(u->packages->conf.pool, &j->work, e);
    if (rv != 0)
        return rv;
    u->job = j;
    if (j->failed)
        return err_set(e, &ERR_UNEXPECTED, "digest of a package");
    if (j->error != 0)
        return place_failed(u->packages, j->error, e);
    if (j->fd >= 0)
        rv = store_package_blob_touch(u->db, u->package.id, e);
    else if (j->n > 0)
        rv = store_package_chunk_write(u->db, u->packages->conf.schema, u->package.id, j->number, j->bytes, j->n, e);
    j->number++;
    j->n = 0;
    return rv;
}

int package_upload_write(struct package_upload *u, const void *bytes, size_t n, struct err *e)
{
    const char *from = bytes;
    int rv = 0;

    while (rv == 0 && n > 0) {
        struct chunk_job *j = u->job;
        size_t room = PACKAGE_CHUNK_BYTES - j->n;

        room = room < n ? room : n;
        memcpy(j->bytes + j->n, from, room);
        j->n += room;
        u->size += (int64_t)room;
        if (!u->judged)
            rv = look(u, from, room, e);
        from += room;
        n -= room;
        if (rv == 0 && j->n == PACKAGE_CHUNK_BYTES)
            rv = flush(u, false, e);
    }
    return rv;
}

/* ---- the end ----------------------------------------------------------------------------------------------------------------- */

static bool take_hex(EVP_MD_CTX *c, size_t size, char *hex)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (EVP_DigestFinal_ex(c, md, &n) != 1 || n != size)
        return false;
    for (unsigned i = 0; i < n; i++) {
        hex[2 * i] = digits[md[i] >> 4];
        hex[2 * i + 1] = digits[md[i] & 15];
    }
    hex[2 * n] = '\0';
    return true;
}

static int check_whole(const struct package_upload *u, const char *payload_sha256, struct err *e)
{
    int64_t wanted = (int64_t)u->frame.header_at + (int64_t)u->facts.size;

    if (u->facts.size > 0 && u->size < wanted)
        return err_set(e, &ERR_PACKAGE_PARSE, "it is cut off, %lld bytes came of %lld", (long long)u->size, (long long)wanted);
    if (u->facts.size > 0 && u->size > wanted)
        return err_set(e, &ERR_PACKAGE_PARSE, "%lld bytes follow after its end", (long long)(u->size - wanted));
    if (u->facts.payload_sha256[0] != '\0' && strcasecmp(u->facts.payload_sha256, payload_sha256) != 0)
        return err_set(e, &ERR_PACKAGE_PARSE, "its payload does not fit the digest in its header");
    return 0;
}

static int insert(struct tx *tx, void *data, struct err *e)
{
    return store_package_insert(tx, data, e);
}

static int store(struct package_upload *u, struct err *e)
{
    int rv = db_transact(u->db, insert, &u->package, e);

    if (rv != ERR_SQL_DUPLICATE.code)
        return rv;
    rv = check_new(u, e); /* somebody else was faster: who? */
    return rv != 0 ? rv : err_set(e, &ERR_CONFLICT, "package");
}

int package_upload_finish(struct package_upload *u, const char *creator, struct arena *arena, struct package *out, struct err *e)
{
    char sha1[2 * SHA1_SIZE + 1], sha256[2 * SHA256_SIZE + 1], payload[2 * SHA256_SIZE + 1];
    int rv;

    if (!u->judged)
        return err_set(e, &ERR_PACKAGE_PARSE, "it is cut off in its header, after %lld bytes", (long long)u->size);
    rv = flush(u, true, e);
    if (rv != 0)
        return rv;
    if (!take_hex(u->job->digest[FILE_SHA1], SHA1_SIZE, sha1) || !take_hex(u->job->digest[FILE_SHA256], SHA256_SIZE, sha256) ||
        !take_hex(u->job->digest[PAYLOAD_SHA256], SHA256_SIZE, payload))
        return err_set(e, &ERR_UNEXPECTED, "digest of a package");
    rv = check_whole(u, payload, e);
    if (rv != 0)
        return rv;
    u->package.size = u->size;
    u->package.sha1 = sha1;
    u->package.sha256 = sha256;
    u->package.creator = creator;
    rv = store(u, e);
    if (rv != 0)
        return rv;
    u->finished = true;
    return package_get(u->db, u->package.id, arena, out, e);
}

/* ---- begin and clean up -------------------------------------------------------------------------------------------------------- */

static bool make_job(struct package_upload *u)
{
    static const char *const names[N_DIGESTS] = { [FILE_SHA1] = "SHA1", [FILE_SHA256] = "SHA256", [PAYLOAD_SHA256] = "SHA256" };
    struct chunk_job *j = mem_alloc(sizeof *j);
    bool ok = j != NULL;

    if (!ok)
        return false;
    j->work = (struct work){ .run = run_chunk, .drop = drop_chunk };
    j->fd = -1;
    j->number = 0;
    j->n = 0;
    j->error = 0;
    for (unsigned i = 0; i < N_DIGESTS; i++) {
        j->digest[i] = EVP_MD_CTX_new();
        ok = ok && j->digest[i] != NULL && EVP_DigestInit_ex(j->digest[i], EVP_get_digestbyname(names[i]), NULL) == 1;
    }
    u->job = j;
    return ok;
}

static int check_name(struct slice name, struct err *e)
{
    const char *problem = package_file_name_problem(name);

    if (problem != NULL) {
        (void)err_set(e, &ERR_PACKAGE_NAME, "%.*s", SLICE_FMT(name));
        return err_arg(e, "%s", problem);
    }
    return package_is_rpm_name(name) ? 0 : err_set(e, &ERR_FILE_SUFFIX, "%.*s", SLICE_FMT(name));
}

static int begin(struct package_upload *u, int64_t size_hint, struct err *e)
{
    struct packages *p = u->packages;
    struct package_blob blob;
    int rv = db_next_id(u->db, &u->package.id, e);

    if (rv != 0)
        return rv;
    blob = (struct package_blob){ u->package.id, place_now(p) };
    u->package.place = blob.place;
    u->reserved = size_hint >= 0 ? size_hint : 0;
    rv = store_package_blob_begin(u->db, &blob, p->conf.node, u->reserved, quota(p), e);
    if (rv != 0)
        return rv;
    u->begun = true;
    return place_begin(p, u->db, blob.id, &u->job->fd, e);
}

static int start(struct package_upload *u, struct slice name, int64_t size_hint, struct err *e)
{
    int rv = check_name(name, e);

    if (rv != 0)
        return rv;
    memcpy(u->file_name, name.s, name.n); /* check_name has seen to its length */
    u->package.file_name = u->file_name;
    if (!make_job(u))
        return err_set(e, &ERR_NOMEM, "");
    return begin(u, size_hint, e);
}

int package_upload_begin(struct packages *p, struct db *d, struct slice file_name, int64_t size_hint, const char *type,
                         struct package_upload **out, struct err *e)
{
    int64_t most = parameter_int(p->conf.parameters, PARAM_OCP_FILE_MAX_CONCURRENT_COUNT);
    struct package_upload *u = mem_zalloc(sizeof *u);
    int rv;

    if (u == NULL)
        return err_set(e, &ERR_NOMEM, "");
    u->packages = p;
    u->db = d;
    u->type = type;
    str_init(&u->header, NULL);
    rv = atomic_fetch_add(&p->n_uploads, 1) < most ? start(u, package_base_name(file_name), size_hint, e)
                                                   : err_set(e, &ERR_BUSY, "%lld files uploaded to this node at once", (long long)most);
    if (rv != 0) {
        package_upload_free(u);
        return rv;
    }
    *out = u;
    return 0;
}

/* What cannot be undone now is left to the sweep. */
static void give_up(struct package_upload *u)
{
    struct package_blob blob = { u->package.id, u->package.place };
    bool shielded = fiber_shield(true);
    int64_t former = fiber_deadline();
    struct err e = { 0 };
    bool condemned;
    int rv;

    fiber_restore_deadline(INT64_MAX);
    (void)fiber_narrow_deadline(CLEAN_UP_MS);
    rv = store_package_blob_give_up(u->db, blob.id, &condemned, &e);
    if (rv == 0 && condemned) /* else it was stored after all, or somebody else gave it up */
        rv = place_remove(u->packages, u->db, &blob, &e);
    if (rv == 0 && condemned)
        rv = store_package_blob_drop(u->db, blob.id, &e);
    if (rv != 0)
        log_info(u->packages->conf.log, "bytes of an upload stay for the next sweep", LOG_I("package", blob.id), LOG_E(&e));
    fiber_restore_deadline(former);
    (void)fiber_shield(shielded);
}

void package_upload_free(struct package_upload *u)
{
    if (u == NULL)
        return;
    if (u->begun && !u->finished)
        give_up(u);
    if (u->job != NULL)
        drop_chunk(&u->job->work);
    str_fini(&u->header);
    atomic_fetch_sub(&u->packages->n_uploads, 1);
    mem_free(u);
}
