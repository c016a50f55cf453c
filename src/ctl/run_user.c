/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords of OCP's own users. */
#include <string.h>

#include "src/ctl/ctl.h"
#include "src/io/secret.h"

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
