/* SPDX-License-Identifier: Apache-2.0 */
/* address.h - where the other nodes reach this one: peer.address, or what the machine says. */
#ifndef NODE_ADDRESS_H
#define NODE_ADDRESS_H

#include "conf/settings.h"
#include "src/io/addr.h"

struct work_pool;

/* Where the peer port listens: peer.listen. */
struct addr node_peer_listen(const struct settings *s);

/* In this order: peer.address; the address of peer.listen, unless it is a wildcard; the address of this machine from which MetaDB is reached;
 * the first of its addresses that other machines may reach; the loopback address. From fibers; names are looked up on the pool.
 * Errors: CANCELLED, TIMEOUT, BUSY, NOMEM. */
MUST_CHECK int node_peer_address(const struct settings *s, struct work_pool *pool, struct addr *out, struct err *e);

#endif
