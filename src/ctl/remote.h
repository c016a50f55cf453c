/* SPDX-License-Identifier: Apache-2.0 */
/* remote.h - the public API of an OCP, behind one or several endpoints. The first that says it is ready gets all calls; when it
 * fails, the next one takes over; when one says when to come back (503 with Retry-After: nobody leads for a moment), there is another round; and a call whose outcome is unknown is repeated there if that is safe: reading is, and
 * so is every change, since it bears an idempotency key. From a fiber. */
#ifndef CTL_REMOTE_H
#define CTL_REMOTE_H

#include <stdbool.h>

#include "src/base/json.h"
#include "src/io/http_client.h"
#include "src/io/loop.h"

struct remote;

enum { REMOTE_MESSAGE_SIZE = 4096 };

struct remote_conf {
    struct loop *loop;            /* borrowed, outlives it */
    const char *endpoints;        /* "URL[,URL..]" */
    const char *user, *password;  /* borrowed; user NULL: no login */
    const char *access_key, *secret_key; /* borrowed; access_key NULL: none. It wins over user */
    const char *tls_ca;           /* borrowed; NULL: the system's authorities */
    bool tls_unverified;
    const char *language;         /* borrowed; NULL: the server's choice */
    int64_t timeout_ms;           /* of one call on one endpoint */
    char *message;                /* borrowed, REMOTE_MESSAGE_SIZE bytes: gets the full sentence of the errors CTL_* below */
};

ERR_DECLARE(ERR_CTL_REFUSED);     /* {0} message, {1} code, {2} trace: the server answered with an error */
ERR_DECLARE(ERR_CTL_LOGIN);       /* the same with status 401 or 403 */
ERR_DECLARE(ERR_CTL_ODD);         /* {0} endpoint, {1} what: an answer that is not OCP's */
ERR_DECLARE(ERR_CTL_UNREACHABLE); /* {0} what each endpoint said */

/* Errors: INVALID (an endpoint is no URL), NOMEM. */
MUST_CHECK int remote_new(const struct remote_conf *conf, struct remote **out, struct err *e);
void remote_free(struct remote *r);

unsigned remote_count(const struct remote *r);
const char *remote_url(const struct remote *r, unsigned n);

struct remote_answer {
    int status;
    const char *content_type;     /* "" without */
    struct slice body;            /* NUL-terminated, in the arena */
    const char *url;              /* endpoint that gave it */
};
/* One call, any status is a success. `body` NULL: none; it is sent as JSON.
 * Errors: CTL_UNREACHABLE, TIMEOUT, HTTP_TOO_LARGE, INVALID, IO, NOMEM. */
MUST_CHECK int remote_call(struct remote *r, const char *method, const char *path, const char *body, struct arena *arena,
                           struct remote_answer *out, struct err *e);
/* One call on endpoint `n` alone. Errors: HTTP_CONNECT, HTTP_LOST, TIMEOUT and as above. */
MUST_CHECK int remote_call_one(struct remote *r, unsigned n, const char *path, struct arena *arena, struct remote_answer *out,
                               struct err *e);
/* One call that must succeed. `root` gets the whole answer, which the caller owns (or is NULL for a text). `data` its member of that
 * name, or the whole answer if it has no envelope, or NULL; borrowed from `root`.
 * Errors: as remote_call, and CTL_REFUSED, CTL_LOGIN, CTL_ODD. */
MUST_CHECK int remote_data(struct remote *r, const char *method, const char *path, const char *body, struct arena *arena, json_t **root,
                           const json_t **data, struct err *e);
/* As remote_data, with a file as body; `type` is its content type. It takes as long as it takes. */
MUST_CHECK int remote_upload(struct remote *r, const char *path, const struct http_stream *file, const char *type, struct arena *arena, json_t **root,
                             const json_t **data, struct err *e);
/* Fetches a file from the current endpoint: a second try could not take back what the first has written. Errors: as remote_data. */
MUST_CHECK int remote_download(struct remote *r, const char *path, const struct http_stream *file, struct arena *arena, struct err *e);

#endif
