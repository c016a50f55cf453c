/* SPDX-License-Identifier: Apache-2.0 */
#include "src/setting/setting.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>
#include <strings.h>

ERR_DEFINE(ERR_PROPERTY_NOT_FOUND, 1012, 404, ERR_FINAL, "There is no system parameter {0}. GET /api/v2/config/properties lists them.",
           "系统参数 {0} 不存在，可通过 GET /api/v2/config/properties 查看全部参数。");
ERR_DEFINE(ERR_PROPERTY_FIXED, 90320, 403, ERR_FINAL, "The system parameter {0} cannot be changed.", "系统参数 {0} 不允许修改。");

const struct err_row *const setting_err_rows[] = { &ERR_PROPERTY_NOT_FOUND, &ERR_PROPERTY_FIXED, NULL };

static const char masked[] = "******";

struct setting_keeper {
    struct parameters *parameters;  /* borrowed */
    const struct vault *vault;      /* borrowed */
    const struct log *log;          /* borrowed */
    pthread_mutex_t lock;           /* guards `version`, and parameters_apply */
    int64_t version;                /* of MetaDB, as applied; -1: nothing yet */
};

int setting_keeper_new(struct parameters *parameters, const struct vault *vault, const struct log *log, struct setting_keeper **out,
                       struct err *e)
{
    struct setting_keeper *k = mem_zalloc(sizeof *k);

    if (k == NULL || pthread_mutex_init(&k->lock, NULL) != 0) {
        mem_free(k);
        return err_set(e, &ERR_NOMEM, "");
    }
    k->parameters = parameters;
    k->vault = vault;
    k->log = log;
    k->version = -1;
    *out = k;
    return 0;
}

void setting_keeper_free(struct setting_keeper *k)
{
    if (k == NULL)
        return;
    pthread_mutex_destroy(&k->lock);
    mem_free(k);
}

/* ---- secrets: sealed, then base64, so that the column is text -------------------------------------------------------- */

static struct vault_place place_of(const struct parameter *row)
{
    return (struct vault_place){ "property", 0, row->name };
}

static int seal(const struct setting_keeper *k, const struct parameter *row, const char *value, struct arena *arena, const char **out,
                struct err *e)
{
    struct vault_place at = place_of(row);
    struct str sealed;
    char *text;
    int rv;

    str_init(&sealed, arena);
    rv = vault_seal(k->vault, &at, (struct slice){ value, strlen(value) }, &sealed, e);
    if (rv != 0)
        return rv;
    text = arena_alloc(arena, (sealed.n + 2) / 3 * 4 + 1);
    if (text == NULL)
        return err_set(e, &ERR_NOMEM, "");
    (void)EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)sealed.s, (int)sealed.n); /* ends with NUL */
    *out = text;
    return 0;
}

/* `*secret` is to be freed with secret_free. */
static int unseal(const struct setting_keeper *k, const struct parameter *row, const char *text, char **secret, struct err *e)
{
    struct vault_place at = place_of(row);
    size_t n = strlen(text);
    char *sealed = mem_alloc(n / 4 * 3 + 1);
    int got, rv;

    if (sealed == NULL)
        return err_set(e, &ERR_NOMEM, "");
    got = EVP_DecodeBlock((unsigned char *)sealed, (const unsigned char *)text, (int)n);
    for (; got > 0 && n > 0 && text[n - 1] == '='; n--) /* EVP_DecodeBlock counts the padding as bytes */
        got--;
    rv = vault_open(k->vault, &at, (struct slice){ sealed, got > 0 ? (size_t)got : 0 }, secret, e);
    mem_free(sealed);
    return rv;
}

/* ---- taking over ----------------------------------------------------------------------------------------------------- */

static void tell(const struct setting_keeper *k, const struct parameter_change *changes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *name = changes[i].row->name;

        switch (changes[i].news) {
        case PARAMETER_APPLIED:
            log_info(k->log, "system parameter changed", LOG_S("parameter", name));
            break;
        case PARAMETER_PENDING:
            log_info(k->log, "system parameter changed -> in force after a restart", LOG_S("parameter", name));
            break;
        case PARAMETER_REFUSED:
            log_warn(k->log, "system parameter has a value that is not allowed -> the former one stays", LOG_S("parameter", name),
                     LOG_S("reason", changes[i].reason));
            break;
        }
    }
}

