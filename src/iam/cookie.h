/* SPDX-License-Identifier: Apache-2.0 */
/* cookie.h - the two values of a console session that travel in cookies: its id, 256 random bits that nobody else keeps (MetaDB has
 * the digest), and the CSRF token, which is made from the id, so that no session accepts the token of another. Pure but for the random
 * bits; any thread. */
#ifndef IAM_COOKIE_H
#define IAM_COOKIE_H

#include <stdbool.h>

#include "src/base/err.h"
#include "src/base/str.h"

#define COOKIE_SESSION "JSESSIONID"
#define COOKIE_CSRF "XSRF-TOKEN"

enum { COOKIE_VALUE_SIZE = 65 };  /* 64 hex digits and NUL */

/* Cuts the next "name=value" off the value of a Cookie header (RFC 6265 4.2.1, read leniently: blanks around, quotes around the value,
 * pieces without '=' passed over). False at the end. */
bool cookie_next(struct slice *rest, struct slice *name, struct slice *value);

/* Has it the form of a session id (and of the other two)? */
bool cookie_is_value(struct slice text);

/* A fresh session id. Errors: UNEXPECTED (no randomness). */
MUST_CHECK int cookie_make(char id[COOKIE_VALUE_SIZE], struct err *e);
/* What MetaDB keeps of a session id. */
void cookie_digest(struct slice id, char digest[COOKIE_VALUE_SIZE]);
/* The CSRF token that belongs to a session id. */
void cookie_csrf(struct slice id, char token[COOKIE_VALUE_SIZE]);
/* Is `token` that one? In a time that does not tell where they differ. */
bool cookie_csrf_matches(struct slice id, struct slice token);

#endif
