/* SPDX-License-Identifier: Apache-2.0 */
/* login.h - what MetaDB says about everything that a node remembers as logged in, in one question. */
#ifndef STORE_LOGIN_H
#define STORE_LOGIN_H

#include "src/store/db.h"

enum login_kind { LOGIN_PASSWORD, LOGIN_SESSION, LOGIN_KEY };
enum { LOGIN_KINDS = LOGIN_KEY + 1 };

struct login_state {
    enum login_kind kind;
    int64_t user_id;
    int64_t object_id;      /* of the session or access key; 0: a password */
    unsigned place;         /* the caller's */
    /* what MetaDB says */
    int64_t version;        /* credential version of the user; -1: gone or disabled */
    bool alive;             /* the session has not ended, the key is enabled */
};

/* Versions of what else a node keeps in memory: they grow with each change. */
struct login_versions {
    int64_t addresses;      /* rules about addresses */
    int64_t rates;          /* limits of users */
};

/* Fills in what MetaDB says about all of them. Errors: those of db_read. */
MUST_CHECK int store_login_states(struct db *d, struct login_state *states, size_t n, struct login_versions *versions, struct err *e);

#endif
