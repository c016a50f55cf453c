/* SPDX-License-Identifier: Apache-2.0 */
/* ssh_link.h - one SSH connection as its fiber and the pool's threads see it. Private to src/io/ssh*.c. */
#ifndef IO_SSH_LINK_H
#define IO_SSH_LINK_H

#include <libssh/libssh.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "src/io/ssh.h"

enum { SSH_REASON_SIZE = 256, SSH_BACKSTOP_S = 120 };

/* The client owns it, and so does each job from its making to its dropping: the last of them frees it. */
struct ssh_link {
    pthread_mutex_t lock;
    _Atomic int owners;
    int fd;                        /* under the lock; -1: none (yet, or any more) */
    bool given_up;                 /* under the lock: the fiber wants no more of it */
    /* constant */
    char *host, *user, *password, *key, *fingerprint; /* owned; password and key are wiped */
    unsigned port;
    /* of the job that runs; in between of the fiber */
    ssh_session session;
    bool is_in;                    /* logged in, and nothing has failed since */
    char seen[SSH_FINGERPRINT_SIZE];
    const struct err_row *failed;  /* why the last job failed; NULL: it went well */
    char reason[SSH_REASON_SIZE];
};

/* With one owner. Errors: NOMEM. */
MUST_CHECK int ssh_link_new(const struct ssh_login *login, struct ssh_link **out, struct err *e);
struct ssh_link *ssh_link_join(struct ssh_link *k);
void ssh_link_leave(struct ssh_link *k);
/* By the fiber: ends whatever a thread waits for there. */
void ssh_link_give_up(struct ssh_link *k);

/* The socket is the link's, and the fiber may shut it down. False when the fiber has given up already: then it stays the caller's. */
MUST_CHECK bool ssh_link_open_wire(struct ssh_link *k, int fd);
void ssh_link_close_wire(struct ssh_link *k);
/* By the fiber: connects, if the host is given by its address. Errors: SSH_AWAY, NOMEM, IO, TIMEOUT, CANCELLED. */
MUST_CHECK int ssh_link_connect(struct ssh_link *k, struct err *e);
/* By a thread: connects to whatever address its name has. False: k->failed. */
MUST_CHECK bool ssh_link_connect_by_name(struct ssh_link *k);
/* By a thread: connects, unless that is done, and logs in. Then k->is_in, or k->failed. */
void ssh_link_log_in(struct ssh_link *k);
/* By a thread: notes why it failed. */
void ssh_link_fail(struct ssh_link *k, const struct err_row *row, const char *reason);
/* What libssh says of it: SSH_LOST after the login, SSH_AWAY before. */
void ssh_link_fail_ssh(struct ssh_link *k);
/* An error of this row, with what else it says about the connection. Returns its code. */
int ssh_link_error(const struct ssh_link *k, const struct err_row *row, const char *reason, struct err *e);

/* A private key as ssh_key_check keeps it. */
MUST_CHECK bool ssh_key_import(const char *text, ssh_key *out);

#endif
