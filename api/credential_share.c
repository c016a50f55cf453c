/* SPDX-License-Identifier: Apache-2.0 */
/* Sharing credentials with other users, and taking them along in an encrypted file. */
#include <string.h>

#include "api/api.h"
#include "api/credential.h"
#include "api/multipart.h"
#include "api/tables.h"
#include "src/iam/principal.h"
#include "src/vault/box_file.h"
#include "src/vault/offer.h"

/* ---- sharing --------------------------------------------------------------------------------------------------------- */

struct share_in {
    struct field_ints ids;
    struct field_strings usernames;
};
static const struct field share_in_fields[] = {
    F_INTS(share_in, ids, "credentialIds", .flags = FIELD_REQUIRED, .min = 1, .max = OFFER_MAX_CREDENTIALS, DOC("Ids of one's own credentials.")),
    F_STRINGS(share_in, usernames, "usernames", .flags = FIELD_REQUIRED, .min = 1, .max = OFFER_MAX_RECEIVERS, DOC("Who shall get copies.")),
    FIELD_END,
};
struct share_out {
    int64_t n_offers;
};
static const struct field share_out_fields[] = {
    F_INT(share_out, n_offers, "offers", DOC("How many copies were offered.")),
    FIELD_END,
};

static int api_credential_share(struct call *c, struct err *e)
{
    struct credential_context context = credential_context_of(c);
    const struct share_in *in = c->body;
    struct share_out out;
    size_t n;
    int rv;

    c->object_kind = "CREDENTIAL";
    c->object_id = in->ids.items[0];
    rv = offer_make(&context, c->user->user_id, c->user->name, in->ids, in->usernames, c->api->shared->node->clock, c->arena, &n, e);
    out.n_offers = (int64_t)n;
    return rv == 0 ? call_object(c, &out, e) : rv;
}

struct offer_out {
    struct credential_out credential;
    const char *from;
    int64_t expires_us;
};
static const struct field offer_fields[] = {
    F_INT(offer_out, credential.id, "id", DOC("Id of the offer.")),
    F_ENUM(offer_out, credential.target, "targetType", credential_target_names, DOC("What it opens.")),
    F_STRING(offer_out, credential.name, "name", DOC("Its name.")),
    F_STRING(offer_out, credential.description, "description", DOC("Remark.")),
    CREDENTIAL_PROPERTIES_OF(offer_out, credential.),
    F_STRING(offer_out, from, "from", DOC("User who shares it.")),
    F_TIME(offer_out, credential.created_us, "createTime", DOC("When it was offered.")),
    F_TIME(offer_out, expires_us, "expireTime", DOC("When the offer ends.")),
    FIELD_END,
};

static int api_offer_list(struct call *c, struct err *e)
{
    struct credential_context context = credential_context_of(c);
    struct offer_view *views;
    struct offer_out *out;
    size_t n;
    int rv = offer_list(&context, c->user->user_id, c->arena, &views, &n, e);

    if (rv != 0)
        return rv;
    out = arena_array(c->arena, n, sizeof *out);
    if (out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n; i++) {
        rv = credential_out_view(&views[i].v, c->arena, &out[i].credential, e);
        out[i].from = views[i].from;
        out[i].expires_us = views[i].expires_us;
    }
    return rv == 0 ? call_list(c, out, n, e) : rv;
}

struct accept_in {
    const char *name;
    int with_hosts;
};
static const struct field accept_fields[] = {
    F_STRING(accept_in, name, "name", .max = 64, DOC("Name to keep it under; its own without.")),
    F_BOOL(accept_in, with_hosts, "withHosts", .def = "true", DOC("Keep which hosts it is for.")),
    FIELD_END,
};

static int api_offer_accept(struct call *c, struct err *e)
{
    struct credential_context context = credential_context_of(c);
    const struct accept_in *in = c->body;
    struct credential_out out;
    struct credential_view v;
    int rv;

    c->object_kind = "CREDENTIAL";
    rv = offer_accept(&context, c->user->user_id, call_id(c, "id"), in->name, in->with_hosts == 1, c->arena, &v, e);
    if (rv == 0)
        rv = credential_out_view(&v, c->arena, &out, e);
    if (rv != 0)
        return rv;
    c->object_id = v.id;
    c->object_name = v.name;
    return call_object(c, &out, e);
}

