/* SPDX-License-Identifier: Apache-2.0 */
/*   pos_proxy ... job: output file, result file, deadline --fork--> worker: acts (in a sandbox where it parses), answers on a pipe */
#include "agent/job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/act.h"
#include "src/base/json.h"
#include "src/io/file.h"

enum { SPEC_MAX = 1024 * 1024, LINGER_MS = 200 };

const struct field job_spec_fields[] = {
    F_OBJECT(job_spec, key, "key", agent_key, agent_key_fields, .flags = FIELD_REQUIRED), F_STRING(job_spec, kind, "kind", .flags = FIELD_REQUIRED),
    F_JSON(job_spec, args, "args", .flags = FIELD_REQUIRED), F_INT(job_spec, timeout_ms, "timeoutMs", .flags = FIELD_REQUIRED),
    F_STRINGS(job_spec, roots, "roots", .max = ROOTS_MAX), FIELD_END,
};
const struct field job_result_fields[] = {
    F_OBJECT(job_result, failure, "failure", agent_failure, agent_failure_fields), F_JSON(job_result, answer, "answer"),
    F_BOOL(job_result, output_cut, "outputCut", .def = "false"), FIELD_END,
};
static const struct field_style style = { .lang = ERR_EN, .offset_min = CLOCK_Z };

static volatile sig_atomic_t stopped;

static void on_term(int number)
{
    (void)number;
    stopped = 1;
}

const char *job_path(const char *home, const struct agent_key *key, const char *end, char buf[JOB_PATH_SIZE])
{
    char name[AGENT_KEY_SIZE];

    (void)snprintf(buf, JOB_PATH_SIZE, "%s/data/commands/%s.%s", home, agent_key_text(key, name), end);
    return buf;
}

static int read_object(const struct field *fields, struct slice text, void *obj, struct arena *arena, struct err *e)
{
    json_t *value;
    int rv = json_parse(text, &value, e);

    if (rv != 0)
        return rv;
    rv = fields_init(fields, obj, arena, e);
    if (rv == 0)
        rv = json_is_object(value) ? fields_read(fields, value, obj, arena, e) : err_set(e, &ERR_INVALID, "not an object");
    json_decref(value);
    return rv;
}

int job_read_result(const char *home, const struct agent_key *key, struct arena *arena, struct job_result *out, bool *there, struct err *e)
{
    char path[JOB_PATH_SIZE];
    struct slice text;
    int rv = frame_read(job_path(home, key, "result", path), arena, &text, e);

    *there = rv == 0 && text.s != NULL;
    return *there ? read_object(job_result_fields, text, out, arena, e) : rv;
}

/* ---- the worker ------------------------------------------------------------------------------------------------------------------------ */

