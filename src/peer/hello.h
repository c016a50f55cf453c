/* SPDX-License-Identifier: Apache-2.0 */
/* hello.h - how nodes name themselves: in their certificates, and at the beginning of each Raft connection between them. Both sides send a hello
 * of HELLO_BYTES right after the TLS handshake; a connection whose certificate and hello disagree, or whose cluster is another, is closed. */
#ifndef PEER_HELLO_H
#define PEER_HELLO_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/err.h"

struct stream;

ERR_DECLARE(ERR_PEER_HELLO); /* {0} address, {1} why this is no node of this cluster */
extern const struct err_row *const peer_err_rows[];

enum {
    PEER_CLUSTER_BYTES = 16, HELLO_BYTES = 128, PEER_URI_SIZE = 80, PEER_ADDRESS_SIZE = 88,
    /* What comes first at the peer port, in the clear, tells what it is for: */
    PEER_RAFT = 'R',     /* then TLS, then hello: messages of the consensus, one way */
    PEER_CALL = 0x16,    /* TLS at once (RFC 8446 5.1: a record of the handshake): HTTP calls of another node */
};

struct hello {
    uint8_t cluster[PEER_CLUSTER_BYTES];
    uint64_t generation;   /* of the cluster's Raft log: an older one is of a cluster that was given up */
    uint64_t node;         /* who speaks */
    char address[PEER_ADDRESS_SIZE]; /* of the speaker's peer port; for who does not know the members yet */
};

/* "ocp-node:00112233445566778899aabbccddeeff:3": URI in the node's certificate. Returns `buf`. */
const char *peer_uri(const uint8_t cluster[PEER_CLUSTER_BYTES], uint64_t node, char buf[PEER_URI_SIZE]);

/* Sends ours and waits for theirs; checks that it is of the same cluster and generation, and of the node that the certificate names.
 * With expect != 0: that it is this node.
 * Errors: PEER_HELLO, STREAM_LOST, STREAM_TLS, TIMEOUT, CANCELLED. */
MUST_CHECK int hello_ask(struct stream *s, const struct hello *mine, uint64_t expect, struct hello *theirs, struct err *e);
MUST_CHECK int hello_answer(struct stream *s, const struct hello *mine, struct hello *theirs, struct err *e);

#endif
