/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/commands.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/job.h"
#include "agent/process.h"
#include "src/base/json.h"
#include "src/io/file.h"

enum { LOOK_MIN_MS = 2, LOOK_MAX_MS = 100 };

#define NO_NUMBERS .epoch = FIELD_NONE, .forgotten = FIELD_NONE, .pid = FIELD_NONE, .start_time = FIELD_NONE, .output_bytes = FIELD_NONE, .output_cut = -1

static const struct field_style style = { .lang = ERR_EN, .offset_min = CLOCK_Z };

/* ---- threads ------------------------------------------------------------------------------------------------------------------------ */

struct errand {
    struct work work;
    void (*fn)(void *data);
    void *data;
};

static void run_errand(struct work *w)
{
    struct errand *errand = (struct errand *)w;

    errand->fn(errand->data);
}

static void drop_errand(struct work *w)
{
    mem_free(w);
}

int commands_on_thread(struct commands *c, void (*fn)(void *data), void *data, struct err *e)
{
    struct errand *errand = mem_zalloc(sizeof *errand);
    bool former = fiber_shield(true);
    int64_t deadline = fiber_deadline();
    int rv;

    if (errand != NULL) {
        *errand = (struct errand){ .work = { .run = run_errand, .drop = drop_errand }, .fn = fn, .data = data };
        fiber_restore_deadline(INT64_MAX);
        rv = work_run(c->pool, &errand->work, e);
        fiber_restore_deadline(deadline);
        if (rv == 0)
            mem_free(errand);
    } else {
        rv = err_set(e, &ERR_NOMEM, "");
    }
    (void)fiber_shield(former);
    return rv;
}

int commands_roots(struct commands *c, struct arena *arena, struct roots *out, struct err *e)
{
    const struct field_strings *own = &c->frame->conf.roots;
    size_t n;
    const char *const *declared = ledger_roots(c->ledger, &n);
    const char **all = arena_array(arena, own->n + n + 1, sizeof *all);

    if (all == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < own->n; i++)
        all[i] = own->items[i];
    for (size_t i = 0; i < n; i++)
        all[own->n + i] = declared[i];
    *out = (struct roots){ all, own->n + n, false };
    return 0;
}

/* ---- acts ----------------------------------------------------------------------------------------------------------------------------- */

struct acting {
    const struct act_row *row;
    struct act act;
    struct roots roots;
    const void *args;
    void *answer;
    struct err err;
    int rv;
};

static void run_act(void *data)
{
    struct acting *a = data;

    a->rv = a->row->run(&a->act, a->args, a->answer, &a->err);
}

static int act_on(struct commands *c, const struct agent_kind *kind, const void *args, void *answer, struct arena *arena, struct err *e)
{
    struct acting a = { .row = act_find(kind->name), .args = args, .answer = answer };
    int rv = commands_roots(c, arena, &a.roots, e);

    if (rv != 0)
        return rv;
    if (a.row == NULL)
        return err_set(e, &ERR_AGENT_KIND, "%s", kind->name);
    a.act = (struct act){ &a.roots, c->blobs, arena, INT64_MAX };
    rv = commands_on_thread(c, run_act, &a, e);
    if (rv == 0 && a.rv != 0) {
        *e = a.err;
        rv = a.rv;
    }
    return rv;
}

static int read_object(const struct field *fields, const char *text, void *obj, struct arena *arena, struct err *e)
{
    json_t *value;
    int rv = json_parse((struct slice){ text, strlen(text) }, &value, e);

    if (rv != 0)
        return rv;
    rv = fields_init(fields, obj, arena, e);
    if (rv == 0)
        rv = json_is_object(value) ? fields_read(fields, value, obj, arena, e) : err_set(e, &ERR_INVALID, "args: must be an object");
    json_decref(value);
    return rv;
}

static int make_answer(const struct agent_kind *kind, struct arena *arena, void **out, struct err *e)
{
    *out = arena_zalloc(arena, kind->answer_size + 1);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return kind->answer != NULL ? fields_init(kind->answer, *out, arena, e) : 0;
}

