/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/customrole.h"

#include <string.h>
#include <strings.h>

#include "src/base/num.h"
#include "src/iam/role.h"
#include "src/iam/user.h"

ERR_DEFINE(ERR_ROLE_NAME, 3016, 400, ERR_FINAL,
           "The role name is invalid: {0}. It needs 2 to 32 letters, digits or underscores, a letter first and a letter or digit last.",
           "角色名称不合法：{0}。长度为 2 到 32 个字符，可包含字母、数字和下划线，以字母开头，以字母或数字结尾。");
ERR_DEFINE(ERR_ROLE_DEFAULT, 3103, 403, ERR_FINAL,
           "The role {0} is a default role and cannot be changed or deleted. Copy it under another name and change the copy.",
           "角色 {0} 为默认角色，不能修改或删除，可复制为新角色后再修改。");

const struct err_row *const role_err_rows[] = { &ERR_ROLE_NAME, &ERR_ROLE_DEFAULT, NULL };

enum { MIN_NAME = 2, MAX_NAME = 32, MAX_DESCRIPTION = 1024 };
static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

const char *role_name_problem(const char *name)
{
    size_t n = strlen(name);

    if (n < MIN_NAME || n > MAX_NAME)
        return n < MIN_NAME ? "it is shorter than 2 characters" : "it is longer than 32 characters";
    if (strspn(name, letters) == 0)
        return "it does not begin with a letter";
    for (const char *s = name; *s != '\0'; s++) {
        if (strchr(letters, *s) == NULL && strchr("0123456789_", *s) == NULL)
            return "it has a character that is not allowed";
    }
    return name[n - 1] == '_' ? "it ends with an underscore" : NULL;
}

static int check_name(const char *name, struct err *e)
{
    const char *problem = role_name_problem(name);

    if (problem != NULL)
        return err_set(e, &ERR_ROLE_NAME, "%s", problem);
    for (const struct role_row *r = role_rows; r->name != NULL; r++) {
        if (strcasecmp(r->name, name) != 0)
            continue;
        (void)err_set(e, &ERR_NAME_USED, "role");
        return err_arg(e, "%s", name);
    }
    return 0;
}

static int check_description(const char *text, struct err *e)
{
    for (const char *s = text; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return err_set(e, &ERR_INVALID, "description: it has control characters");
    }
    return strlen(text) <= MAX_DESCRIPTION ? 0 : err_set(e, &ERR_INVALID, "description: it is longer than %d bytes", MAX_DESCRIPTION);
}

/* ---- permissions ----------------------------------------------------------------------------------------------------- */

static bool has_line(const struct str *t, struct slice line)
{
    struct slice rest = { t->s, t->n };

    while (rest.n > 0) {
        struct slice one = slice_cut(&rest, '\n');

        if (one.n == line.n && memcmp(one.s, line.s, line.n) == 0)
            return true;
    }
    return false;
}

/* One expression, in its full form, unless it is there already. "*" is an administrator's to give, "**" is what the role ADMIN is. */
static int add_expression(const struct principal *who, const char *expression, struct str *lines, struct err *e)
{
    struct permission p;
    struct str full;
    int rv = permission_parse(slice_trim((struct slice){ expression, strlen(expression) }), NULL, NULL, &p, e);

    if (rv != 0)
        return rv;
    if (p.domain == PERMISSION_ALL) {
        (void)err_set(e, &ERR_PERMISSION_INVALID, "**");
        return err_arg(e, "only the role ADMIN has it");
    }
    if (p.domain == PERMISSION_STAR && !principal_is_admin(who))
        return err_set(e, &ERR_ADMIN_NEEDED, "give the permission * to a role");
    str_init(&full, NULL);
    permission_add(&full, &p);
    if (!str_failed(&full) && !has_line(lines, (struct slice){ full.s, full.n })) {
        if (lines->n > 0)
            str_add_c(lines, '\n');
        str_add(lines, full.s);
    }
    rv = str_failed(&full) || str_failed(lines) ? err_set(e, &ERR_NOMEM, "") : 0;
    str_fini(&full);
    return rv;
}

static int write_permissions(const struct principal *who, struct field_strings in, struct arena *arena, const char **out, struct err *e)
{
    struct str lines;
    int rv = 0;

    if (in.n == 0)
        return err_set(e, &ERR_PERMISSION_EMPTY, "");
    if (in.n > ROLE_MAX_EXPRESSIONS)
        return err_set(e, &ERR_INVALID, "permissions: more than %d", ROLE_MAX_EXPRESSIONS);
    str_init(&lines, arena);
    for (size_t i = 0; rv == 0 && i < in.n; i++)
        rv = add_expression(who, in.items[i], &lines, e);
    *out = lines.s;
    return rv;
}

