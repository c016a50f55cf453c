/* SPDX-License-Identifier: Apache-2.0 */
#include "src/tenant/parameter.h"

#include <string.h>

#include "src/base/clock.h"
#include "src/base/num.h"
#include "src/obcluster/link.h"
#include "src/obcluster/parameter.h"
#include "src/oceanbase/tenant_admin.h"
#include "src/store/obparameter.h"
#include "src/tenant/whitelist.h"

ERR_DEFINE(ERR_TENANT_PARAMETER_UNKNOWN, 15060, 404, ERR_FINAL, "The tenant has no parameter {0}.", "租户参数 {0} 不存在。");
ERR_DEFINE(ERR_TENANT_PARAMETER_FIXED, 15061, 400, ERR_FINAL, "The parameter {0} cannot be changed.", "租户参数 {0} 为只读参数，不可修改。");

const struct err_row *const tenant_parameter_err_rows[] = { &ERR_TENANT_PARAMETER_UNKNOWN, &ERR_TENANT_PARAMETER_FIXED, NULL };

static const char variable_kind[] = "OB_SYSTEM_VARIABLE", parameter_kind[] = "OB_TENANT_PARAMETER";

/* --- reading ------------------------------------------------------------------------------------------------------------------ */

struct listing {
    const struct tenant *t;
    struct arena *arena;
    struct ob_variable *variables;
    struct ob_parameter *parameters;
    size_t n_variables, n_parameters;
    const char *client;                /* address that the server sees this process at; NULL: a Unix socket */
};

static int list_variables(struct sql *s, struct listing *g, struct err *e)
{
    if (tenant_is_alone(g->t))
        return ob_variables_list(s, g->arena, &g->variables, &g->n_variables, e);
    return ob_variables_of_tenant(s, g->t->row.ob_tenant_id, g->arena, &g->variables, &g->n_variables, e);
}

static int list_parameters(struct sql *s, struct listing *g, struct err *e)
{
    if (tenant_is_alone(g->t))
        return ob_parameters_list(s, g->arena, &g->parameters, &g->n_parameters, e);
    return ob_parameters_of_tenant(s, g->t->row.ob_tenant_id, g->arena, &g->parameters, &g->n_parameters, e);
}

static int work_list(struct sql *s, struct tenant_step *step, struct err *e)
{
    struct listing *g = step->data;
    struct sql_rows rows;
    int rv = list_variables(s, g, e);

    if (rv == 0)
        rv = list_parameters(s, g, e);
    if (rv == 0)
        rv = sql_run(s, "SELECT SUBSTRING_INDEX(USER(), '@', -1)", NULL, 0, 0, g->arena, &rows, e);
    if (rv == 0 && rows.n_rows == 1)
        g->client = sql_text(&rows, 0, 0).s;
    return rv;
}

static bool is_number(const char *text)
{
    double v;

    return num_parse_double((struct slice){ text, strlen(text) }, &v);
}

static struct tenant_range range_of_variable(const struct ob_variable *v)
{
    if (strcmp(v->value, "ON") == 0 || strcmp(v->value, "OFF") == 0)
        return (struct tenant_range){ "BOOL", "ON,OFF", NULL, NULL };
    if (v->min != NULL || v->max != NULL || is_number(v->value))
        return (struct tenant_range){ "INT", "", v->min, v->max };
    return (struct tenant_range){ "STRING", "", NULL, NULL };
}

static struct tenant_parameter of_variable(const struct ob_variable *v, const char *mode, struct tenant_range *range)
{
    *range = range_of_variable(v);
    return (struct tenant_parameter){
        .name = v->name,
        .value = v->value,
        .default_value = v->default_value != NULL ? v->default_value : "",
        .info = v->info != NULL ? v->info : "",
        .kind = variable_kind,
        .mode = mode,
        .readonly = ob_variable_is_fixed(v),
        .range = range,
    };
}

static bool is_of_tenants(const struct ob_parameter *p)
{
    return p->scope != NULL && strcmp(p->scope, "TENANT") == 0;
}

static int of_parameter(const struct ob_parameter *p, const char *mode, struct arena *arena, struct tenant_range *range,
                        struct tenant_parameter *out, struct err *e)
{
    struct ob_parameter_range r;

    if (!ob_parameter_range(p, arena, &r))
        return err_set(e, &ERR_NOMEM, "");
    *range = (struct tenant_range){ parameter_type(p), r.allowed != NULL ? r.allowed : "", r.min, r.max };
    *out = (struct tenant_parameter){
        .name = p->name,
        .value = p->value,
        .default_value = p->default_value != NULL ? p->default_value : "",
        .info = p->info != NULL ? p->info : "",
        .kind = parameter_kind,
        .mode = mode,
        .readonly = ob_parameter_is_read_only(p),
        .range = range,
    };
    return 0;
}

