/* SPDX-License-Identifier: Apache-2.0 */
#include "src/peer/hello.h"

#include <stdio.h>
#include <string.h>

#include "src/io/stream.h"

ERR_DEFINE(ERR_PEER_HELLO, 90740, 503, ERR_FINAL, "{0} is no node of this cluster: {1}.", "{0} 不是本集群的节点：{1}。");

const struct err_row *const peer_err_rows[] = { &ERR_PEER_HELLO, NULL };

_Static_assert(40 + PEER_ADDRESS_SIZE == HELLO_BYTES, "the address is the last member");

static const char magic[8] = "OCPPEER1";

const char *peer_uri(const uint8_t cluster[PEER_CLUSTER_BYTES], uint64_t node, char buf[PEER_URI_SIZE])
{
    int n = snprintf(buf, PEER_URI_SIZE, "ocp-node:");

    for (unsigned i = 0; i < PEER_CLUSTER_BYTES; i++)
        n += snprintf(buf + n, (size_t)(PEER_URI_SIZE - n), "%02x", cluster[i]);
    (void)snprintf(buf + n, (size_t)(PEER_URI_SIZE - n), ":%llu", (unsigned long long)node);
    return buf;
}

/* --- bytes ------------------------------------------------------------------------------------------------------------------------ */

static void put(unsigned char *p, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        p[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t get(const unsigned char *p)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++)
        v |= (uint64_t)p[i] << (8 * i);
    return v;
}

static void encode(const struct hello *h, unsigned char out[HELLO_BYTES])
{
    memcpy(out, magic, sizeof magic);
    memcpy(out + 8, h->cluster, PEER_CLUSTER_BYTES);
    put(out + 24, h->generation);
    put(out + 32, h->node);
    memset(out + 40, 0, PEER_ADDRESS_SIZE);
    memcpy(out + 40, h->address, strnlen(h->address, PEER_ADDRESS_SIZE - 1));
}

static bool decode(const unsigned char in[HELLO_BYTES], struct hello *h)
{
    if (memcmp(in, magic, sizeof magic) != 0 || in[HELLO_BYTES - 1] != 0)
        return false;
    memcpy(h->cluster, in + 8, PEER_CLUSTER_BYTES);
    h->generation = get(in + 24);
    h->node = get(in + 32);
    memcpy(h->address, in + 40, PEER_ADDRESS_SIZE);
    return true;
}

/* --- the exchange ----------------------------------------------------------------------------------------------------------------- */

static int no_node(struct stream *s, const char *why, struct err *e)
{
    struct addr peer = stream_peer(s);
    char text[ADDR_TEXT_SIZE];

    (void)err_set(e, &ERR_PEER_HELLO, "%s", addr_text_port(&peer, text));
    return err_arg(e, "%s", why);
}

static int check(struct stream *s, const struct hello *mine, const struct hello *theirs, struct err *e)
{
    char uri[PEER_URI_SIZE];

    if (memcmp(mine->cluster, theirs->cluster, PEER_CLUSTER_BYTES) != 0)
        return no_node(s, "it belongs to another cluster", e);
    if (theirs->generation != mine->generation)
        return no_node(s, theirs->generation < mine->generation ? "it is of an older generation, which was given up"
                                                                : "it is of a newer generation than this node",
                       e);
    if (strcmp(stream_peer_uri(s), peer_uri(theirs->cluster, theirs->node, uri)) != 0)
        return no_node(s, "its certificate names another node", e);
    return theirs->node != mine->node ? 0 : no_node(s, "it bears the id of this node", e);
}

static int send_hello(struct stream *s, const struct hello *h, struct err *e)
{
    unsigned char bytes[HELLO_BYTES];

    encode(h, bytes);
    return stream_write(s, bytes, sizeof bytes, e);
}

static int receive_hello(struct stream *s, const struct hello *mine, struct hello *theirs, struct err *e)
{
    unsigned char bytes[HELLO_BYTES];
    int rv = stream_read_all(s, bytes, sizeof bytes, e);

    if (rv != 0)
        return rv;
    if (!decode(bytes, theirs))
        return no_node(s, "it does not speak as a node does", e);
    return check(s, mine, theirs, e);
}

int hello_ask(struct stream *s, const struct hello *mine, uint64_t expect, struct hello *theirs, struct err *e)
{
    int rv = send_hello(s, mine, e);

    if (rv == 0)
        rv = receive_hello(s, mine, theirs, e);
    if (rv == 0 && expect != 0 && theirs->node != expect)
        rv = no_node(s, "another node answers at this address", e);
    return rv;
}

int hello_answer(struct stream *s, const struct hello *mine, struct hello *theirs, struct err *e)
{
    int rv = receive_hello(s, mine, theirs, e);

    return rv == 0 ? send_hello(s, mine, e) : rv;
}
