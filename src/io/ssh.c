/* SPDX-License-Identifier: Apache-2.0 */
/* The fiber connects; the login is one job of the pool, and so is each command:
 *
 *   start the command ──▶ send its input, then the file ──▶ collect output ──▶ exit status
 *
 * The fiber that gives up shuts the socket down (ssh_link.c); the job, which the pool then drops, holds its own copies. */
#include "src/io/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "src/base/mem.h"
#include "src/io/ssh_link.h"

enum { READ_SIZE = 8192, SEND_SIZE = 64 * 1024, LOOK_MS = 100 };

static const char already_over[] = "it has ended before";

struct ssh_client {
    struct work_pool *pool;  /* borrowed */
    struct ssh_link *link;
    bool given_up;           /* a job of ours may still run: nobody else may touch the session */
};

struct job {
    struct work work;
    struct ssh_link *link;       /* a share of it */
    char *command, *input_file;  /* owned; NULL: log in; none */
    struct str input, out, err;  /* owned, heap */
    int exit_status;
    bool truncated;
};

static void job_drop(struct work *w)
{
    struct job *j = (struct job *)w;

    mem_free(j->command);
    mem_free(j->input_file);
    if (j->input.s != NULL)
        mem_wipe(j->input.s, j->input.space);
    str_fini(&j->input);
    str_fini(&j->out);
    str_fini(&j->err);
    ssh_link_leave(j->link);
    mem_free(j);
}

/* ---- on a thread ----------------------------------------------------------------------------------------------------- */

/* Reads what is there of one stream; false when there was nothing. */
static bool collect(struct job *j, ssh_channel channel, bool is_err, struct str *to)
{
    char buf[READ_SIZE];
    int n = ssh_channel_read_nonblocking(channel, buf, sizeof buf, is_err);

    if (n <= 0)
        return false;
    if (to->n + (size_t)n > SSH_MAX_OUTPUT) {
        n = (int)(SSH_MAX_OUTPUT - to->n);
        j->truncated = true;
    }
    str_add_n(to, buf, (size_t)n);
    return true;
}

/* libssh waits for the standard output only: the errors are looked after in between. */
static void collect_all(struct job *j, ssh_channel channel)
{
    bool some = true;

    while (!j->truncated && (some || !ssh_channel_is_eof(channel))) {
        if (!some && ssh_channel_poll_timeout(channel, LOOK_MS, 0) == SSH_ERROR) {
            ssh_link_fail_ssh(j->link);
            return;
        }
        some = collect(j, channel, false, &j->out);
        some |= collect(j, channel, true, &j->err);
        if (!some && !ssh_is_connected(j->link->session)) {
            ssh_link_fail(j->link, &ERR_SSH_LOST, "the connection was closed");
            return;
        }
    }
    if (str_failed(&j->out) || str_failed(&j->err))
        ssh_link_fail(j->link, &ERR_NOMEM, "");
}

/* False when the other end takes no more. */
static bool send_bytes(ssh_channel channel, const char *s, size_t n)
{
    size_t sent = 0;

    while (sent < n) {
        int rv = ssh_channel_write(channel, s + sent, (uint32_t)(n - sent));

        if (rv <= 0)
            return false;
        sent += (size_t)rv;
    }
    return true;
}

static bool send_file(struct job *j, ssh_channel channel)
{
    int fd = open(j->input_file, O_RDONLY | O_CLOEXEC);
    char *buf = fd >= 0 ? mem_alloc(SEND_SIZE) : NULL;
    bool ok = buf != NULL;
    ssize_t n = 0;

    while (ok && ((n = read(fd, buf, SEND_SIZE)) > 0 || (n < 0 && errno == EINTR)))
        ok = n < 0 || send_bytes(channel, buf, (size_t)n);
    if (fd < 0 || (ok && n < 0))
        ssh_link_fail(j->link, &ERR_IO, strerrordesc_np(errno) != NULL ? strerrordesc_np(errno) : "the file cannot be read");
    else if (buf == NULL)
        ssh_link_fail(j->link, &ERR_NOMEM, "");
    mem_free(buf);
    if (fd >= 0)
        close(fd);
    return ok && n == 0;
}

static void send_input(struct job *j, ssh_channel channel)
{
    bool ok = send_bytes(channel, j->input.s, j->input.n) && (j->input_file == NULL || send_file(j, channel));

    if (ok)
        (void)ssh_channel_send_eof(channel); /* a connection that is gone shows when the output is read */
}

/* -1 when it ended without one, by a signal. */
static int exit_status_of(ssh_channel channel)
{
#if LIBSSH_VERSION_INT < SSH_VERSION_INT(0, 11, 0)
    return ssh_channel_get_exit_status(channel);
#else
    uint32_t code;

    return ssh_channel_get_exit_state(channel, &code, NULL, NULL) == SSH_OK ? (int)code : -1;
#endif
}

