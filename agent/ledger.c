/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/ledger.h"

#include <stdio.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(obj) (obj)->lost = true
#include <uthash.h>

enum { MAX_ROOTS = 256 };

/* An entry with what it owns. */
struct slot {
    struct entry entry;
    struct arena arena;
    int64_t at_us;
    bool lost;                       /* set by uthash when memory is out */
    UT_hash_handle hh;
    char name[AGENT_KEY_SIZE];
};

/* One step: no dispatch below this one starts. */
struct mark {
    char name[AGENT_KEY_SIZE];
    struct agent_key key;            /* dispatch: the highest seen */
    char ocp_id[AGENT_ID_SIZE], lineage[AGENT_ID_SIZE];
    int64_t forgotten;               /* highest dispatch of which something was acknowledged; -1: none */
    int64_t at_us;
    unsigned n_entries;
    bool lost;
    UT_hash_handle hh;
};

struct floor {
    char ocp_id[AGENT_ID_SIZE];
    int64_t epoch;
};

struct ledger {
    char incarnation[AGENT_ID_SIZE];
    struct floor floors[LEDGER_MAX_FLOORS];
    unsigned n_floors;
    struct slot *slots;              /* owned, hash by name */
    struct mark *marks;              /* owned, hash by name */
    const char *roots[MAX_ROOTS];    /* owned */
    size_t n_roots;
};

static const char *const type_names[] = { "BIRTH", "FLOOR", "MARK", "INTENT", "PROCESS", "RESULT", "UNKNOWN", "BURY", "FORGET", "ROOT", NULL };

const struct field record_fields[] = {
    F_ENUM(record, type, "type", type_names, .flags = FIELD_REQUIRED), F_INT(record, at_us, "atUs", .def = "0", .min = 0, .max = INT64_MAX),
    F_OBJECT(record, key, "key", agent_key, agent_key_fields), F_STRING(record, incarnation, "incarnation", .max = AGENT_ID_SIZE - 1),
    F_STRING(record, digest, "digest", .max = AGENT_SHA256_SIZE - 1), F_STRING(record, kind, "kind", .max = 32),
    F_STRING(record, boot, "boot", .max = AGENT_ID_SIZE - 1), F_STRING(record, path, "path", .max = 4000), F_INT(record, epoch, "epoch"),
    F_INT(record, forgotten, "forgotten"), F_INT(record, pid, "pid"), F_INT(record, start_time, "startTime"),
    F_OBJECT(record, failure, "failure", agent_failure, agent_failure_fields), F_JSON(record, answer, "answer"),
    F_INT(record, output_bytes, "outputBytes"), F_BOOL(record, output_cut, "outputCut"), FIELD_END,
};

