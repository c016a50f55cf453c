/* SPDX-License-Identifier: Apache-2.0 */
/*   connect (ssh_connect.c) ──▶ key exchange ──▶ host key as expected? ──▶ log in
 *
 * The thread blocks in libssh. When the fiber gives up (deadline, client gone) it shuts the socket down, which ends whatever libssh waits
 * for; the link lives until the later of them is done with it. */
#include "src/io/ssh_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/mem.h"

ERR_DEFINE(ERR_SSH_AWAY, 90441, 400, ERR_RETRY,
           "The host {0} cannot be reached over SSH: {1}. Check its address and port, firewalls, and that its SSH server runs.",
           "无法通过 SSH 连接主机 {0}：{1}。请检查地址与端口、防火墙以及 SSH 服务是否运行。");
ERR_DEFINE(ERR_SSH_HOST_KEY, 90442, 400, ERR_FINAL,
           "The host {0} shows the key {1}, but {2} was expected. If the host was installed anew, compare with the "
           "fingerprint at the host itself and confirm it (ocpctl host accept-key); else somebody else may answer there.",
           "主机 {0} 的密钥为 {1}，与预期的 {2} 不一致。若主机已重装，请在主机上核对指纹后确认新密钥（ocpctl host accept-key），否则可能有他人冒充该主机。");
ERR_DEFINE(ERR_SSH_DENIED, 90443, 400, ERR_FINAL, "The host {0} does not let {1} log in with this password or key. Correct the credential in the password box, or choose another, and see "
           "that the SSH server lets that user in.",
           "主机 {0} 拒绝用户 {1} 使用该密码或密钥登录。请在密码箱中更正凭据或更换凭据，并确认 SSH 服务允许该用户登录。");
ERR_DEFINE(ERR_SSH_LOST, 90444, 500, ERR_RETRY, "The connection to the host {0} ended while a command ran: {1}. See that the host is up, then try again.",
           "执行命令时与主机 {0} 的连接中断：{1}。请确认主机在线后重试。");
ERR_DEFINE(ERR_SSH_KEY, 8104, 400, ERR_FINAL,
           "The private key cannot be read. Give the whole text of a PEM or OpenSSH private key (RSA, ECDSA or Ed25519), and its passphrase if "
           "it has one.",
           "无法读取 SSH 私钥，请提供完整的 PEM 或 OpenSSH 私钥内容（RSA、ECDSA 或 Ed25519），若设有口令请一并提供。");

const struct err_row *const ssh_err_rows[] = { &ERR_SSH_AWAY, &ERR_SSH_HOST_KEY, &ERR_SSH_DENIED, &ERR_SSH_LOST, &ERR_SSH_KEY, NULL };

/* ---- the link, known to the fiber and to threads ----------------------------------------------------------------------- */

static void wipe_text(char *s)
{
    if (s != NULL)
        mem_wipe(s, strlen(s));
    mem_free(s);
}

static bool copy(char **to, const char *from)
{
    if (from == NULL)
        return true;
    *to = mem_strdup(from);
    return *to != NULL;
}

int ssh_link_new(const struct ssh_login *login, struct ssh_link **out, struct err *e)
{
    struct ssh_link *k = mem_zalloc(sizeof *k);

    if (k == NULL || pthread_mutex_init(&k->lock, NULL) != 0) {
        mem_free(k);
        return err_set(e, &ERR_NOMEM, "");
    }
    atomic_init(&k->owners, 1);
    k->fd = -1;
    k->port = login->port;
    *out = k;
    if (copy(&k->host, login->host) && copy(&k->user, login->user) && copy(&k->password, login->password) &&
        copy(&k->key, login->private_key) && copy(&k->fingerprint, login->fingerprint))
        return 0;
    ssh_link_leave(k);
    return err_set(e, &ERR_NOMEM, "");
}

struct ssh_link *ssh_link_join(struct ssh_link *k)
{
    atomic_fetch_add(&k->owners, 1);
    return k;
}

