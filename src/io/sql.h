/* SPDX-License-Identifier: Apache-2.0 */
/* sql.h - client of one MySQL-protocol server (OceanBase, MariaDB, MySQL): connect, run a statement, read rows.
 * A session belongs to one loop; its calls are made from fibers of that loop, one at a time. Connecting happens on
 * the connect pool (DNS, TCP, TLS, login block there); from then on every place where libmariadb would wait parks the
 * fiber, and the fiber's deadline ends the call. libmariadb's MARIADB_OPT_IO_WAIT gives that hook. Large work lets
 * the loop turn about every millisecond.
 *
 * How a call of sql_run ends. "May last": the effect of the statement would outlive its connection: it has the flag
 * SQL_COMMIT, or it is no plain read (SELECT, SHOW, EXPLAIN ...) and no INSERT, UPDATE, DELETE, REPLACE inside an
 * open transaction.
 *
 *   what happened                                            | may last          | may not             | the session
 *   ---------------------------------------------------------+-------------------+---------------------+--------------
 *   all is well                                              | 0                 | 0                   | usable
 *   before sending: deadline, cancelled, memory, wrong count | TIMEOUT, CANCELLED, NOMEM, UNEXPECTED   | usable
 *   before sending: the session is dead, or the peer hung up | SQL_LOST          | SQL_LOST            | dead
 *   the server answered with an error                        | by its number, sql_classify             | usable, unless
 *                                                            |                   |                     | the number ends it
 *   connection lost                                          | SQL_UNKNOWN       | SQL_LOST            | dead
 *   deadline passed                                          | SQL_UNKNOWN       | TIMEOUT             | dead
 *   cancelled                                                | SQL_UNKNOWN       | CANCELLED           | dead
 *   result too large, several results, memory out            | SQL_UNKNOWN       | SQL_FAILED, NOMEM   | dead
 *
 * A dead session (sql_is_dead) answers SQL_LOST at once to every later call; the owner closes it. Its transaction is
 * rolled back by the server. A deadline ends the client's side alone: the statement may run on
 * (sql_set_server_timeout, sql_kill_query). */
#ifndef IO_SQL_H
#define IO_SQL_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/base/str.h"
#include "src/io/loop.h"
#include "src/io/work.h"

struct sql;

/* Where and as whom. All strings are borrowed until sql_connect returns. */
struct sql_target {
    const char *host;            /* name or address; NULL with `socket` */
    unsigned port;
    const char *socket;          /* path of a Unix socket; wins over host */
    const char *user;            /* as the server wants it: root, root@sys, root@sys#cluster */
    const char *password;        /* NULL or "": none */
    const char *database;        /* NULL: none */
    const char *tls_ca;          /* PEM file of the accepted authorities: TLS, with certificate and host name verified */
    bool tls_required;           /* without tls_ca: TLS, but with whoever answers. Neither: no TLS. A socket never has TLS */
    unsigned connect_timeout_ms; /* of TCP, TLS and login together; 0: 5000 */
};

/* Kinds of failure. Every number of the server or of libmariadb maps to one of these rows; err.lib_code keeps the
 * number. What is known of the statement's effect decides, not the text. */
ERR_DECLARE(ERR_SQL_LOST);      /* {0} server, {1} reason: no connection, or lost it; nothing that lasts can have happened */
ERR_DECLARE(ERR_SQL_UNKNOWN);   /* {0} server, {1} reason: lost, or out of time, while it was under way: it may have taken effect */
ERR_DECLARE(ERR_SQL_RETRY);     /* {0} server, {1} text: send ROLLBACK, then repeating the transaction may succeed */
ERR_DECLARE(ERR_SQL_DUPLICATE); /* {0} server, {1} text: unique key (1062) */
ERR_DECLARE(ERR_SQL_DENIED);    /* {0} server, {1} text: wrong user or password, or no privilege */
ERR_DECLARE(ERR_SQL_READONLY);  /* {0} server, {1} text: standby or read-only server: look for the leader elsewhere */
ERR_DECLARE(ERR_SQL_FAILED);    /* {0} server, {1} text: the statement is wrong for this server; repeating is useless */
extern const struct err_row *const sql_err_rows[]; /* all of them, then NULL */

