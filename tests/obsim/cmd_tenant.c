/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE TENANT [IF NOT EXISTS] t option [, ...] [SET [VARIABLES] v = value, ...]
 * ALTER TENANT t [SET] option [, ...] [SET VARIABLES ...]; ALTER TENANT t {LOCK | UNLOCK | RENAME GLOBAL_NAME TO t2}
 * DROP TENANT [IF EXISTS] t [FORCE | PURGE]; PURGE TENANT t; FLASHBACK TENANT t TO BEFORE DROP [RENAME TO t2]
 * option: RESOURCE_POOL_LIST [=] ('p', ...), LOCALITY [=] 'F@z1,...', PRIMARY_ZONE [=] {'z1;z2' | RANDOM}, CHARSET, COLLATE, COMMENT, READ ONLY,
 * READ WRITE, ENABLE_ARBITRATION_SERVICE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/build.h"
#include "tests/obsim/cmd.h"
#include "tests/obsim/cmd_tenant.h"

enum { MAX_ASSIGNMENTS = 64 };

static bool read_switch(struct cmd *x, int *out)
{
    (void)parse_mark(&x->p, "="); /* may be missing */
    *out = parse_words(&x->p, "TRUE");
    return *out != 0 || parse_words(&x->p, "FALSE");
}

/* A name that may be reserved or quoted: character sets and collations, RANDOM. */
static bool read_name(struct cmd *x, struct slice *out)
{
    (void)parse_mark(&x->p, "="); /* may be missing */
    if (parse_words(&x->p, "BINARY")) {
        *out = SLICE("binary");
        return true;
    }
    return parse_name_or_string(&x->p, out) && out->n < SIM_NAME;
}

/* False: no option begins here (`*bad` false), or it is wrong (`*bad` true). */
static bool read_option(struct cmd *x, struct tenant_options *o, bool *bad)
{
    struct slice ignored;
    bool ok;

    if (parse_words(&x->p, "READ ONLY") || parse_words(&x->p, "READ WRITE")) {
        o->read_only = slice_is_nocase(parse_peek(&x->p)[-1].text, "ONLY");
        return true;
    }
    (void)parse_words(&x->p, "DEFAULT"); /* may be missing */
    if (parse_words(&x->p, "RESOURCE_POOL_LIST"))
        ok = (parse_mark(&x->p, "=") || true) && parse_names(&x->p, true, &o->pools);
    else if (parse_words(&x->p, "ZONE_LIST"))
        ok = (parse_mark(&x->p, "=") || true) && parse_names(&x->p, true, &o->zones);
    else if (parse_words(&x->p, "LOCALITY"))
        ok = read_name(x, &o->locality);
    else if (parse_words(&x->p, "PRIMARY_ZONE"))
        ok = read_name(x, &o->primary_zone);
    else if (parse_words(&x->p, "CHARSET") || parse_words(&x->p, "CHARACTER SET"))
        ok = read_name(x, &o->charset);
    else if (parse_words(&x->p, "COLLATE") || parse_words(&x->p, "COLLATION"))
        ok = read_name(x, &o->collation);
    else if (parse_words(&x->p, "COMMENT"))
        ok = (parse_mark(&x->p, "=") || true) && parse_string(&x->p, &o->comment);
    else if (parse_words(&x->p, "ENABLE_ARBITRATION_SERVICE"))
        ok = read_switch(x, &o->arbitration);
    else if (parse_words(&x->p, "REPLICA_NUM"))
        ok = cmd_i64_after_equal(x, &(int64_t){ 0 });
    else if (parse_words(&x->p, "LOGONLY_REPLICA_NUM"))
        ok = cmd_name_after_equal(x, &ignored);
    else
        return false;
    *bad = !ok;
    return ok;
}

static int read_assignments(struct cmd *x, struct tenant_options *o)
{
    do {
        if (o->n_assignments == MAX_ASSIGNMENTS || !cmd_read_assignment(x, &o->assignments[o->n_assignments]))
            return cmd_syntax(x);
        o->n_assignments++;
    } while (parse_mark(&x->p, ","));
    return 0;
}