int ledger_new(struct ledger **out, struct err *e)
{
    *out = mem_zalloc(sizeof **out);
    return *out != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static void slot_free(struct slot *s)
{
    arena_fini(&s->arena);
    mem_free(s);
}

void ledger_clear(struct ledger *l)
{
    struct slot *s, *next_slot;
    struct mark *m, *next_mark;

    HASH_ITER(hh, l->slots, s, next_slot) {
        HASH_DEL(l->slots, s);
        slot_free(s);
    }
    HASH_ITER(hh, l->marks, m, next_mark) {
        HASH_DEL(l->marks, m);
        mem_free(m);
    }
    for (size_t i = 0; i < l->n_roots; i++)
        mem_free((void *)l->roots[i]);
    *l = (struct ledger){ .n_roots = 0 };
}

void ledger_free(struct ledger *l)
{
    if (l != NULL)
        ledger_clear(l);
    mem_free(l);
}

const char *ledger_incarnation(const struct ledger *l)
{
    return l->incarnation;
}

const char *const *ledger_roots(const struct ledger *l, size_t *n)
{
    *n = l->n_roots;
    return l->roots;
}

/* ---- finding --------------------------------------------------------------------------------------------------------------- */

static struct slot *slot_of(const struct ledger *l, const struct agent_key *key)
{
    char name[AGENT_KEY_SIZE];
    struct slot *s;

    (void)agent_key_text(key, name);
    HASH_FIND_STR(l->slots, name, s);
    return s;
}

struct entry *ledger_find(const struct ledger *l, const struct agent_key *key)
{
    struct slot *s = slot_of(l, key);

    return s != NULL ? &s->entry : NULL;
}

static const char *mark_name(const struct agent_key *k, char buf[AGENT_KEY_SIZE])
{
    (void)snprintf(buf, AGENT_KEY_SIZE, "%.32s.%.32s.%lld.%lld", k->ocp_id, k->lineage, (long long)k->task, (long long)k->step);
    return buf;
}

static struct mark *mark_of(const struct ledger *l, const struct agent_key *key)
{
    char name[AGENT_KEY_SIZE];
    struct mark *m;

    (void)mark_name(key, name);
    HASH_FIND_STR(l->marks, name, m);
    return m;
}

static const struct floor *floor_of(const struct ledger *l, const char *ocp_id)
{
    for (unsigned i = 0; i < l->n_floors; i++)
        if (strcmp(l->floors[i].ocp_id, ocp_id) == 0)
            return &l->floors[i];
    return NULL;
}

int64_t ledger_floor(const struct ledger *l, const char *ocp_id)
{
    const struct floor *f = floor_of(l, ocp_id);

    return f != NULL ? f->epoch : 0;
}

/* ---- deciding --------------------------------------------------------------------------------------------------------------- */

static int two(struct err *e, const struct err_row *row, int64_t mine, int64_t theirs)
{
    (void)err_set(e, row, "%lld", (long long)mine);
    return err_arg(e, "%lld", (long long)theirs);
}

static int of_key(struct err *e, const struct err_row *row, const struct agent_key *key)
{
    char name[AGENT_KEY_SIZE];

    return err_set(e, row, "%s", agent_key_text(key, name));
}

static int full(struct err *e, const char *what, unsigned limit)
{
    (void)err_set(e, &ERR_AGENT_FULL, "%s", what);
    return err_arg(e, "%u", limit);
}

int ledger_hear(const struct ledger *l, const char *ocp_id, const char *incarnation, int64_t epoch, bool *raises, struct err *e)
{
    int64_t floor = ledger_floor(l, ocp_id);

    *raises = false;
    if (incarnation != NULL && strcmp(incarnation, l->incarnation) != 0) {
        (void)err_set(e, &ERR_AGENT_INCARNATION, "%s", incarnation);
        return err_arg(e, "%s", l->incarnation);
    }
    if (epoch < floor)
        return two(e, &ERR_AGENT_EPOCH, epoch, floor);
    if (epoch - floor > LEDGER_MAX_JUMP)
        return err_set(e, &ERR_AGENT_EPOCH_WILD, "%lld", (long long)epoch);
    *raises = epoch > floor;
    if (*raises && floor_of(l, ocp_id) == NULL && l->n_floors == LEDGER_MAX_FLOORS)
        return full(e, "list of OCP clusters", LEDGER_MAX_FLOORS);
    return 0;
}

/* What is refused whatever else holds. */
static int check_dispatch(const struct ledger *l, const struct agent_key *key, bool *marks, struct err *e)
{
    const struct mark *m = mark_of(l, key);

    *marks = m == NULL || m->key.dispatch < key->dispatch;
    if (m != NULL && key->dispatch < m->key.dispatch)
        return two(e, &ERR_AGENT_DISPATCH, key->dispatch, m->key.dispatch);
    if (m == NULL && HASH_COUNT(l->marks) >= LEDGER_MAX_MARKS)
        return full(e, "ledger of steps", LEDGER_MAX_MARKS);
    return 0;
}

static int check_known(const struct entry *known, const struct agent_call *call, struct err *e)
{
    if (known->state == ENTRY_BURIED)
        return of_key(e, &ERR_AGENT_BURIED, call->key);
    if (strcmp(known->digest, call->digest) != 0)
        return of_key(e, &ERR_AGENT_ALTERED, call->key);
    return 0;
}

static int check_time(const struct agent_call *call, const char *boot, int64_t now_ms, struct err *e)
{
    if (strcmp(call->boot, boot) != 0)
        return err_set(e, &ERR_AGENT_LATE, "the host was booted since it was sent");
    if (now_ms > call->start_by)
        return err_set(e, &ERR_AGENT_LATE, "it came %lld ms after it had to be started", (long long)(now_ms - call->start_by));
    if (call->start_by - now_ms > AGENT_START_MS)
        return err_set(e, &ERR_AGENT_LATE, "it wants to be startable for more than %d ms", AGENT_START_MS);
    return 0;
}

int ledger_admit(const struct ledger *l, const struct agent_call *call, const char *boot, int64_t now_ms, struct admission *out, struct err *e)
{
    const struct mark *m = mark_of(l, call->key);
    int rv;

    *out = (struct admission){ .known = ledger_find(l, call->key) };
    rv = check_dispatch(l, call->key, &out->marks, e);
    if (rv == 0 && out->known != NULL)
        return check_known(out->known, call, e);
    if (rv == 0 && m != NULL && call->key->dispatch <= m->forgotten)
        rv = of_key(e, &ERR_AGENT_FORGOTTEN, call->key);
    if (rv == 0)
        rv = check_time(call, boot, now_ms, e);
    if (rv == 0 && HASH_COUNT(l->slots) >= LEDGER_MAX_ENTRIES)
        rv = full(e, "ledger of commands", LEDGER_MAX_ENTRIES);
    return rv;
}

enum agent_state ledger_state(const struct ledger *l, const struct agent_key *key)
{
    static const enum agent_state of[] = {
        [ENTRY_RUNNING] = AGENT_RUNNING, [ENTRY_DONE] = AGENT_DONE, [ENTRY_UNKNOWN] = AGENT_UNKNOWN, [ENTRY_BURIED] = AGENT_NEVER_HEARD,
    };
    const struct entry *entry = ledger_find(l, key);
    const struct mark *m = mark_of(l, key);

    if (entry != NULL)
        return of[entry->state];
    return m != NULL && key->dispatch <= m->forgotten ? AGENT_FORGOTTEN : AGENT_NEVER_HEARD;
}

int ledger_fence(const struct ledger *l, const struct agent_key *key, bool *marks, struct err *e)
{
    return check_dispatch(l, key, marks, e);
}

/* ---- records ------------------------------------------------------------------------------------------------------------------ */

static int nonsense(const struct record *r, struct err *e)
{
    return err_set(e, &ERR_INVALID, "a record of type %s makes no sense here", type_names[r->type]);
}

static int nomem(struct err *e)
{
    return err_set(e, &ERR_NOMEM, "");
}

static int raise_floor(struct ledger *l, const struct record *r, struct err *e)
{
    struct floor *f = (struct floor *)floor_of(l, r->key->ocp_id);

    if (f == NULL && l->n_floors == LEDGER_MAX_FLOORS)
        return nonsense(r, e);
    if (f == NULL) {
        f = &l->floors[l->n_floors++];
        (void)snprintf(f->ocp_id, sizeof f->ocp_id, "%s", r->key->ocp_id);
    }
    if (r->epoch > f->epoch)
        f->epoch = r->epoch;
    return 0;
}

/* The mark of the key's step, made if it is not there. */
static struct mark *get_mark(struct ledger *l, const struct agent_key *key)
{
    struct mark *m = mark_of(l, key);

    if (m != NULL)
        return m;
    m = mem_zalloc(sizeof *m);
    if (m == NULL)
        return NULL;
    (void)mark_name(key, m->name);
    (void)snprintf(m->ocp_id, sizeof m->ocp_id, "%s", key->ocp_id);
    (void)snprintf(m->lineage, sizeof m->lineage, "%s", key->lineage);
    m->key = (struct agent_key){ m->ocp_id, m->lineage, key->task, key->step, 0, 0 };
    m->forgotten = -1;
    HASH_ADD_STR(l->marks, name, m);
    if (m->lost) {
        mem_free(m);
        return NULL;
    }
    return m;
}

static int raise_mark(struct ledger *l, const struct record *r, struct err *e)
{
    struct mark *m = get_mark(l, r->key);

    if (m == NULL)
        return nomem(e);
    if (r->key->dispatch > m->key.dispatch)
        m->key.dispatch = r->key->dispatch;
    if (r->forgotten != FIELD_NONE && r->forgotten > m->forgotten)
        m->forgotten = r->forgotten;
    if (r->at_us > m->at_us)
        m->at_us = r->at_us;
    return 0;
}

static int add_slot(struct ledger *l, const struct record *r, enum entry_state state, struct slot **out, struct err *e)
{
    struct mark *m = get_mark(l, r->key);
    struct slot *s = m != NULL ? mem_zalloc(sizeof *s) : NULL;
    struct agent_key *k;

    if (s == NULL)
        return nomem(e);
    arena_init(&s->arena);
    k = &s->entry.key;
    *k = *r->key;
    k->ocp_id = arena_strdup(&s->arena, r->key->ocp_id);
    k->lineage = arena_strdup(&s->arena, r->key->lineage);
    s->entry.state = state;
    s->entry.pid = s->entry.start_time = FIELD_NONE;
    s->at_us = r->at_us;
    (void)agent_key_text(r->key, s->name);
    if (k->ocp_id != NULL && k->lineage != NULL)
        HASH_ADD_STR(l->slots, name, s);
    if (k->ocp_id == NULL || k->lineage == NULL || s->lost) {
        slot_free(s);
        return nomem(e);
    }
    m->n_entries++;
    *out = s;
    return 0;
}

static int add_intent(struct ledger *l, const struct record *r, struct err *e)
{
    const struct agent_kind *kind = r->kind != NULL ? agent_kind_find(r->kind) : NULL;
    struct slot *s;
    int rv;

    if (kind == NULL || r->digest == NULL || slot_of(l, r->key) != NULL)
        return nonsense(r, e);
    rv = add_slot(l, r, ENTRY_RUNNING, &s, e);
    if (rv != 0)
        return rv;
    s->entry.kind = kind;
    (void)snprintf(s->entry.digest, sizeof s->entry.digest, "%s", r->digest);
    return raise_mark(l, r, e);
}

static int bury(struct ledger *l, const struct record *r, struct err *e)
{
    struct slot *s;

    return slot_of(l, r->key) != NULL ? nonsense(r, e) : add_slot(l, r, ENTRY_BURIED, &s, e);
}

static int note_process(struct ledger *l, const struct record *r, struct err *e)
{
    struct slot *s = slot_of(l, r->key);

    if (s == NULL || s->entry.state != ENTRY_RUNNING || r->boot == NULL)
        return nonsense(r, e);
    s->entry.pid = r->pid;
    s->entry.start_time = r->start_time;
    (void)snprintf(s->entry.boot, sizeof s->entry.boot, "%s", r->boot);
    return 0;
}

static int copy_failure(struct slot *s, const struct agent_failure *from, struct err *e)
{
    struct agent_failure *f;

    if (from == NULL)
        return 0;
    f = arena_zalloc(&s->arena, sizeof *f);
    if (f == NULL)
        return nomem(e);
    f->code = from->code;
    f->args.items = arena_array(&s->arena, from->args.n + 1, sizeof(char *));
    f->args.n = from->args.n;
    for (size_t i = 0; f->args.items != NULL && i < from->args.n; i++) {
        f->args.items[i] = arena_strdup(&s->arena, from->args.items[i]);
        if (f->args.items[i] == NULL)
            return nomem(e);
    }
    s->entry.failure = f;
    return f->args.items != NULL ? 0 : nomem(e);
}

static int note_result(struct ledger *l, const struct record *r, struct err *e)
{
    struct slot *s = slot_of(l, r->key);
    int rv;

    if (s == NULL || s->entry.state != ENTRY_RUNNING)
        return nonsense(r, e);
    rv = copy_failure(s, r->failure, e);
    if (rv == 0 && r->answer != NULL) {
        s->entry.answer = arena_strdup(&s->arena, r->answer);
        if (s->entry.answer == NULL)
            rv = nomem(e);
    }
    if (rv != 0)
        return rv;
    s->entry.output_bytes = r->output_bytes == FIELD_NONE ? 0 : r->output_bytes;
    s->entry.output_cut = r->output_cut == 1;
    s->entry.state = r->type == RECORD_UNKNOWN ? ENTRY_UNKNOWN : ENTRY_DONE;
    s->at_us = r->at_us;
    return 0;
}

static int forget(struct ledger *l, const struct record *r, struct err *e)
{
    struct slot *s = slot_of(l, r->key);
    struct mark *m = get_mark(l, r->key);

    if (m == NULL)
        return nomem(e);
    if (s != NULL && s->entry.state == ENTRY_RUNNING)
        return nonsense(r, e);
    if (r->key->dispatch > m->forgotten)
        m->forgotten = r->key->dispatch;
    if (r->at_us > m->at_us)
        m->at_us = r->at_us;
    if (s == NULL)
        return 0;
    HASH_DEL(l->slots, s);
    slot_free(s);
    m->n_entries--;
    return 0;
}

static int add_root(struct ledger *l, const struct record *r, struct err *e)
{
    for (size_t i = 0; i < l->n_roots; i++)
        if (strcmp(l->roots[i], r->path) == 0)
            return 0;
    if (l->n_roots == MAX_ROOTS)
        return full(e, "list of declared directories", MAX_ROOTS);
    l->roots[l->n_roots] = mem_strdup(r->path);
    if (l->roots[l->n_roots] == NULL)
        return nomem(e);
    l->n_roots++;
    return 0;
}

static int give_birth(struct ledger *l, const struct record *r, struct err *e)
{
    if (r->incarnation == NULL || strlen(r->incarnation) != AGENT_ID_SIZE - 1)
        return nonsense(r, e);
    (void)snprintf(l->incarnation, sizeof l->incarnation, "%s", r->incarnation);
    return 0;
}

static int (*const takers[])(struct ledger *l, const struct record *r, struct err *e) = {
    [RECORD_BIRTH] = give_birth, [RECORD_FLOOR] = raise_floor, [RECORD_MARK] = raise_mark, [RECORD_INTENT] = add_intent,
    [RECORD_PROCESS] = note_process, [RECORD_RESULT] = note_result, [RECORD_UNKNOWN] = note_result, [RECORD_BURY] = bury,
    [RECORD_FORGET] = forget, [RECORD_ROOT] = add_root,
};

int ledger_apply(struct ledger *l, const struct record *r, struct err *e)
{
    bool needs_key = r->type != RECORD_BIRTH && r->type != RECORD_ROOT;

    if ((needs_key && r->key == NULL) || (r->type == RECORD_ROOT && r->path == NULL) || (r->type == RECORD_FLOOR && r->epoch < 0))
        return nonsense(r, e);
    return takers[r->type](l, r, e);
}

/* ---- all of it ------------------------------------------------------------------------------------------------------------------ */

void ledger_each(const struct ledger *l, bool (*fn)(struct entry *entry, void *data), void *data)
{
    struct slot *s, *next;

    HASH_ITER(hh, l->slots, s, next)
        if (!fn(&s->entry, data))
            return;
}

void ledger_prune(struct ledger *l, int64_t now_us)
{
    struct slot *s, *next_slot;
    struct mark *m, *next_mark;

    HASH_ITER(hh, l->slots, s, next_slot) {
        if (s->entry.state == ENTRY_RUNNING || now_us - s->at_us < (s->entry.state == ENTRY_BURIED ? LEDGER_KEEP_US : LEDGER_STALE_US))
            continue;
        m = mark_of(l, &s->entry.key);
        if (m != NULL) {
            m->n_entries--;
            m->forgotten = s->entry.state != ENTRY_BURIED && s->entry.key.dispatch > m->forgotten ? s->entry.key.dispatch : m->forgotten;
        }
        HASH_DEL(l->slots, s);
        slot_free(s);
    }
    HASH_ITER(hh, l->marks, m, next_mark) {
        if (m->n_entries > 0 || now_us - m->at_us < LEDGER_KEEP_US)
            continue;
        HASH_DEL(l->marks, m);
        mem_free(m);
    }
}

static int write_slot(const struct slot *s, int (*fn)(const struct record *r, void *data, struct err *e), void *data, struct err *e)
{
    const struct entry *entry = &s->entry;
    struct record r = { .type = entry->state == ENTRY_BURIED ? RECORD_BURY : RECORD_INTENT, .at_us = s->at_us, .key = (struct agent_key *)&entry->key,
                        .epoch = FIELD_NONE, .forgotten = FIELD_NONE, .pid = FIELD_NONE, .start_time = FIELD_NONE, .output_bytes = FIELD_NONE,
                        .output_cut = -1 };
    int rv;

    if (entry->kind != NULL) {
        r.kind = entry->kind->name;
        r.digest = entry->digest;
    }
    rv = fn(&r, data, e);
    r.kind = r.digest = NULL;
    if (rv == 0 && entry->pid != FIELD_NONE) {
        r.type = RECORD_PROCESS;
        r.pid = entry->pid;
        r.start_time = entry->start_time;
        r.boot = entry->boot;
        rv = fn(&r, data, e);
        r.pid = r.start_time = FIELD_NONE;
        r.boot = NULL;
    }
    if (rv != 0 || entry->state == ENTRY_BURIED || entry->state == ENTRY_RUNNING)
        return rv;
    r.type = entry->state == ENTRY_DONE ? RECORD_RESULT : RECORD_UNKNOWN;
    r.failure = entry->failure;
    r.answer = entry->answer;
    r.output_bytes = entry->output_bytes;
    r.output_cut = entry->output_cut;
    return fn(&r, data, e);
}

#define NO_NUMBERS .epoch = FIELD_NONE, .forgotten = FIELD_NONE, .pid = FIELD_NONE, .start_time = FIELD_NONE, .output_bytes = FIELD_NONE, .output_cut = -1

static int write_rest(const struct ledger *l, int (*fn)(const struct record *r, void *data, struct err *e), void *data, struct err *e)
{
    struct record r = { .type = RECORD_BIRTH, .incarnation = l->incarnation, NO_NUMBERS };
    int rv = l->incarnation[0] != '\0' ? fn(&r, data, e) : 0;

    for (unsigned i = 0; rv == 0 && i < l->n_floors; i++) {
        struct agent_key key = { .ocp_id = l->floors[i].ocp_id, .lineage = l->floors[i].ocp_id };
        struct record floor = { .type = RECORD_FLOOR, .key = &key, NO_NUMBERS };

        floor.epoch = l->floors[i].epoch;
        rv = fn(&floor, data, e);
    }
    for (size_t i = 0; rv == 0 && i < l->n_roots; i++) {
        struct record root = { .type = RECORD_ROOT, .path = l->roots[i], NO_NUMBERS };

        rv = fn(&root, data, e);
    }
    return rv;
}

int ledger_write(const struct ledger *l, int (*fn)(const struct record *r, void *data, struct err *e), void *data, struct err *e)
{
    struct slot *s, *next_slot;
    struct mark *m, *next_mark;
    int rv = write_rest(l, fn, data, e);

    HASH_ITER(hh, l->marks, m, next_mark) {
        struct record r = { .type = RECORD_MARK, .at_us = m->at_us, .key = &m->key, NO_NUMBERS };

        if (m->forgotten >= 0)
            r.forgotten = m->forgotten;
        if (rv == 0)
            rv = fn(&r, data, e);
    }
    HASH_ITER(hh, l->slots, s, next_slot)
        if (rv == 0)
            rv = write_slot(s, fn, data, e);
    return rv;
}

static bool count_running(struct entry *entry, void *data)
{
    *(unsigned *)data += entry->state == ENTRY_RUNNING;
    return true;
}

struct ledger_count ledger_count(const struct ledger *l)
{
    struct ledger_count c = { .entries = HASH_COUNT(l->slots), .marks = HASH_COUNT(l->marks) };

    ledger_each(l, count_running, &c.running);
    return c;
}
