/* SPDX-License-Identifier: Apache-2.0 */
/* Servers since 4.3.5.2 have a statement that loads time zones. Before that their package has a script for it, which needs Python and its driver for
 * MySQL on the host, and root's password on its command line. What it does is done here: the file is read by the agent, its statements are run over a
 * session of the step, and rows are counted before the kernel is told to use them. */
#include <openssl/evp.h>
#include <string.h>

#include "src/base/num.h"
#include "src/host/agent.h"
#include "src/obcluster/step_sys.h"
#include "src/oceanbase/tenant_admin.h"
#include "src/oceanbase/time_zone_file.h"

ERR_DEFINE(ERR_TIME_ZONE_ROWS, 90845, 500, ERR_RETRY, "After time zones were loaded the table {0} has {1} rows instead of {2}. Run the step again, or skip it.",
           "导入时区后，表 {0} 有 {1} 行，应为 {2} 行。请重试或跳过该步骤。");

const struct err_row *const step_sys_err_rows[] = { &ERR_TIME_ZONE_ROWS, NULL };

enum { PIECE = 120 * 1024, FILE_MAX = 16 * 1024 * 1024, SAY_EACH = 1000 };

struct act {
    struct task_run *r;
    struct step_install s;
    struct str text;         /* of the file */
    struct time_zone_plan plan;
    struct sql *sql;
    int64_t n;               /* statements that were run */
};

/* --- the file -------------------------------------------------------------------------------------------------------------------- */

static int add_piece(struct act *w, const struct agent_file_part *part, struct err *e)
{
    size_t n = strlen(part->data), padding = n > 0 && part->data[n - 1] == '=' ? (n > 1 && part->data[n - 2] == '=' ? 2 : 1) : 0;
    char *to = str_reserve(&w->text, n);
    int got;

    if (to == NULL)
        return err_set(e, &ERR_NOMEM, "");
    got = n % 4 == 0 ? EVP_DecodeBlock((unsigned char *)to, (const unsigned char *)part->data, (int)n) : -1;
    if (got < (int)padding)
        return err_set(e, &ERR_UNEXPECTED, "an agent sends a file that is no base64");
    w->text.n += (size_t)got - padding;
    return 0;
}

static int read_file(struct act *w, struct err *e)
{
    struct agent_read_file args = { .path = arena_printf(task_arena(w->r), "%s/etc/timezone_V1.log", w->s.layout.software), .length = PIECE };
    struct agent_file_part part;
    struct task_host *h;
    int rv = args.path != NULL ? host_of_step(w->r, w->s.servers[0].host_id, &h, e) : err_set(e, &ERR_NOMEM, "");

    if (rv == 0)
        rv = step_declare_roots(&w->s, h, e);
    while (rv == 0) {
        args.offset = (int64_t)w->text.n;
        rv = task_host_command(h, "read_file_range", &args, &part, e);
        if (rv == 0 && (part.size > FILE_MAX || part.data == NULL))
            rv = err_set(e, &ERR_UNEXPECTED, "%s has %lld bytes", args.path, (long long)part.size);
        if (rv == 0)
            rv = add_piece(w, &part, e);
        if (rv != 0 || (int64_t)w->text.n >= part.size || (int64_t)w->text.n == args.offset)
            break;
    }
    return rv;
}

/* --- the cluster ----------------------------------------------------------------------------------------------------------------- */

static int run_one(const char *statement, void *data, struct err *e)
{
    struct act *w = data;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = sql_run(w->sql, statement, NULL, 0, SQL_COMMIT, &arena, NULL, e);
    arena_fini(&arena);
    if (rv == 0 && ++w->n % SAY_EACH == 0)
        task_log(w->r, "%lld statements", (long long)w->n);
    return rv;
}

static int count(struct act *w, const char *what, int64_t *out, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    const char *text;
    int rv;

    arena_init(&arena);
    text = arena_printf(&arena, "SELECT COUNT(*) FROM %s", what);
    rv = text != NULL ? sql_run(w->sql, text, NULL, 0, 0, &arena, &rows, e) : err_set(e, &ERR_NOMEM, "");
    if (rv == 0 && (rows.n_rows != 1 || !sql_i64(&rows, 0, 0, out)))
        rv = err_set(e, &ERR_UNEXPECTED, "%s answers without a number", sql_peer(w->sql));
    arena_fini(&arena);
    return rv;
}

/* The kernel's own mark, written last. */
static int is_loaded(struct act *w, bool *yes, struct err *e)
{
    int64_t n = 0;
    int rv = count(w, "oceanbase.__all_sys_stat WHERE name = 'current_timezone_version'", &n, e);

    *yes = rv == 0 && n > 0;
    return rv;
}

static int check_rows(struct act *w, struct err *e)
{
    int rv = 0;

    for (unsigned i = 0; rv == 0 && i < TIME_ZONE_TABLES; i++) {
        int64_t n;

        rv = count(w, time_zone_tables[i], &n, e);
        if (rv != 0 || w->plan.expected[i] < 0 || n == w->plan.expected[i])
            continue;
        (void)err_set(e, &ERR_TIME_ZONE_ROWS, "%s", time_zone_tables[i]);
        (void)err_arg(e, "%lld", (long long)n);
        rv = err_arg(e, "%lld", (long long)w->plan.expected[i]);
    }
    return rv;
}

static int import_with(struct sql *s, void *data, struct err *e)
{
    struct act *w = data;
    bool done;
    int rv;

    w->sql = s;
    rv = is_loaded(w, &done, e);
    if (rv != 0 || done)
        return rv;
    rv = time_zone_file_read((struct slice){ str_c(&w->text), w->text.n }, run_one, w, &w->plan, e);
    if (rv == 0)
        rv = check_rows(w, e);
    for (size_t i = 0; rv == 0 && i < w->plan.n_version; i++) {
        const char *text = arena_strndup(task_arena(w->r), w->plan.version[i].s, w->plan.version[i].n);

        rv = text != NULL ? run_one(text, w, e) : err_set(e, &ERR_NOMEM, "");
    }
    return rv;
}

static int load_with(struct sql *s, void *data, struct err *e)
{
    (void)data;
    return ob_time_zones_load(s, STEP_SYS, e);
}

static int import(struct act *w, struct err *e)
{
    int rv;

    str_init(&w->text, NULL);
    rv = read_file(w, e);
    if (rv == 0)
        rv = step_change(w->r, &w->s.cluster, import_with, w, e);
    str_fini(&w->text);
    return rv;
}

int sys_load_time_zones(struct task_run *r, struct err *e)
{
    struct act w = { .r = r };
    int rv = step_install(r, &w.s, e);

    if (rv == 0)
        rv = ob_loads_time_zones(w.s.cluster.version) ? step_change(r, &w.s.cluster, load_with, &w, e) : import(&w, e);
    if (rv == 0)
        task_log(r, "time zones are known by name in %s", STEP_SYS);
    return rv;
}
