/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/sources.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/keyvalue.h"
#include "conf/setting_type.h"

enum { MAX_FILE_BYTES = 1 << 20 };

static struct slice text_of(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

/* ---- files ----------------------------------------------------------------------------------------------------------- */

static const char *read_open_file(int fd, size_t max, struct arena *arena, struct sources_file *out, bool *nomem)
{
    struct stat st;

    if (fstat(fd, &st) != 0)
        return strerror(errno);
    if (S_ISDIR(st.st_mode))
        return "is a directory";
    *out = (struct sources_file){ .text = arena_alloc(arena, max + 1), .mode = st.st_mode };
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

const char *sources_read_file(const char *path, size_t max, struct arena *arena, struct sources_file *out, bool *nomem)
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

static int offer(struct sources *to, struct setting_origin at, struct slice key, struct slice value)
{
    bool is_file;
    const struct setting *s = find_key(key, &is_file);
    struct setting_given *g = s != NULL ? &to->given[s - settings_table] : NULL;
    char text[96];

    if (g == NULL)
        return problem_add(to->problems, at, key, "unknown key", problem_nearest(key));
    if (g->at.source == at.source && at.line > 0) {
        (void)snprintf(text, sizeof text, "given before, in line %u", g->at.line);
        return problem_add(to->problems, at, key, text, NULL);
    }
    if (g->at.source == at.source && g->is_file != is_file)
        return problem_add(to->problems, at, key, "given both as itself and as a file", NULL);
    *g = (struct setting_given){ at, value, is_file };
    return 0;
}

static bool has_secret(const struct sources *to)
{
    for (const struct setting *s = settings_table; s->name != NULL; s++) {
        const struct setting_given *g = &to->given[s - settings_table];

        if (setting_is_secret(s) && g->at.source != NULL && !g->is_file && g->text.n > 0)
            return true;
    }
    return false;
}

static int collect_file(struct sources *to, const struct settings_sources *from)
{
    struct setting_origin at = { .source = from->file };
    struct keyvalue_line line;
    struct keyvalue reader;
    struct sources_file file;
    const char *reason;
    bool nomem;
    int rv = 0;

    if (from->file == NULL || (from->file_may_be_missing && access(from->file, F_OK) != 0))
        return 0;
    reason = sources_read_file(from->file, MAX_FILE_BYTES, &to->arena, &file, &nomem);
    if (nomem)
        return ERR_NOMEM.code;
    if (reason != NULL)
        return problem_add(to->problems, at, text_of(""), reason, NULL);
    keyvalue_init(&reader, file.text, file.n);
    while (rv == 0 && keyvalue_next(&reader, &line)) {
        at.line = line.line;
        rv = line.bad != NULL ? problem_add(to->problems, at, line.key, line.bad, NULL) : offer(to, at, line.key, line.value);
    }
    at.line = 0;
    if (rv == 0 && (file.mode & S_IROTH) != 0 && has_secret(to))
        rv = problem_warn(to->problems, at, text_of(""), "it holds a secret and everybody may read it: chmod o-r", NULL);
    return rv;
}

/* OCP_DB_PASSWORD says db.password; which '_' is a '.' only the table knows. False: no setting has this variable. */
static bool find_variable(struct slice name, struct arena *arena, struct slice *key, bool *nomem)
{
    struct str want;

    *nomem = false;
    str_init(&want, arena);
    for (const struct setting *s = settings_table; s->name != NULL; s++) {
        str_clear(&want);
        setting_add_environment_name(s, &want);
        *key = text_of(s->name);
        if (!str_failed(&want) && slice_is(name, str_c(&want)))
            return true;
        str_add(&want, "_FILE");
        *nomem |= str_failed(&want);
        if (!str_failed(&want) && setting_is_secret(s) && slice_is(name, str_c(&want))) {
            const char *k = arena_printf(arena, "%s_file", s->name);

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

static int collect_environment(struct sources *to, const struct settings_sources *from)
{
    const struct setting_origin at = { .source = "environment" };
    int rv = 0;

    for (unsigned i = 0; from->environment != NULL && from->environment[i] != NULL && rv == 0; i++) {
        struct slice value = text_of(from->environment[i]);
        struct slice name = slice_cut(&value, '=');
        struct slice key;
        bool nomem;

        if (!slice_starts(name, "OCP_") || slice_is(name, "OCP_JOIN_SECRET")) /* of --join, no setting */
            continue;
        if (find_variable(name, &to->arena, &key, &nomem))
            rv = offer(to, at, key, value);
        else if (nomem)
            rv = ERR_NOMEM.code;
        else /* container platforms put variables of their own there: no reason to refuse the start */
            rv = problem_warn(to->problems, at, name, "no setting has this variable", nearest_variable(name));
    }
    return rv;
}

static int collect_arguments(struct sources *to, const struct settings_sources *from)
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
            rv = problem_add(to->problems, at, key, "a value is missing: key=value", NULL);
            continue;
        }
        if (s != NULL && setting_is_secret(s))
            rv = problem_warn(to->problems, at, key, "every user of this machine can see it there: use a file", NULL);
        if (rv == 0)
            rv = offer(to, at, key, value);
    }
    return rv;
}

static size_t n_settings(void)
{
    size_t n = 0;

    while (settings_table[n].name != NULL)
        n++;
    return n;
}

int sources_collect(struct sources *to, const struct settings_sources *from, struct settings_problems *problems)
{
    int rv = 0;

    *to = (struct sources){ .problems = problems };
    arena_init(&to->arena);
    to->given = arena_array(&to->arena, n_settings(), sizeof *to->given);
    if (to->given == NULL)
        rv = ERR_NOMEM.code;
    if (rv == 0)
        rv = collect_file(to, from);
    if (rv == 0)
        rv = collect_environment(to, from);
    return rv != 0 ? rv : collect_arguments(to, from);
}

void sources_fini(struct sources *s)
{
    arena_fini(&s->arena);
}
