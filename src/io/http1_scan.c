/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are found by their LF, must end with CR LF and hold no other control character (RFC 9112 sections 2.2, 3, 5, 6, 7.1). */
#include "src/io/http1_scan.h"

#include <string.h>

/* What a byte may be part of. TOKEN: RFC 9110 5.6.2. TARGET: 0x21 to 0x7e but '#'. VALUE: tab, and from the blank upwards but
 * DEL. HOST: RFC 3986 3.2.2 and the colon. HEX: digits. */
enum { TOKEN = 1, TARGET = 2, VALUE = 4, HOST = 8, HEX = 16 };
static const uint8_t classes[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    4, 15, 6, 5, 15, 15, 15, 15, 14, 14, 15, 15, 14, 15, 15, 6, 31, 31, 31, 31, 31, 31, 31, 31, 31, 31, 14, 14, 6, 14, 6, 6,
    6, 31, 31, 31, 31, 31, 31, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 14, 6, 14, 7, 15,
    7, 31, 31, 31, 31, 31, 31, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 6, 7, 6, 15, 0,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
    4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
};

static bool is(char c, int class)
{
    return (classes[(unsigned char)c] & class) != 0;
}

/* Length of the beginning of `t` that is all of `class`. */
static size_t span(struct slice t, int class)
{
    size_t n = 0;

    while (n < t.n && is(t.s[n], class))
        n++;
    return n;
}

bool http_target_is_valid(struct slice target)
{
    return target.n > 0 && span(target, TARGET) == target.n;
}

bool http_token_is_valid(struct slice token)
{
    return token.n > 0 && span(token, TOKEN) == token.n;
}

bool http_value_is_valid(struct slice value)
{
    return span(value, VALUE) == value.n;
}

static bool is_port(struct slice t)
{
    if (t.n > 5)
        return false;
    for (size_t i = 0; i < t.n; i++) {
        if (t.s[i] < '0' || t.s[i] > '9')
            return false;
    }
    return true;
}

bool http_host_is_valid(struct slice host)
{
    const char *close = host.n > 0 && host.s[0] == '[' ? memchr(host.s, ']', host.n) : NULL;
    const char *colon;
    size_t name;

    if (host.n == 0 || span(host, HOST) < host.n)
        return false;
    if (host.s[0] == '[') {
        if (close == NULL)
            return false;
        for (const char *p = host.s + 1; p < close; p++) {
            if (!is(*p, HEX) && *p != ':' && *p != '.')
                return false;
        }
        name = (size_t)(close + 1 - host.s);
        return name > 2 && (name == host.n || (host.s[name] == ':' && is_port((struct slice){ host.s + name + 1, host.n - name - 1 })));
    }
    colon = memchr(host.s, ':', host.n);
    name = colon != NULL ? (size_t)(colon - host.s) : host.n;
    if (name == 0 || memchr(host.s, '[', name) != NULL || memchr(host.s, ']', name) != NULL)
        return false;
    return colon == NULL || is_port((struct slice){ colon + 1, host.n - name - 1 });
}

static enum http1_result bad(const char **reason, const char *why)
{
    *reason = why;
    return HTTP1_MALFORMED;
}

/* METHOD SP target SP HTTP/1.x */
static enum http1_result request_line(struct http1_head *h, const char *p, struct slice line)
{
    size_t method = span(line, TOKEN);
    struct slice target, version;

    if (method == 0 || method == line.n || line.s[method] != ' ')
        return bad(&h->reason, "the request line does not begin with a method and one blank");
    target = (struct slice){ line.s + method + 1, line.n - method - 1 };
    version = target;
    target.n = span(target, TARGET);
    if (target.n > h->max_target)
        return HTTP1_TARGET_SIZE;
    if (target.n == 0 || target.n == version.n || target.s[target.n] != ' ')
        return bad(&h->reason, "the request target holds a character that must be encoded, or there is no version");
    version = (struct slice){ version.s + target.n + 1, version.n - target.n - 1 };
    if (version.n != 8 || memcmp(version.s, "HTTP/", 5) != 0 || version.s[6] != '.')
        return bad(&h->reason, "the request line does not end with a version such as HTTP/1.1");
    if (version.s[5] != '1' || (version.s[7] != '0' && version.s[7] != '1'))
        return version.s[5] >= '0' && version.s[5] <= '9' && version.s[7] >= '0' && version.s[7] <= '9'
                   ? HTTP1_VERSION : bad(&h->reason, "the version is not a number");
    h->has_request_line = true;
    h->method_n = method;
    h->target_at = (size_t)(target.s - p);
    h->target_n = target.n;
    h->minor = (unsigned)(version.s[7] - '0');
    return HTTP1_MORE;
}

static enum http1_result content_length(struct http1_head *h, struct slice v)
{
    uint64_t n = 0;

