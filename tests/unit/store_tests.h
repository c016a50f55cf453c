/* SPDX-License-Identifier: Apache-2.0 */
/* store_tests.h - the groups of test_store.c, one per file; each ends with a test without a name. */
#ifndef TESTS_UNIT_STORE_TESTS_H
#define TESTS_UNIT_STORE_TESTS_H

#include "tests/lib/test.h"

extern const struct CMUnitTest store_db_tests[];
extern const struct CMUnitTest store_idempotency_tests[];
extern const struct CMUnitTest store_leader_tests[];
extern const struct CMUnitTest store_migrate_tests[];
extern const struct CMUnitTest store_place_tests[];
extern const struct CMUnitTest store_record_tests[];
extern const struct CMUnitTest store_subtask_tests[];
extern const struct CMUnitTest store_user_tests[];
extern const struct CMUnitTest store_worklease_tests[];
extern const struct CMUnitTest store_obcluster_tests[];
extern const struct CMUnitTest store_configurl_tests[];

#endif