static int api_offer_ignore(struct call *c, struct err *e)
{
    struct credential_context context = credential_context_of(c);

    c->object_kind = "CREDENTIAL";
    return offer_ignore(&context, c->user->user_id, call_id(c, "id"), c->arena, &c->object_name, e);
}

/* ---- files ----------------------------------------------------------------------------------------------------------- */

static struct box_context box_of(const struct call *c)
{
    return (struct box_context){ credential_context_of(c), c->api->shared->crypto_pool };
}

struct export_in {
    struct field_ints ids;
    const char *secret;
};
static const struct field export_fields[] = {
    F_INTS(export_in, ids, "credentialIds", .max = BOX_MAX_CREDENTIALS, DOC("Ids of one's own credentials; empty: all.")),
    F_STRING(export_in, secret, "secret", .flags = FIELD_REQUIRED | FIELD_SECRET, DOC("Secret that opens the file, 8 to 256 bytes; it is not kept.")),
    FIELD_END,
};

static int api_credential_export(struct call *c, struct err *e)
{
    static const struct http_header headers[] = {
        { SLICE("content-type"), SLICE("application/octet-stream") },
        { SLICE("content-disposition"), SLICE("attachment; filename=\"credentials.osf\"") },
        { SLICE("cache-control"), SLICE("no-store") },
    };
    struct box_context box = box_of(c);
    const struct export_in *in = c->body;
    struct slice file;
    int rv;

    c->object_kind = "CREDENTIAL";
    rv = box_export(&box, c->user->user_id, in->ids, in->secret, c->arena, &file, e);
    return rv == 0 ? http_reply(c->rq, 200, headers, 3, file, e) : rv;
}

struct import_parts {
    struct slice file;
    const char *secret;
    struct field_ints numbers;
    int duplicates;
};

static const struct field import_fields[] = {
    F_INTS(import_parts, numbers, "numbers", .max = BOX_MAX_CREDENTIALS),
    F_ENUM(import_parts, duplicates, "duplicates", box_duplicate_names, .flags = FIELD_ANY_CASE, .def = "SKIP"),
    FIELD_END,
};

