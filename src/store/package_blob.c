/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/package_blob.h"

#include "src/oceanbase/quote.h"
#include "src/store/inside.h"

ERR_DEFINE(ERR_PACKAGE_QUOTA, 90531, 409, ERR_FINAL,
           "The packages would take more space than they may: {0} bytes more, {1} are taken, {2} are allowed. Delete packages that are not needed, "
           "or raise the system parameter ocp.package.quota.",
           "软件包占用空间将超出上限：还需 {0} 字节，已用 {1} 字节，上限 {2} 字节。请删除不再需要的软件包，或调大系统参数 ocp.package.quota。");
ERR_DEFINE(ERR_PACKAGE_GIVEN_UP, 90532, 409, ERR_FINAL,
           "The upload was given up, because nothing came for a long time or its node was taken for dead. Upload the file again.",
           "上传已被放弃：长时间没有数据，或其节点被认为已停止。请重新上传文件。");
ERR_DEFINE(ERR_PACKAGE_SCHEMA, 90533, 503, ERR_FINAL,
           "The database {0} for packages cannot be used: {1}. Create it and give MetaDB's user all rights on it, or set package.directory to a "
           "directory that all nodes share.",
           "软件包数据库 {0} 不可用：{1}。请创建该数据库并授予 MetaDB 用户全部权限，或将 package.directory 设为所有节点共享的目录。");

const struct err_row *const store_package_err_rows[] = { &ERR_PACKAGE_QUOTA, &ERR_PACKAGE_GIVEN_UP, &ERR_PACKAGE_SCHEMA, NULL };

enum { WRITING, STORED, CONDEMNED };
enum { CHUNKS_AT_ONCE = 8, PREPARE_MS = 60000 };

/* ---- blobs ------------------------------------------------------------------------------------------------------------------- */

/* One after the other, so that two uploads do not both take the last of the quota. `id`: whose share is not counted. */
static int take_quota(struct tx *tx, int64_t id, int64_t bytes, int64_t quota, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int64_t taken = 0;
    int rv = tx_exec(tx, "UPDATE package_quota SET uses = uses + 1 WHERE id = 1", DB_NO_ARGS, NULL, e);

    if (rv != 0)
        return rv;
    arena_init(&arena);
    rv = tx_run(tx, "SELECT COALESCE(SUM(taken_bytes), 0) FROM package_blob WHERE id <> ?", DB_ARGS(SQL_V_I(id)), &arena, &rows, e);
    if (rv == 0 && (rows.n_rows != 1 || !sql_i64(&rows, 0, 0, &taken)))
        rv = err_set(e, &ERR_UNEXPECTED, "the size of all packages is no number");
    arena_fini(&arena);
    if (rv != 0 || bytes <= quota - taken)
        return rv;
    (void)err_set(e, &ERR_PACKAGE_QUOTA, "%lld", (long long)bytes);
    (void)err_arg(e, "%lld", (long long)taken);
    return err_arg(e, "%lld", (long long)quota);
}

struct claim {
    const struct package_blob *blob;
    const char *node;
    int64_t id, bytes, quota;
};

static int begin(struct tx *tx, void *data, struct err *e)
{
    const struct claim *c = data;
    int rv = take_quota(tx, c->id, c->bytes, c->quota, e);

    return rv != 0 ? rv
           : tx_exec(tx, "INSERT INTO package_blob (id, state, place, taken_bytes, node, touched_at) VALUES (?, ?, ?, ?, ?, NOW(6))",
                     DB_ARGS(SQL_V_I(c->id), SQL_V_I(WRITING), SQL_V_I(c->blob->place), SQL_V_I(c->bytes), sql_v_s(c->node)), NULL, e);
}

int store_package_blob_begin(struct db *d, const struct package_blob *b, const char *node, int64_t bytes, int64_t quota, struct err *e)
{
    return db_transact(d, begin, &(struct claim){ b, node, b->id, bytes, quota }, e);
}

static int given_up(struct err *e)
{
    return err_set(e, &ERR_PACKAGE_GIVEN_UP, "");
}

static int grow(struct tx *tx, void *data, struct err *e)
{
    const struct claim *c = data;
    uint64_t found = 0;
    int rv = take_quota(tx, c->id, c->bytes, c->quota, e);

    if (rv == 0)
        rv = tx_exec(tx, "UPDATE package_blob SET taken_bytes = ?, touched_at = NOW(6) WHERE id = ? AND state = ?",
                     DB_ARGS(SQL_V_I(c->bytes), SQL_V_I(c->id), SQL_V_I(WRITING)), &found, e);
    return rv == 0 && found == 0 ? given_up(e) : rv;
}

