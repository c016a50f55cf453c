/* SPDX-License-Identifier: Apache-2.0 */
#include "src/node/bundle.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "src/base/json.h"
#include "src/iam/authorization.h"
#include "src/io/addr.h"
#include "src/io/authority.h"
#include "src/store/ocpcluster.h"

ERR_DEFINE(ERR_BUNDLE_FORMAT, 90755, 400, ERR_FINAL, "This is no join bundle that this version can use: {0}. Have a new one made (ocpctl cluster add).",
           "这不是本版本可用的加入凭证包：{0}。请重新生成（ocpctl cluster add）。");
ERR_DEFINE(ERR_BUNDLE_SECRET, 90756, 400, ERR_FINAL,
           "The join secret does not open this bundle. Each bundle has its own, shown when it was made; have a new one made if it is lost.",
           "加入密钥无法打开该凭证包。每个凭证包有各自的密钥，仅在生成时显示一次；如已丢失请重新生成。");

const struct err_row *const bundle_err_rows[] = { &ERR_BUNDLE_FORMAT, &ERR_BUNDLE_SECRET, NULL };

enum { SECRET_BYTES = 20, KEY_BYTES = 32 };
_Static_assert(SECRET_BYTES * 8 / 5 + 7 + 1 == BUNDLE_SECRET_SIZE, "eight groups of four letters");

static const char format[] = "ocp-join-bundle-1", letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const char *const role_names[] = { [MEMBER_STANDBY] = "STANDBY", [MEMBER_VOTER] = "VOTER", [MEMBER_SPARE] = "SPARE" };

static int odd(struct err *e, const char *what)
{
    return err_set(e, &ERR_BUNDLE_FORMAT, "%s", what);
}

static int nomem(struct err *e)
{
    return err_set(e, &ERR_NOMEM, "");
}

/* --- the secret ------------------------------------------------------------------------------------------------------------------ */

static void secret_text(const uint8_t bytes[SECRET_BYTES], char out[BUNDLE_SECRET_SIZE])
{
    for (unsigned i = 0, n = 0; i < SECRET_BYTES * 8 / 5; i++) {
        unsigned bit = i * 5, two = (unsigned)bytes[bit / 8] << 8 | (bit / 8 + 1 < SECRET_BYTES ? bytes[bit / 8 + 1] : 0);

        if (i > 0 && i % 4 == 0)
            out[n++] = '-';
        out[n++] = letters[two >> (11 - bit % 8) & 31];
        out[n] = '\0';
    }
}

/* As people type it: 0 for O, 1 for I and L. */
static int letter_value(char c)
{
    const char *at;

    c = (char)toupper((unsigned char)c);
    c = c == 'O' ? '0' : c == 'I' || c == 'L' ? '1' : c;
    at = c != '\0' ? strchr(letters, c) : NULL;
    return at != NULL ? (int)(at - letters) : -1;
}

static bool secret_bytes(const char *text, uint8_t out[SECRET_BYTES])
{
    unsigned n_bits = 0;

    memset(out, 0, SECRET_BYTES);
    for (; *text != '\0'; text++) {
        int v = letter_value(*text);

        if (*text == '-' || isspace((unsigned char)*text))
            continue;
        if (v < 0 || n_bits + 5 > SECRET_BYTES * 8)
            return false;
        for (unsigned i = 0; i < 5; i++, n_bits++)
            out[n_bits / 8] |= (uint8_t)((v >> (4 - i) & 1) << (7 - n_bits % 8));
    }
    return n_bits == SECRET_BYTES * 8;
}

/* --- sealing --------------------------------------------------------------------------------------------------------------------- */

static int derive(const uint8_t secret[SECRET_BYTES], const struct raft_identity *who, unsigned char key[KEY_BYTES], struct err *e)
{
    static const char use[] = "ocp-server join bundle 1";
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);
    unsigned char salt[RAFT_CLUSTER_ID_BYTES + sizeof who->node];
    size_t n = KEY_BYTES;
    bool good;

    memcpy(salt, who->cluster, RAFT_CLUSTER_ID_BYTES);
    memcpy(salt + RAFT_CLUSTER_ID_BYTES, &who->node, sizeof who->node);
    good = c != NULL && EVP_PKEY_derive_init(c) == 1 && EVP_PKEY_CTX_set_hkdf_md(c, EVP_sha256()) == 1 &&
           EVP_PKEY_CTX_set1_hkdf_salt(c, salt, sizeof salt) == 1 && EVP_PKEY_CTX_set1_hkdf_key(c, secret, SECRET_BYTES) == 1 &&
           EVP_PKEY_CTX_add1_hkdf_info(c, (const unsigned char *)use, sizeof use - 1) == 1 && EVP_PKEY_derive(c, key, &n) == 1;
    EVP_PKEY_CTX_free(c);
    return good ? 0 : err_set(e, &ERR_UNEXPECTED, "the key of a join bundle cannot be derived");
}

