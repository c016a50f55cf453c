/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds what an agent's disk may hold as its journal. What is taken in must be a ledger that can be written and read again. */
#include <stdlib.h>
#include <string.h>

#include "agent/journal.h"
#include "src/base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(CONDITION) do { if (!(CONDITION)) abort(); } while (0)

static const struct field_style style = { .lang = ERR_EN, .offset_min = CLOCK_Z };

static int copy(const struct record *r, void *data, struct err *e)
{
    struct ledger *to = data;
    struct arena arena;
    struct record again;
    struct str text;
    json_t *value;

    str_init(&text, NULL);
    fields_write(&text, record_fields, r, &style);
    MUST(json_parse((struct slice){ text.s, text.n }, &value, e) == 0);
    arena_init(&arena);
    MUST(fields_init(record_fields, &again, &arena, e) == 0 && fields_read(record_fields, value, &again, &arena, e) == 0);
    MUST(ledger_apply(to, &again, e) == 0);
    json_decref(value);
    arena_fini(&arena);
    str_fini(&text);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ledger_count a, b;
    struct ledger *l, *again;
    enum journal_end end;
    struct err e = { 0 };
    uint32_t number;
    size_t good;

    MUST(ledger_new(&l, &e) == 0 && ledger_new(&again, &e) == 0);
    if (journal_parse((struct slice){ (const char *)data, size }, l, &good, &number, &end, &e) == 0) {
        MUST(good <= size && (end != JOURNAL_WHOLE || good == size));
        MUST(ledger_write(l, copy, again, &e) == 0);
        a = ledger_count(l);
        b = ledger_count(again);
        MUST(a.entries == b.entries && a.marks == b.marks && a.running == b.running);
    }
    ledger_free(l);
    ledger_free(again);
    return 0;
}
