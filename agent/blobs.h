/* SPDX-License-Identifier: Apache-2.0 */
/* blobs.h - contents of packages, by their SHA-256: pushed in pieces, checked as a whole, within a quota; the eldest make room for new ones.
 *   data/blobs/SHA256        whole and checked          data/blobs/SHA256.part     so far
 * From fibers; the disk is touched on threads. */
#ifndef AGENT_BLOBS_H
#define AGENT_BLOBS_H

#include "agent/commands.h"
#include "src/io/http.h"

enum { BLOBS_SPARE_BYTES = 64 * 1024 * 1024 }; /* left free on the file system */

struct blobs {
    struct commands *commands;        /* borrowed: its threads */
    const char *dir;                  /* borrowed */
    int64_t quota;
    struct fiber_mutex lock;          /* one push at a time */
};
/* How much of it is there. Errors: INVALID (no SHA-256), AGENT_FILE. */
MUST_CHECK int blobs_have(struct blobs *b, const char *sha256, struct agent_blob *out, struct err *e);
/* Takes a piece from the request's body, if it begins where what is there ends; else takes nothing. Either way *out tells what is there.
 * Errors: INVALID, AGENT_FULL, AGENT_BLOB (it is not what it was announced as: what came is thrown away), AGENT_FILE, those of http_body_read. */
MUST_CHECK int blobs_put(struct blobs *b, const char *sha256, int64_t offset, int64_t size, struct http_request *rq, struct agent_blob *out,
                         struct err *e);

#endif
