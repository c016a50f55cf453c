/* SPDX-License-Identifier: Apache-2.0 */
/* Loading: collect what each source says about each setting (a later source replaces an earlier one), read every value into
 * its member, then look at settings that must fit together. A problem is noted and the loading goes on; only lack of
 * memory ends it at once. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/keyvalue.h"
#include "conf/problems.h"
#include "conf/setting_type.h"
#include "conf/snapshot.h"

enum { MAX_FILE_BYTES = 1 << 20, MAX_SECRET_FILE_BYTES = 4096 };

/* What the strongest source so far says about one setting. */
struct given {
    struct setting_origin at;  /* source NULL: nobody said anything */
    struct slice text;
    bool is_file;              /* text is the path of the file that holds the secret */
};

struct load {
    struct settings_snapshot *to;
    struct settings_problems *problems;
    struct given *given;       /* one per row of the table */
    struct arena scratch;      /* text of files and variables */
};

static struct slice text_of(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

static int note(struct load *l, struct setting_origin at, const char *key, const char *reason)
{
    return problem_add(l->problems, at, text_of(key), reason, NULL);
}

/* ---- files ----------------------------------------------------------------------------------------------------------- */

struct file {
    char *text;  /* in the arena */
    size_t n;
    mode_t mode;
};

/* Reads at most `max` bytes. Returns NULL, or why it could not be read; *nomem says when that is not the file's fault. */
static const char *read_open_file(int fd, size_t max, struct arena *arena, struct file *out, bool *nomem)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return strerror(errno);
    if (S_ISDIR(st.st_mode))
        return "is a directory";
    *out = (struct file){ .text = arena_alloc(arena, max + 1), .mode = st.st_mode };
    *nomem = out->text == NULL;
    while (!*nomem && out->n <= max) {
        ssize_t n = read(fd, out->text + out->n, max + 1 - out->n);

        if (n < 0 && errno != EINTR)
            return strerror(errno);
        if (n == 0)
            return NULL;
        out->n += n > 0 ? (size_t)n : 0;
    }
    return "too large";
}

static const char *read_file(const char *path, size_t max, struct arena *arena, struct file *out, bool *nomem)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hang the start */
    const char *reason;

    *nomem = false;
    if (fd < 0)
        return strerror(errno);
    reason = read_open_file(fd, max, arena, out, nomem);
    (void)close(fd); /* nothing was written */
    return reason;
}

/* ---- sources --------------------------------------------------------------------------------------------------------- */

/* The setting that `key` names; as db.password_file it names a secret's file. */
static const struct setting *find_key(struct slice key, bool *is_file)
{
    static const char suffix[] = "_file";
    const size_t n = sizeof suffix - 1;
    const struct setting *s = settings_find(key);

    *is_file = false;
    if (s != NULL || key.n <= n || memcmp(key.s + key.n - n, suffix, n) != 0)
        return s;
    s = settings_find((struct slice){ key.s, key.n - n });
    *is_file = true;
    return s != NULL && setting_is_secret(s) ? s : NULL;
}

static int offer(struct load *l, struct setting_origin at, struct slice key, struct slice value)
{
    bool is_file;
    const struct setting *s = find_key(key, &is_file);
    struct given *g = s != NULL ? &l->given[s - settings_table] : NULL;
    char text[96];

    if (g == NULL)
        return problem_add(l->problems, at, key, "unknown key", problem_nearest(key));
    if (g->at.source == at.source && at.line > 0) {
        (void)snprintf(text, sizeof text, "given before, in line %u", g->at.line);
        return problem_add(l->problems, at, key, text, NULL);
    }
    if (g->at.source == at.source && g->is_file != is_file)
        return problem_add(l->problems, at, key, "given both as itself and as a file", NULL);
    *g = (struct given){ at, value, is_file };
    return 0;
}

static bool has_secret(const struct load *l)
{
    for (const struct setting *s = settings_table; s->name != NULL; s++) {
        const struct given *g = &l->given[s - settings_table];

        if (setting_is_secret(s) && g->at.source != NULL && !g->is_file && g->text.n > 0)
            return true;
    }
    return false;
}

