#include "economics/games/input.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "economics/games/input_internal.h"
#include "economics/games/market_table.h"

static enum status read_document(const char *name, const char *text, size_t size,
                                 const struct json_document *document, struct arena *arena,
                                 struct input *input, struct fault *fault);
static enum status read_game(const struct json_place *object, struct arena *arena,
                             struct input_game *game, struct fault *fault);
static enum status read_market(const char *name, const char *text, size_t size, struct arena *arena,
                               struct input_game *game, struct fault *fault);

enum status input_read(const char *path, struct arena *arena, struct input *input,
                       struct fault *fault)
{
    struct bytes bytes;
    enum status status = file_read(path, INPUT_BYTES_MAX, arena, &bytes, fault);
    if (status != STATUS_OK)
        return status;
    return input_parse(path, (const char *)bytes.data, bytes.size, arena, input, fault);
}

static bool looks_like_json(const char *text, size_t size)
{
    size_t at = 0;
    while (at < size && strchr(" \t\r\n", text[at]) != NULL)
        at++;
    return at < size && (text[at] == '{' || text[at] == '[');
}

/* A coalition may begin with a brace too. */
static bool called_csv(const char *name)
{
    size_t const length = strlen(name);
    return length >= 4 && strcasecmp(name + length - 4, ".csv") == 0;
}

enum status input_parse(const char *name, const char *text, size_t size, struct arena *arena,
                        struct input *input, struct fault *fault)
{
    struct json_document *document = NULL;
    *input = (struct input){.count = 1};
    if (called_csv(name) || !looks_like_json(text, size)) {
        input->games = arena_alloc(arena, 1, sizeof *input->games);
        return input->games == NULL ? input_no_memory(fault)
                                    : input_csv(name, text, size, arena, input->games, fault);
    }
    enum status status = json_parse(name, text, size, &document, fault);
    if (status == STATUS_OK)
        status = read_document(name, text, size, document, arena, input, fault);
    json_close(document);
    return status;
}

static enum status read_document(const char *name, const char *text, size_t size,
                                 const struct json_document *document, struct arena *arena,
                                 struct input *input, struct fault *fault)
{
    struct json_place const root = json_root(document);
    struct json_place list = root;
    struct json_place pools = {.value = NULL};
    size_t count = 1;
    enum status status = STATUS_OK;
    input->list = json_is_list(&root, &count);
    if (!input->list) {
        status = json_get_array(&root, "games", false, &list, &count, fault);
        if (status == STATUS_OK)
            status = json_get_member(&root, "pools", false, &pools, fault);
        input->list = json_present(&list);
        count = input->list ? count : 1;
    }
    if (status != STATUS_OK)
        return status;
    if (count == 0 || count > INPUT_GAMES_MAX)
        return fault_set(fault, STATUS_INVALID, "%s: %zu games; 1 to %d can be read", name, count,
                         INPUT_GAMES_MAX);
    input->count = (uint32_t)count;
    input->games = arena_alloc(arena, count, sizeof *input->games);
    if (input->games == NULL)
        return input_no_memory(fault);
    if (json_present(&pools))
        return read_market(name, text, size, arena, input->games, fault);
    for (size_t g = 0; g < count && status == STATUS_OK; g++) {
        struct json_place const place = input->list ? json_element(&list, g) : root;
        status = read_game(&place, arena, &input->games[g], fault);
    }
    return status == STATUS_OK ? STATUS_OK : fault_prefix(fault, status, "%s", name);
}

/* --- What readers share ---------------------------------------------------------------------- */

enum status input_no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the game does not fit into memory");
}

static enum status wrong_length(const struct json_place *array, size_t is, size_t wanted,
                                struct fault *fault)
{
    char text[96];
    snprintf(text, sizeof text, "has %zu elements, %zu are needed", is, wanted);
    return json_fault(array, fault, text);
}

static enum status read_numbers(const struct json_place *array, size_t count, double least,
                                double *numbers, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (size_t k = 0; k < count && status == STATUS_OK; k++) {
        struct json_place const element = json_element(array, k);
        status = json_number_of(&element, least, HUGE_VAL, &numbers[k], fault);
        if (status == STATUS_OK && !isfinite(numbers[k]))
            status = json_fault(&element, fault, "is not a finite number");
    }
    return status;
}

enum status input_numbers(const struct json_place *object, const char *key, double least,
                          struct arena *arena, double **numbers, uint32_t *count,
                          struct fault *fault)
{
    struct json_place array;
    size_t length;
    enum status status = json_get_array(object, key, true, &array, &length, fault);
    if (status != STATUS_OK)
        return status;
    if (*count != 0 && length != *count)
        return wrong_length(&array, length, *count, fault);
    if (length == 0 || length > UINT32_MAX)
        return wrong_length(&array, length, 1, fault);
    *count = (uint32_t)length;
    *numbers = arena_alloc(arena, length, sizeof **numbers);
    if (*numbers == NULL)
        return input_no_memory(fault);
    return read_numbers(&array, length, least, *numbers, fault);
}

