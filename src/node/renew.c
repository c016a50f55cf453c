/* SPDX-License-Identifier: Apache-2.0 */
#include "src/node/renew.h"

#include <string.h>

#include "src/io/work.h"
#include "src/node/authority.h"

bool node_renewal_is_due(int64_t expires_us, int64_t now_us)
{
    return expires_us - now_us < (int64_t)RENEW_BEFORE_DAYS * 86400 * 1000000;
}

struct replacing {
    struct work work;
    struct node_home *home;
    char *certificate, *key;   /* owned */
    int rv;
    struct err e;
};

static void replace(struct work *w)
{
    struct replacing *r = (struct replacing *)w;

    r->rv = node_home_renew(r->home, r->certificate, r->key, &r->e);
}

static void drop(struct work *w)
{
    struct replacing *r = (struct replacing *)w;

    if (r->key != NULL)
        mem_wipe(r->key, strlen(r->key));
    mem_free(r->key);
    mem_free(r->certificate);
    mem_free(r);
}

static int put_in_place(struct node_home *h, const struct identity *fresh, struct work_pool *pool, struct err *e)
{
    struct replacing *r = mem_zalloc(sizeof *r);
    int rv;

    if (r == NULL)
        return err_set(e, &ERR_NOMEM, "");
    r->work = (struct work){ .run = replace, .drop = drop };
    r->home = h;
    r->certificate = mem_strdup(fresh->certificate);
    r->key = mem_strdup(fresh->key);
    if (r->certificate == NULL || r->key == NULL) {
        drop(&r->work);
        return err_set(e, &ERR_NOMEM, "");
    }
    rv = work_run(pool, &r->work, e);
    if (rv != 0)
        return rv;
    if (r->rv != 0 && e != NULL)
        *e = r->e;
    rv = r->rv;
    drop(&r->work);
    return rv;
}

int node_renew(struct node_home *h, struct db *d, const struct vault *v, int64_t id, struct work_pool *pool, struct err *e)
{
    struct identity fresh = { .key = NULL };
    struct ocpcluster *row;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = store_ocpcluster_find(d, &arena, &row, e);
    if (rv == 0 && row == NULL) {
        (void)err_set(e, &ERR_NOT_FOUND, "cluster of nodes");
        rv = err_arg(e, "1");
    }
    if (rv == 0)
        rv = node_authority_issue(d, v, row, id, &arena, &fresh, e);
    if (rv == 0) {
        rv = put_in_place(h, &fresh, pool, e);
        mem_wipe(fresh.key, strlen(fresh.key));
    }
    arena_fini(&arena);
    return rv;
}
