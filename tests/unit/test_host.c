/* SPDX-License-Identifier: Apache-2.0 */
/* What hosts say of themselves, and what speaks against adding them; real SSH servers are in tests/e2e/test_host.py. */
#include <sys/wait.h>

#include "src/host/check.h"
#include "tests/lib/test.h"

static struct slice text_of(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

/* ---- facts ------------------------------------------------------------------------------------------------------------- */

static const char said[] = "Welcome to the machine!\n"
                           "system=Linux\nmachine=x86_64\nkernel=6.1.0-9-amd64\nname=db1\n"
                           "os=debian\nrelease=\"12\"\ntitle=\"Debian GNU/Linux 12 (bookworm)\"\nserial=6CU4120W67\nsystemd=yes\n"
                           "free_kb=1048576\nlisten=0100007F:0CEA\nlisten=00000000:0016\nlisten=0000000000000000FFFF00000100007F:1F90\n"
                           "listen=00000000000000000000000001000000:F5A8\nlisten=zz\nlisten=0100007F:123456\nend=yes\nlisten=00000000:0001\n";

static void test_facts_are_read(void **state)
{
    struct host_facts f;
    struct arena arena;
    struct err e = { 0 };
    struct addr at;

    (void)state;
    arena_init(&arena);
    assert_ok(facts_read(text_of(said), &arena, &f, &e), &e);
    assert_string_equal(f.machine, "x86_64");
    assert_string_equal(f.release, "12");
    assert_string_equal(f.title, "Debian GNU/Linux 12 (bookworm)");
    assert_true(f.systemd && !f.occupied && f.agent_ocp[0] == '\0');
    assert_int_equal(f.free_bytes, 1024 * 1048576);
    assert_int_equal(f.n_listening, 4);
    assert_true(addr_parse_port(text_of("127.0.0.1:3306"), &at) && facts_listens(&f, &at));
    assert_true(addr_parse_port(text_of("127.0.0.2:3306"), &at) && !facts_listens(&f, &at));
    assert_true(addr_parse_port(text_of("0.0.0.0:3306"), &at) && facts_listens(&f, &at));
    assert_true(addr_parse_port(text_of("10.1.2.3:22"), &at) && facts_listens(&f, &at));
    assert_true(addr_parse_port(text_of("127.0.0.1:8080"), &at) && facts_listens(&f, &at));
    assert_true(addr_parse_port(text_of("[::1]:62888"), &at) && facts_listens(&f, &at));
    assert_true(addr_parse_port(text_of("[::1]:62889"), &at) && !facts_listens(&f, &at));
    arena_fini(&arena);
}

static void test_what_a_host_says_is_cleaned(void **state)
{
    struct host_facts f;
    struct arena arena;
    struct err e = { 0 };
    struct str t;

    (void)state;
    arena_init(&arena);
    assert_ok(facts_read(text_of("system=Linux\nmachine=x86_64\x1b[31m\x07\nname=a\xff" "b\nend=yes\n"), &arena, &f, &e), &e);
    assert_string_equal(f.machine, "x86_64 [31m ");
    assert_string_equal(f.name, "a?b");
    str_init(&t, &arena);
    str_add(&t, "system=Linux\nmachine=x86_64\nname=");
    for (int i = 0; i < 10000; i++)
        str_add(&t, "\xe4\xb8\xbb");
    str_add(&t, "\nend=yes\n");
    assert_ok(facts_read((struct slice){ t.s, t.n }, &arena, &f, &e), &e);
    assert_true(strlen(f.name) <= 200 && strlen(f.name) % 3 == 0);
    arena_fini(&arena);
}

static void test_nonsense_is_no_host(void **state)
{
    static const char *const texts[] = { "", "end=yes\n", "system=Linux\nmachine=x86_64\n", "sh: command not found\n", "system=\nmachine=\nend=yes\n" };
    struct host_greeting g;
    struct host_facts f;
    struct arena arena;

    (void)state;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct err e = { 0 };

        assert_err(facts_read(text_of(texts[i]), &arena, &f, &e), &e, ERR_UNEXPECTED);
        assert_err(facts_read_greeting(text_of(texts[i]), &g, &e), &e, ERR_UNEXPECTED);
    }
    arena_fini(&arena);
}

static void test_clocks_are_compared(void **state)
{
    struct host_greeting g;
    struct err e = { 0 };
    int64_t error_us;
    char text[ADDR_TEXT_SIZE];

    (void)state;
    assert_ok(facts_read_greeting(text_of("from=10.0.0.9 40000 10.0.0.1 22\ntime=1700000000.250000000\n"), &g, &e), &e);
    assert_string_equal(addr_text(&g.local, text), "10.0.0.1");
    assert_int_equal(g.wall_us, 1700000000250000);
    assert_int_equal(facts_clock_difference(1700000000000000, 1700000000100000, &g, &error_us), 200000);
    assert_int_equal(error_us, 50000);
    assert_ok(facts_read_greeting(text_of("from=\ntime=1700000000.%N\n"), &g, &e), &e);
    assert_false(g.local.known);
    assert_int_equal(facts_clock_difference(1700000000500000, 1700000000500000, &g, &error_us), 0);
    assert_int_equal(error_us, 500000);
}

