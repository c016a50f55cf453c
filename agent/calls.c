/* SPDX-License-Identifier: Apache-2.0 */
/* The calls that are about commands. What an answer says is on the disk before it is sent: it is worded first, then the journal is synced. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/job.h"
#include "agent/serve.h"
#include "src/base/num.h"

#define NO_NUMBERS .epoch = FIELD_NONE, .forgotten = FIELD_NONE, .pid = FIELD_NONE, .start_time = FIELD_NONE, .output_bytes = FIELD_NONE, .output_cut = -1

enum { OUTPUT_PIECE = 256 * 1024 };

static int add(struct proxy *p, enum record_type type, const struct agent_key *key, int64_t epoch, const struct agent_call *call, struct err *e)
{
    struct record r = { .type = type, .at_us = clock_wall_us(&clock_system), .key = (struct agent_key *)key, NO_NUMBERS };

    r.epoch = epoch;
    if (call != NULL) {
        r.digest = call->digest;
        r.kind = call->kind;
    }
    return journal_add(p->journal, &r, e);
}

int proxy_hear(struct proxy *p, const char *ocp_id, const char *incarnation, int64_t epoch, struct err *e)
{
    const struct agent_key key = { .ocp_id = ocp_id, .lineage = ocp_id };
    bool raises;
    int rv;

    if (strcmp(ocp_id, p->frame->conf.ocp_id) != 0)
        return err_set(e, &ERR_AGENT_OTHER, "%s", p->frame->conf.ocp_id);
    rv = ledger_hear(p->ledger, ocp_id, incarnation, epoch, &raises, e);
    return rv == 0 && raises ? add(p, RECORD_FLOOR, &key, epoch, NULL, e) : rv;
}

/* ---- wording ------------------------------------------------------------------------------------------------------------------------ */

static struct agent_reply word(struct proxy *p, const struct agent_key *key)
{
    const struct entry *entry = ledger_find(p->ledger, key);
    struct agent_reply out = { .key = (struct agent_key *)key, .state = (int)ledger_state(p->ledger, key), .output_bytes = 0, .output_cut = 0,
                               .pid = FIELD_NONE, .start_time = FIELD_NONE };

    if (entry == NULL || entry->state == ENTRY_BURIED)
        return out;
    out.digest = entry->digest;
    out.kind = entry->kind->name;
    out.failure = entry->failure;
    out.answer = entry->answer;
    out.output_bytes = commands_output_bytes(&p->commands, entry);
    out.output_cut = entry->output_cut;
    out.pid = entry->pid;
    out.start_time = entry->start_time;
    return out;
}

static int answer_keys(struct proxy_call *c, const struct agent_key *keys, size_t n, struct err *e)
{
    struct agent_reply *replies = arena_array(c->rq->arena, n + 1, sizeof *replies);
    struct agent_replies out = { .incarnation = ledger_incarnation(c->proxy->ledger), .commands = { replies, n } };

    if (replies == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++)
        replies[i] = word(c->proxy, &keys[i]);
    return proxy_answer(c, agent_replies_fields, &out, e);
}

/* ---- command -------------------------------------------------------------------------------------------------------------------------- */

/* Its arguments by the kind's table, and their digest: what was sent is what was meant, and this agent knows all of it. */
static int check_content(struct proxy_call *c, const struct agent_call *call, struct err *e)
{
    const struct agent_kind *kind = agent_kind_find(call->kind);
    char digest[AGENT_SHA256_SIZE], name[AGENT_KEY_SIZE];
    void *args;
    int rv;

    if (kind == NULL)
        return err_set(e, &ERR_AGENT_KIND, "%s", call->kind);
    args = arena_zalloc(c->rq->arena, kind->args_size + 1);
    rv = args == NULL ? err_set(e, &ERR_NOMEM, "") : proxy_parse(call->args, kind->args, args, c->rq->arena, e);
    if (rv == 0)
        rv = agent_digest(kind, args, digest, e);
    if (rv == 0 && strcmp(digest, call->digest) != 0)
        rv = err_set(e, &ERR_AGENT_ALTERED, "%s", agent_key_text(call->key, name));
    return rv;
}

