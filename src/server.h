/* SPDX-License-Identifier: Apache-2.0 */
/* server.h - one ocp-server process: builds the object graph, runs it, and takes it down in order. */
#ifndef SERVER_H
#define SERVER_H

#include "conf/cli.h"
#include "src/base/err.h"
#include "src/base/log.h"

struct settings_box;

/* Serves until SIGTERM or SIGINT has drained it. SIGHUP reloads settings and certificates. Runs on the main thread, which is the
 * control loop. Returns 0 after a clean stop; errors of starting up otherwise. */
MUST_CHECK int server_run(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct err *e);

/* Gives the user that the command line names a random password, directly in MetaDB, and prints it. */
MUST_CHECK int server_reset_password(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct err *e);

/* Takes the step of changing the master key that the command line names (src/vault/reseal.h), and prints what it came to. */
MUST_CHECK int server_rotate_key(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct err *e);

/* What the nodes of a cluster begin with (operator guide, A cluster of nodes): founding it, joining it, founding it anew after a disaster.
 * They print what came of it. */
MUST_CHECK int server_found(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct err *e);
MUST_CHECK int server_join(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct err *e);
MUST_CHECK int server_recover(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct err *e);

#endif
