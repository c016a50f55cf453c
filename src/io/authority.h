/* SPDX-License-Identifier: Apache-2.0 */
/* authority.h - a certificate authority of our own, for the processes that belong together: nodes among each other, agents and nodes.
 * Keys are on the curve P-256. Certificates serve both ends of a connection and name their holder by a URI (RFC 5280 4.2.1.6), never by an
 * address. Any thread. */
#ifndef IO_AUTHORITY_H
#define IO_AUTHORITY_H

#include "src/base/arena.h"
#include "src/base/err.h"

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

#endif