/* Class of a server or client error number. `in_commit`: while COMMIT, or DML under autocommit, was under way. Pure. */
const struct err_row *sql_classify(int number, bool in_commit);

/* Connects; the fiber waits. The session gets: utf8mb4, multi-statements and LOCAL INFILE off, CLIENT_FOUND_ROWS,
 * autocommit on, time_zone '+00:00', READ COMMITTED, sql_mode STRICT_ALL_TABLES,NO_ZERO_IN_DATE (text is escaped with
 * backslashes: callers leave charset and sql_mode alone), and the server's own time limit of 100 s for a statement.
 * `out` is to be closed by the caller, before its loop is freed. The process ignores SIGPIPE from then on, unless it
 * handles it. Errors: SQL_LOST (also when connect_timeout_ms passed), SQL_DENIED, SQL_FAILED, SQL_RETRY, TIMEOUT,
 * CANCELLED, BUSY, NOMEM, IO. */
MUST_CHECK int sql_connect(const struct sql_target *target, struct work_pool *connect_pool, struct sql **out, struct err *e);
/* Says good-bye if it can without waiting, closes. No call may be under way. NULL is fine. */
void sql_close(struct sql *s);
/* Also true when the server closed an idle session: the loop notices, no ping is needed. */
bool sql_is_dead(const struct sql *s);

enum sql_engine { SQL_MARIADB, SQL_MYSQL, SQL_OCEANBASE, SQL_SEEKDB };
/* What answers, told by version() and @@version_comment when connecting. */
enum sql_engine sql_engine(const struct sql *s);
const char *sql_version(const struct sql *s);         /* version(), e.g. "5.7.25-OceanBase seekdb-v1.4.0.0" */
const char *sql_version_comment(const struct sql *s);
uint64_t sql_connection_id(const struct sql *s);
const char *sql_peer(const struct sql *s);            /* "10.0.0.1:2881" or the socket's path, for logs and errors */

/* A value for a '?' of a statement. */
struct sql_value {
    enum { SQL_NULL, SQL_INT, SQL_UINT, SQL_DOUBLE, SQL_TEXT, SQL_BYTES, SQL_TIME } kind;
    union {
        int64_t i;         /* SQL_INT; SQL_TIME: microseconds since 1970 UTC, sent as DATETIME(6) */
        uint64_t u;
        double d;
        struct slice text; /* SQL_TEXT, SQL_BYTES: borrowed until the call returns */
    };
};
#define SQL_V_NULL ((struct sql_value){ .kind = SQL_NULL })
#define SQL_V_I(I) ((struct sql_value){ .kind = SQL_INT, .i = (int64_t)(I) })
#define SQL_V_U(U) ((struct sql_value){ .kind = SQL_UINT, .u = (uint64_t)(U) })
#define SQL_V_D(D) ((struct sql_value){ .kind = SQL_DOUBLE, .d = (D) })
#define SQL_V_TIME(US) ((struct sql_value){ .kind = SQL_TIME, .i = (US) })
struct sql_value sql_v_s(const char *s);                      /* NULL pointer: SQL NULL */
struct sql_value sql_v_bytes(const void *bytes, size_t n);

/* One result, wholly read. Everything lies in the arena that was given to sql_run. */
struct sql_rows {
    unsigned n_columns;
    size_t n_rows;
    const char *const *columns;    /* names as the server gives them */
    const struct slice *cells;     /* n_rows * n_columns; s == NULL: SQL NULL; NUL-terminated otherwise; text form of the value */
    uint64_t affected, insert_id;  /* of a statement without rows */
    const char *peer;              /* which server they came from, for errors */
};

