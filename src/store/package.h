/* SPDX-License-Identifier: Apache-2.0 */
/* package.h - software packages in MetaDB, a row each. Their bytes are blobs (store/package_blob.h). Loop thread only, from fibers. */
#ifndef STORE_PACKAGE_H
#define STORE_PACKAGE_H

#include "src/store/list.h"

struct package {
    int64_t id;
    const char *name, *version;
    const char *build, *operating_system;   /* of the release "build.os" */
    const char *architecture;
    const char *type;                       /* one of package_type_names */
    const char *file_name;                  /* unique */
    int64_t size;
    const char *sha1, *sha256;              /* in hex */
    int64_t place;                          /* enum package_place */
    const char *creator;
    int64_t created_us;
};

/* What a list shall hold; "" or empty: whatever. */
struct package_filter {
    const char *keyword;                    /* part of name or file name */
    struct field_strings types, versions, operating_systems, architectures;
};

/* Members of `sort`: createTime, name, version, size, fileName, type. Errors: INVALID, those of db_read. */
MUST_CHECK int store_package_list(struct db *d, const struct package_filter *f, const struct store_page *page, struct arena *arena,
                                  struct package **out, size_t *n, int64_t *total, struct err *e);
/* Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int store_package_get(struct db *d, int64_t id, struct arena *arena, struct package *out, struct err *e);
MUST_CHECK int store_package_get_named(struct db *d, const char *file_name, struct arena *arena, struct package *out, struct err *e);
/* A package that stands in the way of `p`: the same name, version, build, operating system and architecture, or else the same file name.
 * NULL: none does. */
MUST_CHECK int store_package_find_like(struct db *d, const struct package *p, struct arena *arena, struct package **out, struct err *e);

/* A host that was given a package. */
struct package_host {
    int64_t package_id, host_id;
    const char *address;
    int64_t brought_us;
};
/* Those of all these packages, package by package. */
MUST_CHECK int store_package_hosts(struct db *d, const struct field_ints *packages, struct arena *arena, struct package_host **out, size_t *n,
                                   struct err *e);
/* The host has it now. */
MUST_CHECK int store_package_brought(struct db *d, int64_t package_id, int64_t host_id, struct err *e);

/* The task uses the package from now on, in the transaction that makes the task: while the task runs nobody can delete the package. The same
 * twice is fine. Errors: NOT_FOUND (it was deleted meanwhile). */
MUST_CHECK int store_package_use_in(struct tx *tx, int64_t package_id, int64_t task_id, struct err *e);
/* Locks the package's row; *task_id is a running task that uses it, 0: none does. Errors: NOT_FOUND. */
MUST_CHECK int store_package_user_in(struct tx *tx, int64_t package_id, int64_t *task_id, struct err *e);
/* Names of the clusters that were installed from the package, or whose package has it as its libraries (NAME-libs of the same version and build):
 * their servers to come need it. Locks the row of the package that they name, as store_package_use_in does. Errors: those of tx_run. */
MUST_CHECK int store_package_clusters_in(struct tx *tx, int64_t package_id, struct arena *arena, struct field_strings *out, struct err *e);
/* Those of `packages` that running tasks use or clusters were installed from, in order. */
MUST_CHECK int store_packages_used(struct db *d, const struct field_ints *packages, struct arena *arena, struct field_ints *out, struct err *e);

/* Its blob is STORED, and `p` (with the blob's id) is a package. Errors: PACKAGE_GIVEN_UP, SQL_DUPLICATE (there is a package like it). */
MUST_CHECK int store_package_insert(struct tx *tx, const struct package *p, struct err *e);
/* The package is no more, its blob condemned. Errors: NOT_FOUND. */
MUST_CHECK int store_package_delete(struct tx *tx, int64_t id, struct err *e);

#endif
