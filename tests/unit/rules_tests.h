/* SPDX-License-Identifier: Apache-2.0 */
/* rules_tests.h - the groups of test_rules.c, one per domain; each ends with a test without a name. */
#ifndef TESTS_UNIT_RULES_TESTS_H
#define TESTS_UNIT_RULES_TESTS_H

#include "tests/lib/test.h"

extern const struct CMUnitTest rules_audit_tests[];
extern const struct CMUnitTest rules_credential_tests[];
extern const struct CMUnitTest rules_package_tests[];
extern const struct CMUnitTest rules_role_tests[];
extern const struct CMUnitTest rules_setting_tests[];
extern const struct CMUnitTest rules_unitspec_tests[];
extern const struct CMUnitTest rules_user_tests[];

#endif
