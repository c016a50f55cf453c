/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - tells the audit about every change that the API made or refused. */
#ifndef API_RECORD_H
#define API_RECORD_H

#include "api/call.h"

/* Records the call if its route changes something. `why` is NULL after success. Never fails the call: a record that cannot be
 * written is an error in the log and in the metrics. */
void record_change(struct call *c, const struct err *why);
/* Records it as the operation `id`, for handlers that serve several. */
void record_as(struct call *c, const char *id, const struct err *why);

#endif