int store_package_blob_grow(struct db *d, int64_t id, int64_t bytes, int64_t quota, struct err *e)
{
    return db_transact(d, grow, &(struct claim){ .id = id, .bytes = bytes, .quota = quota }, e);
}

static int touch(struct tx *tx, int64_t id, struct err *e)
{
    uint64_t found = 0;
    int rv = tx_exec(tx, "UPDATE package_blob SET touched_at = NOW(6) WHERE id = ? AND state = ?", DB_ARGS(SQL_V_I(id), SQL_V_I(WRITING)),
                     &found, e);

    return rv == 0 && found == 0 ? given_up(e) : rv;
}

static int touch_one(struct tx *tx, void *data, struct err *e)
{
    return touch(tx, *(const int64_t *)data, e);
}

int store_package_blob_touch(struct db *d, int64_t id, struct err *e)
{
    return db_transact(d, touch_one, &id, e);
}

int store_package_blob_finish(struct tx *tx, int64_t id, int64_t bytes, struct err *e)
{
    uint64_t found = 0;
    int rv = tx_exec(tx, "UPDATE package_blob SET state = ?, taken_bytes = ?, touched_at = NOW(6) WHERE id = ? AND state = ?",
                     DB_ARGS(SQL_V_I(STORED), SQL_V_I(bytes), SQL_V_I(id), SQL_V_I(WRITING)), &found, e);

    return rv == 0 && found == 0 ? given_up(e) : rv;
}

int store_package_blob_condemn_in(struct tx *tx, int64_t id, struct err *e)
{
    return tx_exec(tx, "UPDATE package_blob SET state = ?, taken_bytes = 0, touched_at = NOW(6) WHERE id = ?",
                   DB_ARGS(SQL_V_I(CONDEMNED), SQL_V_I(id)), NULL, e);
}

#define GIVE_UP "UPDATE package_blob SET state = 2, taken_bytes = 0, touched_at = NOW(6) WHERE state = 0 AND "
_Static_assert(WRITING == 0 && CONDEMNED == 2, "GIVE_UP says so");

struct simple {
    const char *text;
    struct sql_value value;
    uint64_t found;
};

static int run_simple(struct tx *tx, void *data, struct err *e)
{
    struct simple *s = data;

    return tx_exec(tx, s->text, &s->value, 1, &s->found, e);
}

static int run(struct db *d, const char *text, struct sql_value value, struct err *e)
{
    return db_transact(d, run_simple, &(struct simple){ text, value, 0 }, e);
}

int store_package_blob_give_up(struct db *d, int64_t id, bool *condemned, struct err *e)
{
    struct simple s = { GIVE_UP "id = ?", SQL_V_I(id), 0 };
    int rv = db_transact(d, run_simple, &s, e);

    *condemned = rv == 0 && s.found == 1;
    return rv;
}

int store_package_blob_give_up_of(struct db *d, const char *node, struct err *e)
{
    return run(d, GIVE_UP "node = ?", sql_v_s(node), e);
}

int store_package_blob_give_up_idle(struct db *d, unsigned idle_s, struct err *e)
{
    return run(d, GIVE_UP "touched_at < NOW(6) - INTERVAL ? SECOND", SQL_V_I(idle_s), e);
}

int store_package_blob_condemned(struct db *d, unsigned max, struct arena *arena, struct package_blob **out, size_t *n, struct err *e)
{
    static const struct sql_field fields[] = {
        SQL_FIELD(package_blob, id, "id", SQL_C_INT64),
        SQL_FIELD(package_blob, place, "place", SQL_C_INT64),
        { NULL },
    };

    return db_list(d, "SELECT id, place FROM package_blob WHERE state = ? ORDER BY id LIMIT ?", DB_ARGS(SQL_V_I(CONDEMNED), SQL_V_I(max)), fields,
                   sizeof **out, arena, (void **)out, n, e);
}

int store_package_blob_drop(struct db *d, int64_t id, struct err *e)
{
    return run(d, "DELETE FROM package_blob WHERE state = 2 AND id = ?", SQL_V_I(id), e);
}

/* ---- chunks ------------------------------------------------------------------------------------------------------------------ */

/* "before `schema`.package_chunk after"; NULL when memory is out. */
static const char *about_chunks(struct arena *arena, const char *before, const char *schema, const char *after)
{
    struct str t;

    str_init(&t, arena);
    str_add(&t, before);
    quote_name(&t, schema);
    str_add(&t, ".package_chunk");
    str_add(&t, after);
    return str_failed(&t) ? NULL : str_c(&t);
}

