/* SPDX-License-Identifier: Apache-2.0 */
/* One fiber supervises mariadbd. Each state has a function that does its work, waits, and says which state comes next:
 *
 *   PREPARING ──ready──▶ STARTING ──answers──▶ RUNNING ◀──done── UPGRADING
 *    ▲  │  │               │   └──────of an older version──────────▲ │
 *    │  │  └─needs a       │              │                          │
 *    │  │    person─▶ HALTED              │died                      │failed
 *    │  └──────failed──────┴──────▶ BACKOFF ◀────────────────────────┘
 *    └───────pause is over────────────┘        (three failures before the first success: HALTED)
 *
 *   any of them ──told to stop──▶ STOPPING ──▶ STOPPED
 *
 * Being told to stop is the cancellation of the fiber: every wait ends, and the state function answers STOPPING. */
#include "src/store/embedded.h"

#include <assert.h>
#include <ctype.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "src/io/fiber.h"
#include "src/store/embedded_dir.h"
#include "src/store/embedded_server.h"

enum {
    START_TIMEOUT_MS = 300 * 1000, /* crash recovery of a large log on a slow disk */
    STEP_TIMEOUT_MS = 10 * 1000,
    LEFTOVER_TIMEOUT_MS = 15 * 1000,
    BACKOFF_MIN_MS = 200,
    BACKOFF_MAX_MS = 30 * 1000,
    STEADY_MS = 60 * 1000,         /* having run this long forgets earlier failures */
    FIRST_TRIES = 3,
    MAX_DATABASES = 4,
};

ERR_DEFINE(ERR_EMBEDDED_SETUP, 90030, 500, ERR_FINAL, "The embedded MetaDB in {0} cannot be used: {1}.", "内置 MetaDB（{0}）无法使用：{1}。");
ERR_DEFINE(ERR_EMBEDDED_DOWN, 90031, 503, ERR_RETRY, "The embedded MetaDB in {0} does not stay up: {1}. The server log has more.",
           "内置 MetaDB（{0}）无法保持运行：{1}。详情请查看服务日志。");

const struct err_row *const embedded_err_rows[] = { &ERR_EMBEDDED_SETUP, &ERR_EMBEDDED_DOWN, NULL };

struct embedded {
    struct embedded_conf conf;      /* strings in the arena */
    struct arena arena;
    char socket[EMBEDDED_PATH_MAX + 8];
    struct embedded_dir dir;
    struct log log;
    struct fiber *fiber;            /* the supervisor; NULL when it has ended */
    struct waitlist changed;        /* woken at each change of state */
    _Atomic int state;
    struct child *child;            /* owned; NULL: none */
    _Atomic pid_t pid;
    struct mariadb_version version; /* of the installed program */
    _Atomic unsigned n_restarts;
    unsigned n_failures;            /* since it last ran steadily */
    bool answers;                   /* this mariadbd has answered */
    bool has_run;
    int64_t running_since_ms;
    char complaint[ERR_ARG_SIZE];   /* the last error line of mariadbd */
    struct err why;                 /* the last failure */
};

/* "2026-11-20 23:55:04 0 [Warning] text": its text goes to our log under the matching level. */
static void on_line(void *data, enum child_stream stream, struct slice line)
{
    struct embedded *m = data;
    char text[CHILD_LINE_MAX + 1];
    const char *said;

    (void)stream;
    (void)snprintf(text, sizeof text, "%.*s", SLICE_FMT(line));
    said = strchr(text, ']');
    said = said != NULL ? said + 1 + strspn(said + 1, " ") : text;
    if (strstr(text, "[ERROR]") != NULL || strncmp(text, "ERROR", 5) == 0) {
        (void)snprintf(m->complaint, sizeof m->complaint, "%s", said);
        log_error(&m->log, "mariadbd reports an error", LOG_S("text", said));
    } else if (strstr(text, "[Warning]") != NULL) {
        log_warn(&m->log, "mariadbd warns", LOG_S("text", said));
    } else {
        log_debug(&m->log, "mariadbd says", LOG_S("text", said));
    }
}

static bool must_stop(const struct embedded *m)
{
    return fiber_is_cancelled(m->fiber);
}

/* Ends mariadbd: SIGTERM lets it finish and write everything out. One that has never answered gets SIGKILL: a SIGTERM just before
 * it is ready makes MariaDB hang for ever, and it has acknowledged nothing yet. Not cut short by cancellation or the fiber's deadline. */
