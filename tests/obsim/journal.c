/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/json.h"
#include "tests/obsim/journal_life.h"
#include "tests/obsim/session.h"

struct sim_journal {
    struct sim_world *world;          /* borrowed */
    struct sim_deployment *deployment; /* borrowed: the world's */
    char path[4096];                  /* of its folder */
    int folder, file;                 /* owned */
    off_t read;                       /* so much of the file is in the replica */
    int64_t offset_us;                /* from the clock that nobody sets to microseconds since 1970 */
    int64_t replayed_us;              /* time of the line that is being read; 0: none is */
    struct journal_life life;
    struct sim_server nobody;         /* who this process is until it is up */
};

/* --- time ------------------------------------------------------------------------------------------------------------------------- */

static int64_t steady_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

int64_t journal_now(const struct sim_journal *j)
{
    return j->replayed_us != 0 ? j->replayed_us : steady_us() + j->offset_us;
}

/* --- the first line --------------------------------------------------------------------------------------------------------------- */

static json_t *first_line(const struct journal_conf *conf)
{
    const struct sim_cluster_conf *c = &conf->cluster;
    int64_t min = (int64_t)(200000 / conf->speed) + 1, max = (int64_t)(1000000 / conf->speed) + 1, now = clock_wall_us(&clock_system);

    return json_pack("{s:s, s:s, s:I, s:s, s:s, s:b, s:I, s:I, s:I, s:f, s:I, s:I, s:I}", "k", "cluster", "name", c->name, "id", (json_int_t)c->id,
                     "version", c->version, "build", c->build, "enterprise", c->is_enterprise, "seed", (json_int_t)c->seed, "min_delay_us",
                     (json_int_t)min, "max_delay_us", (json_int_t)max, "speed", conf->speed, "lease_us", (json_int_t)conf->lease_us,
                     "now_us", (json_int_t)now, "offset_us", (json_int_t)(now - steady_us()));
}

static int64_t int_of(const json_t *o, const char *key)
{
    return json_integer_value(json_object_get(o, key));
}

