/* SPDX-License-Identifier: Apache-2.0 */
/* What ocp-server's side of the agent protocol does, for tests that have no server.
 * usage: agentprobe found DIR                   an authority: DIR/authority.crt, DIR/authority.key
 *        agentprobe issue DIR URI NAME [DAYS]   a certificate by it, from an hour ago: DIR/NAME.crt, DIR/NAME.key
 *        agentprobe call DIR NAME ADDRESS PORT OCPID HOST REQUEST
 *            as NAME; REQUEST is JSON with "op": hello, command, wait, query, fence, stop, acknowledge, push, have, status, renew, bench;
 *            prints one line of JSON, with member "error" (symbol) and "text" when it failed
 *        agentprobe --scope OPTION... -- PROGRAM ARGUMENT...   as systemd-run with a systemd that takes its time: writes its own variables to
 *            the file "variables" beside this program, waits for the file "go" there, and becomes PROGRAM with those of --setenv */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/json.h"
#include "src/io/authority.h"
#include "src/io/fiber.h"
#include "src/io/loop.h"
#include "src/peer/agent.h"

static const struct field_style style = { .lang = ERR_EN, .offset_min = CLOCK_Z };

__attribute__((noreturn)) static void fail(const char *what, const struct err *e)
{
    char text[512];

    (void)fprintf(stderr, "agentprobe: %s: %s\n", what, err_log_text(e, text, sizeof text));
    exit(1);
}

/* --- certificates ------------------------------------------------------------------------------------------------------------------- */

static void save(const char *dir, const char *name, const char *end, const char *text)
{
    char path[512];
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s.%s", dir, name, end);
    f = fopen(path, "w");
    if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
        exit(1);
}

static char *load(const char *dir, const char *name, struct arena *arena)
{
    char path[512];
    char *text = arena_zalloc(arena, 8192);
    FILE *f;

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    f = fopen(path, "r");
    if (f == NULL || text == NULL)
        exit(1);
    text[fread(text, 1, 8191, f)] = '\0';
    (void)fclose(f);
    return text;
}

static int found(const char *dir, struct arena *arena)
{
    struct identity ca;
    struct err e = { 0 };

    if (authority_found("agents", arena, &ca, &e) != 0)
        fail("found", &e);
    save(dir, "authority", "crt", ca.certificate);
    save(dir, "authority", "key", ca.key);
    return 0;
}

static int issue(const char *dir, const char *uri, const char *name, int days, struct arena *arena)
{
    struct identity ca = { load(dir, "authority.crt", arena), load(dir, "authority.key", arena), "" }, id;
    struct err e = { 0 };

    if (authority_issue(&ca, uri, days, arena, &id, &e) != 0)
        fail("issue", &e);
    save(dir, name, "crt", id.certificate);
    save(dir, name, "key", id.key);
    return 0;
}

/* --- a scope ------------------------------------------------------------------------------------------------------------------------------ */

static void write_variables(const char *path, char **env)
{
    char fresh[512];
    FILE *f;

    (void)snprintf(fresh, sizeof fresh, "%.480s.new", path);
    f = fopen(fresh, "w");
    for (; f != NULL && *env != NULL; env++)
        (void)fprintf(f, "%s\n", *env);
    if (f == NULL || fclose(f) != 0 || rename(fresh, path) != 0)
        exit(1);
}

static int be_scope(char **argv, char **env)
{
    const char *slash = strrchr(argv[0], '/');
    char path[512];

    (void)snprintf(path, sizeof path, "%.*s/variables", (int)(slash - argv[0]), argv[0]);
    write_variables(path, env);
    (void)snprintf(path, sizeof path, "%.*s/go", (int)(slash - argv[0]), argv[0]);
    while (access(path, F_OK) != 0)
        (void)usleep(10000);
    for (argv++; *argv != NULL && strcmp(*argv, "--") != 0; argv++)
        if (strncmp(*argv, "--setenv=", 9) == 0)
            (void)putenv(*argv + 9);
    if (*argv != NULL)
        (void)execv(argv[1], argv + 1);
    return 127;
}

/* --- calls ---------------------------------------------------------------------------------------------------------------------------- */

struct probe {
    struct loop *loop;
    struct arena arena;
    struct agent_client *client;
    struct agent_at at;
    json_t *request;
    char *dir, *name;
    struct str out, output;
};

static const char *text_of(struct probe *p, const char *member, const char *other)
{
    json_t *v = json_object_get(p->request, member);

    return json_is_string(v) ? json_string_value(v) : other;
}