/* Options, then SET; between options a comma may be missing. */
static int read_options(struct cmd *x, struct tenant_options *o, bool is_create)
{
    bool bad = false, some = false;

    o->assignments = arena_array(&x->arena, MAX_ASSIGNMENTS, sizeof *o->assignments);
    if (o->assignments == NULL)
        abort();
    o->read_only = o->arbitration = -1;
    while (read_option(x, o, &bad)) {
        some = true;
        if (parse_mark(&x->p, ",") && (parse_peek(&x->p)->kind == LEX_END || parse_is_word(&x->p, "SET")))
            return cmd_syntax(x);
    }
    if (bad)
        return cmd_syntax(x);
    if (parse_words(&x->p, "SET VARIABLES") || (is_create && parse_words(&x->p, "SET")))
        return read_assignments(x, o);
    return some ? 0 : cmd_syntax(x);
}

int tenant_unknown(struct cmd *x, struct slice name)
{
    return cmd_fail(x, 5157, "Unknown tenant '%.*s'", SLICE_FMT(name));
}

static int exists(struct cmd *x, struct slice name)
{
    return cmd_fail(x, 5156, "Tenant '%.*s' already exists", SLICE_FMT(name));
}

/* --- what both CREATE and ALTER check ------------------------------------------------------------------------------------------------ */

int tenant_read_locality(struct cmd *x, struct slice text, const char **out)
{
    struct str t;

    str_init(&t, &x->arena);
    if (!place_locality_read(text, &t))
        return cmd_fail(x, 1210, "Incorrect arguments to locality");
    *out = str_c(&t);
    return 0;
}

/* Every zone it names has replicas. */
int tenant_check_primary_zone(struct cmd *x, struct slice text, const char *locality)
{
    struct slice rest = text;

    if (slice_is_nocase(text, "RANDOM"))
        return 0;
    if (text.n == 0)
        return cmd_fail(x, 1210, "Incorrect arguments to primary_zone");
    while (rest.n > 0) {
        struct slice equals = slice_cut(&rest, ';');

        do {
            struct slice zone = slice_trim(slice_cut(&equals, ','));

            if (zone.n == 0 || place_locality_type(locality, cmd_text(x, zone)) == '\0')
                return cmd_fail(x, 4643, "primary zone '%.*s' not in zone list", SLICE_FMT(zone));
        } while (equals.n > 0);
    }
    return 0;
}

/* Its zones are zones of the pools. */
static int check_locality(struct cmd *x, const char *locality, struct sim_pool *const *pools, size_t n)
{
    struct slice rest = sim_slice(locality);

    while (rest.n > 0) {
        struct slice zone = slice_trim(slice_cut(&rest, ','));
        bool found = false;

        (void)slice_cut(&zone, '@');
        for (size_t i = 0; i < n; i++)
            for (size_t z = 0; z < pools[i]->zones.n; z++)
                found = found || slice_is_nocase(zone, pools[i]->zones.items[z]->s);
        if (!found)
            return cmd_fail(x, 4645, "zone list and resource pool list are not match, zone '%.*s'", SLICE_FMT(zone));
    }
    return 0;
}

static bool share_a_zone(const struct sim_pool *a, const struct sim_pool *b)
{
    for (size_t i = 0; i < a->zones.n; i++)
        for (size_t k = 0; k < b->zones.n; k++)
            if (strcasecmp(a->zones.items[i]->s, b->zones.items[k]->s) == 0)
                return true;
    return false;
}

/* Pools by their names: free, or granted to `owner`. Errors: 4650, 4626, 4657, 4179. */
static int find_pools(struct cmd *x, const struct parse_list *names, int64_t owner, struct sim_pool **pools)
{
    for (size_t i = 0; i < names->n; i++) {
        struct sim_pool *p = pools[i] = sim_pool_find(x->c, names->items[i]);

        if (p == NULL)
            return cmd_fail(x, 4650, "Resource pool '%.*s' not exist", SLICE_FMT(names->items[i]));
        if (p->tenant_id != 0 && p->tenant_id != owner)
            return cmd_fail(x, 4626, "resource pool '%s' has already been granted to a tenant", p->name);
        if (p->unit_num != pools[0]->unit_num)
            return cmd_fail(x, 4179, "resource pools with different unit num in the resource pool list not allowed");
        for (size_t k = 0; k < i; k++)
            if (pools[k] == p || share_a_zone(pools[k], p))
                return cmd_fail(x, 4657, "resource pool unit server intersect '%s'", p->name);
    }
    return 0;
}

