/* SPDX-License-Identifier: Apache-2.0 */
#include "src/vault/box_file.h"

#include <argon2.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "src/base/json.h"
#include "src/vault/inside.h"

ERR_DEFINE(ERR_BOX_FORMAT, 8105, 400, ERR_FINAL, "This is no file of exported credentials, or it is damaged.", "该文件不是导出的凭据文件，或已损坏。");
ERR_DEFINE(ERR_BOX_SECRET, 8108, 400, ERR_FINAL, "The file cannot be opened with this secret.", "无法使用该口令解密文件。");

const char *const box_duplicate_names[] = { "SKIP", "REPLACE", "RENAME", NULL };

enum {
    MAGIC_SIZE = 8, SALT_SIZE = 16, NONCE_SIZE = 12, TAG_SIZE = 16, KEY_SIZE = 32,
    COST_AT = MAGIC_SIZE, SALT_AT = COST_AT + 12, NONCE_AT = SALT_AT + SALT_SIZE, HEAD_SIZE = NONCE_AT + NONCE_SIZE,
    PASSES = 3, MEMORY_KIB = 64 * 1024, LANES = 1, MAX_PASSES = 10, MAX_MEMORY_KIB = 256 * 1024,
};
static const char magic[MAGIC_SIZE + 1] = "OCPBOX01";

static int nomem(struct err *e)
{
    return err_set(e, &ERR_NOMEM, "");
}

/* ---- the file -------------------------------------------------------------------------------------------------------- */

struct key_job {
    struct work work;
    uint32_t passes, memory_kib, lanes;
    unsigned char salt[SALT_SIZE], key[KEY_SIZE];
    char secret[BOX_MAX_SECRET + 1];
    int status;
};

static void key_run(struct work *w)
{
    struct key_job *j = (struct key_job *)w;

    j->status = argon2id_hash_raw(j->passes, j->memory_kib, j->lanes, j->secret, strlen(j->secret), j->salt, sizeof j->salt, j->key, sizeof j->key);
}

static void key_drop(struct work *w)
{
    mem_wipe(w, sizeof(struct key_job));
    mem_free(w);
}

static uint32_t get32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void put32(unsigned char *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

/* The key of a file with this head; to be wiped. */
static int derive(const struct box_context *b, const unsigned char *head, const char *secret, unsigned char key[KEY_SIZE], struct err *e)
{
    struct key_job *j = mem_zalloc(sizeof *j);
    int rv;

    if (j == NULL)
        return nomem(e);
    j->work.run = key_run;
    j->work.drop = key_drop;
    j->passes = get32(head + COST_AT);
    j->memory_kib = get32(head + COST_AT + 4);
    j->lanes = get32(head + COST_AT + 8);
    memcpy(j->salt, head + SALT_AT, SALT_SIZE);
    memcpy(j->secret, secret, strlen(secret));
    rv = work_run(b->crypto_pool, &j->work, e);
    if (rv != 0)
        return rv;
    if (j->status == ARGON2_OK)
        memcpy(key, j->key, KEY_SIZE);
    else
        rv = j->status == ARGON2_MEMORY_ALLOCATION_ERROR ? nomem(e) : err_set(e, &ERR_BOX_FORMAT, "");
    key_drop(&j->work);
    return rv;
}

static bool encrypt(const unsigned char *key, unsigned char *file, struct slice text)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0, rest = 0, ignored;
    bool ok = c != NULL && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, file + NONCE_AT) == 1 &&
              EVP_EncryptUpdate(c, NULL, &ignored, file, HEAD_SIZE) == 1 &&
              EVP_EncryptUpdate(c, file + HEAD_SIZE, &n, (const unsigned char *)text.s, (int)text.n) == 1 &&
              EVP_EncryptFinal_ex(c, file + HEAD_SIZE + n, &rest) == 1 &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, file + HEAD_SIZE + text.n) == 1;

    EVP_CIPHER_CTX_free(c);
    return ok;
}

static bool decrypt(const unsigned char *key, const unsigned char *file, size_t n_text, unsigned char *text)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    unsigned char tag[TAG_SIZE];
    int n = 0, rest = 0, ignored;
    bool ok;

    memcpy(tag, file + HEAD_SIZE + n_text, TAG_SIZE);
    ok = c != NULL && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, file + NONCE_AT) == 1 &&
         EVP_DecryptUpdate(c, NULL, &ignored, file, HEAD_SIZE) == 1 &&
         EVP_DecryptUpdate(c, text, &n, file + HEAD_SIZE, (int)n_text) == 1 &&
         EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 && EVP_DecryptFinal_ex(c, text + n, &rest) == 1;
    EVP_CIPHER_CTX_free(c);
    return ok;
}