/* Waits until the command has ended, `wait_ms` at most. */
static int await_end(struct proxy *p, const struct agent_key *key, int64_t wait_ms, struct err *e)
{
    int64_t former = fiber_narrow_deadline(wait_ms);
    struct err why = { 0 };
    int rv = 0;

    while (rv == 0 && ledger_state(p->ledger, key) == AGENT_RUNNING)
        rv = waitlist_wait(&p->commands.ended, &why);
    fiber_restore_deadline(former);
    if (rv == 0 || err_is(&why, &ERR_TIMEOUT))
        return 0;
    *e = why;
    return rv;
}

static int answer_one(struct proxy_call *c, const struct agent_key *key, struct err *e)
{
    const struct agent_reply reply = word(c->proxy, key);

    return proxy_answer(c, agent_reply_fields, &reply, e);
}

static int read_now(struct proxy_call *c, const struct agent_call *call, struct err *e)
{
    struct agent_reply reply = { .key = call->key, .digest = call->digest, .state = AGENT_DONE, .kind = call->kind, .output_cut = 0,
                                 .pid = FIELD_NONE, .start_time = FIELD_NONE };
    struct agent_failure failure;
    struct err why = { 0 };
    int rv = commands_read(&c->proxy->commands, call, c->rq->arena, &reply.answer, &why);

    if (rv == ERR_CANCELLED.code || rv == ERR_NOMEM.code || rv == ERR_BUSY.code) {
        *e = why;
        return rv;
    }
    rv = rv == 0 ? 0 : agent_failure_of(&why, c->rq->arena, &failure, e);
    reply.failure = why.row != NULL ? &failure : NULL;
    return rv == 0 ? proxy_answer(c, agent_reply_fields, &reply, e) : rv;
}

static int start_new(struct proxy_call *c, const struct agent_call *call, struct err *e)
{
    struct proxy *p = c->proxy;
    struct record r = { .type = RECORD_RESULT, .at_us = clock_wall_us(&clock_system), .key = call->key, NO_NUMBERS };
    struct agent_failure failure;
    struct err why = { 0 };
    struct entry *entry;
    int rv = add(p, RECORD_INTENT, call->key, FIELD_NONE, call, e);

    if (rv != 0)
        return rv;
    entry = ledger_find(p->ledger, call->key);
    rv = commands_start(&p->commands, entry, call, &why);
    if (rv == 0)
        return 0;
    /* it did not even begin; that is its result */
    rv = agent_failure_of(&why, c->rq->arena, &failure, e);
    r.failure = &failure;
    return rv == 0 ? journal_add(p->journal, &r, e) : rv;
}

int proxy_command(struct proxy_call *c, struct err *e)
{
    struct proxy *p = c->proxy;
    struct agent_call call;
    struct admission admission;
    bool reads;
    int rv = proxy_read(c, agent_call_fields, &call, e);

    if (rv == 0)
        rv = proxy_hear(p, call.key->ocp_id, call.incarnation, call.epoch, e);
    if (rv == 0)
        rv = check_content(c, &call, e);
    if (rv == 0)
        rv = ledger_admit(p->ledger, &call, p->boot, clock_now_ms(&clock_system), &admission, e);
    if (rv != 0)
        return rv;
    reads = (agent_kind_find(call.kind)->flags & AGENT_READS) != 0;
    if (admission.marks && (reads || admission.known == NULL))
        rv = add(p, RECORD_MARK, call.key, FIELD_NONE, NULL, e);
    if (rv == 0 && reads)
        return read_now(c, &call, e);
    if (rv == 0 && admission.known == NULL)
        rv = start_new(c, &call, e);
    if (rv == 0)
        rv = await_end(p, call.key, call.wait_ms, e);
    return rv == 0 ? answer_one(c, call.key, e) : rv;
}

/* ---- query, stop, acknowledge ------------------------------------------------------------------------------------------------------------ */

static int read_ask(struct proxy_call *c, struct agent_ask *ask, struct err *e)
{
    int rv = proxy_read(c, agent_ask_fields, ask, e);
    const struct agent_key *keys = rv == 0 ? ask->keys.items : NULL;

    for (size_t i = 0; rv == 0 && i < ask->keys.n; i++)
        rv = proxy_hear(c->proxy, keys[i].ocp_id, ask->incarnation, ask->epoch, e);
    return rv;
}

static bool any_ended(const struct proxy *p, const struct agent_ask *ask)
{
    const struct agent_key *keys = ask->keys.items;

    for (size_t i = 0; i < ask->keys.n; i++)
        if (ledger_state(p->ledger, &keys[i]) != AGENT_RUNNING)
            return true;
    return false;
}

