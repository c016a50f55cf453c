/* SPDX-License-Identifier: Apache-2.0 */
/* Holding what is seen against what was seen before. Both lists of a kind are mostly in the same order, so each search begins where the
 * last one ended. */
#include "src/obcluster/look.h"

#include <math.h>
#include <string.h>

/* --- what is the same --------------------------------------------------------------------------------------------------------- */

static bool same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_real(double a, double b)
{
    return (isnan(a) && isnan(b)) || !(a < b || a > b);
}

/* Disks fill all the time: less than 16 MiB, or than a hundredth, is not worth a row. */
static bool same_use(int64_t a, int64_t b, bool exact)
{
    enum { WORTH = 16 << 20 };
    int64_t more = a > b ? a : b, less = a > b ? b : a;

    if (a == b || exact || less < 0)
        return a == b;
    return more - less < WORTH || more - less < more / 100;
}

static bool zone_is_same(const void *was, const void *is, bool exact)
{
    const struct obzone *a = was, *b = is;

    (void)exact;
    return same(a->region, b->region) && same(a->idc, b->idc) && same(a->inner_status, b->inner_status) && same(a->type, b->type) &&
           same(a->compaction, b->compaction);
}

static bool capacity_is_same(const struct observer *a, const struct observer *b, bool exact)
{
    return same_real(a->cpu_total, b->cpu_total) && same_real(a->cpu_max, b->cpu_max) && same_real(a->cpu_assigned, b->cpu_assigned) &&
           same_real(a->cpu_assigned_max, b->cpu_assigned_max) && a->memory_total == b->memory_total &&
           a->memory_assigned == b->memory_assigned && a->log_disk_total == b->log_disk_total &&
           a->log_disk_assigned == b->log_disk_assigned && a->data_disk_total == b->data_disk_total &&
           same_use(a->log_disk_used, b->log_disk_used, exact) && same_use(a->data_disk_used, b->data_disk_used, exact);
}

static bool server_is_same(const void *was, const void *is, bool exact)
{
    const struct observer *a = was, *b = is;

    return same(a->zone, b->zone) && a->sql_port == b->sql_port && same(a->version, b->version) && same(a->inner_status, b->inner_status) &&
           a->with_rootserver == b->with_rootserver && a->in_rs_list == b->in_rs_list && a->start_us == b->start_us &&
           a->stop_us == b->stop_us && a->offline_us == b->offline_us && capacity_is_same(a, b, exact);
}

static bool tenant_is_same(const void *was, const void *is, bool exact)
{
    const struct obtenant *a = was, *b = is;

    (void)exact;
    return same(a->name, b->name) && same(a->mode, b->mode) && same(a->status, b->status) && same(a->charset, b->charset) &&
           same(a->collation, b->collation) && same(a->time_zone, b->time_zone) && same(a->primary_zone, b->primary_zone) &&
           same(a->locality, b->locality) && same(a->former_locality, b->former_locality) && same(a->role, b->role) &&
           same(a->switchover_status, b->switchover_status) && same(a->compatible, b->compatible) && same(a->whitelist, b->whitelist) &&
           same(a->service, b->service) &&
           a->readonly == b->readonly && a->locked == b->locked && a->unit_num == b->unit_num && a->lower_case_names == b->lower_case_names &&
           a->born_us == b->born_us;
}

static bool unit_is_same(const void *was, const void *is, bool exact)
{
    const struct obunit *a = was, *b = is;

    return a->ob_tenant_id == b->ob_tenant_id && same(a->zone, b->zone) && same(a->ip, b->ip) && a->port == b->port &&
           same(a->status, b->status) && a->group_id == b->group_id && a->pool_id == b->pool_id && same(a->pool_name, b->pool_name) &&
           a->pool_unit_count == b->pool_unit_count && a->config_id == b->config_id && same(a->config_name, b->config_name) &&
           same_real(a->max_cpu, b->max_cpu) && same_real(a->min_cpu, b->min_cpu) && a->memory == b->memory && a->log_disk == b->log_disk &&
           a->max_iops == b->max_iops && a->min_iops == b->min_iops && a->iops_weight == b->iops_weight &&
           same(a->migrate_from_ip, b->migrate_from_ip) && a->migrate_from_port == b->migrate_from_port &&
           a->manual_migrate == b->manual_migrate && same_use(a->log_disk_used, b->log_disk_used, exact) &&
           same_use(a->data_disk_used, b->data_disk_used, exact);
}

/* --- which row is which ------------------------------------------------------------------------------------------------------- */

static bool is_this_zone(const void *was, const void *is)
{
    return strcmp(((const struct obzone *)was)->name, ((const struct obzone *)is)->name) == 0;
}

static bool is_this_server(const void *was, const void *is)
{
    const struct observer *a = was, *b = is;

    return a->port == b->port && strcmp(a->ip, b->ip) == 0;
}

static bool is_this_tenant(const void *was, const void *is)
{
    return ((const struct obtenant *)was)->ob_tenant_id == ((const struct obtenant *)is)->ob_tenant_id;
}

