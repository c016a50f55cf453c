/* SPDX-License-Identifier: Apache-2.0 */
#include "src/node/revoked.h"

#include <pthread.h>
#include <string.h>

#include "src/io/work.h"

struct revoked {
    struct node_home *home;
    pthread_mutex_t lock;
    char *text;             /* guarded by lock; owned; a serial number a line */
};

int node_revoked_new(struct node_home *h, struct revoked **out, struct err *e)
{
    struct revoked *r = mem_zalloc(sizeof *r);
    struct arena arena;
    char *text;
    int rv;

    *out = NULL;
    if (r == NULL)
        return err_set(e, &ERR_NOMEM, "");
    r->home = h;
    (void)pthread_mutex_init(&r->lock, NULL); /* cannot fail with default attributes */
    arena_init(&arena);
    rv = node_home_read(h, h->revoked_file, &arena, &text, e);
    if (rv == 0) {
        r->text = mem_strdup(text != NULL ? text : "");
        rv = r->text != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
    }
    arena_fini(&arena);
    if (rv == 0)
        *out = r;
    else
        node_revoked_free(r);
    return rv;
}

void node_revoked_free(struct revoked *r)
{
    if (r == NULL)
        return;
    (void)pthread_mutex_destroy(&r->lock);
    mem_free(r->text);
    mem_free(r);
}

bool node_revoked_has(struct revoked *r, const char *serial)
{
    size_t n = strlen(serial);
    bool found = false;

    (void)pthread_mutex_lock(&r->lock);
    for (const char *line = r->text; !found && *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n')
        found = strcspn(line, "\n") == n && memcmp(line, serial, n) == 0;
    (void)pthread_mutex_unlock(&r->lock);
    return found;
}

/* --- following MetaDB -------------------------------------------------------------------------------------------------------------- */

struct writing {
    struct work work;
    struct node_home *home;
    char *text;             /* owned */
    int rv;
    struct err e;
};

static void write_it(struct work *w)
{
    struct writing *g = (struct writing *)w;

    g->rv = node_home_write(g->home, g->home->revoked_file, (struct slice){ g->text, strlen(g->text) }, &g->e);
}

static void drop_it(struct work *w)
{
    mem_free(((struct writing *)w)->text);
    mem_free(w);
}

static int take(struct revoked *r, const char *text, struct work_pool *pool, struct err *e)
{
    struct writing *g = mem_zalloc(sizeof *g);
    char *former;
    int rv;

    if (g == NULL)
        return err_set(e, &ERR_NOMEM, "");
    g->work = (struct work){ .run = write_it, .drop = drop_it };
    g->home = r->home;
    g->text = mem_strdup(text);
    if (g->text == NULL) {
        mem_free(g);
        return err_set(e, &ERR_NOMEM, "");
    }
    rv = work_run(pool, &g->work, e);
    if (rv != 0)
        return rv;
    if (g->rv != 0 && e != NULL)
        *e = g->e;
    rv = g->rv;
    if (rv == 0) {
        (void)pthread_mutex_lock(&r->lock);
        former = r->text;
        r->text = g->text;
        (void)pthread_mutex_unlock(&r->lock);
        g->text = former;
    }
    drop_it(&g->work);
    return rv;
}

int node_revoked_refresh(struct revoked *r, struct db *d, struct work_pool *pool, struct err *e)
{
    struct node_certificate *list;
    struct arena arena;
    struct str text;
    size_t n;
    int rv;

    arena_init(&arena);
    str_init(&text, &arena);
    rv = store_certificate_revoked(d, &arena, &list, &n, e);
    for (size_t i = 0; rv == 0 && i < n; i++)
        str_printf(&text, "%s\n", list[i].serial);
    if (rv == 0 && str_failed(&text))
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv == 0 && strcmp(str_c(&text), r->text) != 0)
        rv = take(r, str_c(&text), pool, e);
    arena_fini(&arena);
    return rv;
}