static int take_parts(struct call *c, const struct multipart_part *parts, int n, struct import_parts *out, struct err *e)
{
    struct slice secret = multipart_value(parts, n, "secret");
    int rv = fields_init(import_fields, out, c->arena, e);

    out->file = multipart_value(parts, n, "file");
    for (int i = 0; rv == 0 && i < n; i++) {
        const struct field *f = field_find(import_fields, parts[i].name);

        if (f != NULL)
            rv = field_read_text(f, parts[i].value, out, c->arena, e);
    }
    if (rv != 0)
        return rv;
    if (out->file.s == NULL || secret.s == NULL)
        return err_set(e, &ERR_INVALID, "%s: it is missing", out->file.s == NULL ? "file" : "secret");
    out->secret = arena_strndup(c->arena, secret.s, secret.n);
    return out->secret != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int read_parts(struct call *c, struct import_parts *out, struct err *e)
{
    struct multipart_part parts[MULTIPART_MAX_PARTS];
    struct slice body;
    int n, rv = http_body_all(c->rq, BOX_MAX_BYTES + 64 * 1024, &body, e);

    *out = (struct import_parts){ .secret = NULL };
    if (rv != 0)
        return rv;
    n = multipart_read(http_header(c->rq, "content-type"), body, parts, MULTIPART_MAX_PARTS);
    if (n < 0)
        return err_set(e, &ERR_INVALID, "the body is no multipart/form-data with the parts file and secret");
    return take_parts(c, parts, n, out, e);
}

struct entry_out {
    int64_t number, id;
    int target, duplicate;
    const char *name, *username, *result;
};
static const struct field entry_fields[] = {
    F_INT(entry_out, number, "number", DOC("Place in the file, from 1.")),
    F_ENUM(entry_out, target, "targetType", credential_target_names, DOC("What it opens.")),
    F_STRING(entry_out, name, "name", DOC("Its name, or the one under which it is kept.")),
    F_STRING(entry_out, username, "username", DOC("Name to log in with.")),
    F_BOOL(entry_out, duplicate, "duplicate", DOC("One has a credential of this name.")),
    F_STRING(entry_out, result, "result", DOC("CREATED, REPLACED, RENAMED or SKIPPED.")),
    F_INT(entry_out, id, "id", DOC("Id of the credential it has become.")),
    FIELD_END,
};

static int reply_entries(struct call *c, const struct box_entry *entries, size_t n, struct err *e)
{
    struct entry_out *out = arena_array(c->arena, n, sizeof *out);

    if (out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        const struct box_entry *b = &entries[i];

        out[i] = (struct entry_out){ b->number, b->v.id > 0 ? b->v.id : FIELD_NONE, b->v.target, b->duplicate, b->v.name, b->v.username, b->result };
    }
    return call_list(c, out, n, e);
}

static int import(struct call *c, bool store, struct err *e)
{
    struct box_context box = box_of(c);
    struct box_entry *entries = NULL;
    struct import_parts in;
    size_t n = 0;
    int rv = read_parts(c, &in, e);

    if (rv == 0)
        rv = box_read(&box, c->user->user_id, in.file, in.secret, c->arena, &entries, &n, e);
    if (rv == 0 && store)
        rv = box_import(&box, c->user->user_id, entries, n, in.numbers, (enum box_duplicate)in.duplicates, c->arena, e);
    box_forget(entries, n);
    if (in.secret != NULL)
        mem_wipe((char *)(uintptr_t)in.secret, strlen(in.secret));
    return rv == 0 ? reply_entries(c, entries, n, e) : rv;
}

static int api_import_check(struct call *c, struct err *e)
{
    return import(c, false, e);
}

static int api_import(struct call *c, struct err *e)
{
    c->object_kind = "CREDENTIAL";
    return import(c, true, e);
}

#define BOX .tag = "Password box"
#define ALL "/api/v2/profiles/me/credentials"
#define OFFERS "/api/v2/profiles/me/credentialOffers"

const struct route credential_share_routes[] = {
    ROUTE("profile-credentials-share", "POST", ALL "/share", "PROFILE:*:UPDATE", api_credential_share, REPLY_OBJECT, ROUTE_OWN,
          "Offer copies of credentials to other users, for seven days.", BOX, ROUTE_BODY(share_in, share_in_fields),
          ROUTE_OUT(share_out, share_out_fields)),
    ROUTE("profile-credential-offers-list", "GET", OFFERS, "PROFILE:*:READ", api_offer_list, REPLY_LIST, ROUTE_OWN,
          "List the credentials that others have offered, newest first.", BOX, ROUTE_OUT(offer_out, offer_fields)),
    ROUTE("profile-credential-offer-accept", "POST", OFFERS "/{id}/accept", "PROFILE:*:CREATE", api_offer_accept, REPLY_OBJECT, ROUTE_OWN,
          "Keep an offered credential.", BOX, ROUTE_BODY(accept_in, accept_fields), .flags = ROUTE_BODY_OPTIONAL,
          ROUTE_OUT(credential_out, credential_out_fields)),
    ROUTE("profile-credential-offer-ignore", "POST", OFFERS "/{id}/ignore", "PROFILE:*:UPDATE", api_offer_ignore, REPLY_NONE, ROUTE_OWN,
          "Turn an offered credential down.", BOX),
    ROUTE("profile-credentials-export", "POST", ALL "/export", "PROFILE:*:READ", api_credential_export, REPLY_OWN, ROUTE_OWN,
          "Download credentials as an encrypted file.", BOX, ROUTE_BODY(export_in, export_fields)),
    ROUTE("profile-credentials-import-pre-check", "POST", ALL "/importPreCheck", "PROFILE:*:READ", api_import_check, REPLY_LIST, ROUTE_ADDITIONAL,
          "Show what a file of credentials holds.", BOX, .flags = ROUTE_BODY_RAW | ROUTE_READ_ONLY, ROUTE_OUT(entry_out, entry_fields)),
    ROUTE("profile-credentials-import", "POST", ALL "/import", "PROFILE:*:CREATE", api_import, REPLY_LIST, ROUTE_ADDITIONAL,
          "Store credentials from a file, all of them or those with these numbers.", BOX, .flags = ROUTE_BODY_RAW,
          ROUTE_OUT(entry_out, entry_fields)),
    ROUTE_END,
};