static bool is_this_unit(const void *was, const void *is)
{
    return ((const struct obunit *)was)->ob_unit_id == ((const struct obunit *)is)->ob_unit_id;
}

/* --- rows of any kind --------------------------------------------------------------------------------------------------------- */

struct kind {
    size_t rows, n_rows;                     /* in struct obtopology */
    size_t gone, n_gone;                     /* in struct obtopology_gone */
    size_t size, id, created, updated, changed;
    bool (*is_this)(const void *was, const void *is);
    bool (*is_same)(const void *was, const void *is, bool exact);
};
#define KIND(STRUCT, ROWS, IS_THIS, IS_SAME)                                                                                       \
    { offsetof(struct obtopology, ROWS), offsetof(struct obtopology, n_##ROWS), offsetof(struct obtopology_gone, ROWS),            \
      offsetof(struct obtopology_gone, n_##ROWS), sizeof(struct STRUCT), offsetof(struct STRUCT, id), offsetof(struct STRUCT, created_us), \
      offsetof(struct STRUCT, updated_us), offsetof(struct STRUCT, changed), IS_THIS, IS_SAME }
static const struct kind kinds[] = {
    KIND(obzone, zones, is_this_zone, zone_is_same),
    KIND(observer, servers, is_this_server, server_is_same),
    KIND(obtenant, tenants, is_this_tenant, tenant_is_same),
    KIND(obunit, units, is_this_unit, unit_is_same),
};
enum { N_KINDS = sizeof kinds / sizeof kinds[0] };

static char *rows_of(const struct obtopology *t, const struct kind *k)
{
    char *rows;

    memcpy(&rows, (const char *)t + k->rows, sizeof rows);
    return rows;
}

static size_t count_of(const struct obtopology *t, const struct kind *k)
{
    size_t n;

    memcpy(&n, (const char *)t + k->n_rows, sizeof n);
    return n;
}

static int64_t *number_at(char *row, size_t offset)
{
    return (int64_t *)(void *)(row + offset);
}

/* The row among those of `t` that is `row`; the search begins at *hint, which moves behind what it finds. */
static char *find(const struct obtopology *t, const struct kind *k, const char *row, size_t *hint)
{
    char *rows = rows_of(t, k);
    size_t n = count_of(t, k);

    for (size_t i = 0; i < n; i++) {
        size_t at = (*hint + i) % n;

        if (!k->is_this(rows + at * k->size, row))
            continue;
        *hint = at + 1;
        return rows + at * k->size;
    }
    return NULL;
}

size_t look_count_new(const struct obtopology *former, const struct obtopology *seen)
{
    size_t n_new = 0;

    for (const struct kind *k = kinds; k < kinds + N_KINDS; k++) {
        size_t hint = 0, n = count_of(seen, k);

        for (size_t i = 0; i < n; i++)
            n_new += find(former, k, rows_of(seen, k) + i * k->size, &hint) == NULL;
    }
    return n_new;
}

static bool merge_row(const struct kind *k, char *was, char *row, const int64_t **new_ids, int64_t now_us, bool exact)
{
    bool differs = was == NULL || !k->is_same(was, row, exact);

    *number_at(row, k->id) = was != NULL ? *number_at(was, k->id) : *(*new_ids)++;
    *number_at(row, k->created) = was != NULL ? *number_at(was, k->created) : now_us;
    *number_at(row, k->updated) = differs ? now_us : *number_at(was, k->updated);
    *(bool *)(row + k->changed) = differs;
    return differs;
}

bool look_merge(const struct obtopology *former, struct obtopology *seen, const int64_t *new_ids, int64_t now_us, bool exact)
{
    bool differs = false;

    for (const struct kind *k = kinds; k < kinds + N_KINDS; k++) {
        size_t hint = 0, n = count_of(seen, k);

        differs |= n != count_of(former, k);
        for (size_t i = 0; i < n; i++) {
            char *row = rows_of(seen, k) + i * k->size;

            differs |= merge_row(k, find(former, k, row, &hint), row, &new_ids, now_us, exact);
        }
    }
    return differs;
}

int look_gone(const struct obtopology *former, const struct obtopology *seen, struct arena *arena, struct obtopology_gone *out, struct err *e)
{
    *out = (struct obtopology_gone){ .zones = NULL };
    for (const struct kind *k = kinds; k < kinds + N_KINDS; k++) {
        size_t hint = 0, n = count_of(former, k), n_gone = 0;
        int64_t *ids = arena_array(arena, n + 1, sizeof *ids);

        if (ids == NULL)
            return err_set(e, &ERR_NOMEM, "");
        for (size_t i = 0; i < n; i++) {
            char *row = rows_of(former, k) + i * k->size;

            if (find(seen, k, row, &hint) == NULL)
                ids[n_gone++] = *number_at(row, k->id);
        }
        memcpy((char *)out + k->gone, &ids, sizeof ids);
        memcpy((char *)out + k->n_gone, &n_gone, sizeof n_gone);
    }
    return 0;
}
