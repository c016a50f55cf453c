/* SPDX-License-Identifier: Apache-2.0 */
/* http_static.h - a directory of files that do not change, served from memory: strong ETag from the content, 304, HEAD,
 * ready-made "name.gz" and "name.zst" beside a file as its compressed forms. */
#ifndef IO_HTTP_STATIC_H
#define IO_HTTP_STATIC_H

#include "src/io/http.h"

struct http_static;

/* Reads every regular file below `dir` (hidden ones and links excepted); blocks, so before the loop runs. Read-only afterwards
 * and shared by all loops. Errors: IO (naming the file), NOMEM, INVALID (more than 64 MiB). */
MUST_CHECK int http_static_new(const char *dir, struct http_static **out, struct err *e);
void http_static_free(struct http_static *s);
unsigned http_static_count(const struct http_static *s);

/* Replies to GET or HEAD with the file whose name below the directory is `path` (percent-decoded, without a leading '/'; "" and
 * names that end with '/' stand for their index.html); `cache_control` may be NULL. A name matches wholly or not at all, so
 * "..", "." and doubled slashes find nothing. Errors: NOT_FOUND (nothing was replied), else as http_reply. */
MUST_CHECK int http_static_reply(const struct http_static *s, struct http_request *rq, struct slice path, const char *cache_control,
                                 struct err *e);

#endif
