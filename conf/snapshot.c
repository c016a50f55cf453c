/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/snapshot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "conf/setting_type.h"

struct settings_snapshot *snapshot_new(void)
{
    struct settings_snapshot *s = mem_zalloc(sizeof *s);

    if (s == NULL)
        return NULL;
    arena_init(&s->arena);
    atomic_init(&s->n_owners, 1);
    return s;
}

static struct settings_snapshot *snapshot_of(const struct settings *s)
{
    return (struct settings_snapshot *)(void *)s; /* counting and freeing are no change of the settings */
}

void settings_ref(const struct settings *s)
{
    (void)atomic_fetch_add_explicit(&snapshot_of(s)->n_owners, 1, memory_order_relaxed);
}

static void *member_of(const struct settings *from, const struct setting *s)
{
    return (char *)(void *)from + s->offset;
}

static void wipe_secrets(struct settings *from)
{
    for (const struct setting *s = settings_table; s->name != NULL; s++) {
        char *text = setting_is_secret(s) ? *(char **)member_of(from, s) : NULL;

        if (text != NULL)
            mem_wipe(text, strlen(text));
    }
}

void settings_put(const struct settings *s)
{
    struct settings_snapshot *snapshot = snapshot_of(s);

    if (s == NULL || atomic_fetch_sub_explicit(&snapshot->n_owners, 1, memory_order_acq_rel) != 1)
        return;
    wipe_secrets(&snapshot->settings);
    arena_fini(&snapshot->arena);
    mem_free(snapshot);
}

struct settings_box {
    pthread_mutex_t lock;
    struct settings *now; /* owned; guarded by lock */
};

int settings_box_new(struct settings *first, struct settings_box **out, struct err *e)
{
    struct settings_box *b = mem_zalloc(sizeof *b);

    if (b == NULL) {
        settings_put(first);
        return err_set(e, &ERR_NOMEM, "");
    }
    (void)pthread_mutex_init(&b->lock, NULL); /* cannot fail without attributes */
    b->now = first;
    *out = b;
    return 0;
}

void settings_box_free(struct settings_box *b)
{
    if (b == NULL)
        return;
    settings_put(b->now);
    (void)pthread_mutex_destroy(&b->lock);
    mem_free(b);
}

const struct settings *settings_get(struct settings_box *b)
{
    const struct settings *s;

    (void)pthread_mutex_lock(&b->lock);
    s = b->now;
    settings_ref(s);
    (void)pthread_mutex_unlock(&b->lock);
    return s;
}

static void replace(struct settings_box *b, struct settings *next)
{
    struct settings *former;

    (void)pthread_mutex_lock(&b->lock);
    former = b->now;
    b->now = next;
    (void)pthread_mutex_unlock(&b->lock);
    settings_put(former);
}

struct reload {
    const struct settings *now;
    struct settings *next;
    struct arena *arena;      /* the caller's, for changes */
    struct arena scratch;
    struct settings_change *changes;
    unsigned n_changes, n_applied;
};

/* The member as text. A secret is looked at where it lies: it leaves no copy behind. */
static bool text_of(struct reload *r, const struct setting *s, const struct settings *from, struct slice *out)
{
    struct str t;

    if (setting_is_secret(s)) {
        const char *secret = *(char **)member_of(from, s);

        *out = (struct slice){ secret, strlen(secret) };
        return true;
    }
    str_init(&t, &r->scratch);
    s->type->write(s, member_of(from, s), &t);
    *out = (struct slice){ str_c(&t), t.n };
    return !str_failed(&t);
}

static int compare_one(struct reload *r, const struct setting *s)
{
    struct slice now, next;
    struct err e = { 0 };

    if (!text_of(r, s, r->now, &now) || !text_of(r, s, r->next, &next))
        return ERR_NOMEM.code;
    if (now.n == next.n && memcmp(now.s, next.s, now.n) == 0)
        return 0;
    r->changes[r->n_changes++] = (struct settings_change){ s, (s->flags & SETTING_RELOAD) != 0 };
    if ((s->flags & SETTING_RELOAD) != 0) {
        r->n_applied++;
        return 0;
    }
    /* carried over by way of its text, so that snapshots share no memory */
    return s->type->read(s, now, member_of(r->next, s), &snapshot_of(r->next)->arena, &e);
}

static int compare(struct reload *r)
{
    size_t n_rows = 0;
    int rv = 0;

    while (settings_table[n_rows].name != NULL)
        n_rows++;
    r->changes = arena_array(r->arena, n_rows, sizeof *r->changes);
    if (r->changes == NULL)
        return ERR_NOMEM.code;
    for (const struct setting *s = settings_table; rv == 0 && s->name != NULL; s++)
        rv = compare_one(r, s);
    return rv;
}

int settings_reload(struct settings_box *b, const struct settings_sources *from, struct settings_problems *problems,
                    struct arena *arena, struct settings_change **changes, unsigned *n_changes, struct err *e)
{
    struct reload r = { .arena = arena, .now = b->now };
    int rv = settings_load(from, &r.next, problems, e);

    if (rv != 0)
        return rv;
    arena_init(&r.scratch);
    rv = compare(&r);
    if (rv == 0) {
        *changes = r.changes;
        *n_changes = r.n_changes;
    } else {
        (void)err_set(e, &ERR_NOMEM, "");
    }
    if (rv == 0 && r.n_applied > 0)
        replace(b, r.next);
    else
        settings_put(r.next);
    arena_fini(&r.scratch);
    return rv;
}
