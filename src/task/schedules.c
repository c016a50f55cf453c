/* SPDX-License-Identifier: Apache-2.0 */
#include "src/task/schedules.h"

#include <string.h>
#include <time.h>

#include "src/base/clock.h"
#include "src/base/cron.h"
#include "src/io/fiber.h"
#include "src/store/subtask.h"

enum { MAX_RUNNING = 32, END_CALL_MS = 8000, ERROR_SIZE = 1000 };

struct schedules {
    struct schedules_conf conf;
    struct log log;
    const struct schedule *running[MAX_RUNNING]; /* here, now */
};

struct occasion {
    struct schedules *all;
    const struct schedule *what;
    unsigned slot;
    int64_t runs;                /* number of this run */
};

int schedule_offset_min(int64_t wall_us)
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm;

    return localtime_r(&seconds, &tm) != NULL ? (int)(tm.tm_gmtoff / 60) : 0;
}

int64_t schedule_next(const struct schedule *what, const struct schedule_row *row, int offset_min)
{
    struct cron c;

    if (what->run == NULL || cron_parse((struct slice){ what->cron, strlen(what->cron) }, &c, NULL) != 0)
        return -1;
    return cron_next(&c, row->began_us != FIELD_NONE ? row->began_us : row->seen_us, offset_min);
}

/* Nobody says how a run ended whose leader was lost. Not at once: it might have been what ended the leader. */
static bool is_lost(const struct schedule *what, const struct schedule_row *row, int64_t now_us)
{
    return row->status == SCHEDULE_RUNNING && row->began_us != FIELD_NONE && now_us - row->began_us > what->timeout_ms * 1000;
}

bool schedule_is_due(const struct schedule *what, const struct schedule_row *row, int64_t now_us, int offset_min)
{
    int64_t next = schedule_next(what, row, offset_min);

    return what->run != NULL && (row->wanted || is_lost(what, row, now_us) || (next >= 0 && next <= now_us));
}

/* ---- one run ------------------------------------------------------------------------------------------------------------------------- */

static void run_fiber(void *data)
{
    struct occasion *o = data;
    struct schedules *all = o->all;
    int64_t former = fiber_narrow_deadline(o->what->timeout_ms);
    char text[ERROR_SIZE];
    struct err e = { 0 }, ended = { 0 };
    int rv = o->what->run(all->conf.db, all->conf.data, &e);

    fiber_restore_deadline(former);
    if (rv != 0)
        log_warn(&all->log, "scheduled work failed", LOG_S("name", o->what->name), LOG_E(&e));
    (void)fiber_narrow_deadline(END_CALL_MS);
    if (store_schedule_end(all->conf.db, o->what->name, o->runs, rv != 0 ? err_text(&e, ERR_EN, text, sizeof text) : NULL,
                           clock_wall_us(loop_clock(all->conf.loop)), &ended) != 0)
        log_info(&all->log, "how scheduled work ended is not recorded", LOG_S("name", o->what->name), LOG_E(&ended));
    all->running[o->slot] = NULL;
    mem_free(o);
}

static bool is_running(const struct schedules *s, const struct schedule *what, unsigned *free_slot)
{
    *free_slot = MAX_RUNNING;
    for (unsigned i = 0; i < MAX_RUNNING; i++) {
        if (s->running[i] == what)
            return true;
        if (s->running[i] == NULL)
            *free_slot = i;
    }
    return *free_slot == MAX_RUNNING; /* too much at once: a second later */
}

static int begin(struct schedules *s, const struct schedule *what, const struct schedule_row *row, int64_t now_us, struct err *e)
{
    struct occasion *o;
    unsigned slot;
    bool mine;
    int rv;

    if (is_running(s, what, &slot))
        return 0;
    rv = store_schedule_begin(s->conf.db, what->name, row->runs, s->conf.node, now_us, &mine, e);
    if (rv != 0 || !mine)
        return rv;
    o = mem_zalloc(sizeof *o);
    if (o == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *o = (struct occasion){ s, what, slot, row->runs + 1 };
    s->running[slot] = what;
    rv = fiber_start(s->conf.loop, what->name, run_fiber, o, NULL, e);
    if (rv != 0) {
        s->running[slot] = NULL;
        mem_free(o);
    }
    return rv;
}

/* ---- rounds --------------------------------------------------------------------------------------------------------------------------- */

static const struct schedule_row *row_of(const struct schedule_row *rows, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

static int look(struct schedules *s, const struct schedule *what, const struct schedule_row *row, int64_t now_us, struct err *e)
{
    if (row == NULL)
        return store_schedule_add(s->conf.db, what->name, now_us, e);
    return schedule_is_due(what, row, now_us, schedule_offset_min(now_us)) ? begin(s, what, row, now_us, e) : 0;
}

int schedules_round(struct schedules *s, struct err *e)
{
    int64_t now_us = clock_wall_us(loop_clock(s->conf.loop));
    struct schedule_row *rows;
    struct arena arena;
    size_t n = 0;
    int rv;

    arena_init(&arena);
    rv = store_schedule_list(s->conf.db, &arena, &rows, &n, e);
    for (const struct schedule *const *table = s->conf.tables; rv == 0 && *table != NULL; table++)
        for (const struct schedule *what = *table; rv == 0 && what->name != NULL; what++)
            rv = look(s, what, row_of(rows, n, what->name), now_us, e);
    arena_fini(&arena);
    return rv;
}

int schedules_new(const struct schedules_conf *conf, struct schedules **out, struct err *e)
{
    struct schedules *s = mem_zalloc(sizeof *s);

    if (s == NULL)
        return err_set(e, &ERR_NOMEM, "");
    s->conf = *conf;
    s->log = *conf->log;
    *out = s;
    return 0;
}

void schedules_free(struct schedules *s)
{
    mem_free(s);
}

/* ---- the engine's own ------------------------------------------------------------------------------------------------------------------ */

static int clean_logs(struct db *d, void *data, struct err *e)
{
    (void)data;
    return store_task_prune(d, e);
}

const struct schedule task_schedules[] = {
    { "clean-task-logs", "Clean ocp task log files", "Removes lines of steps' logs that are older than 90 days; the tasks themselves stay as long as tasks.keep says.", "0 0 1 * * *",
      600000, clean_logs },
    { "refresh-parameters", "Refresh config properties", "Reads the system parameters that were changed; every node, every few seconds.", "0 */3 * * * *", 0,
      NULL },
    { .name = NULL },
};
