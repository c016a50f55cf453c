/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/user.h"

#include <string.h>

#include "src/base/field.h"
#include "src/base/num.h"
#include "src/iam/customrole.h"
#include "src/iam/role.h"
#include "src/io/fiber.h"
#include "src/store/credential.h"

ERR_DEFINE(ERR_USERNAME_FORMAT, 3008, 400, ERR_FINAL,
           "The user name is invalid: {0}. It needs 4 to 48 lower-case letters, digits, dots, hyphens or underscores, a letter first and a "
           "letter or digit last.",
           "用户名不合法：{0}。长度为 4 到 48 个字符，可包含小写字母、数字、点、中划线和下划线，以字母开头，以字母或数字结尾。");
ERR_DEFINE(ERR_USERNAME_RESERVED, 3105, 400, ERR_FINAL, "The user name {0} is reserved. Choose another one.", "用户名 {0} 为保留名称，请更换。");
ERR_DEFINE(ERR_SAME_PASSWORD, 3021, 400, ERR_FINAL, "The new password is the old one. Choose another one.", "新密码不能与原密码相同。");
ERR_DEFINE(ERR_OLD_PASSWORD, 3011, 400, ERR_FINAL, "The current password is wrong.", "当前密码错误。");
ERR_DEFINE(ERR_USER_UNDELETABLE, 3104, 403, ERR_FINAL, "The user {0} is an administrator and cannot be deleted. Take the role ADMIN away first.",
           "用户 {0} 是管理员，不能删除，请先移除其 ADMIN 角色。");
ERR_DEFINE(ERR_USER_ROLES_FIXED, 3106, 403, ERR_FINAL, "The roles of the user {0} cannot be changed.", "用户 {0} 的角色不能修改。");
ERR_DEFINE(ERR_USER_UNLOCKABLE, 3107, 403, ERR_FINAL, "The user {0} cannot be disabled.", "用户 {0} 不能被禁用。");
ERR_DEFINE(ERR_SELF_DELETE, 3108, 403, ERR_FINAL, "You cannot delete your own account.", "不能删除自己的账号。");
ERR_DEFINE(ERR_SELF_LOCK, 90321, 403, ERR_FINAL, "You cannot disable or lock your own account.", "不能禁用或锁定自己的账号。");
ERR_DEFINE(ERR_ADMIN_NEEDED, 3017, 403, ERR_FINAL, "Only an administrator may {0}.", "仅管理员可执行此操作：{0}。");

const struct err_row *const user_err_rows[] = {
    &ERR_USERNAME_FORMAT,  &ERR_USERNAME_RESERVED, &ERR_SAME_PASSWORD, &ERR_OLD_PASSWORD, &ERR_USER_UNDELETABLE,
    &ERR_USER_ROLES_FIXED, &ERR_USER_UNLOCKABLE,   &ERR_SELF_DELETE,   &ERR_SELF_LOCK,    &ERR_ADMIN_NEEDED,
    NULL,
};

enum { MIN_NAME = 4, MAX_NAME = 48, MAX_ROLES = 64, MAX_PHONE = 32, MAX_TEXT = 255, MAX_DESCRIPTION = 1024, TOUCH_MS = 2000 };

