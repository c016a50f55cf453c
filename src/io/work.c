/* SPDX-License-Identifier: Apache-2.0 */
/* A job goes QUEUED -> RUNNING -> DONE under the pool's lock. A fiber that stops waiting turns it to ABANDONED: a queued job is
 * unlinked and dropped at once, a running one is dropped by its thread. Otherwise the thread posts it back to the fiber's loop. */
#include "src/io/work.h"

#include <pthread.h>
#include <string.h>

#include "src/io/fiber.h"

enum { QUEUED, RUNNING, DONE, ABANDONED };

struct work_pool {
    struct work_conf conf;
    pthread_mutex_t lock;       /* guards everything below */
    pthread_cond_t more;
    pthread_t *threads;         /* owned; the first stats.threads of them run */
    struct work *first, *last;
    unsigned n_idle;
    struct work_stats stats;
    bool stopping;
};

static void on_done(struct loop_post *post)
{
    struct work *w = (struct work *)((char *)post - offsetof(struct work, post));
    struct wait *waiting = w->waiting;

    if (waiting != NULL)
        wait_wake(waiting);
    else
        w->drop(w); /* the fiber gave up between the thread's post and now */
}

/* Called with the lock held; returns with it held. */
static void run_one(struct work_pool *p, struct work *w)
{
    w->state = RUNNING;
    p->stats.queued--;
    p->stats.running++;
    pthread_mutex_unlock(&p->lock);
    w->run(w);
    pthread_mutex_lock(&p->lock);
    p->stats.running--;
    p->stats.done++;
    if (w->state == ABANDONED) {
        w->drop(w);
        return;
    }
    w->state = DONE;
    loop_post(w->loop, &w->post);
}

static void *thread_main(void *data)
{
    struct work_pool *p = data;
    char name[16];

    (void)memccpy(name, p->conf.name, 0, sizeof name);
    name[sizeof name - 1] = '\0';
    (void)pthread_setname_np(pthread_self(), name); /* for people only */
    pthread_mutex_lock(&p->lock);
    while (!p->stopping) {
        struct work *w = p->first;

        if (w == NULL) {
            p->n_idle++;
            pthread_cond_wait(&p->more, &p->lock);
            p->n_idle--;
            continue;
        }
        p->first = w->next;
        if (p->first == NULL)
            p->last = NULL;
        run_one(p, w);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

int work_pool_new(const struct work_conf *conf, struct work_pool **out, struct err *e)
{
    struct work_pool *p = mem_zalloc(sizeof *p);

    if (p == NULL)
        return err_set(e, &ERR_NOMEM, "");
    p->threads = mem_array(conf->n_threads, sizeof *p->threads);
    if (p->threads == NULL) {
        mem_free(p);
        return err_set(e, &ERR_NOMEM, "");
    }
    p->conf = *conf;
    (void)pthread_mutex_init(&p->lock, NULL); /* both cannot fail with default attributes */
    (void)pthread_cond_init(&p->more, NULL);
    *out = p;
    return 0;
}

void work_pool_free(struct work_pool *p)
{
    struct work *w;

    if (p == NULL)
        return;
    pthread_mutex_lock(&p->lock);
    p->stopping = true;
    w = p->first;
    p->first = p->last = NULL;
    pthread_cond_broadcast(&p->more);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->stats.threads; i++) /* nobody starts one any more */
        (void)pthread_join(p->threads[i], NULL); /* what libraries keep per thread is freed then, too */
    while (w != NULL) {
        struct work *next = w->next;

        w->drop(w);
        w = next;
    }
    (void)pthread_mutex_destroy(&p->lock);
    (void)pthread_cond_destroy(&p->more);
    mem_free(p->threads);
    mem_free(p);
}

/* Called with the lock held. A thread that cannot be started is no failure while another one lives. */
static bool has_thread(struct work_pool *p)
{
    if (p->n_idle > p->stats.queued || p->stats.threads >= p->conf.n_threads)
        return true;
    if (pthread_create(&p->threads[p->stats.threads], NULL, thread_main, p) == 0)
        p->stats.threads++;
    return p->stats.threads > 0;
}

static int enqueue(struct work_pool *p, struct work *w, struct err *e)
{
    int rv = 0;

    pthread_mutex_lock(&p->lock);
    if (p->stats.queued >= p->conf.max_queued || !has_thread(p)) {
        p->stats.refused++;
        rv = err_set(e, &ERR_BUSY, "%s queue is full", p->conf.name);
    } else {
        w->next = NULL;
        w->state = QUEUED;
        if (p->last != NULL)
            p->last->next = w;
        else
            p->first = w;
        p->last = w;
        p->stats.queued++;
        pthread_cond_signal(&p->more);
    }
    pthread_mutex_unlock(&p->lock);
    return rv;
}

static void unlink_queued(struct work_pool *p, struct work *w)
{
    struct work **at = &p->first;
    struct work *before = NULL;

    while (*at != NULL && *at != w) {
        before = *at;
        at = &before->next;
    }
    if (*at == NULL)
        return;
    *at = w->next;
    if (p->last == w)
        p->last = before;
    p->stats.queued--;
}

static void abandon(struct work_pool *p, struct work *w)
{
    int state;

    pthread_mutex_lock(&p->lock);
    state = w->state;
    p->stats.abandoned++;
    if (state == QUEUED)
        unlink_queued(p, w);
    if (state == RUNNING)
        w->state = ABANDONED;
    pthread_mutex_unlock(&p->lock);
    if (state == QUEUED)
        w->drop(w);
    if (state == DONE)
        w->waiting = NULL; /* its post is on the way to this loop and will drop it */
}

int work_run(struct work_pool *p, struct work *w, struct err *e)
{
    struct wait wait;
    int rv;

    if (fiber_current() == NULL) {
        w->run(w);
        return 0;
    }
    wait_init(&wait);
    w->loop = fiber_loop(wait.fiber);
    w->post.fn = on_done;
    w->waiting = &wait;
    rv = enqueue(p, w, e);
    if (rv != 0) {
        w->drop(w);
        return rv;
    }
    rv = wait_for(&wait, e);
    if (rv != 0)
        abandon(p, w);
    return rv;
}

struct work_stats work_stats(struct work_pool *p)
{
    struct work_stats stats;

    pthread_mutex_lock(&p->lock);
    stats = p->stats;
    pthread_mutex_unlock(&p->lock);
    return stats;
}