static int64_t number_of(struct probe *p, const char *member, int64_t other)
{
    json_t *v = json_object_get(p->request, member);

    return json_is_integer(v) ? json_integer_value(v) : other;
}

static int read_into(struct probe *p, const struct field *fields, json_t *value, void *obj, struct err *e)
{
    int rv = fields_init(fields, obj, &p->arena, e);

    return rv == 0 && value != NULL ? fields_read(fields, value, obj, &p->arena, e) : rv;
}

static int keys_of(struct probe *p, struct agent_key **keys, size_t *n, struct err *e)
{
    json_t *list = json_object_get(p->request, "keys");
    int rv = 0;

    *n = json_array_size(list);
    *keys = arena_array(&p->arena, *n + 1, sizeof **keys);
    for (size_t i = 0; rv == 0 && i < *n; i++)
        rv = read_into(p, agent_key_fields, json_array_get(list, i), &(*keys)[i], e);
    return rv;
}

static void add_replies(struct probe *p, struct agent_reply *replies, size_t n)
{
    struct agent_replies all = { .commands = { replies, n } };

    fields_write(&p->out, agent_replies_fields, &all, &style);
}

static void on_output(void *data, struct slice piece)
{
    struct probe *p = data;

    str_add_n(&p->output, piece.s, piece.n);
}

static int make_command(struct probe *p, struct agent_command *cmd, struct err *e)
{
    const struct agent_kind *kind;
    void *args;
    int rv;

    *cmd = (struct agent_command){ .epoch = number_of(p, "epoch", 1), .kind = text_of(p, "kind", ""), .timeout_ms = number_of(p, "timeoutMs", 0),
                                   .on_output = json_is_true(json_object_get(p->request, "output")) ? on_output : NULL, .data = p };
    kind = agent_kind_find(cmd->kind);
    if (kind == NULL)
        return err_set(e, &ERR_AGENT_KIND, "%s", cmd->kind);
    args = arena_zalloc(&p->arena, kind->args_size + 1);
    rv = read_into(p, agent_key_fields, json_object_get(p->request, "key"), &cmd->key, e);
    if (rv == 0)
        rv = read_into(p, kind->args, json_object_get(p->request, "args"), args, e);
    cmd->args = args;
    return rv;
}

static int op_hello(struct probe *p, struct err *e)
{
    struct agent_hello hello;
    int rv = agent_hello(p->client, &p->at, number_of(p, "epoch", 1), &p->arena, &hello, e);

    if (rv == 0)
        fields_write(&p->out, agent_hello_fields, &hello, &style);
    return rv;
}

static int run_command(struct probe *p, bool wait, struct err *e)
{
    struct agent_result r;
    struct agent_command cmd;
    int rv = make_command(p, &cmd, e);

    if (rv == 0)
        rv = wait ? agent_wait(p->client, &p->at, &cmd, &p->arena, &r, e) : agent_command(p->client, &p->at, &cmd, &p->arena, &r, e);
    if (rv != 0)
        return rv;
    str_add(&p->out, "{\"answer\":");
    str_add(&p->out, r.answer != NULL ? r.answer : "null");
    str_printf(&p->out, ",\"outputBytes\":%lld,\"output\":", (long long)r.output_bytes);
    json_add_string(&p->out, str_c(&p->output));
    str_add(&p->out, "}");
    return 0;
}

static int op_command(struct probe *p, struct err *e)
{
    return run_command(p, false, e);
}

static int op_wait(struct probe *p, struct err *e)
{
    return run_command(p, true, e);
}

static int op_query(struct probe *p, struct err *e)
{
    struct agent_reply *replies;
    struct agent_key *keys;
    size_t n;
    int rv = keys_of(p, &keys, &n, e);

    if (rv == 0)
        rv = agent_query(p->client, &p->at, number_of(p, "epoch", 1), keys, n, number_of(p, "waitMs", 0), &p->arena, &replies, e);
    if (rv == 0)
        add_replies(p, replies, n);
    return rv;
}

static int op_fence(struct probe *p, struct err *e)
{
    struct agent_reply *replies;
    struct agent_key key;
    size_t n;
    int rv = read_into(p, agent_key_fields, json_object_get(p->request, "key"), &key, e);

    if (rv == 0)
        rv = agent_fence(p->client, &p->at, number_of(p, "epoch", 1), &key, &p->arena, &replies, &n, e);
    if (rv == 0)
        add_replies(p, replies, n);
    return rv;
}

