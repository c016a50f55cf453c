/* SPDX-License-Identifier: Apache-2.0 */
/* One login is one job of the pool:
 *
 *   resolve, connect ──▶ key exchange ──▶ host key as expected? ──▶ log in ──▶ run the command ──▶ collect output ──▶ close
 *
 * The thread blocks in libssh. When the fiber gives up (deadline, client gone) it shuts the socket down, which ends whatever libssh waits
 * for; `wire` is what both sides know of the socket, and lives until the later of them is done with it. */
#include "src/io/ssh.h"

#include <errno.h>
#include <fcntl.h>
#include <libssh/libssh.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/mem.h"
#include "src/io/fiber.h"

ERR_DEFINE(ERR_SSH_AWAY, 90441, 400, ERR_RETRY, "The host {0} cannot be reached over SSH: {1}.", "无法通过 SSH 连接主机 {0}：{1}。");
ERR_DEFINE(ERR_SSH_HOST_KEY, 90442, 400, ERR_FINAL,
           "The host {0} shows the key {1}, but {2} was expected. If the host was installed anew, confirm its new key.",
           "主机 {0} 的密钥为 {1}，与预期的 {2} 不一致。若主机已重装，请确认新密钥。");
ERR_DEFINE(ERR_SSH_DENIED, 90443, 400, ERR_FINAL, "The host {0} does not let {1} log in with this password or key.",
           "主机 {0} 拒绝用户 {1} 使用该密码或密钥登录。");
ERR_DEFINE(ERR_SSH_LOST, 90444, 500, ERR_RETRY, "The connection to the host {0} ended while a command ran: {1}.",
           "执行命令时与主机 {0} 的连接中断：{1}。");
ERR_DEFINE(ERR_SSH_KEY, 8104, 400, ERR_FINAL,
           "The private key cannot be read. Give the whole text of a PEM or OpenSSH private key (RSA, ECDSA or Ed25519), and its passphrase if "
           "it has one.",
           "无法读取 SSH 私钥，请提供完整的 PEM 或 OpenSSH 私钥内容（RSA、ECDSA 或 Ed25519），若设有口令请一并提供。");

const struct err_row *const ssh_err_rows[] = { &ERR_SSH_AWAY, &ERR_SSH_HOST_KEY, &ERR_SSH_DENIED, &ERR_SSH_LOST, &ERR_SSH_KEY, NULL };

enum { BACKSTOP_S = 120, READ_SIZE = 8192, LOOK_MS = 100, MAX_PASSPHRASE = 1024, REASON_SIZE = 256 };

static const char key_line[] = "Passphrase: ";

/* ---- the socket, known to the fiber and to the thread ---------------------------------------------------------------- */

struct wire {
    pthread_mutex_t lock;
    _Atomic int owners;
    int fd;             /* -1: none (yet, or any more) */
    bool given_up;
};

static struct wire *wire_new(void)
{
    struct wire *w = mem_zalloc(sizeof *w);

    if (w == NULL)
        return NULL;
    if (pthread_mutex_init(&w->lock, NULL) != 0) {
        mem_free(w);
        return NULL;
    }
    atomic_init(&w->owners, 2);
    w->fd = -1;
    return w;
}

static void wire_leave(struct wire *w)
{
    if (atomic_fetch_sub(&w->owners, 1) != 1)
        return;
    pthread_mutex_destroy(&w->lock);
    mem_free(w);
}

/* By the thread: from now on the fiber may shut it down. False when the fiber has given up already. */
static bool wire_open(struct wire *w, int fd)
{
    bool wanted;

    pthread_mutex_lock(&w->lock);
    wanted = !w->given_up;
    w->fd = wanted ? fd : -1;
    pthread_mutex_unlock(&w->lock);
    return wanted;
}

static void wire_close(struct wire *w)
{
    int fd;

    pthread_mutex_lock(&w->lock);
    fd = w->fd;
    w->fd = -1;
    pthread_mutex_unlock(&w->lock);
    if (fd >= 0)
        close(fd);
}

static void wire_give_up(struct wire *w)
{
    pthread_mutex_lock(&w->lock);
    w->given_up = true;
    if (w->fd >= 0)
        (void)shutdown(w->fd, SHUT_RDWR); /* it may have ended by itself */
    pthread_mutex_unlock(&w->lock);
}

