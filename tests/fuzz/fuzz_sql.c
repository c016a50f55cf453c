/* SPDX-License-Identifier: Apache-2.0 */
/* Plays the server's side of an SQL session: everything it says is the input, then it hangs up. The client must
 * neither read nor write beyond anything, and rows that it gives out must be whole.
 * The first byte says what comes: bit 0: only the prepared statement runs, not the one by text before it; bit 1: the
 * login is canned and the rest of the input answers the statements. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/io/fiber.h"
#include "src/io/sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(CONDITION) do { if (!(CONDITION)) abort(); } while (0)

enum { ONLY_PREPARED = 1, CANNED_LOGIN = 2 };

static const struct log silent = { .sink = NULL };

static struct {
    int listener;
    unsigned port;
    struct loop *loop;
} fixture;

/* Greeting, OK, the row that says what it is, and OK twice: each a packet of length, number and payload. */
#define COLUMN "\x17\0\0\1\3def\0\0\0\1c\0\x0c\x2d\0\0\1\0\0\xfd\0\0\0\0\0"
#define END "\5\0\0\1\xfe\0\0\2\0"
#define OK "\7\0\0\1\0\0\0\2\0\0\0"
static const char login[] = "\x4a\0\0\0\x0a" "5.7.25\0\1\0\0\0" "12345678\0\xff\xff\x2d\2\0\xff\0\x15\0\0\0\0\0\0\0\0\0\0" "123456789012\0"
                            "mysql_native_password" "\0" OK
                            "\1\0\0\1\3" COLUMN COLUMN COLUMN END "\x15\0\0\1\6" "5.7.25" "\4" "fake" "\x08" "16777216" END
                            OK OK;

static void tear_down(void)
{
    loop_free(fixture.loop);
    (void)close(fixture.listener);
}

static void set_up(void)
{
    struct loop_conf conf = { "fuzz", &clock_system, &silent, 100, LOOP_STACK_BYTES };
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;

    fixture.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(bind(fixture.listener, (struct sockaddr *)&address, size) == 0);
    MUST(listen(fixture.listener, 1) == 0);
    MUST(getsockname(fixture.listener, (struct sockaddr *)&address, &size) == 0);
    fixture.port = ntohs(address.sin_port);
    MUST(loop_new(&conf, &fixture.loop, NULL) == 0);
    MUST(atexit(tear_down) == 0);
}

struct round {
    struct work_pool *pool; /* of this round alone: no thread of it ends as late as the clean-up of OpenSSL */
    const uint8_t *data;
    size_t size;
    bool done;
};

static void say(int fd, const void *bytes, size_t n)
{
    const char *at = bytes;

    while (n > 0) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);

        if (sent <= 0)
            return;
        at += sent;
        n -= (size_t)sent;
    }
}

static void *serve(void *data)
{
    struct round *r = data;
    int fd = accept(fixture.listener, NULL, NULL);
    char heard[4096];

    MUST(fd >= 0);
    if ((r->data[0] & CANNED_LOGIN) != 0)
        say(fd, login, sizeof login - 1);
    say(fd, r->data + 1, r->size - 1);
    (void)shutdown(fd, SHUT_WR);
    while (recv(fd, heard, sizeof heard, 0) > 0)
        continue;
    (void)close(fd);
    return NULL;
}

struct row {
    int64_t i, t;
    double d;
    const char *text;
    struct slice bytes;
};

static void check_rows(const struct sql_rows *rows)
{
    static const struct sql_field fields[] = {
        SQL_FIELD_OPT(row, i, "i", SQL_C_INT64),     SQL_FIELD_OPT(row, t, "t", SQL_C_TIME),
        SQL_FIELD_OPT(row, d, "d", SQL_C_DOUBLE),    SQL_FIELD_OPT(row, text, "text", SQL_C_TEXT),
        SQL_FIELD_OPT(row, bytes, "bytes", SQL_C_BYTES), { .column = NULL },
    };
    struct row *out = calloc(rows->n_rows + 1, sizeof *out);
    volatile char last = 0;
    struct err e;

    MUST(out != NULL);
    for (unsigned i = 0; i < rows->n_columns; i++)
        MUST(sql_column(rows, rows->columns[i]) >= 0);
    for (size_t i = 0; i < rows->n_rows * rows->n_columns; i++) {
        struct slice cell = rows->cells[i];

        MUST(cell.s == NULL || cell.s[cell.n] == '\0');
        for (size_t k = 0; k < cell.n; k++)
            last = cell.s[k]; /* every byte is there to be read */
    }
    (void)last;
    MUST(sql_fetch(rows, fields, sizeof *out, out, &e) == 0 || err_is(&e, &ERR_SQL_FAILED));
    free(out);
}

static void run(struct sql *s, unsigned flags)
{
    struct sql_value value = sql_v_s("value");
    struct sql_rows rows;
    struct arena arena;
    struct err e;

    arena_init(&arena);
    if (sql_run(s, "SELECT ?", &value, 1, flags, &arena, &rows, &e) == 0)
        check_rows(&rows);
    arena_fini(&arena);
}

static void play(void *data)
{
    struct round *r = data;
    struct sql_target target = { .host = "127.0.0.1", .port = fixture.port, .user = "u", .password = "p",
                                 .connect_timeout_ms = 5000 };
    struct sql *s;

    (void)fiber_narrow_deadline(5000);
    if (sql_connect(&target, r->pool, &s, NULL) == 0) {
        if ((r->data[0] & ONLY_PREPARED) == 0)
            run(s, 0);
        run(s, SQL_PREPARED);
        run(s, SQL_PREPARED);
        sql_close(s);
    }
    r->done = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct work_conf pool = { "connect", 1, 10 };
    struct round r = { .data = data, .size = size };
    pthread_t server;

    if (size == 0)
        return 0;
    if (fixture.loop == NULL)
        set_up();
    MUST(work_pool_new(&pool, &r.pool, NULL) == 0);
    MUST(pthread_create(&server, NULL, serve, &r) == 0);
    MUST(fiber_start(fixture.loop, "play", play, &r, NULL, NULL) == 0);
    while (!r.done)
        loop_run_once(fixture.loop, true);
    MUST(pthread_join(server, NULL) == 0);
    work_pool_free(r.pool);
    return 0;
}