static const char *text_of(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

static void begin(struct sim_journal *j, const json_t *first)
{
    struct sim_cluster_conf conf = {
        .name = text_of(first, "name"), .id = int_of(first, "id"), .version = text_of(first, "version"), .build = text_of(first, "build"),
        .is_enterprise = json_is_true(json_object_get(first, "enterprise")), .seed = (uint64_t)int_of(first, "seed"),
        .min_delay_us = int_of(first, "min_delay_us"), .max_delay_us = int_of(first, "max_delay_us"), .now_us = int_of(first, "now_us"),
    };

    j->offset_us = int_of(first, "offset_us");
    j->world->speed = json_number_value(json_object_get(first, "speed"));
    j->life.lease_us = int_of(first, "lease_us");
    j->deployment = world_add(j->world, sim_cluster_blank(&conf));
    (void)world_add_observer(j->deployment, &j->nobody); /* its first, found again as such */
}

/* --- reading ------------------------------------------------------------------------------------------------------------------------ */

static void take_line(struct sim_journal *j, const char *line, size_t n)
{
    json_t *record = json_loadb(line, n, JSON_ALLOW_NUL, NULL);

    if (record == NULL) {
        (void)fprintf(stderr, "obsim: %s/journal.jsonl: a line is no JSON: %.*s\n", j->path, (int)n, line);
        return;
    }
    if (j->deployment == NULL) {
        begin(j, record);
    } else {
        j->replayed_us = int_of(record, "t");
        sim_advance(j->deployment->cluster, j->replayed_us);
        record_apply(j->deployment, record);
        session_tell_victims(j->deployment);
        j->replayed_us = 0;
    }
    json_decref(record);
}

/* All bytes behind what was read; a half line that a process left when it was killed is cut off. */
static void read_on(struct sim_journal *j)
{
    struct stat st;
    char *text, *at, *end;
    ssize_t n;

    if (fstat(j->file, &st) != 0 || st.st_size <= j->read)
        return;
    text = sim_alloc((size_t)(st.st_size - j->read));
    n = pread(j->file, text, (size_t)(st.st_size - j->read), j->read);
    for (at = text; n > 0 && (end = memchr(at, '\n', (size_t)(text + n - at))) != NULL; at = end + 1)
        take_line(j, at, (size_t)(end - at));
    j->read += at - text;
    if (at - text < n && ftruncate(j->file, j->read) != 0)
        abort();
    mem_free(text);
}

void journal_enter(struct sim_journal *j)
{
    while (flock(j->file, LOCK_EX) != 0)
        if (errno != EINTR)
            abort();
    read_on(j);
}

void journal_leave(struct sim_journal *j)
{
    (void)flock(j->file, LOCK_UN); /* it is ours */
}

bool journal_is_gone(const struct sim_journal *j)
{
    struct stat st;

    return fstat(j->file, &st) != 0 || st.st_nlink == 0;
}

/* --- writing ------------------------------------------------------------------------------------------------------------------------ */

static void append(struct sim_journal *j, const json_t *record)
{
    char *line = json_dumps(record, JSON_COMPACT | JSON_PRESERVE_ORDER);
    size_t n = line != NULL ? strlen(line) : 0;

    if (line == NULL)
        abort();
    line[n] = '\n'; /* in the place of the NUL */
    if (pwrite(j->file, line, n + 1, j->read) != (ssize_t)n + 1) {
        (void)fprintf(stderr, "obsim: %s/journal.jsonl: %s\n", j->path, strerror(errno));
        abort();
    }
    j->read += (off_t)n + 1;
    free(line);
}

void journal_note(struct sim_journal *j, json_t *record)
{
    if (record == NULL || json_object_set_new(record, "t", json_integer(j->deployment->cluster->now_us)) != 0)
        abort();
    append(j, record);
    json_decref(record);
}

void journal_record(struct sim_journal *j, json_t *record)
{
    (void)world_advance(j->deployment);
    json_incref(record);
    journal_note(j, record);
    record_apply(j->deployment, record);
    json_decref(record);
}

/* Bytes that are no UTF-8 are replaced. */
static json_t *text_record(struct slice s)
{
    struct str quoted;
    json_t *o;

    str_init(&quoted, NULL);
    json_add_string_n(&quoted, s.s, s.n);
    o = str_failed(&quoted) ? NULL : json_loadb(quoted.s, quoted.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    str_fini(&quoted);
    return o;
}

static json_t *own_variables(const struct sim_session *s)
{
    json_t *o = json_object();

    for (size_t i = 0; i < s->variables.list.n; i++)
        if (json_object_set_new(o, s->variables.list.items[i]->name, json_string(s->variables.list.items[i]->value)) != 0)
            abort();
    return o;
}

/* The time has passed already: that of the statement is the cluster's. */
void journal_statement(struct sim_journal *j, const struct sim_session *s, struct slice sql)
{
    json_t *record = json_pack("{s:s, s:s, s:i, s:I, s:I, s:s, s:s, s:s, s:o, s:o}", "k", "sql", "ip", s->server->ip, "rpc_port", s->server->rpc_port,
                               "tenant", (json_int_t)s->tenant_id, "home", (json_int_t)s->client->tenant_id, "user", s->user, "host", s->account_host,
                               "database", s->client->database, "variables", own_variables(s), "text", text_record(sql));

    journal_note(j, record);
}

void journal_struck(struct sim_journal *j, const struct sim_fault *f)
{
    journal_note(j, json_pack("{s:s, s:I}", "k", "struck", "id", (json_int_t)f->id));
}

/* What waits for clusters that nobody has yet: lines with commands, in the folder of all clusters. */
static void take_waiting(struct sim_journal *j, const char *folder)
{
    char path[4200];
    size_t space = 0;
    char *line = NULL;
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/waiting.jsonl", folder);
    f = fopen(path, "re");
    if (f == NULL)
        return; /* nothing does */
    while (getline(&line, &space, f) > 0)
        journal_record(j, json_pack("{s:s, s:o}", "k", "ctl", "command", json_loads(line, 0, NULL)));
    free(line);
    (void)fclose(f); /* it was read */
}

/* --- life --------------------------------------------------------------------------------------------------------------------------- */

static int failed(const char *path)
{
    (void)fprintf(stderr, "obsim: %s: %s\n", path, strerror(errno));
    return -1;
}

static int open_folder(struct sim_journal *j, const struct journal_conf *conf)
{
    (void)snprintf(j->path, sizeof j->path, "%s/%s-%" PRId64, conf->folder, conf->cluster.name, conf->cluster.id);
    (void)umask(0);                  /* hosts of a test may run their servers as different users */
    (void)mkdir(conf->folder, 0777); /* or the next one fails */
    (void)mkdir(j->path, 0777);      /* or open fails */
    j->folder = open(j->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (j->folder < 0)
        return failed(j->path);
    j->file = openat(j->folder, "journal.jsonl", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    j->world->trace_fd = openat(j->folder, "trace.jsonl", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    (void)umask(022);
    return j->file >= 0 && j->world->trace_fd >= 0 ? 0 : failed(j->path);
}

struct sim_journal *journal_open(struct sim_world *w, const struct journal_conf *conf)
{
    struct sim_journal *j = sim_alloc(sizeof *j);

    *j = (struct sim_journal){ .world = w, .folder = -1, .file = -1, .life = { .own = -1 } };
    if (open_folder(j, conf) != 0) {
        journal_close(j);
        return NULL;
    }
    w->journal = j;
    journal_enter(j);
    if (j->deployment == NULL) {
        json_t *first = first_line(conf);

        append(j, first);
        begin(j, first);
        json_decref(first);
        take_waiting(j, conf->folder);
    }
    journal_leave(j);
    return j;
}

void journal_close(struct sim_journal *j)
{
    if (j == NULL)
        return;
    if (j->life.own >= 0)
        (void)close(j->life.own);
    if (j->file >= 0)
        (void)close(j->file);
    if (j->folder >= 0)
        (void)close(j->folder);
    mem_free(j);
}

int journal_folder(const struct sim_journal *j)
{
    return j->folder;
}

const char *journal_path(const struct sim_journal *j)
{
    return j->path;
}

bool journal_live(struct sim_journal *j, const char *ip, int rpc_port)
{
    return life_begin(&j->life, j->folder, ip, rpc_port);
}

void journal_beat(struct sim_journal *j, struct sim_server *own)
{
    const struct sim_cluster *c = j->deployment->cluster;

    (void)world_advance(j->deployment);
    life_touch(&j->life);
    for (size_t i = 0; i < c->servers.n; i++) {
        struct sim_server *s = c->servers.items[i];
        bool lives = s == own || life_of(&j->life, j->folder, s->ip, s->rpc_port);

        if (s->is_cut || s->is_refused || lives == s->is_alive || (lives && s != own))
            continue;
        journal_record(j, json_pack("{s:s, s:s, s:i}", "k", lives ? "back" : "down", "ip", s->ip, "rpc_port", s->rpc_port));
        audit_event(j->world, c, s, lives ? "back" : "down");
    }
}