enum sql_flags {
    SQL_PREPARED = 1 << 0,   /* use a server-side prepared statement, cached by the session (at most 32, LRU), where the server
                                prepares such a statement; else text with values escaped here */
    SQL_COMMIT = 1 << 1,     /* a COMMIT or DML under autocommit: losing the connection makes its outcome unknown */
    SQL_MAX_ROWS_1M = 1 << 2 /* allow more than 100 000 rows (then 1 000 000) */
};

/* Runs one statement whose '?' (outside quotes and comments) stand for `values`, and reads the whole result into
 * `arena`. `rows` may be NULL when no rows are wanted. Values bind to the statement in order; a wrong count is
 * ERR_UNEXPECTED. The same row format comes from text and from prepared statements. A result above the row limit or
 * 64 MiB is ERR_SQL_FAILED and drops the session. A statement above the server's max_allowed_packet is SQL_FAILED and
 * not sent. Errors and what they leave: the table above. */
MUST_CHECK int sql_run(struct sql *s, const char *text, const struct sql_value *values, unsigned n_values, unsigned flags,
                       struct arena *arena, struct sql_rows *rows, struct err *e);

/* After how long the server itself gives up a statement of this session, so that nothing runs on for a caller who is
 * gone; 100 s to begin with. Sessions with other deadlines set it once, a little above theirs. On OceanBase it is
 * ob_query_timeout (which DDL does not obey), on MariaDB max_statement_time, on MySQL max_execution_time (SELECT
 * alone). Errors as sql_run. */
MUST_CHECK int sql_set_server_timeout(struct sql *s, unsigned timeout_ms, struct err *e);

/* Ends what the session is doing, from another connection to the same server (KILL QUERY), then the session stays
 * usable. */
MUST_CHECK int sql_kill_query(const struct sql_target *target, struct work_pool *connect_pool, uint64_t connection_id,
                              struct err *e);

/* Reading cells: column by name (index of the first with that name, any letter case, -1 if absent), value by type. */
int sql_column(const struct sql_rows *rows, const char *name);
struct slice sql_text(const struct sql_rows *rows, size_t row, int column);   /* s == NULL: NULL or no such column */
/* False when NULL, absent, or not wholly a number in range. */
bool sql_i64(const struct sql_rows *rows, size_t row, int column, int64_t *v);
bool sql_double(const struct sql_rows *rows, size_t row, int column, double *v);
bool sql_time_us(const struct sql_rows *rows, size_t row, int column, int64_t *wall_us); /* DATETIME/TIMESTAMP text in UTC */

/* Rows into structs: one table of columns per struct, as with JSON fields. */
enum sql_type {
    SQL_C_INT64,
    SQL_C_INT,
    SQL_C_BOOL,
    SQL_C_DOUBLE,
    SQL_C_TEXT,  /* const char *, in the arena */
    SQL_C_TIME,  /* int64_t, microseconds since 1970 UTC */
    SQL_C_BYTES, /* struct slice */
};
struct sql_field {
    const char *column;
    enum sql_type type;
    size_t offset;
    bool optional;      /* the column may be absent (older servers); NULL always leaves what `init` of the caller put there */
};
#define SQL_FIELD(STRUCT, MEMBER, COLUMN, TYPE) { (COLUMN), (TYPE), offsetof(struct STRUCT, MEMBER), false }
#define SQL_FIELD_OPT(STRUCT, MEMBER, COLUMN, TYPE) { (COLUMN), (TYPE), offsetof(struct STRUCT, MEMBER), true }
/* Fills `out` (array of rows->n_rows structs of `size` bytes, zeroed by the caller) by a table that ends with column
 * NULL. NULL cells leave the struct's bytes alone. Errors: SQL_FAILED naming the missing column or the value that
 * does not fit. */
MUST_CHECK int sql_fetch(const struct sql_rows *rows, const struct sql_field *fields, size_t size, void *out, struct err *e);

#endif
