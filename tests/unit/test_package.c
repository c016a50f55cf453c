/* SPDX-License-Identifier: Apache-2.0 */
/* What is pure about packages: their frame, their names, and forms that come in pieces. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/multipart_stream.h"
#include "src/package/frame.h"
#include "src/package/name.h"
#include "tests/lib/test.h"

/* ---- frame ------------------------------------------------------------------------------------------------------------------------ */

enum { LEAD = 96, SIGNATURE = 16 + 16 + 5, PADDED = 40, HEADER = 16 + 2 * 16 + 7, PAYLOAD_AT = LEAD + PADDED + HEADER };

static void put_header(unsigned char *p, unsigned n_entries, unsigned n_data)
{
    static const unsigned char magic[] = { 0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0 };

    memcpy(p, magic, sizeof magic);
    p[11] = (unsigned char)n_entries;
    p[15] = (unsigned char)n_data;
}

static void make_file(unsigned char file[PAYLOAD_AT])
{
    memset(file, 0, PAYLOAD_AT);
    memcpy(file, "\xed\xab\xee\xdb", 4);
    put_header(file + LEAD, 1, 5);
    put_header(file + LEAD + PADDED, 2, 7);
}

static void frame_is_found_when_the_header_is_whole(void **state)
{
    unsigned char file[PAYLOAD_AT];
    struct package_frame f;

    (void)state;
    make_file(file);
    for (size_t n = 0; n < PAYLOAD_AT; n++)
        assert_int_equal(package_frame_find(file, n, &f), PACKAGE_FRAME_MORE);
    assert_int_equal(package_frame_find(file, PAYLOAD_AT, &f), PACKAGE_FRAME_DONE);
    assert_int_equal(f.header_at, LEAD + PADDED);
    assert_int_equal(f.payload_at, PAYLOAD_AT);
}

static void frame_of_something_else(void **state)
{
    unsigned char file[PAYLOAD_AT];
    struct package_frame f;

    (void)state;
    assert_int_equal(package_frame_find("PK", 2, &f), PACKAGE_FRAME_FOREIGN);
    make_file(file);
    file[LEAD] = 0;
    assert_int_equal(package_frame_find(file, sizeof file, &f), PACKAGE_FRAME_FOREIGN);
    make_file(file);
    file[LEAD + PADDED + 3] = 2;
    assert_int_equal(package_frame_find(file, sizeof file, &f), PACKAGE_FRAME_FOREIGN);
}

static void frame_that_is_too_large(void **state)
{
    unsigned char file[PAYLOAD_AT];
    struct package_frame f;

    (void)state;
    make_file(file);
    file[LEAD + 8] = 0xff; /* entries */
    assert_int_equal(package_frame_find(file, sizeof file, &f), PACKAGE_FRAME_TOO_LARGE);
    make_file(file);
    file[LEAD + PADDED + 12] = 2; /* bytes of data */
    assert_int_equal(package_frame_find(file, sizeof file, &f), PACKAGE_FRAME_TOO_LARGE);
}

/* ---- names ------------------------------------------------------------------------------------------------------------------------ */

static void names_say_what_is_installed(void **state)
{
    (void)state;
    assert_int_equal(package_type_of("oceanbase-ce"), PACKAGE_OB_SERVER);
    assert_int_equal(package_type_of("obproxy"), PACKAGE_OBPROXY);
    assert_int_equal(package_type_of("t-oceanbase-ocp-agent"), PACKAGE_OCP_AGENT);
    assert_int_equal(package_type_of("oceanbase-ce-libs"), PACKAGE_OTHER);
    assert_int_equal(package_type_of("bash"), -1);
    assert_int_equal(package_type_of(""), -1);
    assert_string_equal(package_type_names[PACKAGE_OTHER], "OTHERS_RPM");
    assert_true(package_architecture_is_known("noarch"));
    assert_false(package_architecture_is_known("src"));
}

static void check_release(const char *release, const char *build, const char *os)
{
    struct slice b, o;

    package_split_release(release, &b, &o);
    assert_true(slice_is(b, build));
    assert_true(slice_is(o, os));
}

static void releases_are_split(void **state)
{
    (void)state;
    check_release("100000102023092807.el7", "100000102023092807", "el7");
    check_release("1.2.el8", "1.2", "el8");
    check_release("7", "7", "");
    check_release("7.", "7", "");
    check_release("", "", "");
}

static struct slice text(const char *s)
{
    return (struct slice){ s, strlen(s) };
}

static void file_names_are_made_safe(void **state)
{
    char longest[300];

    (void)state;
    assert_true(slice_is(package_base_name(text("C:\\down\\a.rpm")), "a.rpm"));
    assert_true(slice_is(package_base_name(text("../../etc/passwd")), "passwd"));
    assert_true(slice_is(package_base_name(text("a.rpm")), "a.rpm"));
    assert_true(slice_is(package_base_name(text("a/")), ""));
    assert_null(package_file_name_problem(text("oceanbase-ce_4.2+x~1.rpm")));
    assert_non_null(package_file_name_problem(text("")));
    assert_non_null(package_file_name_problem(text(".rpm")));
    assert_non_null(package_file_name_problem(text("a b.rpm")));
    assert_non_null(package_file_name_problem((struct slice){ "a\0.rpm", 6 }));
    memset(longest, 'a', sizeof longest);
    assert_null(package_file_name_problem((struct slice){ longest, 200 }));
    assert_non_null(package_file_name_problem((struct slice){ longest, 201 }));
    assert_true(package_is_rpm_name(text("a.rpm")));
    assert_false(package_is_rpm_name(text(".rpm")));
    assert_false(package_is_rpm_name(text("a.rpm.gz")));
}

