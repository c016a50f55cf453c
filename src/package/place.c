/* SPDX-License-Identifier: Apache-2.0 */
#include "src/package/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/io/file.h"

ERR_DEFINE(ERR_PACKAGE_DIRECTORY, 90534, 503, ERR_RETRY,
           "The directory {0} for packages cannot be used: {1}. All nodes must reach it under package.directory, and the service's user must be allowed "
           "to write there.",
           "软件包目录 {0} 不可用：{1}。所有节点必须能通过 package.directory 访问该目录，且服务用户具有写权限。");
ERR_DEFINE(ERR_PACKAGE_DAMAGED, 90535, 500, ERR_FINAL,
           "A part of {0} is missing where packages are kept. Delete the package and upload it again.", "{0} 的部分数据缺失，请删除该软件包后重新上传。");

enum place_step { PLACE_CREATE, PLACE_READ, PLACE_REMOVE };

struct file_job {
    struct work work;
    enum place_step step;
    char directory[PLACE_PATH_SIZE], path[PLACE_PATH_SIZE + 32];
    off_t offset;
    size_t n;           /* wanted, then read */
    int fd, number;     /* result: file, errno */
    char bytes[];
};

static void create(struct file_job *j)
{
    j->fd = open(j->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (j->fd < 0 || !file_sync_dir(j->directory))
        j->number = errno;
}

static void read_part(struct file_job *j)
{
    int fd = open(j->path, O_RDONLY | O_CLOEXEC);
    size_t done = 0;
    ssize_t got = 1;

    while (fd >= 0 && done < j->n && got > 0) {
        got = pread(fd, j->bytes + done, j->n - done, j->offset + (off_t)done);
        if (got > 0)
            done += (size_t)got;
    }
    if (fd < 0 || got < 0)
        j->number = errno;
    j->n = done;
    if (fd >= 0)
        (void)close(fd); /* it was only read */
}

static void remove_file(struct file_job *j)
{
    if (unlink(j->path) != 0 && errno != ENOENT)
        j->number = errno;
}

static void run_job(struct work *w)
{
    struct file_job *j = (struct file_job *)w;

    if (j->step == PLACE_CREATE)
        create(j);
    else if (j->step == PLACE_READ)
        read_part(j);
    else
        remove_file(j);
}

static void drop_job(struct work *w)
{
    struct file_job *j = (struct file_job *)w;

    if (j->fd >= 0)
        (void)close(j->fd); /* nobody will write it any more */
    mem_free(j);
}

int place_failed(const struct packages *p, int number, struct err *e)
{
    (void)err_set(e, &ERR_PACKAGE_DIRECTORY, "%s", p->conf.directory);
    return err_arg(e, "%s", number != 0 ? strerror(number) : "it is not set on this node");
}

/* Runs a step on the pool; the job is the caller's when it returns 0, to be dropped. */
static int run_step(struct packages *p, enum place_step step, int64_t id, int64_t offset, size_t n, struct file_job **out, struct err *e)
{
    struct file_job *j;
    int rv;

    if (p->conf.directory[0] == '\0')
        return place_failed(p, 0, e);
    j = mem_alloc(sizeof *j + n);
    if (j == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *j = (struct file_job){ .work = { run_job, drop_job }, .step = step, .offset = (off_t)offset, .n = n, .fd = -1 };
    (void)snprintf(j->directory, sizeof j->directory, "%s", p->conf.directory);
    (void)snprintf(j->path, sizeof j->path, "%s/package-%lld", p->conf.directory, (long long)id);
    rv = work_run(p->conf.pool, &j->work, e);
    if (rv != 0)
        return rv;
    if (j->number != 0) {
        rv = place_failed(p, j->number, e);
        drop_job(&j->work);
        return rv;
    }
    *out = j;
    return 0;
}

enum package_place place_now(const struct packages *p)
{
    return p->conf.directory[0] != '\0' ? PACKAGE_IN_DIRECTORY : PACKAGE_IN_METADB;
}

int place_begin(struct packages *p, struct db *d, int64_t id, int *fd, struct err *e)
{
    struct file_job *j;
    int rv;

    *fd = -1;
    if (place_now(p) == PACKAGE_IN_METADB)
        return store_package_schema_prepare(d, p->conf.schema, e);
    rv = run_step(p, PLACE_CREATE, id, 0, 0, &j, e);
    if (rv != 0)
        return rv;
    *fd = j->fd;
    j->fd = -1;
    drop_job(&j->work);
    return 0;
}

static int read_file(struct packages *p, const struct package *package, int64_t number, struct arena *arena, struct slice *out, struct err *e)
{
    struct file_job *j;
    int rv = run_step(p, PLACE_READ, package->id, number * PACKAGE_CHUNK_BYTES, PACKAGE_CHUNK_BYTES, &j, e);

    if (rv != 0)
        return rv;
    out->s = arena_strndup(arena, j->bytes, j->n);
    out->n = j->n;
    drop_job(&j->work);
    return out->s != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

int place_read(struct packages *p, struct db *d, const struct package *package, int64_t number, struct arena *arena, struct slice *out,
               struct err *e)
{
    int64_t left = package->size - number * PACKAGE_CHUNK_BYTES;
    int rv = package->place == PACKAGE_IN_METADB ? store_package_chunk_read(d, p->conf.schema, package->id, number, arena, out, e)
                                                 : read_file(p, package, number, arena, out, e);

    if (rv != 0)
        return rv;
    if (out->s == NULL || (int64_t)out->n != (left < PACKAGE_CHUNK_BYTES ? left : PACKAGE_CHUNK_BYTES))
        return err_set(e, &ERR_PACKAGE_DAMAGED, "%s", package->file_name);
    return 0;
}

int place_remove(struct packages *p, struct db *d, const struct package_blob *blob, struct err *e)
{
    struct file_job *j;
    int rv;

    if (blob->place == PACKAGE_IN_METADB)
        return store_package_chunks_delete(d, p->conf.schema, blob->id, e);
    rv = run_step(p, PLACE_REMOVE, blob->id, 0, 0, &j, e);
    if (rv == 0)
        drop_job(&j->work);
    return rv;
}
