/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a run. Lines wait in memory until the worker's fiber, or the end of the run, writes them to MetaDB; while that is away they go on
 * waiting. Of a run with too many lines the first are kept, one that says so, and the last, which are written when it ends. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "src/base/str.h"
#include "src/task/engine_inside.h"

enum {
    LAST_LINES = 50,              /* of a long log; they wait for the end of the run */
    FIRST_LINES = TASK_LOG_LINES - LAST_LINES - 1,
    MAX_WAITING = 16384,          /* lines of all runs, in memory */
    MAX_AT_ONCE = 1000,           /* in one statement */
};

/* ---- lines -------------------------------------------------------------------------------------------------------------------- */

static void append(struct run_lines *l, struct run_line *line)
{
    line->next = NULL;
    *(l->first != NULL ? &l->last->next : &l->first) = line;
    l->last = line;
    l->n++;
}

static void append_all(struct run_lines *l, struct run_lines *more)
{
    if (more->first == NULL)
        return;
    *(l->first != NULL ? &l->last->next : &l->first) = more->first;
    l->last = more->last;
    l->n += more->n;
    *more = (struct run_lines){ NULL };
}

static struct run_line *take_first(struct run_lines *l)
{
    struct run_line *line = l->first;

    l->first = line->next;
    l->n--;
    return line;
}

static void free_lines(struct task_engine *t, struct run_lines *l)
{
    while (l->first != NULL) {
        mem_free(take_first(l));
        t->n_lines--;
    }
}

static struct run_line *make_line(struct task_run *r, const char *text)
{
    size_t n = strlen(text) + 1;
    struct run_line *line = r->engine->n_lines < MAX_WAITING ? mem_alloc(sizeof *line + n) : NULL;

    if (line == NULL)
        return NULL;
    line->at_us = clock_wall_us(loop_clock(r->engine->conf.loop));
    memcpy(line->text, text, n);
    r->engine->n_lines++;
    return line;
}

static void add(struct task_run *r, struct run_line *line)
{
    line->seq = r->step.dispatch * TASK_LOG_LINES + r->n_lines++;
    append(&r->lines, line);
}

static void add_last(struct task_run *r, struct run_line *line)
{
    append(&r->last_lines, line);
    if (r->last_lines.n <= LAST_LINES)
        return;
    mem_free(take_first(&r->last_lines));
    r->engine->n_lines--;
}

static void add_line(struct task_run *r, const char *text)
{
    static const char long_log[] = "... a long log: of what follows, the last 50 lines are shown when the step ends ...";
    struct run_line *line = make_line(r, text);
    struct run_line *note = r->n_lines == FIRST_LINES ? make_line(r, long_log) : NULL;

    _Static_assert(LAST_LINES == 50, "long_log says the same");
    if (note != NULL)
        add(r, note);
    if (line != NULL && r->n_lines < FIRST_LINES)
        add(r, line);
    else if (line != NULL)
        add_last(r, line);
}

void task_log(struct task_run *r, const char *fmt, ...)
{
    char text[TASK_LOG_LINE_SIZE];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    str_clean(text);
    log_info(&r->log, text);
    add_line(r, text);
}

void task_run_end_log(struct task_run *r)
{
    while (r->last_lines.first != NULL)
        add(r, take_first(&r->last_lines));
}

void task_run_free_log(struct task_run *r)
{
    free_lines(r->engine, &r->lines);
    free_lines(r->engine, &r->last_lines);
}

/* ---- writing -------------------------------------------------------------------------------------------------------------------- */

/* What is on its way of one run; the run waits for it before it ends. */
struct portion {
    struct task_run *run;
    struct run_lines lines;
};

static void take(struct portion *p, struct task_run *r)
{
    *p = (struct portion){ r, r->lines };
    r->lines = (struct run_lines){ NULL };
    r->is_writing = true;
}

static int write_all(struct db *d, const struct portion *p, size_t n, struct err *e)
{
    struct subtask_line *lines;
    size_t n_lines = 0, at = 0;
    struct arena arena;
    int rv = 0;

    arena_init(&arena);
    for (size_t i = 0; i < n; i++)
        n_lines += p[i].lines.n;
    lines = arena_array(&arena, n_lines, sizeof *lines);
    if (lines == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n; i++)
        for (const struct run_line *line = p[i].lines.first; line != NULL; line = line->next)
            lines[at++] = (struct subtask_line){ .subtask_id = p[i].run->step.id, .seq = line->seq, .at_us = line->at_us, .text = line->text };
    if (rv == 0)
        rv = store_subtask_log(d, lines, n_lines, &arena, e);
    arena_fini(&arena);
    return rv;
}

/* Written, or never to be: they go. Else they wait, before those that came meanwhile. */
static void settle(struct portion *p, bool later)
{
    struct task_run *r = p->run;

    if (later) {
        append_all(&p->lines, &r->lines);
        r->lines = p->lines;
    } else
        free_lines(r->engine, &p->lines);
    r->is_writing = false;
    waitlist_wake_all(&r->written);
}

static int write_portions(struct task_engine *t, struct portion *p, size_t n, struct err *e)
{
    int rv = write_all(t->conf.db, p, n, e);
    bool later = rv != 0 && (task_is_passing(e) || err_is(e, &ERR_CANCELLED));

    if (rv != 0 && !later)
        log_warn(&t->log, "lines of steps' logs were not kept", LOG_E(e));
    for (size_t i = 0; i < n; i++)
        settle(&p[i], later);
    return rv;
}

/* Lines of as many runs as fit into one statement. */
static size_t take_some(struct task_engine *t, struct portion *p, size_t space)
{
    size_t n = 0, n_lines = 0;

    for (struct task_run *r = t->runs; r != NULL && n < space && n_lines < MAX_AT_ONCE; r = r->next) {
        if (r->lines.first == NULL || r->is_writing)
            continue;
        n_lines += r->lines.n;
        take(&p[n++], r);
    }
    return n;
}

void task_run_await_log(struct task_run *r)
{
    bool former = fiber_shield(true);
    struct err e;

    fiber_restore_deadline(INT64_MAX);
    while (r->is_writing && waitlist_wait(&r->written, &e) == 0) {
    }
    (void)fiber_shield(former);
}

int task_write_logs(struct task_engine *t, struct err *e)
{
    struct portion portions[64];
    int rv = 0;

    for (size_t n = 1; rv == 0 && n > 0;) {
        n = take_some(t, portions, sizeof portions / sizeof *portions);
        if (n > 0)
            rv = write_portions(t, portions, n, e);
    }
    return rv;
}

int task_run_write_log(struct task_run *r, struct err *e)
{
    struct portion p;
    int rv = 0;

    while (rv == 0 && r->is_writing)
        rv = waitlist_wait(&r->written, e);
    if (rv != 0 || r->lines.first == NULL)
        return rv;
    take(&p, r);
    return write_portions(r->engine, &p, 1, e);
}
