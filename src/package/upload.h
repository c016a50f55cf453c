/* SPDX-License-Identifier: Apache-2.0 */
/* upload.h - a package on its way in. Bytes go on to where they are kept a chunk at a time, so that an upload takes two chunks of memory
 * whatever its size; digests run along. As soon as the header is there it is judged. Until package_upload_finish has returned 0 there
 * is no package; what was written before is removed by package_upload_free, or by a later sweep. From one fiber. */
#ifndef PACKAGE_UPLOAD_H
#define PACKAGE_UPLOAD_H

#include "src/package/package.h"

struct package_upload;

/* Begins. `file_name` is what the client calls the file; `size_hint` how long it will be at most (FIELD_NONE: unknown); `type`, if it is not
 * NULL, what it must turn out to be (of package_type_names). Errors: FILE_SUFFIX, PACKAGE_NAME, PACKAGE_QUOTA, PACKAGE_SCHEMA, PACKAGE_DIRECTORY,
 * BUSY (too many files at once), those of db_transact, NOMEM. */
MUST_CHECK int package_upload_begin(struct packages *p, struct db *d, struct slice file_name, int64_t size_hint, const char *type,
                                    struct package_upload **out, struct err *e);
/* The next bytes. Errors: FILE_TYPE, PACKAGE_PARSE, PACKAGE_FOREIGN, PACKAGE_TYPE, PACKAGE_ARCH, PACKAGE_EXISTS, FILE_EXISTS, PACKAGE_QUOTA,
 * PACKAGE_GIVEN_UP, PACKAGE_DIRECTORY, those of db_transact and work_run, NOMEM. */
MUST_CHECK int package_upload_write(struct package_upload *u, const void *bytes, size_t n, struct err *e);
/* That was all. `out`, in `arena`, is the new package. Errors: as package_upload_write. */
MUST_CHECK int package_upload_finish(struct package_upload *u, const char *creator, struct arena *arena, struct package *out, struct err *e);
/* Ends it. In a fiber that may be cancelled already. NULL is fine. */
void package_upload_free(struct package_upload *u);

#endif