/* ---- the job --------------------------------------------------------------------------------------------------------- */

struct job {
    struct work work;
    struct wire *wire;
    char *host, *user, *password, *key, *fingerprint, *command; /* owned; password and key are wiped */
    unsigned port;
    struct str input, out, err;    /* owned, heap */
    ssh_session session;
    char seen[SSH_FINGERPRINT_SIZE];
    int exit_status;
    bool truncated, running;
    const struct err_row *failed;  /* NULL: it went well */
    char reason[REASON_SIZE];
};

static void wipe_text(char *s)
{
    if (s != NULL)
        mem_wipe(s, strlen(s));
    mem_free(s);
}

static void job_drop(struct work *w)
{
    struct job *j = (struct job *)w;

    mem_free(j->host);
    mem_free(j->user);
    wipe_text(j->password);
    wipe_text(j->key);
    mem_free(j->fingerprint);
    wipe_text(j->command);
    if (j->input.s != NULL)
        mem_wipe(j->input.s, j->input.space);
    str_fini(&j->input);
    str_fini(&j->out);
    str_fini(&j->err);
    wire_leave(j->wire);
    mem_free(j);
}

static void fail(struct job *j, const struct err_row *row, const char *reason)
{
    j->failed = row;
    (void)snprintf(j->reason, sizeof j->reason, "%s", reason);
}

static void fail_ssh(struct job *j)
{
    fail(j, j->running ? &ERR_SSH_LOST : &ERR_SSH_AWAY, ssh_get_error(j->session));
}

/* ---- connecting ------------------------------------------------------------------------------------------------------ */

static bool finish_connect(int fd, int *number)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    socklen_t n = sizeof *number;
    int rv;

    do
        rv = poll(&p, 1, BACKSTOP_S * 1000);
    while (rv < 0 && errno == EINTR);
    if (rv <= 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, number, &n) != 0)
        *number = rv == 0 ? ETIMEDOUT : errno;
    return *number == 0;
}

/* Tries one address; the socket belongs to the wire then. */
static bool connect_to(struct job *j, const struct addrinfo *a, int *number)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    *number = 0;
    if (fd < 0) {
        *number = errno;
        return false;
    }
    if (!wire_open(j->wire, fd)) {
        close(fd);
        *number = ECANCELED;
        return false;
    }
    if ((connect(fd, a->ai_addr, a->ai_addrlen) == 0 || errno == EINPROGRESS) && finish_connect(fd, number))
        return true;
    if (*number == 0)
        *number = errno;
    wire_close(j->wire);
    return false;
}

static bool connect_wire(struct job *j)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    bool connected = false;
    char port[8];
    int number = 0, rv;

    (void)snprintf(port, sizeof port, "%u", j->port);
    rv = getaddrinfo(j->host, port, &hints, &found);
    if (rv != 0) {
        fail(j, &ERR_SSH_AWAY, gai_strerror(rv));
        return false;
    }
    for (const struct addrinfo *a = found; a != NULL && !connected && number != ECANCELED; a = a->ai_next)
        connected = connect_to(j, a, &number);
    freeaddrinfo(found);
    if (!connected)
        fail(j, &ERR_SSH_AWAY, strerrordesc_np(number) != NULL ? strerrordesc_np(number) : "unknown reason");
    return connected;
}

/* libssh closes the socket that it is given, so it gets one of its own for the same connection. */
static bool start_session(struct job *j)
{
    const bool no = false;
    long backstop_s = BACKSTOP_S;
    socket_t fd = fcntl(j->wire->fd, F_DUPFD_CLOEXEC, 0); /* only this thread changes wire->fd */

    j->session = ssh_new();
    if (fd < 0 || j->session == NULL || ssh_options_set(j->session, SSH_OPTIONS_HOST, j->host) != 0 ||
        ssh_options_set(j->session, SSH_OPTIONS_USER, j->user) != 0 || ssh_options_set(j->session, SSH_OPTIONS_FD, &fd) != 0 ||
        ssh_options_set(j->session, SSH_OPTIONS_TIMEOUT, &backstop_s) != 0 ||
        ssh_options_set(j->session, SSH_OPTIONS_PROCESS_CONFIG, &no) != 0) {
        if (fd >= 0)
            close(fd);
        fail(j, &ERR_NOMEM, "");
        return false;
    }
    if (ssh_connect(j->session) == SSH_OK)
        return true;
    fail_ssh(j);
    return false;
}

