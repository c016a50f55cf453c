/* SPDX-License-Identifier: Apache-2.0 */
#include "raft/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zlib.h>

#include "src/io/file.h"

ERR_DEFINE(ERR_RAFT_DIR_ABSENT, 90720, 500, ERR_FINAL,
           "{0} holds no Raft log: this node belongs to no cluster yet. Found one (ocpctl cluster init) or join one (ocpctl cluster add).",
           "{0} 中没有 Raft 日志：本节点尚未加入集群。请创建集群（ocpctl cluster init）或加入集群（ocpctl cluster add）。");
ERR_DEFINE(ERR_RAFT_DIR_CORRUPT, 90721, 500, ERR_FINAL,
           "{0} is damaged: {1}. Remove this node from the cluster (ocpctl cluster remove), delete its Raft directory, and add it again.",
           "{0} 已损坏：{1}。请将本节点移出集群（ocpctl cluster remove），删除其 Raft 目录后重新加入。");
ERR_DEFINE(ERR_RAFT_DIR_FULL, 90722, 500, ERR_FINAL, "{0} has {1} MiB free; a node needs {2} MiB to start. Free some space there.",
           "{0} 仅剩 {1} MiB 可用空间，启动节点需要 {2} MiB，请清理空间。");
ERR_DEFINE(ERR_RAFT_DIR_USED, 90723, 500, ERR_FINAL, "{0} is in use by another process.", "{0} 正被其他进程使用。");

const struct err_row *const raft_dir_err_rows[] = {
    &ERR_RAFT_DIR_ABSENT, &ERR_RAFT_DIR_CORRUPT, &ERR_RAFT_DIR_FULL, &ERR_RAFT_DIR_USED, NULL,
};

enum { PATH_SIZE = 4096, RECORD_MAGIC = 0x31434552, META_BYTES = 512 };

/* On the disk as in memory: x86-64 and aarch64 are both little-endian. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the files of the Raft directory are little-endian");

struct meta {
    char magic[8];
    uint32_t crc, version; /* crc: of all that follows it */
    uint64_t sequence;
    struct raft_identity identity;
    uint64_t term, vote;
    uint64_t stored;       /* the log is known to reach at least so far */
    uint8_t rest[META_BYTES - 80];
};
_Static_assert(sizeof(struct meta) == META_BYTES, "one sector");

struct log_header {
    char magic[8];
    uint64_t generation;
};

struct record {
    uint32_t magic, crc;   /* crc: of all that follows it, and the data */
    uint64_t index, term;
    uint32_t kind, size;
};

static const char meta_magic[8] = "OCPRAFT1", log_magic[8] = "OCPRLOG1";
static const char *const meta_names[2] = { "meta-a", "meta-b" };

struct raft_dir {
    char path[PATH_SIZE];
    int lock_fd, log_fd, meta_fds[2];
    struct meta meta;
    off_t *ends;           /* owned; ends[i]: where entry i + 1 ends in the file */
    size_t n_entries, space;
};

/* --- bytes ---------------------------------------------------------------------------------------------------------------------- */

static int failed(struct err *e, const char *path, const char *name, const char *what)
{
    int code = errno;

    (void)err_set(e, &ERR_IO, "%s/%s: %s: %s", path, name, what, strerror(code));
    if (e != NULL)
        e->lib_code = code;
    return ERR_IO.code;
}

static int open_file(const char *path, const char *name, int flags)
{
    char full[PATH_SIZE + 16];

    (void)snprintf(full, sizeof full, "%s/%s", path, name);
    return open(full, flags | O_CLOEXEC, 0600);
}

static bool write_at(int fd, const void *bytes, size_t n, off_t at)
{
    const char *p = bytes;

    while (n > 0) {
        ssize_t done = pwrite(fd, p, n, at);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            errno = done == 0 ? ENOSPC : errno;
            return false;
        }
        p += done;
        at += done;
        n -= (size_t)done;
    }
    return true;
}

/* Reads up to n bytes; how many there were, -1 on failure. */
static ssize_t read_at(int fd, void *bytes, size_t n, off_t at)
{
    size_t have = 0;

    while (have < n) {
        ssize_t got = pread(fd, (char *)bytes + have, n - have, at + (off_t)have);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        have += (size_t)got;
    }
    return (ssize_t)have;
}

static uint32_t meta_crc(const struct meta *m)
{
    const unsigned char *from = (const unsigned char *)&m->version;

    return (uint32_t)crc32(0, from, (uInt)((const unsigned char *)(m + 1) - from));
}

static uint32_t record_crc(const struct record *r, const void *data)
{
    const unsigned char *from = (const unsigned char *)&r->index;
    uLong crc = crc32(0, from, (uInt)((const unsigned char *)(r + 1) - from));

    return (uint32_t)crc32(crc, data, r->size);
}

