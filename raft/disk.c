/* SPDX-License-Identifier: Apache-2.0 */
#include "raft/disk.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "src/base/clock.h"

struct job {
    struct job *next;
    bool meta;
    uint64_t term, vote, index;
    unsigned n;
    struct entry entries[];            /* their data follows them */
};

struct raft_disk {
    struct raft_disk_conf conf;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct job *first, *last;          /* under the lock, as the next */
    bool ending;
    _Atomic int64_t began_ms;          /* of the write under way; 0: none */
    _Atomic int64_t samples[RAFT_DISK_SAMPLES], free_mib;
    unsigned n_samples;
};

/* --- the thread ----------------------------------------------------------------------------------------------------------------- */

static struct timespec in_ms(int64_t ms)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

/* The next job; NULL when it is time to touch. False at the end. */
static bool next_job(struct raft_disk *d, const struct timespec *touch_at, struct job **out)
{
    bool more;
    int timed_out = 0;

    (void)pthread_mutex_lock(&d->lock);
    while (d->first == NULL && !d->ending && timed_out == 0)
        timed_out = pthread_cond_timedwait(&d->wake, &d->lock, touch_at);
    *out = d->first;
    if (d->first != NULL) {
        d->first = d->first->next;
        if (d->first == NULL)
            d->last = NULL;
    }
    more = *out != NULL || !d->ending;
    (void)pthread_mutex_unlock(&d->lock);
    return more;
}

static int perform(struct raft_disk *d, const struct job *j, struct err *e)
{
    if (j == NULL) {
        atomic_store(&d->free_mib, raft_dir_free_mib(d->conf.dir));
        return raft_dir_touch(d->conf.dir, e);
    }
    return j->meta ? raft_dir_write_meta(d->conf.dir, j->term, j->vote, e) : raft_dir_write(d->conf.dir, j->index, j->entries, j->n, e);
}

static int perform_timed(struct raft_disk *d, const struct job *j, struct err *e)
{
    int64_t began = clock_now_ms(&clock_system);
    int rv;

    atomic_store(&d->began_ms, began);
    rv = perform(d, j, e);
    atomic_store(&d->began_ms, 0);
    atomic_store(&d->samples[d->n_samples++ % RAFT_DISK_SAMPLES], clock_now_ms(&clock_system) - began);
    return rv;
}

static void report(struct raft_disk *d, const struct job *j)
{
    if (j == NULL)
        return;
    if (j->meta)
        d->conf.meta_done(d->conf.data);
    else
        d->conf.entries_done(j->index + j->n - 1, j->entries[j->n - 1].term, d->conf.data);
}

static void *disk_main(void *data)
{
    struct raft_disk *d = data;
    struct timespec touch_at = in_ms(0);
    struct err e = { 0 };
    struct job *j;
    int rv = 0;

    while (next_job(d, &touch_at, &j)) {
        if (rv == 0) {
            rv = perform_timed(d, j, &e);
            if (rv == 0)
                report(d, j);
            else
                d->conf.failed(&e, d->conf.data);
        }
        if (j == NULL || rv != 0)
            touch_at = in_ms(RAFT_DISK_TOUCH_MS);
        mem_free(j);
    }
    return NULL;
}

/* --- asking --------------------------------------------------------------------------------------------------------------------- */

static void add(struct raft_disk *d, struct job *j)
{
    (void)pthread_mutex_lock(&d->lock);
    if (d->last != NULL)
        d->last->next = j;
    else
        d->first = j;
    d->last = j;
    (void)pthread_cond_signal(&d->wake);
    (void)pthread_mutex_unlock(&d->lock);
}

int raft_disk_meta(struct raft_disk *d, uint64_t term, uint64_t vote, struct err *e)
{
    struct job *j = mem_zalloc(sizeof *j);

    if (j == NULL)
        return err_set(e, &ERR_NOMEM, "");
    j->meta = true;
    j->term = term;
    j->vote = vote;
    add(d, j);
    return 0;
}

int raft_disk_write(struct raft_disk *d, const struct consensus_write *w, struct err *e)
{
    size_t bytes = sizeof(struct job) + w->n * sizeof(struct entry);
    struct job *j;
    char *data;

    for (unsigned i = 0; i < w->n; i++)
        bytes += w->entries[i].size;
    j = mem_zalloc(bytes);
    if (j == NULL)
        return err_set(e, &ERR_NOMEM, "");
    j->index = w->index;
    j->n = w->n;
    data = (char *)(j->entries + w->n);
    for (unsigned i = 0; i < w->n; i++) {
        memcpy(data, w->entries[i].data, w->entries[i].size);
        j->entries[i] = w->entries[i];
        j->entries[i].data = data;
        data += w->entries[i].size;
    }
    add(d, j);
    return 0;
}

struct raft_disk_health raft_disk_health(struct raft_disk *d)
{
    int64_t began = atomic_load(&d->began_ms);
    struct raft_disk_health h = { .free_mib = atomic_load(&d->free_mib) };

    h.busy_ms = began != 0 ? clock_now_ms(&clock_system) - began : 0;
    for (unsigned i = 0; i < RAFT_DISK_SAMPLES; i++)
        if (atomic_load(&d->samples[i]) > h.slow_ms)
            h.slow_ms = atomic_load(&d->samples[i]);
    return h;
}

/* --- beginning and end ---------------------------------------------------------------------------------------------------------- */

static void init_wake(pthread_cond_t *c)
{
    pthread_condattr_t attr;

    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(c, &attr);
    (void)pthread_condattr_destroy(&attr);
}

int raft_disk_new(const struct raft_disk_conf *conf, struct raft_disk **out, struct err *e)
{
    struct raft_disk *d = mem_zalloc(sizeof *d);

    *out = NULL;
    if (d == NULL)
        return err_set(e, &ERR_NOMEM, "");
    d->conf = *conf;
    atomic_store(&d->free_mib, -1);
    (void)pthread_mutex_init(&d->lock, NULL);
    init_wake(&d->wake);
    if (pthread_create(&d->thread, NULL, disk_main, d) != 0) {
        (void)pthread_cond_destroy(&d->wake);
        (void)pthread_mutex_destroy(&d->lock);
        mem_free(d);
        return err_set(e, &ERR_IO, "the thread that writes the Raft log cannot be started");
    }
    (void)pthread_setname_np(d->thread, "raft-disk");
    *out = d;
    return 0;
}

void raft_disk_free(struct raft_disk *d)
{
    if (d == NULL)
        return;
    (void)pthread_mutex_lock(&d->lock);
    d->ending = true;
    (void)pthread_cond_signal(&d->wake);
    (void)pthread_mutex_unlock(&d->lock);
    (void)pthread_join(d->thread, NULL);
    (void)pthread_cond_destroy(&d->wake);
    (void)pthread_mutex_destroy(&d->lock);
    raft_dir_close(d->conf.dir);
    mem_free(d);
}