static int write_answer(const struct agent_kind *kind, const void *answer, struct arena *arena, const char **out, struct err *e)
{
    struct str text;

    *out = NULL;
    if (kind->answer == NULL)
        return 0;
    str_init(&text, arena);
    fields_write(&text, kind->answer, answer, &style);
    if (str_failed(&text))
        return err_set(e, &ERR_NOMEM, "");
    if (text.n > AGENT_ANSWER_MAX)
        return err_set(e, &ERR_INVALID, "the answer of %s would have %zu bytes, more than %d; ask for less", kind->name, text.n, AGENT_ANSWER_MAX);
    *out = text.s;
    return 0;
}

int commands_read(struct commands *c, const struct agent_call *call, struct arena *arena, const char **answer, struct err *e)
{
    const struct agent_kind *kind = agent_kind_find(call->kind);
    void *args = arena_zalloc(arena, kind->args_size), *out;
    int rv = args == NULL ? err_set(e, &ERR_NOMEM, "") : read_object(kind->args, call->args, args, arena, e);

    if (rv == 0)
        rv = make_answer(kind, arena, &out, e);
    if (rv == 0)
        rv = act_on(c, kind, args, out, arena, e);
    return rv == 0 ? write_answer(kind, out, arena, answer, e) : rv;
}

/* ---- records ------------------------------------------------------------------------------------------------------------------------- */

int running_note_process(struct running *r, pid_t pid, int64_t start_time, struct err *e)
{
    struct record rec = { .type = RECORD_PROCESS, .at_us = clock_wall_us(&clock_system), .key = &r->entry->key, .boot = r->commands->boot, NO_NUMBERS };
    int rv;

    rec.pid = pid;
    rec.start_time = start_time;
    rv = journal_add(r->commands->journal, &rec, e);
    return rv == 0 ? journal_sync(r->commands->journal, e) : rv;
}

int64_t commands_output_bytes(struct commands *c, const struct entry *entry)
{
    char path[JOB_PATH_SIZE];
    struct stat st;

    if (entry->state != ENTRY_RUNNING)
        return entry->output_bytes;
    return stat(job_path(c->frame->home, &entry->key, "out", path), &st) == 0 ? st.st_size : 0;
}

/* Until the record is taken in the entry is ours; from then on it may be acknowledged and go at any wait. A result that cannot be taken in (a
 * full disk) is kept trying for: the work is done, and somebody must learn it. */
static void end(struct running *r, enum record_type type, struct agent_failure *failure, const char *answer, int cut)
{
    struct commands *c = r->commands;
    struct record rec = { .type = type, .at_us = clock_wall_us(&clock_system), .key = &r->entry->key, .failure = failure, .answer = answer, NO_NUMBERS };
    struct err e = { 0 };

    rec.output_bytes = commands_output_bytes(c, r->entry);
    rec.output_cut = cut;
    while (journal_add(c->journal, &rec, &e) != 0) {
        log_error(&c->frame->log, "a result cannot be written down", LOG_E(&e));
        (void)fiber_shield(false);
        if (fiber_sleep(1000, &e) != 0)
            return;
        (void)fiber_shield(true);
        err_clear(&e);
    }
    r->entry->live = NULL;
    r->entry = NULL;
    if (journal_sync(c->journal, &e) != 0)
        log_error(&c->frame->log, "a result is not on the disk yet", LOG_E(&e));
    waitlist_wake_all(&c->ended);
}

static void end_with(struct running *r, int rv, const struct err *why, const char *answer, int cut)
{
    struct agent_failure failure;
    struct err e = { 0 };

    if (rv == 0 || agent_failure_of(why, &r->arena, &failure, &e) != 0)
        end(r, rv == 0 ? RECORD_RESULT : RECORD_UNKNOWN, NULL, answer, cut);
    else
        end(r, RECORD_RESULT, &failure, answer, cut);
}

