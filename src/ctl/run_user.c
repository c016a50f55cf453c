/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords of OCP's own users. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/ctl/ctl.h"
#include "src/ctl/secret.h"

int ctl_change_password(struct ctl *c, struct err *e)
{
    const char *wanted;
    const json_t *data;
    json_t *root, *body;
    char *text;
    int rv;

    if (c->password == NULL)
        return err_set(e, &ERR_INVALID, "whose password? Say --user NAME");
    rv = secret_read(ctl_option(c, OPT_NEW_PASSWORD_FILE), "OCP_NEW_PASSWORD", "New password", &c->arena, &wanted, e);
    if (rv != 0)
        return rv;
    body = json_pack("{s:s, s:s}", "currentPassword", c->password, "newPassword", wanted);
    text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (text == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = remote_data(c->remote, "POST", "/api/v2/profiles/me/changePassword", text, &c->arena, &root, &data, e);
    mem_wipe(text, strlen(text));
    mem_free(text);
    if (rv != 0)
        return rv;
    json_decref(root);
    return ctl_done(c, NULL, "Password changed.", e);
}

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

/* Needs MetaDB and its settings, not the API: whoever may read these may reset. Becomes ocp-server; returns only when that fails. */
int ctl_reset_password(struct ctl *c, struct err *e)
{
    const char *config = ctl_option(c, OPT_CONFIG), *program = server_program(c);
    const char *argv[6] = { "ocp-server", "--reset-password", ctl_operand(c, 0) };

    if (config != NULL) {
        argv[3] = "--config";
        argv[4] = config;
    }
    for (int i = 0; i < N_OPTIONS; i++) /* ocpctl's variables are not settings of ocp-server */
        if (option_rows[i].environment != NULL)
            (void)unsetenv(option_rows[i].environment);
    (void)unsetenv("OCP_PASSWORD");
    (void)unsetenv("OCP_SECRET_KEY");
    (void)unsetenv("OCP_NEW_PASSWORD");
    (void)unsetenv("OCP_ROOT_PASSWORD");
    (void)execvp(program, (char *const *)(uintptr_t)argv);
    return err_set(e, &ERR_IO, "%s cannot be run: %s", program, strerror(errno));
}
