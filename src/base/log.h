/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - one line per event on a file descriptor: a sentence, then keys.
 * `log_info(log, "vote granted", LOG_S("node", "n2"), LOG_I("term", 7))`
 * Loggers carry their object: a child of a logger adds keys to every line. Any thread; a line is one write(2).
 * Values of keys that hold secrets never reach this module: callers do not pass them. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/clock.h"
#include "src/base/err.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_LOGFMT, LOG_JSON };

struct log_sink {
    int fd;
    _Atomic int level;          /* enum log_level; lines above it are dropped */
    enum log_format format;
    bool journal;               /* prefix "<n>" for the journal, and no time */
    const struct clock *clock;  /* borrowed, outlives the sink */
};

enum { LOG_CONTEXT_SIZE = 192 };

struct log {
    struct log_sink *sink;           /* borrowed, outlives the logger; NULL: silent */
    char context[LOG_CONTEXT_SIZE];  /* ready-made " key=value ..." or ",\"key\":\"value\"" */
};

struct log_value {
    const char *key;
    enum { LOG_TEXT, LOG_INT, LOG_ERR } kind;
    union {
        const char *s;
        int64_t i;
        const struct err *e;
    };
};

#define LOG_S(KEY, S) ((struct log_value){ .key = (KEY), .kind = LOG_TEXT, .s = (S) })
#define LOG_I(KEY, I) ((struct log_value){ .key = (KEY), .kind = LOG_INT, .i = (int64_t)(I) })
#define LOG_E(E) ((struct log_value){ .key = "error", .kind = LOG_ERR, .e = (E) })

/* A logger without an object of its own. */
void log_init(struct log *log, struct log_sink *sink);
/* `child` writes as `parent` does, with key=value added to each line. */
void log_child(struct log *child, const struct log *parent, const char *key, const char *value);

void log_write(const struct log *log, enum log_level level, const char *sentence, const struct log_value *values, unsigned n);
bool log_wants(const struct log *log, enum log_level level);

#define LOG_(LOG, LEVEL, SENTENCE, ...)                                                                                    \
    do {                                                                                                                   \
        if (log_wants((LOG), (LEVEL))) {                                                                                   \
            const struct log_value log_values_[] = { { .key = NULL }, ##__VA_ARGS__ };                                     \
            log_write((LOG), (LEVEL), (SENTENCE), log_values_ + 1, (unsigned)(sizeof log_values_ / sizeof log_values_[0]) - 1); \
        }                                                                                                                  \
    } while (0)
#define log_error(LOG, SENTENCE, ...) LOG_(LOG, LOG_ERROR, SENTENCE, ##__VA_ARGS__)
#define log_warn(LOG, SENTENCE, ...) LOG_(LOG, LOG_WARN, SENTENCE, ##__VA_ARGS__)
#define log_info(LOG, SENTENCE, ...) LOG_(LOG, LOG_INFO, SENTENCE, ##__VA_ARGS__)
#define log_debug(LOG, SENTENCE, ...) LOG_(LOG, LOG_DEBUG, SENTENCE, ##__VA_ARGS__)

#endif
