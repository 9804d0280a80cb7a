/* Files of games: every format makes the table it stands for, and what is wrong is named. */
#include "tests/support/support.h"

#include <string.h>

#include "economics/games/concepts.h"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_ROUND_BYTES);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct input_game read_one(const char *text)
{
    struct input input = {0};
    struct fault fault = {.text = ""};
    enum status status = input_parse("file", text, strlen(text), &arena, &input, &fault);
    if (status != STATUS_OK)
        fail_msg("%s", fault.text);
    assert_int_equal(input.count, 1);
    return input.games[0];
}

static void expect_table(const char *text, enum game_kind kind, uint32_t players,
                         const double *worth)
{
    struct input_game read = read_one(text);
    assert_int_equal(read.game.kind, kind);
    assert_int_equal(read.game.players, players);
    for (uint32_t s = 0; s < 1u << players; s++)
        assert_near(read.game.worth[s], s == 0 ? 0.0 : worth[s - 1], 1e-12);
}

#define W(...) ((const double[]){__VA_ARGS__})

static void tables_are_read_from_json_and_csv(void **state)
{
    (void)state;
    expect_table("{\"n\": 2, \"v\": [1, 2, 4.5]}", GAME_VALUE, 2, W(1, 2, 4.5));
    expect_table("{\"v\": [1, 2, 4.5], \"whatever\": {}}", GAME_VALUE, 2, W(1, 2, 4.5));
    expect_table("{\"v\": [0, 1, 2, 4.5]}", GAME_VALUE, 2, W(1, 2, 4.5)); /* the empty one too */
    expect_table("[{\"kind\": \"cost\", \"v\": [7]}]", GAME_COST, 1, W(7));
    expect_table("coalition,worth\n1,1\n2,2\n\"1,2\",4.5\n", GAME_VALUE, 2, W(1, 2, 4.5));
    expect_table("# mine\n\"{10,9}\", 3\n9,1\n10,2\n", GAME_VALUE, 2, W(1, 2, 3)); /* 9 before 10 */
    expect_table("who,cost\r\nb,1\r\na,2\r\na+b,4\r\n\"\",0\r\n", GAME_COST, 2, W(1, 2, 4));
}

static void a_csv_keeps_the_names_in_the_order_in_which_they_appear(void **state)
{
    (void)state;
    struct input_game read = read_one("usc,1\nucsd,2\nusc ucsd,4\n");
    assert_string_equal(read.players[0], "usc");
    assert_string_equal(read.players[1], "ucsd");
}

/* Tables by hand; coalitions 1, 2, 12, 3, 13, 23, 123. */
static void families_make_their_tables(void **state)
{
    (void)state;
    expect_table("{\"family\": \"bankruptcy\", \"claims\": [100, 200, 300], \"estate\": 200}",
                 GAME_VALUE, 3, W(0, 0, 0, 0, 0, 100, 200));
    expect_table("{\"claims\": [100, 200, 300], \"estate\": 300}", GAME_VALUE, 3,
                 W(0, 0, 0, 0, 100, 200, 300));
    expect_table("{\"family\": \"airport\", \"runways\": [8, 11, 13]}", GAME_COST, 3,
                 W(8, 11, 11, 13, 13, 13, 13));
    expect_table("{\"family\": \"voting\", \"quota\": 51, \"weights\": [50, 49, 1]}", GAME_VALUE, 3,
                 W(0, 0, 1, 0, 1, 0, 1));
    expect_table("{\"quota\": 0.8, \"weights\": [0.1, 0.7, 0.2]}", GAME_VALUE, 3,
                 W(0, 0, 1, 0, 0, 1, 1)); /* 0.1 + 0.7 is a hair below 0.8 in binary */
    expect_table("{\"assignment\": [[5, 8]]}", GAME_VALUE, 3, W(0, 0, 5, 0, 8, 0, 8));
    expect_table("{\"tree\": [[0, 4, 6, 9], [4, 0, 1, 9], [6, 1, 0, 2], [9, 9, 2, 0]]}", GAME_COST,
                 3, W(4, 6, 5, 9, 13, 8, 7));
    expect_table("{\"source\": \"s\", \"sink\": \"t\", \"edges\": ["
                 "{\"from\": \"s\", \"to\": 1, \"capacity\": 3, \"owner\": 1},"
                 "{\"from\": 1, \"to\": \"t\", \"capacity\": 2, \"owner\": 2},"
                 "{\"from\": 1, \"to\": \"t\", \"capacity\": 9, \"owner\": 3}]}",
                 GAME_VALUE, 3, W(0, 0, 2, 0, 3, 0, 3));
    expect_table("{\"A\": [[4, 5], [6, 2]], \"c\": [68, 52], \"b\": [[4, 33], [6, 39], [60, 0]]}",
                 GAME_VALUE, 3, W(68, 102, 170, 0, 710, 762, 992));
}

