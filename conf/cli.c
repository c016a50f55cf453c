/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/cli.h"

#include <argp.h>
#include <string.h>

enum {
    KEY_CONFIG = 'c',
    KEY_HELP = 'h',
    KEY_VERSION = 'V',
    KEY_SET = 0x100, /* from here on without a short form */
    KEY_CHECK,
    KEY_DUMP,
    KEY_STANDALONE,
    KEY_RESET,
    KEY_ROTATE,
    KEY_FOUND,
    KEY_JOIN,
    KEY_RECOVER,
    KEY_NODES,
    KEY_OUT,
    KEY_SECRET,
    KEY_STOPPED,
    KEY_RESTORED,
};

static const struct argp_option options[] = {
    { NULL, 0, NULL, 0, "Commands (without one, ocp-server serves):", 1 },
    { "check-config", KEY_CHECK, NULL, 0, "Check all settings, print every problem, and exit (1: there are some)", 1 },
    { "dump", KEY_DUMP, "TABLE", 0,
      "Print a table as JSON and exit: settings, parameters, routes, errors, metrics, permissions, migrations", 1 },
    { "reset-password", KEY_RESET, "USER", 0, "Give the user a new password, print it once, and exit", 1 },
    { "rotate-key", KEY_ROTATE, "STEP", 0,
      "Take a step of changing the master key and exit: prepare, use, reseal, finish (operator guide, Password box)", 1 },
    { "found", KEY_FOUND, NULL, 0, "Found a cluster of the nodes that --nodes names, write their join bundles to --out, print their secrets, and exit", 1 },
    { "join", KEY_JOIN, "FILE", 0,
      "Make this machine the node that the join bundle FILE is for, and exit; its secret comes from --secret-file, OCP_JOIN_SECRET or the terminal", 1 },
    { "recover", KEY_RECOVER, NULL, 0,
      "Found the cluster in MetaDB anew, of this node alone or of --nodes with bundles to --out, and exit; needs --i-have-stopped-all-others", 1 },
    { "version", KEY_VERSION, NULL, 0, "Print the version and exit", 1 },
    { "help", KEY_HELP, NULL, 0, "Print this text and exit", 1 },
    { NULL, 0, NULL, 0, "Options of --found, --join and --recover (operator guide, A cluster of nodes):", 2 },
    { "nodes", KEY_NODES, "ADDRESS,...", 0, "Addresses of the nodes' peer ports, host:port (default port 8081)", 2 },
    { "out", KEY_OUT, "DIR", 0, "Folder for the join bundles; made if it is missing", 2 },
    { "secret-file", KEY_SECRET, "FILE", 0, "File whose first line is the join secret; -: standard input", 2 },
    { "i-have-stopped-all-others", KEY_STOPPED, NULL, 0, "No ocp-server of the former cluster runs any more", 2 },
    { "restored", KEY_RESTORED, NULL, 0, "MetaDB was restored from a backup", 2 },
    { NULL, 0, NULL, 0, "Settings:", 3 },
    { "config", KEY_CONFIG, "FILE", 0, "Read settings from FILE, not from " SYSCONFDIR "/ocp-server/ocp-server.conf", 3 },
    { "set", KEY_SET, "KEY=VALUE", 0, "Change one setting for this run; --KEY=VALUE does the same", 3 },
    { "standalone", KEY_STANDALONE, NULL, 0, "Run one node with a private database: no set-up", 3 },
    { 0 },
};

static int set_command(struct argp_state *state, enum cli_command command, const char *argument)
{
    struct cli *c = state->input;

    if (c->command != CLI_RUN) {
        argp_error(state, "only one command can be given");
        return EINVAL;
    }
    c->command = command;
    c->argument = argument;
    return 0;
}

/* Options of the three commands that make members. False: it is none of them. */
static bool take_member_option(struct cli *c, int key, const char *arg)
{
    const struct {
        int key;
        const char **text;
        bool *flag;
    } all[] = {
        { KEY_NODES, &c->nodes, NULL },
        { KEY_OUT, &c->out, NULL },
        { KEY_SECRET, &c->secret_file, NULL },
        { KEY_STOPPED, NULL, &c->others_stopped },
        { KEY_RESTORED, NULL, &c->restored },
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].key != key)
            continue;
        if (all[i].text != NULL)
            *all[i].text = arg;
        else
            *all[i].flag = true;
        return true;
    }
    return false;
}

