/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/build.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/like.h"
#include "tests/obsim/place.h"

/* --- accounts and databases ---------------------------------------------------------------------------------------------------- */

struct sim_user *build_user(struct sim_cluster *c, struct sim_tenant *t, struct slice name, struct slice host)
{
    struct sim_user *u = sim_push(&t->users);

    u->id = t->next_user++;
    sim_name(u->name, name);
    sim_name(u->host, host);
    u->created_us = u->modified_us = u->password_changed_us = c->now_us;
    return u;
}

static void free_user(struct sim_user *u)
{
    sim_clear(&u->grants);
    sim_clear(&u->roles);
}

/* Roles of this name and host are taken from those that had them. */
static void forget_role(struct sim_tenant *t, const struct sim_user *role)
{
    for (size_t i = 0; i < t->users.n; i++) {
        struct sim_user *u = t->users.items[i];

        for (size_t k = u->roles.n; k-- > 0;)
            if (strcmp(u->roles.items[k]->role, role->name) == 0 && strcasecmp(u->roles.items[k]->host, role->host) == 0)
                sim_remove(&u->roles, k);
    }
}

void build_user_remove(struct sim_tenant *t, struct sim_user *u)
{
    if (u->is_role)
        forget_role(t, u);
    free_user(u);
    for (size_t i = 0; i < t->users.n; i++)
        if (t->users.items[i] == u) {
            sim_remove(&t->users, i);
            return;
        }
}

struct sim_database *build_database(struct sim_cluster *c, struct sim_tenant *t, const char *name, const struct sim_collation *collation)
{
    struct sim_database *d = sim_push(&t->databases);

    d->id = t->next_object++;
    sim_name(d->name, sim_slice(name));
    sim_short(d->charset, sizeof d->charset, sim_slice(collation != NULL ? collation->charset : t->charset));
    sim_short(d->collation, sizeof d->collation, sim_slice(collation != NULL ? collation->name : t->collation));
    d->created_us = d->modified_us = c->now_us;
    return d;
}

void build_database_remove(struct sim_tenant *t, struct sim_database *d)
{
    for (size_t i = t->objects.n; i-- > 0;)
        if (strcasecmp(t->objects.items[i]->database, d->name) == 0)
            sim_remove(&t->objects, i);
    mem_free(d->comment);
    for (size_t i = 0; i < t->databases.n; i++)
        if (t->databases.items[i] == d) {
            sim_remove(&t->databases, i);
            return;
        }
}

/* Those that every tenant of the kernel starts with. */
static void first_accounts(struct sim_cluster *c, struct sim_tenant *t)
{
    static const char *const mysql[] = { "root", "ORAAUDITOR", NULL }, *const oracle[] = { "SYS", "LBACSYS", "ORAAUDITOR", "PUBLIC", NULL };
    static const char *const mysql_bases[] = { "information_schema", "mysql", "oceanbase", "test", "__recyclebin", "__public", "SYS", "LBACSYS",
                                               "ORAAUDITOR", NULL };
    static const char *const oracle_bases[] = { "SYS", "LBACSYS", "ORAAUDITOR", "oceanbase", "__recyclebin", "__public", NULL };
    const char *const *names = t->is_oracle ? oracle : mysql, *const *bases = t->is_oracle ? oracle_bases : mysql_bases;

    for (size_t i = 0; names[i] != NULL; i++) {
        struct sim_user *u = build_user(c, t, sim_slice(names[i]), SLICE("%"));

        u->id = i == 0 ? 200001 : u->id;
        u->is_locked = i > 0;
        u->is_role = strcmp(names[i], "PUBLIC") == 0;
        u->privileges = i == 0 ? sim_privileges_all(0) | SIM_P(GRANT_OPTION) : 0;
    }
    for (size_t i = 0; bases[i] != NULL; i++)
        (void)build_database(c, t, bases[i], NULL); /* found again by name */
}

/* --- tenants -------------------------------------------------------------------------------------------------------------------- */

static struct sim_tenant *one_tenant(struct sim_cluster *c, int64_t id, const char *name, enum sim_tenant_type type, bool is_oracle)
{
    struct sim_tenant *t = sim_push(&c->tenants);

    t->id = id;
    sim_name(t->name, sim_slice(name));
    t->type = type;
    t->is_oracle = is_oracle;
    sim_short(t->charset, sizeof t->charset, SLICE("utf8mb4"));
    sim_short(t->collation, sizeof t->collation, sim_slice(is_oracle ? "utf8mb4_bin" : "utf8mb4_general_ci"));
    sim_short(t->compatible, sizeof t->compatible, sim_slice(c->version));
    sim_text(&t->locality, SLICE(""));
    sim_text(&t->primary_zone, SLICE("RANDOM"));
    t->unit_num = 1;
    t->created_us = t->modified_us = c->now_us;
    t->next_user = 200002;
    t->next_object = 500001;
    t->next_ls = 1001;
    t->compaction.status = "IDLE";
    t->compaction.frozen_scn = t->compaction.broadcast_scn = t->compaction.last_scn = 1;
    sim_values_set(&t->parameters, "compatible", sim_slice(c->version), c->now_us);
    if (is_oracle)
        sim_values_set(&t->variables, "ob_compatibility_mode", SLICE("ORACLE"), c->now_us);
    first_accounts(c, t);
    return t;
}

