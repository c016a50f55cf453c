/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include "src/iam/authorization.h"

static enum basic_read read_it(const char *header, struct basic_login *login)
{
    return basic_read((struct slice){ header, header != NULL ? strlen(header) : 0 }, login);
}

static void expect(const char *header, const char *user, const char *password)
{
    struct basic_login l;

    assert_int_equal(read_it(header, &l), BASIC_OK);
    assert_true(slice_is(l.user, user));
    assert_true(slice_is(l.password, password));
}

static void test_good(void **state)
{
    (void)state;
    expect("Basic YWRtaW46YWFCQjExIyM=", "admin", "aaBB11##");
    expect("basic   YWRtaW46YWFCQjExIyM", "admin", "aaBB11##");
    expect("BASIC YWRtaW46YTpiOmM=", "admin", "a:b:c");
    expect("Basic YWRtaW46", "admin", "");
    expect("Basic dGVzdDoxMjPCow==", "test", "123\xc2\xa3");           /* RFC 7617, UTF-8 */
    expect("Basic dXNlcjo+Pj4/Pz8=", "user", ">>>???");
    expect("Basic dXNlcjo-Pj4_Pz8=", "user", ">>>???");                  /* URL-safe */
    expect("Basic dXNlcjo-Pj4_Pz8", "user", ">>>???");
}

static void test_absent(void **state)
{
    static const char *const absent[] = { NULL, "", "Basic", "Bearer YWRtaW46YQ==", "Basi YWRtaW46YQ==", "BasicYWRtaW46YQ==",
                                          "OCP-ACCESS-KEY-HMACSHA1 ak:sig" };
    struct basic_login l;

    (void)state;
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        assert_int_equal(read_it(absent[i], &l), BASIC_ABSENT);
}

static void test_malformed(void **state)
{
    static const char *const wrong[] = {
        "Basic ", "Basic !", "Basic YWRtaW4=", "Basic YWRtaW46YQ=", "Basic YWRtaW46YQ===", "Basic YWRtaW46Y", "Basic YWRtaW46YR==",
        "Basic YWRt aW46YQ==", "Basic Om5vbmFtZQ==", "Basic YWRtaW46AA==" /* NUL */, "Basic YWRtaW46Cg==" /* LF */, "Basic YWRtaW46fw==" /* DEL */,
        "Basic YWRtaW46wIA=" /* C0 80 */, "Basic YWRtaW467aCA" /* surrogate */, "Basic YWRtaW46woU=" /* C1 */, "Basic YWRtaW469JCAgA==" /* > U+10FFFF */,
        "Basic YWRtaW46w" , "Basic YWRtaW46ww==" /* cut sequence */,
    };
    char big[2048] = "Basic ";
    struct basic_login l;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(read_it(wrong[i], &l), BASIC_MALFORMED);
    memset(big + 6, 'Y', sizeof big - 7);
    assert_int_equal(read_it(big, &l), BASIC_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_absent),
        cmocka_unit_test(test_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