/* Both kinds come sorted by name. */
static int merge(struct tenant *t, const struct listing *g, struct tenant_parameter *out, size_t *n, struct err *e)
{
    struct tenant_range *ranges = arena_array(t->arena, g->n_variables + g->n_parameters + 1, sizeof *ranges);
    size_t v = 0, p = 0;
    int rv = ranges != NULL ? 0 : err_set(e, &ERR_NOMEM, "");

    for (*n = 0; rv == 0 && (v < g->n_variables || p < g->n_parameters);) {
        if (p < g->n_parameters && !is_of_tenants(&g->parameters[p])) {
            p++;
        } else if (p == g->n_parameters || (v < g->n_variables && strcmp(g->variables[v].name, g->parameters[p].name) <= 0)) {
            out[*n] = of_variable(&g->variables[v++], t->row.mode, &ranges[*n]);
            (*n)++;
        } else {
            rv = of_parameter(&g->parameters[p++], t->row.mode, t->arena, &ranges[*n], &out[*n], e);
            (*n)++;
        }
    }
    return rv;
}

static int read_all(struct tenant *t, struct listing *g, struct tenant_parameter **out, size_t *n, struct err *e)
{
    int rv;

    *g = (struct listing){ .t = t, .arena = t->arena };
    rv = tenant_ask_sys(t, work_list, g, e);
    if (rv != 0)
        return rv;
    *out = arena_array(t->arena, g->n_variables + g->n_parameters + 1, sizeof **out);
    return *out != NULL ? merge(t, g, *out, n, e) : err_set(e, &ERR_NOMEM, "");
}

int tenant_parameter_list(struct tenant *t, struct tenant_parameter **out, size_t *n, struct err *e)
{
    struct listing g;

    return read_all(t, &g, out, n, e);
}

