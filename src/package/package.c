/* SPDX-License-Identifier: Apache-2.0 */
#include "src/package/package.h"

#include "src/io/fiber.h"
#include "src/package/place.h"

ERR_DEFINE(ERR_FILE_UNKNOWN, 7500, 404, ERR_FINAL, "There is no file {0} here. GET /api/v2/software-packages lists what there is.",
           "文件 {0} 不存在，可通过 GET /api/v2/software-packages 查看已有文件。");
ERR_DEFINE(ERR_FILE_EXISTS, 7502, 409, ERR_FINAL, "Another package lies under the file name {0} already. Rename the file, or delete that package.",
           "文件名 {0} 已被另一个软件包使用，请重命名文件或删除该软件包。");
ERR_DEFINE(ERR_FILE_SUFFIX, 7503, 400, ERR_FINAL, "{0} is no RPM package by its name: it must end with .rpm.", "{0} 的文件名不以 .rpm 结尾，不是 RPM 软件包。");
ERR_DEFINE(ERR_FILE_TYPE, 7504, 400, ERR_FINAL, "{0} is not what its name says: it does not begin as an RPM package does.",
           "{0} 的实际内容不是 RPM 软件包。");
ERR_DEFINE(ERR_PACKAGE_IN_USE, 7507, 409, ERR_FINAL,
           "{0} is in use by {1}. Wait until a task is finished; what a cluster was installed from is needed for servers that are added to it, and may go "
           "when the cluster is deleted.",
           "{0} 正被 {1} 使用。请等待任务结束；集群的安装包在添加 OBServer 时仍需使用，删除该集群后方可删除。");
ERR_DEFINE(ERR_PACKAGE_EXISTS, 7512, 409, ERR_FINAL, "The package {0} is here already, as {1}.", "软件包 {0} 已存在，文件名为 {1}。");
ERR_DEFINE(ERR_PACKAGE_TYPE, 7513, 400, ERR_FINAL, "{0} is of type {1}, not {2}.", "{0} 的类型为 {1}，而非 {2}。");
ERR_DEFINE(ERR_PACKAGE_UNKNOWN, 7514, 404, ERR_FINAL, "There is no package {0}.", "软件包 {0} 不存在。");
ERR_DEFINE(ERR_PACKAGE_ARCH, 7515, 400, ERR_FINAL, "{0} is for {1}; hosts are x86_64 or aarch64.", "{0} 适用于 {1}，主机仅支持 x86_64 和 aarch64。");
ERR_DEFINE(ERR_PACKAGE_NAME, 7516, 400, ERR_FINAL, "A package cannot be kept under the file name {0}: {1}.", "文件名 {0} 不可用：{1}。");
ERR_DEFINE(ERR_PACKAGE_FOREIGN, 90536, 400, ERR_FINAL,
           "{0} is none of the packages that OCP installs: oceanbase, oceanbase-ce, obproxy, obproxy-ce, the agent of OCP or the backup agent.",
           "{0} 不是 OCP 可安装的软件包（oceanbase、oceanbase-ce、obproxy、obproxy-ce、OCP Agent 或备份 Agent）。");

const struct err_row *const package_err_rows[] = {
    &ERR_FILE_UNKNOWN, &ERR_FILE_EXISTS,     &ERR_FILE_SUFFIX,  &ERR_FILE_TYPE,    &ERR_PACKAGE_IN_USE,  &ERR_PACKAGE_EXISTS,    &ERR_PACKAGE_TYPE,
    &ERR_PACKAGE_UNKNOWN, &ERR_PACKAGE_ARCH, &ERR_PACKAGE_NAME, &ERR_PACKAGE_FOREIGN, &ERR_PACKAGE_DIRECTORY, &ERR_PACKAGE_DAMAGED, NULL,
};

enum { REMOVE_MS = 1500, SWEEP_AT_ONCE = 16, NAMES_TOLD = 5 };

int packages_new(const struct packages_conf *conf, struct packages **out, struct err *e)
{
    struct packages *p = mem_zalloc(sizeof *p);

    if (p == NULL)
        return err_set(e, &ERR_NOMEM, "");
    p->conf = *conf;
    *out = p;
    return 0;
}

void packages_free(struct packages *p)
{
    mem_free(p);
}

int package_get(struct db *d, int64_t id, struct arena *arena, struct package *out, struct err *e)
{
    int rv = store_package_get(d, id, arena, out, e);

    return rv == ERR_NOT_FOUND.code ? err_set(e, &ERR_PACKAGE_UNKNOWN, "%lld", (long long)id) : rv;
}

