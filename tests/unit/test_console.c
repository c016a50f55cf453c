/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/console.h"

static char folder[] = "/tmp/ocp-console-XXXXXX";

static void put(const char *name, const char *text)
{
    char path[128];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static const char list[] = "{\"routes\":[\"/\",\"/task/:id\",\"/tenant/:id/user/:username\"],"
                           "\"files\":[{\"name\":\"b.css\",\"stored\":\"assets/b.css\",\"type\":\"text/css\"},"
                           "{\"name\":\"a.js\",\"stored\":\"assets/a.js.gz\",\"type\":\"text/javascript\",\"gzip\":true}]}";
static const char page[] = "<meta content=\"nonce-of-this-reply\">";

static int make_folder(void **state)
{
    char path[128];

    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(path, sizeof path, "%s/assets", folder);
    if (mkdir(path, 0700) != 0)
        return -1;
    put("assets/b.css", "a{}");
    put("assets/a.js.gz", "not looked at before it is asked for");
    return 0;
}

static int remove_folder(void **state)
{
    char command[64];

    (void)state;
    (void)snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

static void expect(const struct console *c, const char *path, bool known)
{
    struct route_match m;

    console_find(c, SLICE("GET"), (struct slice){ path, strlen(path) }, &m);
    assert_int_equal(m.route != NULL, known);
    assert_int_equal(m.path_known, known);
}

static void declared_paths_are_found(void **state)
{
    struct console *c;

    (void)state;
    put("console.json", list);
    put("index.html", page);
    assert_int_equal(console_load(folder, &c, NULL), 0);
    expect(c, "/", true);
    expect(c, "/task/7", true);
    expect(c, "/task/x", false);
    expect(c, "/tenant/3/user/root", true);
    expect(c, "/assets/a.js", true);
    expect(c, "/assets/a/b", false);
    expect(c, "/login", false);
    console_free(c);
}

static void what_is_broken_is_named(void **state)
{
    static const struct {
        const char *list, *page, *reason;
    } rows[] = {
        { "{", page, "line 1" },
        { "{\"routes\":[7],\"files\":[]}", page, "a route that is no path" },
        { "{\"routes\":[\"/\"],\"files\":[{}]}", page, "a file without name" },
        { "{\"routes\":[\"/\"],\"files\":[{\"name\":\"x\",\"stored\":\"assets/x\",\"type\":\"text/css\"}]}", page, "assets/x" },
        { "{\"routes\":[\"/\"],\"files\":[{\"name\":\"x\",\"stored\":\"assets\",\"type\":\"text/css\"}]}", page, "cannot be read" },
        { list, "<html>", "place for the nonce" },
    };
    struct console *c;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = { 0 };
        char text[1024];

        put("console.json", rows[i].list);
        put("index.html", rows[i].page);
        assert_int_not_equal(console_load(folder, &c, &e), 0);
        assert_non_null(strstr(err_log_text(&e, text, sizeof text), rows[i].reason));
    }
    {
        struct err e = { 0 };

        assert_err(console_load("/nonexistent", &c, &e), &e, ERR_NOT_FOUND);
    }
}

static void without_a_console_two_pages_say_so(void **state)
{
    struct console *c;

    (void)state;
    assert_int_equal(console_absent(&c, NULL), 0);
    expect(c, "/", true);
    expect(c, "/login", true);
    expect(c, "/task/7", false);
    console_free(c);
}

static int loads(void *data)
{
    struct err e = { 0 };
    struct console *c;
    int rv = console_load(folder, &c, &e);

    (void)data;
    if (rv == 0)
        console_free(c);
    return rv;
}

static void memory_runs_out(void **state)
{
    (void)state;
    put("console.json", list);
    put("index.html", page);
    test_oom_sweep(loads, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declared_paths_are_found),
        cmocka_unit_test(what_is_broken_is_named),
        cmocka_unit_test(without_a_console_two_pages_say_so),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
