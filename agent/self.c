/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/self.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the order of their groups. */
static const char *const processes[] = { "ocp_agentd", "pos_proxy", "ocp_exporter", "obstat2", "ob_logtailer", "ob_cleaner", NULL };

struct usage {
    double cpu_s, start_s;      /* start: seconds since 1970 */
    long rss_bytes, vsize_bytes, n_threads, n_open;
};

static size_t read_text(const char *path, char *buf, size_t size)
{
    FILE *f = fopen(path, "re");
    size_t n = f != NULL ? fread(buf, 1, size - 1, f) : 0;

    if (f != NULL)
        (void)fclose(f); /* only read from */
    buf[n] = '\0';
    return n;
}

static double boot_time(void)
{
    char text[16384];
    const char *at = read_text("/proc/stat", text, sizeof text) > 0 ? strstr(text, "\nbtime ") : NULL;

    return at != NULL ? strtod(at + 7, NULL) : 0;
}

static long count_open(int pid)
{
    char path[64];
    struct dirent *entry;
    long n = 0;
    DIR *dir;

    (void)snprintf(path, sizeof path, "/proc/%d/fd", pid);
    dir = opendir(path);
    while (dir != NULL && (entry = readdir(dir)) != NULL)
        n += entry->d_name[0] != '.';
    if (dir != NULL)
        (void)closedir(dir);
    return n;
}

/* The name may hold anything, so fields are counted from the parenthesis behind it. See proc(5). */
static bool read_usage(int pid, struct usage *u)
{
    unsigned long user, system, start, vsize;
    char path[64], text[1024];
    const char *at;
    long threads, rss;

    (void)snprintf(path, sizeof path, "/proc/%d/stat", pid);
    at = read_text(path, text, sizeof text) > 0 ? strrchr(text, ')') : NULL;
    if (at == NULL || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %ld %*d %lu %lu %ld", &user, &system,
                             &threads, &start, &vsize, &rss) != 6)
        return false;
    u->cpu_s = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
    u->start_s = boot_time() + (double)start / (double)sysconf(_SC_CLK_TCK);
    u->rss_bytes = rss * sysconf(_SC_PAGESIZE);
    u->vsize_bytes = (long)vsize;
    u->n_threads = threads;
    u->n_open = count_open(pid);
    return true;
}

void self_add_process(struct str *t)
{
    struct usage u;

    if (!read_usage(getpid(), &u))
        return;
    str_printf(t, "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total %.2f\n", u.cpu_s);
    str_printf(t, "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes %ld\n", u.rss_bytes);
    str_printf(t, "# TYPE process_virtual_memory_bytes gauge\nprocess_virtual_memory_bytes %ld\n", u.vsize_bytes);
    str_printf(t, "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %.2f\n", u.start_s);
    str_printf(t, "# TYPE process_open_fds gauge\nprocess_open_fds %ld\n", u.n_open);
    str_printf(t, "# TYPE process_threads gauge\nprocess_threads %ld\n", u.n_threads);
}

static void add_one(struct str *t, const char *name, int pid)
{
    struct usage u = { 0 };
    bool runs = pid > 0 && read_usage(pid, &u);

    str_printf(t, "host_agent_process_status{process=\"%s\"} %d\nprocess_exists{name=\"%s\"} %d\n", name, runs, name, runs);
    if (!runs)
        return;
    str_printf(t, "ocp_agent_process_cpu_seconds_total{process=\"%s\"} %.2f\n", name, u.cpu_s);
    str_printf(t, "ocp_agent_process_resident_memory_bytes{process=\"%s\"} %ld\n", name, u.rss_bytes);
    str_printf(t, "ocp_agent_process_open_fds{process=\"%s\"} %ld\n", name, u.n_open);
    str_printf(t, "ocp_agent_process_start_time_seconds{process=\"%s\"} %.2f\n", name, u.start_s);
}

void self_add_agent(struct frame *f, struct str *t)
{
    for (const char *const *p = processes; *p != NULL; p++)
        add_one(t, *p, strcmp(*p, f->name) == 0 ? getpid() : frame_holder(f, *p));
}

/* ---- programs of others --------------------------------------------------------------------------------------------------------------- */

static const char *const keepers[] = { "ntpd", "chronyd", NULL };

static void note_keeper(const char *pid, unsigned *found)
{
    char path[300], name[64];

    (void)snprintf(path, sizeof path, "/proc/%s/comm", pid);
    if (read_text(path, name, sizeof name) == 0)
        return;
    name[strcspn(name, "\n")] = '\0';
    for (unsigned i = 0; keepers[i] != NULL; i++)
        if (strcmp(name, keepers[i]) == 0)
            *found |= 1u << i;
}

void self_add_clock_keepers(struct str *t)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    unsigned found = 0;

    while (proc != NULL && (entry = readdir(proc)) != NULL)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
            note_keeper(entry->d_name, &found);
    if (proc != NULL)
        (void)closedir(proc);
    for (unsigned i = 0; keepers[i] != NULL; i++)
        str_printf(t, "process_exists{name=\"%s\"} %u\n", keepers[i], found >> i & 1);
}