static void end_child(struct embedded *m)
{
    bool shielded = fiber_shield(true);
    int64_t deadline = fiber_deadline();
    struct err e;

    if (m->child != NULL) {
        child_kill(m->child, m->answers ? SIGTERM : SIGKILL);
        fiber_restore_deadline(INT64_MAX);
        (void)fiber_narrow_deadline(m->conf.stop_timeout_ms);
        if (child_wait(m->child, NULL, &e) != 0) {
            log_warn(&m->log, "mariadbd does not end -> kill it", LOG_I("after_ms", m->conf.stop_timeout_ms));
            child_kill(m->child, SIGKILL);
            fiber_restore_deadline(INT64_MAX);
            if (child_wait(m->child, NULL, &e) != 0)
                log_error(&m->log, "mariadbd survives SIGKILL", LOG_E(&e));
        }
        child_free(m->child);
        m->child = NULL;
        m->pid = 0;
    }
    fiber_restore_deadline(deadline);
    (void)fiber_shield(shielded);
}

/* What follows a failure described in m->why. */
static enum embedded_state failed(struct embedded *m)
{
    if (must_stop(m))
        return EMBEDDED_STOPPING;
    end_child(m);
    m->n_failures++;
    log_error(&m->log, "embedded MetaDB failed", LOG_E(&m->why), LOG_I("failures", m->n_failures));
    if (m->has_run)
        return EMBEDDED_BACKOFF; /* others rely on it: never give up */
    return err_is(&m->why, &ERR_EMBEDDED_SETUP) || m->n_failures >= FIRST_TRIES ? EMBEDDED_HALTED : EMBEDDED_BACKOFF;
}

static enum embedded_state died(struct embedded *m, const struct child_status *status)
{
    char how[64];

    (void)child_status_text(status, how, sizeof how);
    (void)err_set(&m->why, &ERR_EMBEDDED_DOWN, "%s", m->dir.path);
    (void)err_arg(&m->why, "mariadbd ended (%s)%s%s", how, m->complaint[0] != '\0' ? ": " : "", m->complaint);
    return failed(m);
}

/* Sends a signal only to the very process that has our data open: the pidfd pins it before it is checked again. */
static void signal_holder(const struct embedded *m, pid_t pid, int number)
{
    int pidfd = pidfd_open(pid, 0);

    if (pidfd < 0)
        return; /* it has just ended */
    if (embedded_dir_holder(&m->dir) == pid && pidfd_send_signal(pidfd, number, NULL, 0) != 0)
        log_warn(&m->log, "a mariadbd has our data open and may not be signalled", LOG_I("pid", pid));
    (void)close(pidfd); /* nothing to lose */
}

/* A mariadbd of a process that was killed: the kernel has told it to end, which may take it a moment; if that came just before it
 * was ready it hangs (see end_child). Killing it costs a crash recovery and loses nothing. */
static int end_leftover(struct embedded *m, struct err *e)
{
    int64_t begin = loop_now_ms(loop_current());
    pid_t pid, told = 0;
    bool killed = false;

    while ((pid = embedded_dir_holder(&m->dir)) != 0) {
        int64_t waited = loop_now_ms(loop_current()) - begin;
        int rv = fiber_sleep(20, e);

        if (rv != 0)
            return rv;
        if (waited > 2 * LEFTOVER_TIMEOUT_MS || (pid < 0 && waited > 5000))
            return embedded_dir_fails(&m->dir, e, "another process (id %d) has its data open: stop that one", (int)pid);
        if (pid > 0 && pid != told) {
            log_info(&m->log, "found a mariadbd with our data -> end it", LOG_I("pid", pid));
            signal_holder(m, pid, SIGTERM);
            told = pid;
        } else if (pid > 0 && waited > LEFTOVER_TIMEOUT_MS && !killed) {
            log_warn(&m->log, "the found mariadbd does not end -> kill it", LOG_I("pid", pid));
            signal_holder(m, pid, SIGKILL);
            killed = true;
        }
    }
    return 0;
}

static bool data_version(const struct embedded *m, struct mariadb_version *v)
{
    char text[64];

    return embedded_dir_read(&m->dir, "data", "ocp_version", text, sizeof text) && mariadb_version_parse(text, v);
}