/* Secrets in clear lie in `opened` until the caller frees them. */
static size_t collect(const struct setting_keeper *k, const struct property *p, size_t n, struct parameter_value *values, char **opened)
{
    size_t n_values = 0;
    struct err e = { 0 };

    for (size_t i = 0; i < n; i++) {
        enum parameter_id id = parameter_find((struct slice){ p[i].name, strlen(p[i].name) });
        const char *text = p[i].value;

        if (id != N_PARAMETERS && parameter_table[id].type == PARAMETER_SECRET && text[0] != '\0') {
            if (unseal(k, &parameter_table[id], text, &opened[i], &e) != 0) {
                log_error(k->log, "secret system parameter cannot be opened", LOG_S("parameter", p[i].name), LOG_E(&e));
                continue;
            }
            text = opened[i];
        }
        values[n_values++] = (struct parameter_value){ p[i].name, text };
    }
    return n_values;
}

static int apply(struct setting_keeper *k, const struct property *p, size_t n, int64_t version, struct arena *arena, struct err *e)
{
    struct parameter_value *values = arena_array(arena, n + 1, sizeof *values);
    char **opened = arena_array(arena, n + 1, sizeof *opened);
    struct parameter_change *changes = NULL;
    size_t n_values, n_changes = 0;
    int rv = 0;

    if (values == NULL || opened == NULL)
        return err_set(e, &ERR_NOMEM, "");
    n_values = collect(k, p, n, values, opened);
    pthread_mutex_lock(&k->lock);
    if (version > k->version) { /* a faster reader may have been here */
        rv = parameters_apply(k->parameters, values, n_values, arena, &changes, &n_changes, e);
        k->version = rv == 0 ? version : k->version;
    }
    pthread_mutex_unlock(&k->lock);
    tell(k, changes, n_changes);
    for (size_t i = 0; i < n; i++)
        secret_free(opened[i]);
    return rv;
}

static bool is_known(struct setting_keeper *k, int64_t version)
{
    bool known;

    pthread_mutex_lock(&k->lock);
    known = version <= k->version;
    pthread_mutex_unlock(&k->lock);
    return known;
}

/* The version is read first: what is written after it shows the next time. */
int setting_refresh(struct setting_keeper *k, struct db *d, struct err *e)
{
    struct property *all;
    struct arena arena;
    int64_t version;
    size_t n;
    int rv = store_property_version(d, &version, e);

    if (rv != 0 || is_known(k, version))
        return rv;
    arena_init(&arena);
    rv = store_property_all(d, &arena, &all, &n, e);
    if (rv == 0)
        rv = apply(k, all, n, version, &arena, e);
    arena_fini(&arena);
    return rv == 0 ? 0 : err_wrap(e, "read the system parameters");
}

/* ---- for people ------------------------------------------------------------------------------------------------------ */

static void view(const struct setting_keeper *k, enum parameter_id id, const struct property *p, struct setting_view *out)
{
    const struct parameter *row = &parameter_table[id];
    const char *value = p != NULL ? p->value : row->def;

    *out = (struct setting_view){
        .id = id,
        .row = row,
        .value = row->type == PARAMETER_SECRET && value[0] != '\0' ? masked : value,
        .changed = p != NULL,
        .pending = parameter_is_pending(k->parameters, id),
        .updated_us = p != NULL ? p->updated_us : FIELD_NONE,
        .username = p != NULL ? p->username : "",
    };
}

static const struct property *find_property(const struct property *all, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(all[i].name, name) == 0)
            return &all[i];
    }
    return NULL;
}

static bool has_part(const struct parameter *row, const char *part)
{
    return part == NULL || strcasestr(row->name, part) != NULL || strcasestr(row->doc[ERR_EN], part) != NULL ||
           strstr(row->doc[ERR_ZH], part) != NULL;
}

