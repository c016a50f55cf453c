/* SPDX-License-Identifier: Apache-2.0 */
/* lead (96 bytes) | signature header, padded to 8 bytes | main header | payload. A header is 16 bytes (magic, number of entries, bytes
 * of data), 16 bytes an entry, and the data. */
#include "src/package/frame.h"

#include <stdint.h>
#include <string.h>

enum { LEAD_SIZE = 96, INTRO_SIZE = 16, ENTRY_SIZE = 16, PADDING = 8 };

static const unsigned char lead_magic[] = { 0xed, 0xab, 0xee, 0xdb };
static const unsigned char header_magic[] = { 0x8e, 0xad, 0xe8, 0x01 };

static uint64_t number(const unsigned char *p)
{
    return (uint64_t)p[0] << 24 | (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
}

/* Whether what there is of the magic fits. */
static int begins(const unsigned char *p, size_t n, const unsigned char *magic, size_t n_magic)
{
    return memcmp(p, magic, n < n_magic ? n : n_magic) == 0;
}

/* Where the header that begins at `at` ends. */
static enum package_frame_result header_end(const unsigned char *p, size_t n, size_t at, size_t *end)
{
    uint64_t size;

    if (n <= at)
        return PACKAGE_FRAME_MORE;
    if (!begins(p + at, n - at, header_magic, sizeof header_magic))
        return PACKAGE_FRAME_FOREIGN;
    if (n - at < INTRO_SIZE)
        return PACKAGE_FRAME_MORE;
    size = INTRO_SIZE + number(p + at + 8) * ENTRY_SIZE + number(p + at + 12);
    if (size > PACKAGE_MAX_HEADER - at)
        return PACKAGE_FRAME_TOO_LARGE;
    *end = at + (size_t)size;
    return PACKAGE_FRAME_DONE;
}

enum package_frame_result package_frame_find(const void *bytes, size_t n, struct package_frame *out)
{
    const unsigned char *p = bytes;
    enum package_frame_result r;
    size_t end;

    if (n > 0 && !begins(p, n, lead_magic, sizeof lead_magic))
        return PACKAGE_FRAME_FOREIGN;
    r = header_end(p, n, LEAD_SIZE, &end);
    if (r != PACKAGE_FRAME_DONE)
        return r;
    end += (PADDING - end % PADDING) % PADDING;
    out->header_at = end;
    if (end > PACKAGE_MAX_HEADER)
        return PACKAGE_FRAME_TOO_LARGE;
    r = header_end(p, n, end, &end);
    if (r != PACKAGE_FRAME_DONE)
        return r;
    out->payload_at = end;
    return n >= end ? PACKAGE_FRAME_DONE : PACKAGE_FRAME_MORE;
}
