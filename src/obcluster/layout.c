/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/layout.h"

#include <string.h>

enum { MAX_PATH = 200, MAX_ARGS = 24, MAX_VALUE = 1024 };

const struct layout_paths layout_defaults = { "/home/admin/oceanbase", "", "/data/1", "/data/log1" };

/* --- paths ----------------------------------------------------------------------------------------------------------------------- */

static const char *trimmed(const char *path, struct arena *arena)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    return arena_strndup(arena, path, n);
}

int layout_make(const struct layout_paths *p, const char *cluster, const char *package, struct arena *arena, struct layout *out, struct err *e)
{
    const char *install = trimmed(p->install, arena), *run = trimmed(p->run[0] != '\0' ? p->run : p->install, arena);
    const char *data = trimmed(p->data, arena), *log = trimmed(p->log, arena);

    memset(out, 0, sizeof *out);
    if (install == NULL || run == NULL || data == NULL || log == NULL)
        return err_set(e, &ERR_NOMEM, "");
    out->software = arena_printf(arena, "%s/%s/software/%s", install, cluster, package);
    out->observer = arena_printf(arena, "%s/%s/software/%s/bin/observer", install, cluster, package);
    out->libraries = arena_printf(arena, "%s/%s/software/%s-libs", install, cluster, package);
    out->home = arena_printf(arena, "%s/%s", run, cluster);
    out->pid_file = arena_printf(arena, "%s/%s/run/observer.pid", run, cluster);
    out->store = arena_printf(arena, "%s/%s/store", run, cluster);
    out->data = arena_printf(arena, "%s/%s", data, cluster);
    out->log = arena_printf(arena, "%s/%s", log, cluster);
    return out->software == NULL || out->observer == NULL || out->libraries == NULL || out->home == NULL || out->pid_file == NULL ||
                   out->store == NULL || out->data == NULL || out->log == NULL
               ? err_set(e, &ERR_NOMEM, "")
               : 0;
}

