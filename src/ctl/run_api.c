/* SPDX-License-Identifier: Apache-2.0 */
/* Any call of the API. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "src/ctl/ctl.h"
#include "src/ctl/print.h"

enum { MAX_BODY = 64 << 20 };

/* "@file" or "@-" is the content of the file. */
static int read_body(struct ctl *c, const char *operand, const char **out, struct err *e)
{
    bool is_stdin = strcmp(operand, "@-") == 0;
    struct str t;
    FILE *f;
    size_t n = 1;

    *out = operand;
    if (operand[0] != '@')
        return 0;
    f = is_stdin ? stdin : fopen(operand + 1, "re");
    if (f == NULL)
        return err_set(e, &ERR_IO, "%s: %s", operand + 1, strerror(errno));
    str_init(&t, &c->arena);
    while (n > 0 && t.n < MAX_BODY) {
        char *room = str_reserve(&t, 65536);

        n = room != NULL ? fread(room, 1, 65536, f) : 0;
        t.n += n;
    }
    if (!is_stdin)
        (void)fclose(f); /* only read from */
    str_add(&t, "");
    *out = str_c(&t);
    return str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : 0;
}

static int write_all(const char *s, size_t n, bool newline, struct err *e)
{
    if (fwrite(s, 1, n, stdout) != n || (newline && n > 0 && s[n - 1] != '\n' && fputc('\n', stdout) == EOF) || fflush(stdout) != 0)
        return err_set(e, &ERR_IO, "standard output");
    return 0;
}

/* JSON is indented; everything else comes out as it came in. */
static int show(const struct remote_answer *a, struct err *e)
{
    struct err ignored = { .row = NULL };
    json_t *root;
    struct str t;
    int rv;

    if (strstr(a->content_type, "json") == NULL || json_parse(a->body, &root, &ignored) != 0)
        return write_all(a->body.s, a->body.n, strncmp(a->content_type, "text/", 5) == 0, e);
    str_init(&t, NULL);
    print_json(&t, root);
    json_decref(root);
    rv = str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : write_all(str_c(&t), t.n, true, e);
    str_fini(&t);
    return rv;
}

int ctl_api(struct ctl *c, struct err *e)
{
    const char *path = ctl_operand(c, 1), *body = ctl_operand(c, 2);
    char *method = arena_strdup(&c->arena, ctl_operand(c, 0));
    struct remote_answer a;
    int rv = 0;

    if (method == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (char *p = method; *p != '\0'; p++)
        *p = (char)toupper((unsigned char)*p);
    if (path[0] != '/')
        return err_set(e, &ERR_INVALID, "a path begins with '/', like /api/v2/ob/clusters");
    if (body != NULL)
        rv = read_body(c, body, &body, e);
    if (rv == 0)
        rv = remote_call(c->remote, method, path, body, &c->arena, &a, e);
    if (rv != 0)
        return rv;
    if (a.status >= 400) {
        c->status = a.status == 401 || a.status == 403 ? EXIT_LOGIN : EXIT_REFUSED;
        (void)fprintf(stderr, "ocpctl: status %d\n", a.status);
    }
    return show(&a, e);
}
