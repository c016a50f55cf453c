/* SPDX-License-Identifier: Apache-2.0 */
#include "src/audit/audit.h"

#include "src/io/fiber.h"

enum { WRITE_MS = 5000 };

void audit_init(struct audit *a, const char *node, const struct log *log)
{
    a->node = node;
    a->log = log;
    atomic_init(&a->written, 0);
    atomic_init(&a->failed, 0);
}

static int tx_insert(struct tx *tx, void *data, struct err *e)
{
    return store_audit_insert(tx, data, 1, e);
}

/* What the log has to keep in MetaDB's place. */
static void lament(const struct audit *a, const struct audit_event *event, const struct err *e)
{
    log_error(a->log, "a change could not be recorded", LOG_S("operation", event->operation), LOG_S("user", event->username),
              LOG_S("client", event->client_ip), LOG_S("object", event->resource_name), LOG_I("object_id", event->resource_id),
              LOG_S("status", event->status), LOG_S("trace", event->trace), LOG_E(e));
}

void audit_write(struct audit *a, struct db *d, struct audit_event *event)
{
    bool was = fiber_shield(true);
    int64_t former = fiber_narrow_deadline(WRITE_MS);
    struct err e = { 0 };
    int rv = db_next_id(d, &event->id, &e);

    event->node = a->node;
    if (rv == 0)
        rv = db_transact(d, tx_insert, event, &e);
    fiber_restore_deadline(former);
    (void)fiber_shield(was); /* as it was */
    if (rv == 0) {
        atomic_fetch_add(&a->written, 1);
        return;
    }
    atomic_fetch_add(&a->failed, 1);
    lament(a, event, &e);
}
