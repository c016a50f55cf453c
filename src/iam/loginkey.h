/* SPDX-License-Identifier: Apache-2.0 */
/* loginkey.h - passwords that come encrypted (RSA, PKCS#1 v1.5, base64), for clients that reach the server without TLS. It hides a
 * password from who listens, not from who can alter what is sent: only TLS does that.
 *
 * 2048 bits: a 1024-bit key can be broken offline by whoever recorded a login, and would then open every password ever sent under it.
 * Installers of OCP 2.5 and 3 on old machines cannot use so long a key; iam.login_key = 1024 is for them, or off, and then they send the
 * password in clear, which every login accepts. Encrypted or not tells the length: no password of ours has as many characters. */
#ifndef IAM_LOGINKEY_H
#define IAM_LOGINKEY_H

#include "src/base/str.h"
#include "src/io/work.h"
#include "src/store/loginkey.h"

struct login_keys;
struct vault;

/* Reads the key pair of this size from MetaDB, or makes it, on the pool; any number of nodes may do so at once. `bits` 0: no key.
 * Errors: those of db_transact, vault_open, work_run; UNEXPECTED, NOMEM. */
MUST_CHECK int login_keys_new(int64_t bits, struct db *d, const struct vault *v, struct work_pool *pool, struct login_keys **out,
                              struct err *e);
/* NULL is fine. */
void login_keys_free(struct login_keys *k);

/* `k` is not NULL. Base64 of the SubjectPublicKeyInfo; "" without a key. Any thread. */
const char *login_keys_public(const struct login_keys *k);
/* The password that `text` is: decrypted in `arena` if it is encrypted, else as it came. What does not decrypt is "", which is nobody's
 * password: to the client it is a wrong one like any other. From fibers. Errors: BUSY, TIMEOUT, CANCELLED, NOMEM. */
MUST_CHECK int login_keys_open(const struct login_keys *k, struct work_pool *pool, const char *text, struct arena *arena,
                               const char **password, struct err *e);

#endif