static int check_version(const struct embedded *m, struct err *e)
{
    struct mariadb_version data;

    if (!data_version(m, &data))
        return embedded_dir_fails(&m->dir, e, "data/ocp_version is missing or damaged: restore the folder from a backup");
    if (data.major > m->version.major || (data.major == m->version.major && data.minor > m->version.minor))
        return embedded_dir_fails(&m->dir, e, "its data was written by MariaDB %s, installed is %s: install the newer MariaDB again",
                                  data.text, m->version.text);
    return 0;
}

static int make_data(struct embedded *m, struct err *e)
{
    log_info(&m->log, "no data yet -> initialise", LOG_S("mariadb", m->version.text));
    return mariadb_install(&m->conf, &m->dir, &m->version, e);
}

static enum embedded_state prepare(struct embedded *m)
{
    struct err *e = &m->why;
    int rv = mariadb_version(&m->conf, &m->dir, &m->version, e);

    if (rv == 0)
        rv = embedded_dir_make(&m->dir, "tmp", e);
    if (rv == 0)
        rv = end_leftover(m, e);
    if (rv == 0)
        rv = embedded_dir_has(&m->dir, "data") ? check_version(m, e) : make_data(m, e);
    return rv == 0 ? EMBEDDED_STARTING : failed(m);
}

static int connect_once(struct embedded *m, struct sql **s, struct err *e)
{
    struct sql_target target = embedded_target(m, m->conf.databases[0]);
    int64_t former = fiber_narrow_deadline(STEP_TIMEOUT_MS);
    struct arena arena;
    int rv = sql_connect(&target, m->conf.connect_pool, s, e);

    if (rv == 0) {
        arena_init(&arena);
        rv = sql_run(*s, "SELECT 1", NULL, 0, 0, &arena, NULL, e);
        arena_fini(&arena);
        if (rv != 0)
            sql_close(*s);
    }
    fiber_restore_deadline(former);
    return rv;
}

/* Drops every account but ours and the locked one that owns MariaDB's views. */
static int drop_others(struct embedded *m, struct sql *s, struct err *e)
{
    const struct sql_value ours[] = { sql_v_s(m->dir.self), sql_v_s(m->dir.account) };
    int64_t former = fiber_narrow_deadline(STEP_TIMEOUT_MS);
    struct arena arena;
    struct sql_rows rows;
    int rv;

    arena_init(&arena);
    rv = sql_run(s, "SELECT User, Host FROM mysql.global_priv WHERE NOT (Host = 'localhost' AND User IN (?, ?, 'mariadb.sys')) "
                    "AND JSON_VALUE(Priv, '$.is_role') IS NULL",
                 ours, 2, 0, &arena, &rows, e);
    for (size_t i = 0; rv == 0 && i < rows.n_rows; i++) {
        const struct sql_value who[] = { sql_v_s(sql_text(&rows, i, 0).s), sql_v_s(sql_text(&rows, i, 1).s) };

        rv = sql_run(s, "DROP USER ?@?", who, 2, SQL_COMMIT, &arena, NULL, e);
    }
    if (rv == 0) /* what mariadb-install-db gives to whoever is nobody */
        rv = sql_run(s, "DELETE FROM mysql.proxies_priv", NULL, 0, SQL_COMMIT, &arena, NULL, e);
    arena_fini(&arena);
    fiber_restore_deadline(former);
    return rv;
}

/* Waits until it answers. 0, or the error that ended the waiting; `gone` tells that mariadbd ended. */
static int wait_for_answer(struct embedded *m, struct sql **s, bool *gone, struct err *e)
{
    int64_t begin = loop_now_ms(loop_current()), pause = 10;

    *gone = false;
    for (;;) {
        int rv = connect_once(m, s, e);

        if (rv == 0 || must_stop(m))
            return rv;
        *gone = !child_is_running(m->child);
        if (*gone || loop_now_ms(loop_current()) - begin > START_TIMEOUT_MS)
            return rv;
        rv = fiber_sleep(pause, e);
        if (rv != 0)
            return rv;
        pause = pause < 200 ? pause * 2 : pause;
    }
}

static enum embedded_state start(struct embedded *m)
{
    struct mariadb_version data;
    struct child_status status;
    struct sql *s;
    bool gone;
    int rv;

