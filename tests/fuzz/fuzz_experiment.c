/*
 * Fuzz target of what economists give their program: the first byte picks the reader (rows of
 * measured steps in CSV, a fitted model, games in JSON or CSV, a plan to be checked), the rest is
 * the file. What is accepted is usable: models answer with finite numbers or refuse, worths are
 * finite, plans can be checked.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "economics/games/input.h"
#include "economics/market/checking/answer.h"
#include "economics/throughput/model.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input_file.h"

enum { PLAYERS_TABLED_MAX = 6 };

static const char instance_text[] =
    "{\"members\": [\"a\"], \"pools\": [{\"id\": \"p\", \"member\": \"a\", \"gpu\": \"g\","
    " \"gpus\": 1}], \"jobs\": [{\"id\": \"j\", \"home\": \"a\", \"value\": 1,"
    " \"configurations\": [{\"pool\": \"p\", \"gpus\": 1, \"throughput\": 2}]}]}";

static void read_measurements(const uint8_t *data, size_t size, struct arena *arena)
{
    struct measurements *set = arena_alloc(arena, 1, sizeof *set);
    char *text = arena_alloc(arena, size + 1, 1);
    struct fault fault = {.text = ""};
    if (set == NULL || text == NULL)
        return;
    memcpy(text, data, size);
    measurements_init(set, arena);
    if (measurements_parse(set, "rows.csv", text, false, &fault) != STATUS_OK) {
        assert(fault.text[0] != '\0');
        return;
    }
    assert(set->row_count > 0);
    for (uint32_t r = 0; r < set->row_count; r++) {
        const struct measurement *row = &set->rows[r];
        assert(isfinite(row->seconds) && row->seconds > 0);
        assert(configuration_check(&row->configuration, NULL) == STATUS_OK);
        assert(row->model < set->model_count && row->cluster < set->cluster_count);
    }
}

static void read_model(const uint8_t *data, size_t size, struct arena *arena)
{
    char path[INPUT_PATH_MAX];
    const struct throughput_model *model;
    struct fault fault = {.text = ""};
    if (model_read(input_file(0, data, size, path), arena, &model, &fault) != STATUS_OK) {
        assert(fault.text[0] != '\0');
        return;
    }
    for (uint32_t gpus = 1; gpus <= 64; gpus *= 4) {
        struct configuration where = configuration_even(gpus, 1 + gpus / 8, 32);
        struct prediction prediction;
        for (uint32_t c = 0; c <= model->cluster_count; c += 1 + model->cluster_count)
            if (model_predict(model, 0, c, &where, &prediction, &fault) == STATUS_OK)
                assert(!isnan(prediction.seconds) && !isnan(prediction.examples_per_second));
    }
}

static void read_games(const uint8_t *data, size_t size, struct arena *arena)
{
    struct input input;
    struct fault fault = {.text = ""};
    if (input_parse("games", (const char *)data, size, arena, &input, &fault) != STATUS_OK) {
        assert(fault.text[0] != '\0');
        return;
    }
    for (uint32_t g = 0; g < input.count; g++) {
        struct input_game *game = &input.games[g];
        if (game->game.players > PLAYERS_TABLED_MAX || input_complete(game, &fault) != STATUS_OK ||
            game->game.worth == NULL)
            continue;
        for (uint32_t s = 0; s <= game_grand(&game->game); s++)
            assert(isfinite(game->game.worth[s]));
    }
}

static void read_answer(const uint8_t *data, size_t size, struct arena *arena)
{
    struct instance instance;
    struct answer answer;
    struct fault fault = {.text = ""};
    enum status status = instance_parse("instance", instance_text, sizeof instance_text - 1, arena,
                                        &instance, &fault);
    assert(status == STATUS_OK);
    status = answer_parse("answer", (const char *)data, size, &instance, arena, &answer, &fault);
    if (status == STATUS_OK)
        status = answer_check(&instance, &answer, arena, NULL, &fault);
    assert(status == STATUS_OK || fault.text[0] != '\0');
}

typedef void reader(const uint8_t *data, size_t size, struct arena *arena);

static reader *const readers[] = {read_measurements, read_model, read_games, read_answer};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    if (size == 0)
        return 0;
    arena_init(&arena, ARENA_ROUND_BYTES);
    readers[data[0] % (sizeof readers / sizeof readers[0])](data + 1, size - 1, &arena);
    arena_fini(&arena);
    return 0;
}
