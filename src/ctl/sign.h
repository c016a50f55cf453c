/* SPDX-License-Identifier: Apache-2.0 */
/* sign.h - signs a call with an access key, as docs/access-keys.md says. */
#ifndef CTL_SIGN_H
#define CTL_SIGN_H

#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/base/str.h"

struct signing {
    const char *key, *secret;
    const char *method, *url;      /* of the whole call */
    const char *content_type;      /* "" without */
    struct slice body;
    int64_t wall_us;
};
/* The headers "Date: ..." and "Authorization: ...", in the arena. Errors: NOMEM, UNEXPECTED. */
MUST_CHECK int sign_headers(const struct signing *s, struct arena *arena, const char *headers[2], struct err *e);

#endif
