/* SPDX-License-Identifier: Apache-2.0 */
/* sql_session.h - the inside of a session; private to sql_*.c.
 *
 * libmariadb waits through one function (MARIADB_OPT_IO_WAIT) that gets no pointer of ours, so each call of the
 * library is bracketed by sql_enter and sql_leave, which tell that function whose session is under way on this
 * thread. */
#ifndef IO_SQL_SESSION_H
#define IO_SQL_SESSION_H

#include <mysql.h>

#include <ma_pvio.h>

#include "src/io/fiber.h"
#include "src/io/sql.h"

enum {
    SQL_ROWS_MAX = 100000,
    SQL_ROWS_MAX_1M = 1000000,
    SQL_COLUMNS_MAX = 4096,
    SQL_STMTS_MAX = 32,
    SQL_BYTES_MAX = 64 << 20,
    SQL_HEAD_MAX = 4 << 20,        /* of an answer until its rows begin: names of columns */
    SQL_SOCKET_BYTES = 256 << 10,  /* kernel buffers: bound what one turn of the loop moves */
    SQL_TURN_US = 1000,            /* after that much work a call lets the loop turn */
    SQL_PIECE = 256 << 10,         /* large values are copied and sent in such pieces, to look at the time between them */
};

struct sql_poll;
struct sql_stmt;

struct sql {
    MYSQL *mysql;                  /* owned */
    PVIO_METHODS methods;          /* what the library reads and writes with: its own, except for the turns of the loop */
    const PVIO_METHODS *library_methods;
    struct st_mariadb_methods calls; /* what it does with the protocol: its own, but for what it would believe a server */
    const struct st_mariadb_methods *library_calls;
    bool head;                     /* the head of a result comes next */
    struct slice row;              /* the packet of the last one */
    struct sql_poll *poll;         /* the loop's; NULL while connecting, on whichever thread that is */
    int fd;                        /* owned duplicate of the library's socket, or -1 */
    struct wait *wait;             /* of the fiber that is parked inside the library */
    bool busy;                     /* a call is under way */
    bool dead;
    bool hung_up;                  /* the peer closed an idle session */
    bool closing;                  /* nothing may wait any more */
    const struct err_row *ended;   /* why a wait ended early in this call: ERR_TIMEOUT, ERR_CANCELLED; NULL */
    bool flooded;                  /* this call received more than it may */
    int64_t turn_us;               /* when the call last came back from waiting */
    int64_t dial_deadline_ms;      /* while connecting, in milliseconds of uv_hrtime */
    bool greeted, rude;            /* while connecting: the greeting was looked at; it is none that a database sends */
    uint64_t may_receive;          /* bytes since the session began; beyond it the call has received too much */

    struct arena arena;            /* of the strings below */
    const char *peer, *version, *comment;
    enum sql_engine engine;
    uint64_t id;
    size_t max_packet;             /* the server takes no larger statement */

    struct sql_stmt *stmts;        /* owned, most recently used first */
    unsigned n_stmts;
    struct slice *cells;           /* owned scratch of growing results */
    size_t cells_space;
};

/* Brackets of every call into libmariadb. */
void sql_enter(struct sql *s);
void sql_leave(void);

/* The function for MARIADB_OPT_IO_WAIT. */
int sql_io_wait(my_socket fd, my_bool is_read, int timeout);

/* Has the number of columns of a result checked, and rows of prepared statements left in s->row. */
void sql_take_calls(struct sql *s);

/* Makes every single read and write of the library let the loop turn when it is time, and obey the limit of a
 * result. */
void sql_take_turns(struct sql *s);

/* Connects and makes the session ready, on any thread. Errors: as sql_connect. */
MUST_CHECK int sql_dial(struct sql *s, const struct sql_target *target, struct err *e);
/* Waits meanwhile; false when the time is over. */
bool sql_dial_wait(struct sql *s, int fd, bool is_read);
/* Whether a server may begin so: 1, -1 if not, 0 while more is needed to tell. Pure. */
int sql_greeting(const unsigned char *bytes, size_t n);
/* "variable=value": the server's own time limit for a statement. */
const char *sql_timeout_text(enum sql_engine engine, unsigned ms, char *buf, size_t size);

