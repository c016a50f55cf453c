/* SPDX-License-Identifier: Apache-2.0 */
/* Loading: collect what each source says about each setting (a later source replaces an earlier one), read every value into
 * its member, then look at settings that must fit together. A problem is noted and the loading goes on; only lack of
 * memory ends it at once. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/setting_type.h"
#include "conf/snapshot.h"
#include "conf/sources.h"

enum { MAX_SECRET_FILE_BYTES = 4096 };

struct load {
    struct settings_snapshot *to;
    struct sources from;
};

static struct slice text_of(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

static int note(struct load *l, struct setting_origin at, const char *key, const char *reason)
{
    return problem_add(l->from.problems, at, text_of(key), reason, NULL);
}

/* ---- values ---------------------------------------------------------------------------------------------------------- */

/* Replaces the path of a secret's file by what the file holds, without the newline at its end. */
static int read_secret_file(struct load *l, const struct setting *s, struct setting_given *g, bool *bad)
{
    const char *path = arena_strndup(&l->from.arena, g->text.s, g->text.n);
    const char *reason = NULL;
    struct sources_file file;
    bool nomem = path == NULL;
    char text[160];

    if (!nomem)
        reason = sources_read_file(path, MAX_SECRET_FILE_BYTES, &l->from.arena, &file, &nomem);
    if (nomem)
        return ERR_NOMEM.code;
    *bad = reason != NULL;
    if (*bad) {
        (void)snprintf(text, sizeof text, "cannot read its file %.100s: %.40s", path, reason);
        return note(l, g->at, s->name, text);
    }
    if (file.n > 0 && file.text[file.n - 1] == '\n')
        file.n--;
    if (file.n > 0 && file.text[file.n - 1] == '\r')
        file.n--;
    g->text = (struct slice){ file.text, file.n };
    return (file.mode & S_IROTH) != 0
               ? problem_warn(l->from.problems, g->at, text_of(s->name), "everybody may read its file: chmod o-r", NULL)
               : 0;
}

/* A path may begin with "${data_dir}". */
static int expand(struct load *l, const struct setting *s, struct slice *text)
{
    static const char variable[] = "${data_dir}";
    const size_t n = sizeof variable - 1;
    const char *full;

    if (s->type != &setting_path || !slice_starts(*text, variable))
        return 0;
    full = arena_printf(&l->from.arena, "%s%.*s", l->to->settings.data_dir, (int)(text->n - n), text->s + n);
    if (full == NULL)
        return ERR_NOMEM.code;
    *text = text_of(full);
    return 0;
}

static int check_file(struct load *l, const struct setting *s, const struct setting_given *g)
{
    const char *const *path = (const char *const *)(const void *)((char *)&l->to->settings + s->offset);
    char text[64];

    if ((s->flags & SETTING_FILE) == 0 || (*path)[0] == '\0' || access(*path, R_OK) == 0)
        return 0;
    (void)snprintf(text, sizeof text, "cannot read it: %s", strerror(errno));
    return note(l, g->at, s->name, text);
}

static int set_member(struct load *l, const struct setting *s, struct slice text, struct err *e)
{
    int rv = expand(l, s, &text);

    return rv != 0 ? rv : s->type->read(s, text, (char *)&l->to->settings + s->offset, &l->to->arena, e);
}

static int read_value(struct load *l, const struct setting *s)
{
    struct setting_given *g = &l->from.given[s - settings_table];
    struct err e = { 0 };
    bool bad = false;
    int rv;

    rv = set_member(l, s, text_of(s->def), &e); /* so that no member is unset, whatever comes */
    if (rv != 0 || g->at.source == NULL)
        return rv;
    if (g->is_file)
        rv = read_secret_file(l, s, g, &bad);
    if (rv != 0 || bad)
        return rv;
    rv = set_member(l, s, g->text, &e);
    if (setting_is_secret(s) && (g->is_file || g->at.line > 0))
        mem_wipe((char *)g->text.s, g->text.n); /* it lies in a file's text, which is ours to write */
    if (rv == ERR_INVALID.code)
        return note(l, g->at, s->name, e.arg[0]);
    return rv != 0 ? rv : check_file(l, s, g);
}

/* ---- settings that must fit together --------------------------------------------------------------------------------- */

static const struct setting_given *given(const struct load *l, const char *name)
{
    return &l->from.given[settings_find(text_of(name)) - settings_table];
}

static struct setting_origin origin(const struct load *l, const char *name)
{
    const struct setting_given *g = given(l, name);

    return g->at.source != NULL ? g->at : (struct setting_origin){ .source = "default" };
}

enum reach { NO_ADDRESS, LOOPBACK, NETWORK };

static enum reach reach_of(const char *host)
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
    unsigned char v4[4];
    struct in6_addr v6;

    if (inet_pton(AF_INET, host, v4) == 1)
        return v4[0] == 127 ? LOOPBACK : NETWORK;
    if (inet_pton(AF_INET6, host, &v6) != 1)
        return NO_ADDRESS;
    if (memcmp(&v6, mapped, sizeof mapped) == 0)
        return v6.s6_addr[12] == 127 ? LOOPBACK : NETWORK;
    return IN6_IS_ADDR_LOOPBACK(&v6) ? LOOPBACK : NETWORK;
}