/* The text as OpenSSH shows it. */
static bool note_host_key(struct job *j)
{
    unsigned char *hash = NULL;
    char *text = NULL;
    ssh_key key = NULL;
    size_t n;

    if (ssh_get_server_publickey(j->session, &key) == SSH_OK && ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &n) == 0)
        text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, n);
    if (text != NULL)
        (void)snprintf(j->seen, sizeof j->seen, "%s", text);
    else
        fail(j, &ERR_SSH_AWAY, "it shows no key");
    ssh_string_free_char(text);
    ssh_clean_pubkey_hash(&hash);
    ssh_key_free(key);
    return j->failed == NULL;
}

static bool check_host_key(struct job *j)
{
    if (!note_host_key(j))
        return false;
    if (j->fingerprint == NULL || strcmp(j->fingerprint, j->seen) == 0)
        return true;
    fail(j, &ERR_SSH_HOST_KEY, "");
    return false;
}

/* ---- logging in ------------------------------------------------------------------------------------------------------ */

/* Servers with PAM may ask for the password as a question: the only one whose answer is not shown. */
static int answer_questions(struct job *j)
{
    int rv = ssh_userauth_kbdint(j->session, NULL, NULL);

    for (unsigned rounds = 0; rv == SSH_AUTH_INFO && rounds < 4; rounds++) {
        int n = ssh_userauth_kbdint_getnprompts(j->session);

        for (int i = 0; i < n; i++) {
            char echo = 1;

            (void)ssh_userauth_kbdint_getprompt(j->session, (unsigned)i, &echo);
            if (ssh_userauth_kbdint_setanswer(j->session, (unsigned)i, echo ? "" : j->password) < 0)
                return SSH_AUTH_ERROR;
        }
        rv = ssh_userauth_kbdint(j->session, NULL, NULL);
    }
    return rv;
}

static int log_in_with_password(struct job *j)
{
    unsigned methods = (unsigned)ssh_userauth_list(j->session, NULL);
    int rv = SSH_AUTH_DENIED;

    if ((methods & SSH_AUTH_METHOD_PASSWORD) != 0)
        rv = ssh_userauth_password(j->session, NULL, j->password);
    if (rv == SSH_AUTH_DENIED && (methods & SSH_AUTH_METHOD_INTERACTIVE) != 0)
        rv = answer_questions(j);
    return rv;
}

/* A key with its passphrase in a line in front, if it has one; libssh has no way to take the passphrase off every kind of key. */
static bool import_key(const char *text, ssh_key *key)
{
    char passphrase[MAX_PASSPHRASE + 1] = "";
    bool ok;

    if (strncmp(text, key_line, sizeof key_line - 1) == 0) {
        size_t n = strcspn(text + sizeof key_line - 1, "\n");

        if (n > MAX_PASSPHRASE || text[sizeof key_line - 1 + n] == '\0')
            return false;
        memcpy(passphrase, text + sizeof key_line - 1, n);
        passphrase[n] = '\0';
        text += sizeof key_line + n;
    }
    ok = ssh_pki_import_privkey_base64(text, passphrase, NULL, NULL, key) == SSH_OK;
    mem_wipe(passphrase, sizeof passphrase);
    return ok;
}

static int log_in_with_key(struct job *j)
{
    ssh_key key = NULL;
    int rv;

    if (!import_key(j->key, &key)) {
        fail(j, &ERR_SSH_KEY, "");
        return SSH_AUTH_ERROR;
    }
    rv = ssh_userauth_publickey(j->session, NULL, key);
    ssh_key_free(key);
    return rv;
}

