/* SPDX-License-Identifier: Apache-2.0 */
#include "src/tenant/database.h"

#include <string.h>
#include <strings.h>

#include "src/oceanbase/database.h"
#include "src/tenant/name.h"

ERR_DEFINE(ERR_DATABASE_NAME, 15200, 400, ERR_FINAL,
           "{0} cannot be the name of a database: a letter, then letters, digits and underscores, 2 to 128 characters.",
           "数据库名称 {0} 不合法：须以字母开头，仅含字母、数字和下划线，长度为 2 到 128 个字符。");
ERR_DEFINE(ERR_DATABASE_EXISTS, 15201, 409, ERR_FINAL, "There is a database {0} already.", "数据库 {0} 已存在。");
ERR_DEFINE(ERR_DATABASE_NOT_FOUND, 15202, 404, ERR_FINAL, "There is no database {0}.", "数据库 {0} 不存在。");
ERR_DEFINE(ERR_DATABASE_NO_CHANGE, 15203, 400, ERR_FINAL, "Nothing to change was given: collation, readonly or primaryZone.",
           "未指定任何修改项：collation、readonly 或 primaryZone。");
ERR_DEFINE(ERR_DATABASE_SYSTEM, 15204, 400, ERR_FINAL, "{0} belongs to the kernel and cannot be changed.", "系统数据库 {0} 不允许修改或删除。");
ERR_DEFINE(ERR_DATABASE_COLLATION, 15205, 400, ERR_FINAL, "The tenant has no collation {0}.", "租户不支持字符序 {0}。");
ERR_DEFINE(ERR_DATABASE_ORACLE, 15206, 400, ERR_FINAL, "The tenant {0} is in Oracle mode: it has schemas of users and no databases.",
           "租户 {0} 为 Oracle 模式，没有数据库，只有用户对应的 Schema。");

const struct err_row *const database_err_rows[] = {
    &ERR_DATABASE_NAME,   &ERR_DATABASE_EXISTS,    &ERR_DATABASE_NOT_FOUND, &ERR_DATABASE_NO_CHANGE,
    &ERR_DATABASE_SYSTEM, &ERR_DATABASE_COLLATION, &ERR_DATABASE_ORACLE,    NULL,
};

/* What the server answers. */
enum {
    EXISTS = 1007,
    NOT_THERE = 1008,
    UNKNOWN_DATABASE = 1049,
    UNKNOWN_CHARSET = 1115,
    COLLATION_MISMATCH = 1253,
    UNKNOWN_COLLATION = 1273,
};

static int64_t known(int64_t v)
{
    return v > 0 ? v : FIELD_NONE;
}

/* Databases lead where their tenant does. */
static const char *primary_zone_of(const struct tenant *t, const char *zones)
{
    if (t->row.primary_zone[0] != '\0')
        return t->row.primary_zone;
    return zones[0] != '\0' ? zones : NULL;
}

static int view_of(struct tenant *t, const char *zones, const struct ob_database *d, struct database *out, struct err *e)
{
    *out = (struct database){
        .id = known(d->id),
        .created_us = known(d->created_us),
        .name = d->name,
        .charset = d->charset,
        .collation = d->collation,
        .primary_zone = primary_zone_of(t, zones),
        .read_only = d->read_only,
    };
    return tenant_connect_to(t, d->name, &out->urls, e);
}

/* --- listing ------------------------------------------------------------------------------------------------------------------ */

struct listing {
    struct arena *arena;
    struct ob_database *list;
    size_t n;
};

static int work_list(struct sql *s, struct tenant_step *step, struct err *e)
{
    struct listing *g = step->data;

    return ob_databases_list(s, g->arena, &g->list, &g->n, e);
}

int database_list(struct tenant *t, struct database **out, size_t *n, struct err *e)
{
    struct listing g = { .arena = t->arena };
    const char *zones = "";
    int rv = tenant_require_mysql(t, &ERR_DATABASE_ORACLE, e);

    if (rv == 0)
        rv = tenant_zones(t, &zones, e);
    if (rv == 0)
        rv = tenant_ask(t, work_list, &g, e);
    if (rv != 0)
        return rv;
    *n = 0;
    *out = arena_array(t->arena, g.n + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < g.n; i++)
        if (strncmp(g.list[i].name, "__", 2) != 0)
            rv = view_of(t, zones, &g.list[i], &(*out)[(*n)++], e);
    return rv;
}

/* --- changing ----------------------------------------------------------------------------------------------------------------- */

struct changing {
    struct tenant *t;
    const struct database_wish *wish;
    struct ob_database found;          /* what there is afterwards */
    const char *zones;
};

