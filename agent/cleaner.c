/* SPDX-License-Identifier: Apache-2.0 */
/* ob_cleaner: removes old logs and cores of observers and proxies by the rules of conf/ob_cleaner.json (clean_rule.h), every few minutes. The
 * rules are read anew each time. Its work blocks its own loop, which has nothing else to do. */
#include "agent/clean_dir.h"
#include "agent/names.h"
#include "src/io/fiber.h"

enum { RETRY_S = 5 }; /* when the rules could not be read */

struct cleaner {
    uint64_t n_removed;
    int64_t bytes_removed;
};

static void tell(struct frame *f, const char *text)
{
    frame_note(f, text != NULL ? text : "out of memory");
}

static int read_conf(struct frame *f, struct arena *arena, struct clean_conf *conf, struct err *e)
{
    struct slice text;
    const char *path = arena_printf(arena, "%s/conf/ob_cleaner.json", f->home);
    int rv = path != NULL ? frame_read(path, arena, &text, e) : err_set(e, &ERR_NOMEM, "");

    if (rv == 0)
        rv = clean_conf_read(text, f->conf.roots, arena, conf, e);
    return rv == 0 ? 0 : err_wrap(e, "conf/ob_cleaner.json");
}

static int clean_all(struct cleaner *c, struct frame *f, const struct clean_conf *conf, struct err *e)
{
    const struct clean_rule *rules = conf->rules.items;
    struct clean_round round;
    int rv = 0;

    clean_round_init(&round, f->conf.roots, &f->log, clock_wall_us(&clock_system) / 1000000);
    for (size_t i = 0; rv == 0 && i < conf->rules.n; i++)
        rv = clean_by_rule(&round, &rules[i], e);
    c->n_removed += round.n_removed;
    c->bytes_removed += round.bytes_removed;
    clean_round_fini(&round);
    return rv;
}

/* One look. Without readable rules nothing is removed, and the status says why. */
static int64_t look(struct cleaner *c, struct frame *f)
{
    struct clean_conf conf = { .interval_s = RETRY_S };
    struct err e = { 0 };
    char why[ERR_ARG_SIZE * 2];
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = read_conf(f, &arena, &conf, &e);
    if (rv == 0 && conf.enabled)
        rv = clean_all(c, f, &conf, &e);
    if (rv != 0) {
        log_error(&f->log, "nothing more is removed in this round", LOG_E(&e));
        tell(f, err_log_text(&e, why, sizeof why));
    } else if (!conf.enabled) {
        tell(f, "switched off in conf/ob_cleaner.json");
    } else {
        tell(f, arena_printf(&arena, "%zu rules; %llu files, %lld bytes removed since the start", conf.rules.n, (unsigned long long)c->n_removed,
                             (long long)c->bytes_removed));
    }
    arena_fini(&arena);
    return conf.interval_s;
}

static int start(struct frame *f, void *data, struct err *e)
{
    int rv = 0;

    while (rv == 0)
        rv = fiber_sleep(look(data, f) * 1000, e);
    return rv;
}

int cleaner_main(struct frame *f, int argc, char **argv)
{
    struct cleaner c = { 0, 0 };

    (void)argc;
    (void)argv;
    return frame_run(f, start, NULL, &c);
}
