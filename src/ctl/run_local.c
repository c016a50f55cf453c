/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that need MetaDB, the disk and the settings of this machine, not the API: ocpctl becomes ocp-server. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/ctl/ctl.h"

/* ocp-server stands beside ocpctl when they were installed together; else PATH finds it. */
static const char *server_program(struct ctl *c)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;
    const char *beside;

    if (n <= 0)
        return "ocp-server";
    self[n] = '\0';
    slash = strrchr(self, '/');
    *slash = '\0';
    beside = arena_printf(&c->arena, "%s/ocp-server", self);
    return beside != NULL && access(beside, X_OK) == 0 ? beside : "ocp-server";
}

/* ocpctl's variables are not settings of ocp-server. */
static void clear_environment(void)
{
    static const char *const more[] = { "OCP_PASSWORD", "OCP_SECRET_KEY", "OCP_NEW_PASSWORD", "OCP_ROOT_PASSWORD" };

    for (int i = 0; i < N_OPTIONS; i++)
        if (option_rows[i].environment != NULL)
            (void)unsetenv(option_rows[i].environment);
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        (void)unsetenv(more[i]);
}

struct server_args {
    const char *words[16];
    unsigned n;
};

static void add(struct server_args *a, const char *word)
{
    a->words[a->n++] = word;
}

/* The option under its own name, if it was given: the two programs call it the same. */
static void pass(struct ctl *c, struct server_args *a, enum option option)
{
    const char *value = ctl_option(c, option), *name;

    if (value == NULL)
        return;
    name = arena_printf(&c->arena, "--%s", option_rows[option].name);
    add(a, name != NULL ? name : "");
    if (option_rows[option].value != NULL)
        add(a, value);
}

/* Returns only when it fails. */
static int become(struct ctl *c, struct server_args *a, struct err *e)
{
    const char *program = server_program(c);

    pass(c, a, OPT_CONFIG);
    clear_environment();
    (void)execvp(program, (char *const *)(uintptr_t)a->words);
    return err_set(e, &ERR_IO, "%s cannot be run: %s", program, strerror(errno));
}

int ctl_reset_password(struct ctl *c, struct err *e)
{
    struct server_args a = { { "ocp-server", "--reset-password", ctl_operand(c, 0) }, 3 };

    return become(c, &a, e);
}

int ctl_cluster_init(struct ctl *c, struct err *e)
{
    struct server_args a = { { "ocp-server", "--found" }, 2 };

    pass(c, &a, OPT_NODES);
    pass(c, &a, OPT_OUT);
    return become(c, &a, e);
}

int ctl_cluster_join(struct ctl *c, struct err *e)
{
    struct server_args a = { { "ocp-server", "--join", ctl_operand(c, 0) }, 3 };

    pass(c, &a, OPT_SECRET_FILE);
    return become(c, &a, e);
}

int ctl_cluster_recover(struct ctl *c, struct err *e)
{
    struct server_args a = { { "ocp-server", "--recover" }, 2 };

    pass(c, &a, OPT_NODES);
    pass(c, &a, OPT_OUT);
    pass(c, &a, OPT_STOPPED);
    pass(c, &a, OPT_RESTORED);
    return become(c, &a, e);
}
