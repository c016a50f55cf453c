/* SPDX-License-Identifier: Apache-2.0 */
/* command.h - what ocpctl can do: one row per command, one per option, one per exit status. The parser, --help, --dump commands and
 * docs/ocpctl.md read these rows. */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/err.h"
#include "src/base/str.h"

struct ctl;

enum option {
    /* general ones */
    OPT_SERVER,
    OPT_USER,
    OPT_PASSWORD_FILE,
    OPT_ACCESS_KEY,
    OPT_SECRET_KEY_FILE,
    OPT_CA,
    OPT_INSECURE,
    OPT_OUTPUT,
    OPT_TIMEOUT,
    OPT_LANGUAGE,
    OPT_HELP,
    OPT_VERSION,
    OPT_DUMP,
    /* of single commands */
    OPT_ADDRESS,
    OPT_PORT,
    OPT_ROOT_PASSWORD_FILE,
    OPT_NEW_PASSWORD_FILE,
    OPT_WAIT,
    OPT_NAME,
    OPT_STATUS,
    OPT_CLUSTER,
    OPT_TENANT,
    OPT_STATEMENT,
    OPT_PAGE,
    OPT_SIZE,
    OPT_CONFIG,
    OPT_NODES,
    OPT_OUT,
    OPT_SECRET_FILE,
    OPT_STOPPED,
    OPT_RESTORED,
    OPT_WITNESS,
    OPT_FORCE,
    OPT_IDC,
    OPT_TYPE,
    OPT_CREDENTIAL,
    OPT_SSH_PORT,
    OPT_WATCH,
    N_OPTIONS,
};

struct option_row {
    const char *name;         /* without "--" */
    char letter;              /* 0: none */
    const char *value;        /* what the value is called; NULL: a switch */
    const char *environment;  /* variable that stands in; NULL: none */
    const char *query;        /* name of the query parameter it becomes; NULL: none */
    const char *doc;
};
extern const struct option_row option_rows[N_OPTIONS];
enum { N_GENERAL_OPTIONS = OPT_DUMP + 1 };
#define TAKES(OPTION) (UINT64_C(1) << (OPTION))

/* A column of a table: `path` is a member, or members joined by '.', of each object; lists on the way are joined by ','. */
struct column {
    const char *title, *path;
};

struct command {
    const char *name;              /* one or two words */
    const char *operands;          /* "CLUSTER NAME=VALUE...": names in the order given; "..." may repeat, "[X]" may be left out */
    uint64_t options;              /* TAKES(...) beyond the general ones */
    bool is_public;                /* no login wanted */
    int (*run)(struct ctl *c, struct err *e);
    const char *path;              /* of ctl_get, as ctl_path wants it */
    const struct column *columns;  /* ends with a NULL title */
    const char *doc;
};
extern const struct command command_rows[]; /* ends with a NULL name */

struct exit_row {
    int status;
    const char *doc;
};
extern const struct exit_row exit_rows[]; /* ends with a NULL doc */
enum { EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_UNREACHABLE = 3, EXIT_LOGIN = 4, EXIT_TASK_FAILED = 5, EXIT_LATE = 6 };

/* The whole command line, understood. Strings are argv's or the environment's. */
struct args {
    const struct command *command;  /* NULL: none was named */
    const char **operands;          /* owned */
    unsigned n_operands;
    const char *option[N_OPTIONS];  /* NULL: not given; "" for a switch that is on */
};
/* Reads argv, then the environment for options that were not given. Errors: INVALID (with what is wrong), NOMEM. */
MUST_CHECK int args_parse(int argc, char **argv, struct args *out, struct err *e);
void args_fini(struct args *a);

/* Help on everything, or on one command. */
void help_write(struct str *t, const struct command *about);
/* All rows as one JSON object, for the docs. */
void commands_dump(struct str *t);

#endif
