/* SPDX-License-Identifier: Apache-2.0 */
#include "src/io/proxyline.h"

#include <string.h>

enum { V1_MAX = 107, V2_HEAD = 16 };

static const char v2_signature[12] = "\r\n\r\n\0\r\nQUIT\n";

static enum proxyline_result v1_fields(struct slice line, struct addr *source)
{
    struct slice protocol = slice_cut(&line, ' ');
    struct slice from = slice_cut(&line, ' ');
    struct slice to = slice_cut(&line, ' ');
    struct slice from_port = slice_cut(&line, ' ');
    bool v4 = slice_is(protocol, "TCP4");
    struct addr destination;
    uint16_t to_port;

    if (slice_is(protocol, "UNKNOWN"))
        return PROXYLINE_DONE; /* whatever follows is to be ignored */
    if (!v4 && !slice_is(protocol, "TCP6"))
        return PROXYLINE_BROKEN;
    if (!addr_parse(from, source) || !addr_parse(to, &destination) || from.s[0] == '[' || to.s[0] == '[')
        return PROXYLINE_BROKEN;
    if (!port_parse(from_port, &source->port) || !port_parse(line, &to_port))
        return PROXYLINE_BROKEN;
    return (memchr(from.s, ':', from.n) == NULL) == v4 && (memchr(to.s, ':', to.n) == NULL) == v4 ? PROXYLINE_DONE
                                                                                                  : PROXYLINE_BROKEN;
}

static enum proxyline_result v1_parse(const char *p, size_t n, struct addr *source, size_t *used)
{
    size_t seen = n < V1_MAX ? n : V1_MAX;
    const char *end = memchr(p, '\n', seen);
    enum proxyline_result r;
    size_t len;

    if (end == NULL)
        return n < V1_MAX ? PROXYLINE_MORE : PROXYLINE_BROKEN;
    len = (size_t)(end - p);
    if (len < 7 || end[-1] != '\r' || memchr(p, '\0', len) != NULL)
        return PROXYLINE_BROKEN;
    r = v1_fields((struct slice){ p + 6, len - 7 }, source); /* without "PROXY " and CR */
    if (r != PROXYLINE_DONE)
        *source = (struct addr){ .known = false };
    *used = len + 1;
    return r;
}

static uint16_t be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static enum proxyline_result v2_source(const uint8_t *p, size_t len, struct addr *source)
{
    unsigned family = p[13] >> 4;
    const uint8_t *body = p + V2_HEAD;

    if ((p[12] & 0x0f) == 0)
        return PROXYLINE_DONE; /* LOCAL */
    if ((p[12] & 0x0f) != 1 || (p[13] & 0x0f) > 2 || family > 3)
        return PROXYLINE_BROKEN;
    if ((p[13] & 0x0f) != 1 || family == 0 || family == 3)
        return PROXYLINE_DONE; /* UNSPEC, a Unix socket, or a datagram: nobody we could name */
    if (len < (family == 1 ? 12u : 36u))
        return PROXYLINE_BROKEN;
    if (family == 1) {
        source->ip[10] = source->ip[11] = 0xff;
        memcpy(source->ip + 12, body, 4);
        source->port = be16(body + 8);
    } else {
        memcpy(source->ip, body, 16);
        source->port = be16(body + 32);
    }
    source->known = true;
    return PROXYLINE_DONE;
}

static enum proxyline_result v2_parse(const uint8_t *p, size_t n, struct addr *source, size_t *used)
{
    size_t len;

    if (n > 12 && p[12] >> 4 != 2)
        return PROXYLINE_BROKEN;
    if (n < V2_HEAD)
        return PROXYLINE_MORE;
    len = be16(p + 14);
    if (V2_HEAD + len > PROXYLINE_MAX)
        return PROXYLINE_BROKEN;
    if (n < V2_HEAD + len)
        return PROXYLINE_MORE;
    *used = V2_HEAD + len;
    return v2_source(p, len, source);
}

enum proxyline_result proxyline_parse(const void *bytes, size_t n, struct addr *source, size_t *used)
{
    size_t v1 = n < 6 ? n : 6, v2 = n < sizeof v2_signature ? n : sizeof v2_signature;

    *source = (struct addr){ .known = false };
    *used = 0;
    if (n == 0)
        return PROXYLINE_MORE;
    if (memcmp(bytes, "PROXY ", v1) == 0)
        return n < 6 ? PROXYLINE_MORE : v1_parse(bytes, n, source, used);
    if (memcmp(bytes, v2_signature, v2) == 0)
        return v2_parse(bytes, n, source, used);
    return PROXYLINE_BROKEN;
}
