/* SPDX-License-Identifier: Apache-2.0 */
/* What commands share: paths with operands in them, names that stand for numbers, showing data. */
#include "src/ctl/ctl.h"

#include <stdio.h>
#include <string.h>

#include "src/base/num.h"
#include "src/ctl/print.h"

const char *ctl_option(const struct ctl *c, enum option option)
{
    return c->args.option[option];
}

const char *ctl_operand(const struct ctl *c, unsigned n)
{
    return n < c->args.n_operands ? c->args.operands[n] : NULL;
}

static void add_encoded(struct str *t, const char *s)
{
    for (; *s != '\0'; s++) {
        char c = *s;

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c) != NULL)
            str_add_c(t, c);
        else
            str_printf(t, "%%%02X", (unsigned char)c);
    }
}

/* Operand whose name in command->operands is `word`; NULL: none. */
static const char *operand_named(const struct ctl *c, struct slice word)
{
    struct slice rest = { c->args.command->operands, strlen(c->args.command->operands) };

    for (unsigned i = 0; rest.n > 0; i++) {
        struct slice name = slice_cut(&rest, ' ');

        while (name.n > 0 && (name.s[0] == '[' || name.s[name.n - 1] == ']' || name.s[name.n - 1] == '.')) {
            bool front = name.s[0] == '[';

            name = (struct slice){ name.s + front, name.n - 1 };
        }
        if (name.n == word.n && memcmp(name.s, word.s, word.n) == 0)
            return ctl_operand(c, i);
    }
    return NULL;
}

/* The number of the object called `name` in the list at `list`. */
static int look_up(struct ctl *c, const char *list, const char *kind, const char *name, struct str *out, struct err *e)
{
    const json_t *data, *contents;
    json_t *root;
    int rv = remote_data(c->remote, "GET", list, NULL, &c->arena, &root, &data, e);
    bool found = false;

    if (rv != 0)
        return err_wrap(e, "look up %s", kind);
    contents = json_object_get(data, "contents");
    for (size_t i = 0; !found && i < json_array_size(contents); i++) {
        const json_t *object = json_array_get(contents, i);
        const char *its = json_string_value(json_object_get(object, "name"));

        found = its != NULL && strcmp(its, name) == 0;
        if (found)
            str_add_i64(out, json_integer_value(json_object_get(object, "id")));
    }
    json_decref(root);
    if (found)
        return 0;
    (void)err_set(e, &ERR_NOT_FOUND, "%s", kind);
    return err_arg(e, "%s", name);
}

/* Operands that are a number or a name; names are looked up in the list that the path is a part of. */
static const struct {
    const char *word, *kind;
} named[] = { { "CLUSTER", "cluster" }, { "TENANT", "tenant" }, { "NODE", "node" } };

static int add_operand(struct ctl *c, struct str *t, struct slice word, const char *value, struct err *e)
{
    const char *kind = NULL;
    struct str list;
    int64_t number;

    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (slice_is(word, named[i].word))
            kind = named[i].kind;
    if (kind == NULL || num_parse_i64((struct slice){ value, strlen(value) }, &number)) {
        add_encoded(t, value);
        return 0;
    }
    str_init(&list, &c->arena);
    str_add_n(&list, t->s, t->n - (t->s[t->n - 1] == '/')); /* the path so far: /api/v2/ob/clusters/1/tenants/ */
    str_add(&list, "?size=2000");
    return look_up(c, str_c(&list), kind, value, t, e);
}

static void add_query(const struct ctl *c, struct str *t)
{
    char sep = strchr(str_c(t), '?') == NULL ? '?' : '&';

    for (int i = N_GENERAL_OPTIONS; i < N_OPTIONS; i++) {
        if (option_rows[i].query == NULL || c->args.option[i] == NULL)
            continue;
        str_printf(t, "%c%s=", sep, option_rows[i].query);
        add_encoded(t, c->args.option[i]);
        sep = '&';
    }
}

static const char *value_of(const struct ctl *c, struct slice word)
{
    const char *tenant = slice_is(word, "TENANT") ? ctl_option(c, OPT_TENANT) : NULL;

    return tenant != NULL ? tenant : operand_named(c, word);
}

int ctl_path(struct ctl *c, const char *path, const char **out, struct err *e)
{
    static const char of_tenant[] = "/tenants/{TENANT}";
    struct str t;

    str_init(&t, &c->arena);
    while (*path != '\0') {
        const char *end = *path == '{' ? strchr(path, '}') : NULL;
        struct slice word = { path + 1, end != NULL ? (size_t)(end - path) - 1 : 0 };
        int rv;

        if (strncmp(path, of_tenant, sizeof of_tenant - 1) == 0 && value_of(c, SLICE("TENANT")) == NULL) {
            path += sizeof of_tenant - 1;
            continue;
        }
        if (end == NULL) {
            str_add_c(&t, *path++);
            continue;
        }
        rv = add_operand(c, &t, word, value_of(c, word), e);
        if (rv != 0)
            return rv;
        path = end + 1;
    }
    add_query(c, &t);
    *out = str_c(&t);
    return str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : 0;
}

static int flush(struct str *t, struct err *e)
{
    bool ok = !str_failed(t);

    if (ok && (fwrite(str_c(t), 1, t->n, stdout) != t->n || fflush(stdout) != 0)) {
        str_fini(t);
        return err_set(e, &ERR_IO, "standard output");
    }
    str_fini(t);
    return ok ? 0 : err_set(e, &ERR_NOMEM, "");
}

static void note_rest(const json_t *data, size_t shown)
{
    json_int_t total = json_integer_value(json_object_get(json_object_get(data, "page"), "totalElements"));

    if (total > (json_int_t)shown)
        (void)fprintf(stderr, "%zu of %" JSON_INTEGER_FORMAT " shown; see --page and --size\n", shown, total);
}

int ctl_show(struct ctl *c, const json_t *data, const struct column *columns, struct err *e)
{
    const json_t *contents = json_is_array(data) ? data : json_object_get(data, "contents");
    struct str t;

    str_init(&t, NULL);
    if (c->is_json)
        print_json(&t, data);
    else if (contents != NULL)
        print_table(&t, contents, columns);
    else
        print_object(&t, data, columns);
    if (!c->is_json && contents != NULL)
        note_rest(data, json_array_size(contents));
    return flush(&t, e);
}

int ctl_done(struct ctl *c, const json_t *data, const char *sentence, struct err *e)
{
    struct str t;

    str_init(&t, NULL);
    if (c->is_json && data != NULL)
        print_json(&t, data);
    else if (!c->is_json)
        str_printf(&t, "%s\n", sentence);
    return flush(&t, e);
}

int ctl_get(struct ctl *c, struct err *e)
{
    const char *path;
    const json_t *data;
    json_t *root;
    int rv = ctl_path(c, c->args.command->path, &path, e);

    if (rv == 0)
        rv = remote_data(c->remote, "GET", path, NULL, &c->arena, &root, &data, e);
    if (rv != 0)
        return rv;
    rv = ctl_show(c, data, c->args.command->columns, e);
    json_decref(root);
    return rv;
}
