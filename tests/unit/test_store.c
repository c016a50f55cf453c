/* SPDX-License-Identifier: Apache-2.0 */
/* The store on a real server: one program, so that one server is started for all of it. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/store.h"
#include "tests/unit/store_tests.h"

static const struct CMUnitTest *const groups[] = {
    store_db_tests,
    store_leader_tests,
    store_migrate_tests,
    store_obcluster_tests,
    store_place_tests,
    store_record_tests,
    store_user_tests,
};

static size_t length(const struct CMUnitTest *tests)
{
    size_t n = 0;

    while (tests[n].name != NULL)
        n++;
    return n;
}

int main(void)
{
    struct CMUnitTest all[400];
    size_t n = 0;
    int rv;

    if (!test_store_start()) {
        (void)fprintf(stderr, "skipped: mariadbd is not installed\n");
        return 77;
    }
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        memcpy(all + n, groups[i], length(groups[i]) * sizeof all[0]);
        n += length(groups[i]);
    }
    rv = _cmocka_run_group_tests("store", all, n, NULL, NULL);
    test_store_stop();
    return rv;
}
