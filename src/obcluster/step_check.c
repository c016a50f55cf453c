/* SPDX-License-Identifier: Apache-2.0 */
/* May an observer run on this host? Everything is asked before anything is made, and every reason against it is told at once; what is only unwise
 * stands in the step's log. */
#include <stdlib.h>
#include <string.h>

#include "src/base/num.h"
#include "src/host/agent.h"
#include "src/obcluster/step_host.h"

ERR_DEFINE(ERR_OBSERVER_PORT, 90832, 409, ERR_RETRY, "The port {1} of the host {0} is not free: {2}. End what uses it, or choose other ports.",
           "主机 {0} 的端口 {1} 不可用：{2}。请停止占用该端口的进程或更换端口。");
ERR_DEFINE(ERR_OBSERVER_DISK, 90833, 409, ERR_RETRY, "On the host {0} there is too little room for {1}: {2} MiB, at least {3} MiB are needed. Make room, or ask for less.",
           "主机 {0} 上 {1} 的可用空间不足：{2} MiB，至少需要 {3} MiB。请清理空间或减小配置。");
ERR_DEFINE(ERR_OBSERVER_MEMORY, 90846, 409, ERR_FINAL, "The host {0} has {1} MiB of memory, less than memory_limit, {2} MiB. Lower memory_limit, or choose another host.",
           "主机 {0} 的内存为 {1} MiB，小于 memory_limit（{2} MiB）。请减小 memory_limit 或更换主机。");
ERR_DEFINE(ERR_OBSERVER_CLOCK, 90847, 409, ERR_RETRY, "The clock of the host {0} differs by {1} ms from that of this server, more than 2000 ms. Let both follow one time server (chrony).",
           "主机 {0} 的时钟与本服务器相差 {1} 毫秒，超过 2000 毫秒。请使用同一时钟源（chrony）同步时间。");
ERR_DEFINE(ERR_OBSERVER_REFUSED, 90848, 409, ERR_RETRY, "The host {0} cannot take an observer like this: {1} {2} {3} {4}", "主机 {0} 无法部署 OBServer：{1} {2} {3} {4}");

const struct err_row *const step_check_err_rows[] = {
    &ERR_OBSERVER_PORT, &ERR_OBSERVER_DISK, &ERR_OBSERVER_MEMORY, &ERR_OBSERVER_CLOCK, &ERR_OBSERVER_REFUSED, NULL,
};

enum { REASONS = 16, NEEDED_MIB = 64, SKEW_MS = 2000, CONNECT_MS = 2000, ENTRIES = 100, PATHS = 3 };

struct check {
    struct task_run *r;
    struct step_install s;
    struct task_host *h;
    struct layout_parameter *given;
    size_t n_given;
    struct err reasons[REASONS];
    size_t n;
};

/* The next reason; when there are too many the last is written over. */
static struct err *next(struct check *c)
{
    if (c->n < REASONS)
        c->n++;
    return &c->reasons[c->n - 1];
}

/* Of a parameter that was asked for, in MiB; 0: it was not. */
static int64_t asked_mib(const struct check *c, const char *name)
{
    int64_t bytes;

    for (size_t i = 0; i < c->n_given; i++)
        if (strcmp(c->given[i].name, name) == 0 && num_parse_size((struct slice){ c->given[i].value, strlen(c->given[i].value) }, &bytes))
            return bytes >> 20;
    return 0;
}

/* --- ports, disks, directories ---------------------------------------------------------------------------------------------------- */

static int check_port(struct check *c, int64_t port, struct err *e)
{
    struct agent_check_port args = { .address = c->s.self->ip, .port = port, .connect = 0, .timeout_ms = CONNECT_MS };
    struct agent_port seen;
    struct err *why;
    int rv = task_host_command(c->h, "check_port", &args, &seen, e);

    if (rv != 0 || seen.free == 1)
        return rv;
    why = next(c);
    (void)err_set(why, &ERR_OBSERVER_PORT, "%s", c->s.self->ip);
    (void)err_arg(why, "%lld", (long long)port);
    (void)err_arg(why, "%s", seen.reason != NULL ? seen.reason : "something listens there");
    return 0;
}