/* A box that the secret opens. */
static int make_box(const uint8_t secret[SECRET_BYTES], const struct raft_identity *who, struct vault **out, struct err *e)
{
    unsigned char key[KEY_BYTES];
    int rv = derive(secret, who, key, e);

    if (rv == 0)
        rv = vault_new_keys(key, NULL, out, e);
    mem_wipe(key, sizeof key);
    return rv;
}

static struct vault_place place_of(const struct bundle *b, const char *part)
{
    return (struct vault_place){ "join_bundle", (int64_t)b->identity.node, part };
}

/* The text that is bound and signed: one form for one content. */
static int canonical(const json_t *root, struct arena *arena, struct slice *out, struct err *e)
{
    char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS);
    char *kept = text != NULL ? arena_strdup(arena, text) : NULL;

    mem_free(text);
    *out = (struct slice){ kept, kept != NULL ? strlen(kept) : 0 };
    return kept != NULL ? 0 : nomem(e);
}

static int hash_of(const json_t *root, struct arena *arena, char out[65], struct err *e)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    struct slice text;
    int rv = canonical(root, arena, &text, e);

    if (rv == 0)
        (void)ocpcluster_hex(SHA256((const unsigned char *)text.s, text.n, hash), sizeof hash, out);
    return rv;
}

/* --- writing --------------------------------------------------------------------------------------------------------------------- */

static int set_base64(json_t *root, const char *name, struct slice bytes, struct arena *arena, struct err *e)
{
    char *text = arena_alloc(arena, bytes.n * 4 / 3 + 8);

    if (text == NULL)
        return nomem(e);
    (void)EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes.s, (int)bytes.n);
    return json_object_set_new(root, name, json_string(text)) == 0 ? 0 : nomem(e);
}

