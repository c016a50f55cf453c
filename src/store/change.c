/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/change.h"

#include <stdio.h>

const char *change_id(int64_t id, char *buf)
{
    (void)snprintf(buf, CHANGE_ID_SIZE, "%lld", (long long)id);
    return buf;
}

static int name_it(const struct change *c, const struct err_row *row, struct err *e)
{
    (void)err_set(e, row, "%s", c->noun);
    return err_arg(e, "%s", c->name);
}

int change_run_in(struct tx *tx, const struct change *c, const char *text, const struct sql_value *values, unsigned n, struct err *e)
{
    uint64_t affected = 0;
    int rv = tx_exec(tx, text, values, n, &affected, e);

    if (rv == ERR_SQL_DUPLICATE.code)
        return name_it(c, &ERR_NAME_USED, e);
    if (rv == 0 && affected == 0)
        return name_it(c, c->versioned ? &ERR_CONFLICT : &ERR_NOT_FOUND, e);
    return rv;
}

struct single {
    const struct change *change;
    const char *text;
    const struct sql_value *values;
    unsigned n;
};

static int run_single(struct tx *tx, void *data, struct err *e)
{
    const struct single *s = data;

    return change_run_in(tx, s->change, s->text, s->values, s->n, e);
}

int change_run(struct db *d, const struct change *c, const char *text, const struct sql_value *values, unsigned n, struct err *e)
{
    struct single s = { c, text, values, n };

    return db_transact(d, run_single, &s, e);
}
