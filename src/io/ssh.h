/* SPDX-License-Identifier: Apache-2.0 */
/* ssh.h - logs in to a host over SSH and runs commands there, by libssh on a pool of threads: connect, learn the host's key, log in, run one
 * command after the other, collect what each prints. Nothing of the account that this service runs as counts: no configuration, agent or
 * known hosts. From fibers; every call ends with the fiber's deadline or cancellation, which end the connection at once. */
#ifndef IO_SSH_H
#define IO_SSH_H

#include <stdbool.h>

#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/base/str.h"
#include "src/io/work.h"

ERR_DECLARE(ERR_SSH_AWAY);     /* {0} address, {1} why: it cannot be reached, or is no SSH server */
ERR_DECLARE(ERR_SSH_HOST_KEY); /* {0} address, {1} the fingerprint it shows, {2} the one that was expected */
ERR_DECLARE(ERR_SSH_DENIED);   /* {0} address, {1} user: the host does not let us in */
ERR_DECLARE(ERR_SSH_LOST);     /* {0} address, {1} why: it ended while the command ran; whether that did something is unknown */
ERR_DECLARE(ERR_SSH_KEY);      /* 8104: the private key cannot be read */
extern const struct err_row *const ssh_err_rows[];

enum { SSH_FINGERPRINT_SIZE = 64, SSH_MAX_OUTPUT = 64 * 1024 };

struct ssh_login {
    const char *host;          /* name or address */
    unsigned port;
    const char *user;
    const char *password;      /* NULL: log in with the key */
    const char *private_key;   /* as ssh_key_check gave it */
    const char *fingerprint;   /* of the host's key, as OpenSSH shows it: "SHA256:..."; NULL: any will do. Checked before any secret is sent */
};

/* A login that lasts for several commands. One fiber at a time uses it. */
struct ssh_client;

/* `fingerprint`, also with an error, gets what the host has shown, "" if nothing; it holds SSH_FINGERPRINT_SIZE bytes. The pool outlives the
 * client. Errors: SSH_AWAY, SSH_HOST_KEY, SSH_DENIED, SSH_KEY, BUSY, TIMEOUT, CANCELLED, NOMEM. */
MUST_CHECK int ssh_client_open(struct work_pool *pool, const struct ssh_login *login, struct ssh_client **out, char *fingerprint, struct err *e);
/* Never waits. NULL is fine. */
void ssh_client_close(struct ssh_client *c);

struct ssh_command {
    const char *const *argv;   /* quoted for the remote shell; ends with NULL */
    struct slice input;        /* on its standard input; wiped from memory when it was sent */
    const char *input_file;    /* a file of this machine that goes there after `input`, read as it is sent; NULL: none */
};

/* In an arena; NUL-terminated. */
struct ssh_outcome {
    int exit_status;           /* of the command; -1: a signal ended it */
    struct slice out, err;     /* what it printed */
    bool truncated;            /* one of them was longer than SSH_MAX_OUTPUT, and the command was ended */
};

/* Runs a command. A command that ends before it has read all of its input is no error here: its status tells. After any error but NOMEM, BUSY
 * and IO the client serves no more: whatever is run ends with SSH_LOST. Errors: SSH_LOST, IO (input_file), BUSY, TIMEOUT, CANCELLED, NOMEM. */
MUST_CHECK int ssh_client_run(struct ssh_client *c, const struct ssh_command *command, struct arena *arena, struct ssh_outcome *out, struct err *e);

/* Reads a private key (PEM or OpenSSH: RSA, ECDSA, Ed25519) and, if it needs `passphrase` (NULL: none) to be opened, remembers that in a line
 * in front: `out` gets one heap text to log in with, to be ended with mem_wipe and mem_free. Deriving a key takes as long as its maker chose:
 * on the pool. Errors: SSH_KEY, BUSY, TIMEOUT, CANCELLED, NOMEM. */
MUST_CHECK int ssh_key_check(struct work_pool *pool, const char *text, const char *passphrase, char **out, struct err *e);

/* Appends the words quoted for a POSIX shell. Pure. */
void ssh_add_command(struct str *t, const char *const *argv);

#endif
