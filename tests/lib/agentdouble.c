/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/agentdouble.h"

#include <stdio.h>

#include "src/base/json.h"
#include "tests/lib/test.h"

#define BOOT "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define OCP "0123456789abcdef0123456789abcdef"
#define NO_NUMBERS .epoch = FIELD_NONE, .forgotten = FIELD_NONE, .pid = FIELD_NONE, .start_time = FIELD_NONE, .output_bytes = FIELD_NONE, .output_cut = -1

ERR_DEFINE(ERR_AGENT_AWAY, 90881, 503, ERR_RETRY, "away {0} {1}", "away {0} {1}");
ERR_DEFINE(ERR_AGENT_LOST, 90882, 503, ERR_UNKNOWN, "lost {0} {1}", "lost {0} {1}");

/* A sweep of failing allocations is not about the double: it asks once more. */
static void apply(struct agent_client *c, const struct record *r)
{
    struct err e = { 0 };
    int rv = ledger_apply(c->ledger, r, &e);

    if (rv == ERR_NOMEM.code)
        rv = ledger_apply(c->ledger, r, &e);
    assert_ok(rv, &e);
}

static void apply_to(struct agent_client *c, enum record_type type, const struct agent_key *key)
{
    apply(c, &(struct record){ .type = (int)type, .key = (struct agent_key *)key, NO_NUMBERS });
}

static void give_birth(struct agent_client *c, char digit)
{
    memset(c->incarnation, digit, sizeof c->incarnation - 1);
    apply(c, &(struct record){ .type = RECORD_BIRTH, .incarnation = c->incarnation, NO_NUMBERS });
}

void double_init(struct agent_client *c)
{
    struct err e = { 0 };

    *c = (struct agent_client){ .last_kind = "" };
    arena_init(&c->arena);
    assert_ok(ledger_new(&c->ledger, &e), &e);
    give_birth(c, 'a');
}

void double_install_anew(struct agent_client *c)
{
    ledger_clear(c->ledger);
    give_birth(c, (char)(c->incarnation[0] + 1));
}

void double_fini(struct agent_client *c)
{
    ledger_free(c->ledger);
    arena_fini(&c->arena);
}

void double_hears(struct agent_client *c, int64_t epoch)
{
    struct record r = { .type = RECORD_FLOOR, .key = &(struct agent_key){ .ocp_id = OCP, .lineage = "" }, NO_NUMBERS };

    r.epoch = epoch;
    apply(c, &r);
}

static int hear(struct agent_client *c, int64_t epoch, struct err *e)
{
    bool raises;
    int rv;

    if (c->is_away) {
        (void)err_set(e, &ERR_AGENT_AWAY, "host");
        return err_arg(e, "it is away");
    }
    rv = ledger_hear(c->ledger, OCP, c->incarnation, epoch, &raises, e);
    if (rv == 0 && raises)
        double_hears(c, epoch);
    return rv;
}

static struct agent_reply word(struct agent_client *c, const struct agent_key *key, struct arena *arena)
{
    const struct entry *entry = ledger_find(c->ledger, key);
    struct agent_key *copy = arena_zalloc(arena, sizeof *copy);

    if (copy == NULL)
        copy = arena_zalloc(arena, sizeof *copy);
    assert_non_null(copy);
    *copy = *key;
    if (entry == NULL || entry->kind == NULL)
        return (struct agent_reply){ .key = copy, .state = ledger_state(c->ledger, key) };
    return (struct agent_reply){
        .key = copy, .state = ledger_state(c->ledger, key), .digest = entry->digest, .kind = entry->kind->name, .failure = entry->failure,
        .answer = entry->answer, .output_bytes = entry->output_bytes, .pid = entry->pid, .start_time = entry->start_time,
    };
}

static void end_with(struct agent_client *c, const struct agent_key *key, enum record_type type, const char *reason)
{
    const char *args[] = { "script", reason };
    struct agent_failure failure = { ERR_AGENT_SCRIPT.code, { args, 2 } };
    struct record r = { .type = (int)type, .key = (struct agent_key *)key, NO_NUMBERS };
    char answer[48];

    (void)snprintf(answer, sizeof answer, "{\"exitStatus\":%u}", c->starts);
    r.answer = answer;
    if (reason != NULL)
        r.failure = &failure;
    apply(c, &r);
}

static int lost(struct err *e)
{
    (void)err_set(e, &ERR_AGENT_LOST, "host");
    return err_arg(e, "the connection broke");
}

/* One that is new. */
static int start(struct agent_client *c, const struct agent_call *call, struct err *e)
{
    enum double_fate fate = c->at_fate < c->n_fates ? c->fates[c->at_fate++] : DOUBLE_DOES;

    apply(c, &(struct record){ .type = RECORD_INTENT, .key = call->key, .digest = call->digest, .kind = call->kind, NO_NUMBERS });
    c->starts++;
    if (fate != DOUBLE_RUNS)
        end_with(c, call->key, fate == DOUBLE_BREAKS ? RECORD_UNKNOWN : RECORD_RESULT, fate == DOUBLE_FAILS ? "exit status 1" : NULL);
    return fate == DOUBLE_RUNS || fate == DOUBLE_MUTE ? lost(e) : 0;
}

