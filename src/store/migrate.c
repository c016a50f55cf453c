/* SPDX-License-Identifier: Apache-2.0 */
/*  read what was run --all of it--> done
 *        |  ^--- wait a moment <--- somebody else holds the lease
 *        v                                        ^
 *   take the lease (its row, by the database's clock) --refused
 *        | taken: a second fiber renews it
 *        v
 *   run the missing migrations in order, note each when its last step is done; stop at once when the lease is lost
 *
 * A node that dies leaves at most a migration whose first steps are done: whoever takes over runs it from its first step again, and
 * steps answer "already there". So does a node that was only paused: its next step may run beside the successor's, with the same end. */
#include "src/store/migrate.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "src/base/json.h"
#include "src/store/inside.h"

enum {
    LEASE_MS = 30000,
    STEP_MS = 60 * 60 * 1000, /* of one DDL statement */
    REPEAT_MS = 10000,        /* so long a step is repeated; other servers of an OceanBase see a new table within this */
    POLL_MS = 100,
    OWNER_SIZE = 128,
    NO_SUCH_TABLE = 1146,
};

ERR_DEFINE(ERR_SCHEMA_NEWER, 90203, 503, ERR_FINAL,
           "The schema of {0} has version {1}, this program knows versions up to {2}. Install the newer version of ocp-server.",
           "{0} 的表结构版本为 {1}，本程序最高支持版本 {2}。请安装更新版本的 ocp-server。");
ERR_DEFINE(ERR_SCHEMA_CHANGED, 90204, 503, ERR_FINAL,
           "{0}: migration {1} differs from the one that was run on this database. Use the ocp-server that made this database, or a later one.",
           "{0}：迁移 {1} 与该数据库上已执行的版本不一致。请使用创建该数据库的 ocp-server 或其后续版本。");

/* schema_migration comes last: where it is, the others are too. */
static const char *const own_tables[] = {
    "CREATE TABLE IF NOT EXISTS schema_lease (component VARCHAR(64) NOT NULL, owner VARCHAR(128) NOT NULL, expires_at DATETIME(6) NOT NULL, "
    "PRIMARY KEY (component)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS store_outcome (token VARCHAR(40) NOT NULL, created_at DATETIME(6) NOT NULL, PRIMARY KEY (token), "
    "KEY store_outcome_created (created_at)) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS store_sequence (name VARCHAR(64) NOT NULL, next_id BIGINT NOT NULL, PRIMARY KEY (name)) "
    "DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    "INSERT IGNORE INTO store_sequence (name, next_id) VALUES ('id', 1001)",
    "CREATE TABLE IF NOT EXISTS schema_migration (component VARCHAR(64) NOT NULL, version INT NOT NULL, name VARCHAR(200) NOT NULL, "
    "checksum VARCHAR(64) NOT NULL, node VARCHAR(128) NOT NULL, finished_at DATETIME(6) NOT NULL, PRIMARY KEY (component, version)) "
    "DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
    NULL,
};

struct run {
    struct db *db;
    const struct migration *migrations;
    const char *component;
    unsigned last;               /* version that is wanted */
    unsigned done;               /* version that was reached, without gaps */
    bool has_tables;
    char owner[OWNER_SIZE];
    unsigned lease_ms;
    bool lost;                   /* the lease belongs to somebody else, or may */
    bool released;               /* the renewer is to end */
    struct fiber *renewer;
    struct fiber_group renewers;
};

static int64_t now_ms(const struct run *r)
{
    return clock_now_ms(loop_clock(r->db->pool.loop));
}

bool migration_checksum(const struct migration *m, char *buf)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    struct str t;
    bool ok;

    str_init(&t, NULL);
    str_add_n(&t, m->name, strlen(m->name) + 1);
    for (const char *const *step = m->steps; *step != NULL; step++)
        str_add_n(&t, *step, strlen(*step) + 1);
    ok = !str_failed(&t) && EVP_Digest(str_c(&t), t.n, digest, &n, EVP_sha256(), NULL) == 1;
    str_fini(&t);
    for (unsigned i = 0; ok && i < n; i++)
        (void)snprintf(buf + 2 * i, 3, "%02x", digest[i]);
    return ok;
}

/* One statement of the bookkeeping: short, and no harm done when it is repeated. */
static int book(struct run *r, const char *text, const struct sql_value *values, unsigned n, uint64_t *affected, struct err *e)
{
    struct sql_rows rows = { 0 };
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = db_run(r->db, text, values, n, 0, r->db->pool.conf.statement_timeout_ms, &arena, &rows, e);
    if (rv == 0 && affected != NULL)
        *affected = rows.affected;
    arena_fini(&arena);
    return rv;
}

/* --- what was run ----------------------------------------------------------------------------------------------------------- */

