/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/metric_text.h"

#include <ctype.h>
#include <string.h>

#include "src/base/num.h"

/* ---- reading ---------------------------------------------------------------------------------------------------------------------- */

static bool is_name_character(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == ':';
}

static struct slice from(struct slice s, size_t at)
{
    return (struct slice){ s.s + at, s.n - at };
}

/* Bytes up to and with the brace that ends the labels; 0: it is missing. Quoted values may hold anything, with backslashes before quotes. */
static size_t labels_end(struct slice s)
{
    bool quoted = false;

    for (size_t i = 0; i < s.n; i++) {
        if (quoted && s.s[i] == '\\')
            i++;
        else if (s.s[i] == '"')
            quoted = !quoted;
        else if (s.s[i] == '}' && !quoted)
            return i + 1;
    }
    return 0;
}

static bool read_sample(struct slice line, struct metric_sample *out)
{
    size_t n = 0;

    while (n < line.n && is_name_character(line.s[n]))
        n++;
    out->name = (struct slice){ line.s, n };
    out->labels = SLICE("");
    line = from(line, n);
    if (n == 0 || line.n == 0)
        return false;
    if (line.s[0] == '{') {
        n = labels_end(line);
        if (n == 0)
            return false;
        out->labels = (struct slice){ line.s + 1, n - 2 };
        line = from(line, n);
    }
    line = slice_trim(line);
    out->value = slice_cut(&line, ' '); /* a time may follow */
    return out->value.n > 0;
}

bool metric_next(struct slice *rest, struct metric_sample *out)
{
    while (rest->n > 0) {
        struct slice line = slice_trim(slice_cut(rest, '\n'));

        if (line.n > 0 && line.s[0] != '#' && read_sample(line, out))
            return true;
    }
    return false;
}

struct slice metric_label(struct slice labels, const char *name)
{
    while (labels.n > 0) {
        struct slice key, value;
        size_t n = 0;

        key = slice_trim(slice_cut(&labels, '='));
        if (labels.n == 0 || labels.s[0] != '"')
            break;
        labels = from(labels, 1);
        while (n < labels.n && labels.s[n] != '"')
            n += labels.s[n] == '\\' && n + 1 < labels.n ? 2 : 1;
        value = (struct slice){ labels.s, n < labels.n ? n : labels.n };
        if (slice_is(key, name))
            return value;
        labels = n < labels.n ? from(labels, n + 1) : SLICE("");
        while (labels.n > 0 && (labels.s[0] == ',' || labels.s[0] == ' '))
            labels = from(labels, 1);
    }
    return (struct slice){ NULL, 0 };
}

/* ---- a host, as OCP wants it --------------------------------------------------------------------------------------------------------- */

enum filter { ANY, REAL_FILE_SYSTEM, REAL_DISK };

/* In the order of node_exporter's names. */
static const struct row {
    const char *name, *as;
    enum filter filter;
    int times;                  /* the value by so much; 0: as it is */
} rows[] = {
    { "node_boot_time_seconds", "node_boot_time_seconds", ANY, 0 },
    { "node_cpu_seconds_total", "node_cpu_seconds_total_native", ANY, 0 },
    { "node_disk_io_time_seconds_total", "node_disk_io_time_seconds_total", REAL_DISK, 0 },
    { "node_disk_io_time_weighted_seconds_total", "node_disk_io_time_weighted_seconds_total", REAL_DISK, 0 },
    { "node_disk_read_bytes_total", "node_disk_read_bytes_total", REAL_DISK, 0 },
    { "node_disk_read_time_seconds_total", "node_disk_read_time_seconds_total", REAL_DISK, 0 },
    { "node_disk_reads_completed_total", "node_disk_reads_completed_total", REAL_DISK, 0 },
    { "node_disk_write_time_seconds_total", "node_disk_write_time_seconds_total", REAL_DISK, 0 },
    { "node_disk_writes_completed_total", "node_disk_writes_completed_total", REAL_DISK, 0 },
    { "node_disk_written_bytes_total", "node_disk_written_bytes_total", REAL_DISK, 0 },
    { "node_filesystem_avail_bytes", "node_filesystem_avail_bytes", REAL_FILE_SYSTEM, 0 },
    { "node_filesystem_files", "node_filesystem_files", REAL_FILE_SYSTEM, 0 },
    { "node_filesystem_files_free", "node_filesystem_files_free", REAL_FILE_SYSTEM, 0 },
    { "node_filesystem_readonly", "node_filesystem_readonly", REAL_FILE_SYSTEM, 0 },
    { "node_filesystem_size_bytes", "node_filesystem_size_bytes", REAL_FILE_SYSTEM, 0 },
    { "node_load1", "node_load1", ANY, 0 },
    { "node_load15", "node_load15", ANY, 0 },
    { "node_load5", "node_load5", ANY, 0 },
    { "node_memory_Buffers_bytes", "node_memory_Buffers_bytes", ANY, 0 },
    { "node_memory_Cached_bytes", "node_memory_Cached_bytes", ANY, 0 },
    { "node_memory_Cached_bytes", "node_memory_cached_bytes", ANY, 0 },
    { "node_memory_MemAvailable_bytes", "node_memory_MemAvailable_bytes", ANY, 0 },
    { "node_memory_MemFree_bytes", "node_memory_MemFree_bytes", ANY, 0 },
    { "node_memory_MemTotal_bytes", "node_memory_MemTotal_bytes", ANY, 0 },
    { "node_memory_SReclaimable_bytes", "node_memory_SReclaimable_bytes", ANY, 0 },
    { "node_memory_SwapFree_bytes", "node_memory_SwapFree_bytes", ANY, 0 },
    { "node_memory_SwapTotal_bytes", "node_memory_SwapTotal_bytes", ANY, 0 },
    { "node_network_receive_bytes_total", "node_network_receive_bytes_total", ANY, 0 },
    { "node_network_receive_drop_total", "node_network_receive_drop_total", ANY, 0 },
    { "node_network_receive_errs_total", "node_network_receive_errs_total", ANY, 0 },
    { "node_network_receive_packets_total", "node_network_receive_packets_total", ANY, 0 },
    { "node_network_speed_bytes", "node_net_bandwidth_bps", ANY, 8 },
    { "node_network_transmit_bytes_total", "node_network_transmit_bytes_total", ANY, 0 },
    { "node_network_transmit_drop_total", "node_network_transmit_drop_total", ANY, 0 },
    { "node_network_transmit_errs_total", "node_network_transmit_errs_total", ANY, 0 },
    { "node_network_transmit_packets_total", "node_network_transmit_packets_total", ANY, 0 },
    { "node_timex_offset_seconds", "node_ntp_offset_seconds", ANY, 0 },
    { "node_uname_info", "node_uname_info", ANY, 0 },
};