bool ssh_link_open_wire(struct ssh_link *k, int fd)
{
    bool wanted;

    pthread_mutex_lock(&k->lock);
    wanted = !k->given_up;
    k->fd = wanted ? fd : -1;
    pthread_mutex_unlock(&k->lock);
    return wanted;
}

void ssh_link_close_wire(struct ssh_link *k)
{
    int fd;

    pthread_mutex_lock(&k->lock);
    fd = k->fd;
    k->fd = -1;
    pthread_mutex_unlock(&k->lock);
    if (fd >= 0)
        close(fd);
}

void ssh_link_give_up(struct ssh_link *k)
{
    pthread_mutex_lock(&k->lock);
    k->given_up = true;
    if (k->fd >= 0)
        (void)shutdown(k->fd, SHUT_RDWR); /* it may have ended by itself */
    pthread_mutex_unlock(&k->lock);
}

void ssh_link_leave(struct ssh_link *k)
{
    if (atomic_fetch_sub(&k->owners, 1) != 1)
        return;
    if (k->session != NULL) {
        ssh_silent_disconnect(k->session);
        ssh_free(k->session);
    }
    ssh_link_close_wire(k);
    pthread_mutex_destroy(&k->lock);
    mem_free(k->host);
    mem_free(k->user);
    wipe_text(k->password);
    wipe_text(k->key);
    mem_free(k->fingerprint);
    mem_free(k);
}

void ssh_link_fail(struct ssh_link *k, const struct err_row *row, const char *reason)
{
    k->failed = row;
    (void)snprintf(k->reason, sizeof k->reason, "%s", reason);
}

void ssh_link_fail_ssh(struct ssh_link *k)
{
    ssh_link_fail(k, k->is_in ? &ERR_SSH_LOST : &ERR_SSH_AWAY, ssh_get_error(k->session));
}

int ssh_link_error(const struct ssh_link *k, const struct err_row *row, const char *reason, struct err *e)
{
    char at[SSH_REASON_SIZE];

    if (row == &ERR_NOMEM || row == &ERR_SSH_KEY)
        return err_set(e, row, "");
    if (row == &ERR_IO)
        return err_set(e, row, "%s", reason);
    (void)snprintf(at, sizeof at, strchr(k->host, ':') != NULL ? "[%s]:%u" : "%s:%u", k->host, k->port);
    (void)err_set(e, row, "%s", at);
    if (row == &ERR_SSH_DENIED)
        return err_arg(e, "%s", k->user);
    if (row != &ERR_SSH_HOST_KEY)
        return err_arg(e, "%s", reason);
    (void)err_arg(e, "%s", k->seen);
    return err_arg(e, "%s", k->fingerprint);
}

/* ---- connecting ------------------------------------------------------------------------------------------------------ */

/* libssh closes the socket that it is given, so it gets one of its own for the same connection. */
static bool start_session(struct ssh_link *k)
{
    const bool no = false;
    long backstop_s = SSH_BACKSTOP_S;
    socket_t fd = fcntl(k->fd, F_DUPFD_CLOEXEC, 0); /* only this thread changes k->fd */

    k->session = ssh_new();
    if (fd < 0 || k->session == NULL || ssh_options_set(k->session, SSH_OPTIONS_HOST, k->host) != 0 ||
        ssh_options_set(k->session, SSH_OPTIONS_USER, k->user) != 0 || ssh_options_set(k->session, SSH_OPTIONS_FD, &fd) != 0 ||
        ssh_options_set(k->session, SSH_OPTIONS_TIMEOUT, &backstop_s) != 0 ||
        ssh_options_set(k->session, SSH_OPTIONS_PROCESS_CONFIG, &no) != 0) {
        if (fd >= 0)
            close(fd);
        ssh_link_fail(k, &ERR_NOMEM, "");
        return false;
    }
    if (ssh_connect(k->session) == SSH_OK)
        return true;
    ssh_link_fail_ssh(k);
    return false;
}