static int op_stop(struct probe *p, struct err *e)
{
    struct agent_key *keys;
    size_t n;
    int rv = keys_of(p, &keys, &n, e);

    return rv != 0 ? rv : agent_stop(p->client, &p->at, number_of(p, "epoch", 1), keys, n, &p->arena, e);
}

static int op_acknowledge(struct probe *p, struct err *e)
{
    struct agent_key *keys;
    size_t n;
    int rv = keys_of(p, &keys, &n, e);

    return rv != 0 ? rv : agent_acknowledge(p->client, &p->at, number_of(p, "epoch", 1), keys, n, &p->arena, e);
}

static int op_have(struct probe *p, struct err *e)
{
    struct agent_blob blob;
    int rv = agent_blob_have(p->client, &p->at, text_of(p, "sha256", ""), &p->arena, &blob, e);

    if (rv == 0)
        fields_write(&p->out, agent_blob_fields, &blob, &style);
    return rv;
}

/* A file, in pieces of 1 MiB, from where the agent is. */
static int op_push(struct probe *p, struct err *e)
{
    const char *sha256 = text_of(p, "sha256", "");
    char *piece = arena_alloc(&p->arena, 1 << 20);
    FILE *f = fopen(text_of(p, "file", ""), "r");
    struct agent_blob blob = { .size = 0, .complete = 0 };
    int64_t size;
    int rv;

    if (f == NULL || piece == NULL || fseek(f, 0, SEEK_END) != 0)
        return err_set(e, &ERR_IO, "no such file");
    size = ftell(f);
    rv = agent_blob_have(p->client, &p->at, sha256, &p->arena, &blob, e);
    while (rv == 0 && blob.complete != 1) {
        size_t n = fseek(f, (long)blob.size, SEEK_SET) == 0 ? fread(piece, 1, 1 << 20, f) : 0;

        rv = agent_push_blob(p->client, &p->at, sha256, blob.size, number_of(p, "size", size), (struct slice){ piece, n }, &p->arena, &blob, e);
        if (rv == 0 && n == 0)
            break;
    }
    (void)fclose(f);
    if (rv == 0)
        fields_write(&p->out, agent_blob_fields, &blob, &style);
    return rv;
}

/* "certificate" and "key": names of files in the folder of certificates. */
static int op_renew(struct probe *p, struct err *e)
{
    const struct agent_renewal ask = {
        .epoch = number_of(p, "epoch", 1),
        .certificate = load(p->dir, text_of(p, "certificate", ""), &p->arena),
        .key = load(p->dir, text_of(p, "key", ""), &p->arena),
    };
    struct agent_certificate out;
    int rv = agent_renew(p->client, &p->at, &ask, &p->arena, &out, e);

    if (rv == 0)
        fields_write(&p->out, agent_certificate_fields, &out, &style);
    return rv;
}

static int op_status(struct probe *p, struct err *e)
{
    struct agent_status status;
    int rv = agent_status(p->client, &p->at, &p->arena, &status, e);

    if (rv == 0)
        fields_write(&p->out, agent_status_fields, &status, &style);
    return rv;
}

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static int64_t now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* One of those who send commands side by side, each one after the other. */
struct sender {
    struct probe *probe;
    struct agent_command cmd;
    int64_t *took;
    size_t n;
    struct err err;
};

static void send_commands(void *data)
{
    struct sender *s = data;
    struct agent_result r;
    int rv = 0;

    (void)fiber_narrow_deadline(number_of(s->probe, "deadlineMs", 30000));
    for (size_t i = 0; rv == 0 && i < s->n; i++) {
        int64_t began = now_us();
        struct arena arena;

        arena_init(&arena);
        rv = agent_command(s->probe->client, &s->probe->at, &s->cmd, &arena, &r, &s->err);
        s->took[i] = now_us() - began;
        s->cmd.key.seq++;
        arena_fini(&arena);
    }
}

