/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/node_exporter.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool node_exporter_is_there(const struct frame *f)
{
    return f->conf.node_exporter != NULL && access(f->conf.node_exporter, X_OK) == 0;
}

/* Only ocp_exporter asks it: it listens on the loopback, or where this agent does when that is one. */
const char *const *node_exporter_argv(const struct frame *f)
{
    static char listen[96];
    static const char *argv[3];
    bool loopback = strncmp(f->conf.listen, "127.", 4) == 0;

    (void)snprintf(listen, sizeof listen, "--web.listen-address=%s:%lld", loopback ? f->conf.listen : "127.0.0.1", (long long)f->conf.node_exporter_port);
    argv[0] = f->conf.node_exporter;
    argv[1] = listen;
    argv[2] = NULL;
    return argv;
}
