/* SPDX-License-Identifier: Apache-2.0 */
#include "raft/message.h"

#include <string.h>

ERR_DEFINE(ERR_RAFT_MESSAGE, 90710, 500, ERR_FINAL, "A message between nodes is malformed: {0}.", "节点间消息格式错误：{0}。");

enum { VERSION = 1, MAX_LIBRARY_VERSION = 7 };

/* --- writing ------------------------------------------------------------------------------------------------------------------ */

static void put(struct str *t, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        str_add_c(t, (char)(v >> (8 * i) & 0xff));
}

static void put_entries(struct str *t, const struct message *m)
{
    put(t, m->append.n_entries, 8);
    for (unsigned i = 0; i < m->append.n_entries; i++) {
        const struct entry *en = &m->append.entries[i];

        put(t, en->term, 8);
        put(t, (uint64_t)en->kind, 8);
        put(t, en->size, 8);
        str_add_n(t, en->data, en->size);
    }
}

static void put_body(struct str *t, const struct message *m)
{
    put(t, m->term, 8);
    switch (m->kind) {
    case MESSAGE_APPEND:
        put(t, m->append.prev_index, 8);
        put(t, m->append.prev_term, 8);
        put(t, m->append.commit, 8);
        put_entries(t, m);
        break;
    case MESSAGE_APPEND_RESULT:
        put(t, m->append_result.rejected, 8);
        put(t, m->append_result.last_index, 8);
        put(t, m->append_result.features, 8);
        break;
    case MESSAGE_VOTE:
        put(t, m->vote.candidate, 8);
        put(t, m->vote.last_index, 8);
        put(t, m->vote.last_term, 8);
        put(t, (uint64_t)m->vote.disrupt_leader | (uint64_t)m->vote.pre_vote << 1, 8);
        break;
    case MESSAGE_VOTE_RESULT:
        put(t, (uint64_t)m->vote_result.granted | (uint64_t)m->vote_result.pre_vote << 1, 8);
        put(t, m->vote_result.features, 8);
        break;
    case MESSAGE_TIMEOUT_NOW:
        put(t, m->timeout_now.last_index, 8);
        put(t, m->timeout_now.last_term, 8);
        break;
    }
}

void message_encode(const struct message *m, struct str *t)
{
    size_t start = t->n;
    uint32_t bytes;

    put(t, VERSION, 1);
    put(t, (uint64_t)m->kind, 1);
    put(t, m->version, 1);
    put(t, 0, 1);
    put(t, 0, 4);
    put_body(t, m);
    if (str_failed(t))
        return;
    bytes = (uint32_t)(t->n - start - MESSAGE_HEADER_BYTES);
    for (unsigned i = 0; i < 4; i++)
        t->s[start + 4 + i] = (char)(bytes >> (8 * i) & 0xff);
}

/* --- reading ------------------------------------------------------------------------------------------------------------------ */

/* What is left to read; running out is remembered and answered once. */
struct reader {
    const unsigned char *p;
    size_t n;
    bool bad;
};

static uint64_t get(struct reader *r, unsigned bytes)
{
    uint64_t v = 0;

    if (r->n < bytes) {
        r->bad = true;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)r->p[i] << (8 * i);
    r->p += bytes;
    r->n -= bytes;
    return v;
}

static uint64_t get_below(struct reader *r, uint64_t limit)
{
    uint64_t v = get(r, 8);

    if (v >= limit)
        r->bad = true;
    return v;
}

/* Terms and indices: far below the end of the numbers, so that the library can count on from them. */
static uint64_t get_number(struct reader *r)
{
    return get_below(r, UINT64_C(1) << 62);
}

static bool kind_is_known(uint64_t kind)
{
    return (kind >= MESSAGE_APPEND && kind <= MESSAGE_VOTE_RESULT) || kind == MESSAGE_TIMEOUT_NOW;
}

int message_length(const void *header, size_t *bytes, struct err *e)
{
    struct reader r = { header, MESSAGE_HEADER_BYTES, false };
    uint64_t version = get(&r, 1), kind = get(&r, 1), library = get(&r, 1), zero = get(&r, 1), length = get(&r, 4);

    if (version != VERSION)
        return err_set(e, &ERR_RAFT_MESSAGE, "its version is %u", (unsigned)version);
    if (!kind_is_known(kind) || library > MAX_LIBRARY_VERSION || zero != 0)
        return err_set(e, &ERR_RAFT_MESSAGE, "its kind is %u.%u", (unsigned)kind, (unsigned)library);
    if (length > MESSAGE_MAX_BYTES - MESSAGE_HEADER_BYTES)
        return err_set(e, &ERR_RAFT_MESSAGE, "it has %u bytes", (unsigned)length);
    *bytes = MESSAGE_HEADER_BYTES + (size_t)length;
    return 0;
}

