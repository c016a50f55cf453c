/* SPDX-License-Identifier: Apache-2.0 */
/* password.h - passwords of this service's users: the rules they obey, their Argon2id hashes (RFC 9106, encoded as
 * "$argon2id$v=19$m=...,t=...,p=...$salt$hash", so that old hashes go on counting when the costs change), and random ones.
 * Hashing takes tens of milliseconds and 19 MiB: it runs on a worker pool while the fiber waits. */
#ifndef IAM_PASSWORD_H
#define IAM_PASSWORD_H

#include <stdbool.h>

#include "src/base/err.h"
#include "src/base/str.h"
#include "src/io/work.h"

ERR_DECLARE(ERR_PASSWORD_FORMAT); /* {0} what is wrong with it */

enum { PASSWORD_ENCODED_SIZE = 128, PASSWORD_RANDOM_SIZE = 17, PASSWORD_MAX_BYTES = 256 };

/* NULL when a new password obeys the rules of OCP 4.2 and later (8 to 32 characters, at least three of: upper-case letters, lower-case
 * letters, digits, ~!@#%^&*_-+=`|(){}[]:;',.?/ ), else what is wrong with it. Pure. */
const char *password_problem(const char *password);

/* Writes the encoded hash of `password` with a fresh salt. Errors: BUSY, TIMEOUT, CANCELLED, NOMEM, UNEXPECTED. */
MUST_CHECK int password_hash(struct work_pool *pool, struct slice password, char encoded[PASSWORD_ENCODED_SIZE], struct err *e);

/* Tells whether `password` is the one that was hashed. With `encoded` NULL (no such user) the answer is false and takes as long.
 * Errors: BUSY, TIMEOUT, CANCELLED, NOMEM, UNEXPECTED (not a hash of ours, or one with absurd costs). */
MUST_CHECK int password_verify(struct work_pool *pool, const char *encoded, struct slice password, bool *matches, struct err *e);

/* A random password of 16 characters that obeys the rules and needs no quoting in a shell. Errors: UNEXPECTED (no randomness). */
MUST_CHECK int password_random(char out[PASSWORD_RANDOM_SIZE], struct err *e);

#endif
