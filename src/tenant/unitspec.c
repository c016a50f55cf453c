/* SPDX-License-Identifier: Apache-2.0 */
#include "src/tenant/unitspec.h"

#include <string.h>

#include "src/tenant/name.h"

ERR_DEFINE(ERR_UNITSPEC_NOT_FOUND, 15001, 404, ERR_FINAL, "There is no unit specification {0}.", "Unit 规格 {0} 不存在。");
ERR_DEFINE(ERR_UNITSPEC_NAME, 15003, 400, ERR_FINAL,
           "{0} cannot be the name of a unit specification: a letter, then letters, digits and underscores, 2 to 32 characters.",
           "Unit 规格名称 {0} 不合法：须以字母开头，仅含字母、数字和下划线，长度为 2 到 32 个字符。");
ERR_DEFINE(ERR_UNITSPEC_EXISTS, 15004, 409, ERR_FINAL, "There is a unit specification {0} already.", "Unit 规格 {0} 已存在。");
ERR_DEFINE(ERR_UNITSPEC_CPU, 15005, 400, ERR_FINAL, "{0} must be from 0.5 to 999 cores.", "{0} 须在 0.5 到 999 核之间。");
ERR_DEFINE(ERR_UNITSPEC_MEMORY, 15006, 400, ERR_FINAL, "{0} must be from 1 to 10000 GB.", "{0} 须在 1 到 10000 GB 之间。");
ERR_DEFINE(ERR_UNITSPEC_CPU_ORDER, 15011, 400, ERR_FINAL, "minCpuCoreCount must not be more than maxCpuCoreCount.",
           "minCpuCoreCount 不能大于 maxCpuCoreCount。");
ERR_DEFINE(ERR_UNITSPEC_MEMORY_ORDER, 15012, 400, ERR_FINAL, "minMemorySize must not be more than maxMemorySize.",
           "minMemorySize 不能大于 maxMemorySize。");
ERR_DEFINE(ERR_UNITSPEC_SYSTEM, 15015, 403, ERR_FINAL, "The unit specification {0} comes with the system and cannot be deleted.",
           "系统内置 Unit 规格 {0} 不能删除。");

const struct err_row *const unitspec_err_rows[] = {
    &ERR_UNITSPEC_NOT_FOUND, &ERR_UNITSPEC_NAME,      &ERR_UNITSPEC_EXISTS,       &ERR_UNITSPEC_CPU,
    &ERR_UNITSPEC_MEMORY,    &ERR_UNITSPEC_CPU_ORDER, &ERR_UNITSPEC_MEMORY_ORDER, &ERR_UNITSPEC_SYSTEM, NULL,
};

static const double cpu_min = 0.5, cpu_max = 999;
enum { MEMORY_MIN_GB = 1, MEMORY_MAX_GB = 10000 };

static int check_cpu(double cores, const char *member, struct err *e)
{
    return cores >= cpu_min && cores <= cpu_max ? 0 : err_set(e, &ERR_UNITSPEC_CPU, "%s", member);
}

static int check_memory(int64_t gb, const char *member, struct err *e)
{
    return gb >= MEMORY_MIN_GB && gb <= MEMORY_MAX_GB ? 0 : err_set(e, &ERR_UNITSPEC_MEMORY, "%s", member);
}

static int check(const struct unitspec *s, struct err *e)
{
    int rv = tenant_name_is_valid(s->name, UNITSPEC_NAME_MAX) ? 0 : err_set(e, &ERR_UNITSPEC_NAME, "%s", s->name);

    if (rv == 0)
        rv = check_cpu(s->max_cpu, "maxCpuCoreCount", e);
    if (rv == 0)
        rv = check_cpu(s->min_cpu, "minCpuCoreCount", e);
    if (rv == 0)
        rv = check_memory(s->max_memory_gb, "maxMemorySize", e);
    if (rv == 0)
        rv = check_memory(s->min_memory_gb, "minMemorySize", e);
    if (rv == 0 && s->min_cpu > s->max_cpu)
        rv = err_set(e, &ERR_UNITSPEC_CPU_ORDER, "");
    if (rv == 0 && s->min_memory_gb > s->max_memory_gb)
        rv = err_set(e, &ERR_UNITSPEC_MEMORY_ORDER, "");
    return rv;
}

int unitspec_add(struct db *d, struct unitspec *s, struct arena *arena, struct err *e)
{
    int rv = check(s, e);

    s->kind = UNITSPEC_CUSTOM;
    if (rv == 0)
        rv = db_next_id(d, &s->id, e);
    if (rv == 0)
        rv = store_unitspec_insert(d, s, e);
    if (rv != 0)
        return err_is(e, &ERR_NAME_USED) ? err_set(e, &ERR_UNITSPEC_EXISTS, "%s", s->name) : rv;
    return store_unitspec_get(d, s->id, arena, s, e);
}

static int not_found(int64_t id, struct err *e)
{
    return err_set(e, &ERR_UNITSPEC_NOT_FOUND, "%lld", (long long)id);
}

int unitspec_remove(struct db *d, int64_t id, struct arena *arena, const char **name, struct err *e)
{
    struct unitspec s;
    int rv = store_unitspec_get(d, id, arena, &s, e);

    if (rv != 0)
        return err_is(e, &ERR_NOT_FOUND) ? not_found(id, e) : rv;
    if (name != NULL)
        *name = s.name;
    if (strcmp(s.kind, UNITSPEC_CUSTOM) != 0)
        return err_set(e, &ERR_UNITSPEC_SYSTEM, "%s", s.name);
    rv = store_unitspec_delete(d, id, e);
    return rv != 0 && err_is(e, &ERR_NOT_FOUND) ? not_found(id, e) : rv;
}