static int seal_file(const struct box_context *b, struct slice text, const char *secret, struct arena *arena, struct slice *out, struct err *e)
{
    unsigned char *file = arena_alloc(arena, HEAD_SIZE + text.n + TAG_SIZE), key[KEY_SIZE];
    int rv;

    if (file == NULL)
        return nomem(e);
    memcpy(file, magic, MAGIC_SIZE);
    put32(file + COST_AT, PASSES);
    put32(file + COST_AT + 4, MEMORY_KIB);
    put32(file + COST_AT + 8, LANES);
    if (RAND_bytes(file + SALT_AT, SALT_SIZE + NONCE_SIZE) != 1)
        return err_set(e, &ERR_UNEXPECTED, "no random bytes");
    rv = derive(b, file, secret, key, e);
    if (rv != 0)
        return rv;
    if (!encrypt(key, file, text))
        rv = err_set(e, &ERR_UNEXPECTED, "sealing a file");
    mem_wipe(key, sizeof key);
    *out = (struct slice){ (const char *)file, HEAD_SIZE + text.n + TAG_SIZE };
    return rv;
}

/* Costs come from a file of unknown making: only within reason. */
static bool is_box(struct slice file)
{
    const unsigned char *f = (const unsigned char *)file.s;

    return file.n >= HEAD_SIZE + TAG_SIZE && file.n <= BOX_MAX_BYTES && memcmp(f, magic, MAGIC_SIZE) == 0 && get32(f + COST_AT) >= 1 &&
           get32(f + COST_AT) <= MAX_PASSES && get32(f + COST_AT + 4) >= 8 && get32(f + COST_AT + 4) <= MAX_MEMORY_KIB &&
           get32(f + COST_AT + 8) == LANES;
}

static int open_file(const struct box_context *b, struct slice file, const char *secret, struct arena *arena, struct slice *out, struct err *e)
{
    unsigned char key[KEY_SIZE], *text;
    size_t n;
    int rv;

    if (!is_box(file))
        return err_set(e, &ERR_BOX_FORMAT, "");
    if (strlen(secret) > BOX_MAX_SECRET)
        return err_set(e, &ERR_BOX_SECRET, "");
    n = file.n - HEAD_SIZE - TAG_SIZE;
    text = arena_alloc(arena, n + 1);
    if (text == NULL)
        return nomem(e);
    rv = derive(b, (const unsigned char *)file.s, secret, key, e);
    if (rv != 0)
        return rv;
    if (!decrypt(key, (const unsigned char *)file.s, n, text))
        rv = err_set(e, &ERR_BOX_SECRET, "");
    mem_wipe(key, sizeof key);
    text[n] = '\0';
    *out = (struct slice){ (const char *)text, n };
    return rv;
}

/* ---- export ---------------------------------------------------------------------------------------------------------- */

struct line {
    const char *target, *name, *description, *kind, *username, *secret, *cluster_name, *tenant_name, *address;
    int64_t port;
};
/* The members of a credential in the file. */
static const struct field line_fields[] = {
    F_STRING(line, target, "targetType", .flags = FIELD_REQUIRED),
    F_STRING(line, name, "name", .flags = FIELD_REQUIRED),
    F_STRING(line, description, "description", .flags = FIELD_EMPTY_OK, .def = ""),
    F_STRING(line, kind, "type", .flags = FIELD_REQUIRED),
    F_STRING(line, username, "username", .flags = FIELD_REQUIRED),
    F_STRING(line, secret, "passphrase", .flags = FIELD_REQUIRED),
    F_STRING(line, cluster_name, "clusterName"),
    F_STRING(line, tenant_name, "tenantName"),
    F_STRING(line, address, "address"),
    F_INT(line, port, "port"),
    FIELD_END,
};
struct lines {
    struct field_list items;
};
static const struct field lines_fields[] = {
    F_LIST(lines, items, "credentials", line, line_fields, .flags = FIELD_REQUIRED | FIELD_EMPTY_OK, .max = BOX_MAX_CREDENTIALS),
    FIELD_END,
};

static bool is_wanted(struct field_ints ids, int64_t id)
{
    for (size_t i = 0; i < ids.n; i++) {
        if (ids.items[i] == id)
            return true;
    }
    return ids.n == 0;
}

