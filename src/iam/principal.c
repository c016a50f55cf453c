/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/principal.h"

#include <string.h>

#include "src/base/num.h"
#include "src/iam/role.h"

static unsigned count_ids(const char *roles)
{
    unsigned n = 1;

    for (; *roles != '\0'; roles++)
        n += *roles == ',';
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

int principal_grants(const char *roles, struct arena *arena, const struct permission **grants, unsigned *n, struct err *e)
{
    struct permission *all = arena_array(arena, count_ids(roles) * (size_t)ROLE_MAX_PERMISSIONS, sizeof *all);
    struct slice rest = { roles, strlen(roles) };
    const struct role_row *r;
    int64_t id;

    *n = 0;
    if (all == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (rest.n > 0) {
        if (num_parse_i64(slice_cut(&rest, ','), &id) && (r = role_find(id)) != NULL)
            *n = add_role(r, all, *n);
    }
    *grants = all;
    return 0;
}

bool principal_may(const struct principal *p, const struct permission *wanted)
{
    return permission_allows(p->grants, p->n_grants, wanted);
}

bool principal_may_some(const struct principal *p, const struct permission *wanted)
{
    return permission_allows_some(p->grants, p->n_grants, wanted);
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