const char *username_problem(const char *name)
{
    size_t n = strlen(name);

    if (n < MIN_NAME || n > MAX_NAME)
        return n < MIN_NAME ? "it is shorter than 4 characters" : "it is longer than 48 characters";
    if (strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_") != n)
        return "it has a character that is not allowed";
    if (name[0] < 'a' || name[0] > 'z')
        return "it does not begin with a letter";
    return strchr(".-_", name[n - 1]) != NULL ? "it does not end with a letter or digit" : NULL;
}

static bool is_reserved(const char *name)
{
    static const char *const reserved[] = { USER_ADMIN, "sys", "dba", "proxy" };

    for (unsigned i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (strcmp(name, reserved[i]) == 0)
            return true;
    }
    return false;
}

/* ---- transactions ---------------------------------------------------------------------------------------------------- */

/* A changed password ends all sessions of the user, and so does disabling. */
struct change {
    const struct user *user;
    int64_t id, version, now_us;
    const char *hash;
    struct field_ints custom;    /* roles that are rows: they must be there and stay */
    bool must_change, raise, found;
};

static int lock_roles(struct tx *tx, const struct change *c, struct err *e)
{
    size_t found;
    int rv = store_role_lock(tx, c->custom.items, c->custom.n, &found, e);

    if (rv != 0 || found == c->custom.n)
        return rv;
    return err_set(e, &ERR_INVALID, "roles: %zu of %s do not exist; GET /api/v2/iam/roles lists them", c->custom.n - found, c->user->roles);
}

static int tx_insert(struct tx *tx, void *data, struct err *e)
{
    struct change *c = data;
    int rv = lock_roles(tx, c, e);

    return rv == 0 ? store_user_insert(tx, c->user, e) : rv;
}

static int tx_password(struct tx *tx, void *data, struct err *e)
{
    struct change *c = data;
    int rv = store_user_set_password(tx, c->id, c->version, c->hash, c->must_change, c->now_us, e);

    if (rv == 0)
        rv = store_credential_delete_of(tx, c->id, e);
    return rv == 0 ? store_session_delete_all(tx, c->id, e) : rv;
}

/* A password from the machine's owner: the account is enabled again as well. */
static int tx_reset(struct tx *tx, void *data, struct err *e)
{
    struct change *c = data;
    int rv = store_user_update(tx, c->user, c->version, false, c->now_us, e);

    return rv == 0 ? tx_password(tx, data, e) : rv;
}

static int tx_update(struct tx *tx, void *data, struct err *e)
{
    struct change *c = data;
    int rv = lock_roles(tx, c, e);

    if (rv == 0)
        rv = store_user_update(tx, c->user, c->version, c->raise, c->now_us, e);
    return rv == 0 && (!c->user->enabled || c->user->locked) ? store_session_delete_all(tx, c->user->id, e) : rv;
}

static int tx_delete(struct tx *tx, void *data, struct err *e)
{
    struct change *c = data;
    int rv = store_user_delete(tx, c->id, &c->found, e);

    if (rv == 0)
        rv = store_ratelimit_delete(tx, c->id, e);
    if (rv == 0)
        rv = store_accesskey_delete_all(tx, c->id, e);
    return rv == 0 ? store_session_delete_all(tx, c->id, e) : rv;
}

/* ---- where logins come from ------------------------------------------------------------------------------------------ */

struct noting {
    struct login_event *event;
    bool forget;
    int64_t now_us;
};

static int tx_note(struct tx *tx, void *data, struct err *e)
{
    const struct noting *n = data;
    int rv = n->event->succeeded ? store_user_touch(tx, n->event->user_id, n->now_us, e) : 0;

    if (rv == 0 && n->forget)
        rv = store_login_failures_forget(tx, n->event->username, e);
    return rv == 0 ? store_login_history_insert(tx, n->event, e) : rv;
}

static void note_login(struct db *d, struct login_event *event, bool forget)
{
    struct noting n = { event, forget, clock_wall_us(loop_clock(loop_current())) };
    int64_t former = fiber_narrow_deadline(TOUCH_MS);
    struct err e = { 0 };
    int rv = db_next_id(d, &event->id, &e);

    if (rv == 0)
        rv = db_transact(d, tx_note, &n, &e);
    fiber_restore_deadline(former);
    if (rv != 0) /* nobody is kept out because this could not be noted */
        log_warn(loop_log(loop_current()), "a login could not be noted", LOG_S("user", event->username), LOG_E(&e));
}

const struct iam_source iam_from_metadb = { store_user_find,  store_user_get,       store_session_find, store_accesskey_find,
                                           store_login_states, store_login_failures, store_login_fail,   note_login };

/* ---- roles ----------------------------------------------------------------------------------------------------------- */

bool user_has_role(const char *roles, int64_t wanted)
{
    struct slice rest = { roles, strlen(roles) };
    int64_t id;

    while (rest.n > 0) {
        if (num_parse_i64(slice_cut(&rest, ','), &id) && id == wanted)
            return true;
    }
    return false;
}

static int check_roles(const char *roles, struct arena *arena, struct field_ints *custom, struct err *e)
{
    unsigned n = 1;

    for (const char *s = roles; *s != '\0'; s++)
        n += *s == ',';
    if (roles[0] == '\0')
        return err_set(e, &ERR_INVALID, "roles: a user needs at least one role");
    if (n > MAX_ROLES)
        return err_set(e, &ERR_INVALID, "roles: more than %d", MAX_ROLES);
    return role_custom_ids(roles, arena, custom, e);
}

static int require_admin(const struct principal *who, const char *roles, const char *what, struct err *e)
{
    if (!user_has_role(roles, ROLE_ADMIN) || principal_is_admin(who))
        return 0;
    return err_set(e, &ERR_ADMIN_NEEDED, "%s", what);
}

/* ---- from the command line ------------------------------------------------------------------------------------------- */

static struct slice text(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

static int random_hash(const struct user_context *c, char password[PASSWORD_RANDOM_SIZE], char *hash, struct err *e)
{
    int rv = password_random(password, e);

    return rv == 0 ? password_hash(c->crypto_pool, text(password), hash, e) : rv;
}

int user_found_admin(const struct user_context *c, char password[PASSWORD_RANDOM_SIZE], bool *created, struct err *e)
{
    char hash[PASSWORD_ENCODED_SIZE];
    struct user u = { .id = USER_ADMIN_ID, .username = USER_ADMIN, .password_hash = hash, .must_change_password = 1, .enabled = 1,
                      .roles = "100,101", .credential_version = 1, .email = "", .phone = "", .department = "", .description = "" };
    struct change change = { .user = &u };
    struct user *present;
    struct arena arena;
    int rv;

    *created = false;
    arena_init(&arena);
    rv = store_user_find(c->db, USER_ADMIN, &arena, &present, e);
    if (rv == 0 && present == NULL) {
        rv = random_hash(c, password, hash, e);
        u.created_us = u.updated_us = clock_wall_us(c->clock);
        if (rv == 0)
            rv = db_transact(c->db, tx_insert, &change, e);
        *created = rv == 0;
        if (rv == ERR_NAME_USED.code) /* another node was faster */
            rv = 0;
    }
    arena_fini(&arena);
    return rv == 0 ? 0 : err_wrap(e, "make the first administrator");
}

static int not_found(struct err *e, const char *name)
{
    (void)err_set(e, &ERR_NOT_FOUND, "user");
    return err_arg(e, "%s", name);
}

int user_reset_password(const struct user_context *c, const char *username, char password[PASSWORD_RANDOM_SIZE], struct err *e)
{
    char hash[PASSWORD_ENCODED_SIZE];
    struct change change = { .hash = hash, .must_change = true };
    struct user *u;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = store_user_find(c->db, username, &arena, &u, e);
    if (rv == 0 && u == NULL)
        rv = not_found(e, username);
    if (rv == 0)
        rv = random_hash(c, password, hash, e);
    if (rv == 0) {
        u->enabled = 1;
        u->locked = 0;
        change.user = u;
        change.id = u->id;
        change.version = u->credential_version;
        change.now_us = clock_wall_us(c->clock);
        rv = db_transact(c->db, tx_reset, &change, e);
    }
    arena_fini(&arena);
    return rv == 0 ? 0 : err_wrap(e, "reset a password");
}

/* ---- for the API ----------------------------------------------------------------------------------------------------- */

int user_get(struct db *d, int64_t id, struct arena *arena, struct user **out, struct err *e)
{
    struct str t;
    int rv = store_user_get(d, id, arena, out, e);

    if (rv != 0 || *out != NULL)
        return rv;
    str_init(&t, arena);
    str_add_i64(&t, id);
    return not_found(e, str_c(&t));
}

static int check_password(const char *password, struct err *e)
{
    const char *problem = password_problem(password);

    return problem == NULL ? 0 : err_set(e, &ERR_PASSWORD_FORMAT, "%s", problem);
}

/* ---- how to reach somebody ------------------------------------------------------------------------------------------- */

static const char *line_problem(const char *s, size_t max)
{
    if (strlen(s) > max)
        return "it is too long";
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return "it has control characters";
    }
    return NULL;
}

/* Something before and after one '@', and no blanks: what mail servers make of it is theirs. */
static const char *email_problem(const char *s)
{
    const char *at = strchr(s, '@');

    if (s[0] == '\0')
        return NULL;
    if (at == NULL || at == s || at[1] == '\0' || strchr(at + 1, '@') != NULL || strpbrk(s, " ,;<>\"") != NULL)
        return "it is no mail address";
    return line_problem(s, MAX_TEXT);
}

static const char *phone_problem(const char *s)
{
    return s[strspn(s, "0123456789+-()/. ")] == '\0' ? line_problem(s, MAX_PHONE) : "it has a character that no phone number has";
}

static int check_contact(const struct user *u, struct err *e)
{
    const struct {
        const char *member, *problem;
    } checks[] = {
        { "email", email_problem(u->email) },
        { "phone", phone_problem(u->phone) },
        { "department", line_problem(u->department, MAX_TEXT) },
        { "description", line_problem(u->description, MAX_DESCRIPTION) },
    };

    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (checks[i].problem != NULL)
            return err_set(e, &ERR_INVALID, "%s: %s", checks[i].member, checks[i].problem);
    }
    return 0;
}