static int add_line(const struct box_context *b, const struct credential *row, struct arena *arena, bool first, struct str *out, struct err *e)
{
    static const struct field_style style = { ERR_EN, 0 };
    struct vault_place at = { "credential", row->id, "" };
    struct credential_view v;
    struct line l;
    char *secret;
    int rv = credential_view_of(row, arena, &v, e);

    if (rv == 0)
        rv = vault_open(b->c.vault, &at, row->secret, &secret, e);
    if (rv != 0)
        return rv;
    l = (struct line){ row->target_type, v.name, v.description, row->kind, v.username, secret, v.cluster_name, v.tenant_name, v.address,
                       v.port > 0 ? v.port : FIELD_NONE };
    str_add(out, first ? "" : ",");
    fields_write(out, line_fields, &l, &style);
    secret_free(secret);
    return 0;
}

static int check_secret(const char *secret, struct err *e)
{
    size_t n = strlen(secret);

    if (n < BOX_MIN_SECRET || n > BOX_MAX_SECRET)
        return err_set(e, &ERR_INVALID, "secret: it must have from %d to %d bytes", BOX_MIN_SECRET, BOX_MAX_SECRET);
    return 0;
}

static int write_lines(const struct box_context *b, int64_t user_id, struct field_ints ids, struct arena *arena, struct str *out, struct err *e)
{
    struct credential *rows;
    size_t n, n_out = 0;
    int rv = store_credential_list(b->c.db, user_id, NULL, NULL, NULL, arena, &rows, &n, NULL, e);

    str_add(out, "{\"credentials\":[");
    for (size_t i = 0; rv == 0 && i < n; i++) {
        if (is_wanted(ids, rows[i].id))
            rv = add_line(b, &rows[i], arena, n_out++ == 0, out, e);
    }
    str_add(out, "]}");
    if (rv == 0 && (n_out < ids.n || n_out > BOX_MAX_CREDENTIALS))
        rv = err_set(e, &ERR_INVALID, "credentialIds: %zu of them are none of yours, each may be named once, at most %d", ids.n - n_out,
                     BOX_MAX_CREDENTIALS);
    return rv == 0 && str_failed(out) ? nomem(e) : rv;
}

int box_export(const struct box_context *b, int64_t user_id, struct field_ints ids, const char *secret, struct arena *arena,
               struct slice *file, struct err *e)
{
    struct str text;
    int rv = check_secret(secret, e);

    if (rv != 0)
        return rv;
    str_init(&text, NULL);
    rv = write_lines(b, user_id, ids, arena, &text, e);
    if (rv == 0)
        rv = seal_file(b, (struct slice){ text.s, text.n }, secret, arena, file, e);
    if (text.s != NULL)
        mem_wipe(text.s, text.space);
    str_fini(&text);
    return rv;
}

/* ---- import ---------------------------------------------------------------------------------------------------------- */

static int index_of(const char *const *names, const char *name)
{
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

static bool has_name(const struct credential *own, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(own[i].name, name) == 0)
            return true;
    }
    return false;
}

static int take_line(const struct line *l, struct box_entry *out, struct err *e)
{
    out->secret = (char *)(uintptr_t)l->secret;
    out->v = (struct credential_view){
        .target = index_of(credential_target_names, l->target),
        .kind = index_of(credential_kind_names, l->kind),
        .name = l->name,
        .description = l->description,
        .username = l->username,
        .cluster_name = l->cluster_name,
        .tenant_name = l->tenant_name,
        .address = l->address,
        .port = l->port > 0 ? l->port : 0,
    };
    if (out->v.target < 0 || out->v.kind < 0)
        return err_set(e, &ERR_BOX_FORMAT, "");
    return credential_check_view(&out->v, e);
}

static int read_lines(struct slice text, struct arena *arena, struct lines *out, struct err *e)
{
    json_t *json;
    int rv = json_parse(text, &json, e);

    if (rv != 0)
        return err_set(e, &ERR_BOX_FORMAT, "");
    rv = fields_init(lines_fields, out, arena, e);
    if (rv == 0)
        rv = fields_read(lines_fields, json, out, arena, e);
    json_decref(json);
    return rv == ERR_INVALID.code ? err_set(e, &ERR_BOX_FORMAT, "") : rv;
}

int box_read(const struct box_context *b, int64_t user_id, struct slice file, const char *secret, struct arena *arena, struct box_entry **out,
             size_t *n, struct err *e)
{
    struct credential *own = NULL;
    struct slice text = { NULL, 0 };
    struct lines lines;
    size_t n_own = 0;
    int rv = open_file(b, file, secret, arena, &text, e);

    *n = 0;
    if (rv == 0)
        rv = read_lines(text, arena, &lines, e);
    if (text.n > 0)
        mem_wipe((char *)(uintptr_t)text.s, text.n);
    if (rv == 0)
        rv = store_credential_list(b->c.db, user_id, NULL, NULL, NULL, arena, &own, &n_own, NULL, e);
    if (rv == 0 && (*out = arena_array(arena, lines.items.n, sizeof **out)) == NULL)
        rv = nomem(e);
    for (size_t i = 0; rv == 0 && i < lines.items.n; i++) {
        const struct line *l = (const struct line *)lines.items.items + i;
        struct box_entry *entry = &(*out)[i];

        rv = take_line(l, entry, e);
        entry->number = (int64_t)i + 1;
        entry->duplicate = rv == 0 && has_name(own, n_own, entry->v.name);
        *n += rv == 0;
    }
    return rv;
}

