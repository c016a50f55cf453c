/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of a tenant that take time: locality (one zone at a time; the way back while it runs), primary zone, number of units. */
#include <string.h>
#include <strings.h>

#include "tests/obsim/build.h"
#include "tests/obsim/cmd_tenant.h"

static struct sim_job *running(struct sim_cluster *c, const struct sim_tenant *t)
{
    for (size_t i = 0; i < c->jobs.n; i++) {
        struct sim_job *j = c->jobs.items[i];

        if (j->kind == SIM_JOB_TENANT && j->tenant_id == t->id && strcmp(j->status, "INPROGRESS") == 0)
            return j;
    }
    return NULL;
}

static void start(struct cmd *x, const struct sim_tenant *t, const char *type)
{
    struct sim_job *j = sim_job_start(x->c, SIM_JOB_TENANT, type, x->sql);

    j->tenant_id = t->id;
    (void)sim_schedule(x->c, SIM_STEP_TENANT_JOB, j->id);
    sim_note(x->c, "tenant", "start_job", "job_type", type, "tenant", t->name, NULL);
}

static int check_rebalance(struct cmd *x, const struct sim_tenant *t)
{
    const char *on = sim_parameter_value(x->c, sim_parameter_find(SLICE("enable_rebalance")), NULL, t);

    return strcmp(on, "True") == 0 ? 0 : cmd_fail(x, 4179, "enable_rebalance is disabled, modify tenant locality or unit num not allowed");
}

/* --- locality -------------------------------------------------------------------------------------------------------------------- */

/* Zones in which the two differ. */
static int differences(struct sim_cluster *c, const char *a, const char *b)
{
    int n = 0;

    for (size_t i = 0; i < c->zones.n; i++)
        n += place_locality_type(a, c->zones.items[i]->name) != place_locality_type(b, c->zones.items[i]->name);
    return n;
}

static int check_units(struct cmd *x, const struct sim_tenant *t, const char *locality)
{
    struct slice rest = sim_slice(locality);

    while (rest.n > 0) {
        struct slice zone = slice_trim(slice_cut(&rest, ','));

        (void)slice_cut(&zone, '@'); /* the type */
        if (place_pool_of(x->c, t->id, cmd_text(x, zone)) == NULL)
            return cmd_fail(x, 4645, "zone list and resource pool list are not match, zone '%.*s'", SLICE_FMT(zone));
    }
    return 0;
}

static void set_locality(struct sim_cluster *c, struct sim_tenant *t, const char *locality)
{
    struct sim_tenant *meta = sim_tenant_get(c, t->id - 1);

    sim_text(&t->previous_locality, sim_slice(t->locality));
    sim_text(&t->locality, sim_slice(locality));
    if (meta != NULL && t->type == SIM_TENANT_USER)
        sim_text(&meta->locality, sim_slice(locality));
}

int tenant_change_locality(struct cmd *x, struct sim_tenant *t, struct slice text)
{
    struct sim_job *j = running(x->c, t);
    const char *locality;
    int rv = check_rebalance(x, t), changed;

    if (rv == 0)
        rv = tenant_read_locality(x, text, &locality);
    if (rv == 0)
        rv = check_units(x, t, locality);
    if (rv != 0)
        return rv;
    if (j != NULL && t->previous_locality != NULL && differences(x->c, locality, t->previous_locality) == 0) {
        sim_job_end(x->c, j, "FAILED", -4072);
        set_locality(x->c, t, locality);
        start(x, t, "ROLLBACK_ALTER_TENANT_LOCALITY");
        return 0;
    }
    if (j != NULL)
        return cmd_fail(x, 4179, "alter tenant locality while another job of the tenant is in progress not allowed");
    changed = differences(x->c, locality, t->locality);
    if (changed > 1)
        return cmd_fail(x, 4179, "alter tenant locality in more than one zone not allowed");
    if (changed == 0)
        return 0;
    set_locality(x->c, t, locality);
    start(x, t, "ALTER_TENANT_LOCALITY");
    return 0;
}

int tenant_change_primary_zone(struct cmd *x, struct sim_tenant *t, struct slice text)
{
    struct sim_tenant *meta = sim_tenant_get(x->c, t->id - 1);
    int rv = tenant_check_primary_zone(x, text, t->locality);

    if (rv != 0)
        return rv;
    if (running(x->c, t) != NULL && strcmp(running(x->c, t)->type, "ALTER_TENANT_LOCALITY") != 0)
        return cmd_fail(x, 4179, "alter tenant primary zone while another job of the tenant is in progress not allowed");
    sim_text(&t->primary_zone, text);
    if (meta != NULL && t->type == SIM_TENANT_USER)
        sim_text(&meta->primary_zone, text);
    start(x, t, "ALTER_TENANT_PRIMARY_ZONE");
    return 0;
}

/* --- number of units -------------------------------------------------------------------------------------------------------------- */

enum { MAX_UNIT_NUM = 64 };

static bool is_kept(const int64_t *deleted, size_t n, int64_t group)
{
    for (size_t i = 0; i < n; i++)
        if (deleted[i] == group)
            return false;
    return true;
}