static int add(struct field_strings *list, const char *text, struct err *e)
{
    if (text == NULL || list->items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    list->items[list->n++] = text;
    return 0;
}

static int begin(struct field_strings *list, struct arena *arena, struct err *e)
{
    *list = (struct field_strings){ arena_array(arena, MAX_ARGS, sizeof *list->items), 0 };
    return list->items != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static bool has(const struct field_strings *list, const char *text)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

int layout_directories(const struct layout *l, struct arena *arena, struct field_strings *marked, struct field_strings *plain, struct err *e)
{
    static const char *const in_home[] = { "etc", "log", "run", "store", NULL };
    const char *install = arena_strndup(arena, l->software, (size_t)(strstr(l->software, "/software/") - l->software));
    const char *roots[] = { install, l->home, l->data, l->log };
    int rv = begin(marked, arena, e);

    if (rv == 0)
        rv = begin(plain, arena, e);
    for (size_t i = 0; rv == 0 && i < sizeof roots / sizeof roots[0]; i++)
        if (roots[i] == NULL || !has(marked, roots[i]))
            rv = add(marked, roots[i], e);
    for (size_t i = 0; rv == 0 && in_home[i] != NULL; i++)
        rv = add(plain, arena_printf(arena, "%s/%s", l->home, in_home[i]), e);
    if (rv == 0)
        rv = add(plain, arena_printf(arena, "%s/software", install), e);
    if (rv == 0)
        rv = add(plain, arena_printf(arena, "%s/sstable", l->data), e);
    if (rv == 0)
        rv = add(plain, arena_printf(arena, "%s/slog", l->data), e);
    return rv == 0 ? add(plain, arena_printf(arena, "%s/clog", l->log), e) : rv;
}

int layout_links(const struct layout *l, struct arena *arena, struct layout_link out[LAYOUT_LINKS], struct err *e)
{
    static const char *const names[LAYOUT_LINKS] = { "sstable", "slog", "clog" };

    for (unsigned i = 0; i < LAYOUT_LINKS; i++) {
        out[i].path = arena_printf(arena, "%s/%s", l->store, names[i]);
        out[i].target = arena_printf(arena, "%s/%s", i == 2 ? l->log : l->data, names[i]);
        if (out[i].path == NULL || out[i].target == NULL)
            return err_set(e, &ERR_NOMEM, "");
    }
    return 0;
}

const char *layout_path_problem(const char *path)
{
    static const char *const system[] = { "/", "/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/root", "/run", "/sbin", "/sys", "/usr", NULL };
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-";

    if (path[0] != '/' || strlen(path) > MAX_PATH)
        return "must be an absolute path of at most 200 characters";
    if (strspn(path, allowed) != strlen(path) || strstr(path, "//") != NULL || strstr(path, "/.") != NULL)
        return "may hold letters, digits, '_', '-', '.' and single slashes, and no part that begins with a dot";
    for (size_t i = 0; system[i] != NULL; i++) {
        size_t n = strlen(system[i]);

        if (strcmp(path, system[i]) == 0 || (n > 1 && strncmp(path, system[i], n) == 0 && path[n] == '/'))
            return "must not lie in a directory of the system";
    }
    return NULL;
}

/* --- starting -------------------------------------------------------------------------------------------------------------------- */

const char *layout_parameter_problem(const struct layout_parameter *p)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    static const char *const ours[] = { "mysql_port", "rpc_port", "zone", "cluster", "cluster_id", "data_dir", "local_ip", "devname",
                                        "rootservice_list", "obconfig_url", NULL };

    if (p->name[0] == '\0' || strlen(p->name) > 128 || strspn(p->name, allowed) != strlen(p->name))
        return "is no name of a parameter";
    for (size_t i = 0; ours[i] != NULL; i++)
        if (strcmp(ours[i], p->name) == 0)
            return "is set by what else is given";
    return strlen(p->value) > MAX_VALUE || strpbrk(p->value, "\r\n") != NULL ? "has a value that is too long, or holds a line break" : NULL;
}

bool layout_parameter_fits(const struct layout_parameter *p)
{
    return strchr(p->value, ',') == NULL;
}

static void add_ip(struct str *t, const char *ip)
{
    str_printf(t, strchr(ip, ':') != NULL ? "[%s]" : "%s", ip);
}

static const char *root_servers(const struct layout_start *s, struct arena *arena)
{
    struct str t;

    str_init(&t, arena);
    for (size_t i = 0; i < s->n_founders; i++) {
        if (i > 0)
            str_add_c(&t, ';');
        add_ip(&t, s->founders[i].ip);
        str_printf(&t, ":%lld:%lld", (long long)s->founders[i].port, (long long)s->founders[i].sql_port);
    }
    return str_failed(&t) ? NULL : str_c(&t);
}

static const char *options(const struct layout_start *s, struct arena *arena)
{
    struct str t;

    str_init(&t, arena);
    for (size_t i = 0; i < s->n_parameters; i++)
        if (layout_parameter_fits(&s->parameters[i]))
            str_printf(&t, "%s%s=%s", t.n > 0 ? "," : "", s->parameters[i].name, s->parameters[i].value);
    return str_failed(&t) ? NULL : str_c(&t);
}

static const char *digits(int64_t v, struct arena *arena)
{
    return arena_printf(arena, "%lld", (long long)v);
}

int layout_first_start(const struct layout *l, const struct layout_start *s, struct arena *arena, struct field_strings *argv, struct err *e)
{
    const char *words[MAX_ARGS] = {
        l->observer, "-p", digits(s->self.sql_port, arena), "-P", digits(s->self.port, arena), "-z", s->self.zone, "-n", s->cluster, "-c",
        digits(s->cluster_id, arena), "-d", l->store, "-I", s->self.ip, "-r", root_servers(s, arena),
    };
    size_t n = 17;
    int rv = begin(argv, arena, e);

    words[n] = "-o";
    words[n + 1] = options(s, arena);
    n += words[n + 1] == NULL || words[n + 1][0] != '\0' ? 2 : 0;
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = add(argv, words[i], e);
    return rv;
}

int layout_restart(const struct layout *l, const struct layout_server *self, struct arena *arena, struct field_strings *argv, struct err *e)
{
    int rv = begin(argv, arena, e);

    if (rv == 0)
        rv = add(argv, l->observer, e);
    if (rv == 0)
        rv = add(argv, "-p", e);
    return rv == 0 ? add(argv, digits(self->sql_port, arena), e) : rv;
}

int layout_environment(const struct layout *l, struct arena *arena, struct field_strings *env, struct err *e)
{
    int rv = begin(env, arena, e);

    return rv == 0 ? add(env, arena_printf(arena, "LD_LIBRARY_PATH=%s/lib:%s/lib", l->software, l->libraries), e) : rv;
}
