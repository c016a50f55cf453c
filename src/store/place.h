/* SPDX-License-Identifier: Apache-2.0 */
/* place.h - where hosts stand and what they are: regions, IDCs (each in a region) and host types. What is used by something else
 * cannot be deleted. */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "src/store/list.h"

ERR_DECLARE(ERR_IN_USE); /* {0} kind, {1} name or id, {2} what uses it: "2 hosts" */
extern const struct err_row *const place_err_rows[];

struct region {
    int64_t id;
    const char *name, *description;
    int64_t created_us, updated_us;
};
struct idc {
    int64_t id;
    const char *name, *description;
    int64_t region_id;
    const char *region_name, *region_description; /* read only */
    int64_t created_us, updated_us;
};
struct host_type {
    int64_t id;
    const char *name, *description;
    int64_t created_us, updated_us;
};

/* Lists may be sorted by id, name, createTime, updateTime; newest first by themselves. Errors: those of list_read. */
MUST_CHECK int store_region_list(struct db *d, const struct store_page *page, struct arena *arena, struct region **out, size_t *n,
                                 int64_t *total, struct err *e);
MUST_CHECK int store_idc_list(struct db *d, const struct store_page *page, struct arena *arena, struct idc **out, size_t *n, int64_t *total,
                              struct err *e);
MUST_CHECK int store_host_type_list(struct db *d, const struct store_page *page, struct arena *arena, struct host_type **out, size_t *n,
                                    int64_t *total, struct err *e);

/* Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int store_region_get(struct db *d, int64_t id, struct arena *arena, struct region *out, struct err *e);
MUST_CHECK int store_idc_get(struct db *d, int64_t id, struct arena *arena, struct idc *out, struct err *e);
MUST_CHECK int store_host_type_get(struct db *d, int64_t id, struct arena *arena, struct host_type *out, struct err *e);
MUST_CHECK int store_region_find(struct db *d, const char *name, struct arena *arena, struct region *out, struct err *e);
MUST_CHECK int store_idc_find(struct db *d, const char *name, struct arena *arena, struct idc *out, struct err *e);
MUST_CHECK int store_host_type_find(struct db *d, const char *name, struct arena *arena, struct host_type *out, struct err *e);

/* Each in a transaction of its own; the id is the caller's (db_next_id), times are set here.
 * Errors: NAME_USED, NOT_FOUND (the row, or the region of an IDC), those of db_transact. */
MUST_CHECK int store_region_insert(struct db *d, const struct region *r, struct err *e);
MUST_CHECK int store_idc_insert(struct db *d, const struct idc *i, struct err *e);
MUST_CHECK int store_host_type_insert(struct db *d, const struct host_type *t, struct err *e);
MUST_CHECK int store_region_update(struct db *d, const struct region *r, struct err *e);
MUST_CHECK int store_idc_update(struct db *d, const struct idc *i, struct err *e);
MUST_CHECK int store_host_type_update(struct db *d, const struct host_type *t, struct err *e);
/* Errors: NOT_FOUND, IN_USE, those of db_transact. */
MUST_CHECK int store_region_delete(struct db *d, int64_t id, struct err *e);
MUST_CHECK int store_idc_delete(struct db *d, int64_t id, struct err *e);
MUST_CHECK int store_host_type_delete(struct db *d, int64_t id, struct err *e);

/* Locks the row until the transaction ends, so that nobody deletes it meanwhile. Errors: NOT_FOUND, those of tx_run. */
MUST_CHECK int store_idc_hold(struct tx *tx, int64_t id, struct err *e);
MUST_CHECK int store_host_type_hold(struct tx *tx, int64_t id, struct err *e);

#endif
