/* SPDX-License-Identifier: Apache-2.0 */
/* Feeds a join bundle, and the join secret that opens one: the first line is the secret, the rest the file. */
#include <stdlib.h>
#include <string.h>

#include "src/io/addr.h"
#include "src/node/bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(CONDITION) do { if (!(CONDITION)) abort(); } while (0)

/* What is taken for a bundle names a node that is among its members, each with an address and an id of its own. */
static void check(const struct bundle *b)
{
    bool is_among = false;
    struct addr at;

    MUST(b->identity.node != 0 && b->identity.generation != 0 && b->authority != NULL);
    MUST(b->n_members > 0 && b->n_members <= RAFT_MAX_MEMBERS);
    for (unsigned i = 0; i < b->n_members; i++) {
        is_among |= b->members[i].id == b->identity.node;
        MUST(addr_parse_port((struct slice){ b->members[i].address, strlen(b->members[i].address) }, &at) && at.port != 0);
        for (unsigned k = 0; k < i; k++)
            MUST(b->members[i].id != b->members[k].id);
    }
    MUST(is_among);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1);
    struct bundle_sealed sealed;
    struct slice rest, secret;
    struct arena arena;
    struct bundle b;

    MUST(copy != NULL);
    memcpy(copy, data, size);
    rest = (struct slice){ copy, size };
    secret = slice_cut(&rest, '\n');
    arena_init(&arena);
    if (bundle_read(rest, &arena, &b, &sealed, NULL) == 0) {
        char *text = arena_strndup(&arena, secret.s, secret.n);

        check(&b);
        MUST(text != NULL);
        if (bundle_open(&b, &sealed, text, &arena, NULL) == 0)
            MUST(b.key != NULL && b.certificate != NULL && b.master.n > 0 && b.master.n <= 2);
        bundle_wipe(&b);
    }
    arena_fini(&arena);
    free(copy);
    return 0;
}
