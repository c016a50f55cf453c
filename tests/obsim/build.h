/* SPDX-License-Identifier: Apache-2.0 */
/* build.h - making and freeing the larger objects of a cluster, whole. */
#ifndef OBSIM_BUILD_H
#define OBSIM_BUILD_H

#include "tests/obsim/state.h"

/* A tenant with its accounts (root, or SYS and others in Oracle mode) and databases; of type USER with its meta tenant before it, of which
 * the id is one less. Pools are granted by the caller. Status CREATING. */
struct sim_tenant *build_tenant(struct sim_cluster *c, const char *name, enum sim_tenant_type type, bool is_oracle);
/* Removes it with its meta tenant; its pools are free afterwards. */
void build_tenant_remove(struct sim_cluster *c, struct sim_tenant *t);
struct sim_user *build_user(struct sim_cluster *c, struct sim_tenant *t, struct slice name, struct slice host);
void build_user_remove(struct sim_tenant *t, struct sim_user *u);
struct sim_database *build_database(struct sim_cluster *c, struct sim_tenant *t, const char *name, const struct sim_collation *collation);
/* With its objects; what is granted on it stays, as in the kernel. */
void build_database_remove(struct sim_tenant *t, struct sim_database *d);

struct sim_zone *build_zone(struct sim_cluster *c, const char *name, const char *region, const char *idc, bool is_active);
struct sim_pool *build_pool(struct sim_cluster *c, const char *name, int64_t config_id, int unit_num);
void build_pool_zone(struct sim_pool *p, const char *zone);
/* Without looking whether anybody uses it; its units go with it. */
void build_pool_remove(struct sim_cluster *c, struct sim_pool *p);

/* Frees tenants and pools of a cluster that ends. */
void build_cluster_fini(struct sim_cluster *c);

#endif
