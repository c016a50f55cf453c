/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.h - a certificate of an agent that is good no more. From fibers. */
#ifndef TESTS_FLOWS_CERTIFICATE_H
#define TESTS_FLOWS_CERTIFICATE_H

#include "src/host/host.h"

/* Certificate and key for the agent of `host`, which have just ended, as its agent.pem. Errors: VAULT_OPEN, UNEXPECTED, NOMEM, those of db_read. */
MUST_CHECK int ended_certificate(struct db *d, const struct hosts *h, int64_t host, struct arena *arena, const char **out, struct err *e);

#endif