/* ---- jobs ----------------------------------------------------------------------------------------------------------------------------- */

struct fetching {
    struct commands *c;
    const struct agent_key *key;
    struct arena *arena;
    struct job_result result;
    bool there;
    struct err err;
    int rv;
};

static void fetch_result(void *data)
{
    struct fetching *g = data;

    g->rv = job_read_result(g->c->frame->home, g->key, g->arena, &g->result, &g->there, &g->err);
}

/* The job is gone: what it has left says how it ended. */
static void end_job(struct running *r)
{
    struct fetching g = { .c = r->commands, .key = &r->entry->key, .arena = &r->arena };
    struct err e = { 0 };

    if (commands_on_thread(r->commands, fetch_result, &g, &e) != 0 || g.rv != 0 || !g.there) {
        if (g.rv != 0)
            log_warn(&r->commands->frame->log, "the result of a job cannot be read", LOG_E(&g.err));
        end(r, RECORD_UNKNOWN, NULL, NULL, 0);
        return;
    }
    end(r, RECORD_RESULT, g.result.failure, g.result.failure == NULL ? g.result.answer : NULL, g.result.output_cut == 1);
}

/* Waits until it is gone. Errors: CANCELLED: it goes on without us. */
static int await_job(struct running *r, struct err *e)
{
    int64_t ms = LOOK_MIN_MS;
    struct process p;
    bool former;
    int rv = 0;

    while (rv == 0 && process_look((pid_t)r->entry->pid, r->entry->start_time, &p)) {
        if (r->stop)
            (void)kill((pid_t)r->entry->pid, SIGTERM);
        former = fiber_shield(false);
        rv = fiber_sleep(ms, e);
        (void)fiber_shield(former);
        ms = ms * 3 / 2 < LOOK_MAX_MS ? ms * 3 / 2 + 1 : LOOK_MAX_MS;
    }
    return rv;
}

struct spawning {
    struct daemon daemon;
    struct spawned spawned;
    const char *path;
    struct err err;
    int rv;
};

static void spawn(void *data)
{
    struct spawning *s = data;

    s->rv = daemon_spawn(&s->daemon, &s->spawned, &s->err);
}

static void go(void *data)
{
    struct spawning *s = data;

    s->rv = daemon_go(&s->spawned, s->path, &s->err);
}

/* A file without a name that holds what the job reads. */
static int make_spec(struct running *r, int *fd, struct err *e)
{
    struct job_spec spec = { .key = &r->entry->key, .kind = r->entry->kind->name, .timeout_ms = r->timeout_ms };
    struct str args, text;
    struct roots roots;
    int rv = commands_roots(r->commands, &r->arena, &roots, e);

    if (rv != 0)
        return rv;
    str_init(&args, &r->arena);
    fields_write(&args, r->entry->kind->args, r->args, &style);
    spec.args = args.s;
    spec.roots = (struct field_strings){ (const char **)roots.dirs, roots.n };
    str_init(&text, &r->arena);
    fields_write(&text, job_spec_fields, &spec, &style);
    if (str_failed(&args) || str_failed(&text))
        return err_set(e, &ERR_NOMEM, "");
    *fd = memfd_create("command", MFD_CLOEXEC);
    if (*fd >= 0 && file_write_all(*fd, text.s, text.n) && lseek(*fd, 0, SEEK_SET) == 0)
        return 0;
    if (*fd >= 0)
        (void)close(*fd);
    return err_set(e, &ERR_IO, "no memory file for the command");
}

