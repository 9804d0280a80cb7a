/*
 * The published games of ../shared/data (skipped where it is absent), read as a user's file is and
 * answered by concept's name, to 1e-6 relative.
 */
#include "tests/support/support.h"

#include <math.h>

#include "base/json.h"
#include "economics/games/concepts.h"

struct known {
    const char *key;     /* in the file */
    const char *concept; /* of ours */
};

static const struct known knowns[] = {{"shapley", "shapley"},
                                      {"nucleolus", "nucleolus"},
                                      {"prenucleolus", "prenucleolus"},
                                      {"tau", "tau"},
                                      {"banzhaf_raw", "banzhaf"}};

enum { KNOWN_GAMES_MIN = 19 }; /* as many as the file holds: none is passed over */

static void compare(const struct json_place *object, const struct known *known,
                    const struct concept_answer *answer, const struct input_game *input)
{
    struct json_place expected;
    size_t count = 0;
    assert_ok(json_get_member(object, known->key, true, &expected, NULL));
    if (!json_is_list(&expected, &count)) {
        if (answer->split != NULL) /* null: undefined */
            fail_msg("%s: %s should be undefined", input->name, known->key);
        return;
    }
    assert_int_equal(count, input->game.players);
    if (answer->split == NULL)
        fail_msg("%s: no %s: %s", input->name, known->key, answer->remark);
    for (size_t i = 0; i < count; i++) {
        struct json_place const place = json_element(&expected, i);
        double number;
        assert_ok(json_number_of(&place, -1e30, 1e30, &number, NULL));
        if (fabs(number - answer->split[i]) > 1e-6 * fmax(fabs(number), 1e-3))
            fail_msg("%s: %s[%zu] is %.12g, not %.12g", input->name, known->key, i,
                     answer->split[i], number);
    }
}

static void every_known_game_is_solved_as_published(void **state)
{
    (void)state;
    const char *path = support_shared_data("games/known_games.json");
    struct arena arena;
    struct arena scratch;
    struct input input;
    struct json_document *document;
    if (path == NULL) {
        print_message("../shared/data/games/known_games.json is absent\n");
        skip();
    }
    arena_init(&arena, ARENA_ROUND_BYTES);
    arena_init(&scratch, ARENA_ROUND_BYTES);
    assert_ok(input_read(path, &arena, &input, NULL));
    assert_ok(json_read(path, INPUT_BYTES_MAX, &document, NULL));
    assert_true(input.list && input.count >= KNOWN_GAMES_MIN);
    struct json_place const root = json_root(document);
    for (uint32_t g = 0; g < input.count; g++) {
        struct json_place const object = json_element(&root, g);
        struct subject subject = {.input = &input.games[g], .arena = &arena, .scratch = &scratch};
        for (size_t k = 0; k < sizeof knowns / sizeof knowns[0]; k++) {
            const struct concept *concept;
            struct concept_answer answer;
            assert_ok(concept_find(knowns[k].concept, &concept, NULL));
            concept_answer(concept, &subject, &answer);
            assert_false(answer.failed);
            compare(&object, &knowns[k], &answer, &input.games[g]);
        }
    }
    json_close(document);
    arena_fini(&scratch);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_known_game_is_solved_as_published),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
