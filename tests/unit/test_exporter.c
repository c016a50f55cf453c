/* SPDX-License-Identifier: Apache-2.0 */
/* What ocp_exporter reads and makes of node_exporter's metrics. */
#include <string.h>

#include "agent/fetch.h"
#include "agent/metric_text.h"
#include "tests/lib/test.h"

static struct slice text(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

static void samples_are_read(void **state)
{
    struct slice rest = text("# HELP a b\n\na 1\r\nb{} 2 1700000000\nc{x=\"}\\\"{\",y=\"z\"}  +Inf\nd{x=\"1\n{e} 1\nf\n1 2\ng 3");
    struct metric_sample s;

    (void)state;
    assert_true(metric_next(&rest, &s));
    assert_true(slice_is(s.name, "a") && slice_is(s.value, "1") && s.labels.n == 0);
    assert_true(metric_next(&rest, &s));
    assert_true(slice_is(s.name, "b") && slice_is(s.value, "2") && s.labels.n == 0);
    assert_true(metric_next(&rest, &s));
    assert_true(slice_is(s.name, "c") && slice_is(s.value, "+Inf"));
    assert_true(slice_is(metric_label(s.labels, "x"), "}\\\"{"));
    assert_true(slice_is(metric_label(s.labels, "y"), "z"));
    assert_null(metric_label(s.labels, "z").s);
    assert_true(metric_next(&rest, &s));
    assert_true(slice_is(s.name, "1") || slice_is(s.name, "g"));
    while (metric_next(&rest, &s))
        continue;
    assert_true(slice_is(s.name, "g") && slice_is(s.value, "3"));
}

static const char node[] =
    "# TYPE node_cpu_seconds_total counter\n"
    "node_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 100.5\n"
    "node_cpu_seconds_total{cpu=\"0\",mode=\"user\"} 7\n"
    "node_cpu_seconds_total{cpu=\"1\",mode=\"idle\"} 200.25\n"
    "node_cpu_seconds_total{cpu=\"1\",mode=\"user\"} 8\n"
    "node_load1 0.5\n"
    "node_memory_Cached_bytes 4.5e+09\n"
    "node_filesystem_size_bytes{device=\"/dev/vda\",fstype=\"ext4\",mountpoint=\"/\"} 1e+10\n"
    "node_filesystem_size_bytes{device=\"tmpfs\",fstype=\"tmpfs\",mountpoint=\"/run\"} 1e+09\n"
    "node_disk_read_bytes_total{device=\"vda\"} 11\n"
    "node_disk_read_bytes_total{device=\"loop0\"} 12\n"
    "node_network_speed_bytes{device=\"eth0\"} 1.25e+08\n"
    "node_network_speed_bytes{device=\"eth1\"} -125000\n"
    "node_timex_offset_seconds -2e-05\n"
    "node_vmstat_pgfault 12\n"
    "go_goroutines 8\n";

static void a_host_gets_the_names_of_ocp(void **state)
{
    struct str t;

    (void)state;
    str_init(&t, NULL);
    metric_add_host(&t, text(node));
    assert_string_equal(str_c(&t),
                        "node_cpu_seconds_total_native{cpu=\"0\",mode=\"idle\"} 100.5\n"
                        "node_cpu_seconds_total_native{cpu=\"0\",mode=\"user\"} 7\n"
                        "node_cpu_seconds_total_native{cpu=\"1\",mode=\"idle\"} 200.25\n"
                        "node_cpu_seconds_total_native{cpu=\"1\",mode=\"user\"} 8\n"
                        "node_load1 0.5\n"
                        "node_memory_Cached_bytes 4.5e+09\n"
                        "node_memory_cached_bytes 4.5e+09\n"
                        "node_filesystem_size_bytes{device=\"/dev/vda\",fstype=\"ext4\",mountpoint=\"/\"} 1e+10\n"
                        "node_disk_read_bytes_total{device=\"vda\"} 11\n"
                        "node_net_bandwidth_bps{device=\"eth0\"} 1000000000\n"
                        "node_ntp_offset_seconds -2e-05\n"
                        "node_cpu_seconds_total{mode=\"idle\"} 300.75\n"
                        "node_cpu_seconds_total{mode=\"user\"} 15\n"
                        "cpu_count 2\n");
    str_clear(&t);
    metric_add_host(&t, text(""));
    assert_int_equal(t.n, 0);
    str_fini(&t);
}

static void answers_are_read(void **state)
{
    struct slice body;
    struct err e;

    (void)state;
    assert_ok(fetch_read(text("HTTP/1.0 200 OK\r\nA: b\r\n\r\nbody"), &body, &e), &e);
    assert_true(slice_is(body, "body"));
    assert_ok(fetch_read(text("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nbody"), &body, &e), &e);
    assert_true(slice_is(body, "bo"));
    assert_err(fetch_read(text("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody"), &body, &e), &e, ERR_INVALID);
    assert_err(fetch_read(text("HTTP/1.0 503 Busy\r\n\r\n"), &body, &e), &e, ERR_INVALID);
    assert_err(fetch_read(text("HTTP/1.0 2\r\n\r\n"), &body, &e), &e, ERR_INVALID);
    assert_err(fetch_read(text("SSH-2.0-x\r\n\r\n"), &body, &e), &e, ERR_INVALID);
    assert_err(fetch_read(text("HTTP/1.0 200 OK\r\n"), &body, &e), &e, ERR_INVALID);
    assert_err(fetch_read(text(""), &body, &e), &e, ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_are_read),
        cmocka_unit_test(a_host_gets_the_names_of_ocp),
        cmocka_unit_test(answers_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
