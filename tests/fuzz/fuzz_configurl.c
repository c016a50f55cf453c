/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever is sent to the config URL as a report: what is taken reads back as itself, from what is told to others. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/configurl/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1000000 };

static void check_told(const struct config_report *r, struct arena *arena)
{
    struct config_ask ask = { r->record.name, r->record.ob_cluster_id, 2 };
    struct config_report again;
    struct str t;
    struct err e;

    str_init(&t, arena);
    if (!config_write_answer(&t, &r->record, 1, &ask, config_write_servers, NULL) || str_failed(&t))
        abort();
    if (t.s[0] == '[') { /* without a number: an array */
        t.s[t.n - 1] = '\0';
        t.s++;
        t.n -= 2;
    }
    if (config_report_read((struct slice){ t.s, t.n }, &ask, NOW, arena, &again, &e) != 0)
        abort();
    if (strcmp(again.record.servers, r->record.servers) != 0 || strcmp(again.record.type, r->record.type) != 0 ||
        again.record.stamp_us != r->record.stamp_us || again.n_servers != r->n_servers)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config_ask ask = { "asked", 3, size > 0 && data[0] == ' ' ? 2 : 1 };
    struct config_report r;
    struct arena arena;
    struct err e;

    arena_init(&arena);
    if (config_report_read((struct slice){ (const char *)data, size }, &ask, NOW, &arena, &r, &e) == 0)
        check_told(&r, &arena);
    arena_fini(&arena);
    return 0;
}