static bool log_in(struct job *j)
{
    int rv = ssh_userauth_none(j->session, NULL); /* tells which ways there are */

    if (rv == SSH_AUTH_SUCCESS) /* an account that anybody may use says nothing about this password or key */
        rv = SSH_AUTH_DENIED;
    else if (rv == SSH_AUTH_DENIED)
        rv = j->password != NULL ? log_in_with_password(j) : log_in_with_key(j);
    if (rv == SSH_AUTH_SUCCESS)
        return true;
    if (j->failed == NULL && rv == SSH_AUTH_ERROR)
        fail_ssh(j);
    else if (j->failed == NULL)
        fail(j, &ERR_SSH_DENIED, "");
    return false;
}

/* ---- the command ----------------------------------------------------------------------------------------------------- */

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
            fail_ssh(j);
            return;
        }
        some = collect(j, channel, false, &j->out);
        some |= collect(j, channel, true, &j->err);
        if (!some && !ssh_is_connected(j->session)) {
            fail(j, &ERR_SSH_LOST, "the connection was closed");
            return;
        }
    }
    if (str_failed(&j->out) || str_failed(&j->err))
        fail(j, &ERR_NOMEM, "");
}

static bool send_input(struct job *j, ssh_channel channel)
{
    size_t sent = 0;

    while (sent < j->input.n) {
        int n = ssh_channel_write(channel, j->input.s + sent, (uint32_t)(j->input.n - sent));

        if (n <= 0)
            return false;
        sent += (size_t)n;
    }
    return ssh_channel_send_eof(channel) == SSH_OK;
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
    ssh_channel channel = ssh_channel_new(j->session);

    if (channel == NULL) {
        fail(j, &ERR_NOMEM, "");
        return;
    }
    j->running = true;
    if (ssh_channel_open_session(channel) != SSH_OK || ssh_channel_request_exec(channel, j->command) != SSH_OK || !send_input(j, channel))
        fail_ssh(j);
    else
        collect_all(j, channel);
    if (j->failed == NULL && !j->truncated)
        j->exit_status = exit_status_of(channel);
    (void)ssh_channel_close(channel); /* the session ends next */
    ssh_channel_free(channel);
}

