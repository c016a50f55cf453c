/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "src/base/json.h"
#include "src/io/fiber.h"
#include "src/io/file.h"
#include "src/io/work.h"

enum { HEADER = 29, ROOM = 1024 * 1024, COMPACT_AT = 4 * 1024 * 1024, FILE_MAX = 256 * 1024 * 1024 };

struct journal {
    struct journal_conf conf;
    struct work_pool *pool;          /* owned: one thread */
    int fd;
    int64_t length, room;            /* bytes of batches; bytes that the file has */
    int64_t compacted;               /* length right after the last compaction */
    uint32_t number;                 /* of the last batch */
    struct str pending;              /* payload of the next batch */
    uint64_t added, synced;          /* records */
    bool syncing;
    struct waitlist line;
};

static const struct field_style style = { .lang = ERR_EN, .offset_min = CLOCK_Z };

/* ---- reading -------------------------------------------------------------------------------------------------------------------- */

struct header {
    uint32_t number, length, crc;
};

static bool read_hex(const char *s, uint32_t *v)
{
    *v = 0;
    for (unsigned i = 0; i < 8; i++) {
        char c = s[i];
        unsigned digit = c >= '0' && c <= '9' ? (unsigned)(c - '0') : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) : 16;

        if (digit == 16)
            return false;
        *v = *v << 4 | digit;
    }
    return true;
}

/* A header whose whole payload is there, and is what was written. */
static bool read_header(struct slice text, struct header *h)
{
    return text.n >= HEADER && text.s[0] == 'B' && text.s[1] == ' ' && text.s[10] == ' ' && text.s[19] == ' ' && text.s[28] == '\n' &&
           read_hex(text.s + 2, &h->number) && read_hex(text.s + 11, &h->length) && read_hex(text.s + 20, &h->crc) &&
           h->length <= JOURNAL_MAX_BATCH && text.n - HEADER >= h->length &&
           crc32(0, (const Bytef *)text.s + HEADER, h->length) == h->crc;
}

static int read_record(struct slice line, struct ledger *l, struct err *e)
{
    struct arena arena;
    struct record r;
    json_t *value;
    int rv = json_parse(line, &value, e);

    if (rv != 0)
        return err_is(e, &ERR_NOMEM) ? rv : err_set(e, &ERR_INVALID, "a record is no JSON");
    arena_init(&arena);
    rv = fields_init(record_fields, &r, &arena, e);
    if (rv == 0)
        rv = json_is_object(value) ? fields_read(record_fields, value, &r, &arena, e) : err_set(e, &ERR_INVALID, "a record is no object");
    if (rv == 0)
        rv = ledger_apply(l, &r, e);
    json_decref(value);
    arena_fini(&arena);
    return rv;
}

static int read_payload(struct slice payload, struct ledger *l, struct err *e)
{
    int rv = 0;

    while (rv == 0 && payload.n > 0)
        rv = read_record(slice_cut(&payload, '\n'), l, e);
    return rv;
}

/* Is there, anywhere in what could not be read, a batch that was written after the broken one was synced? */
static bool has_later(struct slice rest, uint32_t broken)
{
    struct header h;

    for (size_t i = 0; i + HEADER <= rest.n; i++)
        if (rest.s[i] == 'B' && read_header((struct slice){ rest.s + i, rest.n - i }, &h) && h.number > broken)
            return true;
    return false;
}

int journal_parse(struct slice text, struct ledger *l, size_t *good, uint32_t *number, enum journal_end *end, struct err *e)
{
    struct header h;
    int rv = 0;

    *good = 0;
    *number = 0;
    while (*good < text.n && read_header((struct slice){ text.s + *good, text.n - *good }, &h) && h.number == *number + 1) {
        rv = read_payload((struct slice){ text.s + *good + HEADER, h.length }, l, e);
        if (rv != 0)
            return rv;
        *good += HEADER + (size_t)h.length;
        *number = h.number;
    }
    *end = *good == text.n ? JOURNAL_WHOLE :
           has_later((struct slice){ text.s + *good, text.n - *good }, *number + 1) ? JOURNAL_BROKEN : JOURNAL_TORN;
    return 0;
}

/* ---- the file -------------------------------------------------------------------------------------------------------------------- */

static void name_of(const struct journal *j, const char *name, char out[4096])
{
    (void)snprintf(out, 4096, "%s/%s", j->conf.dir, name);
}

