/* SPDX-License-Identifier: Apache-2.0 */
#include "src/tenant/privilege.h"

#include <ctype.h>
#include <string.h>

ERR_DEFINE(ERR_DB_PRIVILEGE, 15255, 400, ERR_FINAL, "{0} cannot be granted here. Possible are: {1}.", "权限 {0} 无法在此处授予，可用权限：{1}。");
ERR_DEFINE(ERR_OBJECT_PRIVILEGE, 15258, 400, ERR_FINAL, "{0} cannot be granted on a {1}.", "权限 {0} 无法授予类型为 {1} 的对象。");

const struct err_row *const privilege_err_rows[] = { &ERR_DB_PRIVILEGE, &ERR_OBJECT_PRIVILEGE, NULL };

enum {
    G = PRIVILEGE_GLOBAL,
    GD = PRIVILEGE_GLOBAL | PRIVILEGE_DATABASE,
    GDT = GD | PRIVILEGE_TABLE,
    GDR = GD | PRIVILEGE_ROUTINE,
    GDTR = GDT | PRIVILEGE_ROUTINE,
};

const struct privilege privilege_rows[] = {
    { "ALTER", "ALTER", GDT },
    { "CREATE", "CREATE", GDT },
    { "DELETE", "DELETE", GDT },
    { "DROP", "DROP", GDT },
    { "INSERT", "INSERT", GDT },
    { "SELECT", "SELECT", GDT },
    { "UPDATE", "UPDATE", GDT },
    { "INDEX", "INDEX", GDT },
    { "CREATE_VIEW", "CREATE VIEW", GDT },
    { "SHOW_VIEW", "SHOW VIEW", GDT },
    { "REFERENCES", "REFERENCES", GDT },
    { "TRIGGER", "TRIGGER", GDT },
    { "EXECUTE", "EXECUTE", GDR },
    { "ALTER_ROUTINE", "ALTER ROUTINE", GDR },
    { "CREATE_ROUTINE", "CREATE ROUTINE", GD },
    { "LOCK_TABLES", "LOCK TABLES", GD },
    { "EVENT", "EVENT", GD },
    { "GRANT_OPTION", "GRANT OPTION", GDTR },
    { "CREATE_USER", "CREATE USER", G },
    { "PROCESS", "PROCESS", G },
    { "SUPER", "SUPER", G },
    { "SHOW_DATABASES", "SHOW DATABASES", G },
    { "FILE", "FILE", G },
    { "ALTER_SYSTEM", "ALTER SYSTEM", G },
    { "ALTER_TENANT", "ALTER TENANT", G },
    { "REPLICATION_SLAVE", "REPLICATION SLAVE", G },
    { "REPLICATION_CLIENT", "REPLICATION CLIENT", G },
    { "CREATE_TABLESPACE", "CREATE TABLESPACE", G },
    { "SHUTDOWN", "SHUTDOWN", G },
    { "RELOAD", "RELOAD", G },
    { "CREATE_ROLE", "CREATE ROLE", G },
    { "DROP_ROLE", "DROP ROLE", G },
    { "CREATE_RESOURCE_POOL", "CREATE RESOURCE POOL", G },
    { "CREATE_RESOURCE_UNIT", "CREATE RESOURCE UNIT", G },
    { "CREATE_DATABASE_LINK", "CREATE DATABASE LINK", G },
    { "DROP_DATABASE_LINK", "DROP DATABASE LINK", G },
    { "CREATE_AI_MODEL", "CREATE AI MODEL", G },
    { "ALTER_AI_MODEL", "ALTER AI MODEL", G },
    { "DROP_AI_MODEL", "DROP AI MODEL", G },
    { "ACCESS_AI_MODEL", "ACCESS AI MODEL", G },
    { NULL, NULL, 0 },
};

static bool is_same(const char *token, const char *given)
{
    for (; *token != '\0' && *given != '\0'; token++, given++)
        if (*token != (*given == ' ' ? '_' : toupper((unsigned char)*given)))
            return false;
    return *token == *given;
}