static int define(struct db *d, const char *text, struct arena *arena, struct err *e)
{
    struct sql_rows rows;

    return text == NULL ? err_set(e, &ERR_NOMEM, "") : db_run(d, text, DB_NO_ARGS, 0, PREPARE_MS, arena, &rows, e);
}

static int prepare(struct db *d, const char *schema, struct arena *arena, struct err *e)
{
    const char *look = about_chunks(arena, "SELECT chunk_no FROM ", schema, " WHERE package_id = 0");
    const char *table = about_chunks(arena, "CREATE TABLE IF NOT EXISTS ", schema,
                                     " (package_id BIGINT NOT NULL, chunk_no INT NOT NULL, bytes MEDIUMBLOB NOT NULL, "
                                     "PRIMARY KEY (package_id, chunk_no)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin");
    struct str database;
    int rv = define(d, look, arena, e);

    if (rv != ERR_SQL_FAILED.code && rv != ERR_SQL_DENIED.code)
        return rv;
    str_init(&database, arena);
    str_add(&database, "CREATE DATABASE IF NOT EXISTS ");
    quote_name(&database, schema);
    str_add(&database, " DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin");
    rv = define(d, str_failed(&database) ? NULL : str_c(&database), arena, e);
    if (rv == 0 || rv == ERR_SQL_DENIED.code) /* it may be there, and only its table missing */
        rv = define(d, table, arena, e);
    return rv;
}

int store_package_schema_prepare(struct db *d, const char *schema, struct err *e)
{
    struct arena arena;
    struct err why = { 0 };
    int rv;

    arena_init(&arena);
    rv = prepare(d, schema, &arena, &why);
    arena_fini(&arena);
    if (rv == ERR_SQL_FAILED.code || rv == ERR_SQL_DENIED.code) {
        (void)err_set(e, &ERR_PACKAGE_SCHEMA, "%s", schema);
        return err_arg(e, "%s", why.arg[1]);
    }
    if (rv != 0 && e != NULL)
        *e = why;
    return rv;
}

struct chunk {
    const char *text;
    int64_t id, number;
    struct slice bytes;
    uint64_t deleted;
};

static int write_chunk(struct tx *tx, void *data, struct err *e)
{
    const struct chunk *c = data;
    int rv = touch(tx, c->id, e);

    return rv != 0 ? rv
           : tx_exec(tx, c->text, DB_ARGS(SQL_V_I(c->id), SQL_V_I(c->number), sql_v_bytes(c->bytes.s, c->bytes.n)), NULL, e);
}

int store_package_chunk_write(struct db *d, const char *schema, int64_t id, int64_t number, const void *bytes, size_t n, struct err *e)
{
    struct chunk c = { .id = id, .number = number, .bytes = { bytes, n } };
    struct arena arena;
    int rv;

    arena_init(&arena);
    c.text = about_chunks(&arena, "INSERT INTO ", schema, " (package_id, chunk_no, bytes) VALUES (?, ?, ?)");
    rv = c.text != NULL ? db_transact(d, write_chunk, &c, e) : err_set(e, &ERR_NOMEM, "");
    arena_fini(&arena);
    return rv;
}

int store_package_chunk_read(struct db *d, const char *schema, int64_t id, int64_t number, struct arena *arena, struct slice *out, struct err *e)
{
    const char *text = about_chunks(arena, "SELECT bytes FROM ", schema, " WHERE package_id = ? AND chunk_no = ?");
    struct sql_rows rows;
    int rv = text != NULL ? db_read(d, text, DB_ARGS(SQL_V_I(id), SQL_V_I(number)), arena, &rows, e) : err_set(e, &ERR_NOMEM, "");

    if (rv == 0)
        *out = rows.n_rows > 0 ? sql_text(&rows, 0, 0) : (struct slice){ NULL, 0 };
    return rv;
}

static int delete_some(struct tx *tx, void *data, struct err *e)
{
    struct chunk *c = data;

    return tx_exec(tx, c->text, DB_ARGS(SQL_V_I(c->id), SQL_V_I(CHUNKS_AT_ONCE)), &c->deleted, e);
}

int store_package_chunks_delete(struct db *d, const char *schema, int64_t id, struct err *e)
{
    struct chunk c = { .id = id, .deleted = CHUNKS_AT_ONCE };
    struct arena arena;
    int rv;

    arena_init(&arena);
    c.text = about_chunks(&arena, "DELETE FROM ", schema, " WHERE package_id = ? LIMIT ?");
    rv = c.text != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
    while (rv == 0 && c.deleted == CHUNKS_AT_ONCE)
        rv = db_transact(d, delete_some, &c, e);
    arena_fini(&arena);
    return rv;
}
