/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds the body of a command to an agent, up to its digest and its admission. What is taken in is written the same way again. */
#include <stdlib.h>
#include <string.h>

#include "agent/ledger.h"
#include "agent/roots.h"
#include "src/base/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(CONDITION) do { if (!(CONDITION)) abort(); } while (0)

static int read_object(const struct field *fields, struct slice text, void *obj, struct arena *arena)
{
    json_t *value;
    int rv = json_parse(text, &value, NULL);

    if (rv != 0)
        return rv;
    rv = fields_init(fields, obj, arena, NULL);
    if (rv == 0)
        rv = json_is_object(value) ? fields_read(fields, value, obj, arena, NULL) : -1;
    json_decref(value);
    return rv;
}

static void check_args(const struct agent_call *call, struct arena *arena)
{
    static const char *const dirs[] = { "/data" };
    static const struct roots roots = { dirs, 1, false };
    static const struct field_style style = { .lang = ERR_EN, .offset_min = CLOCK_Z };
    const struct agent_kind *kind = agent_kind_find(call->kind);
    char digest[AGENT_SHA256_SIZE], again[AGENT_SHA256_SIZE];
    struct str text;
    void *args, *copy;

    if (kind == NULL)
        return;
    args = arena_zalloc(arena, kind->args_size + 1);
    copy = arena_zalloc(arena, kind->args_size + 1);
    MUST(args != NULL && copy != NULL);
    if (read_object(kind->args, (struct slice){ call->args, strlen(call->args) }, args, arena) != 0)
        return;
    MUST(agent_digest(kind, args, digest, NULL) == 0);
    str_init(&text, arena);
    fields_write(&text, kind->args, args, &style);
    MUST(read_object(kind->args, (struct slice){ text.s, text.n }, copy, arena) == 0);
    MUST(agent_digest(kind, copy, again, NULL) == 0 && strcmp(digest, again) == 0);
    if (strcmp(kind->name, "remove_tree") == 0 && roots_check(&roots, ((struct agent_remove_tree *)args)->path, NULL) == 0)
        MUST(strncmp(((struct agent_remove_tree *)args)->path, "/data", 5) == 0 && strstr(((struct agent_remove_tree *)args)->path, "/..") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct admission admission;
    struct agent_key key;
    struct agent_call call;
    struct ledger *l;
    struct arena arena;
    char name[AGENT_KEY_SIZE];
    bool raises;

    arena_init(&arena);
    MUST(ledger_new(&l, NULL) == 0);
    if (read_object(agent_call_fields, (struct slice){ (const char *)data, size }, &call, &arena) == 0) {
        MUST(agent_key_parse((struct slice){ agent_key_text(call.key, name), strlen(agent_key_text(call.key, name)) }, &arena, &key));
        MUST(key.task == call.key->task && key.seq == call.key->seq && strcmp(key.lineage, call.key->lineage) == 0);
        MUST(ledger_hear(l, call.key->ocp_id, NULL, call.epoch, &raises, NULL) == 0 || call.epoch > LEDGER_MAX_JUMP);
        if (ledger_admit(l, &call, call.boot, 1000, &admission, NULL) == 0)
            MUST(call.start_by >= 1000 && call.start_by <= 1000 + AGENT_START_MS);
        check_args(&call, &arena);
    }
    ledger_free(l);
    arena_fini(&arena);
    return 0;
}