/* --- metadata ------------------------------------------------------------------------------------------------------------------- */

/* Both copies, one after the other: at every moment one of them is whole. */
static int write_metas(const char *path, const int fds[2], struct meta *m, struct err *e)
{
    memcpy(m->magic, meta_magic, sizeof m->magic);
    m->version = 1;
    m->sequence++;
    m->crc = meta_crc(m);
    for (unsigned i = 0; i < 2; i++)
        if (!write_at(fds[i], m, sizeof *m, 0) || fdatasync(fds[i]) != 0)
            return failed(e, path, meta_names[i], "cannot be written");
    return 0;
}

static bool meta_is_whole(const struct meta *m)
{
    return memcmp(m->magic, meta_magic, sizeof m->magic) == 0 && m->version == 1 && m->crc == meta_crc(m) && m->identity.node != 0;
}

static int corrupt(struct err *e, const char *path, const char *name, const char *what)
{
    (void)err_set(e, &ERR_RAFT_DIR_CORRUPT, "%s/%s", path, name);
    return err_arg(e, "%s", what);
}

static int read_metas(struct raft_dir *d, struct err *e)
{
    struct meta copies[2];
    bool whole[2];

    for (unsigned i = 0; i < 2; i++) {
        ssize_t n = read_at(d->meta_fds[i], &copies[i], sizeof copies[i], 0);

        if (n < 0)
            return failed(e, d->path, meta_names[i], "cannot be read");
        whole[i] = n == (ssize_t)sizeof copies[i] && meta_is_whole(&copies[i]);
    }
    if (!whole[0] && !whole[1])
        return corrupt(e, d->path, meta_names[0], "neither copy of the metadata is whole");
    d->meta = whole[0] && (!whole[1] || copies[0].sequence >= copies[1].sequence) ? copies[0] : copies[1];
    return 0;
}

/* --- log ------------------------------------------------------------------------------------------------------------------------ */

static bool record_is_sane(const struct record *r)
{
    return r->magic == RECORD_MAGIC && r->kind >= ENTRY_COMMAND && r->kind <= ENTRY_CHANGE && r->size > 0 && r->size <= ENTRY_MAX_BYTES &&
           r->size % ENTRY_ALIGN == 0;
}

static int push_end(struct raft_dir *d, off_t end, struct err *e)
{
    if (d->n_entries == d->space) {
        size_t space = d->space * 2 + 64;
        off_t *grown = mem_realloc(d->ends, space * sizeof *grown);

        if (grown == NULL)
            return err_set(e, &ERR_NOMEM, "");
        d->ends = grown;
        d->space = space;
    }
    d->ends[d->n_entries++] = end;
    return 0;
}

static off_t end_of(const struct raft_dir *d, size_t n)
{
    return n > 0 ? d->ends[n - 1] : (off_t)sizeof(struct log_header);
}

/* The record at `at`; false when there is no whole one. */
static bool take_record(const char *bytes, size_t n, off_t at, struct record *r, const char **data)
{
    if ((size_t)at + sizeof *r > n)
        return false;
    memcpy(r, bytes + at, sizeof *r);
    *data = bytes + at + sizeof *r;
    return record_is_sane(r) && (size_t)at + sizeof *r + r->size <= n && r->crc == record_crc(r, *data);
}

/* Is there a whole record somewhere after `at`? Then what is at `at` is no torn end. */
static bool goes_on(const char *bytes, size_t n, off_t at)
{
    struct record r;
    const char *data;

    for (off_t p = at + 1; (size_t)p + sizeof r <= n; p++)
        if (take_record(bytes, n, p, &r, &data))
            return true;
    return false;
}

static int take_entries(struct raft_dir *d, const char *bytes, size_t n, struct entry *out, off_t *end, struct err *e)
{
    off_t at = (off_t)sizeof(struct log_header);
    struct record r;
    const char *data;
    int rv = 0;

    while (rv == 0 && take_record(bytes, n, at, &r, &data)) {
        if (r.index != d->n_entries + 1)
            return corrupt(e, d->path, "log", "its records are out of order");
        at += (off_t)(sizeof r + r.size);
        out[d->n_entries] = (struct entry){ r.term, (enum entry_kind)r.kind, r.size, data };
        rv = push_end(d, at, e);
    }
    *end = at;
    return rv;
}

static int check_end(struct raft_dir *d, const char *bytes, size_t n, off_t end, struct err *e)
{
    if ((size_t)end < n && goes_on(bytes, n, end))
        return corrupt(e, d->path, "log", "a record in the middle is damaged");
    if (d->n_entries < d->meta.stored)
        return corrupt(e, d->path, "log", "entries at its end are missing");
    if ((size_t)end < n && (ftruncate(d->log_fd, end) != 0 || fdatasync(d->log_fd) != 0))
        return failed(e, d->path, "log", "the torn record at its end cannot be cut off");
    return 0;
}