static json_t *members_json(const struct bundle *b)
{
    json_t *list = json_array();

    for (unsigned i = 0; list != NULL && i < b->n_members; i++) {
        const struct member *m = &b->members[i];
        json_t *one = json_pack("{s:I,s:s,s:s}", "node", (json_int_t)m->id, "address", m->address, "role", role_names[m->role]);

        if (one == NULL || json_array_append_new(list, one) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *clear_json(const struct bundle *b)
{
    char hex[OCPCLUSTER_HEX_SIZE];

    return json_pack("{s:s,s:s,s:I,s:I,s:b,s:o,s:s}", "format", format, "cluster", ocpcluster_hex(b->identity.cluster, RAFT_CLUSTER_ID_BYTES, hex),
                     "generation", (json_int_t)b->identity.generation, "node", (json_int_t)b->identity.node, "founding", (int)b->founding,
                     "members", members_json(b), "authority", b->authority);
}

static void secrets_text(const struct bundle *b, struct str *t)
{
    char hex[2 * KEYFILE_KEY_SIZE + 1];

    (void)str_reserve(t, 4096); /* at once: no copies are left behind */
    str_add_c(t, '{');
    json_add_key(t, "certificate");
    json_add_string(t, b->certificate);
    json_add_key(t, "key");
    json_add_string(t, b->key);
    json_add_key(t, "masterKeys");
    str_add_c(t, '[');
    for (unsigned i = 0; i < b->master.n; i++) {
        json_add_comma(t);
        json_add_string(t, ocpcluster_hex(b->master.keys[i], KEYFILE_KEY_SIZE, hex));
    }
    str_add(t, "]}");
    mem_wipe(hex, sizeof hex);
}

static int seal(const struct bundle *b, json_t *root, const uint8_t secret[SECRET_BYTES], struct arena *arena, struct err *e)
{
    struct vault *box = NULL;
    struct vault_place at;
    struct str plain, sealed;
    char part[65];
    int rv = hash_of(root, arena, part, e);

    if (rv == 0)
        rv = make_box(secret, &b->identity, &box, e);
    if (rv != 0)
        return rv;
    str_init(&plain, NULL);
    str_init(&sealed, arena);
    secrets_text(b, &plain);
    at = place_of(b, part);
    rv = str_failed(&plain) ? nomem(e) : vault_seal(box, &at, (struct slice){ plain.s, plain.n }, &sealed, e);
    if (rv == 0)
        rv = set_base64(root, "sealed", (struct slice){ sealed.s, sealed.n }, arena, e);
    if (plain.s != NULL)
        mem_wipe(plain.s, plain.space);
    str_fini(&plain);
    vault_free(box);
    return rv;
}

static int sign(const struct bundle_signer *signer, json_t *root, struct arena *arena, struct err *e)
{
    struct slice text, signature;
    int rv = canonical(root, arena, &text, e);

    if (rv == 0)
        rv = signer->sign(signer->data, text, arena, &signature, e);
    return rv == 0 ? set_base64(root, "signature", signature, arena, e) : rv;
}

static int print(const json_t *root, struct str *text, struct err *e)
{
    char *s = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);

    if (s == NULL)
        return nomem(e);
    str_add(text, s);
    str_add_c(text, '\n');
    mem_free(s);
    return str_failed(text) ? nomem(e) : 0;
}

int bundle_write(const struct bundle *b, const struct bundle_signer *signer, struct arena *arena, struct str *text,
                 char secret[BUNDLE_SECRET_SIZE], struct err *e)
{
    uint8_t bytes[SECRET_BYTES];
    json_t *root;
    int rv;

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return err_set(e, &ERR_UNEXPECTED, "no random bytes");
    root = clear_json(b);
    rv = root != NULL ? seal(b, root, bytes, arena, e) : nomem(e);
    if (rv == 0)
        rv = sign(signer, root, arena, e);
    if (rv == 0)
        rv = print(root, text, e);
    if (rv == 0)
        secret_text(bytes, secret);
    mem_wipe(bytes, sizeof bytes);
    json_decref(root);
    return rv;
}

/* --- reading --------------------------------------------------------------------------------------------------------------------- */

/* A text member, copied into the arena; NULL when there is none. */
static const char *text_of(const json_t *root, const char *name, struct arena *arena, bool *short_of_memory)
{
    const char *s = json_string_value(json_object_get(root, name));
    const char *kept = s != NULL ? arena_strdup(arena, s) : NULL;

    *short_of_memory |= s != NULL && kept == NULL;
    return kept;
}

static bool id_of(const json_t *root, const char *name, uint64_t *out)
{
    json_int_t v = json_integer_value(json_object_get(root, name));

    *out = v > 0 ? (uint64_t)v : 0;
    return v > 0;
}

static bool role_of(const json_t *root, enum member_role *out)
{
    const char *s = json_string_value(json_object_get(root, "role"));

    for (unsigned i = 0; s != NULL && i < sizeof role_names / sizeof role_names[0]; i++)
        if (strcmp(role_names[i], s) == 0) {
            *out = (enum member_role)i;
            return true;
        }
    return false;
}

static int read_member(const json_t *one, struct bundle *b, struct arena *arena, struct err *e)
{
    struct member *m = &b->members[b->n_members];
    bool short_of_memory = false;
    struct addr at;

    m->address = text_of(one, "address", arena, &short_of_memory);
    if (short_of_memory)
        return nomem(e);
    if (!id_of(one, "node", &m->id) || !role_of(one, &m->role) || m->address == NULL ||
        !addr_parse_port((struct slice){ m->address, strlen(m->address) }, &at) || at.port == 0)
        return odd(e, "a member of its cluster has no id, address or role");
    for (unsigned i = 0; i < b->n_members; i++)
        if (b->members[i].id == m->id)
            return odd(e, "it names a member twice");
    b->n_members++;
    return 0;
}

static int read_members(const json_t *root, struct bundle *b, struct arena *arena, struct err *e)
{
    const json_t *list = json_object_get(root, "members");
    bool is_among = false;
    int rv = 0;

    if (json_array_size(list) == 0 || json_array_size(list) > RAFT_MAX_MEMBERS)
        return odd(e, "it names no members, or too many");
    for (size_t i = 0; rv == 0 && i < json_array_size(list); i++) {
        rv = read_member(json_array_get(list, i), b, arena, e);
        is_among |= rv == 0 && b->members[i].id == b->identity.node;
    }
    return rv == 0 && !is_among ? odd(e, "the node that it is for is none of the members") : rv;
}

static int read_clear(const json_t *root, struct arena *arena, struct bundle *b, struct err *e)
{
    const char *cluster = json_string_value(json_object_get(root, "cluster")), *is = json_string_value(json_object_get(root, "format"));
    const json_t *founding = json_object_get(root, "founding");
    bool short_of_memory = false;

    if (is == NULL || strcmp(is, format) != 0)
        return odd(e, "its format is not ocp-join-bundle-1");
    if (cluster == NULL || !ocpcluster_unhex(cluster, b->identity.cluster, RAFT_CLUSTER_ID_BYTES) ||
        !id_of(root, "generation", &b->identity.generation) || !id_of(root, "node", &b->identity.node) || !json_is_boolean(founding))
        return odd(e, "cluster, generation, node or founding is missing");
    b->founding = json_is_true(founding);
    b->authority = text_of(root, "authority", arena, &short_of_memory);
    if (b->authority == NULL)
        return short_of_memory ? nomem(e) : odd(e, "the authority is missing");
    return read_members(root, b, arena, e);
}

/* Takes the member out of `root`, decoded. */
static int take_base64(json_t *root, const char *name, struct arena *arena, struct slice *out, struct err *e)
{
    const char *text = json_string_value(json_object_get(root, name));
    size_t n = text != NULL ? strlen(text) : 0;
    char *bytes = arena_alloc(arena, n + 1);
    int got;

    if (bytes == NULL)
        return nomem(e);
    got = text != NULL ? authorization_base64((struct slice){ text, n }, bytes, n + 1) : -1;
    *out = (struct slice){ bytes, got > 0 ? (size_t)got : 0 };
    if (got <= 0 || json_object_del(root, name) != 0)
        return odd(e, "its sealed part or its signature is missing");
    return 0;
}

static int read_root(json_t *root, struct arena *arena, struct bundle *b, struct bundle_sealed *sealed, struct err *e)
{
    struct slice signature, text;
    int rv = read_clear(root, arena, b, e);

    if (rv == 0)
        rv = take_base64(root, "signature", arena, &signature, e);
    if (rv == 0)
        rv = canonical(root, arena, &text, e);
    if (rv == 0 && authority_verify(b->authority, text, signature, NULL) != 0)
        rv = odd(e, "its signature is not the authority's: it was changed, or damaged on its way");
    if (rv == 0)
        rv = take_base64(root, "sealed", arena, &sealed->bytes, e);
    return rv == 0 ? hash_of(root, arena, sealed->part, e) : rv;
}

int bundle_read(struct slice text, struct arena *arena, struct bundle *out, struct bundle_sealed *sealed, struct err *e)
{
    json_t *root;
    int rv;

    memset(out, 0, sizeof *out);
    memset(sealed, 0, sizeof *sealed);
    if (text.n > BUNDLE_MAX_BYTES)
        return odd(e, "it is too long");
    rv = json_parse(text, &root, NULL);
    if (rv != 0)
        return rv == ERR_NOMEM.code ? nomem(e) : odd(e, "it is no JSON text");
    rv = read_root(root, arena, out, sealed, e);
    json_decref(root);
    return rv;
}

static int read_secrets(const char *plain, struct bundle *b, struct arena *arena, struct err *e)
{
    bool short_of_memory = false;
    const json_t *keys;
    json_t *root;
    int rv = json_parse((struct slice){ plain, strlen(plain) }, &root, NULL);

    if (rv != 0)
        return rv == ERR_NOMEM.code ? nomem(e) : odd(e, "its sealed part is no JSON text");
    b->certificate = text_of(root, "certificate", arena, &short_of_memory);
    b->key = (char *)(uintptr_t)text_of(root, "key", arena, &short_of_memory);
    keys = json_object_get(root, "masterKeys");
    for (size_t i = 0; i < json_array_size(keys) && i < 2; i++) {
        const char *hex = json_string_value(json_array_get(keys, i));

        b->master.n += hex != NULL && ocpcluster_unhex(hex, b->master.keys[i], KEYFILE_KEY_SIZE);
    }
    if (short_of_memory)
        rv = nomem(e);
    else if (b->certificate == NULL || b->key == NULL || b->master.n == 0 || b->master.n != json_array_size(keys))
        rv = odd(e, "its sealed part lacks a certificate, a key or the master key");
    json_decref(root);
    return rv;
}

int bundle_open(struct bundle *b, const struct bundle_sealed *sealed, const char *secret, struct arena *arena, struct err *e)
{
    const struct vault_place at = place_of(b, sealed->part);
    uint8_t bytes[SECRET_BYTES];
    struct vault *box = NULL;
    char *plain = NULL;
    int rv = secret_bytes(secret, bytes) ? make_box(bytes, &b->identity, &box, e) : err_set(e, &ERR_BUNDLE_SECRET, "");

    if (rv == 0)
        rv = vault_open(box, &at, sealed->bytes, &plain, e);
    if (rv == ERR_VAULT_OPEN.code)
        rv = err_set(e, &ERR_BUNDLE_SECRET, "");
    if (rv == 0)
        rv = read_secrets(plain, b, arena, e);
    mem_wipe(bytes, sizeof bytes);
    secret_free(plain);
    vault_free(box);
    return rv;
}

void bundle_wipe(struct bundle *b)
{
    if (b->key != NULL)
        mem_wipe(b->key, strlen(b->key));
    mem_wipe(&b->master, sizeof b->master);
}
