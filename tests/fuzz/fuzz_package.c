/* SPDX-License-Identifier: Apache-2.0 */
/* The frame of a package: what is found lies in the file, in order, and is found at the same place however much more there is; a shorter
 * piece never says otherwise than "more". Names: what is taken is safe as a file's name. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/package/frame.h"
#include "src/package/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int condition)
{
    if (!condition)
        abort();
}

static void check_frame(const uint8_t *copy, size_t size)
{
    struct package_frame f, shorter;
    enum package_frame_result r = package_frame_find(copy, size, &f);

    if (r != PACKAGE_FRAME_DONE)
        return;
    must(96 < f.header_at && f.header_at % 8 == 0 && f.header_at + 16 <= f.payload_at && f.payload_at <= size);
    must(package_frame_find(copy, f.payload_at, &shorter) == PACKAGE_FRAME_DONE && shorter.payload_at == f.payload_at);
    must(package_frame_find(copy, f.payload_at - 1, &shorter) == PACKAGE_FRAME_MORE);
}

static void check_name(struct slice said)
{
    struct slice name = package_base_name(said);

    must(name.n == 0 || (name.s >= said.s && name.s + name.n == said.s + said.n));
    if (package_file_name_problem(name) != NULL)
        return;
    must(name.n > 0 && name.n <= 200 && name.s[0] != '.');
    must(memchr(name.s, '/', name.n) == NULL && memchr(name.s, '\0', name.n) == NULL && memchr(name.s, '"', name.n) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1); /* of exactly its size, so that reading beyond it is seen */

    must(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    check_frame(copy, size);
    check_name((struct slice){ (const char *)copy, size });
    free(copy);
    return 0;
}
