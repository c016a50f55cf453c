/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/cli.h"

enum { MAX_ARGS = 8 };

static int parse(struct cli *c, struct err *e, const char *first, ...)
{
    char *argv[MAX_ARGS + 1] = { (char *)"ocp-server" };
    int argc = 1;
    va_list ap;

    va_start(ap, first);
    for (const char *arg = first; arg != NULL; arg = va_arg(ap, const char *))
        argv[argc++] = (char *)arg;
    va_end(ap);
    return cli_parse(argc, argv, c, e);
}

static void test_commands(void **state)
{
    struct cli c;
    struct err e;

    (void)state;
    assert_ok(parse(&c, &e, NULL), &e);
    assert_true(c.command == CLI_RUN && c.config_file == NULL && c.n_settings == 0);
    assert_true(cli_sources(&c, NULL).file_may_be_missing);
    cli_fini(&c);
    assert_ok(parse(&c, &e, "--check-config", "--config", "/x", NULL), &e);
    assert_true(c.command == CLI_CHECK_CONFIG);
    assert_string_equal(cli_sources(&c, NULL).file, "/x");
    assert_false(cli_sources(&c, NULL).file_may_be_missing);
    cli_fini(&c);
    assert_ok(parse(&c, &e, "--dump=settings", NULL), &e);
    assert_true(c.command == CLI_DUMP && strcmp(c.argument, "settings") == 0);
    cli_fini(&c);
    assert_ok(parse(&c, &e, "--reset-password", "admin", NULL), &e);
    assert_true(c.command == CLI_RESET_PASSWORD && strcmp(c.argument, "admin") == 0);
    cli_fini(&c);
    assert_ok(parse(&c, &e, "--found", "--nodes", "a,b,c", "--out=/o", NULL), &e);
    assert_true(c.command == CLI_FOUND && strcmp(c.nodes, "a,b,c") == 0 && strcmp(c.out, "/o") == 0);
    cli_fini(&c);
    assert_ok(parse(&c, &e, "--join", "/b", "--secret-file=-", NULL), &e);
    assert_true(c.command == CLI_JOIN && strcmp(c.argument, "/b") == 0 && strcmp(c.secret_file, "-") == 0);
    cli_fini(&c);
    assert_ok(parse(&c, &e, "--recover", "--i-have-stopped-all-others", "--restored", NULL), &e);
    assert_true(c.command == CLI_RECOVER && c.others_stopped && c.restored && c.nodes == NULL);
    cli_fini(&c);
    assert_ok(parse(&c, &e, "--version", NULL), &e);
    assert_true(c.command == CLI_VERSION);
    cli_fini(&c);
    assert_ok(parse(&c, &e, "--help", NULL), &e);
    assert_true(c.command == CLI_HELP);
    cli_fini(&c);
}

static void test_settings_keep_their_order(void **state)
{
    struct cli c;
    struct err e;

    (void)state;
    assert_ok(parse(&c, &e, "--set", "a.b=1", "--standalone", "--http.lisen=x=y", "--set=node.zone=z", "--data_dir=/d", NULL), &e);
    assert_int_equal(c.n_settings, 5);
    assert_string_equal(c.settings[0], "a.b=1");
    assert_string_equal(c.settings[1], "standalone");
    assert_string_equal(c.settings[2], "http.lisen=x=y");
    assert_string_equal(c.settings[3], "node.zone=z");
    assert_string_equal(c.settings[4], "data_dir=/d");
    cli_fini(&c);
}

/* Standard error of one parse that must fail. */
static const char *complaint(const char *one, const char *two)
{
    static char text[1024];
    struct cli c;
    struct err e;
    FILE *f = tmpfile();
    int saved = dup(2), rv;
    size_t n;

    assert_non_null(f);
    assert_int_equal(dup2(fileno(f), 2), 2);
    rv = parse(&c, &e, one, two, NULL);
    assert_int_equal(dup2(saved, 2), 2);
    (void)close(saved);
    assert_err(rv, &e, ERR_INVALID);
    rewind(f);
    n = fread(text, 1, sizeof text - 1, f);
    text[n] = '\0';
    (void)fclose(f);
    return text;
}

static void test_mistakes_are_explained(void **state)
{
    (void)state;
    assert_non_null(strstr(complaint("--nonsense", NULL), "--nonsense"));
    assert_non_null(strstr(complaint("--dump", NULL), "--dump"));
    assert_non_null(strstr(complaint("serve", NULL), "what is \"serve\"? A setting is given as --key=value"));
    assert_non_null(strstr(complaint("--version", "--help"), "only one command can be given"));
    assert_non_null(strstr(complaint("--found", NULL), "--found needs --nodes"));
    assert_non_null(strstr(complaint("--found", "--nodes=a"), "belong together"));
    assert_non_null(strstr(complaint("--nodes=a", NULL), "belong to --found and --recover"));
    assert_non_null(strstr(complaint("--recover", NULL), "--i-have-stopped-all-others"));
    assert_non_null(strstr(complaint("--recover", "--restored"), "--i-have-stopped-all-others"));
    assert_non_null(strstr(complaint("--i-have-stopped-all-others", NULL), "belong to --recover"));
    assert_non_null(strstr(complaint("--secret-file=x", NULL), "belongs to --join"));
}

static void test_help_names_every_command(void **state)
{
    static const char *const words[] = { "--check-config", "--dump", "--reset-password", "--version", "--config", "--set", "--standalone",
                                         "OCP_DB_PASSWORD" };
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);

    (void)state;
    assert_non_null(f);
    cli_help(f);
    assert_int_equal(fclose(f), 0);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_non_null(strstr(text, words[i]));
    free(text);
}

static int parses(void *data)
{
    struct cli c;
    int rv = parse(&c, data, "--set", "a=1", "--b.c=2", NULL);

    if (rv == 0)
        cli_fini(&c);
    return rv;
}

static void test_lack_of_memory(void **state)
{
    struct err e;

    (void)state;
    test_oom_sweep(parses, &e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands),
        cmocka_unit_test(test_settings_keep_their_order),
        cmocka_unit_test(test_mistakes_are_explained),
        cmocka_unit_test(test_help_names_every_command),
        cmocka_unit_test(test_lack_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