static int read_log(struct raft_dir *d, struct arena *arena, struct raft_dir_state *state, struct err *e)
{
    struct log_header head;
    struct stat st;
    char *bytes;
    off_t end = 0;
    size_t n;
    int rv;

    if (fstat(d->log_fd, &st) != 0)
        return failed(e, d->path, "log", "cannot be read");
    n = (size_t)st.st_size;
    bytes = arena_alloc(arena, n + 1);
    state->entries = arena_array(arena, n / (sizeof(struct record) + ENTRY_ALIGN) + 1, sizeof *state->entries);
    if (bytes == NULL || state->entries == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (read_at(d->log_fd, bytes, n, 0) != (ssize_t)n)
        return failed(e, d->path, "log", "cannot be read");
    if (n < sizeof head)
        return corrupt(e, d->path, "log", "it has no header");
    memcpy(&head, bytes, sizeof head);
    if (memcmp(head.magic, log_magic, sizeof head.magic) != 0 || head.generation != d->meta.identity.generation)
        return corrupt(e, d->path, "log", "its header is not the one of this node's log");
    rv = take_entries(d, bytes, n, state->entries, &end, e);
    state->n_entries = d->n_entries;
    return rv == 0 ? check_end(d, bytes, n, end, e) : rv;
}

/* --- opening -------------------------------------------------------------------------------------------------------------------- */

static int64_t free_mib(const char *path)
{
    struct statvfs fs;

    return statvfs(path, &fs) == 0 ? (int64_t)(fs.f_bavail * fs.f_frsize >> 20) : -1;
}

static int require_space(const char *path, struct err *e)
{
    int64_t mib = free_mib(path);

    if (mib < 0 || mib >= RAFT_DIR_MIN_FREE_MIB)
        return 0;
    (void)err_set(e, &ERR_RAFT_DIR_FULL, "%s", path);
    (void)err_arg(e, "%lld", (long long)mib);
    return err_arg(e, "%d", (int)RAFT_DIR_MIN_FREE_MIB);
}

static int open_files(struct raft_dir *d, struct err *e)
{
    d->lock_fd = open_file(d->path, "lock", O_RDWR | O_CREAT);
    if (d->lock_fd < 0)
        return errno == ENOENT ? err_set(e, &ERR_RAFT_DIR_ABSENT, "%s", d->path) : failed(e, d->path, "lock", "cannot be opened");
    if (flock(d->lock_fd, LOCK_EX | LOCK_NB) != 0)
        return err_set(e, &ERR_RAFT_DIR_USED, "%s", d->path);
    d->log_fd = open_file(d->path, "log", O_RDWR);
    if (d->log_fd < 0)
        return errno == ENOENT ? err_set(e, &ERR_RAFT_DIR_ABSENT, "%s", d->path) : failed(e, d->path, "log", "cannot be opened");
    for (unsigned i = 0; i < 2; i++) {
        d->meta_fds[i] = open_file(d->path, meta_names[i], O_RDWR | O_CREAT);
        if (d->meta_fds[i] < 0)
            return failed(e, d->path, meta_names[i], "cannot be opened");
    }
    return 0;
}

int raft_dir_open(const char *path, struct arena *arena, struct raft_dir_state *state, struct raft_dir **out, struct err *e)
{
    struct raft_dir *d = mem_zalloc(sizeof *d);
    int rv;

    *out = NULL;
    if (d == NULL)
        return err_set(e, &ERR_NOMEM, "");
    d->lock_fd = d->log_fd = d->meta_fds[0] = d->meta_fds[1] = -1;
    (void)snprintf(d->path, sizeof d->path, "%s", path);
    rv = open_files(d, e);
    if (rv == 0)
        rv = require_space(path, e);
    if (rv == 0)
        rv = read_metas(d, e);
    if (rv == 0)
        rv = read_log(d, arena, state, e);
    if (rv != 0) {
        raft_dir_close(d);
        return rv;
    }
    state->identity = d->meta.identity;
    state->term = d->meta.term;
    state->vote = d->meta.vote;
    *out = d;
    return 0;
}

void raft_dir_close(struct raft_dir *d)
{
    if (d == NULL)
        return;
    for (unsigned i = 0; i < 2; i++)
        if (d->meta_fds[i] >= 0)
            (void)close(d->meta_fds[i]);
    if (d->log_fd >= 0)
        (void)close(d->log_fd);
    if (d->lock_fd >= 0)
        (void)close(d->lock_fd);
    mem_free(d->ends);
    mem_free(d);
}

/* --- writing -------------------------------------------------------------------------------------------------------------------- */

int raft_dir_touch(struct raft_dir *d, struct err *e)
{
    d->meta.stored = d->n_entries;
    return write_metas(d->path, d->meta_fds, &d->meta, e);
}

int raft_dir_write_meta(struct raft_dir *d, uint64_t term, uint64_t vote, struct err *e)
{
    d->meta.term = term;
    d->meta.vote = vote;
    return raft_dir_touch(d, e);
}

/* The metadata must not promise what is about to be cut off. */
static int cut(struct raft_dir *d, size_t n, struct err *e)
{
    int rv;

    if (n == d->n_entries)
        return 0;
    d->n_entries = n;
    rv = raft_dir_touch(d, e);
    if (rv != 0)
        return rv;
    return ftruncate(d->log_fd, end_of(d, n)) == 0 ? 0 : failed(e, d->path, "log", "cannot be cut");
}

static int append(struct raft_dir *d, const struct entry *en, struct err *e)
{
    union {
        struct record head;
        char bytes[sizeof(struct record) + ENTRY_MAX_BYTES];
    } r;
    off_t at = end_of(d, d->n_entries);

    if (en->size == 0 || en->size > ENTRY_MAX_BYTES || en->size % ENTRY_ALIGN != 0)
        return err_set(e, &ERR_UNEXPECTED, "an entry of the Raft log has %u bytes", en->size);
    r.head = (struct record){ .magic = RECORD_MAGIC, .index = d->n_entries + 1, .term = en->term, .kind = (uint32_t)en->kind, .size = en->size };
    memcpy(r.bytes + sizeof r.head, en->data, en->size);
    r.head.crc = record_crc(&r.head, en->data);
    if (!write_at(d->log_fd, r.bytes, sizeof r.head + en->size, at))
        return failed(e, d->path, "log", "cannot be written");
    return push_end(d, at + (off_t)(sizeof r.head + en->size), e);
}

int raft_dir_write(struct raft_dir *d, uint64_t index, const struct entry *entries, unsigned n, struct err *e)
{
    int rv;

    if (index == 0 || index > d->n_entries + 1)
        return err_set(e, &ERR_UNEXPECTED, "entry %llu after %zu would leave a gap in the Raft log", (unsigned long long)index, d->n_entries);
    rv = cut(d, index - 1, e);
    for (unsigned i = 0; rv == 0 && i < n; i++)
        rv = append(d, &entries[i], e);
    if (rv != 0)
        return rv;
    return fdatasync(d->log_fd) == 0 ? 0 : failed(e, d->path, "log", "cannot be written");
}

int64_t raft_dir_free_mib(const struct raft_dir *d)
{
    return free_mib(d->path);
}

/* --- creating ------------------------------------------------------------------------------------------------------------------- */

static int sync_directory(const char *path, struct err *e)
{
    return file_sync_dir(path) ? 0 : failed(e, path, "", "cannot be written");
}

static int create_log(struct raft_dir *d, struct err *e)
{
    struct log_header head = { .generation = d->meta.identity.generation };

    memcpy(head.magic, log_magic, sizeof head.magic);
    d->log_fd = open_file(d->path, "log", O_RDWR | O_CREAT | O_EXCL);
    if (d->log_fd < 0 && errno == EEXIST)
        return err_set(e, &ERR_INVALID, "%s holds a Raft log already", d->path);
    if (d->log_fd < 0 || !write_at(d->log_fd, &head, sizeof head, 0) || fdatasync(d->log_fd) != 0)
        return failed(e, d->path, "log", "cannot be made");
    return 0;
}

static int create_files(struct raft_dir *d, const struct entry *first, struct err *e)
{
    int rv = create_log(d, e);

    for (unsigned i = 0; rv == 0 && i < 2; i++) {
        d->meta_fds[i] = open_file(d->path, meta_names[i], O_RDWR | O_CREAT);
        if (d->meta_fds[i] < 0)
            rv = failed(e, d->path, meta_names[i], "cannot be made");
    }
    if (rv == 0 && first != NULL)
        rv = raft_dir_write(d, 1, first, 1, e);
    if (rv == 0)
        rv = raft_dir_write_meta(d, first != NULL ? 1 : 0, 0, e);
    return rv == 0 ? sync_directory(d->path, e) : rv;
}

int raft_dir_create(const char *path, const struct raft_identity *who, const struct entry *first, struct err *e)
{
    struct raft_dir *d;
    int rv;

    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return failed(e, path, "", "cannot be made");
    rv = require_space(path, e);
    if (rv != 0)
        return rv;
    d = mem_zalloc(sizeof *d);
    if (d == NULL)
        return err_set(e, &ERR_NOMEM, "");
    d->lock_fd = d->log_fd = d->meta_fds[0] = d->meta_fds[1] = -1;
    (void)snprintf(d->path, sizeof d->path, "%s", path);
    d->meta.identity = *who;
    rv = create_files(d, first, e);
    raft_dir_close(d);
    return rv;
}