static int check_row(struct run *r, const struct sql_rows *rows, size_t i, struct err *e)
{
    char expected[2 * EVP_MAX_MD_SIZE + 1];
    const struct migration *m;
    int64_t version;

    if (!sql_i64(rows, i, 0, &version) || version < 1 || version > (int64_t)r->last)
        return err_set(e, &ERR_UNEXPECTED, "schema_migration of %s holds a wrong version", r->component);
    m = &r->migrations[version - 1];
    if (!migration_checksum(m, expected))
        return err_set(e, &ERR_NOMEM, "");
    if (!slice_is(sql_text(rows, i, 1), expected)) {
        (void)err_set(e, &ERR_SCHEMA_CHANGED, "%s", r->component);
        return err_arg(e, "%u (%s)", m->version, m->name);
    }
    if (version == (int64_t)r->done + 1)
        r->done++;
    return 0;
}

static int check_rows(struct run *r, const struct sql_rows *rows, struct err *e)
{
    int64_t newest;
    int rv = 0;

    r->done = 0;
    if (rows->n_rows > 0 && sql_i64(rows, rows->n_rows - 1, 0, &newest) && newest > (int64_t)r->last) {
        (void)err_set(e, &ERR_SCHEMA_NEWER, "%s", r->component);
        (void)err_arg(e, "%lld", (long long)newest);
        return err_arg(e, "%u", r->last);
    }
    for (size_t i = 0; i < rows->n_rows && rv == 0; i++)
        rv = check_row(r, rows, i, e);
    return rv;
}

static int read_state(struct run *r, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = db_run(r->db, "SELECT version, checksum FROM schema_migration WHERE component = ? ORDER BY version",
                DB_ARGS(sql_v_s(r->component)), 0, r->db->pool.conf.statement_timeout_ms, &arena, &rows, e);
    r->has_tables = rv == 0;
    if (rv == 0)
        rv = check_rows(r, &rows, e);
    else if (e->lib_code == NO_SUCH_TABLE)
        rv = 0;
    arena_fini(&arena);
    return rv;
}

/* --- steps ------------------------------------------------------------------------------------------------------------------ */

static bool is_done_already(const struct err *e)
{
    static const int codes[] = {
        1050, /* table exists */
        1060, /* column exists */
        1061, /* key exists */
        1062, /* row exists */
        1091, /* column or key to drop is gone */
        1517, /* partition exists */
    };

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (e->lib_code == codes[i])
            return true;
    return false;
}

/* A server of an OceanBase may learn a moment late of a table that another one has made. */
static bool is_schema_late(const struct run *r, const struct err *e)
{
    return e->lib_code == NO_SUCH_TABLE && db_engine(r->db) == SQL_OCEANBASE;
}

/* On a session of its own, which the server gives more time than others. */
static int run_long(struct run *r, const char *step, struct err *e)
{
    struct arena arena;
    struct session *s;
    int rv = pool_take(&r->db->pool, &s, e);

    if (rv != 0)
        return rv;
    arena_init(&arena);
    rv = sql_set_server_timeout(s->sql, STEP_MS, e);
    if (rv == 0)
        rv = db_run_on(r->db, s, step, DB_NO_ARGS, 0, STEP_MS, &arena, NULL, e);
    arena_fini(&arena);
    pool_drop(&r->db->pool, s, false);
    return rv;
}

static int run_step(struct run *r, const char *step, struct err *e)
{
    int64_t until_ms = now_ms(r) + REPEAT_MS;
    int rv;

    do {
        rv = run_long(r, step, e);
    } while (rv != 0 && (is_schema_late(r, e) || db_lost(e) || err_is(e, &ERR_SQL_RETRY)) && now_ms(r) < until_ms &&
             fiber_sleep(POLL_MS, NULL) == 0);
    return rv != 0 && is_done_already(e) ? 0 : rv;
}

static int run_migration(struct run *r, const struct migration *m, struct err *e)
{
    char checksum[2 * EVP_MAX_MD_SIZE + 1];
    int64_t begin = now_ms(r);
    int rv = 0;

    for (const char *const *step = m->steps; *step != NULL && rv == 0 && !r->lost; step++)
        rv = run_step(r, *step, e);
    if (rv != 0 || r->lost)
        return rv != 0 ? err_wrap(e, "migrate %s to %u (%s)", r->component, m->version, m->name) : 0;
    if (!migration_checksum(m, checksum))
        return err_set(e, &ERR_NOMEM, "");
    rv = book(r, "INSERT INTO schema_migration (component, version, name, checksum, node, finished_at) VALUES (?, ?, ?, ?, ?, NOW(6))",
              DB_ARGS(sql_v_s(r->component), SQL_V_I(m->version), sql_v_s(m->name), sql_v_s(checksum), sql_v_s(r->owner)), NULL, e);
    if (rv != 0 && !is_done_already(e))
        return rv;
    r->done = m->version;
    log_info(r->db->pool.conf.log, "migration run", LOG_S("database", r->component), LOG_I("version", m->version), LOG_S("name", m->name),
             LOG_I("ms", now_ms(r) - begin));
    return 0;
}

static int make_own_tables(struct run *r, struct err *e)
{
    int rv = 0;

    for (const char *const *step = own_tables; *step != NULL && rv == 0; step++)
        rv = run_step(r, *step, e);
    return rv != 0 ? err_wrap(e, "make the tables of migrations in %s", r->component) : 0;
}

/* --- lease ------------------------------------------------------------------------------------------------------------------ */

