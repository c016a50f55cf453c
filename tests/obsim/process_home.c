/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/process_home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/base/num.h"

static const char kept[] = "etc/observer.config.bin", pid_path[] = "run/observer.pid";

/* --- the log ------------------------------------------------------------------------------------------------------------------------ */

void home_log(const char *file, const char *level, const char *module, int number, const char *fmt, ...)
{
    char path[256], text[1024], code[32] = "", from[64] = "";
    struct timespec now;
    struct tm tm;
    va_list args;
    FILE *f;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    (void)snprintf(path, sizeof path, "log/%s", file);
    f = fopen(path, "ae");
    if (f == NULL)
        return; /* its home is gone, and the log with it */
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail */
    (void)localtime_r(&now.tv_sec, &tm);
    if (number != 0)
        (void)snprintf(code, sizeof code, " [errcode=-%d]", number);
    (void)snprintf(from, sizeof from, module[0] != '\0' ? "[%s] " : "", module);
    (void)fprintf(f, "[%04d-%02d-%02d %02d:%02d:%02d.%06ld] %-5s %ssimulated (obsim.cpp:1) [%d][observer][T0][Y0-0000000000000000-0-0] [lt=1]%s %s\n",
                  tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, now.tv_nsec / 1000, level, from, (int)getpid(),
                  code, text);
    (void)fclose(f);
}

/* --- before it is a daemon ------------------------------------------------------------------------------------------------------------ */

static bool complain(const char *what, const char *why)
{
    (void)fprintf(stderr, "observer: %s: %s\n", what, why);
    return false;
}

static bool make_folders(void)
{
    static const char *const names[] = { "etc", "log", "log/alert", "run", "store" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (mkdir(names[i], 0755) != 0 && errno != EEXIST)
            return complain(names[i], strerror(errno));
    return true;
}

/* Locked by the process that runs here. */
static bool lock_pid(struct process_home *h)
{
    h->pid_file = open(pid_path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (h->pid_file < 0)
        return complain(pid_path, strerror(errno));
    return flock(h->pid_file, LOCK_EX | LOCK_NB) == 0 || complain(pid_path, "locked: the observer runs already");
}

static bool has_all(const struct sim_values *v)
{
    static const char *const needed[] = { "zone", "cluster", "cluster_id", "data_dir", "mysql_port", "rpc_port" };

    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (values_get(v, needed[i])[0] == '\0')
            return complain(needed[i], "has to be given at the first start");
    if (values_get(v, "local_ip")[0] == '\0' && values_get(v, "devname")[0] == '\0')
        return complain("local_ip", "it or devname has to be given at the first start");
    if (values_get(v, "rootservice_list")[0] != '\0' && values_get(v, "obconfig_url")[0] != '\0')
        return complain("rootservice_list", "at the first start it or obconfig_url is given, not both");
    return true;
}

bool home_enter(struct process_home *h, const struct process_options *o)
{
    *h = (struct process_home){ .pid_file = -1 };
    if (!make_folders())
        return false;
    h->is_first = !values_read(&h->config, kept);
    for (size_t i = 0; i < o->given.list.n; i++)
        sim_values_set(&h->config, o->given.list.items[i]->name, sim_slice(o->given.list.items[i]->value), 0);
    return (!h->is_first || has_all(&h->config)) && lock_pid(h);
}

/* With the line that each log begins with. */
static void begin_logs(void)
{
    static const char *const names[] = { "observer.log", "rootservice.log", "election.log", "trace.log" };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        home_log(names[i], "INFO", "", 0, "New syslog file info: [simulated observer]");
}

bool home_write_pid(struct process_home *h)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());

    begin_logs();
    return ftruncate(h->pid_file, 0) == 0 && pwrite(h->pid_file, text, (size_t)n, 0) == n;
}

void home_fini(struct process_home *h)
{
    sim_values_fini(&h->config);
    if (h->pid_file >= 0)
        (void)close(h->pid_file); /* and the lock with it; the file stays, as the kernel leaves it */
}