struct importing {
    struct credential *fresh, *over; /* to be inserted, to be written over */
    size_t n_fresh, n_over;
};

static int tx_import(struct tx *tx, void *data, struct err *e)
{
    const struct importing *im = data;
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < im->n_over; i++)
        rv = store_credential_update(tx, &im->over[i], e);
    for (size_t i = 0; rv == 0 && i < im->n_fresh; i++)
        rv = store_credential_insert(tx, &im->fresh[i], e);
    return rv;
}

struct names {
    const struct credential *own;
    size_t n_own;
    const struct importing *im;
    struct arena *arena;
};

static const struct credential *find_own(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->n_own; i++) {
        if (strcmp(names->own[i].name, name) == 0)
            return &names->own[i];
    }
    return NULL;
}

static bool is_taken(const struct names *names, const char *name)
{
    return find_own(names, name) != NULL || has_name(names->im->fresh, names->im->n_fresh, name);
}

/* "db", "db_2", "db_3": the first that is free, cut so that it fits. NULL when memory is out. */
static const char *free_name(const struct names *names, const char *name)
{
    const char *made = name;

    for (unsigned i = 2; made != NULL && is_taken(names, made); i++)
        made = arena_printf(names->arena, "%.56s_%u", name, i);
    return made;
}

/* Decides what becomes of an entry, and makes its row. */
static int place_entry(const struct box_context *b, int64_t user_id, struct box_entry *entry, enum box_duplicate duplicates,
                       const struct names *names, struct importing *im, struct err *e)
{
    const struct credential *present = find_own(names, entry->v.name);
    bool taken = is_taken(names, entry->v.name);
    int rv = 0;

    if (taken && (duplicates == BOX_SKIP || (duplicates == BOX_REPLACE && present == NULL))) {
        entry->result = "SKIPPED";
        return 0;
    }
    if (taken && duplicates == BOX_REPLACE) {
        if (strcmp(present->target_type, credential_target_names[entry->v.target]) != 0)
            return err_set(e, &ERR_INVALID, "%s is of another targetType; import it with duplicates RENAME", entry->v.name);
        entry->result = "REPLACED";
        entry->v.id = present->id;
        return credential_row_of(&b->c, &entry->v, user_id, entry->secret, names->arena, &im->over[im->n_over++], e);
    }
    entry->result = taken ? "RENAMED" : "CREATED";
    entry->v.name = free_name(names, entry->v.name);
    if (entry->v.name == NULL)
        return nomem(e);
    rv = db_next_id(b->c.db, &entry->v.id, e);
    if (rv == 0) /* counted when it is whole: is_taken looks at the names of those before */
        rv = credential_row_of(&b->c, &entry->v, user_id, entry->secret, names->arena, &im->fresh[im->n_fresh], e);
    im->n_fresh += rv == 0;
    return rv;
}

static int name_conflict(struct err *e)
{
    (void)err_set(e, &ERR_CONFLICT, "password box");
    return err_arg(e, "of this user");
}

int box_import(const struct box_context *b, int64_t user_id, struct box_entry *entries, size_t n, struct field_ints numbers,
               enum box_duplicate duplicates, struct arena *arena, struct err *e)
{
    struct importing im = { arena_array(arena, n, sizeof *im.fresh), arena_array(arena, n, sizeof *im.over), 0, 0 };
    struct names names = { .im = &im, .arena = arena };
    struct credential *own;
    int rv;

    if (im.fresh == NULL || im.over == NULL)
        return nomem(e);
    rv = store_credential_list(b->c.db, user_id, NULL, NULL, NULL, arena, &own, &names.n_own, NULL, e);
    names.own = own;
    for (size_t i = 0; rv == 0 && i < n; i++) {
        entries[i].result = "SKIPPED";
        if (is_wanted(numbers, entries[i].number))
            rv = place_entry(b, user_id, &entries[i], duplicates, &names, &im, e);
    }
    if (rv == 0)
        rv = db_transact(b->c.db, tx_import, &im, e);
    return rv == ERR_NAME_USED.code ? name_conflict(e) : rv;
}

void box_forget(struct box_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (entries[i].secret != NULL)
            mem_wipe(entries[i].secret, strlen(entries[i].secret));
        entries[i].secret = NULL;
    }
}
