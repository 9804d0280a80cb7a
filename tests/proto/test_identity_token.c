#include "tests/support/support.h"

#include <string.h>

#include "proto/identity/identity.h"

/* FIPS 180-2, appendix B.1: SHA-256 of "abc". */
static const char abc_text[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

static void the_digest_of_abc_is_fips_180s(void **state)
{
    (void)state;
    struct digest digest;
    char text[DIGEST_TEXT_MAX];
    digest_bytes("abc", 3, &digest);
    assert_string_equal(digest_format(&digest, text), abc_text);
    digest_bytes(NULL, 0, &digest);
    assert_string_equal(digest_format(&digest, text),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void a_digest_in_pieces_is_the_digest_of_the_whole(void **state)
{
    (void)state;
    enum { SIZE = 200 }; /* over three blocks of 64 bytes */
    uint8_t data[SIZE];
    struct digest whole;
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (uint8_t)(i * 7);
    digest_bytes(data, SIZE, &whole);
    for (size_t cut = 0; cut <= SIZE; cut++) {
        struct digest_state pieces;
        struct digest digest;
        digest_begin(&pieces);
        digest_add(&pieces, data, cut);
        digest_add(&pieces, data + cut, SIZE - cut);
        digest_end(&pieces, &digest);
        assert_true(digest_equal(&digest, &whole));
    }
}

static void digests_differ_in_any_bit(void **state)
{
    (void)state;
    struct digest digest;
    digest_bytes("abc", 3, &digest);
    for (size_t bit = 0; bit < DIGEST_BYTES * 8; bit++) {
        struct digest other = digest;
        other.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(digest_equal(&digest, &other));
    }
    assert_true(digest_equal(&digest, &digest));
}

static void only_64_lower_case_hex_digits_are_a_digest(void **state)
{
    (void)state;
    struct digest digest, kept;
    digest_bytes("abc", 3, &kept);
    assert_true(digest_parse(abc_text, &digest));
    assert_true(digest_equal(&digest, &kept));
    char text[DIGEST_TEXT_MAX + 1];
    memset(text, 'a', sizeof text);
    text[DIGEST_TEXT_MAX] = '\0';
    assert_false(digest_parse(text, &digest)); /* 65 digits */
    text[63] = '\0';
    assert_false(digest_parse(text, &digest));
    assert_false(digest_parse("", &digest));
    text[63] = 'A';
    text[64] = '\0';
    assert_false(digest_parse(text, &digest));
    text[63] = 'g';
    assert_false(digest_parse(text, &digest));
    assert_true(digest_equal(&digest, &kept)); /* a refusal leaves it alone */
}

static void random_bytes_are_not_twice_the_same(void **state)
{
    (void)state;
    uint8_t one[32] = {0}, other[32] = {0};
    random_bytes(one, sizeof one);
    random_bytes(other, sizeof other);
    assert_memory_not_equal(one, other, sizeof one); /* equal once in 2^256 */
    random_bytes(one, 0);
}

static void a_token_survives_being_written_and_read(void **state)
{
    (void)state;
    struct digest pin;
    struct join_token token, back;
    char text[TOKEN_BYTES_MAX];
    digest_bytes("root", 4, &pin);
    join_token_make(&pin, &token);
    join_token_format(&token, text);
    assert_memory_equal(text, "entente1.", 9);
    assert_ok(join_token_parse(text, &back, NULL));
    assert_true(digest_equal(&back.pin, &pin));
    assert_memory_equal(back.secret, token.secret, sizeof token.secret);
}

static void two_tokens_of_one_federation_differ(void **state)
{
    (void)state;
    struct digest pin, first, second;
    struct join_token token;
    digest_bytes("root", 4, &pin);
    join_token_make(&pin, &token);
    join_token_digest(&token, &first);
    join_token_make(&pin, &token);
    join_token_digest(&token, &second);
    assert_false(digest_equal(&first, &second));
}

/* The broker finds a token by its secret's digest, so another digit is another token. */
static void a_token_with_one_digit_changed_is_another_token(void **state)
{
    (void)state;
    struct digest pin, stored, found;
    struct join_token token, back;
    char text[TOKEN_BYTES_MAX];
    digest_bytes("root", 4, &pin);
    join_token_make(&pin, &token);
    join_token_digest(&token, &stored);
    join_token_format(&token, text);
    size_t length = strlen(text);
    for (size_t at = strlen("entente1."); at < length; at++) {
        char kept = text[at];
        text[at] = kept == '0' ? '1' : '0';
        enum status status = join_token_parse(text, &back, NULL);
        if (kept == '.') {
            assert_int_equal(status, STATUS_INVALID);
        } else {
            assert_int_equal(status, STATUS_OK);
            join_token_digest(&back, &found);
            assert_false(digest_equal(&found, &stored) && digest_equal(&back.pin, &pin));
        }
        text[at] = kept;
    }
}

static void what_is_no_token_is_refused_and_not_repeated(void **state)
{
    (void)state;
    struct digest pin;
    struct join_token token, back;
    struct fault fault;
    char text[TOKEN_BYTES_MAX + 8];
    digest_bytes("root", 4, &pin);
    join_token_make(&pin, &token);
    join_token_format(&token, text);
    size_t length = strlen(text);
    for (size_t cut = 0; cut < length; cut++) { /* every shorter text */
        char kept = text[cut];
        text[cut] = '\0';
        assert_int_equal(join_token_parse(text, &back, &fault), STATUS_INVALID);
        if (cut > 20)
            assert_null(strstr(fault.text, text));
        text[cut] = kept;
    }
    text[length] = '\n';
    text[length + 1] = '\0';
    assert_int_equal(join_token_parse(text, &back, &fault), STATUS_INVALID);
    text[length] = '\0';
    text[7] = '2'; /* entente2: a version to come */
    assert_int_equal(join_token_parse(text, &back, &fault), STATUS_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_of_abc_is_fips_180s),
        cmocka_unit_test(a_digest_in_pieces_is_the_digest_of_the_whole),
        cmocka_unit_test(digests_differ_in_any_bit),
        cmocka_unit_test(only_64_lower_case_hex_digits_are_a_digest),
        cmocka_unit_test(random_bytes_are_not_twice_the_same),
        cmocka_unit_test(a_token_survives_being_written_and_read),
        cmocka_unit_test(two_tokens_of_one_federation_differ),
        cmocka_unit_test(a_token_with_one_digit_changed_is_another_token),
        cmocka_unit_test(what_is_no_token_is_refused_and_not_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