/* A kernel that keeps names in lower case (lower_case_table_names) has another spelling. */
static int read_back(struct sql *s, struct changing *g, struct err *e)
{
    const struct ob_database *found = NULL;
    struct ob_database *list;
    size_t n;
    int rv = ob_databases_list(s, g->t->arena, &list, &n, e);

    for (size_t i = 0; rv == 0 && i < n; i++)
        if (strcasecmp(list[i].name, g->wish->name) == 0 && (found == NULL || strcmp(list[i].name, g->wish->name) == 0))
            found = &list[i];
    if (rv == 0 && found == NULL)
        rv = err_set(e, &ERR_DATABASE_NOT_FOUND, "%s", g->wish->name);
    if (rv == 0)
        g->found = *found;
    return rv;
}

static int word(const struct database_wish *w, int rv, struct err *e)
{
    switch (rv != 0 ? e->lib_code : 0) {
    case EXISTS:
        return err_set(e, &ERR_DATABASE_EXISTS, "%s", w->name);
    case NOT_THERE:
    case UNKNOWN_DATABASE:
        return err_set(e, &ERR_DATABASE_NOT_FOUND, "%s", w->name);
    case UNKNOWN_CHARSET:
    case COLLATION_MISMATCH:
    case UNKNOWN_COLLATION:
        return err_set(e, &ERR_DATABASE_COLLATION, "%s", w->collation != NULL ? w->collation : "");
    default:
        return rv;
    }
}

/* OCP's documents name character sets where they mean collations. */
static struct ob_database statement_of(const struct database_wish *w)
{
    static const char *const charsets[] = { "utf8mb4", "gbk", "gb18030", "binary" };
    struct ob_database d = { .name = w->name, .collation = w->collation, .read_only = w->read_only };

    for (size_t i = 0; w->collation != NULL && i < sizeof charsets / sizeof charsets[0]; i++)
        if (strcasecmp(w->collation, charsets[i]) == 0) {
            d.charset = w->collation;
            d.collation = NULL;
        }
    return d;
}

static int work_create(struct sql *s, struct tenant_step *step, struct err *e)
{
    struct changing *g = step->data;
    struct ob_database d = statement_of(g->wish);
    int rv = word(g->wish, ob_database_create(s, &d, e), e);

    if (rv != 0 && !(step->again && err_is(e, &ERR_DATABASE_EXISTS)))
        return rv;
    step->changed = true;
    return read_back(s, g, e);
}

static int work_alter(struct sql *s, struct tenant_step *step, struct err *e)
{
    struct changing *g = step->data;
    struct ob_database d = statement_of(g->wish);
    bool anything = d.charset != NULL || d.collation != NULL || d.read_only >= 0;
    int rv = anything ? word(g->wish, ob_database_alter(s, &d, e), e) : 0;

    if (rv != 0)
        return rv;
    step->changed = true;
    return read_back(s, g, e);
}

static int work_drop(struct sql *s, struct tenant_step *step, struct err *e)
{
    const struct database_wish *w = step->data;
    int rv = word(w, ob_database_drop(s, w->name, e), e);

    return rv != 0 && step->again && err_is(e, &ERR_DATABASE_NOT_FOUND) ? 0 : rv;
}

static int change(struct tenant *t, const struct database_wish *wish, tenant_work work, struct database *out, struct err *e)
{
    struct changing g = { .t = t, .wish = wish };
    int rv = tenant_zones(t, &g.zones, e);

    if (rv == 0)
        rv = primary_zone_check(wish->primary_zone, g.zones, e);
    if (rv == 0)
        rv = tenant_change(t, work, &g, e);
    return rv == 0 ? view_of(t, g.zones, &g.found, out, e) : rv;
}

int database_create(struct tenant *t, const struct database_wish *wish, struct database *out, struct err *e)
{
    int rv = tenant_require_mysql(t, &ERR_DATABASE_ORACLE, e);

    if (rv != 0)
        return rv;
    if (!tenant_name_is_valid(wish->name, DATABASE_NAME_MAX))
        return err_set(e, &ERR_DATABASE_NAME, "%s", wish->name);
    if (ob_database_is_system(wish->name))
        return err_set(e, &ERR_DATABASE_SYSTEM, "%s", wish->name);
    return change(t, wish, work_create, out, e);
}

int database_update(struct tenant *t, const struct database_wish *wish, struct database *out, struct err *e)
{
    int rv = tenant_require_mysql(t, &ERR_DATABASE_ORACLE, e);

    if (rv != 0)
        return rv;
    if (ob_database_is_system(wish->name))
        return err_set(e, &ERR_DATABASE_SYSTEM, "%s", wish->name);
    if (wish->collation == NULL && wish->primary_zone == NULL && wish->read_only < 0)
        return err_set(e, &ERR_DATABASE_NO_CHANGE, "");
    return change(t, wish, work_alter, out, e);
}

int database_drop(struct tenant *t, const char *name, struct err *e)
{
    struct database_wish w = { .name = name };
    int rv = tenant_require_mysql(t, &ERR_DATABASE_ORACLE, e);

    if (rv == 0 && ob_database_is_system(name))
        rv = err_set(e, &ERR_DATABASE_SYSTEM, "%s", name);
    return rv == 0 ? tenant_change(t, work_drop, &w, e) : rv;
}