int package_get_named(struct db *d, const char *file_name, struct arena *arena, struct package *out, struct err *e)
{
    int rv = store_package_get_named(d, file_name, arena, out, e);

    return rv == ERR_NOT_FOUND.code ? err_set(e, &ERR_FILE_UNKNOWN, "%s", file_name) : rv;
}

int package_read(struct packages *p, struct db *d, const struct package *package, int64_t number, struct arena *arena, struct slice *out,
                 struct err *e)
{
    return place_read(p, d, package, number, arena, out, e);
}

/* ---- deleting ---------------------------------------------------------------------------------------------------------------- */

static int remove_blob(struct packages *p, struct db *d, const struct package_blob *blob, struct err *e)
{
    int rv = place_remove(p, d, blob, e);

    return rv == 0 ? store_package_blob_drop(d, blob->id, e) : rv;
}

/* Those that fit an argument of an error. */
static int used_by_clusters(const struct package *package, const struct field_strings *names, struct arena *arena, struct err *e)
{
    const char *text = names->items[0];
    size_t i = 1;

    for (; text != NULL && i < names->n && i < NAMES_TOLD; i++)
        text = arena_printf(arena, "%s, %s", text, names->items[i]);
    if (text != NULL && i < names->n)
        text = arena_printf(arena, "%s, ... (%zu)", text, names->n);
    if (text == NULL)
        return err_set(e, &ERR_NOMEM, "");
    (void)err_set(e, &ERR_PACKAGE_IN_USE, "%s", package->file_name);
    return err_arg(e, "%s %s", names->n > 1 ? "the clusters" : "the cluster", text);
}

struct deletion {
    const struct package *package;
    struct arena *arena;
};

static int delete_row(struct tx *tx, void *data, struct err *e)
{
    const struct deletion *g = data;
    const struct package *package = g->package;
    struct field_strings clusters = { NULL, 0 };
    int64_t task_id;
    int rv = store_package_user_in(tx, package->id, &task_id, e);

    if (rv == 0 && task_id > 0) {
        (void)err_set(e, &ERR_PACKAGE_IN_USE, "%s", package->file_name);
        return err_arg(e, "task %lld", (long long)task_id);
    }
    if (rv == 0)
        rv = store_package_clusters_in(tx, package->id, g->arena, &clusters, e);
    if (rv == 0 && clusters.n > 0)
        return used_by_clusters(package, &clusters, g->arena, e);
    if (rv == 0)
        rv = store_package_delete(tx, package->id, e);
    return rv == ERR_NOT_FOUND.code ? err_set(e, &ERR_PACKAGE_UNKNOWN, "%lld", (long long)package->id) : rv;
}

int package_delete(struct packages *p, struct db *d, int64_t id, struct arena *arena, struct package *out, struct err *e)
{
    int rv = package_get(d, id, arena, out, e);
    struct err why = { 0 };
    int64_t former;

    if (rv == 0)
        rv = db_transact(d, delete_row, &(struct deletion){ out, arena }, e);
    if (rv != 0)
        return rv;
    former = fiber_narrow_deadline(REMOVE_MS);
    if (remove_blob(p, d, &(struct package_blob){ id, out->place }, &why) != 0)
        log_info(p->conf.log, "bytes of a deleted package stay for the next sweep", LOG_I("package", id), LOG_E(&why));
    fiber_restore_deadline(former);
    return 0;
}

/* ---- what was left ----------------------------------------------------------------------------------------------------------- */

int packages_recover(struct packages *p, struct db *d, struct err *e)
{
    return store_package_blob_give_up_of(d, p->conf.node, e);
}

int packages_sweep(struct packages *p, struct db *d, unsigned idle_s, struct err *e)
{
    struct package_blob *blobs;
    struct arena arena;
    size_t n = 0;
    int rv = store_package_blob_give_up_idle(d, idle_s, e), removed;

    arena_init(&arena);
    if (rv == 0)
        rv = store_package_blob_condemned(d, SWEEP_AT_ONCE, &arena, &blobs, &n, e);
    for (size_t i = 0; i < n; i++) {
        removed = remove_blob(p, d, &blobs[i], e);
        if (removed == 0)
            log_info(p->conf.log, "bytes without a package are removed", LOG_I("package", blobs[i].id));
        rv = rv == 0 ? removed : rv; /* one that cannot be removed now keeps nothing else */
    }
    arena_fini(&arena);
    return rv;
}