static void run_command(struct job *j)
{
    ssh_channel channel = ssh_channel_new(j->link->session);

    if (channel == NULL) {
        ssh_link_fail(j->link, &ERR_NOMEM, "");
        return;
    }
    if (ssh_channel_open_session(channel) != SSH_OK || ssh_channel_request_exec(channel, j->command) != SSH_OK)
        ssh_link_fail_ssh(j->link);
    else
        send_input(j, channel);
    if (j->link->failed == NULL)
        collect_all(j, channel);
    if (j->link->failed == NULL && !j->truncated)
        j->exit_status = exit_status_of(channel);
    (void)ssh_channel_close(channel); /* nobody waits for its answer */
    ssh_channel_free(channel);
    if (j->link->failed == &ERR_SSH_LOST)
        j->link->is_in = false;
}

static void job_run(struct work *w)
{
    struct job *j = (struct job *)w;

    j->link->failed = NULL;
    if (j->command == NULL)
        ssh_link_log_in(j->link);
    else if (j->link->is_in)
        run_command(j);
    else
        ssh_link_fail(j->link, &ERR_SSH_LOST, already_over);
}

/* ---- for the fiber --------------------------------------------------------------------------------------------------- */

void ssh_add_command(struct str *t, const char *const *argv)
{
    for (size_t i = 0; argv[i] != NULL; i++) {
        str_add(t, i > 0 ? " '" : "'");
        for (const char *s = argv[i]; *s != '\0'; s++)
            str_add(t, *s == '\'' ? "'\\''" : (const char[]){ *s, '\0' });
        str_add_c(t, '\'');
    }
}

static bool copy_command(struct job *j, const struct ssh_command *command)
{
    struct str text;

    str_init(&text, NULL);
    ssh_add_command(&text, command->argv);
    j->command = str_failed(&text) ? NULL : mem_strdup(str_c(&text));
    str_fini(&text);
    if (command->input_file != NULL)
        j->input_file = mem_strdup(command->input_file);
    str_add_n(&j->input, command->input.s, command->input.n);
    return j->command != NULL && !str_failed(&j->input) && (command->input_file == NULL || j->input_file != NULL);
}

/* `command` NULL: logs in. */
static int job_new(struct ssh_link *link, const struct ssh_command *command, struct job **out, struct err *e)
{
    struct job *j = mem_zalloc(sizeof *j);

    if (j == NULL)
        return err_set(e, &ERR_NOMEM, "");
    j->work.run = job_run;
    j->work.drop = job_drop;
    j->link = ssh_link_join(link);
    j->exit_status = -1;
    str_init(&j->input, NULL);
    str_init(&j->out, NULL);
    str_init(&j->err, NULL);
    *out = j;
    if (command == NULL || copy_command(j, command))
        return 0;
    job_drop(&j->work);
    return err_set(e, &ERR_NOMEM, "");
}

int ssh_client_open(struct work_pool *pool, const struct ssh_login *login, struct ssh_client **out, char *fingerprint, struct err *e)
{
    struct ssh_client *c = mem_zalloc(sizeof *c);
    struct job *j = NULL;
    int rv;

    fingerprint[0] = '\0';
    if (c == NULL)
        return err_set(e, &ERR_NOMEM, "");
    c->pool = pool;
    rv = ssh_link_new(login, &c->link, e);
    if (rv == 0)
        rv = ssh_link_connect(c->link, e);
    if (rv == 0)
        rv = job_new(c->link, NULL, &j, e);
    if (rv == 0)
        rv = work_run(pool, &j->work, e); /* on failure the job is the pool's */
    if (rv == 0) {
        memcpy(fingerprint, c->link->seen, SSH_FINGERPRINT_SIZE);
        rv = c->link->failed != NULL ? ssh_link_error(c->link, c->link->failed, c->link->reason, e) : 0;
        job_drop(&j->work);
    }
    if (rv == 0)
        *out = c;
    else
        ssh_client_close(c);
    return rv;
}

void ssh_client_close(struct ssh_client *c)
{
    if (c == NULL)
        return;
    if (c->link != NULL) {
        ssh_link_give_up(c->link);
        ssh_link_leave(c->link);
    }
    mem_free(c);
}

static bool take_text(const struct str *from, struct arena *arena, struct slice *to)
{
    *to = (struct slice){ arena_strndup(arena, from->n > 0 ? from->s : "", from->n), from->n };
    return to->s != NULL;
}

int ssh_client_run(struct ssh_client *c, const struct ssh_command *command, struct arena *arena, struct ssh_outcome *out, struct err *e)
{
    struct job *j = NULL;
    int rv;

    *out = (struct ssh_outcome){ .exit_status = -1 };
    if (c->given_up)
        return ssh_link_error(c->link, &ERR_SSH_LOST, already_over, e);
    rv = job_new(c->link, command, &j, e);
    if (rv != 0)
        return rv;
    rv = work_run(c->pool, &j->work, e);
    if (rv != 0) { /* the job is the pool's now */
        c->given_up = rv != ERR_BUSY.code;
        if (c->given_up)
            ssh_link_give_up(c->link);
        return rv;
    }
    out->exit_status = j->exit_status;
    out->truncated = j->truncated;
    if (c->link->failed != NULL)
        rv = ssh_link_error(c->link, c->link->failed, c->link->reason, e);
    else if (!take_text(&j->out, arena, &out->out) || !take_text(&j->err, arena, &out->err))
        rv = err_set(e, &ERR_NOMEM, "");
    job_drop(&j->work);
    return rv;
}