static void a_market_is_a_game_of_its_members(void **state)
{
    (void)state;
    struct input_game read =
        read_one("{\"round_seconds\": 100, \"members\": [\"a\", \"b\"],"
                 " \"pools\": [{\"id\": \"p\", \"member\": \"a\", \"gpu\": \"A100\", \"gpus\": 4}],"
                 " \"affinity\": [{\"home\": \"b\", \"host\": \"a\", \"value\": 1}],"
                 " \"jobs\": [{\"id\": \"j\", \"home\": \"b\", \"value\": 0.01, \"configurations\":"
                 " [{\"pool\": \"p\", \"gpus\": 2, \"throughput\": 5}]}]}");
    assert_int_equal(read.game.players, 2);
    assert_near(read.game.worth[1], 0.0, 1e-9);
    assert_near(read.game.worth[2], 0.0, 1e-9);
    assert_near(read.game.worth[3], 5.0, 1e-9); /* 100 s × 5 examples/s × 0.01 */
}

static void expect_refusal(const char *text, const char *says)
{
    struct input input;
    struct fault fault = {.text = ""};
    enum status status = input_parse("file", text, strlen(text), &arena, &input, &fault);
    if (status != STATUS_INVALID || strstr(fault.text, says) == NULL)
        fail_msg("%s\nshould be refused with '%s', got %s: %s", text, says, status_name(status),
                 fault.text);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    expect_refusal("{\"n\": 3, \"v\": [1, 2]}", "v: has 2 elements, 7 are needed");
    expect_refusal("{\"v\": [1, \"x\", 3]}", "v[1]: must be a number");
    expect_refusal("{\"v\": [1, 1e999, 3]}", "file:1");
    expect_refusal("{\"v\": [1, NaN, 3]}", "file:1");
    expect_refusal("{\"v\": [1, null, 3]}", "v[1]: must be a number");
    expect_refusal("{\"v\": [5, 1, 2, 3]}", "empty coalition");
    expect_refusal("{\"n\": 40, \"v\": [1]}", "give a market or a linear production game");
    expect_refusal("{\"kind\": \"profit\", \"v\": [1]}", "kind: must be");
    expect_refusal("{\"kind\": \"value\", \"runways\": [1]}", "contradicts the family");
    expect_refusal("{\"family\": \"airports\"}", "family: is none of");
    expect_refusal("{\"claims\": [1, -2], \"estate\": 1}", "claims[1]");
    expect_refusal("{\"claims\": [1, 2]}", "estate: is missing");
    expect_refusal("{\"weights\": [1], \"quota\": 0}", "quota");
    expect_refusal("{\"assignment\": [[1, 2], [3]]}", "assignment[1]: has 1 elements");
    expect_refusal("{\"tree\": [[0, 1], [2, 0]]}", "differ");
    expect_refusal("{\"tree\": [[0, 1, 2], [1, 0, 3]]}", "square");
    expect_refusal("{\"A\": [[1]], \"c\": [1, 2], \"b\": [[1]]}", "c: has 2 elements");
    expect_refusal("{\"A\": [[-1]], \"c\": [1], \"b\": [[1]]}", "without end");
    expect_refusal("{\"source\": 1, \"sink\": 2, \"edges\": [{\"from\": 1, \"to\": 2, "
                   "\"capacity\": 5}, {\"from\": 1, \"to\": 2, \"capacity\": 5, \"owner\": 1}]}",
                   "without an owner");
    expect_refusal("[]", "0 games");
    expect_refusal("", "nothing to solve");
    expect_refusal("a,1\nb,2\n", "{a, b} is missing");
    expect_refusal("a,1\na,2\n", "{a} is given twice");
    expect_refusal("a,1\nb\n", "file:2: has no comma");
    expect_refusal("a,1\nb,x\n", "file:2: the last field");
    expect_refusal("a,inf\n", "file:1: the worth is not a finite number");
}

static const struct concept *concept_called(const char *name)
{
    const struct concept *concept;
    assert_ok(concept_find(name, &concept, NULL));
    return concept;
}

static struct concept_answer answer_to(struct input_game *game, const char *name)
{
    static struct arena scratch;
    struct subject subject = {.input = game, .arena = &arena, .scratch = &scratch};
    struct concept_answer answer;
    arena_init(&scratch, ARENA_ROUND_BYTES);
    concept_answer(concept_called(name), &subject, &answer);
    arena_fini(&scratch);
    return answer;
}

