/* SPDX-License-Identifier: Apache-2.0 */
/* shell.h - a host over SSH, as its deployment needs it: commands as the user who logs in, and as root, which that user is or becomes by sudo.
 * A password goes to sudo's standard input, never onto a command line. From fibers; the fiber's deadline counts. */
#ifndef HOST_SHELL_H
#define HOST_SHELL_H

#include "src/io/ssh.h"

ERR_DECLARE(ERR_HOST_COMMAND); /* {0} host, {1} what was to be done, {2} what the command said */

enum shell_power {
    SHELL_NO_POWER,      /* sudo does not let the user in */
    SHELL_ROOT,          /* the user is root */
    SHELL_SUDO,          /* sudo asks for nothing */
    SHELL_SUDO_PASSWORD, /* sudo takes the user's password */
};

struct shell {
    struct ssh_client *ssh;  /* owned */
    const char *host;        /* address, for errors; borrowed */
    const char *password;    /* of the user; NULL: logged in with a key; borrowed */
    enum shell_power power;
    const char *refusal;     /* what sudo said; in the arena; "" */
};

/* Logs in and finds out whether the user may become root. Texts of `login` are borrowed until shell_close; `fingerprint` as ssh_client_open.
 * Errors: those of ssh_client_open and ssh_client_run. */
MUST_CHECK int shell_open(struct work_pool *pool, const struct ssh_login *login, struct arena *arena, struct shell *out, char *fingerprint,
                          struct err *e);
/* NULL is fine, and one that never was opened. */
void shell_close(struct shell *s);

struct shell_command {
    const char *const *argv;   /* ends with NULL */
    struct slice input;
    const char *input_file;    /* as in ssh_command */
    bool as_user;              /* not as root, even if that is possible */
};
/* Any exit status is a success. As root it needs power. Errors: those of ssh_client_run, INVALID (no power). */
MUST_CHECK int shell_run(struct shell *s, const struct shell_command *c, struct arena *arena, struct ssh_outcome *out, struct err *e);
/* The same, and it must succeed: `what` says what it does ("make /home/admin/ocp_agent"). `out` may be NULL. Errors: also HOST_COMMAND. */
MUST_CHECK int shell_do(struct shell *s, const char *what, const struct shell_command *c, struct arena *arena, struct ssh_outcome *out,
                        struct err *e);
/* A script for sh as root, with arguments $1 and on (NULL-terminated). Errors: as shell_do. */
MUST_CHECK int shell_script(struct shell *s, const char *what, const char *script, const char *const *args, struct arena *arena,
                            struct ssh_outcome *out, struct err *e);

/* Puts a file of this machine to `path` on the host, owned by root: written beside it, compared by its SHA-256, renamed. A file that is there
 * with this content stays; *sent says whether it was sent. `mode` as for chmod ("0755"). Errors: as shell_do. */
MUST_CHECK int shell_upload(struct shell *s, const char *file, const char *sha256, const char *path, const char *mode, struct arena *arena,
                            bool *sent, struct err *e);
/* Writes a small file, likewise; its content never is on a command line. */
MUST_CHECK int shell_write(struct shell *s, const char *path, struct slice content, const char *mode, struct arena *arena, struct err *e);

/* What a program printed as one line for people: no control characters, no broken UTF-8, at most `max` bytes; in the arena. NULL: no memory. */
char *shell_line(struct slice text, size_t max, struct arena *arena);

#endif
