/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/parameter.h"

#include <stdio.h>
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

    return rv == 0 ? link_give(k, ob_cluster_parameters_list(link_sql(k), arena, out, n, e), e) : rv;
}

/* --- changing ----------------------------------------------------------------------------------------------------------------- */

struct change {
    struct obclusters *o;
    const struct obcluster *c;
    const struct parameter_wish *wishes;
    size_t n;
    struct arena *arena;
    struct obparameter_change *records;
    size_t n_done;                       /* recorded */
};

static const struct ob_parameter *find(const struct ob_parameter *all, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(all[i].name, name) == 0)
            return &all[i];
    return NULL;
}

/* --- where it counts ---------------------------------------------------------------------------------------------------------- */

static bool is_server(const struct ob_parameter *p, const char *server)
{
    char name[300];

    (void)snprintf(name, sizeof name, strchr(p->ip, ':') != NULL ? "[%s]:%lld" : "%s:%lld", p->ip, (long long)p->port);
    return strcmp(name, server) == 0;
}

/* Is `p` one of the values that the wish is to change? */
static bool is_meant(const struct parameter_wish *w, const struct ob_parameter *p)
{
    enum { SYS = 1 };

    if (strcasecmp(p->name, w->name) != 0)
        return false;
    switch (w->target.scope) {
    case OB_SCOPE_ZONE:
        return p->zone != NULL && strcmp(p->zone, w->target.name) == 0;
    case OB_SCOPE_SERVER:
        return p->ip != NULL && is_server(p, w->target.name);
    case OB_SCOPE_TENANT:
        return w->ob_tenant_id >= 0 ? p->tenant_id == w->ob_tenant_id : p->tenant_id > SYS;
    default:
        return p->tenant_id <= SYS;
    }
}

/* The different values, "a, b"; NULL when there is none. */
static const char *values_of(const struct parameter_wish *w, const struct ob_parameter *all, size_t n, struct arena *arena)
{
    struct str text;

    str_init(&text, arena);
    for (size_t i = 0; i < n; i++) {
        size_t k = 0;

        while (k < i && !(is_meant(w, &all[k]) && strcmp(all[k].value, all[i].value) == 0))
            k++;
        if (is_meant(w, &all[i]) && k == i)
            str_printf(&text, "%s%s", text.n > 0 ? ", " : "", all[i].value);
    }
    return text.n > 0 && !str_failed(&text) ? text.s : NULL;
}

static int out_of_scope(const struct ob_parameter *p, const char *why, struct err *e)
{
    (void)err_set(e, &ERR_OBCLUSTER_SCOPE, "%s", p->name);
    return err_arg(e, "%s", why);
}

static int check_wish(const struct parameter_wish *w, const struct ob_parameter *p, struct err *e)
{
    bool is_of_tenants = p != NULL && ob_parameter_is_of_tenants(p);

    if (p == NULL)
        return err_set(e, &ERR_OB_PARAMETER_UNKNOWN, "%s", w->name);
    if (ob_parameter_is_read_only(p))
        return err_set(e, &ERR_OBCLUSTER_READ_ONLY, "%s", p->name);
    if (is_of_tenants && (w->target.scope == OB_SCOPE_ZONE || w->target.scope == OB_SCOPE_SERVER))
        return out_of_scope(p, "it is a parameter of tenants, and the same on all servers", e);
    if (!is_of_tenants && w->target.scope == OB_SCOPE_TENANT)
        return out_of_scope(p, "it is a parameter of the cluster, not of its tenants", e);
    return 0;
}

/* Of the servers of the cluster, or, for tenants, of each. */
static int read_values(const struct change *h, const struct parameter_wish *w, struct ob_parameter **out, size_t *n, struct err *e)
{
    struct link *k;
    int rv = link_take(h->o, h->c, &k, e);

    return rv == 0 ? link_give(k, ob_cluster_parameter_get(link_sql(k), w->name, h->arena, out, n, e), e) : rv;
}

/* Fills the records with former values. */
static int check_wishes(struct change *h, struct err *e)
{
    struct ob_parameter *all, *its;
    size_t n_all, n_its;
    int rv = parameter_list(h->o, h->c, h->arena, &all, &n_all, e);

    for (size_t i = 0; rv == 0 && i < h->n; i++) {
        const struct parameter_wish *w = &h->wishes[i];
        const struct ob_parameter *p = find(all, n_all, w->name);

        h->records[i].name = p != NULL ? p->name : w->name;
        h->records[i].new_value = w->value;
        h->records[i].scope = ob_parameter_scope_names[w->target.scope];
        h->records[i].target = w->target.name;
        its = all;
        n_its = n_all;
        rv = check_wish(w, p, e);
        if (rv == 0 && w->target.scope == OB_SCOPE_TENANT)
            rv = read_values(h, w, &its, &n_its, e);
        if (rv == 0)
            h->records[i].old_value = values_of(w, its, n_its, h->arena);
    }
    return rv;
}

/* The answer was lost: does the parameter have the value? */
static int settle(struct change *h, size_t i, struct err *e)
{
    const struct parameter_wish *w = &h->wishes[i];
    struct ob_parameter *now;
    struct err own = { 0 };
    size_t n = 0, n_meant = 0, n_changed = 0;
    int rv = read_values(h, w, &now, &n, &own);

    for (size_t k = 0; rv == 0 && k < n; k++) {
        n_meant += is_meant(w, &now[k]);
        n_changed += is_meant(w, &now[k]) && strcasecmp(now[k].value, w->value) == 0;
    }
    if (rv != 0 || n_meant == 0 || (n_changed > 0 && n_changed < n_meant))
        return e->row->code; /* unknown it stays */
    if (n_changed == n_meant)
        return 0;
    (void)err_set(e, &ERR_OBCLUSTER_AWAY, "%s", h->c->name);
    return err_arg(e, "the connection was lost before the change");
}

static int set_one(struct change *h, size_t i, struct err *e)
{
    struct link *k;
    int rv = link_take(h->o, h->c, &k, e);

    if (rv == 0)
        rv = link_give(k, ob_parameter_set_at(link_sql(k), h->records[i].name, h->wishes[i].value, &h->wishes[i].target, e), e);
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

/* What comes after one that failed was not tried. */
static void record_rest(struct change *h)
{
    for (; h->n_done > 0 && h->n_done < h->n; h->n_done++) {
        struct obparameter_change *r = &h->records[h->n_done];

        r->outcome = "SKIPPED";
        r->reason = "an earlier change of the same request failed";
        r->changed_us = h->records[h->n_done - 1].changed_us;
    }
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
    record_rest(&h);
    kept = h.n_done > 0 ? db_transact(d, record_body, &h, &own) : 0;
    if (kept == 0 || rv != 0)
        return rv;
    *e = own; /* set, but not recorded */
    return kept;
}
