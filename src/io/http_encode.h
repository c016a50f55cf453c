/* SPDX-License-Identifier: Apache-2.0 */
/* http_encode.h - content codings of replies: which one the client takes, and the compressing. Private to the HTTP server but
 * for the pure part, which tests call. */
#ifndef IO_HTTP_ENCODE_H
#define IO_HTTP_ENCODE_H

#include <stdbool.h>

#include "src/base/arena.h"
#include "src/base/str.h"
#include "src/io/work.h"

enum http_coding { HTTP_IDENTITY, HTTP_GZIP, HTTP_ZSTD, HTTP_CODINGS };

/* "gzip", "zstd"; "identity". */
struct slice http_coding_name(enum http_coding c);
/* The best coding that an Accept-Encoding list allows, of those in the bit set `have` (1 << coding): zstd before gzip, a higher
 * q first. Identity when nothing else fits. Pure. */
enum http_coding http_coding_choose(struct slice accept_encoding, unsigned have);
/* Whether a body of this Content-Type is worth compressing: text, JSON, XML, JavaScript, SVG and the like. Pure. */
bool http_type_is_compressible(struct slice content_type);

/* Compressors with their state, kept for the next body. One thread at a time. */
struct http_encoder;
struct http_encoder *http_encoder_new(void);
void http_encoder_free(struct http_encoder *c);

/* Compresses `in` into `arena`; false when memory is out or it would not get smaller. A large body is compressed on `pool` (NULL:
 * here) while the fiber waits. */
bool http_encode(struct http_encoder *c, enum http_coding coding, struct slice in, struct work_pool *pool, struct arena *arena,
                 struct slice *out);

#endif
