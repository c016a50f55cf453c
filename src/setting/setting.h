/* SPDX-License-Identifier: Apache-2.0 */
/* setting.h - keeps OCP's system parameters (conf/parameters.h): MetaDB holds what differs from the defaults and the history of it,
 * every process reads that every few seconds, secret values are sealed. From fibers; any loop. */
#ifndef SETTING_SETTING_H
#define SETTING_SETTING_H

#include "conf/parameters.h"
#include "src/base/log.h"
#include "src/iam/principal.h"
#include "src/store/property.h"
#include "src/vault/vault.h"

struct setting_keeper;

ERR_DECLARE(ERR_PROPERTY_NOT_FOUND); /* {0} name */
ERR_DECLARE(ERR_PROPERTY_FIXED);     /* {0} name */
extern const struct err_row *const setting_err_rows[];

enum { SETTING_REFRESH_MS = 3000 };  /* a change is in force everywhere after this and a little more */

/* `parameters`, `vault` and `log` are borrowed and outlive it. Errors: NOMEM. */
MUST_CHECK int setting_keeper_new(struct parameters *parameters, const struct vault *vault, const struct log *log,
                                  struct setting_keeper **out, struct err *e);
/* NULL is fine. */
void setting_keeper_free(struct setting_keeper *k);

/* Looks whether anything was changed and takes it over; for a job with SETTING_REFRESH_MS, and before the first request is served.
 * Errors: those of db_read, NOMEM. */
MUST_CHECK int setting_refresh(struct setting_keeper *k, struct db *d, struct err *e);

/* A parameter as people see it. */
struct setting_view {
    enum parameter_id id;
    const struct parameter *row;
    const char *value;        /* as text; "******" for a secret that is set, "" for one that is not */
    bool changed;             /* differs from the default */
    bool pending;             /* waits for a restart of this node */
    int64_t updated_us;       /* FIELD_NONE: never changed */
    const char *username;     /* who changed it last; "": nobody */
};
/* All of them, in the order of the table; `part` (of name or description) NULL: all. Errors: those of db_read, NOMEM. */
MUST_CHECK int setting_list(struct setting_keeper *k, struct db *d, const char *part, struct arena *arena, struct setting_view **out,
                            size_t *n, struct err *e);
/* Errors: PROPERTY_NOT_FOUND, those of db_read. */
MUST_CHECK int setting_get(struct setting_keeper *k, struct db *d, const char *name, struct arena *arena, struct setting_view *out,
                           struct err *e);

/* Sets a value, or with NULL goes back to the default, and puts it in force here at once. `out` is the parameter as it is then.
 * Errors: PROPERTY_NOT_FOUND, PROPERTY_FIXED, INVALID, those of db_transact. */
MUST_CHECK int setting_change(struct setting_keeper *k, struct db *d, const struct principal *who, const char *name, const char *value,
                              struct arena *arena, struct setting_view *out, struct err *e);

/* Newest first; secret values are masked. `name` NULL: of all. Errors: PROPERTY_NOT_FOUND, those of db_read. */
MUST_CHECK int setting_history(struct db *d, const char *name, const struct store_page *page, struct arena *arena,
                               struct property_change **out, size_t *n, int64_t *total, struct err *e);

#endif
