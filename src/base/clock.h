/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - time as a parameter: production reads the kernel, tests turn the hands.
 * Deadlines use now_ms (CLOCK_BOOTTIME: it counts while the machine sleeps); people see wall_us. Any thread. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/base/str.h"

struct clock {
    int64_t (*now_ms)(const struct clock *c);  /* monotonic, milliseconds since boot */
    int64_t (*wall_us)(const struct clock *c); /* microseconds since 1970-01-01T00:00:00Z */
};

/* The kernel's clock; lives for ever. */
extern const struct clock clock_system;

/* A clock that stands until the test moves it. */
struct clock_fake {
    struct clock clock;
    int64_t ms, us;
};
void clock_fake_init(struct clock_fake *f, int64_t ms, int64_t wall_us);

static inline int64_t clock_now_ms(const struct clock *c)
{
    return c->now_ms(c);
}

static inline int64_t clock_wall_us(const struct clock *c)
{
    return c->wall_us(c);
}

/* "2026-11-20T08:05:09.123+08:00" for an offset of `offset_min` minutes, "...Z" for CLOCK_Z. `buf` holds at least 32 bytes. */
enum { CLOCK_TEXT_SIZE = 32, CLOCK_Z = INT_MIN };
const char *clock_iso(int64_t wall_us, int offset_min, char *buf);
/* "Fri, 20 Nov 2026 08:05:09 GMT" (RFC 9110 5.6.7). `buf` holds at least 32 bytes. */
const char *clock_http_date(int64_t wall_us, char *buf);
/* Reads that form, also with a day of one digit; the name of the day is not checked against the date. False when it is not a time. */
bool clock_parse_http_date(struct slice text, int64_t *wall_us);
/* Reads ISO-8601 with date, time, optional fraction of 1 to 9 digits and offset, 'Z' or none (UTC); a space may stand for
 * the '+' that URL decoding took away, and for the 'T'. False when it is not a time. */
bool clock_parse_iso(struct slice text, int64_t *wall_us);

#endif