/* What is wrong with the options together; NULL: nothing. */
static const char *complaint(const struct cli *c)
{
    bool founds = c->command == CLI_FOUND || c->command == CLI_RECOVER;

    if ((c->nodes != NULL || c->out != NULL) && !founds)
        return "--nodes and --out belong to --found and --recover";
    if (c->secret_file != NULL && c->command != CLI_JOIN)
        return "--secret-file belongs to --join";
    if ((c->others_stopped || c->restored) && c->command != CLI_RECOVER)
        return "--i-have-stopped-all-others and --restored belong to --recover";
    if (c->command == CLI_FOUND && c->nodes == NULL)
        return "--found needs --nodes: the addresses of all nodes";
    if (founds && (c->nodes != NULL) != (c->out != NULL))
        return "--nodes and --out belong together: each node gets a join bundle in that folder";
    if (c->command == CLI_RECOVER && !c->others_stopped)
        return "--recover gives up the former cluster: stop ocp-server on all its nodes, make sure that they stay stopped, and say so with "
               "--i-have-stopped-all-others";
    return NULL;
}

static error_t check_options(struct argp_state *state)
{
    const char *wrong = complaint(state->input);

    if (wrong == NULL)
        return 0;
    argp_error(state, "%s", wrong);
    return EINVAL;
}

static error_t on_option(int key, char *arg, struct argp_state *state)
{
    struct cli *c = state->input;

    if (take_member_option(c, key, arg))
        return 0;
    switch (key) {
    case KEY_CONFIG:
        c->config_file = arg;
        return 0;
    case KEY_SET:
    case KEY_STANDALONE:
        c->settings[c->n_settings++] = key == KEY_SET ? arg : "standalone";
        return 0;
    case KEY_CHECK:
        return set_command(state, CLI_CHECK_CONFIG, NULL);
    case KEY_DUMP:
        return set_command(state, CLI_DUMP, arg);
    case KEY_RESET:
        return set_command(state, CLI_RESET_PASSWORD, arg);
    case KEY_ROTATE:
        return set_command(state, CLI_ROTATE_KEY, arg);
    case KEY_FOUND:
        return set_command(state, CLI_FOUND, NULL);
    case KEY_JOIN:
        return set_command(state, CLI_JOIN, arg);
    case KEY_RECOVER:
        return set_command(state, CLI_RECOVER, NULL);
    case ARGP_KEY_END:
        return check_options(state);
    case KEY_VERSION:
        return set_command(state, CLI_VERSION, NULL);
    case KEY_HELP:
        return set_command(state, CLI_HELP, NULL);
    case ARGP_KEY_ARG:
        argp_error(state, "what is \"%s\"? A setting is given as --key=value", arg);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = options,
    .parser = on_option,
    .doc = "OceanBase Cloud Platform: install, upgrade, scale, monitor and repair OceanBase clusters."
           "\vSettings come from the file, then the environment (OCP_DB_PASSWORD for db.password), then the command line; "
           "the later wins. `ocp-server --dump settings` explains each of them. SIGHUP reads them again.",
};

/* "--http.listen=..." or "--data_dir=...": a setting, known or misspelt. */
static bool is_setting(const char *arg)
{
    struct slice text = { arg + 2, strcspn(arg, "=") - 2 };

    if (strncmp(arg, "--", 2) != 0 || arg[2] == '\0' || arg[2] == '=')
        return false;
    return settings_find(text) != NULL || memchr(text.s, '.', text.n) != NULL;
}

/* Spells every setting as `--set key=value`, which argp knows. `rest` has room for 2 * argc. */
static int spell_out(int argc, char **argv, char **rest)
{
    static char set[] = "--set";
    int n = 0;

    for (int i = 0; i < argc; i++) {
        bool setting = i > 0 && is_setting(argv[i]);

        if (setting)
            rest[n++] = set;
        rest[n++] = argv[i] + (setting ? 2 : 0);
    }
    return n;
}

int cli_parse(int argc, char **argv, struct cli *out, struct err *e)
{
    char **rest = mem_array((size_t)argc * 2 + 1, sizeof *rest);
    int rv = 0;

    *out = (struct cli){ .settings = mem_array((size_t)argc + 1, sizeof *out->settings) };
    if (rest == NULL || out->settings == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    else if (argp_parse(&parser, spell_out(argc, argv, rest), rest, ARGP_NO_EXIT | ARGP_NO_HELP, NULL, out) != 0)
        rv = err_set(e, &ERR_INVALID, "the command line");
    mem_free(rest);
    if (rv != 0)
        cli_fini(out);
    return rv;
}

void cli_fini(struct cli *c)
{
    mem_free(c->settings);
    *c = (struct cli){ .command = CLI_RUN };
}

void cli_help(FILE *to)
{
    static char name[] = "ocp-server";

    argp_help(&parser, to, ARGP_HELP_USAGE | ARGP_HELP_LONG | ARGP_HELP_DOC, name);
}

struct settings_sources cli_sources(const struct cli *c, char *const *environment)
{
    return (struct settings_sources){
        .file = c->config_file != NULL ? c->config_file : SYSCONFDIR "/ocp-server/ocp-server.conf",
        .file_may_be_missing = c->config_file == NULL,
        .environment = (const char *const *)environment,
        .arguments = c->settings,
        .n_arguments = c->n_settings,
    };
}
