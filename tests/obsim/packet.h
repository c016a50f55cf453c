/* SPDX-License-Identifier: Apache-2.0 */
/* packet.h - bytes of the MySQL protocol as a server reads and writes them. Pure: no I/O. What cannot be read is refused, never guessed.
 * Any thread. */
#ifndef OBSIM_PACKET_H
#define OBSIM_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/str.h"
#include "tests/obsim/reply.h"

enum {
    PACKET_HEADER = 4,
    PACKET_MAX = (1 << 24) - 1,       /* payload of one packet; a longer message goes on in the next */
    PACKET_CHALLENGE = 20,
};

/* Capabilities that matter here. */
enum {
    CAP_FOUND_ROWS = 1 << 1, CAP_CONNECT_WITH_DB = 1 << 3, CAP_PROTOCOL_41 = 1 << 9, CAP_TLS = 1 << 11, CAP_SECURE_CONNECTION = 1 << 15,
    CAP_MULTI_STATEMENTS = 1 << 16, CAP_PLUGIN_AUTH = 1 << 19, CAP_CONNECT_ATTRS = 1 << 20, CAP_LENENC_AUTH = 1 << 21,
};
enum { STATUS_IN_TRANSACTION = 1, STATUS_AUTOCOMMIT = 2 };

enum packet_command {
    COM_QUIT = 1, COM_INIT_DB = 2, COM_QUERY = 3, COM_STATISTICS = 9, COM_PING = 14, COM_CHANGE_USER = 17, COM_STMT_PREPARE = 22,
    COM_STMT_EXECUTE = 23, COM_STMT_SEND_LONG_DATA = 24, COM_STMT_CLOSE = 25, COM_STMT_RESET = 26, COM_SET_OPTION = 27,
    COM_RESET_CONNECTION = 31,
};

/* Reads from the front; once something is missing `bad` is set and all that follows is 0 or empty. */
struct packet_reader {
    struct slice rest;
    bool bad;
};
uint64_t packet_int(struct packet_reader *r, unsigned bytes); /* 1 to 8, little endian */
uint64_t packet_lenenc(struct packet_reader *r);
struct slice packet_bytes(struct packet_reader *r, size_t n);
struct slice packet_text(struct packet_reader *r);            /* up to a NUL, or to the end */

/* Answer to the greeting, or COM_CHANGE_USER. Views on the payload. */
struct packet_login {
    uint32_t capabilities;
    bool is_tls_request;              /* nothing but capabilities: TLS begins now, the rest comes inside */
    struct slice user, answer, database, plugin; /* n 0: not given */
};
bool packet_read_login(struct slice payload, struct packet_login *out);
/* The payload without its first byte. */
bool packet_read_change_user(struct slice payload, uint32_t capabilities, struct packet_login *out);

/* Messages under construction: header, payload, header, payload ... */
struct packet_writer {
    struct str *to;                   /* borrowed */
    size_t start;                     /* of the payload that is being written */
    uint8_t seq;
};
void packet_begin(struct packet_writer *w);
/* Fills the header in; payloads of 16 MiB and more are split as the protocol wants. */
void packet_end(struct packet_writer *w);
void packet_add_int(struct str *t, uint64_t v, unsigned bytes);
void packet_add_lenenc(struct str *t, uint64_t v);
void packet_add_text(struct str *t, struct slice text); /* length first */

void packet_write_greeting(struct packet_writer *w, const char *version, uint32_t connection, const char *challenge, bool offers_tls);
void packet_write_ok(struct packet_writer *w, const struct sim_reply *r, unsigned status);
void packet_write_error(struct packet_writer *w, unsigned number, const char *sqlstate, const char *text);
/* Columns, EOF, rows (binary: as a prepared statement's), EOF; or OK, or the error. */
void packet_write_reply(struct packet_writer *w, const struct sim_reply *r, unsigned status, bool binary);
/* What COM_STMT_PREPARE is answered with. */
void packet_write_prepared(struct packet_writer *w, uint32_t id, const struct sim_reply *columns, unsigned n_params);

#endif
