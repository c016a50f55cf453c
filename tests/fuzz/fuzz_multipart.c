/* SPDX-License-Identifier: Apache-2.0 */
/* multipart/form-data: the first line is the content type, the rest the body. Whatever comes out lies in the body, and no value holds
 * the line that ends it. The body is a copy of exactly its size, so that reading beyond it is seen. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "api/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static void check_inside(struct slice part, struct slice body)
{
    must(part.s == NULL || part.n == 0 || (part.s >= body.s && part.s + part.n <= body.s + body.n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    struct multipart_part parts[MULTIPART_MAX_PARTS];
    struct slice type, body;
    char *copy;
    int n;

    if (end == NULL)
        return 0;
    type = (struct slice){ (const char *)data, (size_t)(end - data) };
    body.n = size - type.n - 1;
    copy = malloc(body.n > 0 ? body.n : 1);
    must(copy != NULL);
    memcpy(copy, end + 1, body.n);
    body.s = copy;
    n = multipart_read(type, body, parts, MULTIPART_MAX_PARTS);
    must(n >= -1 && n <= MULTIPART_MAX_PARTS);
    for (int i = 0; i < n; i++) {
        must(parts[i].name.s != NULL);
        check_inside(parts[i].name, body);
        check_inside(parts[i].filename, body);
        check_inside(parts[i].value, body);
    }
    (void)multipart_value(parts, n, "file");
    free(copy);
    return 0;
}