/* ---- users ----------------------------------------------------------------------------------------------------------- */

static int check_new(const struct principal *who, const struct user *u, const char *password, struct err *e)
{
    const char *problem = username_problem(u->username);
    int rv;

    if (is_reserved(u->username))
        return err_set(e, &ERR_USERNAME_RESERVED, "%s", u->username);
    if (problem != NULL)
        return err_set(e, &ERR_USERNAME_FORMAT, "%s", problem);
    rv = check_password(password, e);
    if (rv == 0)
        rv = check_contact(u, e);
    return rv == 0 ? require_admin(who, u->roles, "make administrators", e) : rv;
}

int user_create(const struct user_context *c, const struct principal *who, struct user *u, const char *password, bool must_change,
                struct arena *arena, struct err *e)
{
    char hash[PASSWORD_ENCODED_SIZE];
    struct change change = { .user = u };
    int rv = check_new(who, u, password, e);

    if (rv == 0)
        rv = check_roles(u->roles, arena, &change.custom, e);
    if (rv == 0)
        rv = db_next_id(c->db, &u->id, e);
    if (rv == 0)
        rv = password_hash(c->crypto_pool, text(password), hash, e);
    if (rv != 0)
        return rv;
    u->password_hash = hash;
    u->must_change_password = must_change;
    u->locked = 0;
    u->credential_version = 1;
    u->created_us = u->updated_us = clock_wall_us(c->clock);
    u->last_login_us = FIELD_NONE;
    rv = db_transact(c->db, tx_insert, &change, e);
    u->password_hash = "";
    return rv;
}