static int start_job(struct running *r, struct err *e)
{
    struct commands *c = r->commands;
    const char *argv[] = { c->frame->exe, "--home", c->frame->home, JOB_NAME, NULL };
    static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", NULL };
    struct spawning s = { .daemon = { .argv = argv, .env = env, .input = -1, .output = -1 }, .path = c->frame->exe };
    int rv = make_spec(r, &s.daemon.input, e);

    if (rv != 0)
        return rv;
    rv = commands_on_thread(c, spawn, &s, e);
    (void)close(s.daemon.input);
    if (rv == 0 && s.rv != 0) {
        *e = s.err;
        rv = s.rv;
    }
    if (rv != 0)
        return rv;
    rv = running_note_process(r, s.spawned.pid, s.spawned.start_time, e);
    if (rv == 0)
        rv = commands_on_thread(c, go, &s, e);
    if (rv == 0 && s.rv != 0) {
        *e = s.err;
        rv = s.rv;
    }
    daemon_drop(&s.spawned);
    return rv;
}

static void run_job(struct running *r)
{
    struct err e = { 0 };
    int rv = start_job(r, &e);

    if (rv != 0)
        end_with(r, rv, &e, NULL, 0);
    else if (await_job(r, &e) == 0)
        end_job(r);
}

/* ---- one command ----------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *kind;
    int (*run)(struct running *r, void *answer, struct err *e);
} special[] = {
    { "start_process", command_start_process }, { "stop_process", command_stop_process }, { "declare_root", command_declare_root },
    { "control", command_control },             { "install_self", command_install_self },
};

static int act(struct running *r, void *answer, struct err *e)
{
    for (size_t i = 0; i < sizeof special / sizeof special[0]; i++)
        if (strcmp(special[i].kind, r->entry->kind->name) == 0)
            return special[i].run(r, answer, e);
    return act_on(r->commands, r->entry->kind, r->args, answer, &r->arena, e);
}

static void run_quick(struct running *r)
{
    const struct agent_kind *kind = r->entry->kind;
    const char *text = NULL;
    struct err e = { 0 };
    void *answer;
    int rv = make_answer(kind, &r->arena, &answer, &e);

    if (rv == 0)
        rv = act(r, answer, &e);
    if (rv == ERR_CANCELLED.code)
        return; /* pos_proxy ends: the entry stays as it is */
    if (rv == 0)
        rv = write_answer(kind, answer, &r->arena, &text, &e);
    end_with(r, rv, &e, text, 0);
}

static int still_in_time(const struct running *r, struct err *e)
{
    int64_t late = clock_now_ms(&clock_system) - r->start_by;

    return late <= 0 ? 0 : err_set(e, &ERR_AGENT_LATE, "it could only begin %lld ms after it had to", (long long)late);
}

static void running_free(struct running *r)
{
    arena_fini(&r->arena);
    mem_free(r);
}

static void run_command(void *data)
{
    struct running *r = data;
    struct err e = { 0 };
    int rv;

    (void)fiber_shield(true);
    rv = journal_sync(r->commands->journal, &e);
    if (rv == 0)
        rv = still_in_time(r, &e);
    if (rv != 0)
        end_with(r, rv, &e, NULL, 0);
    else if ((r->entry->kind->flags & AGENT_SLOW) != 0)
        run_job(r);
    else
        run_quick(r);
    running_free(r);
}

