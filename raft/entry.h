/* SPDX-License-Identifier: Apache-2.0 */
/* entry.h - one entry of the Raft log, as every file of raft/ sees it. Entries carry next to nothing: the log decides who leads and who
 * is a member, and all that lasts is in MetaDB. */
#ifndef RAFT_ENTRY_H
#define RAFT_ENTRY_H

#include <stddef.h>
#include <stdint.h>

/* The numbers are those of libraft and of the log file. */
enum entry_kind {
    ENTRY_COMMAND = 1, /* ours: a barrier, eight bytes */
    ENTRY_BARRIER,     /* the library's own, at the beginning of a term */
    ENTRY_CHANGE,      /* members, encoded by the library */
};

/* The library wants multiples of eight bytes (libraft 0.22.1, applyn.c). */
enum { ENTRY_ALIGN = 8, ENTRY_MAX_BYTES = 4096, ENTRY_MAX_PER_MESSAGE = 64 };

struct entry {
    uint64_t term;
    enum entry_kind kind;
    uint32_t size;      /* bytes, 8 to ENTRY_MAX_BYTES, a multiple of ENTRY_ALIGN */
    const void *data;
};

#endif