static int collect_file(struct load *l, const struct settings_sources *from)
{
    struct setting_origin at = { .source = from->file };
    struct keyvalue_line line;
    struct keyvalue reader;
    struct file file;
    const char *reason;
    bool nomem;
    int rv = 0;

    if (from->file == NULL || (from->file_may_be_missing && access(from->file, F_OK) != 0))
        return 0;
    reason = read_file(from->file, MAX_FILE_BYTES, &l->scratch, &file, &nomem);
    if (nomem)
        return ERR_NOMEM.code;
    if (reason != NULL)
        return note(l, at, "", reason);
    keyvalue_init(&reader, file.text, file.n);
    while (rv == 0 && keyvalue_next(&reader, &line)) {
        at.line = line.line;
        rv = line.bad != NULL ? problem_add(l->problems, at, line.key, line.bad, NULL) : offer(l, at, line.key, line.value);
    }
    at.line = 0;
    if (rv == 0 && (file.mode & S_IROTH) != 0 && has_secret(l))
        rv = problem_warn(l->problems, at, text_of(""), "it holds a secret and everybody may read it: chmod o-r", NULL);
    return rv;
}

/* OCP_DB_PASSWORD says db.password; which '_' is a '.' only the table knows. False: no setting has this variable. */
static bool find_variable(struct slice name, struct arena *scratch, struct slice *key, bool *nomem)
{
    struct str want;

    *nomem = false;
    str_init(&want, scratch);
    for (const struct setting *s = settings_table; s->name != NULL; s++) {
        str_clear(&want);
        setting_add_environment_name(s, &want);
        *key = text_of(s->name);
        if (!str_failed(&want) && slice_is(name, str_c(&want)))
            return true;
        str_add(&want, "_FILE");
        *nomem |= str_failed(&want);
        if (!str_failed(&want) && setting_is_secret(s) && slice_is(name, str_c(&want))) {
            const char *k = arena_printf(scratch, "%s_file", s->name);

            *nomem |= k == NULL;
            *key = text_of(k != NULL ? k : "");
            return !*nomem;
        }
    }
    return false;
}

/* The key that an unknown variable comes nearest to. */
static const char *nearest_variable(struct slice name)
{
    char key[64];
    size_t n = name.n < sizeof key ? name.n : sizeof key;

    for (size_t i = 0; i < n; i++)
        key[i] = name.s[i] == '_' ? '.' : (char)(name.s[i] >= 'A' && name.s[i] <= 'Z' ? name.s[i] + 32 : name.s[i]);
    return problem_nearest((struct slice){ key + 4, n - 4 });
}

static int collect_environment(struct load *l, const struct settings_sources *from)
{
    const struct setting_origin at = { .source = "environment" };
    int rv = 0;

    for (unsigned i = 0; from->environment != NULL && from->environment[i] != NULL && rv == 0; i++) {
        struct slice value = text_of(from->environment[i]);
        struct slice name = slice_cut(&value, '=');
        struct slice key;
        bool nomem;

        if (!slice_starts(name, "OCP_"))
            continue;
        if (find_variable(name, &l->scratch, &key, &nomem))
            rv = offer(l, at, key, value);
        else if (nomem)
            rv = ERR_NOMEM.code;
        else /* container platforms put variables of their own there: no reason to refuse the start */
            rv = problem_warn(l->problems, at, name, "no setting has this variable", nearest_variable(name));
    }
    return rv;
}

static int collect_arguments(struct load *l, const struct settings_sources *from)
{
    const struct setting_origin at = { .source = "command line" };
    int rv = 0;

    for (unsigned i = 0; i < from->n_arguments && rv == 0; i++) {
        struct slice value = text_of(from->arguments[i]);
        bool has_value = strchr(value.s, '=') != NULL;
        struct slice key = slice_trim(slice_cut(&value, '='));
        const struct setting *s = settings_find(key);

        if (!has_value && s != NULL && s->type == &setting_bool)
            value = SLICE("true");
        else if (!has_value && s != NULL) {
            rv = problem_add(l->problems, at, key, "a value is missing: key=value", NULL);
            continue;
        }
        if (s != NULL && setting_is_secret(s))
            rv = problem_warn(l->problems, at, key, "every user of this machine can see it there: use a file", NULL);
        if (rv == 0)
            rv = offer(l, at, key, value);
    }
    return rv;
}

/* ---- values ---------------------------------------------------------------------------------------------------------- */

/* Replaces the path of a secret's file by what the file holds, without the newline at its end. */
static int read_secret_file(struct load *l, const struct setting *s, struct given *g, bool *bad)
{
    const char *path = arena_strndup(&l->scratch, g->text.s, g->text.n);
    const char *reason = NULL;
    struct file file;
    bool nomem = path == NULL;
    char text[160];

    if (!nomem)
        reason = read_file(path, MAX_SECRET_FILE_BYTES, &l->scratch, &file, &nomem);
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
               ? problem_warn(l->problems, g->at, text_of(s->name), "everybody may read its file: chmod o-r", NULL)
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
    full = arena_printf(&l->scratch, "%s%.*s", l->to->settings.data_dir, (int)(text->n - n), text->s + n);
    if (full == NULL)
        return ERR_NOMEM.code;
    *text = text_of(full);
    return 0;
}

