/* SPDX-License-Identifier: Apache-2.0 */
/* multipart_stream.h - reads a multipart/form-data body (RFC 7578) as it comes in, in a window of fixed size, so that files of any length
 * pass through. Takes what multipart_read takes, but for parts whose headers are larger than the window allows. Pure.
 *
 *   room, fill; then next until it wants more, which means: room, fill again. At the body's end without MULTIPART_END it was cut off. */
#ifndef API_MULTIPART_STREAM_H
#define API_MULTIPART_STREAM_H

#include "api/multipart.h"

enum { MULTIPART_WINDOW = 64 * 1024, MULTIPART_MAX_HEAD = 8 * 1024 };

enum multipart_event {
    MULTIPART_MORE,     /* more of the body is needed */
    MULTIPART_PART,     /* a part begins: name and filename of `part`, until the next call */
    MULTIPART_DATA,     /* some of its value, until the next call of room */
    MULTIPART_PART_END,
    MULTIPART_END,      /* of the last part; what follows is nothing */
    MULTIPART_BAD,      /* malformed, for good */
};

struct multipart_stream {
    char line[MULTIPART_LINE_SIZE];
    size_t n_line;
    int state;
    size_t from, to;    /* of the window: what is not read yet */
    char window[MULTIPART_WINDOW];
};

/* False when the content type is none of multipart/form-data with a boundary. */
MUST_CHECK bool multipart_stream_init(struct multipart_stream *m, struct slice content_type);
/* Where the next bytes of the body go, at most *n; never 0 after MULTIPART_MORE. Then says how many came. */
char *multipart_stream_room(struct multipart_stream *m, size_t *n);
void multipart_stream_fill(struct multipart_stream *m, size_t n);
/* Reads on. */
enum multipart_event multipart_stream_next(struct multipart_stream *m, struct multipart_part *part, struct slice *data);

#endif
