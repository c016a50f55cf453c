/* SPDX-License-Identifier: Apache-2.0 */
/* authority.h - a certificate authority of our own, for the processes that belong together: nodes among each other, agents and nodes.
 * Keys are on the curve P-256. Certificates serve both ends of a connection and name their holder by a URI (RFC 5280 4.2.1.6), never by an
 * address. Any thread. */
#ifndef IO_AUTHORITY_H
#define IO_AUTHORITY_H

#include <stdint.h>

#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/base/str.h"

enum { AUTHORITY_CA_DAYS = 3650, AUTHORITY_DAYS = 365, AUTHORITY_SERIAL_SIZE = 33 };

/* Certificate and private key as PEM text; in an arena. Wipe the key when it was handed on. */
struct identity {
    char *certificate, *key;
    char serial[AUTHORITY_SERIAL_SIZE]; /* upper-case hex, as tls_conf.welcome gets it */
};

/* An authority called `name`. Errors: UNEXPECTED (libcrypto), NOMEM. */
MUST_CHECK int authority_found(const char *name, struct arena *arena, struct identity *out, struct err *e);
/* A certificate for `uri`, with a key made here, good for `days` from an hour ago. Errors: INVALID (the authority's texts), UNEXPECTED, NOMEM. */
MUST_CHECK int authority_issue(const struct identity *authority, const char *uri, int days, struct arena *arena, struct identity *out,
                               struct err *e);

/* What a certificate says of itself. */
struct certificate_facts {
    char serial[AUTHORITY_SERIAL_SIZE];
    char uri[200];                      /* its first one; "" when it has none */
    int64_t issued_us, expires_us;      /* since 1970 */
};
/* Reads a certificate's PEM text; says nothing about who has signed it. Errors: INVALID, UNEXPECTED. */
MUST_CHECK int authority_read(const char *certificate, struct certificate_facts *out, struct err *e);
/* Was it signed by `authority`, and does `key` (NULL: not asked) belong to it? All PEM texts. Errors: INVALID (no, and why), UNEXPECTED. */
MUST_CHECK int authority_check(const char *authority, const char *certificate, const char *key, struct err *e);

/* Signs with the authority's (or another holder's) key, for whoever has the certificate. `signature` lies in the arena. Errors: INVALID,
 * UNEXPECTED, NOMEM. */
MUST_CHECK int authority_sign(const struct identity *by, struct slice text, struct arena *arena, struct slice *signature, struct err *e);
/* Errors: INVALID (it is not the signature of this certificate's holder), UNEXPECTED. */
MUST_CHECK int authority_verify(const char *certificate, struct slice text, struct slice signature, struct err *e);

#endif