static int check_variables(struct cmd *x, const struct tenant_options *o, bool at_creation, struct sim_values *out)
{
    int rv = 0;

    for (size_t i = 0; i < o->n_assignments && rv == 0; i++) {
        const struct sim_variable *v;
        const char *value;

        rv = cmd_check_assignment(x, &o->assignments[i], SIM_V_GLOBAL, at_creation, &v, &value);
        if (rv == 0)
            cmd_assign(x, out, v, value);
    }
    return rv;
}

static int check_charset(struct cmd *x, const struct tenant_options *o, const struct sim_collation **out)
{
    *out = NULL;
    if (o->charset.s != NULL && (*out = sim_charset_find(o->charset)) == NULL)
        return cmd_fail(x, 1115, "Unknown character set: '%.*s'", SLICE_FMT(o->charset));
    if (o->collation.s != NULL && (*out = sim_collation_find(o->collation)) == NULL)
        return cmd_fail(x, 1273, "Unknown collation: '%.*s'", SLICE_FMT(o->collation));
    return 0;
}

static void take_simple_options(struct sim_tenant *t, const struct tenant_options *o, const struct sim_collation *c)
{
    if (c != NULL) {
        sim_short(t->charset, sizeof t->charset, sim_slice(c->charset));
        sim_short(t->collation, sizeof t->collation, sim_slice(c->name));
    }
    if (o->comment.s != NULL)
        sim_text(&t->comment, o->comment);
    if (o->read_only >= 0)
        t->is_read_only = o->read_only > 0;
    if (o->arbitration >= 0)
        t->has_arbitration = o->arbitration > 0;
}

/* --- create ---------------------------------------------------------------------------------------------------------------------- */

static const char *whole_locality(struct cmd *x, struct sim_pool *const *pools, size_t n)
{
    struct str t;

    str_init(&t, &x->arena);
    for (size_t z = 0; z < x->c->zones.n; z++)
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < pools[i]->zones.n; k++)
                if (strcasecmp(pools[i]->zones.items[k]->s, x->c->zones.items[z]->name) == 0)
                    str_printf(&t, "%sFULL{1}@%s", t.n > 0 ? ", " : "", x->c->zones.items[z]->name);
    return str_c(&t);
}

static int build(struct cmd *x, struct slice name, const struct tenant_options *o, struct sim_pool *const *pools, const char *locality,
                 struct sim_values *variables)
{
    const char *mode = sim_values_get(variables, "ob_compatibility_mode");
    bool is_oracle = mode != NULL && strcasecmp(mode, "ORACLE") == 0;
    const struct sim_collation *collation;
    struct sim_tenant *t, *meta;
    int rv = check_charset(x, o, &collation);

    if (rv != 0)
        return rv;
    if (is_oracle && !x->c->is_enterprise)
        return cmd_fail(x, 1235, "Not supported feature or function");
    t = build_tenant(x->c, cmd_text(x, name), SIM_TENANT_USER, is_oracle);
    meta = sim_tenant_get(x->c, t->id - 1);
    take_simple_options(t, o, collation);
    for (size_t i = 0; i < variables->list.n; i++)
        sim_values_set(&t->variables, variables->list.items[i]->name, sim_slice(variables->list.items[i]->value), x->c->now_us);
    sim_text(&t->locality, sim_slice(locality));
    sim_text(&meta->locality, sim_slice(locality));
    sim_text(&t->primary_zone, o->primary_zone.s != NULL ? o->primary_zone : SLICE("RANDOM"));
    sim_text(&meta->primary_zone, sim_slice(t->primary_zone));
    t->unit_num = pools[0]->unit_num;
    for (size_t i = 0; i < o->pools.n; i++)
        place_grant(x->c, pools[i], t);
    (void)sim_schedule(x->c, SIM_STEP_TENANT_CREATED, t->id);
    sim_note(x->c, "tenant", "create_tenant", "tenant", t->name, NULL);
    return cmd_ok(x);
}