/* ---- changes --------------------------------------------------------------------------------------------------------- */

static int tx_insert(struct tx *tx, void *data, struct err *e)
{
    return store_role_insert(tx, data, e);
}

static int tx_update(struct tx *tx, void *data, struct err *e)
{
    return store_role_update(tx, data, e);
}

static int tx_delete(struct tx *tx, void *data, struct err *e)
{
    return store_role_delete(tx, data, e);
}

int role_get(struct db *d, int64_t id, struct arena *arena, struct role *out, struct err *e)
{
    const struct role_row *row = role_find(id);

    if (row != NULL)
        return err_set(e, &ERR_ROLE_DEFAULT, "%s", row->name);
    return store_role_get(d, id, arena, out, e);
}

/* Puts what is given over what is there. */
static int merge(const struct principal *who, struct role *r, const struct role_spec *spec, struct arena *arena, struct err *e)
{
    int rv = 0;

    if (spec->name != NULL && strcmp(spec->name, r->name) != 0) {
        r->name = spec->name;
        rv = check_name(r->name, e);
    }
    if (rv == 0 && spec->description != NULL) {
        r->description = spec->description;
        rv = check_description(r->description, e);
    }
    if (rv == 0 && (spec->permissions.n > 0 || r->permissions[0] == '\0'))
        rv = write_permissions(who, spec->permissions, arena, &r->permissions, e);
    return rv;
}

int role_create(struct db *d, const struct principal *who, const struct role_spec *spec, struct arena *arena, struct role *out, struct err *e)
{
    struct role r = { .name = "", .description = "", .permissions = "" };
    int rv = spec->name != NULL ? merge(who, &r, spec, arena, e) : check_name("", e);

    if (rv == 0)
        rv = db_next_id(d, &r.id, e);
    if (rv == 0)
        rv = db_transact(d, tx_insert, &r, e);
    return rv == 0 ? store_role_get(d, r.id, arena, out, e) : rv;
}

/* Who manages roles is not to give themselves more that way. */
static int refuse_own(struct db *d, const struct principal *who, const struct role *r, struct arena *arena, struct err *e)
{
    struct user *u;
    int rv;

    if (principal_is_admin(who))
        return 0;
    rv = user_get(d, who->user_id, arena, &u, e);
    if (rv == 0 && user_has_role(u->roles, r->id))
        rv = err_set(e, &ERR_ADMIN_NEEDED, "change a role of their own");
    return rv;
}

int role_update(struct db *d, const struct principal *who, int64_t id, const struct role_spec *spec, struct arena *arena, struct role *out,
                struct err *e)
{
    struct role r;
    int rv = role_get(d, id, arena, &r, e);

    if (rv == 0)
        rv = refuse_own(d, who, &r, arena, e);
    if (rv == 0)
        rv = merge(who, &r, spec, arena, e);
    if (rv == 0)
        rv = db_transact(d, tx_update, &r, e);
    return rv == 0 ? store_role_get(d, id, arena, out, e) : rv;
}

int role_delete(struct db *d, int64_t id, struct arena *arena, const char **name, struct err *e)
{
    struct role r;
    int rv = role_get(d, id, arena, &r, e);

    if (rv != 0)
        return rv;
    *name = r.name;
    return db_transact(d, tx_delete, &r, e);
}

static bool has_id(struct field_ints ids, int64_t id)
{
    for (size_t i = 0; i < ids.n; i++) {
        if (ids.items[i] == id)
            return true;
    }
    return false;
}

int role_custom_ids(const char *roles, struct arena *arena, struct field_ints *out, struct err *e)
{
    struct slice rest = { roles, strlen(roles) };
    int64_t id;

    *out = (struct field_ints){ arena_array(arena, rest.n / 2 + 1, sizeof *out->items), 0 };
    if (out->items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (rest.n > 0) {
        struct slice one = slice_cut(&rest, ',');

        if (!num_parse_i64(one, &id) || (id < ROLE_FIRST_CUSTOM && role_find(id) == NULL))
            return err_set(e, &ERR_INVALID, "roles: there is no role %.*s; GET /api/v2/iam/roles lists them", SLICE_FMT(one));
        if (id >= ROLE_FIRST_CUSTOM && !has_id(*out, id))
            out->items[out->n++] = id;
    }
    return 0;
}
