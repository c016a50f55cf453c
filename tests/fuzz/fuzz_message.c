/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between nodes: what is accepted says the same again when it is written. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "raft/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    struct arena arena;
    struct message m;
    struct str again;

    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    arena_init(&arena);
    str_init(&again, &arena);
    if (message_decode((struct slice){ copy, size }, &arena, &m, NULL) == 0) {
        free(copy);
        copy = NULL;
        message_encode(&m, &again);
        if (str_failed(&again) || again.n != size || memcmp(again.s, data, size) != 0)
            abort();
    }
    free(copy);
    arena_fini(&arena);
    return 0;
}