    if (h->has_length)
        return bad(&h->reason, "more than one Content-Length");
    if (v.n == 0 || v.n > 18)
        return bad(&h->reason, "Content-Length is not a number");
    for (size_t i = 0; i < v.n; i++) {
        if (v.s[i] < '0' || v.s[i] > '9')
            return bad(&h->reason, "Content-Length is not a number");
        n = n * 10 + (uint64_t)(v.s[i] - '0');
    }
    h->length = n;
    h->has_length = true;
    return HTTP1_MORE;
}

/* Only "chunked" is understood. A list of codings that ends with it is sound but not ours; anything else is no framing at all. */
static enum http1_result transfer_encoding(struct http1_head *h, struct slice v)
{
    struct slice rest = v, last = { "", 0 };
    bool others = false;

    if (h->chunked)
        return bad(&h->reason, "more than one Transfer-Encoding");
    h->chunked = true;
    if (slice_is_nocase(v, "chunked"))
        return HTTP1_MORE;
    while (rest.n > 0) {
        last = slice_trim(slice_cut(&rest, ','));
        if (rest.n > 0 && (!http_token_is_valid(last) || slice_is_nocase(last, "chunked")))
            return bad(&h->reason, "Transfer-Encoding does not end with one chunked");
        others = others || rest.n > 0;
    }
    if (!others || !slice_is_nocase(last, "chunked"))
        return bad(&h->reason, "Transfer-Encoding does not end with one chunked");
    h->reason = "transfer coding other than chunked";
    return HTTP1_UNSUPPORTED;
}

static enum http1_result host(struct http1_head *h, struct slice v)
{
    if (h->has_host)
        return bad(&h->reason, "more than one Host");
    if (!http_host_is_valid(v) && (h->minor > 0 || v.n > 0))
        return bad(&h->reason, "Host is not a host name with an optional port");
    h->has_host = true;
    return HTTP1_MORE;
}

/* name ":" OWS value OWS; `reason` gets the fault. */
static bool field_line(struct slice line, struct slice *name, struct slice *value, const char **reason)
{
    *name = (struct slice){ line.s, span(line, TOKEN) };
    if (name->n == 0 || name->n == line.n || line.s[name->n] != ':') {
        *reason = line.s[0] == ' ' || line.s[0] == '\t' ? "a header line begins with a blank"
                                                        : "a header name is not a token with a colon right after it";
        return false;
    }
    *value = (struct slice){ line.s + name->n + 1, line.n - name->n - 1 };
    if (span(*value, VALUE) < value->n) {
        *reason = "a header value holds a control character";
        return false;
    }
    *value = slice_trim(*value);
    return true;
}

static enum http1_result header_line(struct http1_head *h, struct slice line)
{
    struct slice name, value;

    if (!field_line(line, &name, &value, &h->reason))
        return HTTP1_MALFORMED;
    if (++h->n_headers > h->max_headers)
        return HTTP1_HEADER_COUNT;
    if (name.n == 4 && slice_is_nocase(name, "host"))
        return host(h, value);
    if (name.n == 14 && slice_is_nocase(name, "content-length"))
        return content_length(h, value);
    if (name.n == 17 && slice_is_nocase(name, "transfer-encoding"))
        return transfer_encoding(h, value);
    return HTTP1_MORE;
}

static enum http1_result end_of_head(struct http1_head *h)
{
    if (h->chunked && h->has_length)
        return bad(&h->reason, "both Content-Length and Transfer-Encoding");
    if (h->chunked && h->minor == 0)
        return bad(&h->reason, "Transfer-Encoding in HTTP/1.0");
    if (h->minor > 0 && !h->has_host)
        return bad(&h->reason, "no Host");
    return HTTP1_DONE;
}

static enum http1_result one_line(struct http1_head *h, const char *p, struct slice line)
{
    if (!h->has_request_line) {
        if (line.n > 0)
            return request_line(h, p, line);
        if (h->begin > 0)
            return bad(&h->reason, "empty lines before the request line");
        h->begin = 2; /* RFC 9112 2.2: one is to be ignored */
        return HTTP1_MORE;
    }
    return line.n > 0 ? header_line(h, line) : end_of_head(h);
}

enum { METHOD_MAX = 32 };

/* The last line is not complete: is it well so far? */
static enum http1_result unfinished(struct http1_head *h, const char *p, size_t n)
{
    const char *cr = n > h->line ? memchr(p + h->line, '\r', n - h->line) : NULL;

    if (cr != NULL && cr + 1 < p + n)
        return bad(&h->reason, "CR without LF");
    if (!h->has_request_line && n - h->line > h->max_target + METHOD_MAX)
        return HTTP1_TARGET_SIZE;
    if (n - h->begin >= h->max_bytes)
        return HTTP1_HEADER_SIZE;
    h->searched = n;
    return HTTP1_MORE;
}

