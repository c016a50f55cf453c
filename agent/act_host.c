/* SPDX-License-Identifier: Apache-2.0 */
/* What the host is, what room it has, who runs on it, who listens. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/act.h"
#include "agent/frame.h"
#include "agent/process.h"
#include "src/base/num.h"
#include "src/io/addr.h"

/* ---- process_status ------------------------------------------------------------------------------------------------------------------ */

int act_find_by_pid_file(const struct roots *roots, const char *pid_file, const char *exe, struct process *out, bool *found, struct err *e)
{
    struct err why = { 0 };
    char text[32];
    int64_t pid;
    ssize_t n;
    int fd, rv = roots_open(roots, pid_file, O_RDONLY | O_NONBLOCK, 0, &fd, &why);

    *found = false;
    if (rv == ERR_AGENT_FILE.code && errno == ENOENT)
        return 0;
    if (rv != 0) {
        *e = why;
        return rv;
    }
    n = read(fd, text, sizeof text);
    (void)close(fd);
    if (n < 0)
        return roots_failed(pid_file, e);
    *found = num_parse_i64_in(slice_trim((struct slice){ text, (size_t)n }), 2, INT32_MAX, &pid) && process_look((pid_t)pid, FIELD_NONE, out) &&
             (exe == NULL || process_runs(out, exe));
    return 0;
}

int act_process_status(struct act *a, const void *args, void *answer, struct err *e)
{
    const struct agent_process_status *s = args;
    struct agent_process_seen *out = answer;
    struct process p;
    bool found = false;
    int rv = 0;

    if (s->pid == FIELD_NONE && s->pid_file == NULL)
        return err_set(e, &ERR_INVALID, "pid or pidFile: one of them is required");
    if (s->pid != FIELD_NONE)
        found = process_look((pid_t)s->pid, s->start_time, &p) && (s->exe == NULL || process_runs(&p, s->exe));
    else
        rv = act_find_by_pid_file(a->roots, s->pid_file, s->exe, &p, &found, e);
    out->running = 0;
    if (rv != 0 || !found)
        return rv;
    *out = (struct agent_process_seen){ 1, p.pid, p.start_time, arena_strdup(a->arena, p.exe), user_name(p.uid, a->arena), p.rss_bytes, p.cpu_ms,
                                        p.threads };
    return out->exe != NULL && out->user != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

/* ---- check_port ---------------------------------------------------------------------------------------------------------------------- */

static bool can_bind(int fd, const struct sockaddr_storage *at, socklen_t n)
{
    int on = 1;

    /* connections of a former listener that linger do not count as somebody who listens */
    return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, (const struct sockaddr *)at, n) == 0 && listen(fd, 1) == 0;
}

static bool can_connect(int fd, const struct sockaddr_storage *at, socklen_t n, int64_t timeout_ms)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    socklen_t size = sizeof errno;
    int number = 0;

    if (connect(fd, (const struct sockaddr *)at, n) == 0)
        return true;
    if (errno != EINPROGRESS)
        return false;
    if (poll(&p, 1, (int)timeout_ms) != 1) {
        errno = ETIMEDOUT;
        return false;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size) != 0)
        return false;
    errno = number;
    return number == 0;
}

int act_check_port(struct act *a, const void *args, void *answer, struct err *e)
{
    const struct agent_check_port *c = args;
    const char *address = c->address != NULL ? c->address : "0.0.0.0";
    struct agent_port *out = answer;
    int64_t began = clock_wall_us(&clock_system);
    struct sockaddr_storage at;
    struct addr where;
    socklen_t n;
    bool ok;
    int fd;

    if (!addr_parse((struct slice){ address, strlen(address) }, &where))
        return err_set(e, &ERR_INVALID, "address: must be an IP address");
    n = addr_to(&where, (unsigned)c->port, &at);
    fd = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return roots_failed("socket", e);
    ok = c->connect == 1 ? can_connect(fd, &at, n, c->timeout_ms) : can_bind(fd, &at, n);
    *out = (struct agent_port){ .free = c->connect == 1 ? -1 : ok, .reachable = c->connect == 1 ? ok : -1,
                                .reason = ok ? NULL : arena_strdup(a->arena, strerror(errno)) };
    out->took_us = clock_wall_us(&clock_system) - began;
    (void)close(fd);
    return 0;
}

/* ---- disk_usage ---------------------------------------------------------------------------------------------------------------------- */

/* The longest part of the path that is there. */
static char *existing_part(const char *path, struct arena *arena, struct stat *st)
{
    char *part = arena_strdup(arena, path);

    while (part != NULL && stat(part, st) != 0) {
        char *slash = strrchr(part, '/');

        if (slash == NULL)
            return NULL;
        slash[slash == part ? 1 : 0] = '\0';
        if (slash == part)
            return stat(part, st) == 0 ? part : NULL;
    }
    return part;
}

/* Device and type of the file system, from /proc/self/mountinfo: "id parent major:minor root point options ... - type device ...". */
static void find_mount(struct slice mounts, dev_t device, struct arena *arena, struct agent_disk *out)
{
    char wanted[32];

    (void)snprintf(wanted, sizeof wanted, "%u:%u", major(device), minor(device));
    while (mounts.n > 0) {
        struct slice line = slice_cut(&mounts, '\n'), number;
        const char *dash;

        (void)slice_cut(&line, ' ');
        (void)slice_cut(&line, ' ');
        number = slice_cut(&line, ' ');
        dash = memmem(line.s, line.n, " - ", 3);
        if (!slice_is(number, wanted) || dash == NULL)
            continue;
        line = (struct slice){ dash + 3, line.n - (size_t)(dash + 3 - line.s) };
        number = slice_cut(&line, ' ');
        out->type = arena_strndup(arena, number.s, number.n);
        number = slice_cut(&line, ' ');
        out->device = arena_strndup(arena, number.s, number.n);
        return;
    }
}