enum status input_matrix(const struct json_place *object, const char *key, double least,
                         struct arena *arena, double **numbers, uint32_t *rows, uint32_t *columns,
                         struct fault *fault)
{
    struct json_place array;
    size_t row_count;
    size_t column_count = *columns;
    enum status status = json_get_array(object, key, true, &array, &row_count, fault);
    if (status != STATUS_OK)
        return status;
    if (row_count == 0 || row_count > UINT16_MAX || (*rows != 0 && row_count != *rows))
        return wrong_length(&array, row_count, *rows != 0 ? *rows : 1, fault);
    for (size_t r = 0; r < row_count && status == STATUS_OK; r++) {
        struct json_place const row = json_element(&array, r);
        size_t length;
        if (!json_is_list(&row, &length))
            return json_fault(&row, fault, "must be an array of numbers");
        if (length == 0 || (column_count != 0 && length != column_count))
            return wrong_length(&row, length, column_count != 0 ? column_count : 1, fault);
        if (r == 0)
            *numbers = arena_alloc(arena, row_count * length, sizeof **numbers);
        if (*numbers == NULL)
            return input_no_memory(fault);
        column_count = length;
        status = read_numbers(&row, length, least, *numbers + r * length, fault);
    }
    *rows = (uint32_t)row_count;
    *columns = (uint32_t)column_count;
    return status;
}

enum status input_table(uint32_t players, struct arena *arena, struct input_game *game,
                        double **worth, struct fault *fault)
{
    game->game.players = players;
    if (players == 0 || players > GAME_PLAYERS_MAX)
        return game_validate(&game->game, fault);
    *worth = arena_alloc(arena, (size_t)1 << players, sizeof **worth);
    game->game.worth = *worth;
    return *worth == NULL ? input_no_memory(fault) : STATUS_OK;
}

enum status input_number_players(uint32_t count, struct arena *arena, struct input_game *game,
                                 struct fault *fault)
{
    game->players = arena_alloc(arena, count, sizeof *game->players);
    for (uint32_t i = 0; game->players != NULL && i < count; i++) {
        char text[16];
        int length = snprintf(text, sizeof text, "%u", i + 1);
        game->players[i] = arena_copy_text(arena, text, (size_t)length);
        if (game->players[i] == NULL)
            return input_no_memory(fault);
    }
    return game->players == NULL ? input_no_memory(fault) : STATUS_OK;
}

/* --- One game -------------------------------------------------------------------------------- */

/* `v` without the empty coalition, or with a zero for it in front. */
static enum status read_table(const struct json_place *object, struct arena *arena,
                              struct input_game *game, struct fault *fault)
{
    struct json_place array;
    size_t length;
    int64_t stated = 0;
    double *worth = NULL;
    enum status status = json_get_array(object, "v", true, &array, &length, fault);
    if (status == STATUS_OK)
        status = json_get_integer(object, "n", false, 1, 1000000, &stated, fault);
    if (status != STATUS_OK)
        return status;
    uint32_t players = stated != 0 ? (uint32_t)stated : 1;
    while (stated == 0 && players < 31 && (size_t)1 << players < length)
        players++;
    status = input_table(players, arena, game, &worth, fault);
    if (status != STATUS_OK)
        return status;
    size_t const coalitions = (size_t)1 << players;
    if (length != coalitions && length != coalitions - 1)
        return wrong_length(&array, length, coalitions - 1, fault);
    return read_numbers(&array, length, -HUGE_VAL, length == coalitions ? worth : worth + 1, fault);
}

static enum status read_kind(const struct json_place *object, enum game_kind *kind, bool *given,
                             struct fault *fault)
{
    const char *text = NULL;
    enum status status = json_get_text(object, "kind", false, 32, &text, fault);
    *given = text != NULL;
    if (status != STATUS_OK || text == NULL)
        return status;
    struct json_place const place = {.parent = object, .key = "kind"};
    if (strcmp(text, "value") != 0 && strcmp(text, "cost") != 0)
        return json_fault(&place, fault, "must be \"value\" or \"cost\"");
    *kind = text[0] == 'c' ? GAME_COST : GAME_VALUE;
    return STATUS_OK;
}

static enum status copy_text(const char *text, struct arena *arena, const char **copy,
                             struct fault *fault)
{
    *copy = arena_copy_text(arena, text, strlen(text));
    return *copy == NULL ? input_no_memory(fault) : STATUS_OK;
}

