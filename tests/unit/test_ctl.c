/* SPDX-License-Identifier: Apache-2.0 */
/* ocpctl without a server: the command line, help, and what it prints. */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "src/ctl/command.h"
#include "src/ctl/print.h"

enum { MAX_WORDS = 16, BUF_SIZE = 256 };

/* Parses "ocpctl " + words, which are split at blanks. */
static int parse(const char *words, char *buf, struct args *a, struct err *e)
{
    char *argv[MAX_WORDS] = { "ocpctl" }, *save = NULL;
    int argc = 1;

    (void)snprintf(buf, BUF_SIZE, "%s", words);
    for (char *w = strtok_r(buf, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    err_clear(e);
    return args_parse(argc, argv, a, e);
}

static void command_line_is_understood(void **state)
{
    struct args a;
    struct err e;
    char buf[BUF_SIZE];

    (void)state;
    assert_ok(parse("-o json parameter set c1 --tenant sys a=1 b=2 --server=http://x", buf, &a, &e), &e);
    assert_string_equal(a.command->name, "parameter set");
    assert_int_equal(a.n_operands, 3);
    assert_string_equal(a.operands[2], "b=2");
    assert_string_equal(a.option[OPT_OUTPUT], "json");
    assert_string_equal(a.option[OPT_TENANT], "sys");
    assert_string_equal(a.option[OPT_SERVER], "http://x");
    assert_null(a.option[OPT_USER]);
    args_fini(&a);

    assert_ok(parse("session kill 1 -- -3", buf, &a, &e), &e);
    assert_string_equal(a.operands[1], "-3");
    args_fini(&a);

    assert_ok(parse("task 7 -w", buf, &a, &e), &e);
    assert_string_equal(a.option[OPT_WAIT], "");
    args_fini(&a);
}

static void mistakes_are_named(void **state)
{
    static const char *const cases[][2] = {
        { "", "what shall be done" },
        { "clusterz", "no command \"clusterz\"" },
        { "parameter 1", "no command \"parameter\"" },
        { "clusters extra", "usage: ocpctl clusters" },
        { "databases 1", "usage: ocpctl databases CLUSTER TENANT" },
        { "clusters --colour", "no option --colour" },
        { "clusters -xy", "no option -xy" },
        { "clusters --output", "--output needs a value" },
        { "clusters --insecure=yes", "takes no value" },
        { "hosts --wait", "hosts does not take --wait" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct args a;
        struct err e;
        char buf[BUF_SIZE];

        assert_err(parse(cases[i][0], buf, &a, &e), &e, ERR_INVALID);
        if (strstr(e.arg[0], cases[i][1]) == NULL)
            fail_msg("'%s': '%s' does not say '%s'", cases[i][0], e.arg[0], cases[i][1]);
    }
}

static void environment_stands_in(void **state)
{
    struct args a;
    struct err e;
    char buf[BUF_SIZE];

    (void)state;
    assert_int_equal(setenv("OCP_SERVER", "http://env", 1), 0);
    assert_ok(parse("clusters", buf, &a, &e), &e);
    assert_string_equal(a.option[OPT_SERVER], "http://env");
    args_fini(&a);
    assert_ok(parse("clusters -s http://arg", buf, &a, &e), &e);
    assert_string_equal(a.option[OPT_SERVER], "http://arg");
    args_fini(&a);
    assert_int_equal(unsetenv("OCP_SERVER"), 0);
}

static void every_row_is_complete(void **state)
{
    struct str t;
    struct err e = { 0 };
    json_t *root;

    (void)state;
    for (const struct command *c = command_rows; c->name != NULL; c++) {
        assert_non_null(c->doc);
        assert_non_null(c->operands);
        assert_non_null(c->run);
        assert_int_equal(c->path != NULL, c->columns != NULL);
        str_init(&t, NULL);
        help_write(&t, c);
        assert_non_null(strstr(str_c(&t), c->doc));
        str_fini(&t);
    }
    for (int i = 0; i < N_OPTIONS; i++)
        assert_non_null(option_rows[i].doc);
    str_init(&t, NULL);
    commands_dump(&t);
    assert_ok(json_parse((struct slice){ t.s, t.n }, &root, &e), &e);
    assert_true(json_array_size(json_object_get(root, "commands")) > 15);
    json_decref(root);
    str_fini(&t);
}

static const struct column columns[] = { { "NAME", "name" }, { "SERVERS", "zones.servers.ip" }, { "ON", "on" }, { NULL, NULL } };

static void tables_line_up(void **state)
{
    json_t *list = json_pack("[{s:s, s:[{s:[{s:s},{s:s}]},{s:[]}], s:b}, {s:s, s:n}]", "name", "c1", "zones", "servers", "ip", "10.0.0.1",
                             "ip", "10.0.0.2", "servers", "on", 1, "name", "\xe9\x9b\x86\xe7\xbe\xa4", "on");
    struct str t;

    (void)state;
    assert_non_null(list);
    str_init(&t, NULL);
    print_table(&t, list, columns);
    assert_string_equal(str_c(&t), "NAME  SERVERS            ON\n"
                                   "c1    10.0.0.1,10.0.0.2  yes\n"
                                   "\xe9\x9b\x86\xe7\xbe\xa4  -                  -\n");
    str_clear(&t);
    print_object(&t, json_array_get(list, 0), columns);
    assert_string_equal(str_c(&t), "NAME     c1\nSERVERS  10.0.0.1,10.0.0.2\nON       yes\n");
    str_fini(&t);
    json_decref(list);
}

static void terminals_get_no_control_characters(void **state)
{
    json_t *object = json_pack("{s:s}", "name", "a\x1b[2Jb\nc\xc2\x9bz");
    struct str t;

    (void)state;
    str_init(&t, NULL);
    print_value(&t, object, "name");
    assert_string_equal(str_c(&t), "a [2Jb c z");
    str_fini(&t);
    json_decref(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_line_is_understood),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(environment_stands_in),
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(tables_line_up),
        cmocka_unit_test(terminals_get_no_control_characters),
    };

    json_set_alloc_funcs(mem_alloc, mem_free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
