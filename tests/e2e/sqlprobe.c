/* SPDX-License-Identifier: Apache-2.0 */
/* sqlprobe - the SQL client on a loop of its own, driven line by line, so that a test can stop, delay and kill what
 * it talks to.
 *
 * usage: sqlprobe HOST PORT USER PASSWORD [CA-FILE | tls]        HOST with a '/': a Unix socket
 *
 * One command per line on stdin, words separated by tabs; commands run at once, side by side. One JSON line per
 * command on stdout when it has ended. FLAGS: p prepared, c commit, m more rows; '-' none. A BYTES above 0 gives the
 * statement that large a value.
 *   connect ID SESSION TIMEOUT_MS
 *   run     ID SESSION DEADLINE_MS FLAGS BYTES STATEMENT
 *   cancel  ID OTHER-ID
 *   close   ID SESSION
 * "beats": how often a fiber that sleeps a millisecond ran while the command did; "longest_us": longest turn of the
 * loop meanwhile, "longest_cpu_us": the most processor time of one turn. */
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/io/fiber.h"
#include "src/io/sql.h"

enum { SESSIONS = 64, WORDS = 7 };

static const struct log silent = { .sink = NULL };

struct probe {
    struct loop *loop;
    struct work_pool *pool;
    struct sql_target target;
    struct sql *sessions[SESSIONS];
    struct command *running;
    unsigned beats;
    int64_t cpu_us;              /* of this thread when it last went to wait */
    int64_t longest_cpu_us;
    struct loop_hook hook;
};

struct command {
    struct loop_post post;       /* first */
    struct probe *probe;
    struct command *next;
    struct fiber *fiber;
    char *line;
    char *word[WORDS];
    json_t *reply;
    unsigned beats;
    int64_t began_ms;
    struct err e;
};

static int64_t cpu_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void on_turn_end(void *data)
{
    struct probe *p = data;
    int64_t now = cpu_us();

    if (now - p->cpu_us > p->longest_cpu_us)
        p->longest_cpu_us = now - p->cpu_us;
    p->cpu_us = now;
}

static void beat(void *data)
{
    struct probe *p = data;

    p->cpu_us = cpu_us();
    while (fiber_sleep(1, NULL) == 0)
        p->beats++;
}

static void add(struct command *c, const char *key, json_t *value)
{
    if (json_object_set_new(c->reply, key, value) != 0) {
        (void)fprintf(stderr, "sqlprobe: \"%s\" is not UTF-8\n", key);
        abort();
    }
}

static void turn(void)
{
    bool former = fiber_shield(true);

    if (fiber_yield(NULL) != 0)
        abort();
    (void)fiber_shield(former);
}

/* Begins to measure, in a turn of its own. */
static void begin(struct command *c)
{
    struct probe *p = c->probe;

    turn();
    (void)loop_stats(p->loop); /* begins a new longest turn */
    p->longest_cpu_us = 0;
    c->beats = p->beats;
    c->began_ms = clock_now_ms(&clock_system);
}

/* What was measured, once the turn in which the call ended has been counted as well. */
static void end(struct command *c)
{
    struct probe *p = c->probe;

    add(c, "ms", json_integer(clock_now_ms(&clock_system) - c->began_ms));
    add(c, "beats", json_integer(p->beats - c->beats));
    turn();
    add(c, "longest_us", json_integer((json_int_t)loop_stats(p->loop).longest_us));
    add(c, "longest_cpu_us", json_integer(p->longest_cpu_us));
}

static void say(struct command *c, int rv)
{
    char text[600];

    if (json_object_get(c->reply, "ms") == NULL)
        end(c);
    add(c, "id", json_string(c->word[1]));
    add(c, "error", rv == 0 ? json_null() : json_string(c->e.row->symbol));
    add(c, "number", json_integer(rv == 0 ? 0 : c->e.lib_code));
    add(c, "text", rv == 0 ? json_null() : json_string(err_log_text(&c->e, text, sizeof text)));
    (void)json_dumpf(c->reply, stdout, JSON_COMPACT);
    (void)putchar('\n');
    (void)fflush(stdout);
}

static struct sql **session(struct command *c)
{
    return &c->probe->sessions[atoi(c->word[2]) % SESSIONS];
}

static int run_connect(struct command *c)
{
    struct sql_target target = c->probe->target;
    struct sql *s = NULL;
    int rv;

    target.connect_timeout_ms = (unsigned)atoi(c->word[3]);
    rv = sql_connect(&target, c->probe->pool, &s, &c->e);
    if (rv != 0)
        return rv;
    *session(c) = s;
    add(c, "engine", json_integer(sql_engine(s)));
    add(c, "version", json_string(sql_version(s)));
    add(c, "comment", json_string(sql_version_comment(s)));
    add(c, "connection", json_integer((json_int_t)sql_connection_id(s)));
    return 0;
}

static unsigned flags_of(const char *word)
{
    return (strchr(word, 'p') != NULL ? SQL_PREPARED : 0u) | (strchr(word, 'c') != NULL ? SQL_COMMIT : 0u) |
           (strchr(word, 'm') != NULL ? SQL_MAX_ROWS_1M : 0u);
}

/* Rows as lists of text; cells that are long by their size alone. */
static void show_rows(struct command *c, const struct sql_rows *rows)
{
    json_t *list = json_array();

    for (size_t row = 0; row < rows->n_rows && row < 100; row++) {
        json_t *cells = json_array();

        for (unsigned i = 0; i < rows->n_columns; i++) {
            struct slice text = sql_text(rows, row, (int)i);
            json_t *cell = text.n > 1000 ? NULL : text.s == NULL ? json_null() : json_stringn(text.s, text.n);

            (void)json_array_append_new(cells, cell != NULL ? cell : json_integer((json_int_t)text.n));
        }
        (void)json_array_append_new(list, cells);
    }
    add(c, "rows", list);
    add(c, "n_rows", json_integer((json_int_t)rows->n_rows));
    add(c, "affected", json_integer((json_int_t)rows->affected));
}