/* ---- forms in pieces ---------------------------------------------------------------------------------------------------------------- */

static const char type[] = "multipart/form-data; boundary=\"b-1\"";
static const char body[] = "--b-1\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello\r\n"
                           "--b-1\r\ncontent-disposition: form-data; name=file; filename=\"a.rpm\"\r\nX: y\r\n\r\n"
                           "one\r\n--b-\r\n--b-2\r\n\r\n"
                           "--b-1\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--b-1--\r\nepilogue";

/* What the stream says about `in`, given to it in pieces of at most `step` bytes, as one text. */
static const char *streamed(struct slice in, size_t step)
{
    static char out[4096];
    struct multipart_stream *m = malloc(sizeof *m);
    struct multipart_part part;
    struct slice data;
    size_t n = 0;

    assert_non_null(m);
    assert_true(multipart_stream_init(m, SLICE(type)));
    for (;;) {
        enum multipart_event event = multipart_stream_next(m, &part, &data);

        if (event == MULTIPART_PART)
            n += (size_t)snprintf(out + n, sizeof out - n, "<%.*s %.*s>", SLICE_FMT(part.name), SLICE_FMT(part.filename));
        if (event == MULTIPART_DATA)
            n += (size_t)snprintf(out + n, sizeof out - n, "%.*s", SLICE_FMT(data));
        if (event == MULTIPART_PART_END)
            n += (size_t)snprintf(out + n, sizeof out - n, "|");
        if (event == MULTIPART_END || event == MULTIPART_BAD || (event == MULTIPART_MORE && in.n == 0)) {
            (void)snprintf(out + n, sizeof out - n, "%s", event == MULTIPART_END ? "END" : event == MULTIPART_BAD ? "BAD" : "CUT");
            free(m);
            return out;
        }
        if (event == MULTIPART_MORE) {
            size_t room, some = in.n < step ? in.n : step;
            char *to = multipart_stream_room(m, &room);

            some = some < room ? some : room;
            assert_true(some > 0);
            memcpy(to, in.s, some);
            multipart_stream_fill(m, some);
            in = (struct slice){ in.s + some, in.n - some };
        }
    }
}

static void forms_are_read_in_any_pieces(void **state)
{
    (void)state;
    for (size_t step = 1; step < sizeof body; step++)
        assert_string_equal(streamed(SLICE(body), step), "<note >hello|<file a.rpm>one\r\n--b-\r\n--b-2\r\n|<empty >|END");
}

static void forms_that_are_cut_never_end(void **state)
{
    size_t end = (size_t)(strstr(body, "--b-1--") - body) + 7;

    (void)state;
    for (size_t n = 0; n < end; n++)
        assert_null(strstr(streamed((struct slice){ body, n }, 7), "END"));
}

static void forms_that_are_malformed(void **state)
{
    static const char huge[] = "--b-1\r\nContent-Disposition: form-data; name=\"a\"\r\nX: ";
    char *long_head = malloc(sizeof huge + 20000);
    struct multipart_stream *m = malloc(sizeof *m);

    (void)state;
    assert_non_null(long_head);
    assert_non_null(m);
    assert_string_equal(streamed(SLICE("--b-2\r\n"), 1), "BAD");
    assert_string_equal(streamed(SLICE("--b-1xx"), 1), "BAD");
    assert_string_equal(streamed(SLICE("--b-1\r\nA: b\r\n\r\nv\r\n--b-1--\r\n"), 3), "BAD");
    assert_string_equal(streamed(SLICE("--b-1\r\nContent-Disposition: form-data; name=\"a\"\r\n--b-1--\r\n"), 3), "BAD");
    assert_string_equal(streamed(SLICE("--b-1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n--b-1--\r\n"), 3), "BAD");
    memcpy(long_head, huge, sizeof huge - 1);
    memset(long_head + sizeof huge - 1, 'x', 20000);
    assert_string_equal(streamed((struct slice){ long_head, sizeof huge - 1 + 20000 }, 1000), "BAD");
    assert_false(multipart_stream_init(m, SLICE("application/json")));
    assert_false(multipart_stream_init(m, SLICE("multipart/form-data")));
    free(long_head);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_is_found_when_the_header_is_whole),
        cmocka_unit_test(frame_of_something_else),
        cmocka_unit_test(frame_that_is_too_large),
        cmocka_unit_test(names_say_what_is_installed),
        cmocka_unit_test(releases_are_split),
        cmocka_unit_test(file_names_are_made_safe),
        cmocka_unit_test(forms_are_read_in_any_pieces),
        cmocka_unit_test(forms_that_are_cut_never_end),
        cmocka_unit_test(forms_that_are_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
