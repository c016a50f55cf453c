/* SPDX-License-Identifier: Apache-2.0 */
/* The store on a real server: one program, so that one server is started for all of it. */
#include "tests/lib/store.h"
#include "tests/unit/store_tests.h"

static const struct CMUnitTest *const groups[] = {
    store_configurl_tests,
    store_db_tests,
    store_leader_tests,
    store_migrate_tests,
    store_obcluster_tests,
    store_place_tests,
    store_idempotency_tests,
    store_record_tests,
    store_subtask_tests,
    store_user_tests,
    store_worklease_tests,
};

int main(void)
{
    return test_store_main("store", groups, sizeof groups / sizeof groups[0]);
}
