/* SPDX-License-Identifier: Apache-2.0 */
/* audit.h - who changed what, when, from where, and how it ended; secrets are masked before they come here. Rows are never changed. */
#ifndef STORE_AUDIT_H
#define STORE_AUDIT_H

#include "src/store/list.h"

struct audit_event {
    int64_t id;
    const char *operation;        /* id of the route: "host-batch-create" */
    const char *event;            /* OCP's name of it: ADD_HOSTS; "" when it has none */
    const char *type;             /* COMPUTE_HOST_MANAGEMENT ...; "" */
    const char *resource_type;    /* COMPUTE_HOST ...; "" */
    int64_t resource_id;          /* 0: none, or unknown */
    const char *resource_name, *parent_resource; /* "": none */
    int64_t user_id;              /* 0: nobody logged in */
    const char *username, *client_ip;
    const char *status;           /* SUCCESS, FAILED */
    int64_t code;                 /* error code; 0 after success */
    int64_t task_id;              /* 0: none */
    const char *execution;        /* NEW, RETRY */
    const char *info;             /* JSON: what was asked for, secrets masked; or the reason of a failure */
    const char *trace, *node;     /* request id, and who served it */
    int64_t started_us, ended_us;
};

struct audit_filter {
    struct field_strings types, events, operations, resource_types;
    struct field_ints user_ids;
    const char *resource_name;    /* part of it; NULL: any */
    const char *info;             /* part of it; NULL: any */
    const char *username;         /* part of it; NULL: any */
    const char *keyword;          /* part of operation, object, parent, user, client address or info; NULL: any */
    const char *trace, *client_ip; /* NULL: any */
    int64_t resource_id;          /* FIELD_NONE: any */
    const char *status;           /* NULL: any */
    int64_t from_us, until_us;    /* of started_us, both included; FIELD_NONE: open */
    int64_t task_id;              /* FIELD_NONE: any */
};
/* Sorted by id, startTime, endTime, operatorName, status; newest first by itself. `f` may be NULL. Errors: those of list_read. */
MUST_CHECK int store_audit_list(struct db *d, const struct audit_filter *f, const struct store_page *page, struct arena *arena,
                                struct audit_event **out, size_t *n, int64_t *total, struct err *e);
/* Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int store_audit_get(struct db *d, int64_t id, struct arena *arena, struct audit_event *out, struct err *e);

enum { AUDIT_MAX_BATCH = 50 };
/* Writes up to AUDIT_MAX_BATCH events with one statement. Ids and times are the caller's; texts that are too long are cut.
 * Errors: those of tx_run. */
MUST_CHECK int store_audit_insert(struct tx *tx, const struct audit_event *events, unsigned n, struct err *e);
/* Deletes what began more than `days` ago, in chunks, at most 10 000 rows a call. Errors: those of db_read. */
MUST_CHECK int store_audit_prune(struct db *d, unsigned days, struct err *e);

#endif
