/* SPDX-License-Identifier: Apache-2.0 */
/* configurl.h - the registry behind /services: observers report where the root service of their cluster runs, proxies and observers ask for it.
 * Nobody logs in there, so who may change a record is decided by addresses:
 *
 *   the cluster is managed here  its own servers; or anybody who says what this OCP has seen of it by SQL
 *   it is not                    whoever calls from a network of the setting configurl.networks
 *
 * Every node answers. What was read is kept in memory with its version, so an answer costs one short statement, and while MetaDB is away the
 * answers are those of before. Any thread; what takes a db from fibers of its loop. */
#ifndef CONFIGURL_CONFIGURL_H
#define CONFIGURL_CONFIGURL_H

#include "conf/parameters.h"
#include "conf/settings.h"
#include "src/base/log.h"
#include "src/configurl/record.h"
#include "src/io/addr.h"

struct configurl;

ERR_DECLARE(ERR_CONFIG_UNKNOWN);  /* 404 {0} name */
ERR_DECLARE(ERR_CONFIG_EXISTS);   /* 409 {0} name, {1} number */
ERR_DECLARE(ERR_CONFIG_FOREIGN);  /* 403 {0} name, {1} address of the caller: no server of the managed cluster */
ERR_DECLARE(ERR_CONFIG_NETWORK);  /* 403 {0} name, {1} address of the caller: of no network that may register */
ERR_DECLARE(ERR_CONFIG_FULL);     /* 503 {0} how many */
extern const struct err_row *const configurl_err_rows[];

enum { CONFIG_RECORDS_MAX = 10000, CONFIG_READ_MS = 1000 };

struct configurl_conf {
    struct settings_box *settings;   /* configurl.networks; borrowed, as all: outlive it */
    struct parameters *parameters;   /* ocp.config-url.* */
    const struct clock *clock;
    const struct log *log;
};
/* Errors: NOMEM. */
MUST_CHECK int configurl_new(const struct configurl_conf *conf, struct configurl **out, struct err *e);
/* NULL is fine. */
void configurl_free(struct configurl *c);

/* All records at one moment; not older than the call unless MetaDB is away. */
struct config_snapshot;
/* To be given back with configurl_put. Errors: those of db_read when nothing was ever read, NOMEM. */
MUST_CHECK int configurl_get(struct configurl *c, struct db *d, struct config_snapshot **out, struct err *e);
void configurl_put(struct config_snapshot *s);
const struct config_record *config_snapshot_records(const struct config_snapshot *s, size_t *n);

/* The URL under which a caller reaches this service, as the system parameters want it: the one it used, or the site's. Errors: NOMEM. */
MUST_CHECK int configurl_base(struct configurl *c, struct slice scheme, struct slice authority, struct arena *arena, const char **out,
                              struct err *e);

/* A report from `client`. An older one than is there changes nothing and is no error. *changed: readers see something new.
 * Errors: CONFIG_FOREIGN, CONFIG_NETWORK, CONFIG_FULL, those of db_transact. */
MUST_CHECK int configurl_report(struct configurl *c, struct db *d, struct config_report *r, const struct addr *client, struct arena *arena,
                                bool *changed, struct err *e);
/* Errors: CONFIG_FOREIGN, CONFIG_NETWORK, CONFIG_EXISTS, CONFIG_FULL, those of db_transact. */
MUST_CHECK int configurl_register(struct configurl *c, struct db *d, const char *name, int64_t id, const struct addr *client,
                                  struct arena *arena, struct err *e);
/* One number, or all of the name with -1. *n: how many there were. Errors: CONFIG_FOREIGN, CONFIG_NETWORK, those of db_transact. */
MUST_CHECK int configurl_delete(struct configurl *c, struct db *d, const char *name, int64_t id, const struct addr *client,
                                struct arena *arena, uint64_t *n, struct err *e);

/* Keeps what was seen of the managed cluster by SQL as its record, unless nothing was seen yet. Errors: those of db_transact. */
MUST_CHECK int configurl_confirm(struct configurl *c, struct db *d, const char *name, int64_t id, struct arena *arena, struct err *e);

/* Is this what was seen of the cluster by SQL: the same servers, led by the same one? Pure. */
bool configurl_is_confirmed(const struct config_report *r, const struct config_server *seen, size_t n);

#endif