static int failed(const char *what, struct err *e)
{
    return err_set(e, &ERR_IO, "%s the journal: %s", what, strerror(errno));
}

__attribute__((noreturn)) static void give_up(const struct journal *j, const char *what)
{
    log_error(j->conf.log, "the journal cannot be kept; the process ends and begins anew", LOG_S("step", what), LOG_S("reason", strerror(errno)));
    _exit(1);
}

static int load(struct journal *j, struct str *text, struct err *e)
{
    struct stat st;
    ssize_t n;

    if (fstat(j->fd, &st) != 0)
        return failed("look at", e);
    if (st.st_size > FILE_MAX)
        return err_set(e, &ERR_IO, "the journal has %lld bytes, more than any", (long long)st.st_size);
    for (off_t at = 0; at < st.st_size; at += n) {
        char *space = str_reserve(text, (size_t)(st.st_size - at));

        n = space != NULL ? pread(j->fd, space, (size_t)(st.st_size - at), at) : 0;
        if (space == NULL)
            return err_set(e, &ERR_NOMEM, "");
        if (n <= 0)
            return failed("read", e);
        text->n += (size_t)n;
    }
    j->room = st.st_size;
    return 0;
}

/* Zeros behind the batches are room. */
static size_t without_room(const struct str *text)
{
    size_t n = text->n;

    while (n > 0 && text->s[n - 1] == '\0')
        n--;
    return n;
}

static int restore(struct journal *j, bool *believed, struct err *e)
{
    enum journal_end end = JOURNAL_BROKEN;
    struct err why = { 0 };
    struct str text;
    size_t good;
    int rv;

    str_init(&text, NULL);
    rv = load(j, &text, e);
    if (rv == 0)
        rv = journal_parse((struct slice){ text.s, without_room(&text) }, j->conf.ledger, &good, &j->number, &end, &why);
    if (rv == ERR_NOMEM.code && err_is(&why, &ERR_NOMEM))
        rv = err_set(e, &ERR_NOMEM, "");
    else if (err_is(&why, &ERR_INVALID))
        rv = 0;
    if (rv == 0 && end != JOURNAL_BROKEN)
        j->length = (int64_t)good;
    *believed = end != JOURNAL_BROKEN && why.row == NULL;
    if (rv == 0 && end == JOURNAL_TORN)
        log_warn(j->conf.log, "the last batch of the journal was torn by a crash and is cut off", LOG_I("bytes", text.n - good));
    str_fini(&text);
    return rv;
}

static int open_file(struct journal *j, int flags, struct err *e)
{
    char path[4096];

    name_of(j, "journal", path);
    j->fd = open(path, O_RDWR | O_CLOEXEC | flags, 0600);
    return j->fd >= 0 ? 0 : failed("open", e);
}

static int put_aside(struct journal *j, struct err *e)
{
    char path[4096], aside[4096];

    name_of(j, "journal", path);
    name_of(j, "journal.broken", aside);
    log_error(j->conf.log, "the journal is damaged and put aside; this agent is a new incarnation", LOG_S("file", aside));
    ledger_clear(j->conf.ledger);
    (void)close(j->fd);
    if (rename(path, aside) != 0)
        return failed("put aside", e);
    j->number = 0;
    j->length = j->room = 0;
    return open_file(j, O_CREAT | O_EXCL, e);
}

/* What is behind the good part is gone for good, and what comes is written where it ended. */
static int cut(struct journal *j, struct err *e)
{
    if (ftruncate(j->fd, j->length) != 0 || fsync(j->fd) != 0 || !file_sync_dir(j->conf.dir))
        return failed("cut", e);
    j->room = j->length;
    return 0;
}

/* It would refuse every leader for ever. */
static bool has_wild_floor(const struct journal *j)
{
    int64_t floor = ledger_floor(j->conf.ledger, j->conf.ocp_id);

    if (floor <= j->conf.max_floor)
        return false;
    log_error(j->conf.log, "the journal claims an epoch that no cluster reaches", LOG_I("epoch", floor), LOG_I("limit", j->conf.max_floor));
    return true;
}

static int journal_start(struct journal *j, bool *fresh, struct err *e)
{
    bool believed = true;
    int rv = open_file(j, O_CREAT, e);

    if (rv == 0)
        rv = restore(j, &believed, e);
    if (rv == 0 && believed)
        believed = j->conf.ocp_id == NULL || !has_wild_floor(j);
    if (rv == 0 && !believed)
        rv = put_aside(j, e);
    if (rv == 0)
        rv = cut(j, e);
    *fresh = !believed || j->length == 0;
    j->compacted = j->length;
    return rv;
}