/* Who manages users is not to give themselves more that way. */
static int check_new_roles(const struct principal *who, const struct user *u, const char *roles, struct err *e)
{
    if (u->id == USER_ADMIN_ID)
        return err_set(e, &ERR_USER_ROLES_FIXED, "%s", u->username);
    if (u->id == who->user_id && !principal_is_admin(who))
        return err_set(e, &ERR_ADMIN_NEEDED, "change their own roles");
    return require_admin(who, roles, "make administrators", e);
}

static int check_update(const struct principal *who, const struct user *u, const struct user_update *change, struct err *e)
{
    int rv = u->id != who->user_id ? require_admin(who, u->roles, "change administrators", e) : 0;

    if (rv == 0 && (change->enabled == 0 || change->locked == 1) && u->id == USER_ADMIN_ID)
        rv = err_set(e, &ERR_USER_UNLOCKABLE, "%s", u->username);
    if (rv == 0 && (change->enabled == 0 || change->locked == 1) && u->id == who->user_id)
        rv = err_set(e, &ERR_SELF_LOCK, "");
    return rv == 0 && change->roles != NULL ? check_new_roles(who, u, change->roles, e) : rv;
}

static bool differs(int wanted, int present)
{
    return wanted >= 0 && wanted != present;
}

static const char *either(const char *wanted, const char *present)
{
    return wanted != NULL ? wanted : present;
}

