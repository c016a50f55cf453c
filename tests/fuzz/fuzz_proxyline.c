/* SPDX-License-Identifier: Apache-2.0 */
/* The PROXY header: what is accepted as a whole must be a beginning at every shorter length, and the same from a copy of exactly
 * that size, so that reading beyond it is seen. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/io/proxyline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum proxyline_result parse(const uint8_t *data, size_t size, struct addr *source, size_t *used)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    enum proxyline_result r;

    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    r = proxyline_parse(copy, size, source, used);
    free(copy);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum proxyline_result r;
    struct addr source;
    size_t used, ignored;

    if (size > 2 * PROXYLINE_MAX)
        return 0;
    r = parse(data, size, &source, &used);
    if (r != PROXYLINE_DONE && source.known)
        abort();
    for (size_t n = 0; r == PROXYLINE_DONE && n < used; n++) {
        if (parse(data, n, &source, &ignored) != PROXYLINE_MORE)
            abort();
    }
    if (r == PROXYLINE_DONE && (used > size || parse(data, used, &source, &ignored) != PROXYLINE_DONE || ignored != used))
        abort();
    return 0;
}