static int create(struct cmd *x)
{
    int if_not = cmd_if_not_exists(x), rv;
    struct sim_pool *pools[PARSE_LIST_MAX];
    struct sim_values variables = { .list = { .n = 0 } };
    struct tenant_options o = { .n_assignments = 0 };
    const char *locality;
    struct slice name;

    if (if_not < 0 || !parse_name_or_string(&x->p, &name))
        return cmd_syntax(x);
    rv = read_options(x, &o, true);
    if (rv == 0)
        rv = cmd_end(x);
    if (rv != 0)
        return rv;
    if (name.n == 0 || name.n > 63 || slice_is_nocase(name, "all") || slice_is_nocase(name, "all_user") || slice_is_nocase(name, "all_meta"))
        return cmd_fail(x, 4646, "Invalid tenant name '%.*s'", SLICE_FMT(name));
    if (sim_tenant_find(x->c, name) != NULL)
        return if_not > 0 ? cmd_ok(x) : exists(x, name);
    if (o.pools.n == 0)
        return cmd_fail(x, 4647, "Empty resource pool list");
    rv = find_pools(x, &o.pools, 0, pools);
    locality = rv == 0 ? whole_locality(x, pools, o.pools.n) : NULL;
    if (rv == 0 && o.locality.s != NULL)
        rv = tenant_read_locality(x, o.locality, &locality);
    if (rv == 0)
        rv = check_locality(x, locality, pools, o.pools.n);
    if (rv == 0 && o.primary_zone.s != NULL)
        rv = tenant_check_primary_zone(x, o.primary_zone, locality);
    if (rv == 0)
        rv = check_variables(x, &o, true, &variables);
    if (rv == 0)
        rv = build(x, name, &o, pools, locality, &variables);
    sim_values_fini(&variables);
    return rv;
}

/* --- alter ----------------------------------------------------------------------------------------------------------------------- */

static int switch_lock(struct cmd *x, struct sim_tenant *t, bool is_locked)
{
    int rv = cmd_end(x);

    if (rv != 0)
        return rv;
    if (t->type != SIM_TENANT_USER)
        return cmd_fail(x, 4179, "lock sys tenant not allowed");
    t->is_locked = is_locked;
    t->modified_us = x->c->now_us;
    return cmd_ok(x);
}

static int rename_to(struct cmd *x, struct sim_tenant *t)
{
    struct slice name;
    int rv;

    if (!parse_words(&x->p, "GLOBAL_NAME TO") || !parse_name_or_string(&x->p, &name))
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    if (t->type != SIM_TENANT_USER)
        return cmd_fail(x, 4179, "rename special tenant not allowed");
    if (sim_tenant_find(x->c, name) != NULL)
        return exists(x, name);
    if (name.n == 0 || name.n > 63)
        return cmd_fail(x, 4646, "Invalid tenant name '%.*s'", SLICE_FMT(name));
    sim_name(t->name, name);
    t->modified_us = x->c->now_us;
    return cmd_ok(x);
}

static bool is_in_list(const struct parse_list *names, const char *name)
{
    for (size_t i = 0; i < names->n; i++)
        if (slice_is_nocase(names->items[i], name))
            return true;
    return false;
}

