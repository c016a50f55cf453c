/* SPDX-License-Identifier: Apache-2.0 */
/* Options may stand anywhere; the first words that are none name the command, the others are its operands. "--" ends the options. */
#include <stdlib.h>
#include <string.h>

#include "src/ctl/command.h"

enum { MAX_OPERANDS = 64 };

static int find_option(struct slice name, char letter)
{
    for (int i = 0; i < N_OPTIONS; i++) {
        if (letter != 0 ? option_rows[i].letter == letter : slice_is(name, option_rows[i].name))
            return i;
    }
    return -1;
}

struct reader {
    int argc, at;
    char **argv;
    struct args *out;
    const char *words[MAX_OPERANDS]; /* what is no option */
    unsigned n_words;
};

static int set_option(struct reader *r, int option, const char *shown, const char *value, struct err *e)
{
    const struct option_row *row = &option_rows[option];

    if (row->value == NULL && value != NULL)
        return err_set(e, &ERR_INVALID, "%s takes no value", shown);
    if (row->value != NULL && value == NULL) {
        if (r->at + 1 >= r->argc)
            return err_set(e, &ERR_INVALID, "%s needs a value: %s", shown, row->value);
        value = r->argv[++r->at];
    }
    r->out->option[option] = value != NULL ? value : "";
    return 0;
}

static int read_option(struct reader *r, const char *arg, struct err *e)
{
    const char *equals = strchr(arg, '=');
    bool is_long = arg[1] == '-';
    struct slice name = { arg + 2, equals != NULL ? (size_t)(equals - arg) - 2 : strlen(arg) - 2 };
    int option = is_long ? find_option(name, 0) : arg[2] == '\0' ? find_option(name, arg[1]) : -1;

    if (option < 0)
        return err_set(e, &ERR_INVALID, "there is no option %.60s; ocpctl --help lists them", arg);
    return set_option(r, option, arg, is_long && equals != NULL ? equals + 1 : NULL, e);
}

static int read_all(struct reader *r, struct err *e)
{
    bool options = true;
    int rv = 0;

    for (r->at = 1; rv == 0 && r->at < r->argc; r->at++) {
        const char *arg = r->argv[r->at];

        if (options && strcmp(arg, "--") == 0)
            options = false;
        else if (options && arg[0] == '-' && arg[1] != '\0')
            rv = read_option(r, arg, e);
        else if (r->n_words == MAX_OPERANDS)
            rv = err_set(e, &ERR_INVALID, "more than %d words", MAX_OPERANDS);
        else
            r->words[r->n_words++] = arg;
    }
    return rv;
}

/* How many of the words name this command; 0: they do not. */
static unsigned match(const struct reader *r, const char *name)
{
    struct slice rest = { name, strlen(name) };
    unsigned n = 0;

    while (rest.n > 0) {
        struct slice word = slice_cut(&rest, ' ');

        if (n == r->n_words || !slice_is(word, r->words[n]))
            return 0;
        n++;
    }
    return n;
}

static unsigned find_command(struct reader *r)
{
    unsigned best = 0;

    for (const struct command *c = command_rows; c->name != NULL; c++) {
        unsigned n = match(r, c->name);

        if (n > best) {
            best = n;
            r->out->command = c;
        }
    }
    return best;
}

static int check_operands(const struct command *c, unsigned n, struct err *e)
{
    struct slice rest = { c->operands, strlen(c->operands) };
    unsigned min = 0, max = 0;

    while (rest.n > 0) {
        struct slice word = slice_cut(&rest, ' ');

        min += word.s[0] != '[';
        max = word.n > 3 && memcmp(word.s + word.n - 3, "...", 3) == 0 ? MAX_OPERANDS : max + 1;
    }
    if (n >= min && n <= max)
        return 0;
    return err_set(e, &ERR_INVALID, "usage: ocpctl %s%s%s", c->name, c->operands[0] != '\0' ? " " : "", c->operands);
}

static int check_options(const struct args *a, struct err *e)
{
    for (int i = N_GENERAL_OPTIONS; i < N_OPTIONS; i++)
        if (a->option[i] != NULL && (a->command->options & TAKES(i)) == 0)
            return err_set(e, &ERR_INVALID, "%s does not take --%s", a->command->name, option_rows[i].name);
    return 0;
}

static void read_environment(struct args *a)
{
    for (int i = 0; i < N_OPTIONS; i++)
        if (a->option[i] == NULL && option_rows[i].environment != NULL)
            a->option[i] = getenv(option_rows[i].environment);
}

static int understand(struct reader *r, struct err *e)
{
    struct args *a = r->out;
    unsigned n = find_command(r);
    int rv;

    read_environment(a);
    if (a->option[OPT_HELP] != NULL || a->option[OPT_VERSION] != NULL || a->option[OPT_DUMP] != NULL)
        return 0;
    if (n == 0)
        return err_set(e, &ERR_INVALID, r->n_words == 0 ? "what shall be done? ocpctl --help lists the commands"
                                                        : "there is no command \"%.60s\"; ocpctl --help lists them", r->words[0]);
    a->n_operands = r->n_words - n;
    memcpy(a->operands, r->words + n, a->n_operands * sizeof *a->operands);
    rv = check_operands(a->command, a->n_operands, e);
    return rv != 0 ? rv : check_options(a, e);
}

int args_parse(int argc, char **argv, struct args *out, struct err *e)
{
    struct reader r = { .argc = argc, .argv = argv, .out = out };
    int rv;

    *out = (struct args){ .operands = mem_array(MAX_OPERANDS, sizeof *out->operands) };
    if (out->operands == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = read_all(&r, e);
    if (rv == 0)
        rv = understand(&r, e);
    if (rv != 0)
        args_fini(out);
    return rv;
}

void args_fini(struct args *a)
{
    mem_free(a->operands);
    a->operands = NULL;
}
