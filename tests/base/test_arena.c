#include "tests/support/support.h"

#include <stdalign.h>
#include <string.h>

#include "base/arena.h"

static void what_it_hands_out_is_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    enum { PIECES = 200 };
    struct arena arena;
    unsigned char *pieces[PIECES];
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    for (size_t i = 0; i < PIECES; i++) { /* odd sizes, past several blocks of 4 KiB */
        pieces[i] = arena_alloc(&arena, i + 1, 7);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        for (size_t byte = 0; byte < (i + 1) * 7; byte++)
            assert_int_equal(pieces[i][byte], 0);
        memset(pieces[i], (int)i + 1, (i + 1) * 7);
    }
    for (size_t i = 0; i < PIECES; i++) /* nobody wrote over another's piece */
        for (size_t byte = 0; byte < (i + 1) * 7; byte++)
            assert_int_equal(pieces[i][byte], (int)i + 1);
    arena_fini(&arena);
}

static void memory_that_comes_back_after_a_reset_is_zeroed_again(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096);
    memset(arena_alloc(&arena, 4096, 1), 0xff, 4096);
    assert_null(arena_alloc(&arena, 1, 1));
    arena_reset(&arena);
    assert_int_equal(arena.used_bytes, 0);
    const unsigned char *again = arena_alloc(&arena, 4096, 1);
    assert_non_null(again); /* the limit is the old one */
    for (size_t i = 0; i < 4096; i++)
        assert_int_equal(again[i], 0);
    assert_null(arena_alloc(&arena, 1, 1));
    arena_fini(&arena);
}

static void it_gives_its_limit_and_not_a_byte_more(void **state)
{
    (void)state;
    struct arena arena;
    size_t given = 0;
    arena_init(&arena, 100000);
    while (arena_alloc(&arena, 1, 16) != NULL)
        given += 16;
    assert_int_equal(given, 100000);
    assert_int_equal(arena.used_bytes, 100000);
    assert_null(arena_alloc(&arena, 1, 1));
    arena_fini(&arena);
}

static void a_piece_over_the_limit_is_refused_and_smaller_ones_go_on(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 1000);
    assert_null(arena_alloc(&arena, 1001, 1));
    assert_non_null(arena_alloc(&arena, 900, 1));
    assert_null(arena_alloc(&arena, 100, 1)); /* 900 took 912, alignment included */
    assert_non_null(arena_alloc(&arena, 80, 1));
    arena_fini(&arena);
}

/* Limits that are no multiple of the alignment: rounding up must not step over them. */
static void rounding_up_does_not_step_over_the_limit(void **state)
{
    (void)state;
    for (size_t limit = 0; limit < 200; limit++) {
        struct arena arena;
        arena_init(&arena, limit);
        for (int i = 0; i < 20; i++)
            (void)!arena_alloc(&arena, 1, 13);
        assert_in_range(arena.used_bytes, 0, limit);
        arena_fini(&arena);
    }
}

static void sizes_that_overflow_are_refused(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX, 2));
    assert_null(arena_alloc(&arena, SIZE_MAX / 2 + 1, 2));
    assert_null(arena_alloc(&arena, SIZE_MAX, 1));      /* rounded up it would wrap to nothing */
    assert_null(arena_copy_text(&arena, "", SIZE_MAX)); /* so would the terminator */
    arena_fini(&arena);
}

static void nothing_is_a_valid_piece(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 0);
    assert_non_null(arena_alloc(&arena, 0, 8));
    assert_non_null(arena_copy(&arena, NULL, 0));
    assert_null(arena_alloc(&arena, 1, 1));
    arena_fini(&arena);
}

static void copies_are_copies(void **state)
{
    (void)state;
    struct arena arena;
    char text[] = "abcdef";
    arena_init(&arena, 4096);
    char *copy = arena_copy_text(&arena, text, 3);
    char *whole = arena_copy(&arena, text, sizeof text);
    text[0] = 'X';
    assert_string_equal(copy, "abc");
    assert_string_equal(whole, "abcdef");
    arena_fini(&arena);
}

static void an_arena_that_ended_can_end_again(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 4096);
    assert_non_null(arena_alloc(&arena, 1, 1));
    arena_fini(&arena);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_hands_out_is_zeroed_aligned_and_apart),
        cmocka_unit_test(memory_that_comes_back_after_a_reset_is_zeroed_again),
        cmocka_unit_test(it_gives_its_limit_and_not_a_byte_more),
        cmocka_unit_test(a_piece_over_the_limit_is_refused_and_smaller_ones_go_on),
        cmocka_unit_test(rounding_up_does_not_step_over_the_limit),
        cmocka_unit_test(sizes_that_overflow_are_refused),
        cmocka_unit_test(nothing_is_a_valid_piece),
        cmocka_unit_test(copies_are_copies),
        cmocka_unit_test(an_arena_that_ended_can_end_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