static int run_statement(struct command *c)
{
    size_t n = (size_t)atol(c->word[5]);
    char *big = calloc(1, n + 1);
    struct sql_value value = sql_v_bytes(big != NULL ? memset(big, 'x', n) : NULL, n);
    struct sql_rows rows = { 0 };
    struct arena arena;
    int rv;

    arena_init(&arena);
    begin(c);
    (void)fiber_narrow_deadline(atoi(c->word[3]));
    rv = sql_run(*session(c), c->word[6], &value, n > 0 ? 1 : 0, flags_of(c->word[4]), &arena, &rows, &c->e);
    end(c);
    add(c, "dead", json_boolean(sql_is_dead(*session(c))));
    show_rows(c, &rows);
    arena_fini(&arena);
    free(big);
    return rv;
}

static int run_cancel(struct command *c)
{
    for (struct command *other = c->probe->running; other != NULL; other = other->next) {
        if (strcmp(other->word[1], c->word[2]) == 0)
            fiber_cancel(other->fiber);
    }
    return 0;
}

static int run_close(struct command *c)
{
    sql_close(*session(c));
    *session(c) = NULL;
    return 0;
}

static const struct {
    const char *name;
    unsigned words;
    bool on_session;
    int (*run)(struct command *c);
} verbs[] = {
    { "connect", 4, false, run_connect },
    { "run", 7, true, run_statement },
    { "cancel", 3, false, run_cancel },
    { "close", 3, true, run_close },
};

static int split(struct command *c)
{
    unsigned n = 0;

    for (char *p = c->line; n < WORDS && p != NULL; n++) {
        c->word[n] = p;
        p = n + 1 < WORDS ? strchr(p, '\t') : NULL;
        if (p != NULL)
            *p++ = '\0';
    }
    for (int i = 0; i < 4; i++) {
        if (strcmp(c->word[0], verbs[i].name) == 0 && n == verbs[i].words)
            return !verbs[i].on_session || *session(c) != NULL ? i : -1;
    }
    return -1;
}

static void command_run(void *data)
{
    struct command *c = data;
    struct probe *p = c->probe;
    int verb = split(c);

    c->fiber = fiber_current();
    c->next = p->running;
    p->running = c;
    c->reply = json_object();
    begin(c);
    if (verb < 0)
        say(c, err_set(&c->e, &ERR_REQUEST, "no such command or session"));
    else
        say(c, verbs[verb].run(c));
    for (struct command **at = &p->running; *at != NULL; at = &(*at)->next) {
        if (*at == c) {
            *at = c->next;
            break;
        }
    }
    json_decref(c->reply);
    free(c->line);
    free(c);
}

static void on_command(struct loop_post *post)
{
    struct command *c = (struct command *)post;

    if (fiber_start(c->probe->loop, "command", command_run, c, NULL, &c->e) != 0)
        abort();
}

static void *read_commands(void *data)
{
    struct probe *p = data;
    char *line = NULL;
    size_t space = 0;
    ssize_t n;

    while ((n = getline(&line, &space, stdin)) > 0) {
        struct command *c = calloc(1, sizeof *c);

        if (c == NULL)
            abort();
        line[n - 1] = '\0';
        c->line = strdup(line);
        c->probe = p;
        c->post.fn = on_command;
        loop_post(p->loop, &c->post);
    }
    free(line);
    loop_stop(p->loop);
    return NULL;
}

static void start_beating(struct loop_post *post)
{
    struct command *c = (struct command *)post;

    if (fiber_start(c->probe->loop, "beat", beat, c->probe, NULL, &c->e) != 0)
        abort();
}

static void take_target(struct sql_target *t, int argc, char **argv)
{
    *t = (struct sql_target){ .port = (unsigned)atoi(argv[2]), .user = argv[3], .password = argv[4] };
    if (strchr(argv[1], '/') != NULL)
        t->socket = argv[1];
    else
        t->host = argv[1];
    if (argc > 5 && strcmp(argv[5], "tls") == 0)
        t->tls_required = true;
    else if (argc > 5)
        t->tls_ca = argv[5];
}

int main(int argc, char **argv)
{
    struct loop_conf conf = { "probe", &clock_system, &silent, LOOP_MAX_FIBERS, LOOP_STACK_BYTES };
    struct work_conf pool_conf = { "connect", 4, 100 };
    struct probe p = { .hook = { .fn = on_turn_end, .data = &p } };
    struct command start = { .probe = &p, .post.fn = start_beating };
    pthread_t reader;
    struct err e;

    if (argc < 5 || argc > 6)
        return 2;
    take_target(&p.target, argc, argv);
    if (loop_new(&conf, &p.loop, &e) != 0 || work_pool_new(&pool_conf, &p.pool, &e) != 0)
        return 1;
    loop_add_hook(p.loop, &p.hook);
    loop_post(p.loop, &start.post);
    if (pthread_create(&reader, NULL, read_commands, &p) != 0)
        return 1;
    loop_run(p.loop);
    (void)pthread_join(reader, NULL);
    for (int i = 0; i < SESSIONS; i++)
        sql_close(p.sessions[i]);
    work_pool_free(p.pool);
    loop_free(p.loop);
    return 0;
}
