/* SPDX-License-Identifier: Apache-2.0 */
/* What a client sends to a simulated observer: its login, a change of user, the values of a prepared statement. The first byte says which. */
#include <stdlib.h>
#include <string.h>

#include "tests/obsim/packet.h"
#include "tests/obsim/stmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(CONDITION) do { if (!(CONDITION)) abort(); } while (0)

static void check_view(struct slice part, struct slice whole)
{
    MUST(part.n == 0 || (part.s >= whole.s && part.s + part.n <= whole.s + whole.n));
}

static void check_login(const struct packet_login *l, struct slice whole)
{
    check_view(l->user, whole);
    check_view(l->answer, whole);
    check_view(l->database, whole);
    check_view(l->plugin, whole);
}

static void execute(struct slice payload)
{
    struct sim_stmts all = { 0 };
    struct sim_stmt *st = stmt_new(&all, SLICE("SELECT ?, '?', ? FROM `?` WHERE a = ? -- ?"));
    struct str sql;

    MUST(st != NULL && st->n_params == 3);
    stmt_add_long_data(st, payload);
    for (int i = 0; i < 2; i++) {
        str_init(&sql, NULL);
        if (stmt_bind(st, payload, &sql))
            MUST(!str_failed(&sql) && strstr(str_c(&sql), "FROM `?` WHERE a = ") != NULL);
        str_fini(&sql);
    }
    stmt_close(&all, st->id);
    stmts_fini(&all);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct packet_login login;
    struct slice rest;

    if (size == 0)
        return 0;
    rest = (struct slice){ (const char *)data + 1, size - 1 };
    switch (data[0] % 3) {
    case 0:
        if (packet_read_login(rest, &login))
            check_login(&login, rest);
        break;
    case 1:
        if (packet_read_change_user(rest, CAP_PROTOCOL_41, &login))
            check_login(&login, rest);
        break;
    default:
        execute(rest);
        break;
    }
    return 0;
}