int setting_list(struct setting_keeper *k, struct db *d, const char *part, struct arena *arena, struct setting_view **out, size_t *n,
                 struct err *e)
{
    struct setting_view *views = arena_array(arena, N_PARAMETERS, sizeof *views);
    struct property *all;
    size_t n_all;
    int rv;

    *n = 0;
    if (views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = store_property_all(d, arena, &all, &n_all, e);
    if (rv != 0)
        return rv;
    for (unsigned id = 0; id < N_PARAMETERS; id++) {
        if (has_part(&parameter_table[id], part))
            view(k, id, find_property(all, n_all, parameter_table[id].name), &views[(*n)++]);
    }
    *out = views;
    return 0;
}

static int find_row(const char *name, enum parameter_id *id, struct err *e)
{
    *id = parameter_find((struct slice){ name, strlen(name) });
    return *id != N_PARAMETERS ? 0 : err_set(e, &ERR_PROPERTY_NOT_FOUND, "%s", name);
}

int setting_get(struct setting_keeper *k, struct db *d, const char *name, struct arena *arena, struct setting_view *out, struct err *e)
{
    enum parameter_id id;
    struct property *all;
    size_t n;
    int rv = find_row(name, &id, e);

    if (rv == 0)
        rv = store_property_all(d, arena, &all, &n, e);
    if (rv == 0)
        view(k, id, find_property(all, n, name), out);
    return rv;
}

struct change {
    int64_t id;
    const char *name, *value, *old;
    const struct principal *who;
    struct arena *arena;
};

static int tx_set(struct tx *tx, void *data, struct err *e)
{
    struct change *c = data;

    return store_property_set(tx, c->id, c->name, c->value, c->who->user_id, c->who->name, c->arena, &c->old, e);
}

/* What MetaDB shall hold. */
static int prepare(struct setting_keeper *k, const struct parameter *row, const char *value, struct arena *arena, const char **stored,
                   struct err *e)
{
    int rv;

    *stored = value;
    if (row->effect == PARAMETER_FIXED)
        return err_set(e, &ERR_PROPERTY_FIXED, "%s", row->name);
    if (value == NULL)
        return 0;
    rv = parameter_check(row, (struct slice){ value, strlen(value) }, e);
    if (rv == 0 && row->type == PARAMETER_SECRET && value[0] != '\0')
        rv = seal(k, row, value, arena, stored, e);
    return rv;
}

int setting_change(struct setting_keeper *k, struct db *d, const struct principal *who, const char *name, const char *value,
                   struct arena *arena, struct setting_view *out, struct err *e)
{
    struct change c = { .name = name, .who = who, .arena = arena };
    struct err later = { 0 };
    enum parameter_id id;
    int rv = find_row(name, &id, e);

    if (rv == 0)
        rv = prepare(k, &parameter_table[id], value, arena, &c.value, e);
    if (rv == 0)
        rv = db_next_id(d, &c.id, e);
    if (rv == 0)
        rv = db_transact(d, tx_set, &c, e);
    if (rv != 0)
        return rv;
    if (setting_refresh(k, d, &later) != 0)
        log_warn(k->log, "a changed system parameter waits for the next refresh", LOG_S("parameter", name), LOG_E(&later));
    return setting_get(k, d, name, arena, out, e);
}

static const char *mask(const char *value)
{
    return value == NULL || value[0] == '\0' ? value : masked;
}

int setting_history(struct db *d, const char *name, const struct store_page *page, struct arena *arena, struct property_change **out,
                    size_t *n, int64_t *total, struct err *e)
{
    enum parameter_id id;
    int rv = name != NULL ? find_row(name, &id, e) : 0;

    if (rv == 0)
        rv = store_property_history(d, name, page, arena, out, n, total, e);
    for (size_t i = 0; rv == 0 && i < *n; i++) {
        struct property_change *c = &(*out)[i];

        id = parameter_find((struct slice){ c->name, strlen(c->name) });
        if (id == N_PARAMETERS || parameter_table[id].type == PARAMETER_SECRET) {
            c->old_value = mask(c->old_value);
            c->new_value = mask(c->new_value);
        }
    }
    return rv;
}