/* The text as OpenSSH shows it. */
static bool note_host_key(struct ssh_link *k)
{
    unsigned char *hash = NULL;
    char *text = NULL;
    ssh_key key = NULL;
    size_t n;

    if (ssh_get_server_publickey(k->session, &key) == SSH_OK && ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &n) == 0)
        text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, n);
    if (text != NULL)
        (void)snprintf(k->seen, sizeof k->seen, "%s", text);
    else
        ssh_link_fail(k, &ERR_SSH_AWAY, "it shows no key");
    ssh_string_free_char(text);
    ssh_clean_pubkey_hash(&hash);
    ssh_key_free(key);
    return k->failed == NULL;
}

static bool check_host_key(struct ssh_link *k)
{
    if (!note_host_key(k))
        return false;
    if (k->fingerprint == NULL || strcmp(k->fingerprint, k->seen) == 0)
        return true;
    ssh_link_fail(k, &ERR_SSH_HOST_KEY, "");
    return false;
}

/* ---- logging in ------------------------------------------------------------------------------------------------------ */

/* Servers with PAM may ask for the password as a question: the only one whose answer is not shown. */
static int answer_questions(struct ssh_link *k)
{
    int rv = ssh_userauth_kbdint(k->session, NULL, NULL);

    for (unsigned rounds = 0; rv == SSH_AUTH_INFO && rounds < 4; rounds++) {
        int n = ssh_userauth_kbdint_getnprompts(k->session);

        for (int i = 0; i < n; i++) {
            char echo = 1;

            (void)ssh_userauth_kbdint_getprompt(k->session, (unsigned)i, &echo);
            if (ssh_userauth_kbdint_setanswer(k->session, (unsigned)i, echo ? "" : k->password) < 0)
                return SSH_AUTH_ERROR;
        }
        rv = ssh_userauth_kbdint(k->session, NULL, NULL);
    }
    return rv;
}

static int log_in_with_password(struct ssh_link *k)
{
    unsigned methods = (unsigned)ssh_userauth_list(k->session, NULL);
    int rv = SSH_AUTH_DENIED;

    if ((methods & SSH_AUTH_METHOD_PASSWORD) != 0)
        rv = ssh_userauth_password(k->session, NULL, k->password);
    if (rv == SSH_AUTH_DENIED && (methods & SSH_AUTH_METHOD_INTERACTIVE) != 0)
        rv = answer_questions(k);
    return rv;
}

static int log_in_with_key(struct ssh_link *k)
{
    ssh_key key = NULL;
    int rv;

    if (!ssh_key_import(k->key, &key)) {
        ssh_link_fail(k, &ERR_SSH_KEY, "");
        return SSH_AUTH_ERROR;
    }
    rv = ssh_userauth_publickey(k->session, NULL, key);
    ssh_key_free(key);
    return rv;
}

static bool log_in(struct ssh_link *k)
{
    int rv = ssh_userauth_none(k->session, NULL); /* tells which ways there are */

    if (rv == SSH_AUTH_SUCCESS) /* an account that anybody may use says nothing about this password or key */
        rv = SSH_AUTH_DENIED;
    else if (rv == SSH_AUTH_DENIED)
        rv = k->password != NULL ? log_in_with_password(k) : log_in_with_key(k);
    if (rv == SSH_AUTH_SUCCESS)
        return true;
    if (k->failed == NULL && rv == SSH_AUTH_ERROR)
        ssh_link_fail_ssh(k);
    else if (k->failed == NULL)
        ssh_link_fail(k, &ERR_SSH_DENIED, "");
    return false;
}

void ssh_link_log_in(struct ssh_link *k)
{
    k->is_in = (k->fd >= 0 || ssh_link_connect_by_name(k)) && start_session(k) && check_host_key(k) && log_in(k);
}