static void test_reach_is_read(void **state)
{
    struct arena arena;
    struct err e = { 0 };
    enum facts_reach reach;
    const char *why;

    (void)state;
    arena_init(&arena);
    assert_ok(facts_read_reach(text_of("hello\nreach=yes\n"), &arena, &reach, &why, &e), &e);
    assert_int_equal(reach, REACH_YES);
    assert_ok(facts_read_reach(text_of("reach=no curl: (7) refused\n"), &arena, &reach, &why, &e), &e);
    assert_int_equal(reach, REACH_NO);
    assert_string_equal(why, "curl: (7) refused");
    assert_ok(facts_read_reach(text_of("reach=unknown\n"), &arena, &reach, &why, &e), &e);
    assert_int_equal(reach, REACH_UNKNOWN);
    arena_fini(&arena);
}

/* The scripts in the shell of this machine. */
static void test_the_script_runs_here(void **state)
{
    const char *argv[] = { "sh", "-c", facts_script, "ocp-server", "/no/such/agent", NULL };
    static char out[65536];
    struct host_facts f;
    struct arena arena;
    struct err e = { 0 };
    struct str command;
    FILE *p;
    size_t n;

    (void)state;
    arena_init(&arena);
    str_init(&command, &arena);
    ssh_add_command(&command, argv);
    p = popen(str_c(&command), "re");
    assert_non_null(p);
    n = fread(out, 1, sizeof out, p);
    assert_int_equal(WEXITSTATUS(pclose(p)), 0);
    assert_ok(facts_read((struct slice){ out, n }, &arena, &f, &e), &e);
    assert_string_equal(f.system, "Linux");
    assert_true(f.free_bytes > 0 && f.title[0] != '\0' && !f.occupied);
    arena_fini(&arena);
}

/* ---- rules ------------------------------------------------------------------------------------------------------------- */

static const char *const machines[] = { "x86_64", NULL };
static const struct check_rules rules = {
    .max_delay_ms = 3000, .compare_clocks = true, .max_clock_diff_ms = 50, .url = "http://10.0.0.9:8080", .home = "/home/admin/ocp_agent",
    .ports = { 62888, 62889, 63000 }, .min_free_bytes = 1 << 20, .ocp_id = "00112233445566778899aabbccddeeff", .machines = machines,
};

static struct host_probe good(const char *ip, struct addr *listening)
{
    struct host_probe p = {
        .ip = ip, .host_id = 7, .power = SHELL_ROOT, .refusal = "", .reach = REACH_YES, .reach_reason = "", .delay_us = 1000,
        .facts = { .system = "Linux", .machine = "x86_64", .kernel = "", .name = "", .os = "debian", .release = "12", .title = "Debian 12",
                   .serial = "", .free_bytes = 1 << 30, .agent_ocp = "", .agent_host = "", .exporter = "", .listening = listening },
    };

    assert_true(addr_parse(text_of(ip), &p.greeting.local));
    return p;
}

/* Codes of all that speaks against them, in order. */
static size_t codes_of(const struct host_probe *probes, size_t n, int *codes, struct arena *arena)
{
    struct host_finding *found;
    size_t n_found, n_codes = 0;
    int failed = host_check_all(&rules, probes, n, arena, &found, &n_found);

    for (size_t i = 0; i < n_found; i++)
        if (!found[i].passed)
            codes[n_codes++] = found[i].why.row->code;
    assert_int_equal(failed, n_codes);
    return n_codes;
}

static void test_good_hosts_pass(void **state)
{
    struct host_probe probes[2] = { good("10.0.0.1", NULL), good("10.0.0.2", NULL) };
    struct arena arena;
    int codes[32];

    (void)state;
    arena_init(&arena);
    assert_int_equal(codes_of(probes, 2, codes, &arena), 0);
    arena_fini(&arena);
}

static void test_all_reasons_at_once(void **state)
{
    struct addr busy[2] = { { .known = true }, { .known = true } };
    struct host_probe p = good("10.0.0.1", busy);
    static const int wanted[] = { 8103, 7020, 7021, 7025, 7026, 90511, 90511, 90512, 7050 };
    struct arena arena;
    int codes[32];

    (void)state;
    arena_init(&arena);
    assert_true(addr_parse_port(text_of("0.0.0.0:62888"), &busy[0]) && addr_parse_port(text_of("10.0.0.1:63000"), &busy[1]));
    p.facts.n_listening = 2;
    p.power = SHELL_NO_POWER;
    p.delay_us = 4000000;
    p.clock_diff_us = -90000;
    p.clock_error_us = 30000;
    p.facts.machine = "s390x";
    p.reach = REACH_NO;
    p.facts.occupied = true;
    p.facts.free_bytes = 1000;
    assert_int_equal(codes_of(&p, 1, codes, &arena), sizeof wanted / sizeof wanted[0]);
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        assert_int_equal(codes[i], wanted[i]);
    arena_fini(&arena);
}