enum http1_result http1_head_scan(struct http1_head *h, const char *p, size_t n, size_t *used)
{
    for (;;) {
        size_t from = h->searched > h->line ? h->searched : h->line;
        const char *lf = n > from ? memchr(p + from, '\n', n - from) : NULL;
        enum http1_result r;
        size_t end;

        if (lf == NULL)
            return unfinished(h, p, n);
        end = (size_t)(lf - p);
        if (end == h->line || lf[-1] != '\r')
            return bad(&h->reason, "LF without CR");
        if (end + 1 - h->begin > h->max_bytes)
            return HTTP1_HEADER_SIZE;
        r = one_line(h, p, (struct slice){ p + h->line, end - 1 - h->line });
        h->line = end + 1;
        *used = h->line;
        if (r != HTTP1_MORE)
            return r;
    }
}

/* Chunks:  SIZE --;--> EXTENSION --CR--> SIZE_LF --LF--> DATA --> DATA_CR --> DATA_LF --> SIZE ...
 *                                           '--size 0--> TRAILER --CR--> TRAILER_LF ... --empty line--> DONE              */
enum { SIZE, EXTENSION, SIZE_LF, DATA, DATA_CR, DATA_LF, TRAILER_START, TRAILER_NAME, TRAILER, TRAILER_LF, END_LF };
enum { SIZE_DIGITS_MAX = 15, SIZE_LINE_MAX = 256 };

static const char *size_digit(struct http1_chunks *c, char b)
{
    if (is(b, HEX)) {
        unsigned v = b <= '9' ? (unsigned)(b - '0') : (unsigned)((b | 0x20) - 'a' + 10);

        c->left = c->left << 4 | v;
        return ++c->digits <= SIZE_DIGITS_MAX ? NULL : "a chunk size has too many digits";
    }
    if (c->digits == 0 || (b != ';' && b != '\r'))
        return "a chunk size is not a hexadecimal number";
    c->state = b == ';' ? EXTENSION : SIZE_LF;
    return NULL;
}

static const char *size_byte(struct http1_chunks *c, char b)
{
    if (++c->n_line > SIZE_LINE_MAX)
        return "a chunk extension is too long";
    if (c->state == SIZE)
        return size_digit(c, b);
    if (c->state == EXTENSION) {
        if (b == '\r')
            c->state = SIZE_LF;
        return b == '\r' || is(b, VALUE) ? NULL : "a chunk extension holds a control character";
    }
    if (b != '\n')
        return "CR without LF after a chunk size";
    c->state = c->left > 0 ? DATA : TRAILER_START;
    c->n_line = c->digits = 0;
    return NULL;
}

static const char *trailer_byte(struct http1_chunks *c, char b)
{
    if (++c->n_trailer > c->max_trailer_bytes)
        return "the trailers are too long";
    switch (c->state) {
    case TRAILER_START:
        c->state = b == '\r' ? END_LF : TRAILER_NAME;
        return b == '\r' || is(b, TOKEN) ? NULL : "a trailer name is not a token";
    case TRAILER_NAME:
        if (b == ':')
            c->state = TRAILER;
        return b == ':' || is(b, TOKEN) ? NULL : "a trailer name is not a token with a colon right after it";
    case TRAILER:
        if (b == '\r')
            c->state = TRAILER_LF;
        return b == '\r' || is(b, VALUE) ? NULL : "a trailer holds a control character";
    default:
        c->state = TRAILER_START;
        return b == '\n' ? NULL : "CR without LF in a trailer";
    }
}

static const char *frame_byte(struct http1_chunks *c, char b)
{
    if (c->state <= SIZE_LF)
        return size_byte(c, b);
    if (c->state == DATA_CR || c->state == DATA_LF) {
        bool cr = c->state == DATA_CR;

        c->state = cr ? DATA_LF : SIZE;
        return b == (cr ? '\r' : '\n') ? NULL : "a chunk is longer than its size";
    }
    return trailer_byte(c, b);
}

enum http1_result http1_chunks_scan(struct http1_chunks *c, const char *p, size_t n, size_t *used)
{
    size_t at = 0;

    while (at < n) {
        if (c->state == DATA) {
            size_t take = n - at < c->left ? n - at : (size_t)c->left;

            at += take;
            c->left -= take;
            c->state = c->left > 0 ? DATA : DATA_CR;
            continue;
        }
        if (c->state == END_LF) {
            *used = at + 1;
            return p[at] == '\n' ? HTTP1_DONE : bad(&c->reason, "CR without LF after the last chunk");
        }
        c->reason = frame_byte(c, p[at++]);
        if (c->reason != NULL)
            return HTTP1_MALFORMED;
    }
    *used = n;
    return HTTP1_MORE;
}
