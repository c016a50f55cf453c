/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "src/base/json.h"
#include "src/ctl/command.h"

enum { COLUMN = 38 };

static void add_padded(struct str *t, const char *left, const char *right)
{
    str_printf(t, "  %-*s %s\n", COLUMN, left, right);
}

static void option_name(const struct option_row *o, char *buf, size_t size)
{
    char letter[8] = "";

    if (o->letter != 0)
        (void)snprintf(letter, sizeof letter, "-%c, ", o->letter);
    (void)snprintf(buf, size, "%s--%s%s%s", letter, o->name, o->value != NULL ? " " : "", o->value != NULL ? o->value : "");
}

static void add_option(struct str *t, const struct option_row *o)
{
    char left[96], right[256];

    option_name(o, left, sizeof left);
    (void)snprintf(right, sizeof right, "%s%s%s%s", o->doc, o->environment != NULL ? " [" : "",
                   o->environment != NULL ? o->environment : "", o->environment != NULL ? "]" : "");
    add_padded(t, left, right);
}

static void add_command_options(struct str *t, const struct command *c)
{
    for (int i = N_GENERAL_OPTIONS; i < N_OPTIONS; i++)
        if ((c->options & TAKES(i)) != 0)
            add_option(t, &option_rows[i]);
}

static void add_general(struct str *t)
{
    str_add(t, "\nOptions:\n");
    for (int i = 0; i < N_GENERAL_OPTIONS; i++)
        add_option(t, &option_rows[i]);
    str_add(t, "\nThe password comes from --password-file, OCP_PASSWORD or the terminal, never from the command line.\n"
               "The secret of an access key comes from --secret-key-file, OCP_SECRET_KEY or the terminal.\n"
               "CLUSTER and TENANT are numbers or names.\n\nExit status:\n");
    for (const struct exit_row *x = exit_rows; x->doc != NULL; x++)
        str_printf(t, "  %-3d %s\n", x->status, x->doc);
}

static void usage_of(const struct command *c, char *buf, size_t size)
{
    (void)snprintf(buf, size, "%s%s%s", c->name, c->operands[0] != '\0' ? " " : "", c->operands);
}

void help_write(struct str *t, const struct command *about)
{
    char usage[128];

    if (about != NULL) {
        usage_of(about, usage, sizeof usage);
        str_printf(t, "Usage: ocpctl [OPTION]... %s\n\n%s\n", usage, about->doc);
        str_add(t, about->options != 0 ? "\nOptions of this command:\n" : "");
        add_command_options(t, about);
        add_general(t);
        return;
    }
    str_add(t, "Usage: ocpctl [OPTION]... COMMAND [OPERAND]...\n\nOceanBase Cloud Platform from the command line, on its public API.\n\nCommands:\n");
    for (const struct command *c = command_rows; c->name != NULL; c++) {
        usage_of(c, usage, sizeof usage);
        add_padded(t, usage, c->doc);
    }
    str_add(t, "\nocpctl COMMAND --help shows the options of a command.\n");
    add_general(t);
}

static void add_pair(struct str *t, const char *key, const char *value)
{
    if (value == NULL)
        return;
    json_add_key(t, key);
    json_add_string(t, value);
}

static void dump_option(struct str *t, const struct option_row *o)
{
    char letter[2] = { o->letter, '\0' };

    json_add_comma(t);
    str_add_c(t, '{');
    add_pair(t, "name", o->name);
    add_pair(t, "letter", o->letter != 0 ? letter : NULL);
    add_pair(t, "value", o->value);
    add_pair(t, "environment", o->environment);
    add_pair(t, "doc", o->doc);
    str_add_c(t, '}');
}

static void dump_command(struct str *t, const struct command *c)
{
    json_add_comma(t);
    str_add_c(t, '{');
    add_pair(t, "name", c->name);
    add_pair(t, "operands", c->operands);
    add_pair(t, "doc", c->doc);
    json_add_key(t, "options");
    str_add_c(t, '[');
    for (int i = N_GENERAL_OPTIONS; i < N_OPTIONS; i++)
        if ((c->options & TAKES(i)) != 0)
            dump_option(t, &option_rows[i]);
    str_add(t, "]}");
}

void commands_dump(struct str *t)
{
    str_add(t, "{\"commands\":[");
    for (const struct command *c = command_rows; c->name != NULL; c++)
        dump_command(t, c);
    str_add(t, "],\"options\":[");
    for (int i = 0; i < N_GENERAL_OPTIONS; i++)
        dump_option(t, &option_rows[i]);
    str_add(t, "],\"exits\":[");
    for (const struct exit_row *x = exit_rows; x->doc != NULL; x++) {
        json_add_comma(t);
        str_printf(t, "{\"status\":%d", x->status);
        add_pair(t, "doc", x->doc);
        str_add_c(t, '}');
    }
    str_add(t, "]}\n");
}
