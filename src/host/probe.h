/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h - looks at hosts over SSH before an agent is there: logs in, asks, measures. From fibers; all hosts at once. */
#ifndef HOST_PROBE_H
#define HOST_PROBE_H

#include "src/host/check.h"

struct db;
struct hosts;

/* How to log in to a host. Wipe and free the secret with host_login_close. */
struct host_login {
    const char *username;
    char *secret;               /* password, or the key as ssh_key_check gave it; owned */
    bool is_key;
};
/* Opens the credential, whosever it is: hosts are worked on in the name of who added them.
 * Errors: HOST_CREDENTIAL (there is none, or it is none of hosts), VAULT_OPEN, those of db_read. */
MUST_CHECK int host_login_open(struct hosts *h, struct db *d, int64_t credential_id, struct arena *arena, struct host_login *out, struct err *e);
void host_login_close(struct host_login *l);

/* Opens a shell. `fingerprint` NULL: the host's key is not known yet. `seen` holds SSH_FINGERPRINT_SIZE bytes. Errors: those of shell_open,
 * HOST_SILENT for a login that took too long. */
MUST_CHECK int host_shell_open(struct hosts *h, const struct host_login *l, const char *ip, int64_t port, const char *fingerprint,
                               struct arena *arena, struct shell *out, char *seen, struct err *e);

/* Whom to look at. */
struct host_place {
    const char *ip;
    int64_t port, host_id;      /* host_id 0: it has none yet */
    const char *fingerprint;    /* NULL: not known yet */
};
/* One probe per place; what could not be asked is in probe.failed. Which of our agents are there that belong to no host is looked up in MetaDB.
 * Errors: CANCELLED, NOMEM, BUSY, those of db_read. */
MUST_CHECK int host_probe_all(struct hosts *h, struct db *d, const struct host_login *l, const struct host_place *places, size_t n,
                              const struct check_rules *rules, struct arena *arena, struct host_probe **out, struct err *e);

/* The rules as the system parameters say. Errors: NOMEM, those of db_read, those of host_program_find. */
MUST_CHECK int host_rules(struct hosts *h, struct db *d, struct arena *arena, struct check_rules *out, struct err *e);

#endif