static struct tenant_parameter *find(struct tenant_parameter *list, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

struct asking {
    const struct tenant *t;
    struct tenant_live live;
};

static bool is_on(struct slice value)
{
    return slice_is_nocase(value, "ON") || slice_is_nocase(value, "TRUE") || slice_is(value, "1");
}

static int read_live(struct sql *s, const struct tenant *t, struct sql_rows *rows, struct err *e)
{
    struct sql_value ids[] = { SQL_V_I(t->row.ob_tenant_id), SQL_V_I(t->row.ob_tenant_id) };

    if (tenant_is_alone(t))
        return sql_run(s,
                       "SELECT variable_name, variable_value FROM information_schema.GLOBAL_VARIABLES WHERE variable_name IN "
                       "('" TENANT_WHITELIST "', 'ob_enable_sql_audit') UNION ALL "
                       "SELECT name, value FROM oceanbase.V$OB_PARAMETERS WHERE name = 'enable_sql_audit'",
                       NULL, 0, 0, t->arena, rows, e);
    return sql_run(s,
                   "SELECT name, value FROM oceanbase.CDB_OB_SYS_VARIABLES WHERE tenant_id = ? AND name IN "
                   "('" TENANT_WHITELIST "', 'ob_enable_sql_audit') UNION ALL "
                   "SELECT DISTINCT name, value FROM oceanbase.GV$OB_PARAMETERS WHERE name = 'enable_sql_audit' UNION ALL "
                   "SELECT 'LOCKED', locked FROM oceanbase.DBA_OB_TENANTS WHERE tenant_id = ?",
                   ids, 2, 0, t->arena, rows, e);
}

/* Auditing needs the kernel's parameter and, where there is one, the tenant's variable. */
static int work_live(struct sql *s, struct tenant_step *step, struct err *e)
{
    struct asking *a = step->data;
    bool by_parameter = false, by_variable = true;
    struct sql_rows rows;
    int rv = read_live(s, a->t, &rows, e);

    for (size_t i = 0; rv == 0 && i < rows.n_rows; i++) {
        struct slice name = sql_text(&rows, i, 0), value = sql_text(&rows, i, 1);

        if (slice_is(name, TENANT_WHITELIST))
            a->live.whitelist = value.s;
        else if (slice_is(name, "LOCKED"))
            a->live.locked = slice_is(value, "YES");
        else if (slice_is(name, "enable_sql_audit"))
            by_parameter = is_on(value);
        else
            by_variable = is_on(value);
    }
    a->live.sql_audit = by_parameter && by_variable;
    return rv;
}

int tenant_live_get(struct tenant *t, struct tenant_live *out, struct err *e)
{
    struct asking a = { .t = t, .live = { .locked = -1 } };
    int rv = tenant_ask_sys(t, work_live, &a, e);

    *out = a.live;
    return rv;
}

/* --- changing ----------------------------------------------------------------------------------------------------------------- */

struct changing {
    const struct tenant_parameter_wish *wishes;
    const struct tenant_parameter **found; /* of each wish */
    struct obparameter_change *records;
    size_t n, n_done;
};

/* One wish, as the work sees it. */
struct setting_one {
    const struct tenant_parameter *p;
    const char *value;
};

static int set(struct sql *s, const char *tenant, const struct setting_one *one, struct err *e)
{
    const char *name = one->p->name;

    if (one->p->kind == variable_kind)
        return tenant == NULL ? ob_variable_set(s, name, one->value, e) : ob_tenant_variable_set(s, tenant, name, one->value, e);
    return tenant == NULL ? ob_parameter_set(s, name, one->value, e) : ob_tenant_parameter_set(s, tenant, name, one->value, e);
}

static int work_set(struct sql *s, struct tenant_step *step, struct err *e)
{
    const struct setting_one *one = step->data;
    int rv = set(s, step->tenant, one, e);

    if (rv != 0 && err_is(e, &ERR_OB_VARIABLE_READ_ONLY))
        return err_set(e, &ERR_TENANT_PARAMETER_FIXED, "%s", one->p->name);
    if (rv != 0 && (err_is(e, &ERR_OB_VARIABLE_UNKNOWN) || err_is(e, &ERR_OB_PARAMETER_UNKNOWN)))
        return err_set(e, &ERR_TENANT_PARAMETER_UNKNOWN, "%s", one->p->name);
    return rv;
}

static int check_wish(const struct tenant_parameter_wish *w, const struct tenant_parameter *p, const char *client, struct err *e)
{
    int rv = 0;

    if (p == NULL)
        return err_set(e, &ERR_TENANT_PARAMETER_UNKNOWN, "%s", w->name);
    if (p->readonly)
        return err_set(e, &ERR_TENANT_PARAMETER_FIXED, "%s", w->name);
    if (strcmp(w->name, TENANT_WHITELIST) == 0) {
        rv = whitelist_check(w->value, e);
        if (rv == 0 && client != NULL && !whitelist_allows(w->value, client))
            rv = err_set(e, &ERR_WHITELIST_LOCKOUT, "%s", client);
    }
    return rv;
}

static int prepare(struct tenant *t, struct changing *h, const struct obcluster_user *who, struct err *e)
{
    struct tenant_parameter *list;
    struct listing g;
    size_t n_list;
    int rv = read_all(t, &g, &list, &n_list, e);

    h->found = arena_array(t->arena, h->n + 1, sizeof *h->found);
    h->records = arena_array(t->arena, h->n + 1, sizeof *h->records);
    if (rv == 0 && (h->found == NULL || h->records == NULL))
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < h->n; i++) {
        h->found[i] = find(list, n_list, h->wishes[i].name);
        rv = check_wish(&h->wishes[i], h->found[i], g.client, e);
        if (rv == 0)
            rv = db_next_id(t->db, &h->records[i].id, e);
        if (rv == 0)
            h->records[i] = (struct obparameter_change){
                .id = h->records[i].id,
                .cluster_id = t->cluster.id,
                .tenant_id = t->row.id,
                .name = h->found[i]->name,
                .old_value = h->found[i]->value,
                .new_value = h->wishes[i].value,
                .user_id = who->id,
                .user_name = who->name,
            };
    }
    return rv;
}

static void note(struct tenant *t, struct changing *h, size_t i, int rv, const struct err *e)
{
    struct obparameter_change *r = &h->records[i];
    char text[512];
    const char *reason = rv != 0 ? arena_strdup(t->arena, err_text(e, ERR_EN, text, sizeof text)) : "";

    r->outcome = rv == 0 ? "SUCCESSFUL" : err_is(e, &ERR_OBCLUSTER_UNKNOWN) ? "UNKNOWN" : "FAILED";
    r->reason = reason != NULL ? reason : "";
    r->changed_us = clock_wall_us(&clock_system);
    h->n_done = i + 1;
}

static int record(struct tx *tx, void *data, struct err *e)
{
    const struct changing *h = data;

    return store_obparameter_record(tx, h->records, h->n_done, e);
}

int tenant_parameter_change(struct tenant *t, const struct tenant_parameter_wish *wishes, size_t n, const struct obcluster_user *who,
                            struct err *e)
{
    struct changing h = { .wishes = wishes, .n = n };
    struct err own;
    int kept, rv = prepare(t, &h, who, e);

    if (rv != 0)
        return rv;
    for (size_t i = 0; rv == 0 && i < n; i++) {
        struct setting_one one = { h.found[i], wishes[i].value };

        rv = tenant_change_sys(t, work_set, &one, e);
        note(t, &h, i, rv, e);
    }
    kept = h.n_done > 0 ? db_transact(t->db, record, &h, &own) : 0;
    if (kept == 0 || rv != 0)
        return rv;
    *e = own; /* set, but not kept in the history */
    return kept;
}
