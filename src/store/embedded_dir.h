/* SPDX-License-Identifier: Apache-2.0 */
/* embedded_dir.h - the folder of the embedded MetaDB: whose it is, its lock, its files; private to embedded.c.
 * Everything goes through the open folder and follows no symbolic link below it, since its owner may be less trusted than we. */
#ifndef STORE_EMBEDDED_DIR_H
#define STORE_EMBEDDED_DIR_H

#include <stdbool.h>
#include <sys/types.h>

#include "src/base/err.h"

enum { EMBEDDED_PATH_MAX = 100 }; /* DIR/sock must fit into sun_path with its 107 characters */

struct embedded_dir {
    char path[EMBEDDED_PATH_MAX + 1];
    int fd, lock_fd;             /* owned */
    bool changes_user;           /* we are root: mariadbd gets uid and gid */
    uid_t uid;                   /* of the account */
    gid_t gid;
    char account[64];            /* its name */
    char self[64];               /* name of this process's user, "" when it has none */
};

/* Makes it when missing, checks owner and mode, takes the lock. Errors: EMBEDDED_SETUP. */
MUST_CHECK int embedded_dir_open(struct embedded_dir *d, const char *path, const char *account, struct err *e);
void embedded_dir_close(struct embedded_dir *d);

/* Makes a folder of the account in it unless it is there. Errors: EMBEDDED_SETUP. */
MUST_CHECK int embedded_dir_make(const struct embedded_dir *d, const char *name, struct err *e);
bool embedded_dir_has(const struct embedded_dir *d, const char *name);
/* Writes a file of the account below it ("init.sql", "data/ocp_version"): the old one or the whole new one, whatever happens.
 * Errors: EMBEDDED_SETUP. */
MUST_CHECK int embedded_dir_write(const struct embedded_dir *d, const char *folder, const char *name, const char *text, struct err *e);
/* First line of such a file; false when it is missing. */
bool embedded_dir_read(const struct embedded_dir *d, const char *folder, const char *name, char *buf, size_t size);
/* Renames and makes it last. Errors: EMBEDDED_SETUP. */
MUST_CHECK int embedded_dir_rename(const struct embedded_dir *d, const char *from, const char *to, struct err *e);

/* The process that has the data open, told by its lock on ibdata1: 0 none, -1 one that we cannot see (another container). */
pid_t embedded_dir_holder(const struct embedded_dir *d);

/* ERR_EMBEDDED_SETUP for this folder. */
int embedded_dir_fails(const struct embedded_dir *d, struct err *e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