static int running_new(struct commands *c, struct entry *entry, struct running **out, struct err *e)
{
    *out = mem_zalloc(sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    (*out)->commands = c;
    (*out)->entry = entry;
    arena_init(&(*out)->arena);
    return 0;
}

int commands_start(struct commands *c, struct entry *entry, const struct agent_call *call, struct err *e)
{
    struct running *r;
    int rv = running_new(c, entry, &r, e);

    if (rv != 0)
        return rv;
    r->start_by = call->start_by;
    r->timeout_ms = call->timeout_ms;
    r->args = arena_zalloc(&r->arena, entry->kind->args_size + 1);
    rv = r->args == NULL ? err_set(e, &ERR_NOMEM, "") : read_object(entry->kind->args, call->args, r->args, &r->arena, e);
    entry->live = r;
    if (rv == 0)
        rv = fiber_start(c->frame->loop, entry->kind->name, run_command, r, &r->fiber, e);
    if (rv != 0) {
        entry->live = NULL;
        running_free(r);
    }
    return rv;
}

void commands_stop(struct commands *c, struct entry *entry)
{
    struct running *r = entry->live;

    (void)c;
    if (entry->state == ENTRY_RUNNING && r != NULL)
        r->stop = true;
}

void commands_forget(struct commands *c, const struct agent_key *key)
{
    char path[JOB_PATH_SIZE];

    (void)unlink(job_path(c->frame->home, key, "out", path)); /* most commands have neither */
    (void)unlink(job_path(c->frame->home, key, "result", path));
}

/* ---- after a restart --------------------------------------------------------------------------------------------------------------------- */

/* A daemon that became its program was started, whoever recorded it; one that did not will never. */
static bool was_started(const struct running *r, struct process *p)
{
    return process_look((pid_t)r->entry->pid, r->entry->start_time, p) && !process_runs(p, r->commands->frame->exe);
}

static void recover_start(struct running *r)
{
    struct agent_started answer = { .already = 0 };
    const char *text = NULL;
    struct process p;
    struct err e = { 0 };

    if (!was_started(r, &p) || (r->commands->scope != NULL && process_runs(&p, r->commands->scope))) {
        end(r, RECORD_UNKNOWN, NULL, NULL, 0);
        return;
    }
    answer.pid = p.pid;
    answer.start_time = p.start_time;
    if (write_answer(r->entry->kind, &answer, &r->arena, &text, &e) == 0)
        end(r, RECORD_RESULT, NULL, text, 0);
}

static void recover_one(void *data)
{
    struct running *r = data;
    bool same_boot = strcmp(r->entry->boot, r->commands->boot) == 0;
    struct err e = { 0 };

    (void)fiber_shield(true);
    if ((r->entry->kind->flags & AGENT_SLOW) != 0) {
        if (r->entry->pid == FIELD_NONE || !same_boot || await_job(r, &e) == 0)
            end_job(r);
    } else if (strcmp(r->entry->kind->name, "install_self") == 0) {
        run_quick(r);
    } else if (r->entry->pid != FIELD_NONE && same_boot) {
        recover_start(r);
    } else {
        end(r, RECORD_UNKNOWN, NULL, NULL, 0);
    }
    running_free(r);
}

struct recovery {
    struct commands *commands;
    struct err *e;
    int rv;
};

static bool recover_entry(struct entry *entry, void *data)
{
    struct recovery *all = data;
    struct running *r;

    if (entry->state != ENTRY_RUNNING)
        return true;
    all->rv = running_new(all->commands, entry, &r, all->e);
    if (all->rv != 0)
        return false;
    entry->live = r;
    all->rv = fiber_start(all->commands->frame->loop, "recover", recover_one, r, &r->fiber, all->e);
    if (all->rv != 0) {
        entry->live = NULL;
        running_free(r);
    }
    return all->rv == 0;
}

/* Output and results of commands that are forgotten. */
void commands_sweep(struct commands *c)
{
    char path[JOB_PATH_SIZE];
    struct dirent *file;
    struct arena arena;
    DIR *d;

    (void)snprintf(path, sizeof path, "%s/data/commands", c->frame->home);
    d = opendir(path);
    arena_init(&arena);
    while (d != NULL && (file = readdir(d)) != NULL) {
        const char *dot = strrchr(file->d_name, '.');
        struct agent_key key;

        if (dot != NULL && agent_key_parse((struct slice){ file->d_name, (size_t)(dot - file->d_name) }, &arena, &key) &&
            ledger_find(c->ledger, &key) == NULL)
            (void)unlinkat(dirfd(d), file->d_name, 0); /* next time, then */
    }
    if (d != NULL)
        (void)closedir(d);
    arena_fini(&arena);
}

int commands_recover(struct commands *c, struct err *e)
{
    struct recovery all = { .commands = c, .e = e };

    commands_sweep(c);
    ledger_each(c->ledger, recover_entry, &all);
    return all.rv;
}
