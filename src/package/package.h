/* SPDX-License-Identifier: Apache-2.0 */
/* package.h - the software packages that OCP keeps for the hosts: rows in MetaDB, bytes in chunks beside MetaDB or in a directory that all
 * nodes share (setting package.directory). How they come in is in package/upload.h. Fibers of any loop, each with its own `db`. */
#ifndef PACKAGE_PACKAGE_H
#define PACKAGE_PACKAGE_H

#include "conf/parameters.h"
#include "src/io/work.h"
#include "src/package/name.h"
#include "src/store/package.h"

struct packages;

struct packages_conf {
    const char *schema;                 /* database of the chunks */
    const char *directory;              /* "": new packages go into the database */
    const char *node;                   /* name of this node */
    const struct parameters *parameters;
    struct work_pool *pool;             /* for files, digests and librpm: the long one */
    const struct log *log;
};

ERR_DECLARE(ERR_FILE_UNKNOWN);       /* 404 7500 {0} file name */
ERR_DECLARE(ERR_FILE_EXISTS);        /* 409 7502 {0} file name */
ERR_DECLARE(ERR_FILE_SUFFIX);        /* 400 7503 {0} file name */
ERR_DECLARE(ERR_FILE_TYPE);          /* 400 7504 {0} file name */
ERR_DECLARE(ERR_PACKAGE_IN_USE);     /* 409 7507 {0} package, {1} "task 7", or the clusters "c1, c2" */
ERR_DECLARE(ERR_PACKAGE_EXISTS);     /* 409 7512 {0} package, {1} its file name */
ERR_DECLARE(ERR_PACKAGE_TYPE);       /* 400 7513 {0} package, {1} what it is, {2} what was said */
ERR_DECLARE(ERR_PACKAGE_UNKNOWN);    /* 404 7514 {0} id */
ERR_DECLARE(ERR_PACKAGE_ARCH);       /* 400 7515 {0} package, {1} architecture */
ERR_DECLARE(ERR_PACKAGE_NAME);       /* 400 7516 {0} file name, {1} why not */
ERR_DECLARE(ERR_PACKAGE_FOREIGN);    /* 400 {0} package: none of OceanBase's */
ERR_DECLARE(ERR_PACKAGE_DIRECTORY);  /* 503 {0} directory, {1} reason */
ERR_DECLARE(ERR_PACKAGE_DAMAGED);    /* 500 {0} file name: a part of it is missing where it is kept */
extern const struct err_row *const package_err_rows[];

/* `conf` is copied; what it points to is borrowed and outlives it. Errors: NOMEM. */
MUST_CHECK int packages_new(const struct packages_conf *conf, struct packages **out, struct err *e);
/* NULL is fine. */
void packages_free(struct packages *p);

/* Errors: PACKAGE_UNKNOWN, those of db_read. */
MUST_CHECK int package_get(struct db *d, int64_t id, struct arena *arena, struct package *out, struct err *e);
/* Errors: FILE_UNKNOWN, those of db_read. */
MUST_CHECK int package_get_named(struct db *d, const char *file_name, struct arena *arena, struct package *out, struct err *e);
/* Deletes it; its bytes go at once as far as that takes a moment only, the rest with the next sweep. `out` is what it was. Errors: PACKAGE_UNKNOWN, PACKAGE_IN_USE. */
MUST_CHECK int package_delete(struct packages *p, struct db *d, int64_t id, struct arena *arena, struct package *out, struct err *e);

/* Reads chunk `number` (from 0): PACKAGE_CHUNK_BYTES, at the end what is left. Errors: PACKAGE_DAMAGED, PACKAGE_DIRECTORY, those of db_read. */
MUST_CHECK int package_read(struct packages *p, struct db *d, const struct package *package, int64_t number, struct arena *arena,
                            struct slice *out, struct err *e);

/* What this node was writing when it ended is given up; once, before it serves. Errors: those of db_transact. */
MUST_CHECK int packages_recover(struct packages *p, struct db *d, struct err *e);
/* Gives up uploads for which nothing came for `idle_s`, and removes the bytes of everything condemned. Errors: as package_read. */
MUST_CHECK int packages_sweep(struct packages *p, struct db *d, unsigned idle_s, struct err *e);

#endif
