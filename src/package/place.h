/* SPDX-License-Identifier: Apache-2.0 */
/* place.h - where the bytes of packages lie: chunks in MetaDB's neighbour database, or a file per blob in a shared directory. What a blob
 * began with it keeps, whatever the setting says later. Private to src/package. */
#ifndef PACKAGE_PLACE_H
#define PACKAGE_PLACE_H

#include <stdatomic.h>

#include "src/package/package.h"
#include "src/store/package_blob.h"

enum { PLACE_PATH_SIZE = 1200 };

struct packages {
    struct packages_conf conf;
    _Atomic unsigned n_uploads;         /* under way on this node */
};

/* Where new blobs go. */
enum package_place place_now(const struct packages *p);
/* Makes room for blob `id`, whose row there is: *fd is its open file, -1 in MetaDB. Errors: PACKAGE_SCHEMA, PACKAGE_DIRECTORY. */
MUST_CHECK int place_begin(struct packages *p, struct db *d, int64_t id, int *fd, struct err *e);
MUST_CHECK int place_read(struct packages *p, struct db *d, const struct package *package, int64_t number, struct arena *arena, struct slice *out,
                          struct err *e);
/* It may be gone already. */
MUST_CHECK int place_remove(struct packages *p, struct db *d, const struct package_blob *blob, struct err *e);

/* Gives a directory's failure its words. */
int place_failed(const struct packages *p, int number, struct err *e);

#endif
