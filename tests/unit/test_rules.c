/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the domains on a real MetaDB: one program, so that one server is started for all of it. */
#include "tests/lib/store.h"
#include "tests/unit/rules_tests.h"

static const struct CMUnitTest *const groups[] = {
    rules_audit_tests,
    rules_credential_tests,
    rules_package_tests,
    rules_role_tests,
    rules_setting_tests,
    rules_unitspec_tests,
    rules_user_tests,
};

int main(void)
{
    return test_store_main("rules", groups, sizeof groups / sizeof groups[0]);
}