static enum status read_players(const struct json_place *object, struct arena *arena,
                                struct input_game *game, struct fault *fault)
{
    struct json_place array;
    size_t count;
    enum status status = input_number_players(game->game.players, arena, game, fault);
    if (status == STATUS_OK)
        status = json_get_member(object, "players", false, &array, fault);
    if (status != STATUS_OK || !json_is_list(&array, &count))
        return status; /* a number of players, say */
    if (count != game->game.players)
        return wrong_length(&array, count, game->game.players, fault);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct json_place const element = json_element(&array, i);
        const char *text = NULL;
        double number;
        if (json_number_of(&element, -HUGE_VAL, HUGE_VAL, &number, NULL) == STATUS_OK)
            continue; /* numbers as names: as we number them */
        status = json_text_of(&element, INPUT_PLAYER_NAME_MAX, &text, fault);
        if (status == STATUS_OK)
            status = copy_text(text, arena, &game->players[i], fault);
    }
    return status;
}

/* By its name, else by a key that only it has. */
static enum status find_family(const struct json_place *object, const struct input_family **family,
                               struct fault *fault)
{
    const char *name = NULL;
    *family = NULL;
    enum status status = json_get_text(object, "family", false, 64, &name, fault);
    for (size_t f = 0; f < input_family_count && status == STATUS_OK && *family == NULL; f++) {
        const struct input_family *at = &input_families[f];
        struct json_place key = {.value = NULL};
        if (name == NULL)
            status = json_get_member(object, at->key, false, &key, fault);
        bool named = name != NULL && (strcmp(name, at->name) == 0 ||
                                      (at->also != NULL && strcmp(name, at->also) == 0));
        if (named || json_present(&key))
            *family = at;
    }
    if (status != STATUS_OK || *family != NULL || (name != NULL && strcmp(name, "table") == 0) ||
        name == NULL)
        return status;
    struct json_place const place = {.parent = object, .key = "family"};
    return json_fault(&place, fault,
                      "is none of table, bankruptcy, airport, voting, assignment, flow, "
                      "spanning-tree, production");
}

static enum status read_game(const struct json_place *object, struct arena *arena,
                             struct input_game *game, struct fault *fault)
{
    const struct input_family *family = NULL;
    struct json_place table;
    const char *name = NULL;
    bool kind_given = false;
    *game = (struct input_game){.family = "table"};
    enum status status = json_get_member(object, "v", false, &table, fault);
    if (status == STATUS_OK)
        status = json_get_text(object, "name", false, 4096, &name, fault);
    if (status == STATUS_OK && name != NULL)
        status = copy_text(name, arena, &game->name, fault);
    if (status == STATUS_OK)
        status = read_kind(object, &game->game.kind, &kind_given, fault);
    if (status == STATUS_OK && !json_present(&table))
        status = find_family(object, &family, fault);
    if (status != STATUS_OK)
        return status;
    if (family != NULL) {
        struct json_place const place = {.parent = object, .key = "kind"};
        if (kind_given && game->game.kind != family->kind)
            return json_fault(&place, fault, "contradicts the family; leave it out");
        game->family = family->name;
        game->game.kind = family->kind;
        status = family->read(object, arena, game, fault);
    } else {
        status = read_table(object, arena, game, fault);
    }
    if (status == STATUS_OK)
        status = read_players(object, arena, game, fault);
    return status == STATUS_OK && game->game.worth != NULL ? game_validate(&game->game, fault)
                                                           : status;
}

static enum status read_market(const char *name, const char *text, size_t size, struct arena *arena,
                               struct input_game *game, struct fault *fault)
{
    struct instance *instance = arena_alloc(arena, 1, sizeof *instance);
    *game = (struct input_game){.family = "market", .instance = instance};
    if (instance == NULL)
        return input_no_memory(fault);
    enum status status = instance_parse(name, text, size, arena, instance, fault);
    if (status != STATUS_OK)
        return status;
    game->players = instance->member_ids;
    game->game.players = instance->market.member_count;
    game->arena = arena;
    return game->game.players <= INPUT_TABLED_AT_ONCE ? input_complete(game, fault) : STATUS_OK;
}

enum status input_complete(struct input_game *game, struct fault *fault)
{
    double *worth = NULL;
    uint32_t players = game->game.players;
    if (game->game.worth != NULL)
        return STATUS_OK;
    if ((game->instance == NULL && game->production == NULL) || players > MARKET_TABLE_PLAYERS_MAX)
        return fault_set(fault, STATUS_INVALID,
                         "%u players are too many for a table of 2^n worths; of such games shapley "
                         "(sampled), owen, core, least-core and nearest-core can be had",
                         players);
    enum status status = input_table(players, game->arena, game, &worth, fault);
    if (status == STATUS_OK && game->instance != NULL)
        status = game->work != NULL
                     ? market_table_run(&game->instance->market, game->work, worth, fault)
                     : market_table(&game->instance->market, 0, worth, fault);
    else if (status == STATUS_OK)
        status = production_table(game->production, worth, fault);
    if (status != STATUS_OK)
        game->game.worth = NULL;
    return status;
}