struct sim_tenant *build_tenant(struct sim_cluster *c, const char *name, enum sim_tenant_type type, bool is_oracle)
{
    struct sim_tenant *t, *meta;
    char meta_name[SIM_NAME];

    if (type == SIM_TENANT_SYS) {
        t = one_tenant(c, 1, name, type, false);
        sim_values_set(&t->variables, "ob_tcp_invited_nodes", SLICE("%"), c->now_us);
        return t;
    }
    (void)snprintf(meta_name, sizeof meta_name, "META$%lld", (long long)c->next_tenant + 1);
    meta = one_tenant(c, c->next_tenant, meta_name, SIM_TENANT_META, false);
    t = one_tenant(c, c->next_tenant + 1, name, type, is_oracle);
    meta->status = t->status = SIM_TENANT_CREATING;
    sim_values_set(&t->variables, "ob_tcp_invited_nodes", SLICE("127.0.0.1"), c->now_us);
    c->next_tenant += 2;
    return t;
}

static void free_tenant(struct sim_tenant *t)
{
    for (size_t i = 0; i < t->streams.n; i++) {
        sim_clear(&t->streams.items[i]->replicas);
        mem_free(t->streams.items[i]->primary_zone);
    }
    sim_clear(&t->streams);
    for (size_t i = 0; i < t->users.n; i++)
        free_user(t->users.items[i]);
    sim_clear(&t->users);
    for (size_t i = 0; i < t->databases.n; i++)
        mem_free(t->databases.items[i]->comment);
    sim_clear(&t->databases);
    sim_clear(&t->objects);
    sim_clear(&t->recyclebin);
    sim_values_fini(&t->variables);
    sim_values_fini(&t->parameters);
    sim_clear(&t->compaction.zones);
    mem_free(t->compaction.info);
    mem_free(t->locality);
    mem_free(t->previous_locality);
    mem_free(t->primary_zone);
    mem_free(t->comment);
}

static void remove_tenant(struct sim_cluster *c, int64_t id)
{
    for (size_t i = 0; i < c->tenants.n; i++)
        if (c->tenants.items[i]->id == id) {
            free_tenant(c->tenants.items[i]);
            sim_remove(&c->tenants, i);
            return;
        }
}

void build_tenant_remove(struct sim_cluster *c, struct sim_tenant *t)
{
    int64_t id = t->id;

    for (size_t i = 0; i < c->pools.n; i++)
        if (c->pools.items[i]->tenant_id == id)
            place_revoke(c, c->pools.items[i]);
    if (t->type == SIM_TENANT_USER)
        remove_tenant(c, id - 1);
    remove_tenant(c, id);
}

/* --- topology ------------------------------------------------------------------------------------------------------------------- */

struct sim_zone *build_zone(struct sim_cluster *c, const char *name, const char *region, const char *idc, bool is_active)
{
    struct sim_zone *z = sim_push(&c->zones);

    sim_name(z->name, sim_slice(name));
    sim_name(z->region, sim_slice(region));
    sim_name(z->idc, sim_slice(idc));
    z->is_active = is_active;
    z->created_us = z->modified_us = c->now_us;
    return z;
}

struct sim_pool *build_pool(struct sim_cluster *c, const char *name, int64_t config_id, int unit_num)
{
    struct sim_pool *p = sim_push(&c->pools);

    p->id = c->next_pool++;
    sim_name(p->name, sim_slice(name));
    p->config_id = config_id;
    p->unit_num = unit_num;
    p->created_us = p->modified_us = c->now_us;
    return p;
}

void build_pool_zone(struct sim_pool *p, const char *zone)
{
    sim_name(sim_push(&p->zones)->s, sim_slice(zone));
}

void build_pool_remove(struct sim_cluster *c, struct sim_pool *p)
{
    place_remove_units(c, p->id, NULL);
    sim_clear(&p->zones);
    for (size_t i = 0; i < c->pools.n; i++)
        if (c->pools.items[i] == p) {
            sim_remove(&c->pools, i);
            return;
        }
}

void build_cluster_fini(struct sim_cluster *c)
{
    for (size_t i = 0; i < c->tenants.n; i++)
        free_tenant(c->tenants.items[i]);
    for (size_t i = 0; i < c->pools.n; i++)
        sim_clear(&c->pools.items[i]->zones);
    sim_clear(&c->tenants);
    sim_clear(&c->pools);
}
