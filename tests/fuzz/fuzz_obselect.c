/* SPDX-License-Identifier: Apache-2.0 */
/* A SELECT of the kernel's dialect, rewritten for SQLite: whatever comes out, SQLite must be able to refuse or compile it. The first byte is
 * the session's mode. */
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "tests/obsim/lex.h"
#include "tests/obsim/prepass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static sqlite3 *db;

static void tear_down(void)
{
    (void)sqlite3_close(db); /* no statement is open */
}

static void set_up(void)
{
    if (sqlite3_open(":memory:", &db) != SQLITE_OK || atexit(tear_down) != 0)
        abort();
    (void)sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 200);
}

static void compile(const struct str *text)
{
    sqlite3_stmt *st = NULL;

    (void)sqlite3_prepare_v2(db, str_c(text), (int)text->n, &st, NULL); /* it may refuse */
    (void)sqlite3_finalize(st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct prepass mode;
    struct slice sql, near;
    bool unqualified;
    struct str out;

    if (db == NULL)
        set_up();
    if (size == 0 || size > 4096)
        return 0;
    mode = (struct prepass){ .lex_flags = data[0] & (LEX_NO_BACKSLASH | LEX_ANSI_QUOTES), .pipes_concat = (data[0] & 4) != 0 };
    sql = (struct slice){ (const char *)data + 1, size - 1 };
    str_init(&out, NULL);
    if (prepass_run(&mode, sql, &out, &unqualified, &near) == PREPASS_OK)
        compile(&out);
    if (near.n > sql.n || near.s < sql.s || near.s > sql.s + sql.n)
        abort();
    str_fini(&out);
    return 0;
}
