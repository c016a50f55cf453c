/* SPDX-License-Identifier: Apache-2.0 */
/* ocp-server: reads the command line and the settings, then does what the command says. */
#include <jansson.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "conf/cli.h"
#include "config.h"
#include "src/io/crash.h"
#include "src/node/registry.h"
#include "src/server.h"
#include "src/tables.h"

/* With EXIT_REMOVED starting again is in vain: the unit's RestartPreventExitStatus. See also RAFT_EXIT_DISK. */
enum { EXIT_USAGE = 2, EXIT_FAILED = 1, EXIT_REMOVED = 72 };

static void print_problems(const struct settings_problems *problems)
{
    struct str t;

    str_init(&t, NULL);
    settings_problems_add_text(problems, &t);
    (void)fputs(str_c(&t), stderr); /* stderr is all there is to complain to */
    str_fini(&t);
}

static void print_error(const char *what, const struct err *e)
{
    char text[1024];

    (void)fprintf(stderr, "ocp-server: %s: %s\n", what, err_log_text(e, text, sizeof text));
}

static int dump(const char *name)
{
    struct str t;
    int rv = EXIT_FAILED;

    str_init(&t, NULL);
    if (!tables_dump(&t, name)) {
        (void)fprintf(stderr, "ocp-server: there is no table %s; there are:", name);
        for (const char *const *n = tables_names; *n != NULL; n++)
            (void)fprintf(stderr, " %s", *n);
        (void)fputs("\n", stderr);
        rv = EXIT_USAGE;
    } else if (!str_failed(&t)) {
        rv = puts(str_c(&t)) >= 0 && fflush(stdout) == 0 ? 0 : EXIT_FAILED;
    }
    str_fini(&t);
    return rv;
}

static int load(const struct cli *cli, struct settings **out)
{
    struct settings_sources from = cli_sources(cli, environ);
    struct settings_problems problems;
    struct err e = { 0 };
    int rv;

    settings_problems_init(&problems);
    rv = settings_load(&from, out, &problems, &e);
    print_problems(&problems);
    if (rv != 0)
        print_error("the settings cannot be used", &e);
    settings_problems_fini(&problems);
    return rv;
}

static int check_config(const struct cli *cli)
{
    struct settings *set;

    if (load(cli, &set) != 0)
        return EXIT_FAILED;
    settings_put(set);
    (void)puts("the settings are fine"); /* the exit status says it too */
    return 0;
}

static int (*const work_of[])(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct err *e) = {
    [CLI_RUN] = server_run,
    [CLI_RESET_PASSWORD] = server_reset_password,
    [CLI_ROTATE_KEY] = server_rotate_key,
    [CLI_FOUND] = server_found,
    [CLI_JOIN] = server_join,
    [CLI_RECOVER] = server_recover,
};

static int with_settings(const struct cli *cli)
{
    struct log_sink sink = { .fd = STDERR_FILENO, .clock = &clock_system, .journal = getenv("JOURNAL_STREAM") != NULL };
    struct settings_box *box;
    struct settings *set;
    struct err e = { 0 };
    int rv = load(cli, &set);

    if (rv != 0)
        return EXIT_FAILED;
    sink.level = set->log.level;
    sink.format = (enum log_format)set->log.format;
    rv = settings_box_new(set, &box, &e);
    if (rv == 0)
        rv = work_of[cli->command](box, cli, &sink, &e);
    if (rv != 0)
        print_error(cli->command == CLI_RUN ? "stopped" : "failed", &e);
    settings_box_free(box);
    return rv == 0 ? 0 : rv == ERR_NODE_REMOVED.code || rv == ERR_LEADER_GIVEN_UP.code ? EXIT_REMOVED : EXIT_FAILED;
}

static int run(const struct cli *cli)
{
    switch (cli->command) {
    case CLI_HELP:
        cli_help(stdout);
        return 0;
    case CLI_VERSION:
        (void)puts(PACKAGE_STRING); /* nothing to do about a closed stdout */
        return 0;
    case CLI_DUMP:
        return dump(cli->argument);
    case CLI_CHECK_CONFIG:
        return check_config(cli);
    case CLI_RUN:
    case CLI_RESET_PASSWORD:
    case CLI_ROTATE_KEY:
    case CLI_FOUND:
    case CLI_JOIN:
    case CLI_RECOVER:
        break;
    }
    return with_settings(cli);
}

int main(int argc, char **argv)
{
    struct err e = { 0 };
    struct cli cli;
    int rv;

    json_set_alloc_funcs(mem_alloc, mem_free);
    /* 19 MiB for each password that is hashed go back at once: left to itself, malloc keeps what it once gave */
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 20);
    (void)mallopt(M_TRIM_THRESHOLD, 4 << 20);
    (void)mallopt(M_ARENA_MAX, 2); /* few threads allocate at once; the default of eight arenas per core only costs memory */
    (void)signal(SIGPIPE, SIG_IGN);
    crash_install();
    if (cli_parse(argc, argv, &cli, &e) != 0)
        return EXIT_USAGE;
    rv = run(&cli);
    cli_fini(&cli);
    return rv;
}