static int check_file(struct load *l, const struct setting *s, const struct given *g)
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
    struct given *g = &l->given[s - settings_table];
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

static const struct given *given(const struct load *l, const char *name)
{
    return &l->given[settings_find(text_of(name)) - settings_table];
}

static struct setting_origin origin(const struct load *l, const char *name)
{
    const struct given *g = given(l, name);

    return g->at.source != NULL ? g->at : (struct setting_origin){ .source = "default" };
}

static bool is_loopback(const char *host)
{
    return strncmp(host, "127.", 4) == 0 || strcmp(host, "::1") == 0 || strcmp(host, "localhost") == 0;
}

static int check_http(struct load *l)
{
    const struct settings *s = &l->to->settings;
    bool tls = s->http.tls_certificate[0] != '\0';
    char text[256];
    int rv = 0;

    if (s->http.listen.n == 0)
        rv = note(l, origin(l, "http.listen"), "http.listen", "at least one address is needed");
    if (rv == 0 && tls && s->http.tls_key[0] == '\0')
        rv = note(l, origin(l, "http.tls.certificate"), "http.tls.certificate", "http.tls.key is missing");
    if (rv == 0 && !tls && s->http.tls_key[0] != '\0')
        rv = note(l, origin(l, "http.tls.key"), "http.tls.key", "http.tls.certificate is missing");
    for (unsigned i = 0; rv == 0 && !tls && !s->http.allow_cleartext && i < s->http.listen.n; i++) {
        const struct setting_address *a = &s->http.listen.items[i];

        if (is_loopback(a->host))
            continue;
        (void)snprintf(text, sizeof text, "other machines reach %.80s:%u, and TLS is off: set http.tls.certificate and http.tls.key, "
                       "or choose http.allow_cleartext = true", a->host, a->port);
        rv = note(l, origin(l, "http.listen"), "http.listen", text);
    }
    if (rv == 0 && s->http.proxy_protocol && s->http.trusted_proxies[0] == '\0')
        rv = note(l, origin(l, "http.proxy_protocol"), "http.proxy_protocol", "http.trusted_proxies is empty: nobody may send a PROXY header");
    return rv;
}

/* Does the row say it must be given, and nobody did? What was given in vain has its problem already. */
static bool is_missing(const struct load *l, const struct setting *s)
{
    const struct given *g = &l->given[s - settings_table];

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
        rv = note(l, origin(l, "db.endpoints"), "db.endpoints", "standalone starts a database of its own: remove one of the two");
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

static int load_all(struct load *l, const struct settings_sources *from)
{
    int rv = collect_file(l, from);

    if (rv == 0)
        rv = collect_environment(l, from);
    if (rv == 0)
        rv = collect_arguments(l, from);
    for (const struct setting *s = settings_table; rv == 0 && s->name != NULL; s++)
        rv = read_value(l, s);
    if (rv == 0)
        rv = check_http(l);
    if (rv == 0)
        rv = check_databases(l);
    if (rv == 0)
        rv = share_database(&l->to->settings, &l->to->arena);
    return rv;
}

static unsigned count_rows(void)
{
    unsigned n = 0;

    while (settings_table[n].name != NULL)
        n++;
    return n;
}

int settings_load(const struct settings_sources *from, struct settings **out, struct settings_problems *problems, struct err *e)
{
    struct load l = { .problems = problems };
    int rv = ERR_NOMEM.code;

    arena_init(&l.scratch);
    l.given = arena_array(&l.scratch, count_rows(), sizeof *l.given);
    l.to = snapshot_new();
    if (l.given != NULL && l.to != NULL)
        rv = load_all(&l, from);
    if (rv == ERR_NOMEM.code)
        (void)err_set(e, &ERR_NOMEM, "");
    else if (rv != 0)
        (void)err_set(e, &ERR_UNEXPECTED, "the table of settings contradicts itself");
    else if (problems->n > problems->n_warnings)
        rv = err_set(e, &ERR_INVALID, "%u problems in the settings", problems->n - problems->n_warnings);
    if (rv == 0)
        *out = &l.to->settings;
    else if (l.to != NULL)
        settings_put(&l.to->settings);
    arena_fini(&l.scratch);
    return rv;
}