/* Pools come or go, not both at once; none goes from a zone with replicas. */
static int change_pools(struct cmd *x, struct sim_tenant *t, const struct parse_list *names)
{
    struct sim_pool *pools[PARSE_LIST_MAX];
    size_t added = 0, removed = 0;
    int rv = find_pools(x, names, t->id, pools);

    if (rv != 0)
        return rv;
    if (pools[0]->unit_num != t->unit_num)
        return cmd_fail(x, 4179, "resource pools with another unit num than that of the tenant not allowed");
    for (size_t i = 0; i < names->n; i++)
        added += pools[i]->tenant_id == 0;
    for (size_t i = 0; i < x->c->pools.n; i++) {
        const struct sim_pool *p = x->c->pools.items[i];

        if (p->tenant_id != t->id || is_in_list(names, p->name))
            continue;
        removed++;
        for (size_t z = 0; z < p->zones.n; z++)
            if (place_locality_type(t->locality, p->zones.items[z]->s) != '\0')
                return cmd_fail(x, 4179, "revoke resource pool '%s' with tenant locality on not allowed", p->name);
    }
    if (added > 0 && removed > 0)
        return cmd_fail(x, 4179, "grant and revoke pools in one cmd not allowed");
    for (size_t i = 0; i < names->n; i++)
        if (pools[i]->tenant_id == 0)
            place_grant(x->c, pools[i], t);
    for (size_t i = 0; i < x->c->pools.n && removed > 0; i++)
        if (x->c->pools.items[i]->tenant_id == t->id && !is_in_list(names, x->c->pools.items[i]->name))
            place_revoke(x->c, x->c->pools.items[i]);
    return 0;
}

/* Everything is checked before anything is changed, except that pools are changed where they are named (they stand alone). */
static int change(struct cmd *x, struct sim_tenant *t, const struct tenant_options *o)
{
    int kinds = (o->pools.n > 0) + (o->locality.s != NULL) + (o->primary_zone.s != NULL), rv;
    struct sim_values variables = { .list = { .n = 0 } };
    const struct sim_collation *collation;

    rv = check_charset(x, o, &collation);
    if (rv == 0 && kinds > 1 && o->pools.n > 0)
        rv = cmd_fail(x, 4179, "alter tenant's resource pool list together with locality or primary zone not allowed");
    if (rv == 0)
        rv = check_variables(x, o, false, &variables);
    if (rv == 0 && o->pools.n > 0)
        rv = change_pools(x, t, &o->pools);
    if (rv == 0 && o->locality.s != NULL)
        rv = tenant_change_locality(x, t, o->locality);
    if (rv == 0 && o->primary_zone.s != NULL)
        rv = tenant_change_primary_zone(x, t, o->primary_zone);
    if (rv == 0) {
        take_simple_options(t, o, collation);
        rv = check_variables(x, o, false, &t->variables); /* passed above, now they are kept */
        t->modified_us = x->c->now_us;
    }
    sim_values_fini(&variables);
    return rv != 0 ? rv : cmd_ok(x);
}

static int alter(struct cmd *x)
{
    struct tenant_options o = { .n_assignments = 0 };
    struct sim_tenant *t;
    struct slice name;
    int rv;

    if (!parse_name_or_string(&x->p, &name))
        return cmd_syntax(x);
    t = sim_tenant_find(x->c, name);
    if (x->t->type != SIM_TENANT_SYS && t != x->t)
        return cmd_fail(x, 1227, "Access denied; you need (at least one of) the ALTER TENANT privilege(s) for this operation");
    if (parse_is_word(&x->p, "LOCK") || parse_is_word(&x->p, "UNLOCK")) {
        bool is_lock = slice_is_nocase(parse_next(&x->p)->text, "LOCK");

        return t != NULL ? switch_lock(x, t, is_lock) : tenant_unknown(x, name);
    }
    if (parse_words(&x->p, "RENAME"))
        return t != NULL ? rename_to(x, t) : tenant_unknown(x, name);
    if (!parse_words(&(struct parse){ x->p.lex, x->p.at }, "SET VARIABLES"))
        (void)parse_words(&x->p, "SET"); /* may be missing */
    rv = read_options(x, &o, false);
    if (rv == 0)
        rv = cmd_end(x);
    if (rv != 0)
        return rv;
    return t != NULL ? change(x, t, &o) : tenant_unknown(x, name);
}

/* --- drop -------------------------------------------------------------------------------------------------------------------------- */

static void start_dropping(struct cmd *x, struct sim_tenant *t)
{
    t->status = sim_tenant_get(x->c, t->id - 1)->status = SIM_TENANT_DROPPING;
    t->modified_us = x->c->now_us;
    (void)sim_schedule(x->c, SIM_STEP_TENANT_DROPPED, t->id);
    sim_note(x->c, "tenant", "drop_tenant", "tenant", t->name, NULL);
}

