/*
 * Games as CSV: one line a coalition, its players and then its worth.
 *
 *     coalition,worth          (optional heading; "cost" instead of "worth" makes a cost game)
 *     A,100
 *     "A,B",250                (players apart by comma, space, semicolon, plus, bar; braces are
 * fine)
 *
 * The worth is what follows the last comma of a line. Players are ordered by name where all names
 * are numbers, else by first appearance. Every non-empty coalition must be there, once; the empty
 * one may be, with 0. Lines that start with # are passed over.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "economics/games/input_internal.h"

enum { LINE_MAX_BYTES = 4096, LINES_MAX = 1 << (GAME_PLAYERS_MAX + 1), NAME_MAX_BYTES = 64 };

struct csv_row {
    uint32_t coalition; /* by first appearance */
    double worth;
};

struct csv {
    const char *name;
    uint32_t line;
    uint32_t players;
    char player[GAME_PLAYERS_MAX][NAME_MAX_BYTES];
    struct csv_row *rows;
    uint32_t row_count;
    bool costs;
};

static enum status read_lines(struct csv *csv, const char *text, size_t size, struct fault *fault);
static void order_players(const struct csv *csv, uint32_t *place);
static enum status fill(struct csv *csv, const uint32_t *place, struct arena *arena,
                        struct input_game *game, struct fault *fault);

static uint32_t count_lines(const char *text, size_t size)
{
    uint32_t lines = 1;
    for (size_t k = 0; k < size && lines < UINT32_MAX; k++)
        lines += text[k] == '\n';
    return lines;
}

enum status input_csv(const char *name, const char *text, size_t size, struct arena *arena,
                      struct input_game *game, struct fault *fault)
{
    struct csv csv = {.name = name};
    uint32_t place[GAME_PLAYERS_MAX] = {0};
    uint32_t lines = count_lines(text, size);
    *game = (struct input_game){.family = "table"};
    if (lines > LINES_MAX)
        return fault_set(fault, STATUS_INVALID, "%s: %u lines are more than a table has", name,
                         lines);
    csv.rows = arena_alloc(arena, lines, sizeof *csv.rows);
    if (csv.rows == NULL)
        return input_no_memory(fault);
    enum status status = read_lines(&csv, text, size, fault);
    if (status != STATUS_OK)
        return status;
    if (csv.row_count == 0)
        return fault_set(fault, STATUS_INVALID,
                         "%s: neither JSON nor lines of coalition, worth: nothing to solve", name);
    order_players(&csv, place);
    return fill(&csv, place, arena, game, fault);
}

static enum status wrong(const struct csv *csv, struct fault *fault, const char *text)
{
    return fault_set(fault, STATUS_INVALID, "%s:%u: %s", csv->name, csv->line, text);
}

static char *trimmed(char *text)
{
    while (*text != '\0' && strchr(" \t\"'", *text) != NULL)
        text++;
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\"'", text[length - 1]) != NULL)
        text[--length] = '\0';
    return text;
}

static enum status player_of(struct csv *csv, const char *name, uint32_t *player,
                             struct fault *fault)
{
    if (strlen(name) >= NAME_MAX_BYTES)
        return wrong(csv, fault, "a player's name is longer than 63 bytes");
    for (*player = 0; *player < csv->players; (*player)++)
        if (strcmp(csv->player[*player], name) == 0)
            return STATUS_OK;
    if (csv->players == GAME_PLAYERS_MAX)
        return wrong(csv, fault,
                     "more than 24 players, the most a table can hold; give a market or a linear "
                     "production game by its data instead");
    memcpy(csv->player[csv->players++], name, strlen(name) + 1);
    return STATUS_OK;
}

static enum status read_coalition(struct csv *csv, char *text, uint32_t *coalition,
                                  struct fault *fault)
{
    static const char separators[] = " \t,;+&|\"'{}()[]";
    char *rest = NULL;
    *coalition = 0;
    for (char *word = strtok_r(text, separators, &rest); word != NULL;
         word = strtok_r(NULL, separators, &rest)) {
        uint32_t player = 0;
        enum status status = player_of(csv, word, &player, fault);
        if (status != STATUS_OK)
            return status;
        if ((*coalition >> player & 1) != 0)
            return wrong(csv, fault, "a player is named twice in one coalition");
        *coalition |= 1u << player;
    }
    return STATUS_OK;
}

/* The heading is the first line whose last field is no number. */
static enum status read_line(struct csv *csv, char *line, struct fault *fault)
{
    char *comma = strrchr(line, ',');
    if (comma == NULL)
        comma = strrchr(line, ';');
    if (comma == NULL)
        return wrong(csv, fault, "has no comma; a line is coalition, worth");
    *comma = '\0';
    const char *number = trimmed(comma + 1);
    char *end;
    struct csv_row row = {0};
    row.worth = strtod(number, &end);
    if (end == number || *end != '\0') {
        if (csv->row_count > 0 || csv->players > 0)
            return wrong(csv, fault, "the last field is not a number");
        csv->costs = strcasecmp(number, "cost") == 0 || strcasecmp(number, "costs") == 0;
        return STATUS_OK;
    }
    if (!isfinite(row.worth))
        return wrong(csv, fault, "the worth is not a finite number");
    enum status status = read_coalition(csv, line, &row.coalition, fault);
    if (status == STATUS_OK)
        csv->rows[csv->row_count++] = row;
    return status;
}

