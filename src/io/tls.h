/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h - TLS 1.2 and 1.3 without I/O: bytes go in, bytes come out; the owner of the socket moves them. For servers, and for both sides of
 * connections between processes of ours, who know each other by certificates of one authority. */
#ifndef IO_TLS_H
#define IO_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/err.h"
#include "src/base/str.h"

struct tls_server;

/* File names are copied. */
struct tls_conf {
    const char *cert_file;  /* PEM: the server's certificate, then its chain */
    const char *key_file;   /* PEM, without a passphrase */
    const char *client_ca;  /* PEM: authorities whose certificates peers must have; NULL: clients need none */
    /* Asked about a peer's certificate that is otherwise good: its serial number in upper-case hex, and its first URI among the alternative
     * names ("" when it has none). False refuses it. Any thread that has sessions. NULL: all are welcome. */
    bool (*welcome)(const char *serial, const char *uri, void *data);
    void *data;
    const char *alpn;       /* protocols in the server's order, "h2,http/1.1"; NULL: none */
};

ERR_DECLARE(ERR_TLS_CONF); /* {0} file, {1} reason: certificate or key cannot be used */
extern const struct err_row *const tls_err_rows[]; /* all of them, then NULL */

/* Reads the files. Any thread. Errors: TLS_CONF, NOMEM. */
MUST_CHECK int tls_server_new(const struct tls_conf *conf, struct tls_server **out, struct err *e);
/* Reads the files again; sessions made from now on use them. On failure the former ones stay. Any thread. */
MUST_CHECK int tls_server_reload(struct tls_server *t, struct err *e);
/* No session may be left. NULL is fine. */
void tls_server_free(struct tls_server *t);
/* When the certificate in use ends, in microseconds since 1970. Any thread. */
int64_t tls_server_expires_us(struct tls_server *t);

/* One connection's TLS. Its owner's thread only. */
struct tls;

/* Takes bytes for the peer (encrypted); false when memory is out, which ends the session. */
typedef bool (*tls_put)(void *data, const void *bytes, size_t n);

/* A session that waits for the client's first bytes. NULL when memory is out. */
MUST_CHECK struct tls *tls_new(struct tls_server *t, tls_put put, void *data);
/* The other side: greets at once, and demands a certificate of `client_ca`, which must have been given, of the server. No name is checked:
 * see tls_peer_uri. NULL when memory is out. */
MUST_CHECK struct tls *tls_new_client(struct tls_server *t, tls_put put, void *data);
/* Not tls_free: OpenSSL 3.5 has one, which its static library shows to the agent's linker. */
void tls_discard(struct tls *s);

/* Hands over what the peer sent: borrowed until tls_read has answered TLS_MORE. */
void tls_feed(struct tls *s, const void *bytes, size_t n);

enum tls_state {
    TLS_MORE,    /* all that was fed is used up */
    TLS_DATA,    /* *n bytes of plain text were stored */
    TLS_CLOSED,  /* the peer said good-bye */
    TLS_FAILED,  /* broken, or the peer does not speak TLS as we want it: flush what was put, then close */
};
/* Handshakes as far as it can; once that is done stores plain text. */
enum tls_state tls_read(struct tls *s, void *buf, size_t size, size_t *n);
/* True once the handshake is done. */
bool tls_is_open(const struct tls *s);
/* Encrypts; only when open. False: the session has failed. */
MUST_CHECK bool tls_write(struct tls *s, const void *bytes, size_t n);
/* Says good-bye to the peer. */
void tls_close(struct tls *s);

/* Protocol agreed on by ALPN, "" if none. Valid when open. */
struct slice tls_alpn(const struct tls *s);
/* The first URI among the alternative names of the peer's certificate ("ocp-node:3"); "" when there is none. Valid when open. */
const char *tls_peer_uri(const struct tls *s);
/* Does the certificate of the peer of this session of OpenSSL (an SSL *, of somebody else's making) bear the URI? */
bool tls_session_is(void *ssl, const char *uri);
/* Why it failed, for logs. */
const char *tls_reason(const struct tls *s);

#endif