static void to_recyclebin(struct cmd *x, struct sim_tenant *t)
{
    sim_name(t->original, sim_slice(t->name));
    (void)snprintf(t->name, sizeof t->name, "__recycle_$_%lld_%lld", (long long)x->c->id, (long long)x->c->now_us);
    t->in_recyclebin = true;
    t->modified_us = x->c->now_us;
}

static int drop(struct cmd *x)
{
    int if_exists = cmd_if_exists(x), rv;
    const char *bin = sim_variable_value(x->t, &x->s->variables, sim_variable_find(SLICE("recyclebin")));
    struct sim_tenant *t;
    struct slice name;
    bool at_once;

    if (if_exists < 0 || !parse_name_or_string(&x->p, &name))
        return cmd_syntax(x);
    at_once = parse_words(&x->p, "FORCE") || parse_words(&x->p, "PURGE");
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    t = sim_tenant_find(x->c, name);
    if (t == NULL)
        return if_exists > 0 ? cmd_ok(x) : tenant_unknown(x, name);
    if (t->type != SIM_TENANT_USER)
        return cmd_fail(x, 4179, "drop system tenant not allowed");
    if (t->status == SIM_TENANT_DROPPING)
        return cmd_ok(x);
    if (!at_once && strcmp(bin, "ON") == 0)
        to_recyclebin(x, t);
    else
        start_dropping(x, t);
    return cmd_ok(x);
}

static struct sim_tenant *in_recyclebin(struct cmd *x, struct slice name)
{
    for (size_t i = 0; i < x->c->tenants.n; i++) {
        struct sim_tenant *t = x->c->tenants.items[i];

        if (t->in_recyclebin && t->status != SIM_TENANT_DROPPING && (slice_is(name, t->name) || slice_is_nocase(name, t->original)))
            return t;
    }
    return NULL;
}

static int purge(struct cmd *x)
{
    struct sim_tenant *t;
    struct slice name;
    int rv;

    if (!parse_name_or_string(&x->p, &name))
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    t = in_recyclebin(x, name);
    if (t == NULL)
        return cmd_fail(x, 5262, "object not in RECYCLE BIN");
    start_dropping(x, t);
    return cmd_ok(x);
}

static int flashback(struct cmd *x)
{
    struct slice name, wanted = { NULL, 0 };
    struct sim_tenant *t;
    int rv;

    if (!parse_name_or_string(&x->p, &name) || !parse_words(&x->p, "TO BEFORE DROP") ||
        (parse_words(&x->p, "RENAME TO") && !parse_name_or_string(&x->p, &wanted)))
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    t = in_recyclebin(x, name);
    if (t == NULL)
        return cmd_fail(x, 5262, "object not in RECYCLE BIN");
    if (wanted.s == NULL)
        wanted = sim_slice(t->original);
    if (sim_tenant_find(x->c, wanted) != NULL)
        return exists(x, wanted);
    sim_name(t->name, sim_slice(cmd_text(x, wanted)));
    t->original[0] = '\0';
    t->in_recyclebin = false;
    t->modified_us = x->c->now_us;
    return cmd_ok(x);
}

const struct cmd_row cmd_tenant_rows[] = {
    { "CREATE TENANT", create, CMD_SYS, SIM_P(ALTER_TENANT), 0 },
    { "ALTER TENANT", alter, CMD_ORACLE, SIM_P(ALTER_TENANT), 0 },
    { "ALTER RESOURCE TENANT", tenant_change_unit_num, CMD_SYS, SIM_P(ALTER_TENANT), 0 },
    { "DROP TENANT", drop, CMD_SYS, SIM_P(ALTER_TENANT), 0 },
    { "PURGE TENANT", purge, CMD_SYS, SIM_P(ALTER_TENANT), 0 },
    { "FLASHBACK TENANT", flashback, CMD_SYS, SIM_P(ALTER_TENANT), 0 },
    { "", NULL, 0, 0, 0 },
};