static int check_listen(struct load *l, const struct setting_address *at, bool may_be_reached)
{
    enum reach reach = reach_of(at->host);
    char text[256];

    if (reach == LOOPBACK || (reach == NETWORK && may_be_reached))
        return 0;
    if (reach == NO_ADDRESS)
        (void)snprintf(text, sizeof text, "%.80s is a name: give an address", at->host);
    else
        (void)snprintf(text, sizeof text, "other machines reach %.80s:%u, and TLS is off: set http.tls.certificate and "
                       "http.tls.key, or choose http.allow_cleartext = true", at->host, at->port);
    return note(l, origin(l, "http.listen"), "http.listen", text);
}

static int check_http(struct load *l)
{
    const struct settings *s = &l->to->settings;
    bool tls = s->http.tls_certificate[0] != '\0';
    int rv = 0;

    if (s->http.listen.n == 0)
        rv = note(l, origin(l, "http.listen"), "http.listen", "at least one address is needed");
    if (rv == 0 && tls && s->http.tls_key[0] == '\0')
        rv = note(l, origin(l, "http.tls.certificate"), "http.tls.certificate", "http.tls.key is missing");
    if (rv == 0 && !tls && s->http.tls_key[0] != '\0')
        rv = note(l, origin(l, "http.tls.key"), "http.tls.key", "http.tls.certificate is missing");
    for (unsigned i = 0; rv == 0 && i < s->http.listen.n; i++)
        rv = check_listen(l, &s->http.listen.items[i], tls || s->http.allow_cleartext);
    if (rv == 0 && s->http.proxy_protocol && s->http.trusted_proxies[0] == '\0')
        rv = note(l, origin(l, "http.proxy_protocol"), "http.proxy_protocol",
                  "http.trusted_proxies is empty: nobody may send a PROXY header");
    return rv;
}

static bool is_wildcard(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0;
}

static int check_peer(struct load *l)
{
    const struct settings *s = &l->to->settings;
    int rv = 0;

    if (s->peer.listen.n != 1 || reach_of(s->peer.listen.items[0].host) == NO_ADDRESS)
        rv = note(l, origin(l, "peer.listen"), "peer.listen", "give one IP address with a port");
    if (rv == 0 && s->peer.address.n > 0 &&
        (s->peer.address.n > 1 || reach_of(s->peer.address.items[0].host) == NO_ADDRESS || is_wildcard(s->peer.address.items[0].host)))
        rv = note(l, origin(l, "peer.address"), "peer.address", "give one IP address with a port, the one at which other nodes reach this one");
    return rv;
}

/* Does the row say it must be given, and nobody did? What was given in vain has its problem already. */
static bool is_missing(const struct load *l, const struct setting *s)
{
    const struct setting_given *g = &l->from.given[s - settings_table];

    return (s->flags & SETTING_REQUIRED) != 0 && (g->at.source == NULL || g->text.n == 0);
}

static int check_databases(struct load *l)
{
    const struct settings *s = &l->to->settings;
    const bool alone = s->standalone.enabled;
    int rv = 0;

    for (const struct setting *row = settings_table; rv == 0 && !alone && row->name != NULL; row++) {
        if (is_missing(l, row))
            rv = note(l, origin(l, row->name), row->name, "it must be given, unless standalone is on");
    }
    if (rv == 0 && alone && s->db.endpoints.n > 0)
        rv = note(l, origin(l, "db.endpoints"), "db.endpoints",
                  "standalone starts a database of its own: remove one of the two");
    if (rv == 0 && s->monitordb.endpoints.n == 0 && strcmp(s->db.database, s->monitordb.database) == 0)
        rv = note(l, origin(l, "monitordb.database"), "monitordb.database", "it is the same database as db.database");
    return rv;
}

/* MonitorDB without endpoints of its own lives where MetaDB lives. */
static int share_database(struct settings *s, struct arena *arena)
{
    if (s->monitordb.endpoints.n > 0)
        return 0;
    s->monitordb.endpoints = s->db.endpoints;
    s->monitordb.user = s->db.user;
    s->monitordb.tls_ca = s->db.tls_ca;
    s->monitordb.tls_required = s->db.tls_required;
    s->monitordb.password = arena_strdup(arena, s->db.password); /* its own: each secret is wiped where it lies */
    return s->monitordb.password != NULL ? 0 : ERR_NOMEM.code;
}

/* ---- all together ---------------------------------------------------------------------------------------------------- */

static int read_all(struct load *l)
{
    int rv = 0;

    for (const struct setting *s = settings_table; rv == 0 && s->name != NULL; s++)
        rv = read_value(l, s);
    if (rv == 0)
        rv = check_http(l);
    if (rv == 0)
        rv = check_peer(l);
    if (rv == 0)
        rv = check_databases(l);
    return rv != 0 ? rv : share_database(&l->to->settings, &l->to->arena);
}

static int finish(const struct settings_problems *problems, int rv, struct err *e)
{
    if (rv == ERR_NOMEM.code)
        return err_set(e, &ERR_NOMEM, "");
    if (rv != 0)
        return err_set(e, &ERR_UNEXPECTED, "the table of settings contradicts itself");
    if (problems->n > problems->n_warnings)
        return err_set(e, &ERR_INVALID, "%u problems in the settings", problems->n - problems->n_warnings);
    return 0;
}

int settings_load(const struct settings_sources *from, struct settings **out, struct settings_problems *problems,
                  struct err *e)
{
    struct load l = { .to = snapshot_new() };
    int rv = sources_collect(&l.from, from, problems);

    if (l.to == NULL)
        rv = ERR_NOMEM.code;
    if (rv == 0)
        rv = read_all(&l);
    rv = finish(problems, rv, e);
    if (rv == 0)
        *out = &l.to->settings;
    else if (l.to != NULL)
        settings_put(&l.to->settings);
    sources_fini(&l.from);
    return rv;
}
