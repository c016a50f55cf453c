/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/parameter.h"

#include <string.h>
#include <strings.h>

#include "src/obcluster/inside.h"
#include "src/obcluster/link.h"
#include "src/store/obparameter.h"

const char *parameter_type(const struct ob_parameter *p)
{
    static const char *const known[] = { "BOOL", "CAPACITY", "DOUBLE", "INT", "MOMENT", "STRING", "STRING_LIST", "TIME" };

    for (size_t i = 0; p->data_type != NULL && i < sizeof known / sizeof known[0]; i++)
        if (strcasecmp(p->data_type, known[i]) == 0)
            return known[i];
    return "STRING";
}

/* --- reading ------------------------------------------------------------------------------------------------------------------ */

int parameter_list(struct obclusters *o, const struct obcluster *c, struct arena *arena, struct ob_parameter **out, size_t *n, struct err *e)
{
    struct link *k;
    int rv = link_take(o, c, &k, e);

    return rv == 0 ? link_give(k, ob_parameters_list(link_sql(k), arena, out, n, e), e) : rv;
}

/* --- changing ----------------------------------------------------------------------------------------------------------------- */

struct change {
    struct obclusters *o;
    const struct obcluster *c;
    const struct parameter_wish *wishes;
    size_t n;
    struct arena *arena;
    struct obparameter_change *records;
    size_t n_done;                       /* tried, that is recorded */
};

static const struct ob_parameter *find(const struct ob_parameter *all, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(all[i].name, name) == 0)
            return &all[i];
    return NULL;
}

/* Fills the records with former values. */
static int check_wishes(struct change *h, struct err *e)
{
    struct ob_parameter *all;
    size_t n_all;
    int rv = parameter_list(h->o, h->c, h->arena, &all, &n_all, e);

    for (size_t i = 0; rv == 0 && i < h->n; i++) {
        const struct ob_parameter *p = find(all, n_all, h->wishes[i].name);

        if (p == NULL)
            rv = err_set(e, &ERR_OB_PARAMETER_UNKNOWN, "%s", h->wishes[i].name);
        else if (ob_parameter_is_read_only(p))
            rv = err_set(e, &ERR_OBCLUSTER_READ_ONLY, "%s", p->name);
        else
            h->records[i].old_value = p->value;
        h->records[i].name = p != NULL ? p->name : h->wishes[i].name;
        h->records[i].new_value = h->wishes[i].value;
    }
    return rv;
}

/* The answer was lost: does the parameter have the value? */
static int settle(struct change *h, size_t i, struct err *e)
{
    struct ob_parameter now;
    struct err own = { 0 };
    struct link *k;
    bool found = false;
    int rv = link_take(h->o, h->c, &k, &own);

    if (rv == 0)
        rv = link_give(k, ob_parameter_get(link_sql(k), h->records[i].name, h->arena, &now, &found, &own), &own);
    if (rv != 0 || !found)
        return e->row->code; /* unknown it stays */
    if (strcasecmp(now.value, h->wishes[i].value) == 0)
        return 0;
    if (strcmp(now.value, h->records[i].old_value) != 0)
        return e->row->code;
    (void)err_set(e, &ERR_OBCLUSTER_AWAY, "%s", h->c->name);
    return err_arg(e, "the connection was lost before the change");
}

static int set_one(struct change *h, size_t i, struct err *e)
{
    struct link *k;
    int rv = link_take(h->o, h->c, &k, e);

    if (rv == 0)
        rv = link_give(k, ob_parameter_set(link_sql(k), h->records[i].name, h->wishes[i].value, e), e);
    return rv != 0 && err_is(e, &ERR_OBCLUSTER_UNKNOWN) ? settle(h, i, e) : rv;
}

static void record(struct change *h, size_t i, int rv, const struct err *e)
{
    struct obparameter_change *r = &h->records[i];
    char text[512];
    const char *reason = rv != 0 ? arena_strdup(h->arena, err_text(e, ERR_EN, text, sizeof text)) : "";

    r->outcome = rv == 0 ? "SUCCESSFUL" : err_is(e, &ERR_OBCLUSTER_UNKNOWN) ? "UNKNOWN" : "FAILED";
    r->reason = reason != NULL ? reason : "";
    r->changed_us = clock_wall_us(h->o->conf.clock);
    h->n_done = i + 1;
}

static int record_body(struct tx *tx, void *data, struct err *e)
{
    const struct change *h = data;

    return store_obparameter_record(tx, h->records, h->n_done, e);
}

static int prepare(struct change *h, struct db *d, const struct obcluster_user *who, struct err *e)
{
    int rv = 0;

    h->records = arena_array(h->arena, h->n + 1, sizeof *h->records);
    if (h->records == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < h->n; i++) {
        h->records[i].cluster_id = h->c->id;
        h->records[i].tenant_id = -1;
        h->records[i].user_id = who->id;
        h->records[i].user_name = who->name;
        rv = db_next_id(d, &h->records[i].id, e);
    }
    return rv;
}

int parameter_change(struct obclusters *o, struct db *d, const struct obcluster *c, const struct parameter_wish *wishes, size_t n,
                     const struct obcluster_user *who, struct arena *arena, struct err *e)
{
    struct change h = { .o = o, .c = c, .wishes = wishes, .n = n, .arena = arena };
    struct err own;
    int kept, rv = obcluster_require_running(c, "changing its parameters", e);

    if (rv == 0)
        rv = prepare(&h, d, who, e);
    if (rv == 0)
        rv = check_wishes(&h, e);
    if (rv != 0)
        return rv;
    for (size_t i = 0; rv == 0 && i < n; i++) {
        rv = set_one(&h, i, e);
        record(&h, i, rv, e);
    }
    kept = h.n_done > 0 ? db_transact(d, record_body, &h, &own) : 0;
    if (kept == 0 || rv != 0)
        return rv;
    *e = own; /* set, but not recorded */
    return kept;
}