    m->complaint[0] = '\0';
    m->answers = false;
    rv = mariadb_spawn(&m->conf, &m->dir, on_line, m, &m->child, &m->why);
    if (rv != 0)
        return failed(m);
    m->pid = child_pid(m->child);
    rv = wait_for_answer(m, &s, &gone, &m->why);
    if (rv != 0 && gone && child_wait(m->child, &status, &m->why) == 0)
        return died(m, &status);
    if (rv != 0)
        return failed(m);
    m->answers = true;
    rv = drop_others(m, s, &m->why);
    sql_close(s);
    if (rv != 0)
        return failed(m);
    return data_version(m, &data) && strcmp(data.text, m->version.text) == 0 ? EMBEDDED_RUNNING : EMBEDDED_UPGRADING;
}

static enum embedded_state upgrade(struct embedded *m)
{
    int rv = mariadb_upgrade(&m->conf, &m->dir, &m->why);

    if (rv == 0)
        rv = embedded_dir_write(&m->dir, "data", "ocp_version", m->version.text, &m->why);
    if (rv != 0)
        return failed(m);
    log_info(&m->log, "data adapted to this MariaDB", LOG_S("mariadb", m->version.text));
    return EMBEDDED_RUNNING;
}

static enum embedded_state run(struct embedded *m)
{
    struct child_status status;

    m->running_since_ms = loop_now_ms(loop_current());
    m->has_run = true;
    if (child_wait(m->child, &status, &m->why) != 0)
        return EMBEDDED_STOPPING;
    if (loop_now_ms(loop_current()) - m->running_since_ms > STEADY_MS)
        m->n_failures = 0;
    return died(m, &status);
}

static enum embedded_state back_off(struct embedded *m)
{
    int64_t pause = BACKOFF_MIN_MS;
    struct err e;

    for (unsigned i = 1; i < m->n_failures && pause < BACKOFF_MAX_MS; i++)
        pause *= 2;
    if (fiber_sleep(pause < BACKOFF_MAX_MS ? pause : BACKOFF_MAX_MS, &e) != 0)
        return EMBEDDED_STOPPING;
    m->n_restarts++;
    return EMBEDDED_PREPARING;
}

static enum embedded_state stop(struct embedded *m)
{
    end_child(m);
    return EMBEDDED_STOPPED;
}

#define TO(S) (1U << (S))
static const struct state {
    const char *name;
    enum embedded_state (*step)(struct embedded *m); /* NULL: an end */
    unsigned to;                                     /* what may follow */
} states[] = {
    [EMBEDDED_PREPARING] = { "preparing", prepare, TO(EMBEDDED_STARTING) | TO(EMBEDDED_BACKOFF) | TO(EMBEDDED_HALTED) | TO(EMBEDDED_STOPPING) },
    [EMBEDDED_STARTING] = { "starting", start, TO(EMBEDDED_RUNNING) | TO(EMBEDDED_UPGRADING) | TO(EMBEDDED_BACKOFF) | TO(EMBEDDED_HALTED) | TO(EMBEDDED_STOPPING) },
    [EMBEDDED_UPGRADING] = { "upgrading", upgrade, TO(EMBEDDED_RUNNING) | TO(EMBEDDED_BACKOFF) | TO(EMBEDDED_HALTED) | TO(EMBEDDED_STOPPING) },
    [EMBEDDED_RUNNING] = { "running", run, TO(EMBEDDED_BACKOFF) | TO(EMBEDDED_STOPPING) },
    [EMBEDDED_BACKOFF] = { "backoff", back_off, TO(EMBEDDED_PREPARING) | TO(EMBEDDED_STOPPING) },
    [EMBEDDED_STOPPING] = { "stopping", stop, TO(EMBEDDED_STOPPED) },
    [EMBEDDED_STOPPED] = { "stopped", NULL, 0 },
    [EMBEDDED_HALTED] = { "halted", NULL, 0 },
};

const char *embedded_state_name(enum embedded_state state)
{
    return states[state].name;
}

static void enter(struct embedded *m, enum embedded_state next)
{
    const struct state *from = &states[m->state];

    assert((from->to & TO(next)) != 0);
    log_info(&m->log, "embedded MetaDB changes state", LOG_S("from", from->name), LOG_S("to", states[next].name), LOG_I("pid", m->pid));
    m->state = (int)next;
    waitlist_wake_all(&m->changed);
}

static void supervise(void *data)
{
    struct embedded *m = data;

    m->fiber = fiber_current();
    while (states[m->state].step != NULL)
        enter(m, states[m->state].step(m));
    m->fiber = NULL;
    waitlist_wake_all(&m->changed);
}

enum embedded_state embedded_state(const struct embedded *m)
{
    return (enum embedded_state)m->state;
}