static int await_any(struct proxy *p, const struct agent_ask *ask, struct err *e)
{
    int64_t former = fiber_narrow_deadline(ask->wait_ms);
    struct err why = { 0 };
    int rv = 0;

    while (rv == 0 && ask->wait_ms > 0 && !any_ended(p, ask))
        rv = waitlist_wait(&p->commands.ended, &why);
    fiber_restore_deadline(former);
    if (rv == 0 || err_is(&why, &ERR_TIMEOUT))
        return 0;
    *e = why;
    return rv;
}

int proxy_query(struct proxy_call *c, struct err *e)
{
    struct agent_ask ask;
    const struct agent_key *keys;
    int rv = read_ask(c, &ask, e);

    if (rv == 0)
        rv = await_any(c->proxy, &ask, e);
    keys = rv == 0 ? ask.keys.items : NULL;
    for (size_t i = 0; rv == 0 && i < ask.keys.n; i++)
        if (ledger_state(c->proxy->ledger, &keys[i]) == AGENT_NEVER_HEARD && ledger_find(c->proxy->ledger, &keys[i]) == NULL)
            rv = add(c->proxy, RECORD_BURY, &keys[i], FIELD_NONE, NULL, e);
    return rv == 0 ? answer_keys(c, keys, ask.keys.n, e) : rv;
}

int proxy_stop(struct proxy_call *c, struct err *e)
{
    struct agent_ask ask;
    int rv = read_ask(c, &ask, e);
    const struct agent_key *keys = rv == 0 ? ask.keys.items : NULL;

    for (size_t i = 0; rv == 0 && i < ask.keys.n; i++) {
        struct entry *entry = ledger_find(c->proxy->ledger, &keys[i]);

        if (entry != NULL)
            commands_stop(&c->proxy->commands, entry);
    }
    return rv == 0 ? answer_keys(c, keys, ask.keys.n, e) : rv;
}

int proxy_acknowledge(struct proxy_call *c, struct err *e)
{
    struct agent_ask ask;
    int rv = read_ask(c, &ask, e);
    const struct agent_key *keys = rv == 0 ? ask.keys.items : NULL;

    for (size_t i = 0; rv == 0 && i < ask.keys.n; i++) {
        const struct entry *entry = ledger_find(c->proxy->ledger, &keys[i]);

        if (entry == NULL || entry->state == ENTRY_RUNNING)
            continue;
        rv = add(c->proxy, RECORD_FORGET, &keys[i], FIELD_NONE, NULL, e);
        if (rv == 0)
            commands_forget(&c->proxy->commands, &keys[i]);
    }
    return rv == 0 ? answer_keys(c, keys, ask.keys.n, e) : rv;
}

/* ---- fence ------------------------------------------------------------------------------------------------------------------------------- */

struct collecting {
    struct proxy *proxy;
    const struct agent_key *key;
    struct arena *arena;
    struct agent_reply *replies;
    size_t n, space;
    bool failed;
};

static bool same_step(const struct agent_key *a, const struct agent_key *b)
{
    return a->task == b->task && a->step == b->step && strcmp(a->ocp_id, b->ocp_id) == 0 && strcmp(a->lineage, b->lineage) == 0;
}

static bool collect(struct entry *entry, void *data)
{
    struct collecting *all = data;

    if (entry->state == ENTRY_BURIED || !same_step(&entry->key, all->key) || entry->key.dispatch >= all->key->dispatch)
        return true;
    if (all->n == all->space) {
        size_t space = all->space * 2 + 16;
        struct agent_reply *more = arena_array(all->arena, space, sizeof *more);

        all->failed = more == NULL;
        if (all->failed)
            return false;
        if (all->n > 0)
            memcpy(more, all->replies, all->n * sizeof *more);
        all->replies = more;
        all->space = space;
    }
    all->replies[all->n++] = word(all->proxy, &entry->key);
    return true;
}