/* "times" commands by each of "width" senders, each with the next seq; prints percentiles in microseconds, and commands a second. */
static int op_bench(struct probe *p, struct err *e)
{
    size_t n = (size_t)number_of(p, "times", 100), width = (size_t)number_of(p, "width", 1);
    int64_t *took = arena_array(&p->arena, n * width, sizeof *took), began = now_us();
    struct sender *all = arena_array(&p->arena, width, sizeof *all);
    struct fiber_group group = { 0 };
    int rv = took == NULL || all == NULL ? err_set(e, &ERR_NOMEM, "%s", "") : 0;

    for (size_t i = 0; rv == 0 && i < width; i++) {
        all[i] = (struct sender){ .probe = p, .took = took + i * n, .n = n };
        rv = make_command(p, &all[i].cmd, e);
        all[i].cmd.key.seq += (int64_t)(i * n);
        if (rv == 0)
            rv = fiber_group_start(&group, p->loop, "sender", send_commands, &all[i], e);
    }
    if (rv == 0)
        rv = fiber_group_wait(&group, e);
    for (size_t i = 0; rv == 0 && i < width; i++)
        if (all[i].err.row != NULL) {
            *e = all[i].err;
            rv = e->row->code;
        }
    if (rv != 0)
        return rv;
    began = now_us() - began;
    qsort(took, n * width, sizeof *took, compare);
    str_printf(&p->out, "{\"p50Us\":%lld,\"p99Us\":%lld,\"perSecond\":%lld}", (long long)took[n * width / 2], (long long)took[n * width * 99 / 100],
               (long long)(n * width) * 1000000 / (long long)began);
    return 0;
}

static const struct {
    const char *name;
    int (*run)(struct probe *p, struct err *e);
} ops[] = {
    { "hello", op_hello }, { "command", op_command }, { "wait", op_wait }, { "query", op_query }, { "fence", op_fence },
    { "stop", op_stop }, { "acknowledge", op_acknowledge }, { "push", op_push }, { "have", op_have }, { "status", op_status }, { "renew", op_renew },
    { "bench", op_bench },
};

static int run_op(struct probe *p, struct err *e)
{
    const char *op = text_of(p, "op", "");

    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(op, ops[i].name) == 0)
            return ops[i].run(p, e);
    return err_set(e, &ERR_INVALID, "no op %s", op);
}

static void call_fiber(void *data)
{
    struct probe *p = data;
    const struct agent_client_conf conf = {
        p->loop, arena_printf(&p->arena, "%s/authority.crt", p->dir), arena_printf(&p->arena, "%s/%s.crt", p->dir, p->name),
        arena_printf(&p->arena, "%s/%s.key", p->dir, p->name),
    };
    struct err e = { 0 };
    char text[1024];

    (void)fiber_narrow_deadline(number_of(p, "deadlineMs", 30000));
    if (agent_client_new(&conf, &p->client, &e) != 0)
        fail("client", &e);
    p->at.incarnation = text_of(p, "incarnation", NULL);
    if (run_op(p, &e) != 0) {
        str_clear(&p->out);
        str_add(&p->out, "{\"error\":");
        json_add_string(&p->out, e.row->symbol);
        str_add(&p->out, ",\"text\":");
        json_add_string(&p->out, err_text(&e, ERR_EN, text, sizeof text));
        str_add(&p->out, "}");
    }
    (void)printf("%s\n", p->out.n > 0 ? str_c(&p->out) : "{}");
    agent_client_free(p->client);
    loop_stop(p->loop);
}

static int call(char **argv)
{
    static struct log log;
    const struct loop_conf conf = { "probe", &clock_system, &log, 100, LOOP_STACK_BYTES };
    struct probe p = { .dir = argv[0], .name = argv[1],
                       .at = { .address = argv[2], .port = atoi(argv[3]), .ocp_id = argv[4], .host_id = atoi(argv[5]) } };
    struct err e = { 0 };

    arena_init(&p.arena);
    str_init(&p.out, &p.arena);
    str_init(&p.output, &p.arena);
    if (json_parse((struct slice){ argv[6], strlen(argv[6]) }, &p.request, &e) != 0 || loop_new(&conf, &p.loop, &e) != 0 ||
        fiber_start(p.loop, "call", call_fiber, &p, NULL, &e) != 0)
        fail("start", &e);
    loop_run(p.loop);
    loop_free(p.loop);
    json_decref(p.request);
    arena_fini(&p.arena);
    return 0;
}

int main(int argc, char **argv, char **env)
{
    struct arena arena;
    int status = 2;

    if (argc > 1 && strcmp(argv[1], "--scope") == 0)
        return be_scope(argv, env);
    (void)signal(SIGPIPE, SIG_IGN);
    arena_init(&arena);
    if (argc == 3 && strcmp(argv[1], "found") == 0)
        status = found(argv[2], &arena);
    else if ((argc == 5 || argc == 6) && strcmp(argv[1], "issue") == 0)
        status = issue(argv[2], argv[3], argv[4], argc == 6 ? atoi(argv[5]) : 1, &arena);
    else if (argc == 9 && strcmp(argv[1], "call") == 0)
        status = call(argv + 2);
    arena_fini(&arena);
    return status;
}