static void job_run(struct work *w)
{
    struct job *j = (struct job *)w;

    if (connect_wire(j) && start_session(j) && check_host_key(j) && log_in(j) && j->command != NULL)
        run_command(j);
    if (j->session != NULL) {
        ssh_silent_disconnect(j->session);
        ssh_free(j->session);
        j->session = NULL;
    }
    wire_close(j->wire);
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

static bool copy(char **to, const char *from)
{
    if (from == NULL)
        return true;
    *to = mem_strdup(from);
    return *to != NULL;
}

static int job_new(const struct ssh_login *login, const char *const *argv, struct slice input, struct job **out, struct err *e)
{
    struct job *j = mem_zalloc(sizeof *j);
    struct str command;
    bool ok;

    if (j == NULL || (j->wire = wire_new()) == NULL) {
        mem_free(j);
        return err_set(e, &ERR_NOMEM, "");
    }
    j->work.run = job_run;
    j->work.drop = job_drop;
    j->port = login->port;
    j->exit_status = -1;
    str_init(&j->input, NULL);
    str_init(&j->out, NULL);
    str_init(&j->err, NULL);
    str_add_n(&j->input, input.s, input.n);
    str_init(&command, NULL);
    if (argv != NULL)
        ssh_add_command(&command, argv);
    ok = copy(&j->host, login->host) && copy(&j->user, login->user) && copy(&j->password, login->password) &&
         copy(&j->key, login->private_key) && copy(&j->fingerprint, login->fingerprint) && !str_failed(&command) && !str_failed(&j->input) &&
         copy(&j->command, argv != NULL ? str_c(&command) : NULL);
    str_fini(&command);
    *out = j;
    if (ok)
        return 0;
    wire_leave(j->wire); /* the fiber's half; the job's goes with it */
    job_drop(&j->work);
    return err_set(e, &ERR_NOMEM, "");
}

static int report(const struct job *j, struct err *e)
{
    char at[REASON_SIZE];

    if (j->failed == &ERR_NOMEM || j->failed == &ERR_SSH_KEY)
        return err_set(e, j->failed, "");
    (void)snprintf(at, sizeof at, strchr(j->host, ':') != NULL ? "[%s]:%u" : "%s:%u", j->host, j->port);
    (void)err_set(e, j->failed, "%s", at);
    if (j->failed == &ERR_SSH_DENIED)
        return err_arg(e, "%s", j->user);
    if (j->failed != &ERR_SSH_HOST_KEY)
        return err_arg(e, "%s", j->reason);
    (void)err_arg(e, "%s", j->seen);
    return err_arg(e, "%s", j->fingerprint);
}

static bool take_text(const struct str *from, struct arena *arena, struct slice *to)
{
    *to = (struct slice){ arena_strndup(arena, from->n > 0 ? from->s : "", from->n), from->n };
    return to->s != NULL;
}

int ssh_client_run(struct work_pool *pool, const struct ssh_login *login, const char *const *argv, struct slice input, struct arena *arena,
                   struct ssh_outcome *out, struct err *e)
{
    struct wire *wire;
    struct job *j = NULL;
    int rv = job_new(login, argv, input, &j, e);

    *out = (struct ssh_outcome){ .exit_status = -1 };
    if (rv != 0)
        return rv;
    wire = j->wire;
    rv = work_run(pool, &j->work, e);
    if (rv != 0) { /* the job is the pool's now */
        wire_give_up(wire);
        wire_leave(wire);
        return rv;
    }
    memcpy(out->fingerprint, j->seen, sizeof out->fingerprint);
    out->exit_status = j->exit_status;
    out->truncated = j->truncated;
    if (j->failed != NULL)
        rv = report(j, e);
    else if (!take_text(&j->out, arena, &out->out) || !take_text(&j->err, arena, &out->err))
        rv = err_set(e, &ERR_NOMEM, "");
    wire_leave(wire);
    job_drop(&j->work);
    return rv;
}

/* ---- keys ------------------------------------------------------------------------------------------------------------ */

struct key_job {
    struct work work;
    char *text, *passphrase, *result; /* owned, wiped */
    bool no_memory;
};

static void key_drop(struct work *w)
{
    struct key_job *j = (struct key_job *)w;

    wipe_text(j->text);
    wipe_text(j->passphrase);
    wipe_text(j->result);
    mem_free(j);
}

static bool opens(const char *text, const char *passphrase)
{
    ssh_key key = NULL;
    bool ok = ssh_pki_import_privkey_base64(text, passphrase, NULL, NULL, &key) == SSH_OK;

    ssh_key_free(key);
    return ok;
}

static void key_run(struct work *w)
{
    struct key_job *j = (struct key_job *)w;
    struct str with;

    if (opens(j->text, "")) {
        j->result = mem_strdup(j->text);
        j->no_memory = j->result == NULL;
        return;
    }
    if (j->passphrase == NULL || !opens(j->text, j->passphrase))
        return;
    str_init(&with, NULL);
    str_printf(&with, "%s%s\n%s", key_line, j->passphrase, j->text);
    j->no_memory = str_failed(&with) || (j->result = mem_strdup(str_c(&with))) == NULL;
    if (with.s != NULL)
        mem_wipe(with.s, with.space);
    str_fini(&with);
}

int ssh_key_check(struct work_pool *pool, const char *text, const char *passphrase, char **out, struct err *e)
{
    struct key_job *j = mem_zalloc(sizeof *j);
    int rv = 0;

    *out = NULL;
    if (j == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (passphrase != NULL && (strlen(passphrase) > MAX_PASSPHRASE || strchr(passphrase, '\n') != NULL)) {
        mem_free(j);
        return err_set(e, &ERR_SSH_KEY, "");
    }
    j->work.run = key_run;
    j->work.drop = key_drop;
    if (!copy(&j->text, text) || !copy(&j->passphrase, passphrase)) {
        key_drop(&j->work);
        return err_set(e, &ERR_NOMEM, "");
    }
    rv = work_run(pool, &j->work, e);
    if (rv != 0)
        return rv;
    if (j->result != NULL)
        *out = j->result;
    else
        rv = err_set(e, j->no_memory ? &ERR_NOMEM : &ERR_SSH_KEY, "");
    j->result = NULL;
    key_drop(&j->work);
    return rv;
}