static void get_entry(struct reader *r, struct entry *en)
{
    uint64_t kind, size;

    en->term = get_number(r);
    kind = get(r, 8);
    size = get(r, 8);
    if (kind < ENTRY_COMMAND || kind > ENTRY_CHANGE || size == 0 || size > ENTRY_MAX_BYTES || size % ENTRY_ALIGN != 0 || size > r->n) {
        r->bad = true;
        return;
    }
    en->kind = (enum entry_kind)kind;
    en->size = (uint32_t)size;
    en->data = r->p;
    r->p += size;
    r->n -= (size_t)size;
}

static int get_append(struct reader *r, struct arena *arena, struct message *m, struct err *e)
{
    m->append.prev_index = get_number(r);
    m->append.prev_term = get_number(r);
    m->append.commit = get_number(r);
    m->append.n_entries = (unsigned)get_below(r, ENTRY_MAX_PER_MESSAGE + 1);
    if (r->bad)
        return 0;
    m->append.entries = arena_array(arena, m->append.n_entries + 1, sizeof *m->append.entries);
    if (m->append.entries == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (unsigned i = 0; !r->bad && i < m->append.n_entries; i++)
        get_entry(r, &m->append.entries[i]);
    return 0;
}

static int get_body(struct reader *r, struct arena *arena, struct message *m, struct err *e)
{
    uint64_t flags;

    switch (m->kind) {
    case MESSAGE_APPEND:
        return get_append(r, arena, m, e);
    case MESSAGE_APPEND_RESULT:
        m->append_result.rejected = get_number(r);
        m->append_result.last_index = get_number(r);
        m->append_result.features = (uint16_t)get_below(r, 65536);
        return 0;
    case MESSAGE_VOTE:
        m->vote.candidate = get_number(r);
        m->vote.last_index = get_number(r);
        m->vote.last_term = get_number(r);
        flags = get_below(r, 4);
        m->vote.disrupt_leader = flags & 1;
        m->vote.pre_vote = flags >> 1 & 1;
        return 0;
    case MESSAGE_VOTE_RESULT:
        flags = get_below(r, 4);
        m->vote_result.granted = flags & 1;
        m->vote_result.pre_vote = flags >> 1 & 1;
        m->vote_result.features = (uint16_t)get_below(r, 65536);
        return 0;
    case MESSAGE_TIMEOUT_NOW:
        m->timeout_now.last_index = get_number(r);
        m->timeout_now.last_term = get_number(r);
        return 0;
    }
    return 0;
}

/* The data of entries is copied out of the message, since the message's memory is the connection's. */
static int own_entries(struct message *m, struct arena *arena, struct err *e)
{
    for (unsigned i = 0; m->kind == MESSAGE_APPEND && i < m->append.n_entries; i++) {
        void *copy = arena_alloc(arena, m->append.entries[i].size);

        if (copy == NULL)
            return err_set(e, &ERR_NOMEM, "");
        memcpy(copy, m->append.entries[i].data, m->append.entries[i].size);
        m->append.entries[i].data = copy;
    }
    return 0;
}

int message_decode(struct slice bytes, struct arena *arena, struct message *out, struct err *e)
{
    struct reader r = { (const unsigned char *)bytes.s, bytes.n, false };
    size_t length;
    int rv;

    if (bytes.n < MESSAGE_HEADER_BYTES)
        return err_set(e, &ERR_RAFT_MESSAGE, "it has %zu bytes", bytes.n);
    rv = message_length(bytes.s, &length, e);
    if (rv != 0)
        return rv;
    if (length != bytes.n)
        return err_set(e, &ERR_RAFT_MESSAGE, "it says %zu bytes and has %zu", length, bytes.n);
    *out = (struct message){ .kind = (enum message_kind)(unsigned char)bytes.s[1], .version = (uint8_t)bytes.s[2] };
    (void)get(&r, MESSAGE_HEADER_BYTES);
    out->term = get_number(&r);
    rv = get_body(&r, arena, out, e);
    if (rv != 0)
        return rv;
    if (r.bad || r.n != 0)
        return err_set(e, &ERR_RAFT_MESSAGE, "its content does not fit its kind %d", (int)out->kind);
    return own_entries(out, arena, e);
}