static void too_full(struct check *c, const struct agent_disk *d, int64_t needed)
{
    struct err *why = next(c);

    (void)err_set(why, &ERR_OBSERVER_DISK, "%s", c->s.self->ip);
    (void)err_arg(why, "%s", d->path);
    (void)err_arg(why, "%lld", (long long)(d->available_bytes >> 20));
    (void)err_arg(why, "%lld", (long long)needed);
}

/* The observer takes its files' whole room at its first start. Directories on one disk share it. */
static int check_disks(struct check *c, struct err *e)
{
    const char *paths[PATHS] = { c->s.layout.home, c->s.layout.data, c->s.layout.log };
    const int64_t needs[PATHS] = { NEEDED_MIB, asked_mib(c, "datafile_size"), asked_mib(c, "log_disk_size") };
    struct agent_disk_usage args = { .paths = { paths, PATHS } };
    struct agent_disks seen;
    int rv = task_host_command(c->h, "disk_usage", &args, &seen, e);

    for (size_t i = 0; rv == 0 && i < seen.disks.n && i < PATHS; i++) {
        const struct agent_disk *all = seen.disks.items, *d = &all[i];
        int64_t needed = 0;
        size_t same = 0;

        while (all[same].device_number != d->device_number)
            same++;
        for (size_t k = 0; k < seen.disks.n && k < PATHS; k++)
            needed += all[k].device_number == d->device_number ? needs[k] : 0;
        needed = needed > NEEDED_MIB ? needed : NEEDED_MIB;
        task_log(c->r, "%s: %s lies on %s, %lld MiB available, %lld needed there", c->s.self->ip, d->path, d->device != NULL ? d->device : "?",
                 (long long)(d->available_bytes >> 20), (long long)needed);
        if (same == i && d->available_bytes >> 20 < needed)
            too_full(c, d, needed);
    }
    return rv;
}

/* What has a mark is looked at when the directories are made. */
static bool is_strange(const struct agent_files *f)
{
    for (size_t i = 0; i < f->entries.n; i++)
        if (strcmp(((const struct agent_file *)f->entries.items)[i].name, AGENT_MARK) == 0)
            return false;
    return f->entries.n > 0;
}

static int check_directories(struct check *c, struct err *e)
{
    struct field_strings marked, plain;
    int rv = layout_directories(&c->s.layout, task_arena(c->r), &marked, &plain, e);

    for (size_t i = 0; rv == 0 && i < marked.n; i++) {
        struct agent_list_directory args = { .path = marked.items[i], .limit = ENTRIES };
        struct agent_files seen;

        rv = task_host_command(c->h, "list_directory", &args, &seen, e);
        if (rv == ERR_AGENT_FILE.code) { /* it is not there, as it should be */
            err_clear(e);
            rv = 0;
        } else if (rv == 0 && is_strange(&seen)) {
            (void)err_set(next(c), &ERR_AGENT_NOT_EMPTY, "%s", marked.items[i]);
        }
    }
    return rv;
}

/* --- the host --------------------------------------------------------------------------------------------------------------------- */

static void advise(struct check *c, const char *name, int64_t now, int64_t least, int64_t most)
{
    if (now != FIELD_NONE && (now < least || now > most))
        task_log(c->r, "%s: advice: %s is %lld, better %lld at least: sysctl -w %s=%lld", c->s.self->ip, name, (long long)now, (long long)least, name,
                 (long long)least);
}

static void check_memory(struct check *c, const struct agent_host_info *i)
{
    int64_t wanted = asked_mib(c, "memory_limit");
    struct err *why;

    if (wanted > 0 && i->memory_available_bytes != FIELD_NONE && i->memory_available_bytes >> 20 < wanted)
        task_log(c->r, "%s: advice: memory_limit is %lld MiB, of which %lld are available now", c->s.self->ip, (long long)wanted,
                 (long long)(i->memory_available_bytes >> 20));
    if (wanted == 0 || i->memory_bytes == FIELD_NONE || i->memory_bytes >> 20 >= wanted)
        return;
    why = next(c);
    (void)err_set(why, &ERR_OBSERVER_MEMORY, "%s", c->s.self->ip);
    (void)err_arg(why, "%lld", (long long)(i->memory_bytes >> 20));
    (void)err_arg(why, "%lld", (long long)wanted);
}