/* Puts the session under the running fiber's loop. Errors: NOMEM, IO. */
MUST_CHECK int sql_poll_attach(struct sql *s, struct err *e);
/* Takes it out and closes the connection at once, whatever the library still believes. */
void sql_drop(struct sql *s);

/* The answer under way may go on for `n` bytes from here. */
void sql_may_receive(struct sql *s, uint64_t n);

/* Lets the loop turn when the call has worked for SQL_TURN_US. Inside or outside the brackets. NULL session: nothing.
 * Errors: TIMEOUT, CANCELLED. */
MUST_CHECK int sql_pause(struct sql *s, struct err *e);

/* Whether a number ends the session; whether the table knows it. */
bool sql_number_ends(int number);
bool sql_number_is_known(int number);

/* What the statement under way could leave behind. */
struct sql_effect {
    bool may_last;                 /* losing the connection leaves its outcome open */
    bool reads;                    /* changes nothing at all */
};
/* By its first word, and by whether a transaction is open. Pure. */
struct sql_effect sql_effect_of(const char *text, bool in_transaction, bool is_commit);

/* Fills `e` after the library failed with `number` and `text`, and drops the session where it must. Returns the
 * code. */
int sql_fail(struct sql *s, int number, const char *text, const struct sql_effect *effect, struct err *e);
/* Drops the session in the middle of a call: `row` unless what the statement did may last. Returns the code. */
int sql_abort(struct sql *s, const struct err_row *row, const char *reason, const struct sql_effect *effect, struct err *e);

/* Writes `text` into `out` with values for its '?'. `s` gives the loop its turns and may be NULL. Errors: UNEXPECTED,
 * NOMEM, TIMEOUT, CANCELLED. */
MUST_CHECK int sql_text_write(struct str *out, const char *text, const struct sql_value *values, unsigned n_values, struct sql *s,
                              struct err *e);
/* Number of '?' of `text` that stand for values. */
unsigned sql_text_count(const char *text);
/* "2026-11-20 08:05:09.123456", UTC. `buf` holds 32 bytes. */
const char *sql_time_text(int64_t wall_us, char *buf);

/* A result that grows row by row: cells in the session's scratch, their bytes in the arena. */
struct sql_result {
    struct sql *s;
    struct arena *arena;
    struct sql_rows rows;
    char *text;                    /* room for the values of the last row */
    size_t max_rows, bytes;
    const struct sql_effect *effect;
};
/* Takes names of `n` columns. Errors: NOMEM and SQL_FAILED, the session dropped. */
MUST_CHECK int sql_result_begin(struct sql_result *r, const MYSQL_FIELD *fields, unsigned n, struct err *e);
/* Adds one row: room for its cells, which the caller points at values of `bytes` in all; then sql_result_keep copies
 * these. Errors: as above, TIMEOUT, CANCELLED. */
MUST_CHECK int sql_result_row(struct sql_result *r, size_t bytes, struct slice **cells, struct err *e);
MUST_CHECK int sql_result_keep(struct sql_result *r, struct slice *cells, struct err *e);
/* Lets the loop turn when it is time. Errors: as above, the session dropped. */
MUST_CHECK int sql_result_pause(struct sql_result *r, struct err *e);
/* Moves the cells into the arena. */
MUST_CHECK int sql_result_end(struct sql_result *r, struct err *e);

/* One column of a row of the binary protocol. */
struct sql_column {
    struct slice cell;             /* s == NULL: SQL NULL; into the packet or into text */
    char text[384];                /* of numbers and times */
};
/* Makes text of a whole packet, header included. False when it does not hold exactly such a row. Pure. */
bool sql_binary_row(struct slice packet, const MYSQL_FIELD *fields, struct sql_column *columns, unsigned n);

/* One statement by the text protocol, or by a prepared statement, with its result; the session is idle and alive.
 * sql_stmt_run answers -1 when the server does not prepare such a statement: nothing was done then. */
MUST_CHECK int sql_query_run(struct sql_result *r, const char *text, size_t n, struct err *e);
MUST_CHECK int sql_stmt_run(struct sql_result *r, const char *text, const struct sql_value *values, unsigned n_values,
                            struct err *e);
/* Frees all prepared statements; the library's handle is closed already. */
void sql_stmts_free(struct sql *s);

#endif
