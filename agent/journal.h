/* SPDX-License-Identifier: Apache-2.0 */
/* journal.h - the ledger on the disk: a file of batches, each written and synced as one.
 *
 *   "B number length crc32\n" (hex, 8 digits each) payload           payload: records, one line of JSON each
 *
 * A batch counts as a whole or not at all. A crash may leave the last batch torn: it was not answered for, and is cut off. A later batch behind a
 * broken one means that the disk lost what was synced: then nothing of the file can be believed. Room is taken ahead of need, so that a full
 * disk refuses commands and breaks none. A write or sync that fails ends the process: what is on the disk is not known any more. */
#ifndef AGENT_JOURNAL_H
#define AGENT_JOURNAL_H

#include "agent/ledger.h"
#include "src/base/log.h"
#include "src/io/loop.h"

struct journal;
enum { JOURNAL_MAX_BATCH = 8 * 1024 * 1024 };

enum journal_end {
    JOURNAL_WHOLE,   /* the text ends with a batch */
    JOURNAL_TORN,    /* what comes behind *good is the rest of a batch that was never synced */
    JOURNAL_BROKEN,  /* a later batch is there behind a broken one */
};
/* Reads a journal's text into `l`. *good: bytes up to the end of the last batch taken in; *number: of that batch.
 * Errors: INVALID (a record that makes no sense: as JOURNAL_BROKEN), NOMEM. Pure. */
MUST_CHECK int journal_parse(struct slice text, struct ledger *l, size_t *good, uint32_t *number, enum journal_end *end, struct err *e);

struct journal_conf {
    const char *dir;           /* borrowed, outlives the journal: of the file `journal` */
    struct ledger *ledger;     /* borrowed */
    struct loop *loop;         /* borrowed */
    const struct log *log;     /* borrowed */
    const char *ocp_id;        /* borrowed: whose floor is looked at; NULL: nobody's */
    int64_t max_floor;         /* a journal with a higher one was altered: no cluster came so far since the installation */
};
/* Opens, and reads what is there into the ledger. *fresh: there was nothing, or nothing to be believed (the former file is kept as
 * journal.broken, and the ledger is empty): the agent is a new incarnation. Blocking, before commands come. Errors: IO, NOMEM. */
MUST_CHECK int journal_open(const struct journal_conf *conf, struct journal **out, bool *fresh, struct err *e);
/* Takes a record in: into the ledger at once, and to the disk with the next batch. Errors: AGENT_FULL (the disk), INVALID, NOMEM: then nothing
 * was taken in. */
MUST_CHECK int journal_add(struct journal *j, const struct record *r, struct err *e);
/* Waits until all that was added is on the disk; not cut short by cancellation. From a fiber. Errors: none but those of the pool: BUSY, NOMEM. */
MUST_CHECK int journal_sync(struct journal *j, struct err *e);
/* No fiber may wait. NULL is fine. */
void journal_close(struct journal *j);

#endif