static int take_lease(struct run *r, bool *taken, struct err *e)
{
    uint64_t affected = 0;
    int rv = book(r, "INSERT IGNORE INTO schema_lease (component, owner, expires_at) VALUES (?, '', NOW(6))",
                  DB_ARGS(sql_v_s(r->component)), NULL, e);

    if (rv == 0)
        rv = book(r, "UPDATE schema_lease SET owner = ?, expires_at = NOW(6) + INTERVAL ? MICROSECOND "
                     "WHERE component = ? AND (owner = ? OR owner = '' OR expires_at < NOW(6))",
                  DB_ARGS(sql_v_s(r->owner), SQL_V_I(1000 * (int64_t)r->lease_ms), sql_v_s(r->component), sql_v_s(r->owner)), &affected, e);
    *taken = affected == 1;
    return rv;
}

static void renew_lease(void *data)
{
    struct run *r = data;
    int64_t sent_ms, valid_ms = now_ms(r) + r->lease_ms;
    uint64_t affected;

    r->renewer = fiber_current();
    while (!r->lost && !r->released && fiber_sleep(r->lease_ms / 4, NULL) == 0) {
        struct err e = { 0 };

        sent_ms = now_ms(r);
        affected = 0;
        (void)fiber_narrow_deadline(r->lease_ms / 4);
        if (book(r, "UPDATE schema_lease SET expires_at = NOW(6) + INTERVAL ? MICROSECOND WHERE component = ? AND owner = ?",
                 DB_ARGS(SQL_V_I(1000 * (int64_t)r->lease_ms), sql_v_s(r->component), sql_v_s(r->owner)), &affected, &e) != 0)
            r->lost = now_ms(r) >= valid_ms;
        else if (affected == 1)
            valid_ms = sent_ms + r->lease_ms;
        else
            r->lost = true;
        fiber_restore_deadline(INT64_MAX);
    }
    r->renewer = NULL;
}

static void release_lease(struct run *r)
{
    bool shielded = fiber_shield(true);
    struct err e;

    r->released = true;
    if (r->renewer != NULL)
        fiber_cancel(r->renewer);
    pool_wait_group(&r->renewers);
    if (!r->lost)
        (void)book(r, "UPDATE schema_lease SET owner = '' WHERE component = ? AND owner = ?",
                   DB_ARGS(sql_v_s(r->component), sql_v_s(r->owner)), NULL, &e); /* if this fails it runs out by itself */
    (void)fiber_shield(shielded);
}

static int work(struct run *r, struct err *e)
{
    int rv;

    r->lost = r->released = false;
    rv = fiber_group_start(&r->renewers, r->db->pool.loop, "renews lease", renew_lease, r, e);
    if (rv == 0)
        rv = read_state(r, e); /* the former owner may have finished in between */
    while (rv == 0 && r->done < r->last && !r->lost)
        rv = run_migration(r, &r->migrations[r->done], e);
    release_lease(r);
    return rv;
}

/* --- public ----------------------------------------------------------------------------------------------------------------- */

static int migrate_run(struct run *r, struct err *e)
{
    bool taken;
    int rv = read_state(r, e);

    if (rv == 0 && !r->has_tables)
        rv = make_own_tables(r, e);
    while (rv == 0 && r->done < r->last) {
        rv = take_lease(r, &taken, e);
        if (rv == 0 && taken)
            rv = work(r, e);
        else if (rv == 0)
            rv = fiber_sleep(POLL_MS + (int64_t)pool_random(&r->db->pool, POLL_MS), e);
        if (rv == 0)
            rv = read_state(r, e);
    }
    return rv;
}

int migrate_leased(struct db *d, const struct migration *migrations, const char *node, unsigned lease_ms, struct err *e)
{
    struct run r = { .db = d, .migrations = migrations, .component = d->pool.conf.name, .lease_ms = lease_ms };
    struct err failure = { 0 };
    uint64_t instance;
    int rv;

    while (migrations[r.last].version != 0)
        r.last++;
    memcpy(&instance, d->instance, sizeof instance);
    (void)snprintf(r.owner, sizeof r.owner, "%.100s#%016llx", node, (unsigned long long)instance);
    rv = migrate_run(&r, &failure);
    if (rv != 0 && e != NULL)
        *e = failure;
    return rv;
}

int migrate(struct db *d, const struct migration *migrations, const char *node, struct err *e)
{
    return migrate_leased(d, migrations, node, LEASE_MS, e);
}

void migrations_dump(struct str *t, const char *database, const struct migration *migrations)
{
    char checksum[2 * EVP_MAX_MD_SIZE + 1];

    str_add_c(t, '[');
    for (const struct migration *m = migrations; m->version != 0; m++) {
        json_add_comma(t);
        str_add_c(t, '{');
        json_add_key(t, "database");
        json_add_string(t, database);
        json_add_key(t, "version");
        str_add_u64(t, m->version);
        json_add_key(t, "name");
        json_add_string(t, m->name);
        json_add_key(t, "checksum");
        json_add_string(t, migration_checksum(m, checksum) ? checksum : "");
        str_add_c(t, '}');
    }
    str_add_c(t, ']');
}
