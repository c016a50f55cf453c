/* SPDX-License-Identifier: Apache-2.0 */
/* cli.h - the command line of ocp-server: one command, and settings for this run. */
#ifndef CONF_CLI_H
#define CONF_CLI_H

#include <stdio.h>

#include "conf/settings.h"

enum cli_command {
    CLI_RUN,            /* no command: serve */
    CLI_CHECK_CONFIG,
    CLI_DUMP,           /* argument: name of the table */
    CLI_RESET_PASSWORD, /* argument: user */
    CLI_ROTATE_KEY,     /* argument: step */
    CLI_FOUND,
    CLI_JOIN,           /* argument: file with a join bundle */
    CLI_RECOVER,
    CLI_VERSION,
    CLI_HELP,
};

struct cli {
    enum cli_command command;
    const char *argument;      /* of the command; NULL: it has none */
    const char *config_file;   /* NULL: the default place */
    const char **settings;     /* "key=value" or "key" in the order given; owned */
    unsigned n_settings;
    /* of --found, --join and --recover; NULL or false: not given */
    const char *nodes, *out, *secret_file;
    bool others_stopped, restored;
};

/* Reads the command line; a mistake is explained on standard error. Every `--key=value` whose key is a setting, or has a dot, is a
 * setting, as `--set key=value` is; the loader judges it. Strings are argv's. Errors: INVALID (already explained), NOMEM. */
MUST_CHECK int cli_parse(int argc, char **argv, struct cli *out, struct err *e);
void cli_fini(struct cli *c);

/* Prints usage, commands and options. */
void cli_help(FILE *to);

/* Sources of the settings as this command line and environment say. Borrows from both. */
struct settings_sources cli_sources(const struct cli *c, char *const *environment);

#endif
