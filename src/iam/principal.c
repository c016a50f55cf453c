/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/principal.h"

#include <string.h>

#include "src/base/num.h"
#include "src/iam/role.h"

static unsigned count_parts(const char *s, char separator)
{
    unsigned n = 1;

    for (; *s != '\0'; s++)
        n += *s == separator;
    return n;
}

static unsigned add_role(const struct role_row *r, struct permission *grants, unsigned n)
{
    for (unsigned i = 0; i < ROLE_MAX_PERMISSIONS && r->permissions[i] != NULL; i++) {
        struct slice text = { r->permissions[i], strlen(r->permissions[i]) };

        if (permission_parse(text, NULL, NULL, &grants[n], NULL) == 0)
            n++;
    }
    return n;
}

int principal_grants(const struct user *user, struct arena *arena, const struct permission **grants, unsigned *n, struct err *e)
{
    const char *custom = user->permissions != NULL ? user->permissions : "";
    struct slice roles = { user->roles, strlen(user->roles) }, lines = { custom, strlen(custom) };
    struct permission *all = arena_array(arena, count_parts(user->roles, ',') * (size_t)ROLE_MAX_PERMISSIONS + count_parts(custom, '\n'),
                                         sizeof *all);
    const struct role_row *r;
    int64_t id;

    *n = 0;
    if (all == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (roles.n > 0) {
        if (num_parse_i64(slice_cut(&roles, ','), &id) && (r = role_find(id)) != NULL)
            *n = add_role(r, all, *n);
    }
    while (lines.n > 0) {
        if (permission_parse(slice_cut(&lines, '\n'), NULL, NULL, &all[*n], NULL) == 0)
            ++*n;
    }
    *grants = all;
    return 0;
}

bool principal_is_admin(const struct principal *p)
{
    const struct permission all = { .domain = PERMISSION_ALL, .sub = PERMISSION_ALL, .id = PERMISSION_ANY, .sub_id = PERMISSION_ANY,
                                    .action = PERMISSION_EVERY_ACTION };

    return permission_allows(p->grants, p->n_grants, &all);
}

bool principal_may(const struct principal *p, const struct permission *wanted)
{
    return permission_allows(p->grants, p->n_grants, wanted);
}

/* The objects that both name. */
static int64_t common(int64_t granted, int64_t wanted)
{
    return wanted < 0 ? granted : wanted;
}

void principal_scope(const struct principal *p, const struct permission *wanted, struct scope_item *items, size_t *n)
{
    for (unsigned i = 0; i < p->n_grants; i++) {
        const struct permission *g = &p->grants[i];
        struct scope_item item = { permission_domain_name(wanted->sub), SCOPE_ANY, SCOPE_ANY };

        if (!permission_match(g, wanted))
            continue;
        if (g->domain < PERMISSION_N_DOMAINS) {
            item.id = common(g->id, wanted->id);
            item.sub_id = common(g->sub_id, wanted->sub_id);
        }
        items[(*n)++] = item;
    }
}

int principal_require(const struct principal *p, const struct permission *wanted, struct err *e)
{
    struct str t;
    int rv;

    if (principal_may(p, wanted))
        return 0;
    str_init(&t, NULL);
    permission_add(&t, wanted);
    rv = err_set(e, &ERR_DENIED, "%s", str_c(&t));
    str_fini(&t);
    return rv;
}