/* --- data ------------------------------------------------------------------------------------------------------------------------------ */

static bool log_refusal(const char *path, int number, const char *why)
{
    home_log("observer.log", "ERROR", "SERVER", number, "%s: %s, ret=-%d", path, why, number);
    return false;
}

static void below_data(const struct process_home *h, const char *name, char *path, size_t size)
{
    (void)snprintf(path, size, "%s/%s", values_get(&h->config, "data_dir"), name);
}

static bool is_empty(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool empty = true;

    while (folder != NULL && (entry = readdir(folder)) != NULL)
        empty = empty && (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
    if (folder != NULL)
        (void)closedir(folder); /* it was read */
    return empty;
}

static bool open_part(struct process_home *h, const char *name)
{
    char path[4096];
    struct stat st;

    below_data(h, name, path, sizeof path);
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return log_refusal(path, 4009, strerror(errno));
    if (h->is_first && !is_empty(path))
        return log_refusal(path, 4016, "it is not empty, and this is a first start");
    return (stat(path, &st) == 0 && st.st_uid == geteuid()) || log_refusal(path, 4016, "it belongs to another user");
}

static bool make_block_file(const struct process_home *h)
{
    char path[4096];
    int64_t size = 0;
    struct stat st;
    int fd;

    below_data(h, "sstable/block_file", path, sizeof path);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return log_refusal(path, 4009, strerror(errno));
    if (!num_parse_size(sim_slice(values_get(&h->config, "datafile_size")), &size) || size <= 0)
        size = INT64_C(1) << 30;
    if (fstat(fd, &st) == 0 && st.st_size < size && ftruncate(fd, size) != 0)
        size = -1;
    (void)close(fd); /* nothing was written that could be lost */
    return size > 0 || log_refusal(path, 4184, strerror(errno));
}

bool home_open_data(struct process_home *h)
{
    static const char *const parts[] = { "sstable", "clog", "slog" };
    const char *data = values_get(&h->config, "data_dir");
    char path[4096];
    struct stat st;

    if (mkdir(data, 0755) != 0 && errno != EEXIST)
        return log_refusal(data, 4009, strerror(errno));
    if (stat(data, &st) != 0 || st.st_uid != geteuid())
        return log_refusal(data, 4016, "it belongs to another user");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!open_part(h, parts[i]))
            return false;
    below_data(h, "clog/tenant_1", path, sizeof path);
    if (mkdir(path, 0755) != 0 && errno != EEXIST)
        return log_refusal(path, 4009, strerror(errno));
    return make_block_file(h);
}

void home_mark_member(const struct process_home *h)
{
    char path[4096];
    int fd;

    below_data(h, "clog/tenant_1/1", path, sizeof path);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0)
        (void)close(fd); /* its being there says enough */
}

/* config_additional_dir: folders with ';' between them. */
static bool keep_copies(const struct process_home *h)
{
    const char *list = sim_values_get(&h->config, "config_additional_dir");
    struct slice rest = sim_slice(list != NULL ? list : "etc2;etc3");
    bool ok = true;

    while (rest.n > 0) {
        struct slice folder = slice_cut(&rest, ';');
        char path[4096];

        (void)snprintf(path, sizeof path, "%.*s", SLICE_FMT(folder));
        (void)mkdir(path, 0755); /* or writing fails */
        (void)snprintf(path, sizeof path, "%.*s/observer.conf.bin", SLICE_FMT(folder));
        ok = values_write(&h->config, path) && ok;
    }
    return ok;
}

bool home_keep_config(struct process_home *h)
{
    char history[64];

    (void)snprintf(history, sizeof history, "%s.history", kept);
    if (!h->is_first && rename(kept, history) != 0)
        return log_refusal(history, 4009, strerror(errno));
    return (values_write(&h->config, kept) && keep_copies(h)) || log_refusal(kept, 4009, strerror(errno));
}