static double number_in(const struct concept_answer *answer, const char *key)
{
    for (uint32_t d = 0; d < answer->detail_count; d++)
        if (strcmp(answer->details[d].key, key) == 0)
            return answer->details[d].number;
    fail_msg("no %s", key);
    return 0.0;
}

static void what_is_undefined_says_so_and_prints_no_number(void **state)
{
    (void)state;
    struct input_game empty = read_one("{\"v\": [0, 0, 60, 0, 60, 60, 72]}");
    assert_null(answer_to(&empty, "tau").split);
    assert_non_null(strstr(answer_to(&empty, "tau").remark, "not quasi-balanced"));
    assert_null(answer_to(&empty, "nearest-core").split);
    assert_non_null(strstr(answer_to(&empty, "nearest-core").remark, "the core is empty"));
    assert_null(answer_to(&empty, "proportional").split);
    assert_null(answer_to(&empty, "owen").split);
    struct input_game poor = read_one("{\"v\": [3, 3, 5]}"); /* alone 6, together 5 */
    assert_null(answer_to(&poor, "nucleolus").split);
    assert_non_null(strstr(answer_to(&poor, "nucleolus").remark, "undefined"));
    assert_near(answer_to(&poor, "prenucleolus").split[0], 2.5, 1e-12);
    assert_false(answer_to(&poor, "nucleolus").failed);
}

static void a_cost_game_is_answered_as_costs(void **state)
{
    (void)state;
    /* Everyone alone 4; together 6: each pays 3, and pairs (7) have 1 to spare. */
    struct input_game costs = read_one("{\"kind\": \"cost\", \"v\": [4, 4, 7, 4, 7, 7, 9]}");
    for (uint32_t i = 0; i < 3; i++) {
        assert_near(answer_to(&costs, "nucleolus").split[i], 3.0, 1e-9);
        assert_near(answer_to(&costs, "shapley").split[i], 3.0, 1e-9);
        assert_near(answer_to(&costs, "nearest-core").split[i], 3.0, 1e-9);
        assert_near(answer_to(&costs, "vcg").split[i], 2.0, 1e-9);
    }
    struct concept_answer least = answer_to(&costs, "least-core");
    assert_near(number_in(&least, "epsilon"), -1.0, 1e-9);
    struct concept_answer vcg = answer_to(&costs, "vcg");
    assert_near(number_in(&vcg, "deficit"), 3.0, 1e-9); /* they pay 6 of 9 */
}

static void owen_gives_ranges_where_duals_are_many(void **state)
{
    (void)state;
    /* One left glove each for two, one right for one: the right glove has all the value. */
    struct input_game gloves = read_one("{\"assignment\": [[1], [1]]}");
    struct concept_answer one = answer_to(&gloves, "owen");
    assert_near(one.split[2], 1.0, 1e-9);
    /* One each: any division of 1 is dual; the middle is given, the ends are said. */
    struct input_game pair = read_one("{\"assignment\": [[1]]}");
    struct concept_answer many = answer_to(&pair, "owen");
    assert_near(many.split[0], 0.5, 1e-9);
    for (uint32_t d = 0; d < many.detail_count; d++) {
        if (strcmp(many.details[d].key, "least") == 0)
            assert_near(many.details[d].split[0], 0.0, 1e-9);
        if (strcmp(many.details[d].key, "greatest") == 0)
            assert_near(many.details[d].split[0], 1.0, 1e-9);
        if (strcmp(many.details[d].key, "unique") == 0)
            assert_false(many.details[d].truth);
    }
}

static void a_misspelt_concept_is_answered_with_the_nearest_name(void **state)
{
    (void)state;
    const struct concept *concept;
    struct fault fault;
    assert_int_equal(concept_find("shaply", &concept, &fault), STATUS_INVALID);
    assert_non_null(strstr(fault.text, "shapley"));
    assert_ptr_equal(concept_called("least_core"), concept_called("least-core"));
}

#define test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(tables_are_read_from_json_and_csv),
        test(a_csv_keeps_the_names_in_the_order_in_which_they_appear),
        test(families_make_their_tables),
        test(a_market_is_a_game_of_its_members),
        test(what_is_wrong_is_named),
        test(what_is_undefined_says_so_and_prints_no_number),
        test(a_cost_game_is_answered_as_costs),
        test(owen_gives_ranges_where_duals_are_many),
        test(a_misspelt_concept_is_answered_with_the_nearest_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
