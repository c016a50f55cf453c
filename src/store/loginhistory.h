/* SPDX-License-Identifier: Apache-2.0 */
/* loginhistory.h - who logged in, or tried to, when, from where, how it ended. Rows are never changed. */
#ifndef STORE_LOGINHISTORY_H
#define STORE_LOGINHISTORY_H

#include "src/store/list.h"

/* How; as texts in MetaDB and on the wire. */
#define LOGIN_BY_BASIC "BASIC"          /* HTTP Basic, when a node did not remember it: not once a request */
#define LOGIN_BY_CONSOLE "CONSOLE"
#define LOGIN_BY_KEY "ACCESS_KEY"       /* a signed request, likewise */

struct login_event {
    int64_t id;
    int64_t user_id;                /* 0: there is no such user */
    const char *username;
    const char *client_ip, *user_agent; /* "": unknown */
    const char *method;             /* one of LOGIN_BY_* */
    int succeeded;
    int64_t code;                   /* error code; 0 after success */
    const char *node;
    int64_t at_us;
};

struct login_filter {
    const char *username;           /* part of it; NULL: any */
    const char *client_ip;          /* part of it; NULL: any */
    const char *method;             /* NULL: any */
    int succeeded;                  /* -1: any */
    int64_t user_id;                /* FIELD_NONE: any */
    int64_t from_us, until_us;      /* both included; FIELD_NONE: open */
};
/* Newest first by itself; sorted by loginTime, username, clientIp. Errors: those of list_read. */
MUST_CHECK int store_login_history_list(struct db *d, const struct login_filter *f, const struct store_page *page, struct arena *arena,
                                        struct login_event **out, size_t *n, int64_t *total, struct err *e);
/* The time is MetaDB's; texts that are too long are cut. Errors: those of tx_run. */
MUST_CHECK int store_login_history_insert(struct tx *tx, const struct login_event *event, struct err *e);
/* Deletes what is older, in chunks. Errors: those of db_read. */
MUST_CHECK int store_login_history_prune(struct db *d, unsigned days, struct err *e);

#endif
