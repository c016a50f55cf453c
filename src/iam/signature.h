/* SPDX-License-Identifier: Apache-2.0 */
/* signature.h - requests signed with an access key (contract additional.md 2.4):
 *
 *     Authorization: OCP-ACCESS-KEY-HMACSHA1 <key>:<base64(HMAC-SHA1(secret, text))>
 *     text = METHOD \n MD5 of body \n Content-Type \n Date \n Host \n x-ocp-* headers \n path and query
 *
 * Pure, but that a large body is digested in portions between which others run; any thread. */
#ifndef IAM_SIGNATURE_H
#define IAM_SIGNATURE_H

#include <stdbool.h>

#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/base/str.h"
#include "src/io/http.h"

enum { SIGNATURE_BYTES = 20, SIGNATURE_MAX_KEY = 64, SIGNATURE_WINDOW_MS = 15 * 60 * 1000 };

enum signature_read {
    SIGNATURE_OK,
    SIGNATURE_ABSENT,    /* no header, or another scheme; the scheme is upper case */
    SIGNATURE_MALFORMED,
};
struct signature {
    struct slice key;
    unsigned char mac[SIGNATURE_BYTES];
};
/* Reads the value of an Authorization header. */
enum signature_read signature_read(struct slice header, struct signature *out);

/* What is signed; everything as the client sent it. */
struct signed_request {
    struct slice method, host, target;
    struct slice canonical;               /* the target with its query in canonical form: accepted as well; s == NULL: none */
    const struct http_header *headers;    /* Content-Type, Date and x-ocp-* are looked up here */
    unsigned n_headers;
};
/* Is the Date header there, readable, and less than 15 minutes away from `wall_us`? */
bool signature_is_timely(const struct signed_request *rq, int64_t wall_us);
/* Does the signature fit the request? `body`: its raw bytes. Tried with the target as it came and in canonical form, and with the host as
 * it came and with a default port added or taken away. Errors: NOMEM, UNEXPECTED (no MD5 in libcrypto), CANCELLED, TIMEOUT. */
MUST_CHECK int signature_matches(const struct signature *s, const struct signed_request *rq, struct slice body, struct slice secret,
                                 struct arena *arena, bool *matches, struct err *e);

/* Appends the text that is signed, for a host and target. */
void signature_add_text(struct str *t, const struct signed_request *rq, const char *md5, struct slice host, struct slice target);

#endif