int journal_open(const struct journal_conf *conf, struct journal **out, bool *fresh, struct err *e)
{
    static const struct work_conf pool = { .name = "journal", .n_threads = 1, .max_queued = 4 };
    struct journal *j = mem_zalloc(sizeof *j);
    int rv;

    if (j == NULL)
        return err_set(e, &ERR_NOMEM, "");
    j->conf = *conf;
    j->fd = -1;
    str_init(&j->pending, NULL);
    rv = work_pool_new(&pool, &j->pool, e);
    if (rv == 0)
        rv = journal_start(j, fresh, e);
    if (rv != 0) {
        journal_close(j);
        return rv;
    }
    *out = j;
    return 0;
}

void journal_close(struct journal *j)
{
    if (j == NULL)
        return;
    if (j->pool != NULL)
        work_pool_free(j->pool);
    if (j->fd >= 0)
        (void)close(j->fd);
    str_fini(&j->pending);
    mem_free(j);
}

/* ---- writing -------------------------------------------------------------------------------------------------------------------- */

/* Room for what is pending and for `more` bytes; a full disk is found out here, before anything is promised. */
static int take_room(struct journal *j, size_t more, struct err *e)
{
    int64_t needed = j->length + (int64_t)(j->pending.n + more) + 2 * HEADER;
    int number;

    if (needed <= j->room)
        return 0;
    number = posix_fallocate(j->fd, 0, needed + ROOM);
    if (number == 0) {
        j->room = needed + ROOM;
        return 0;
    }
    (void)err_set(e, &ERR_AGENT_FULL, "disk (%s)", strerror(number));
    return err_arg(e, "%lld bytes", (long long)(needed + ROOM));
}

static int add_text(struct str *t, const struct record *r, struct err *e)
{
    fields_write(t, record_fields, r, &style);
    str_add_c(t, '\n');
    return str_failed(t) ? err_set(e, &ERR_NOMEM, "") : 0;
}

int journal_add(struct journal *j, const struct record *r, struct err *e)
{
    struct str text;
    int rv;

    str_init(&text, NULL);
    rv = add_text(&text, r, e);
    if (rv == 0 && j->pending.n + text.n > JOURNAL_MAX_BATCH)
        rv = err_set(e, &ERR_BUSY, "the journal");
    if (rv == 0)
        rv = take_room(j, text.n, e);
    if (rv == 0 && str_reserve(&j->pending, text.n) == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv == 0)
        rv = ledger_apply(j->conf.ledger, r, e);
    if (rv == 0) {
        str_add_n(&j->pending, text.s, text.n);
        j->added++;
    }
    str_fini(&text);
    return rv;
}

struct batch {
    struct work work;
    int fd;
    int64_t at;
    struct str text;                 /* header and payload; owned */
    int failed_errno;
    const char *step;
};