static int act_on(const struct job_spec *s, const char *blobs, struct arena *arena, struct job_result *out, struct err *e)
{
    const struct roots roots = { s->roots.items, s->roots.n, false };
    const struct agent_kind *kind = agent_kind_find(s->kind);
    const struct act_row *row = act_find(s->kind);
    struct act a = { &roots, blobs, arena, INT64_MAX };
    void *args = kind != NULL ? arena_zalloc(arena, kind->args_size) : NULL, *answer = kind != NULL ? arena_zalloc(arena, kind->answer_size + 1) : NULL;
    struct str text;
    int rv;

    if (kind == NULL || row == NULL)
        return err_set(e, &ERR_AGENT_KIND, "%s", s->kind);
    if (args == NULL || answer == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = read_object(kind->args, (struct slice){ s->args, strlen(s->args) }, args, arena, e);
    if (rv == 0)
        rv = fields_init(kind->answer, answer, arena, e);
    if (rv == 0)
        rv = row->run(&a, args, answer, e);
    str_init(&text, arena);
    fields_write(&text, kind->answer, answer, &style);
    out->answer = str_failed(&text) ? NULL : text.s;
    return rv;
}

static void write_result(int fd, const struct job_result *r, struct arena *arena)
{
    struct str text;

    str_init(&text, arena);
    fields_write(&text, job_result_fields, r, &style);
    if (!str_failed(&text))
        (void)file_write_all(fd, text.s, text.n); /* without it the job says that the worker died */
}

__attribute__((noreturn)) static void be_worker(const struct job_spec *s, const char *blobs, int answer_fd, int output_fd)
{
    struct job_result result = { .output_cut = 0 };
    struct agent_failure failure;
    struct err e = { 0 }, why;
    struct arena arena;

    (void)setpgid(0, 0);
    (void)signal(SIGTERM, SIG_DFL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* the job gone, nobody would know how it ended */
    if (dup2(output_fd, STDOUT_FILENO) < 0 || dup2(output_fd, STDERR_FILENO) < 0)
        _exit(1);
    arena_init(&arena);
    if (act_on(s, blobs, &arena, &result, &e) != 0) {
        if (agent_failure_of(&e, &arena, &failure, &why) != 0)
            _exit(1);
        result.failure = &failure;
    }
    write_result(answer_fd, &result, &arena);
    _exit(0);
}

/* ---- the job --------------------------------------------------------------------------------------------------------------------------- */

struct job {
    struct frame *f;
    struct job_spec spec;
    int answer[2], output[2], file;
    pid_t worker;
    int64_t deadline_ms, written;
    struct str result;
    bool cut, timed_out;
};

static void keep_output(struct job *j, const char *bytes, size_t n)
{
    size_t room = (size_t)(AGENT_OUTPUT_MAX - j->written), take = n < room ? n : room;

    j->cut |= take < n;
    if (take > 0 && file_write_all(j->file, bytes, take))
        j->written += (int64_t)take;
    else if (take > 0)
        j->cut = true; /* a full disk takes no output; the work goes on */
}

/* False at the end of the stream. */
static bool drain(struct job *j, int fd)
{
    char bytes[16384];
    ssize_t n = read(fd, bytes, sizeof bytes);

    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    if (n > 0 && fd == j->output[0])
        keep_output(j, bytes, (size_t)n);
    else if (n > 0 && j->result.n < AGENT_ANSWER_MAX * 2)
        str_add_n(&j->result, bytes, (size_t)n);
    return n > 0;
}

static void end_worker(struct job *j)
{
    (void)kill(-j->worker, SIGKILL); /* the group may be gone */
    (void)kill(j->worker, SIGKILL);
}

/* Until the worker has answered or died. What it started may hold its output open: nobody waits for that. */
static void attend(struct job *j)
{
    struct pollfd fds[2] = { { .fd = j->answer[0], .events = POLLIN }, { .fd = j->output[0], .events = POLLIN } };
    int64_t linger_until = INT64_MAX;

    while (fds[0].fd >= 0 || (fds[1].fd >= 0 && clock_now_ms(&clock_system) < linger_until)) {
        int64_t left = j->deadline_ms - clock_now_ms(&clock_system);

        if (stopped || left <= 0) {
            j->timed_out = !stopped;
            end_worker(j);
            return;
        }
        if (poll(fds, 2, fds[0].fd < 0 ? LINGER_MS : left < 1000 ? (int)left : 1000) < 0)
            continue;
        for (unsigned i = 0; i < 2; i++)
            if (fds[i].revents != 0 && !drain(j, fds[i].fd))
                fds[i].fd = -1;
        if (fds[0].fd < 0 && linger_until == INT64_MAX)
            linger_until = clock_now_ms(&clock_system) + LINGER_MS;
    }
}

static int failure_of(const struct job *j, struct err *e)
{
    char name[AGENT_KEY_SIZE];

    if (stopped)
        return err_set(e, &ERR_AGENT_STOPPED, "%s", agent_key_text(j->spec.key, name));
    if (j->timed_out)
        return err_set(e, &ERR_TIMEOUT, "");
    (void)err_set(e, &ERR_AGENT_PROCESS, "%s", j->spec.kind);
    return err_arg(e, "the process that does it died");
}

static int conclude(struct job *j, struct err *e)
{
    struct job_result result = { .output_cut = 0 };
    struct agent_failure failure;
    struct err why = { 0 }, bad = { 0 };
    char path[JOB_PATH_SIZE];
    struct str text;
    int rv = 0;

    if (j->timed_out || stopped || read_object(job_result_fields, (struct slice){ str_c(&j->result), j->result.n }, &result, &j->f->arena, &bad) != 0) {
        (void)failure_of(j, &why);
        rv = agent_failure_of(&why, &j->f->arena, &failure, e);
        result = (struct job_result){ .failure = &failure };
    }
    result.output_cut = j->cut;
    str_init(&text, &j->f->arena);
    fields_write(&text, job_result_fields, &result, &style);
    if (rv == 0 && str_failed(&text))
        rv = err_set(e, &ERR_NOMEM, "");
    return rv != 0 ? rv : frame_write(job_path(j->f->home, j->spec.key, "result", path), (struct slice){ text.s, text.n }, true, e);
}

static int start_worker(struct job *j, struct err *e)
{
    const char *blobs = frame_path(j->f, "data/blobs");

    if (blobs == NULL || pipe2(j->answer, O_CLOEXEC) != 0 || pipe2(j->output, O_CLOEXEC) != 0)
        return err_set(e, &ERR_IO, "pipe: %s", strerror(errno));
    j->worker = fork();
    if (j->worker == 0)
        be_worker(&j->spec, blobs, j->answer[1], j->output[1]);
    if (j->worker < 0)
        return err_set(e, &ERR_IO, "fork: %s", strerror(errno));
    (void)setpgid(j->worker, j->worker);
    (void)close(j->answer[1]);
    (void)close(j->output[1]);
    (void)fcntl(j->output[0], F_SETFL, O_NONBLOCK); /* both exist */
    (void)fcntl(j->answer[0], F_SETFL, O_NONBLOCK);
    return 0;
}

static int read_spec(struct job *j, struct err *e)
{
    char *text = arena_alloc(&j->f->arena, SPEC_MAX);
    size_t n = 0;
    ssize_t got = 1;

    while (text != NULL && got > 0 && n < SPEC_MAX && (got = read(STDIN_FILENO, text + n, SPEC_MAX - n)) > 0)
        n += (size_t)got;
    if (text == NULL || got != 0)
        return err_set(e, &ERR_IO, "no command was given on stdin");
    return read_object(job_spec_fields, (struct slice){ text, n }, &j->spec, &j->f->arena, e);
}

static int run(struct job *j, struct err *e)
{
    char path[JOB_PATH_SIZE];
    int rv = read_spec(j, e);

    if (rv != 0)
        return rv;
    j->deadline_ms = clock_now_ms(&clock_system) + j->spec.timeout_ms;
    j->file = open(job_path(j->f->home, j->spec.key, "out", path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (j->file < 0)
        return err_set(e, &ERR_IO, "%s: %s", path, strerror(errno));
    rv = start_worker(j, e);
    if (rv != 0)
        return rv;
    attend(j);
    while (waitpid(j->worker, NULL, 0) < 0 && errno == EINTR)
        ;
    return conclude(j, e);
}

int job_main(struct frame *f, int argc, char **argv)
{
    const struct sigaction act = { .sa_handler = on_term }; /* without SA_RESTART: it ends poll */
    struct job j = { .f = f };
    struct err e = { 0 };
    char text[512];

    (void)argc;
    (void)argv;
    str_init(&j.result, &f->arena);
    (void)sigaction(SIGTERM, &act, NULL);
    if (run(&j, &e) == 0)
        return 0;
    (void)fprintf(stderr, JOB_NAME ": %s\n", err_log_text(&e, text, sizeof text));
    return 1;
}
