#include "tests/proto/identity_fixture.h"

/* NULL member: the broker. */
static void assert_round_trip(const char *member, const char *uri, const char *dns)
{
    struct identity_subject subject = fixture_subject("trojan", member);
    struct identity_subject back;
    char text[IDENTITY_TEXT_MAX];
    assert_string_equal(identity_dns_name(&subject, text), dns);
    assert_string_equal(identity_uri(&subject, text), uri);
    assert_ok(identity_parse_uri(text, strlen(text), &back, NULL));
    assert_int_equal(back.role, subject.role);
    assert_true(name_equal(&back.federation, &subject.federation));
    assert_true(name_equal(&back.member, &subject.member));
}

static void a_subject_survives_being_written_and_read(void **state)
{
    (void)state;
    assert_round_trip("usc", "spiffe://trojan/member/usc", "usc.member.trojan");
    assert_round_trip("", "spiffe://trojan/broker", "broker.trojan");
    assert_round_trip("broker", "spiffe://trojan/member/broker", "broker.member.trojan");
}

static void the_longest_names_fit(void **state)
{
    (void)state;
    struct identity_subject subject = {.role = IDENTITY_MEMBER};
    struct identity_subject back;
    char text[IDENTITY_TEXT_MAX];
    memset(subject.federation.text, 'f', NAME_BYTES_MAX);
    memset(subject.member.text, 'm', NAME_BYTES_MAX);
    identity_uri(&subject, text);
    assert_ok(identity_parse_uri(text, strlen(text), &back, NULL));
    assert_true(name_equal(&back.federation, &subject.federation));
    assert_true(name_equal(&back.member, &subject.member));
}

static void the_text_need_not_be_terminated(void **state)
{
    (void)state;
    struct identity_subject subject;
    const char text[] = "spiffe://trojan/member/uscAND-MORE";
    assert_ok(identity_parse_uri(text, strlen("spiffe://trojan/member/usc"), &subject, NULL));
    assert_string_equal(subject.member.text, "usc");
}

/* One subject has one spelling: everything beside it is refused, and *subject stays. */
static void what_is_no_identity_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length; /* 0: strlen */
    } wrong[] = {
        {"", 0},
        {"spiffe://", 0},
        {"spiffe://trojan", 0},
        {"spiffe://trojan/", 0},
        {"spiffe:///broker", 0},
        {"spiffe://trojan/brokers", 0},
        {"spiffe://trojan/broker/", 0},
        {"spiffe://trojan/member/", 0},
        {"spiffe://trojan/member/usc/", 0},
        {"spiffe://trojan/member/usc/x", 0},
        {"spiffe://trojan/member/USC", 0},
        {"spiffe://trojan/member/usc%2e", 0},
        {"spiffe://trojan/member/-usc", 0},
        {"spiffe://tro.jan/member/usc", 0},
        {"spiffe://trojan/Member/usc", 0},
        {"SPIFFE://trojan/member/usc", 0},
        {"https://trojan/member/usc", 0},
        {" spiffe://trojan/member/usc", 0},
        {"spiffe://trojan/member/usc\n", 0},
        {"spiffe://trojan/member/usc\0evil", 31}, /* NUL inside: 26 + 1 + 4 bytes */
        {"spiffe://trojan\0evil/member/usc", 31},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct identity_subject subject = fixture_subject("kept", "");
        struct fault fault = {0};
        size_t length = wrong[i].length != 0 ? wrong[i].length : strlen(wrong[i].text);
        if (identity_parse_uri(wrong[i].text, length, &subject, &fault) != STATUS_INVALID)
            fail_msg("accepted '%s'", wrong[i].text);
        assert_string_equal(subject.federation.text, "kept");
        assert_non_null(strstr(fault.text, "is not an identity"));
    }
}

static void a_name_over_its_limit_is_refused(void **state)
{
    (void)state;
    struct identity_subject subject;
    char text[4096];
    int prefix = 0;
    memset(text, 'm', sizeof text);
    memcpy(text, "spiffe://trojan/member/", 23);
    prefix = 23;
    assert_ok(identity_parse_uri(text, (size_t)prefix + NAME_BYTES_MAX, &subject, NULL));
    assert_int_equal(identity_parse_uri(text, (size_t)prefix + NAME_BYTES_MAX + 1, &subject, NULL),
                     STATUS_INVALID);
    assert_int_equal(identity_parse_uri(text, sizeof text, &subject, NULL), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subject_survives_being_written_and_read),
        cmocka_unit_test(the_longest_names_fit),
        cmocka_unit_test(the_text_need_not_be_terminated),
        cmocka_unit_test(what_is_no_identity_is_refused),
        cmocka_unit_test(a_name_over_its_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
