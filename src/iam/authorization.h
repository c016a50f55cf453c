/* SPDX-License-Identifier: Apache-2.0 */
/* authorization.h - reads the Authorization header: HTTP Basic (RFC 7617), in standard and in URL-safe base64, with or without padding.
 * Pure; any thread. */
#ifndef IAM_AUTHORIZATION_H
#define IAM_AUTHORIZATION_H

#include <stdbool.h>

#include "src/base/str.h"

enum { BASIC_MAX_BYTES = 512, BASIC_MAX_NAME = 128 };

/* User name and password in clear. Wipe it after use. */
struct basic_login {
    struct slice user, password; /* into `bytes` */
    char bytes[BASIC_MAX_BYTES];
};

enum basic_read {
    BASIC_OK,
    BASIC_ABSENT,    /* no header, or another scheme */
    BASIC_MALFORMED, /* not base64, no colon, not UTF-8, control characters, too long, no user name */
};

/* `header` is the value of the header; s == NULL: there is none. The user name ends at the first colon: the password may have more. */
enum basic_read basic_read(struct slice header, struct basic_login *out);

/* Standard or URL-safe base64 into `out`. Returns the bytes written, or -1: not base64, or more than `size`. */
int authorization_base64(struct slice in, char *out, size_t size);

#endif
