/* SPDX-License-Identifier: Apache-2.0 */
/* One process:
 *
 *   main thread    the control loop: signals, embedded MetaDB, schema, keys, background jobs, watchdog
 *   api-0 ...      one loop each: HTTP server, sessions to MetaDB, request fibers; they share the port and nothing else
 *   pools          crypto (password hashing), connect (DNS, TCP, TLS, login), long (files, compression)
 *
 * Start: listen at once (every call but health gets 503), then in a fiber: database, schema, keys, first administrator, ready.
 * Stop (SIGTERM): not ready, wait for the load balancer, GOAWAY and finish, stop the API loops, stop jobs and database, exit 0.
 * A second SIGTERM stops without waiting for clients. */
#include "src/server.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "src/server_parts.h"
#include "src/vault/keyfile.h"
#include "src/vault/reseal.h"

static int start_workers(struct server *s, struct err *e)
{
    int rv = 0;

    for (unsigned i = 0; rv == 0 && i < s->n_workers; i++) {
        rv = loop_thread_start(s->workers[i].api.loop, e);
        s->workers[i].running = rv == 0;
    }
    return rv;
}

static int build_and_start(struct server *s, struct err *e)
{
    int rv = server_build(s, e);

    if (rv == 0)
        rv = server_make_workers(s, e);
    if (rv == 0)
        rv = server_watch_signals(s, e);
    if (rv == 0)
        rv = fiber_start(s->control, "start", server_start, s, NULL, e);
    if (rv == 0)
        rv = start_workers(s, e);
    return rv;
}

static int make_server(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct server **out, struct err *e)
{
    struct server *s = mem_zalloc(sizeof *s);
    int rv;

    if (s == NULL)
        return err_set(e, &ERR_NOMEM, "");
    s->box = box;
    s->boot = settings_get(box);
    s->cli = cli;
    s->sink = sink;
    log_init(&s->log, sink);
    if (getrandom(&s->seed, sizeof s->seed, 0) != (ssize_t)sizeof s->seed)
        s->seed = (uint64_t)clock_wall_us(&clock_system);
    rv = notify_init(&s->notify, getenv("NOTIFY_SOCKET"), getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"), e);
    if (rv != 0) {
        settings_put(s->boot);
        mem_free(s);
        return rv;
    }
    *out = s;
    return 0;
}

int server_run(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct err *e)
{
    struct server *s;
    int rv = make_server(box, cli, sink, &s, e);

    if (rv != 0)
        return rv;
    rv = build_and_start(s, e);
    if (rv == 0) {
        loop_run(s->control);
        rv = s->start_rv;
        if (rv != 0)
            *e = s->start_error;
    }
    server_join_workers(s);
    if (rv == 0)
        log_info(&s->log, "stopped");
    server_tear_down(s);
    return rv;
}

/* ---- reset password ------------------------------------------------------------------------------------------------------ */

static void reset_fiber(void *data)
{
    struct server *s = data;
    struct user_context c = server_user_context(s);
    char password[PASSWORD_RANDOM_SIZE];

    (void)fiber_narrow_deadline(60000);
    s->start_rv = user_reset_password(&c, s->cli->argument, password, &s->start_error);
    if (s->start_rv == 0)
        (void)printf("New password of user %s: %s (it must be changed at the next login)\n", s->cli->argument, password);
    mem_wipe(password, sizeof password);
    loop_stop(s->control);
}

int server_run_once(struct settings_box *box, const struct cli *cli, struct log_sink *sink, const char *name, void (*fiber)(void *data),
                    struct err *e)
{
    struct server *s;
    int rv = make_server(box, cli, sink, &s, e);

    if (rv != 0)
        return rv;
    rv = server_build(s, e);
    if (rv == 0)
        rv = fiber_start(s->control, name, fiber, s, NULL, e);
    if (rv == 0) {
        loop_run(s->control);
        rv = s->start_rv;
        if (rv != 0)
            *e = s->start_error;
    }
    server_tear_down(s);
    return rv;
}

int server_reset_password(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct err *e)
{
    return server_run_once(box, cli, sink, "reset password", reset_fiber, e);
}

/* ---- master key ---------------------------------------------------------------------------------------------------------- */

static int pass_over_secrets(struct server *s, bool write, struct reseal_count *count, struct err *e)
{
    bool created;
    int rv = vault_new(s->boot->key_file, false, &created, &s->shared.vault, e);

    if (rv == 0)
        rv = vault_reseal(s->shared.vault, s->metadb, write, count, e);
    if (rv == 0)
        (void)printf("%" PRIu64 " secrets, %" PRIu64 " under the former key, %" PRIu64 " sealed anew, %" PRIu64 " that no key opens\n",
                     count->seen, count->old, count->changed, count->lost);
    return rv;
}

static int take_key_step(struct server *s, struct err *e)
{
    const char *step = s->cli->argument;
    struct reseal_count count;
    int rv = 0;

    if (strcmp(step, "reseal") == 0)
        return pass_over_secrets(s, true, &count, e);
    if (strcmp(step, "finish") == 0) {
        rv = pass_over_secrets(s, false, &count, e);
        if (rv == 0 && count.old + count.lost > 0) {
            (void)err_set(e, &ERR_KEY_STEP, "finish");
            return err_arg(e, "%" PRIu64 " secrets are sealed under the former key, %" PRIu64 " open under none; run the step reseal first, and "
                           "enter those anew that no key opens", count.old, count.lost);
        }
    }
    if (rv == 0)
        rv = keyfile_step(s->boot->key_file, step, e);
    if (rv == 0)
        (void)printf("%s: %s is done. Give every node this file and restart it before the next step.\n", s->boot->key_file, step);
    return rv;
}

static void rotate_fiber(void *data)
{
    struct server *s = data;

    s->start_rv = take_key_step(s, &s->start_error);
    loop_stop(s->control);
}

int server_rotate_key(struct settings_box *box, const struct cli *cli, struct log_sink *sink, struct err *e)
{
    return server_run_once(box, cli, sink, "rotate key", rotate_fiber, e);
}