static enum status read_lines(struct csv *csv, const char *text, size_t size, struct fault *fault)
{
    for (size_t at = 0; at < size;) {
        char line[LINE_MAX_BYTES];
        const char *newline = memchr(text + at, '\n', size - at);
        size_t length = newline != NULL ? (size_t)(newline - text) - at : size - at;
        csv->line++;
        if (length >= sizeof line)
            return wrong(csv, fault, "is longer than 4095 bytes");
        memcpy(line, text + at, length);
        line[length] = '\0';
        at += length + 1;
        if (strlen(line) != length)
            return wrong(csv, fault, "holds a zero byte");
        if (line[strspn(line, " \t\r")] == '\0' || line[0] == '#')
            continue;
        enum status status = read_line(csv, line, fault);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

static bool is_number(const char *text, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return end != text && *end == '\0';
}

/* place[k]: where the player that appeared k-th stands in the game. */
static void order_players(const struct csv *csv, uint32_t *place)
{
    double number[GAME_PLAYERS_MAX];
    bool numbers = true;
    for (uint32_t i = 0; i < csv->players; i++)
        numbers = is_number(csv->player[i], &number[i]) && numbers;
    for (uint32_t i = 0; i < csv->players; i++) {
        place[i] = i;
        for (uint32_t j = 0; numbers && j < csv->players; j++)
            if (j < i ? number[j] > number[i] : j > i && number[j] < number[i])
                place[i] = j < i ? place[i] - 1 : place[i] + 1;
    }
}

static uint32_t placed(const struct csv *csv, const uint32_t *place, uint32_t coalition)
{
    uint32_t result = 0;
    for (uint32_t i = 0; i < csv->players; i++)
        if ((coalition >> i & 1) != 0)
            result |= 1u << place[i];
    return result;
}

/* "1, 2" for a fault. */
static void name_coalition(const struct csv *csv, const uint32_t *place, uint32_t coalition,
                           char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (uint32_t i = 0; i < csv->players && used < size - 1; i++)
        if ((coalition >> place[i] & 1) != 0) {
            int wrote =
                snprintf(text + used, size - used, "%s%s", used > 0 ? ", " : "", csv->player[i]);
            used += wrote > 0 ? (size_t)wrote : 0;
        }
}

static enum status missing(const struct csv *csv, const uint32_t *place, uint32_t coalition,
                           struct fault *fault)
{
    char text[256];
    name_coalition(csv, place, coalition, text, sizeof text);
    return fault_set(fault, STATUS_INVALID, "%s: coalition {%s} is missing", csv->name, text);
}

/* Of n lines one of the coalitions 1 to n + 1 lacks: found without the table, which for a few lines
 * of 24 players would be 128 MiB. */
static enum status check_count(const struct csv *csv, const uint32_t *place, struct arena *arena,
                               struct fault *fault)
{
    if ((uint64_t)csv->row_count + 1 >= UINT64_C(1) << csv->players)
        return STATUS_OK;
    bool *given = arena_alloc(arena, csv->row_count + 2, sizeof *given);
    if (given == NULL)
        return input_no_memory(fault);
    for (uint32_t r = 0; r < csv->row_count; r++) {
        uint32_t coalition = placed(csv, place, csv->rows[r].coalition);
        if (coalition <= csv->row_count)
            given[coalition] = true;
    }
    uint32_t first = 1;
    while (given[first])
        first++;
    return missing(csv, place, first, fault);
}

static enum status fill(struct csv *csv, const uint32_t *place, struct arena *arena,
                        struct input_game *game, struct fault *fault)
{
    double *worth = NULL;
    char text[256];
    enum status status = check_count(csv, place, arena, fault);
    if (status == STATUS_OK)
        status = input_table(csv->players, arena, game, &worth, fault);
    if (status == STATUS_OK)
        status = input_number_players(csv->players, arena, game, fault);
    if (status != STATUS_OK)
        return status;
    for (uint32_t s = 1; s < game_coalitions(&game->game); s++)
        worth[s] = (double)NAN;
    for (uint32_t r = 0; r < csv->row_count; r++) {
        uint32_t coalition = placed(csv, place, csv->rows[r].coalition);
        name_coalition(csv, place, coalition, text, sizeof text);
        if (coalition != 0 && !isnan(worth[coalition]))
            return fault_set(fault, STATUS_INVALID, "%s: coalition {%s} is given twice", csv->name,
                             text);
        worth[coalition] = csv->rows[r].worth;
    }
    for (uint32_t s = 1; s < game_coalitions(&game->game); s++)
        if (isnan(worth[s]))
            return missing(csv, place, s, fault);
    for (uint32_t i = 0; i < csv->players; i++) {
        game->players[place[i]] = arena_copy_text(arena, csv->player[i], strlen(csv->player[i]));
        if (game->players[place[i]] == NULL)
            return input_no_memory(fault);
    }
    game->game.kind = csv->costs ? GAME_COST : GAME_VALUE;
    return game_validate(&game->game, fault);
}