int proxy_fence(struct proxy_call *c, struct err *e)
{
    struct proxy *p = c->proxy;
    struct agent_replies out = { .incarnation = ledger_incarnation(p->ledger) };
    struct agent_fence fence;
    struct collecting all;
    bool marks = false;
    int rv = proxy_read(c, agent_fence_fields, &fence, e);

    if (rv == 0)
        rv = proxy_hear(p, fence.key->ocp_id, fence.incarnation, fence.epoch, e);
    if (rv == 0)
        rv = ledger_fence(p->ledger, fence.key, &marks, e);
    if (rv == 0 && marks)
        rv = add(p, RECORD_MARK, fence.key, FIELD_NONE, NULL, e);
    if (rv != 0)
        return rv;
    all = (struct collecting){ .proxy = p, .key = fence.key, .arena = c->rq->arena };
    ledger_each(p->ledger, collect, &all);
    if (all.failed)
        return err_set(e, &ERR_NOMEM, "");
    out.commands = (struct field_list){ all.replies, all.n };
    return proxy_answer(c, agent_replies_fields, &out, e);
}

/* ---- output ------------------------------------------------------------------------------------------------------------------------------ */

struct reading {
    const char *path;
    int64_t from;
    char *bytes;
    ssize_t n;
};

static void read_output(void *data)
{
    struct reading *r = data;
    int fd = open(r->path, O_RDONLY | O_CLOEXEC);

    r->n = fd >= 0 ? pread(fd, r->bytes, OUTPUT_PIECE, r->from) : 0;
    if (fd >= 0)
        (void)close(fd);
}

static int from_of(struct slice query, int64_t *from)
{
    return slice_starts(query, "from=") && num_parse_i64_in((struct slice){ query.s + 5, query.n - 5 }, 0, INT64_MAX, from) ? 0 : -1;
}

/* {key}/output?from=N */
int proxy_output(struct proxy_call *c, struct err *e)
{
    struct slice rest = c->rest, text = slice_cut(&rest, '/');
    struct reading r = { .from = 0 };
    struct agent_key key;
    char path[JOB_PATH_SIZE];
    struct http_header state = { SLICE("x-agent-state"), { NULL, 0 } };
    int rv;

    if (!slice_is(rest, "output") || !agent_key_parse(text, c->rq->arena, &key) || from_of(c->rq->query, &r.from) != 0)
        return err_set(e, &ERR_REQUEST, "the path must be /agent/command/KEY/output?from=N");
    r.path = job_path(c->proxy->frame->home, &key, "out", path);
    r.bytes = arena_alloc(c->rq->arena, OUTPUT_PIECE);
    if (r.bytes == NULL)
        return err_set(e, &ERR_NOMEM, "");
    state.value.s = agent_state_names[ledger_state(c->proxy->ledger, &key)];
    state.value.n = strlen(state.value.s);
    rv = commands_on_thread(&c->proxy->commands, read_output, &r, e);
    return rv == 0 ? http_reply(c->rq, 200, &state, 1, (struct slice){ r.bytes, r.n > 0 ? (size_t)r.n : 0 }, e) : rv;
}

/* ---- blobs ------------------------------------------------------------------------------------------------------------------------------- */

static bool number_in(struct slice query, const char *name, int64_t *out)
{
    while (query.n > 0) {
        struct slice value = slice_cut(&query, '&'), key = slice_cut(&value, '=');

        if (slice_is(key, name))
            return num_parse_i64_in(value, 0, INT64_MAX, out);
    }
    return false;
}

int proxy_blob_put(struct proxy_call *c, struct err *e)
{
    const char *sha256 = arena_strndup(c->rq->arena, c->rest.s, c->rest.n);
    struct agent_blob out = { .size = 0, .complete = 0 };
    int64_t offset, size;
    int rv;

    if (sha256 == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (!number_in(c->rq->query, "offset", &offset) || !number_in(c->rq->query, "size", &size))
        return err_set(e, &ERR_REQUEST, "offset and size must be given");
    rv = blobs_put(&c->proxy->blobs, sha256, offset, size, c->rq, &out, e);
    return rv == 0 ? proxy_answer(c, agent_blob_fields, &out, e) : rv;
}

int proxy_blob_get(struct proxy_call *c, struct err *e)
{
    const char *sha256 = arena_strndup(c->rq->arena, c->rest.s, c->rest.n);
    struct agent_blob out;
    int rv = sha256 == NULL ? err_set(e, &ERR_NOMEM, "") : blobs_have(&c->proxy->blobs, sha256, &out, e);

    return rv == 0 ? proxy_answer(c, agent_blob_fields, &out, e) : rv;
}
