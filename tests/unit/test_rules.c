/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the domains on a real MetaDB: one program, so that one server is started for all of it. */
#include <stdio.h>

#include "tests/lib/store.h"
#include "tests/unit/rules_tests.h"

static const struct CMUnitTest *const groups[] = {
    rules_audit_tests,
    rules_credential_tests,
    rules_role_tests,
    rules_setting_tests,
    rules_unitspec_tests,
    rules_user_tests,
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
    rv = _cmocka_run_group_tests("rules", all, n, NULL, NULL);
    test_store_stop();
    return rv;
}
