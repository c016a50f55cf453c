/* SPDX-License-Identifier: Apache-2.0 */
/* What a cluster says of where its servers listen, and of their builds: whatever it is, the home address is tried, those that serve come before
 * those that do not, and nobody is tried twice at the head. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/obcluster/endpoint.h"
#include "src/obcluster/look.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct endpoint *all, size_t n)
{
    bool has_home = false;

    if (n == 0 || n > ENDPOINT_MAX)
        abort();
    for (size_t i = 0; i < n; i++) {
        has_home |= strcmp(all[i].name, "home:2881") == 0;
        if (all[i].host[0] == '\0' || all[i].port == 0 || all[i].port > 65535 || (i > 0 && all[i].state < all[i - 1].state))
            abort();
    }
    if (!has_home && n < ENDPOINT_MAX)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct obclusters_conf conf = { .clock = &clock_system, .log = &(struct log){ 0 } };
    struct obcluster c = { .address = "home", .port = 2881 };
    struct endpoint all[ENDPOINT_MAX];
    struct obclusters *o;
    struct arena arena;
    struct err e;

    arena_init(&arena);
    if (obclusters_new(&conf, &o, &e) != 0)
        abort();
    c.endpoints = arena_strndup(&arena, (const char *)data, size);
    if (c.endpoints == NULL || look_version(c.endpoints, &arena) == NULL)
        abort();
    check(all, endpoints_of(o, &c, all));
    endpoint_note(o, all[0].name, false);
    check(all, endpoints_of(o, &c, all));
    (void)endpoint_is_worse(o, &c, all[0].name);
    obclusters_free(o);
    arena_fini(&arena);
    return 0;
}
