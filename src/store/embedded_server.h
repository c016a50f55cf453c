/* SPDX-License-Identifier: Apache-2.0 */
/* embedded_server.h - MariaDB's programs as the embedded MetaDB runs them; private to embedded.c. From fibers. */
#ifndef STORE_EMBEDDED_SERVER_H
#define STORE_EMBEDDED_SERVER_H

#include "src/io/child.h"
#include "src/store/embedded.h"
#include "src/store/embedded_dir.h"

struct mariadb_version {
    unsigned major, minor;
    char text[64];               /* "10.11.19-MariaDB-0+deb12u1" */
};
/* False when the text does not begin with a version of MariaDB. */
bool mariadb_version_parse(const char *text, struct mariadb_version *v);

/* What the installed mariadbd says it is. Errors: EMBEDDED_SETUP, NOMEM, TIMEOUT, CANCELLED. */
MUST_CHECK int mariadb_version(const struct embedded_conf *conf, const struct embedded_dir *d, struct mariadb_version *v, struct err *e);
/* Makes data/ with system tables by way of data.new/. Errors: as above. */
MUST_CHECK int mariadb_install(const struct embedded_conf *conf, const struct embedded_dir *d, const struct mariadb_version *v,
                               struct err *e);
/* Adapts system tables to the running server's version. Errors: as above. */
MUST_CHECK int mariadb_upgrade(const struct embedded_conf *conf, const struct embedded_dir *d, struct err *e);
/* Starts the server. Errors: as child_start, EMBEDDED_SETUP. */
MUST_CHECK int mariadb_spawn(const struct embedded_conf *conf, const struct embedded_dir *d,
                             void (*on_line)(void *data, enum child_stream stream, struct slice line), void *data, struct child **out,
                             struct err *e);

#endif