/* Puts what is to change over what is there; true when remembered logins must end. */
static bool merge(struct user *u, const struct user_update *update)
{
    bool raise = update->roles != NULL || differs(update->enabled, u->enabled) || differs(update->locked, u->locked);

    u->email = either(update->email, u->email);
    u->phone = either(update->phone, u->phone);
    u->department = either(update->department, u->department);
    u->description = either(update->description, u->description);
    u->roles = either(update->roles, u->roles);
    u->enabled = update->enabled >= 0 ? update->enabled : u->enabled;
    u->locked = update->locked >= 0 ? update->locked : u->locked;
    return raise;
}

int user_update(const struct user_context *c, const struct principal *who, int64_t id, const struct user_update *update, struct arena *arena,
                struct user **out, struct err *e)
{
    struct change change = { .now_us = clock_wall_us(c->clock) };
    struct user *u;
    int rv = user_get(c->db, id, arena, &u, e);

    if (rv == 0)
        rv = check_update(who, u, update, e);
    if (rv == 0 && update->roles != NULL)
        rv = check_roles(update->roles, arena, &change.custom, e);
    if (rv != 0)
        return rv;
    change.user = u;
    change.version = u->credential_version;
    change.raise = merge(u, update);
    u->updated_us = change.now_us;
    rv = check_contact(u, e);
    if (rv == 0)
        rv = db_transact(c->db, tx_update, &change, e);
    if (rv == 0 && change.raise)
        iam_forget(c->iam, id);
    *out = u;
    return rv;
}

int user_delete(const struct user_context *c, const struct principal *who, int64_t id, struct arena *arena, const char **name, struct err *e)
{
    struct change change = { .id = id };
    struct user *u;
    int rv = user_get(c->db, id, arena, &u, e);

    if (rv != 0)
        return rv;
    if (name != NULL)
        *name = u->username;
    if (id == who->user_id)
        return err_set(e, &ERR_SELF_DELETE, "");
    if (user_has_role(u->roles, ROLE_ADMIN))
        return err_set(e, &ERR_USER_UNDELETABLE, "%s", u->username);
    rv = db_transact(c->db, tx_delete, &change, e);
    if (rv == 0)
        iam_forget(c->iam, id);
    return rv;
}

static int write_password(const struct user_context *c, const struct user *u, const char *password, bool must_change, struct err *e)
{
    char hash[PASSWORD_ENCODED_SIZE];
    struct change change = { .id = u->id, .version = u->credential_version, .hash = hash, .must_change = must_change };
    int rv = check_password(password, e);

    if (rv == 0)
        rv = password_hash(c->crypto_pool, text(password), hash, e);
    change.now_us = clock_wall_us(c->clock);
    if (rv == 0)
        rv = db_transact(c->db, tx_password, &change, e);
    if (rv == 0)
        iam_forget(c->iam, u->id);
    return rv;
}

int user_set_password(const struct user_context *c, const struct principal *who, int64_t id, const char *password, struct arena *arena,
                      struct err *e)
{
    struct user *u;
    int rv = user_get(c->db, id, arena, &u, e);

    if (rv == 0)
        rv = require_admin(who, u->roles, "set the password of an administrator", e);
    if (rv != 0)
        return rv;
    rv = write_password(c, u, password, true, e);
    if (rv == 0)
        rv = iam_unlock(c->iam, c->db, u->username, e);
    return rv;
}

int user_change_password(const struct user_context *c, const struct principal *who, const char *old, const char *fresh, struct arena *arena,
                         struct err *e)
{
    struct user *u;
    bool matches;
    int rv = user_get(c->db, who->user_id, arena, &u, e);

    if (rv == 0)
        rv = password_verify(c->crypto_pool, u->password_hash, text(old), &matches, e);
    if (rv != 0)
        return rv;
    if (!matches)
        return err_set(e, &ERR_OLD_PASSWORD, "");
    if (strcmp(old, fresh) == 0)
        return err_set(e, &ERR_SAME_PASSWORD, "");
    return write_password(c, u, fresh, false, e);
}
