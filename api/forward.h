/* SPDX-License-Identifier: Apache-2.0 */
/* forward.h - calls that the leader must answer (ROUTE_LEADER) work on every node:
 *
 *   client --> this node: leads? --- yes --> the handler
 *                           | no
 *                           v
 *                knows who leads? --- no --> 503, Retry-After: 1
 *                           | yes
 *                           v
 *                one hop over the peer link, as the client sent it --> the leader's answer, as it came
 *                                                                 \--> not reached, or it does not lead any more: 503, Retry-After: 1
 *
 * For ROUTE_LEADER_FIRST this node answers itself in the place of each 503.
 *
 * The client's own credentials go along and are checked by the leader alone, so a login is counted once, and the audit there shows the true user
 * and address. A signature of an access key covers method, target, Host, Content-Type, Date, x-ocp-* headers and body: all of these arrive
 * unchanged, so it verifies there, and no node has to be believed about who a user is. What a node is believed is its client's address. */
#ifndef API_FORWARD_H
#define API_FORWARD_H

#include "api/call.h"

ERR_DECLARE(ERR_NO_LEADER);  /* 503: nobody leads now, or whoever we think does not */
ERR_DECLARE(ERR_NO_SUCCESSOR); /* 409: leadership can go nowhere; raised by api/leader.c */
extern const struct err_row *const forward_err_rows[];

enum { FORWARD_WATCH_MS = 250, FORWARD_GRACE_MS = 1000, FORWARD_SPARE_MS = 500 };

/* Must another node answer this call? Errors: NO_LEADER. */
MUST_CHECK int forward_is_needed(const struct call *c, bool *needed, struct err *e);
/* Has it answered, and replies. Ends FORWARD_GRACE_MS after leadership has moved away from whom was asked, if not before.
 * Errors: NO_LEADER, PEER_AWAY, PEER_LOST, those of decode_raw_body, CANCELLED, NOMEM. */
MUST_CHECK int forward_call(struct call *c, struct err *e);

#endif