static void test_what_measuring_explains_is_no_difference(void **state)
{
    struct host_probe p = good("10.0.0.1", NULL);
    struct arena arena;
    int codes[32];

    (void)state;
    arena_init(&arena);
    p.clock_diff_us = 90000;
    p.clock_error_us = 40000;
    assert_int_equal(codes_of(&p, 1, codes, &arena), 0);
    arena_fini(&arena);
}

static void test_a_batch_is_of_one_kind(void **state)
{
    struct host_probe probes[3] = { good("10.0.0.1", NULL), good("10.0.0.2", NULL), good("10.0.0.3", NULL) };
    struct arena arena;
    int codes[32];

    (void)state;
    arena_init(&arena);
    probes[2].facts.title = "Debian 13";
    assert_int_equal(codes_of(probes, 3, codes, &arena), 1);
    assert_int_equal(codes[0], 7017);
    probes[2].facts.machine = "aarch64";
    assert_int_equal(codes_of(probes, 3, codes, &arena), 3); /* there is no agent for it either */
    assert_int_equal(codes[2], 7018);
    probes[0].facts.title = "Debian 11"; /* each that is not as most are */
    assert_int_equal(codes_of(probes, 3, codes, &arena), 4);
    probes[0].facts.title = probes[2].facts.title;
    assert_int_equal(codes_of(probes, 3, codes, &arena), 3);
    probes[0].facts.title = probes[1].facts.title;
    (void)err_set(&probes[2].failed, &ERR_HOST_SILENT, "10.0.0.3"); /* nothing is known of it */
    assert_int_equal(codes_of(probes, 3, codes, &arena), 1);
    assert_int_equal(codes[0], ERR_HOST_SILENT.code);
    probes[2].is_known = true; /* that much is */
    assert_int_equal(codes_of(probes, 3, codes, &arena), 2);
    assert_int_equal(codes[1], 7001);
    arena_fini(&arena);
}

static void test_agents_that_are_there(void **state)
{
    struct addr busy = { .known = true };
    struct host_probe p = good("10.0.0.1", &busy);
    struct arena arena;
    int codes[32];

    (void)state;
    arena_init(&arena);
    assert_true(addr_parse_port(text_of("10.0.0.1:62888"), &busy));
    p.facts.n_listening = 1;
    p.facts.occupied = true;
    p.facts.agent_ocp = rules.ocp_id;
    p.facts.agent_host = "7"; /* this very host's: to be installed anew */
    assert_int_equal(codes_of(&p, 1, codes, &arena), 0);
    p.facts.agent_host = "8";
    assert_int_equal(codes_of(&p, 1, codes, &arena), 2);
    assert_int_equal(codes[1], 7012);
    p.agent_is_stray = true;
    assert_int_equal(codes_of(&p, 1, codes, &arena), 0);
    p.facts.agent_ocp = "ffffffffffffffffffffffffffffffff";
    assert_int_equal(codes_of(&p, 1, codes, &arena), 2);
    arena_fini(&arena);
}

static void test_where_the_agent_listens(void **state)
{
    struct host_probe p = good("10.0.0.1", NULL);
    char text[ADDR_TEXT_SIZE];

    (void)state;
    assert_string_equal(host_listen_address(&p, text), "10.0.0.1");
    assert_true(addr_parse(text_of("172.17.0.2"), &p.greeting.local));
    assert_string_equal(host_listen_address(&p, text), "0.0.0.0");
    p.greeting.local.known = false;
    p.ip = "2001:db8::1";
    assert_string_equal(host_listen_address(&p, text), "::");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts_are_read),
        cmocka_unit_test(test_what_a_host_says_is_cleaned),
        cmocka_unit_test(test_nonsense_is_no_host),
        cmocka_unit_test(test_clocks_are_compared),
        cmocka_unit_test(test_reach_is_read),
        cmocka_unit_test(test_the_script_runs_here),
        cmocka_unit_test(test_good_hosts_pass),
        cmocka_unit_test(test_all_reasons_at_once),
        cmocka_unit_test(test_what_measuring_explains_is_no_difference),
        cmocka_unit_test(test_a_batch_is_of_one_kind),
        cmocka_unit_test(test_agents_that_are_there),
        cmocka_unit_test(test_where_the_agent_listens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
