/* SPDX-License-Identifier: Apache-2.0 */
/* package_blob.h - the bytes of software packages. A blob has the id of its package; its row in MetaDB says how far it is and how much of
 * the quota it takes:
 *
 *   WRITING --(the whole file is there, and the package's row with it)--> STORED --(the package is deleted)--> CONDEMNED --> gone
 *      '----(given up, or nothing came for too long)--------------------------------------------------------------^
 *
 * Bytes are written in a transaction that finds the blob WRITING, so that whoever was given up cannot write any more. They lie in chunks
 * in a database (schema) of their own beside MetaDB's, or in a directory (package/place.h). Loop thread only, from fibers. */
#ifndef STORE_PACKAGE_BLOB_H
#define STORE_PACKAGE_BLOB_H

#include "src/store/db.h"

enum package_place { PACKAGE_IN_METADB, PACKAGE_IN_DIRECTORY };
enum { PACKAGE_CHUNK_BYTES = 1024 * 1024 };

ERR_DECLARE(ERR_PACKAGE_QUOTA);     /* 409 {0} bytes wanted, {1} bytes in use, {2} bytes allowed */
ERR_DECLARE(ERR_PACKAGE_GIVEN_UP);  /* 409: the upload took too long, or its node was taken for dead */
ERR_DECLARE(ERR_PACKAGE_SCHEMA);    /* 503 {0} database, {1} reason: no place for chunks */
extern const struct err_row *const store_package_err_rows[];

struct package_blob {
    int64_t id;
    int64_t place;                      /* enum package_place */
};

/* Begins a blob that may take `bytes` of `quota`. Errors: PACKAGE_QUOTA, those of db_transact. */
MUST_CHECK int store_package_blob_begin(struct db *d, const struct package_blob *b, const char *node, int64_t bytes, int64_t quota,
                                        struct err *e);
/* It needs more than it began with: `bytes` altogether. Errors: PACKAGE_GIVEN_UP, PACKAGE_QUOTA. */
MUST_CHECK int store_package_blob_grow(struct db *d, int64_t id, int64_t bytes, int64_t quota, struct err *e);
/* Something comes for it, which does not lie in MetaDB. Errors: PACKAGE_GIVEN_UP. */
MUST_CHECK int store_package_blob_touch(struct db *d, int64_t id, struct err *e);
/* WRITING to STORED, `bytes` long. Errors: PACKAGE_GIVEN_UP. */
MUST_CHECK int store_package_blob_finish(struct tx *tx, int64_t id, int64_t bytes, struct err *e);
/* STORED to CONDEMNED. */
MUST_CHECK int store_package_blob_condemn_in(struct tx *tx, int64_t id, struct err *e);

/* Blobs that nobody will finish are condemned: this one, *condemned when it was being written until now; those that this node was writing when it ended; those for which nothing came for
 * `idle_s`. STORED ones stay. Errors: those of db_transact. */
MUST_CHECK int store_package_blob_give_up(struct db *d, int64_t id, bool *condemned, struct err *e);
MUST_CHECK int store_package_blob_give_up_of(struct db *d, const char *node, struct err *e);
MUST_CHECK int store_package_blob_give_up_idle(struct db *d, unsigned idle_s, struct err *e);
/* Condemned ones, at most `max`. */
MUST_CHECK int store_package_blob_condemned(struct db *d, unsigned max, struct arena *arena, struct package_blob **out, size_t *n, struct err *e);
/* Its bytes are gone: so is its row, if it is condemned. */
MUST_CHECK int store_package_blob_drop(struct db *d, int64_t id, struct err *e);

/* ---- chunks in a database of their own -------------------------------------------------------------------------------------------- */

/* Makes database and table if they are missing. Errors: PACKAGE_SCHEMA, DB_AWAY, TIMEOUT, CANCELLED. */
MUST_CHECK int store_package_schema_prepare(struct db *d, const char *schema, struct err *e);
/* Writes chunk `number` (from 0) of a blob that is being written. Errors: PACKAGE_GIVEN_UP, those of db_transact. */
MUST_CHECK int store_package_chunk_write(struct db *d, const char *schema, int64_t id, int64_t number, const void *bytes, size_t n, struct err *e);
/* Reads it; out->s == NULL: there is none. */
MUST_CHECK int store_package_chunk_read(struct db *d, const char *schema, int64_t id, int64_t number, struct arena *arena, struct slice *out,
                                        struct err *e);
/* Deletes all of them, a few in a transaction. */
MUST_CHECK int store_package_chunks_delete(struct db *d, const char *schema, int64_t id, struct err *e);

#endif