static int conclude(struct agent_client *c, const struct agent_command *cmd, struct arena *arena, struct agent_result *out, struct err *e)
{
    struct agent_reply now = word(c, &cmd->key, arena);

    *out = (struct agent_result){ .state = (enum agent_state)now.state, .kind = agent_kind_find(cmd->kind), .answer = now.answer };
    if (now.state == AGENT_UNKNOWN)
        return err_set(e, &ERR_AGENT_UNKNOWN, "key");
    return now.failure != NULL ? agent_failure_set(now.failure, e) : 0;
}

int agent_command(struct agent_client *c, const struct agent_at *at, const struct agent_command *cmd, struct arena *arena,
                  struct agent_result *out, struct err *e)
{
    char *digest = arena_alloc(arena, AGENT_SHA256_SIZE);
    struct agent_call call = { .key = (struct agent_key *)&cmd->key, .epoch = cmd->epoch, .incarnation = c->incarnation, .boot = BOOT,
                               .start_by = 1, .kind = cmd->kind };
    struct admission admission;
    int rv = digest != NULL ? hear(c, cmd->epoch, e) : err_set(e, &ERR_NOMEM, "");

    (void)at;
    c->last = cmd->key;
    c->last_kind = cmd->kind;
    c->last_epoch = cmd->epoch;
    *out = (struct agent_result){ .state = AGENT_UNKNOWN };
    call.digest = digest;
    if (rv == 0)
        rv = agent_digest(agent_kind_find(cmd->kind), cmd->args, digest, e);
    if (rv == 0)
        rv = ledger_admit(c->ledger, &call, BOOT, 0, &admission, e);
    if (rv == 0 && admission.known == NULL)
        rv = start(c, &call, e);
    if (rv != 0)
        return rv;
    if (cmd->on_output != NULL && c->output != NULL)
        cmd->on_output(cmd->data, (struct slice){ c->output, strlen(c->output) });
    return conclude(c, cmd, arena, out, e);
}

/* What runs comes nearer to its end. */
static void pass_time(struct agent_client *c, const struct agent_key *keys, size_t n)
{
    if (c->rounds > 0 && --c->rounds > 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (ledger_state(c->ledger, &keys[i]) == AGENT_RUNNING)
            end_with(c, &keys[i], RECORD_RESULT, NULL);
}

int agent_query(struct agent_client *c, const struct agent_at *at, int64_t epoch, const struct agent_key *keys, size_t n, int64_t wait_ms,
                struct arena *arena, struct agent_reply **out, struct err *e)
{
    int rv = hear(c, epoch, e);

    (void)at;
    (void)wait_ms;
    if (rv != 0)
        return rv;
    c->queries++;
    pass_time(c, keys, n);
    *out = arena_array(arena, n, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++)
        (*out)[i] = word(c, &keys[i], arena);
    return 0;
}

int agent_hello(struct agent_client *c, const struct agent_at *at, int64_t epoch, struct arena *arena, struct agent_hello *out, struct err *e)
{
    int rv = hear(c, epoch, e);

    (void)at;
    c->hellos++;
    *out = (struct agent_hello){ .incarnation = arena_strdup(arena, c->incarnation) };
    return rv != 0 || out->incarnation != NULL ? rv : err_set(e, &ERR_NOMEM, "");
}

struct collecting {
    struct agent_client *client;
    const struct agent_key *key;
    struct arena *arena;
    struct agent_reply *replies;
    size_t n;
};

static bool collect(struct entry *entry, void *data)
{
    struct collecting *all = data;

    if (entry->key.step == all->key->step && entry->key.dispatch < all->key->dispatch)
        all->replies[all->n++] = word(all->client, &entry->key, all->arena);
    return true;
}

int agent_fence(struct agent_client *c, const struct agent_at *at, int64_t epoch, const struct agent_key *key, struct arena *arena,
                struct agent_reply **out, size_t *n, struct err *e)
{
    struct collecting all = { c, key, arena, arena_array(arena, ledger_count(c->ledger).entries + 1, sizeof(struct agent_reply)), 0 };
    bool marks;
    int rv = hear(c, epoch, e);

    (void)at;
    if (rv == 0)
        rv = ledger_fence(c->ledger, key, &marks, e);
    if (rv == 0 && all.replies == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv != 0)
        return rv;
    c->fences++;
    if (marks)
        apply_to(c, RECORD_MARK, key);
    ledger_each(c->ledger, collect, &all);
    *out = all.replies;
    *n = all.n;
    return 0;
}

int agent_acknowledge(struct agent_client *c, const struct agent_at *at, int64_t epoch, const struct agent_key *keys, size_t n,
                      struct arena *arena, struct err *e)
{
    int rv = hear(c, epoch, e);

    (void)at;
    (void)arena;
    for (size_t i = 0; rv == 0 && i < n; i++) {
        assert_int_not_equal(ledger_state(c->ledger, &keys[i]), AGENT_RUNNING); /* whoever says so has not seen its end */
        apply_to(c, RECORD_FORGET, &keys[i]);
        c->acknowledged++;
    }
    return rv;
}

int agent_result_read(const struct agent_result *r, void *obj, struct arena *arena, struct err *e)
{
    json_t *value;
    int rv = json_parse((struct slice){ r->answer, strlen(r->answer) }, &value, e);

    if (rv == 0)
        rv = fields_init(r->kind->answer, obj, arena, e);
    if (rv == 0)
        rv = fields_read(r->kind->answer, value, obj, arena, e);
    json_decref(value);
    return rv;
}