/* Its clock was read at some time between the two. */
static void check_clock(struct check *c, int64_t wall_us, int64_t before_us, int64_t after_us)
{
    int64_t off_us = wall_us < before_us ? before_us - wall_us : wall_us > after_us ? wall_us - after_us : 0;
    struct err *why;

    if (wall_us == FIELD_NONE || off_us / 1000 <= SKEW_MS)
        return;
    why = next(c);
    (void)err_set(why, &ERR_OBSERVER_CLOCK, "%s", c->s.self->ip);
    (void)err_arg(why, "%lld", (long long)(off_us / 1000));
}

static int check_machine(struct check *c, struct err *e)
{
    static const struct agent_nothing nothing = { 0 };
    struct agent_host_info info;
    int64_t before_us = step_now_us(c->r);
    int rv = task_host_command(c->h, "host_info", &nothing, &info, e);

    if (rv != 0)
        return rv;
    check_clock(c, info.wall_us, before_us, step_now_us(c->r));
    check_memory(c, &info);
    advise(c, "vm.max_map_count", info.max_map_count, 327600, 1000000);
    advise(c, "fs.file-max", info.max_files, 6573688, INT64_MAX);
    return 0;
}

/* --- all together ----------------------------------------------------------------------------------------------------------------- */

static int refuse(struct check *c, struct err *e)
{
    if (c->n == 1)
        *e = c->reasons[0];
    else
        (void)err_set(e, &ERR_OBSERVER_REFUSED, "%s", c->s.self->ip);
    for (size_t i = 0; i < c->n; i++) {
        char text[ERR_MAX_ARGS * ERR_ARG_SIZE + ERR_TRAIL_SIZE];

        task_log(c->r, "%s: %s", c->s.self->ip, err_text(&c->reasons[i], ERR_EN, text, sizeof text));
        if (c->n > 1 && i < 4)
            (void)err_arg(e, "%s", text);
    }
    for (size_t i = c->n; c->n > 1 && i < 4; i++)
        (void)err_arg(e, "%s", "");
    return e->row->code;
}

/* One of the cluster's that runs already was started by an earlier run of the next step. */
static int is_running(struct check *c, bool *yes, struct err *e)
{
    struct agent_process_status args = { .pid = FIELD_NONE, .start_time = FIELD_NONE, .pid_file = c->s.layout.pid_file, .exe = c->s.layout.observer };
    struct agent_process_seen seen;
    int rv = task_host_command(c->h, "process_status", &args, &seen, e);

    *yes = rv == 0 && seen.running == 1;
    if (rv != ERR_AGENT_FILE.code && rv != ERR_AGENT_PROCESS.code)
        return rv;
    err_clear(e);
    return 0;
}

int observer_check(struct task_run *r, struct err *e)
{
    struct check c = { .r = r };
    bool running = false;
    int rv = step_install(r, &c.s, e);

    if (rv == 0)
        rv = host_of_step(r, c.s.self->host_id, &c.h, e);
    if (rv == 0)
        rv = step_parameters(r, &c.s, &c.given, &c.n_given, e);
    if (rv == 0)
        rv = step_declare_roots(&c.s, c.h, e);
    if (rv == 0)
        rv = is_running(&c, &running, e);
    if (running)
        task_log(r, "%s: its observer runs already", c.s.self->ip);
    if (rv != 0 || running)
        return rv;
    rv = check_machine(&c, e);
    if (rv == 0)
        rv = check_disks(&c, e);
    if (rv == 0)
        rv = check_directories(&c, e);
    if (rv == 0)
        rv = check_port(&c, c.s.self->port, e);
    if (rv == 0)
        rv = check_port(&c, c.s.self->sql_port, e);
    return rv == 0 && c.n > 0 ? refuse(&c, e) : rv;
}