pid_t embedded_pid(const struct embedded *m)
{
    return m->pid;
}

unsigned embedded_n_restarts(const struct embedded *m)
{
    return m->n_restarts;
}

struct sql_target embedded_target(const struct embedded *m, const char *database)
{
    return (struct sql_target){ .socket = m->socket, .user = m->dir.self, .database = database };
}

static bool is_name(const char *s)
{
    size_t n = strlen(s);

    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)s[i]) && s[i] != '_')
            return false;
    return n > 0 && n <= 64;
}

static char *copy(struct embedded *m, const char *s, const char *if_null, bool *failed)
{
    char *own = s != NULL || if_null != NULL ? arena_strdup(&m->arena, s != NULL ? s : if_null) : NULL;

    *failed = *failed || (own == NULL && (s != NULL || if_null != NULL));
    return own;
}

static int copy_conf(struct embedded *m, const struct embedded_conf *conf, struct err *e)
{
    const char **names = arena_array(&m->arena, MAX_DATABASES + 1, sizeof *names);
    bool failed = names == NULL;

    m->conf = *conf;
    m->conf.dir = copy(m, conf->dir, NULL, &failed);
    m->conf.account = copy(m, conf->account, NULL, &failed);
    m->conf.mariadbd = copy(m, conf->mariadbd, "/usr/sbin/mariadbd", &failed);
    m->conf.install_db = copy(m, conf->install_db, "/usr/bin/mariadb-install-db", &failed);
    m->conf.upgrade = copy(m, conf->upgrade, "/usr/bin/mariadb-upgrade", &failed);
    for (unsigned i = 0; !failed && conf->databases[i] != NULL; i++) {
        assert(i < MAX_DATABASES && is_name(conf->databases[i]));
        names[i] = copy(m, conf->databases[i], NULL, &failed);
    }
    m->conf.databases = names;
    m->conf.buffer_pool_mb = conf->buffer_pool_mb > 0 ? conf->buffer_pool_mb : 64;
    m->conf.max_connections = conf->max_connections > 0 ? conf->max_connections : 100;
    m->conf.stop_timeout_ms = conf->stop_timeout_ms > 0 ? conf->stop_timeout_ms : 60000;
    return failed ? err_set(e, &ERR_NOMEM, "") : 0;
}

static void destroy(struct embedded *m)
{
    embedded_dir_close(&m->dir);
    arena_fini(&m->arena);
    mem_free(m);
}

static int wait_until_running(struct embedded *m, struct err *e)
{
    int rv = 0;

    while (rv == 0 && m->state != EMBEDDED_RUNNING && states[m->state].step != NULL)
        rv = waitlist_wait(&m->changed, e);
    if (rv == 0 && m->state != EMBEDDED_RUNNING) {
        rv = m->why.row->code;
        if (e != NULL)
            *e = m->why;
    }
    return rv;
}

int embedded_start(const struct embedded_conf *conf, struct embedded **out, struct err *e)
{
    struct embedded *m = mem_zalloc(sizeof *m);
    int rv;

    if (m == NULL)
        return err_set(e, &ERR_NOMEM, "");
    m->dir.fd = m->dir.lock_fd = -1;
    arena_init(&m->arena);
    rv = copy_conf(m, conf, e);
    if (rv == 0)
        rv = embedded_dir_open(&m->dir, m->conf.dir, m->conf.account, e);
    if (rv == 0) {
        log_child(&m->log, conf->log, "metadb", m->dir.path);
        (void)snprintf(m->socket, sizeof m->socket, "%s/sock", m->dir.path);
        rv = fiber_start(loop_current(), "embedded MetaDB", supervise, m, &m->fiber, e);
    }
    if (rv != 0) {
        destroy(m);
        return rv;
    }
    rv = wait_until_running(m, e);
    if (rv != 0) {
        embedded_stop(m);
        return rv;
    }
    *out = m;
    return 0;
}

void embedded_stop(struct embedded *m)
{
    bool shielded;
    int64_t deadline;
    struct err e;

    if (m == NULL)
        return;
    shielded = fiber_shield(true);
    deadline = fiber_deadline();
    fiber_restore_deadline(INT64_MAX);
    if (m->fiber != NULL)
        fiber_cancel(m->fiber);
    while (m->fiber != NULL && waitlist_wait(&m->changed, &e) == 0)
        continue;
    fiber_restore_deadline(deadline);
    (void)fiber_shield(shielded);
    destroy(m);
}