static int look_at_disk(struct act *a, const char *path, struct slice mounts, struct agent_disk *out, struct err *e)
{
    struct statvfs fs;
    struct stat st;
    char *there;
    int rv = roots_check(a->roots, path, e);

    if (rv != 0)
        return rv;
    there = existing_part(path, a->arena, &st);
    if (there == NULL || statvfs(there, &fs) != 0)
        return roots_failed(path, e);
    *out = (struct agent_disk){
        .path = path, .existing = there, .total_bytes = (int64_t)(fs.f_blocks * fs.f_frsize), .available_bytes = (int64_t)(fs.f_bavail * fs.f_frsize),
        .total_files = (int64_t)fs.f_files, .available_files = (int64_t)fs.f_favail, .device_number = (int64_t)st.st_dev,
    };
    find_mount(mounts, st.st_dev, a->arena, out);
    return 0;
}

int act_disk_usage(struct act *a, const void *args, void *answer, struct err *e)
{
    const struct agent_disk_usage *d = args;
    struct agent_disk *disks = arena_array(a->arena, d->paths.n + 1, sizeof *disks);
    struct slice mounts;
    int rv = disks == NULL ? err_set(e, &ERR_NOMEM, "") : frame_read("/proc/self/mountinfo", a->arena, &mounts, e);

    for (size_t i = 0; rv == 0 && i < d->paths.n; i++)
        rv = look_at_disk(a, d->paths.items[i], mounts, &disks[i], e);
    *(struct agent_disks *)answer = (struct agent_disks){ .disks = { disks, rv == 0 ? d->paths.n : 0 } };
    return rv;
}

/* ---- host_info ----------------------------------------------------------------------------------------------------------------------- */

/* The value of a line "NAME=value" or "NAME : value", without quotes; NULL when there is none. */
static const char *value_of(struct slice text, const char *name, char sep, struct arena *arena)
{
    while (text.n > 0) {
        struct slice line = slice_cut(&text, '\n'), key = slice_trim(slice_cut(&line, sep));

        line = slice_trim(line);
        if (!slice_is(key, name))
            continue;
        if (line.n >= 2 && line.s[0] == '"' && line.s[line.n - 1] == '"')
            line = (struct slice){ line.s + 1, line.n - 2 };
        return arena_strndup(arena, line.s, line.n);
    }
    return NULL;
}

static struct slice read_text(const char *path, struct arena *arena)
{
    struct slice text;
    struct err e = { 0 };

    return frame_read(path, arena, &text, &e) == 0 && text.s != NULL ? text : (struct slice){ "", 0 };
}

static int64_t kilobytes(struct slice meminfo, const char *name, struct arena *arena)
{
    const char *text = value_of(meminfo, name, ':', arena);
    char *end;
    long long v = text != NULL ? strtoll(text, &end, 10) : -1;

    return v >= 0 ? (int64_t)v * 1024 : FIELD_NONE;
}

static int64_t number_in(const char *path, struct arena *arena)
{
    struct slice text = read_text(path, arena);
    struct slice first = slice_cut(&text, '\n');
    int64_t v;

    return num_parse_i64(slice_trim(first), &v) ? v : FIELD_NONE;
}

static const char *boot_id(struct arena *arena)
{
    struct slice text = read_text("/proc/sys/kernel/random/boot_id", arena);
    char id[AGENT_ID_SIZE];
    size_t n = 0;

    for (size_t i = 0; i < text.n && n < sizeof id - 1; i++)
        if (text.s[i] != '-' && text.s[i] != '\n')
            id[n++] = text.s[i];
    return arena_strndup(arena, id, n);
}

int act_host_info(struct act *a, const void *args, void *answer, struct err *e)
{
    struct slice os = read_text("/etc/os-release", a->arena), memory = read_text("/proc/meminfo", a->arena), cpu = read_text("/proc/cpuinfo", a->arena);
    struct agent_host_info *out = answer;
    struct utsname u;

    (void)args;
    if (uname(&u) != 0)
        return roots_failed("uname", e);
    *out = (struct agent_host_info){
        .hostname = arena_strdup(a->arena, u.nodename), .kernel = arena_strdup(a->arena, u.release), .architecture = arena_strdup(a->arena, u.machine),
        .os = value_of(os, "ID", '=', a->arena), .os_version = value_of(os, "VERSION_ID", '=', a->arena),
        .cpu_model = value_of(cpu, "model name", ':', a->arena), .boot = boot_id(a->arena),
        .cpu_count = sysconf(_SC_NPROCESSORS_ONLN), .memory_bytes = kilobytes(memory, "MemTotal", a->arena),
        .memory_available_bytes = kilobytes(memory, "MemAvailable", a->arena), .swap_bytes = kilobytes(memory, "SwapTotal", a->arena),
        .wall_us = clock_wall_us(&clock_system), .clock_ms = clock_now_ms(&clock_system),
        .max_files = number_in("/proc/sys/fs/file-max", a->arena), .max_map_count = number_in("/proc/sys/vm/max_map_count", a->arena),
        .systemd = access("/run/systemd/system", F_OK) == 0, .root = geteuid() == 0,
    };
    out->boot_us = out->wall_us - out->clock_ms * 1000;
    return out->hostname != NULL && out->kernel != NULL && out->architecture != NULL && out->boot != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}
