/* SPDX-License-Identifier: Apache-2.0 */
/* Software packages. */
#include "src/ctl/ctl.h"

int ctl_package_delete(struct ctl *c, struct err *e)
{
    const json_t *data;
    const char *path;
    json_t *root = NULL;
    int rv = ctl_path(c, "/api/v2/software-packages/{PACKAGE}", &path, e);

    if (rv == 0)
        rv = remote_data(c->remote, "DELETE", path, NULL, &c->arena, &root, &data, e);
    if (rv == 0)
        rv = ctl_done(c, data, "Package deleted.", e);
    json_decref(root);
    return rv;
}