static bool append(struct batch *b)
{
    size_t done = 0;

    b->step = "write";
    while (done < b->text.n) {
        ssize_t n = pwrite(b->fd, b->text.s + done, b->text.n - done, b->at + (int64_t)done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    b->step = "sync";
    return fdatasync(b->fd) == 0;
}

static void run_batch(struct work *w)
{
    struct batch *b = (struct batch *)w;

    b->failed_errno = append(b) ? 0 : errno;
}

static void drop_batch(struct work *w)
{
    struct batch *b = (struct batch *)w;

    str_fini(&b->text);
    mem_free(b);
}

static void add_batch(struct str *out, uint32_t number, const struct str *payload)
{
    str_printf(out, "B %08x %08x %08x\n", number, (unsigned)payload->n, (unsigned)crc32(0, (const Bytef *)str_c(payload), (uInt)payload->n));
    str_add_n(out, payload->s, payload->n);
}

static struct batch *make_batch(struct journal *j)
{
    struct batch *b = mem_zalloc(sizeof *b);

    if (b == NULL)
        return NULL;
    b->work.run = run_batch;
    b->work.drop = drop_batch;
    b->fd = j->fd;
    b->at = j->length;
    str_init(&b->text, NULL);
    add_batch(&b->text, j->number + 1, &j->pending);
    if (!str_failed(&b->text))
        return b;
    drop_batch(&b->work);
    return NULL;
}

/* One batch, of all that is pending now. */
static int write_batch(struct journal *j, struct err *e)
{
    struct batch *b = make_batch(j);
    uint64_t upto = j->added;
    int rv;

    if (b == NULL)
        return err_set(e, &ERR_NOMEM, "");
    str_clear(&j->pending);
    rv = work_run(j->pool, &b->work, e);
    if (rv != 0)
        give_up(j, "hand over"); /* what was taken in is not on the disk, and is not pending any more */
    if (b->failed_errno != 0) {
        errno = b->failed_errno;
        give_up(j, b->step);
    }
    j->number++;
    j->length += (int64_t)b->text.n;
    j->synced = upto;
    drop_batch(&b->work);
    return 0;
}

/* ---- compaction: the ledger as one batch in a new file -------------------------------------------------------------------------------- */

static int add_line(const struct record *r, void *data, struct err *e)
{
    return add_text(data, r, e);
}

static bool replace(struct journal *j, const struct str *text, int *fd)
{
    char path[4096], fresh[4096];
    bool ok;

    name_of(j, "journal", path);
    name_of(j, "journal.new", fresh);
    *fd = open(fresh, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ok = *fd >= 0 && file_write_all(*fd, text->s, text->n) && posix_fallocate(*fd, 0, (off_t)text->n + ROOM) == 0 && fsync(*fd) == 0 &&
         rename(fresh, path) == 0;
    if (!ok && *fd >= 0)
        (void)close(*fd);
    return ok;
}

/* Large ledgers take several batches. */
static int snapshot(struct journal *j, struct str *out, uint32_t *number, struct err *e)
{
    struct str all, part;
    struct slice rest;
    int rv;

    str_init(&all, NULL);
    str_init(&part, NULL);
    *number = 0;
    rv = ledger_write(j->conf.ledger, add_line, &all, e);
    rest = (struct slice){ all.s, all.n };
    while (rv == 0 && rest.n > 0) {
        struct slice line = slice_cut(&rest, '\n');

        str_add_n(&part, line.s, line.n);
        str_add_c(&part, '\n');
        if (part.n < JOURNAL_MAX_BATCH / 2 && rest.n > 0)
            continue;
        add_batch(out, ++*number, &part);
        str_clear(&part);
        if (str_failed(out))
            rv = err_set(e, &ERR_NOMEM, "");
    }
    str_fini(&all);
    str_fini(&part);
    return rv;
}

/* Between two batches, on the loop: some milliseconds, once in thousands of commands. Failing keeps the former file. */
static void compact(struct journal *j)
{
    struct err e = { 0 };
    uint32_t number;
    struct str text;
    int fd;

    str_init(&text, NULL);
    ledger_prune(j->conf.ledger, clock_wall_us(&clock_system));
    if (snapshot(j, &text, &number, &e) != 0) {
        log_warn(j->conf.log, "the journal is not compacted", LOG_E(&e));
    } else if (!replace(j, &text, &fd)) {
        log_warn(j->conf.log, "the journal is not compacted", LOG_S("reason", strerror(errno)));
    } else {
        (void)close(j->fd);
        j->fd = fd;
        j->number = number;
        j->length = (int64_t)text.n;
        j->room = j->length + ROOM;
        if (!file_sync_dir(j->conf.dir))
            give_up(j, "sync the folder");
        str_clear(&j->pending); /* the ledger, and so the snapshot, has it */
        j->synced = j->added;
    }
    j->compacted = j->length;
    str_fini(&text);
}

/* Until all that was added when it began is on the disk; others wait for it. */
static int sync_all(struct journal *j, struct err *e)
{
    int rv = 0;

    j->syncing = true;
    while (rv == 0 && j->synced < j->added) {
        if (j->length - j->compacted > COMPACT_AT)
            compact(j);
        if (j->synced < j->added)
            rv = write_batch(j, e);
        waitlist_wake_all(&j->line);
    }
    j->syncing = false;
    waitlist_wake_all(&j->line);
    return rv;
}

int journal_sync(struct journal *j, struct err *e)
{
    uint64_t mine = j->added;
    bool former = fiber_shield(true);
    int64_t deadline = fiber_deadline();
    int rv = 0;

    fiber_restore_deadline(INT64_MAX); /* what was begun is finished: others count on it */
    while (rv == 0 && j->synced < mine)
        rv = j->syncing ? waitlist_wait(&j->line, e) : sync_all(j, e);
    fiber_restore_deadline(deadline);
    (void)fiber_shield(former);
    return rv;
}
