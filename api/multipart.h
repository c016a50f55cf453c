/* SPDX-License-Identifier: Apache-2.0 */
/* multipart.h - reads a multipart/form-data body (RFC 7578) that is wholly in memory. Pure. */
#ifndef API_MULTIPART_H
#define API_MULTIPART_H

#include <stdbool.h>

#include "src/base/str.h"

enum { MULTIPART_MAX_PARTS = 16, MULTIPART_MAX_BOUNDARY = 70, MULTIPART_LINE_SIZE = MULTIPART_MAX_BOUNDARY + 5 };

struct multipart_part {
    struct slice name, filename;   /* as they came, without quotes; filename.s == NULL: none */
    struct slice value;
};

/* Splits `body`; what comes out lies in it. Returns how many parts there are, or -1 when the content type or the body is malformed, or has
 * more parts than `max`. */
int multipart_read(struct slice content_type, struct slice body, struct multipart_part *parts, unsigned max);
/* For readers of a body in pieces (api/multipart_stream.h). The line that parts the body, "\r\n--" and the boundary; its length, 0: the content
 * type is another or malformed. */
size_t multipart_line(struct slice content_type, char line[MULTIPART_LINE_SIZE]);
/* Reads the headers of a part; false when it has no name. */
bool multipart_read_head(struct slice head, struct multipart_part *part);
/* Value of the first part `name`; s == NULL when there is none. */
struct slice multipart_value(const struct multipart_part *parts, int n, const char *name);

#endif