static bool is_one_of(struct slice s, const char *const *list)
{
    for (; *list != NULL; list++)
        if (slice_is(s, *list))
            return true;
    return false;
}

static bool passes(const struct row *r, struct slice labels)
{
    static const char *const made_up[] = { "tmpfs", "devtmpfs", "ramfs", "squashfs", "proc", "sysfs", "nsfs", "autofs", "fuse.lxcfs", NULL };
    struct slice device = metric_label(labels, "device");

    if (r->filter == REAL_FILE_SYSTEM)
        return !is_one_of(metric_label(labels, "fstype"), made_up);
    return r->filter != REAL_DISK || (!slice_starts(device, "loop") && !slice_starts(device, "ram"));
}

static void add_row(struct str *t, const struct row *r, const struct metric_sample *s)
{
    double value;

    if (!passes(r, s->labels) || (r->times != 0 && (!num_parse_double(s->value, &value) || value < 0))) /* below 0: unknown */
        return;
    str_add(t, r->as);
    if (s->labels.n > 0)
        str_printf(t, "{%.*s}", SLICE_FMT(s->labels));
    if (r->times == 0)
        str_printf(t, " %.*s\n", SLICE_FMT(s->value));
    else
        str_printf(t, " %.15g\n", value * r->times);
}

/* Times of all processors by what they did, in the order in which they come. */
enum { MAX_MODES = 16, MAX_MODE = 24 };
struct cpu_sums {
    struct {
        char mode[MAX_MODE];
        double seconds;
    } modes[MAX_MODES];
    unsigned n, n_idle;        /* n_idle: processors */
};

static void sum_cpu(struct cpu_sums *sums, const struct metric_sample *s)
{
    struct slice mode = metric_label(s->labels, "mode");
    double seconds;
    unsigned i = 0;

    if (mode.n == 0 || mode.n >= MAX_MODE || !num_parse_double(s->value, &seconds))
        return;
    while (i < sums->n && !slice_is(mode, sums->modes[i].mode))
        i++;
    if (i == MAX_MODES)
        return;
    if (i == sums->n) {
        memcpy(sums->modes[i].mode, mode.s, mode.n);
        sums->modes[i].mode[mode.n] = '\0';
        sums->n++;
    }
    sums->modes[i].seconds += seconds;
    sums->n_idle += slice_is(mode, "idle");
}

void metric_add_host(struct str *t, struct slice node_exporter)
{
    struct cpu_sums sums = { .n = 0 };
    struct metric_sample s;

    while (metric_next(&node_exporter, &s)) {
        if (slice_is(s.name, "node_cpu_seconds_total"))
            sum_cpu(&sums, &s);
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
            if (slice_is(s.name, rows[i].name))
                add_row(t, &rows[i], &s);
    }
    for (unsigned i = 0; i < sums.n; i++)
        str_printf(t, "node_cpu_seconds_total{mode=\"%s\"} %.15g\n", sums.modes[i].mode, sums.modes[i].seconds);
    if (sums.n_idle > 0)
        str_printf(t, "cpu_count %u\n", sums.n_idle);
}