const struct privilege *privilege_find(const char *token)
{
    for (const struct privilege *p = privilege_rows; p->token != NULL; p++)
        if (is_same(p->token, token))
            return p;
    return NULL;
}

const char *privilege_token(const char *words, struct arena *arena)
{
    const struct privilege *known = privilege_find(words);
    char *made;

    if (known != NULL)
        return known->token;
    made = arena_strdup(arena, words); /* of a kernel newer than the table */
    for (char *p = made; p != NULL && *p != '\0'; p++)
        *p = *p == ' ' ? '_' : (char)toupper((unsigned char)*p);
    return made;
}

static int refuse(const char *token, enum privilege_level level, struct arena *arena, struct err *e)
{
    struct str possible;

    if (level >= PRIVILEGE_TABLE) {
        (void)err_set(e, &ERR_OBJECT_PRIVILEGE, "%s", token);
        return err_arg(e, "%s", level == PRIVILEGE_TABLE ? "TABLE" : "STORED_PROCEDURE");
    }
    str_init(&possible, arena);
    for (const struct privilege *p = privilege_rows; p->token != NULL; p++)
        if ((p->levels & level) != 0)
            str_printf(&possible, "%s%s", possible.n > 0 ? ", " : "", p->token);
    (void)err_set(e, &ERR_DB_PRIVILEGE, "%s", token);
    return err_arg(e, "%s", str_c(&possible));
}

int privilege_read(const struct field_strings *tokens, enum privilege_level level, struct arena *arena, struct field_strings *out,
                   struct err *e)
{
    *out = (struct field_strings){ arena_array(arena, tokens->n + 1, sizeof *out->items), 0 };
    if (out->items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < tokens->n; i++) {
        const struct privilege *p = privilege_find(tokens->items[i]);

        if (p == NULL || (p->levels & level) == 0)
            return refuse(tokens->items[i], level, arena, e);
        if (!text_set_has(out, p->words))
            out->items[out->n++] = p->words;
    }
    return 0;
}

/* --- sets --------------------------------------------------------------------------------------------------------------------- */

bool text_set_has(const struct field_strings *set, const char *text)
{
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->items[i], text) == 0)
            return true;
    return false;
}

static int add_missing(const struct field_strings *from, const struct field_strings *unless, struct arena *arena, struct field_strings *out,
                       struct err *e)
{
    const char **items = arena_array(arena, out->n + from->n + 1, sizeof *items);

    if (items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (out->n > 0)
        memcpy(items, out->items, out->n * sizeof *items);
    out->items = items;
    for (size_t i = 0; i < from->n; i++)
        if (!text_set_has(unless, from->items[i]))
            items[out->n++] = from->items[i];
    return 0;
}

int text_set_minus(const struct field_strings *a, const struct field_strings *b, struct arena *arena, struct field_strings *out, struct err *e)
{
    struct field_strings kept = { NULL, 0 };
    int rv = add_missing(a, b, arena, &kept, e);

    *out = kept;
    return rv;
}

int text_set_union(const struct field_strings *a, const struct field_strings *b, struct arena *arena, struct field_strings *out, struct err *e)
{
    struct field_strings both = *a;
    int rv = add_missing(b, a, arena, &both, e);

    *out = both;
    return rv;
}

/* --- databases in grants ------------------------------------------------------------------------------------------------------ */

const char *database_pattern(const char *name, struct arena *arena)
{
    char *made = arena_alloc(arena, 2 * strlen(name) + 1), *at = made;

    if (made == NULL)
        return NULL;
    for (; *name != '\0'; name++) {
        if (*name == '_' || *name == '%')
            *at++ = '\\';
        *at++ = *name;
    }
    *at = '\0';
    return made;
}

const char *database_of_pattern(const char *pattern, struct arena *arena)
{
    char *made = arena_alloc(arena, strlen(pattern) + 1), *at = made;

    if (made == NULL)
        return NULL;
    for (; *pattern != '\0'; pattern++)
        if (*pattern != '\\' || (pattern[1] != '_' && pattern[1] != '%'))
            *at++ = *pattern;
    *at = '\0';
    return made;
}