/* The newest groups go unless it is said which. */
static size_t groups_to_delete(struct cmd *x, const struct sim_tenant *t, size_t count, int64_t deleted[MAX_UNIT_NUM])
{
    size_t n = 0;

    while (n < count) {
        int64_t newest = 0;

        for (size_t i = 0; i < x->c->units.n; i++) {
            const struct sim_unit *u = x->c->units.items[i];

            if (sim_pool_get(x->c, u->pool_id)->tenant_id == t->id && u->group_id > newest && is_kept(deleted, n, u->group_id))
                newest = u->group_id;
        }
        deleted[n++] = newest;
    }
    return n;
}

static int grow(struct cmd *x, struct sim_tenant *t, int more)
{
    struct sim_cluster *c = x->c;
    size_t before = c->units.n;

    for (size_t i = 0; i < c->pools.n; i++) {
        struct sim_pool *p = c->pools.items[i];
        struct place_error e;

        for (size_t z = 0; z < p->zones.n && p->tenant_id == t->id; z++)
            if (!place_units(c, p, p->zones.items[z]->s, more, &e)) {
                while (c->units.n > before)
                    sim_remove(&c->units, c->units.n - 1);
                return cmd_place_failed(x, &e);
            }
    }
    for (size_t i = 0; i < c->pools.n; i++)
        if (c->pools.items[i]->tenant_id == t->id)
            place_grant(c, c->pools.items[i], t);
    return 0;
}

static void shrink(struct cmd *x, const struct sim_tenant *t, const int64_t *deleted, size_t n)
{
    for (size_t i = 0; i < x->c->units.n; i++) {
        struct sim_unit *u = x->c->units.items[i];

        if (sim_pool_get(x->c, u->pool_id)->tenant_id == t->id && !is_kept(deleted, n, u->group_id)) {
            u->is_deleting = true;
            u->modified_us = x->c->now_us;
        }
    }
}

/* Are these groups of the tenant, as many as have to go? */
static bool are_groups(struct cmd *x, const struct sim_tenant *t, const int64_t *deleted, size_t n, int64_t unit_num)
{
    for (size_t k = 0; k < n; k++) {
        bool found = false;

        for (size_t i = 0; i < x->c->units.n; i++)
            found = found || (x->c->units.items[i]->group_id == deleted[k] &&
                              sim_pool_get(x->c, x->c->units.items[i]->pool_id)->tenant_id == t->id);
        if (!found || !is_kept(deleted, k, deleted[k]))
            return false;
    }
    return n == 0 || (int64_t)n == t->unit_num - unit_num;
}

static int change_unit_num(struct cmd *x, struct sim_tenant *t, int64_t unit_num, int64_t deleted[MAX_UNIT_NUM], size_t n)
{
    int rv = check_rebalance(x, t);

    if (rv != 0)
        return rv;
    if (running(x->c, t) != NULL)
        return cmd_fail(x, 4179, "alter tenant unit num while another job of the tenant is in progress not allowed");
    if (unit_num < 1 || unit_num > MAX_UNIT_NUM)
        return cmd_fail(x, 4656, "resource pool unit num is bigger than zone server count");
    if (!are_groups(x, t, deleted, n, unit_num))
        return cmd_fail(x, 4179, "delete unit groups that are not those of the tenant, or not as many as have to go not allowed");
    if (unit_num == t->unit_num)
        return 0;
    if (unit_num > t->unit_num) {
        rv = grow(x, t, (int)unit_num - t->unit_num);
    } else {
        if (n == 0)
            n = groups_to_delete(x, t, (size_t)(t->unit_num - unit_num), deleted);
        shrink(x, t, deleted, n);
    }
    if (rv != 0)
        return rv;
    t->unit_num = (int)unit_num;
    for (size_t i = 0; i < x->c->pools.n; i++)
        if (x->c->pools.items[i]->tenant_id == t->id)
            x->c->pools.items[i]->unit_num = (int)unit_num;
    start(x, t, "ALTER_RESOURCE_TENANT_UNIT_NUM");
    return 0;
}

int tenant_change_unit_num(struct cmd *x)
{
    int64_t unit_num, deleted[MAX_UNIT_NUM];
    struct sim_tenant *t;
    struct slice name;
    size_t n = 0;
    int rv;

    if (!parse_name_or_string(&x->p, &name) || !parse_words(&x->p, "UNIT_NUM") || !cmd_i64_after_equal(x, &unit_num))
        return cmd_syntax(x);
    if (parse_words(&x->p, "DELETE UNIT_GROUP")) {
        (void)parse_mark(&x->p, "="); /* may be missing */
        if (!parse_mark(&x->p, "("))
            return cmd_syntax(x);
        do {
            if (n == MAX_UNIT_NUM || !parse_i64(&x->p, &deleted[n++]))
                return cmd_syntax(x);
        } while (parse_mark(&x->p, ","));
        if (!parse_mark(&x->p, ")"))
            return cmd_syntax(x);
    }
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    t = sim_tenant_find(x->c, name);
    if (t == NULL)
        return tenant_unknown(x, name);
    rv = change_unit_num(x, t, unit_num, deleted, n);
    return rv != 0 ? rv : cmd_ok(x);
}
