/*
 * game check FILE --split: is a split efficient, individually rational, in the core; and who
 * objects.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/tolerance.h"
#include "economics/commands/commands.h"
#include "economics/commands/long_run.h"
#include "economics/games/market_table.h"
#include "economics/games/objection.h"
#include "economics/games/report.h"

static const char program_name[] = "entente-economics";

struct options {
    const char *path;
    const char *split;
    long game; /* from 1; 0: the only one */
    double tolerance;
    double seconds;
    bool json;
};

struct checking {
    const struct options *options;
    struct arena arena;
    struct arena scratch;
    struct input input;
    struct input_game *game;
    uint32_t players;
    double *split;   /* [players] */
    double *alone;   /* [players] v({i}) */
    bool *below;     /* [players] gets less than alone */
    bool *objecting; /* [players] the coalition that objects most, or is least content */
    bool any_below;
    double total;   /* v(N) */
    double slack;   /* absolute */
    double missing; /* v(N) less what is split */
    double by;      /* by how much it objects */
    double at_most; /* no coalition objects by more */
    struct long_run run;
    struct table_work table_work;
};

static enum status check(struct checking *checking, struct fault *fault);
static enum status print_json(const struct checking *checking, struct fault *fault);
static void print_text(const struct checking *checking);

enum { OPTION_JSON = 256, OPTION_SPLIT, OPTION_GAME, OPTION_TOLERANCE, OPTION_SECONDS };

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    char *end = NULL;
    switch (key) {
    case OPTION_JSON: options->json = true; return 0;
    case OPTION_SPLIT: options->split = value; return 0;
    case OPTION_GAME:
        options->game = strtol(value, &end, 10);
        if (end == value || *end != '\0' || options->game < 1)
            argp_error(state, "--game: %s is not a number from 1", value);
        return 0;
    case OPTION_TOLERANCE:
        options->tolerance = strtod(value, &end);
        if (end == value || *end != '\0' || !(options->tolerance >= 0.0) ||
            !isfinite(options->tolerance))
            argp_error(state, "--tolerance: %s is not a number from 0", value);
        return 0;
    case OPTION_SECONDS:
        options->seconds = strtod(value, &end);
        if (end == value || *end != '\0' || !(options->seconds > 0.0) || options->seconds > 1e9)
            argp_error(state, "--seconds: %s is not a number above 0", value);
        return 0;
    case ARGP_KEY_ARG:
        if (options->path != NULL)
            argp_error(state, "one FILE at a time");
        options->path = value;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "FILE is missing"); return 0;
    case ARGP_KEY_SUCCESS:
        if (options->split == NULL)
            argp_error(state, "--split is missing");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int game_check_command(int argc, char **argv)
{
    static const struct argp_option list[] = {
        {"split", OPTION_SPLIT, "X1,X2,...", 0,
         "The split, in players' order; or a concept's name, to check its split", 0},
        {"game", OPTION_GAME, "NUMBER", 0, "Which game of a file with several, from 1", 0},
        {"tolerance", OPTION_TOLERANCE, "PART", 0,
         "Of the largest worth: what counts as nothing (default 1e-6)", 0},
        {"seconds", OPTION_SECONDS, "S", 0,
         "Markets without a table: stop looking for an objection after so long (default 60)", 0},
        {"json", OPTION_JSON, NULL, 0, "Print JSON instead of text", 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct command_syntax syntax = {
        .arguments = "FILE --split X1,X2,...",
        .purpose = "Says whether a split of a cooperative game is in the core, and if not which "
                   "coalition objects most and by how much.",
        .own = list,
        .parser = parse_option,
        .closing = "Formats of FILE are documented in economics/games/README.md."};
    struct options options = {.tolerance = TOLERANCE_ANSWER, .seconds = 60.0};
    struct checking checking = {.options = &options};
    struct fault fault = {.status = STATUS_OK};
    command_parse(argc, argv, &syntax, &options);
    arena_init(&checking.arena, (size_t)ARENA_ROUND_BYTES * 4);
    arena_init(&checking.scratch, (size_t)ARENA_ROUND_BYTES * 4);
    long_run_begin(&checking.run);
    checking.table_work = (struct table_work){.stop = long_run_interrupted,
                                              .progress = long_run_progress,
                                              .context = &checking.run,
                                              .keep = true};
    enum status status = check(&checking, &fault);
    long_run_wipe(&checking.run);
    if (status == STATUS_OK && options.json)
        status = print_json(&checking, &fault);
    else if (status == STATUS_OK)
        print_text(&checking);
    arena_fini(&checking.scratch);
    arena_fini(&checking.arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_fail(program_name, &fault);
}

static enum status read_split(struct checking *checking, struct fault *fault)
{
    const char *text = checking->options->split;
    uint32_t count = 0;
    while (*(text += strspn(text, " \t[],;")) != '\0') {
        char *end;
        double number = strtod(text, &end);
        if (end == text || !isfinite(number))
            return fault_set(fault, STATUS_INVALID,
                             "--split: '%.32s' is neither a finite number nor a concept", text);
        if (count == checking->players)
            return fault_set(fault, STATUS_INVALID, "--split: more numbers than the %u players",
                             checking->players);
        checking->split[count++] = number;
        text = end;
    }
    if (count != checking->players)
        return fault_set(fault, STATUS_INVALID, "--split: %u numbers for %u players", count,
                         checking->players);
    return STATUS_OK;
}

static enum status split_by_concept(struct checking *checking, struct fault *fault)
{
    struct subject subject = {
        .input = checking->game, .arena = &checking->arena, .scratch = &checking->scratch};
    const struct concept *concept = NULL;
    struct concept_answer answer;
    enum status status = concept_find(checking->options->split, &concept, fault);
    if (status != STATUS_OK)
        return fault_prefix(fault, status, "--split");
    concept_answer(concept, &subject, &answer);
    if (answer.split == NULL)
        return fault_set(fault, STATUS_INVALID, "--split %s: %s", concept->name,
                         answer.remark[0] != '\0' ? answer.remark : "is not a split");
    memcpy(checking->split, answer.split, checking->players * sizeof *answer.split);
    return STATUS_OK;
}

static enum status choose_game(struct checking *checking, struct fault *fault)
{
    long number = checking->options->game;
    if (number == 0 && checking->input.count > 1)
        return fault_set(fault, STATUS_INVALID, "%s holds %u games: say which with --game NUMBER",
                         checking->options->path, checking->input.count);
    if (number > (long)checking->input.count)
        return fault_set(fault, STATUS_INVALID, "--game %ld: there are %u", number,
                         checking->input.count);
    checking->game = &checking->input.games[number > 0 ? number - 1 : 0];
    checking->game->work = &checking->table_work;
    return STATUS_OK;
}

static enum status reserve(struct checking *checking, struct fault *fault)
{
    uint32_t n = checking->game->game.players;
    checking->players = n;
    checking->split = arena_alloc(&checking->arena, n, sizeof *checking->split);
    checking->alone = arena_alloc(&checking->arena, n, sizeof *checking->alone);
    checking->below = arena_alloc(&checking->arena, n, sizeof *checking->below);
    checking->objecting = arena_alloc(&checking->arena, n, sizeof *checking->objecting);
    if (checking->split == NULL || checking->alone == NULL || checking->below == NULL ||
        checking->objecting == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the split");
    return STATUS_OK;
}

/* A market or production game without a table. */
static enum status look_without_table(struct checking *checking, struct fault *fault)
{
    struct market_objection found;
    long_run_next(&checking->run, "looking for an objection", checking->options->seconds);
    enum status status = objection_find(checking->game, checking->split, long_run_over,
                                        &checking->run, &checking->arena, &found, fault);
    if (status != STATUS_OK)
        return status;
    checking->objecting = found.in;
    checking->alone = found.alone;
    checking->total = found.total;
    checking->by = found.by;
    checking->at_most = found.at_most;
    checking->slack = checking->options->tolerance * found.total;
    return STATUS_OK;
}

static enum status look_in_table(struct checking *checking, struct fault *fault)
{
    const struct game *game = &checking->game->game;
    struct game_objection objection;
    enum status status = input_complete(checking->game, fault);
    if (status != STATUS_OK)
        return status;
    game_objection(game, checking->split, &objection);
    for (uint32_t i = 0; i < game->players; i++) {
        checking->objecting[i] = (objection.coalition >> i & 1) != 0;
        checking->alone[i] = game->worth[1u << i];
    }
    checking->total = game->worth[game_grand(game)];
    checking->by = objection.by;
    checking->at_most = objection.by;
    checking->slack = checking->options->tolerance * game_scale(game);
    return STATUS_OK;
}

static enum status check(struct checking *checking, struct fault *fault)
{
    enum status status =
        input_read(checking->options->path, &checking->arena, &checking->input, fault);
    if (status == STATUS_OK)
        status = choose_game(checking, fault);
    if (status == STATUS_OK)
        status = reserve(checking, fault);
    if (status != STATUS_OK)
        return status;
    bool named = isalpha((unsigned char)checking->options->split[0]) != 0;
    status = named ? split_by_concept(checking, fault) : read_split(checking, fault);
    if (status != STATUS_OK)
        return status;
    const struct input_game *game = checking->game;
    bool market = game->instance != NULL && game->game.worth == NULL;
    bool large = game->production != NULL && checking->players > MARKET_TABLE_PLAYERS_MAX;
    status = market || large ? look_without_table(checking, fault) : look_in_table(checking, fault);
    if (status != STATUS_OK)
        return status;
    double sign = checking->game->game.kind == GAME_COST ? -1.0 : 1.0;
    checking->missing = checking->total;
    for (uint32_t i = 0; i < checking->players; i++) {
        checking->missing -= checking->split[i];
        checking->below[i] = sign * (checking->alone[i] - checking->split[i]) > checking->slack;
        checking->any_below = checking->any_below || checking->below[i];
    }
    return STATUS_OK;
}

static bool efficient(const struct checking *checking)
{
    return fabs(checking->missing) <= checking->slack;
}

static bool objects(const struct checking *checking)
{
    return checking->by > checking->slack;
}

/* No coalition objects, and that is proven. */
static bool nobody_objects(const struct checking *checking)
{
    return checking->at_most <= checking->slack;
}

static void print_members(const struct checking *checking, const bool *in)
{
    bool first = true;
    printf("{");
    for (uint32_t i = 0; i < checking->players; i++)
        if (in[i]) {
            printf("%s%s", first ? "" : ", ", checking->game->players[i]);
            first = false;
        }
    printf("}");
}

static void print_core(const struct checking *checking, bool costs)
{
    if (objects(checking)) {
        printf("not in the core: ");
        print_members(checking, checking->objecting);
        printf(" objects by %.9g; together they can %s than the split says\n", checking->by,
               costs ? "pay less" : "reach more");
    } else if (!nobody_objects(checking)) {
        printf("not decided: no coalition was found to object; none objects by more than %.9g\n",
               checking->at_most);
    } else if (!efficient(checking)) {
        printf("not in the core: no coalition objects, but the split is not efficient\n");
    } else if (checking->players < 2) {
        printf("in the core\n");
    } else {
        printf("in the core: no coalition objects; the least content%s is ",
               checking->at_most > checking->by ? " that was found" : "");
        print_members(checking, checking->objecting);
        printf(", with %.9g to spare\n", 0.0 - checking->by);
    }
}

static void print_text(const struct checking *checking)
{
    bool costs = checking->game->game.kind == GAME_COST;
    if (efficient(checking))
        printf("efficient: the split adds up to %.9g\n", checking->total);
    else
        printf("not efficient: the split is %.9g %s %.9g\n", fabs(checking->missing),
               checking->missing > 0.0 ? "below" : "above", checking->total);
    if (!checking->any_below) {
        printf("individually rational: nobody would %s alone\n", costs ? "pay less" : "get more");
    } else {
        printf("not individually rational: ");
        print_members(checking, checking->below);
        printf(" would do better alone\n");
    }
    print_core(checking, costs);
}

static void put_objection(struct json_writer *writer, const struct checking *checking)
{
    json_open_object(writer, "objection");
    json_put_boolean(writer, "objects", objects(checking));
    json_open_array(writer, "coalition");
    for (uint32_t i = 0; i < checking->players; i++)
        if (checking->objecting[i])
            json_put_integer(writer, NULL, i + 1);
    json_end(writer);
    json_open_array(writer, "players");
    for (uint32_t i = 0; i < checking->players; i++)
        if (checking->objecting[i])
            json_put_text(writer, NULL, checking->game->players[i]);
    json_end(writer);
    json_put_number(writer, "by", checking->by);
    json_put_number(writer, "at_most", checking->at_most);
    json_end(writer);
}

static enum status print_json(const struct checking *checking, struct fault *fault)
{
    struct json_writer writer;
    bool decided = objects(checking) || nobody_objects(checking) || !efficient(checking);
    json_writer_init(&writer);
    if (checking->game->name != NULL)
        json_put_text(&writer, "name", checking->game->name);
    json_open_array(&writer, "split");
    for (uint32_t i = 0; i < checking->players; i++)
        json_put_number(&writer, NULL, checking->split[i]);
    json_end(&writer);
    json_put_boolean(&writer, "efficient", efficient(checking));
    json_put_number(&writer, "missing", checking->missing);
    json_put_boolean(&writer, "individually_rational", !checking->any_below);
    if (decided)
        json_put_boolean(&writer, "in_core", efficient(checking) && nobody_objects(checking));
    else
        json_put_null(&writer, "in_core");
    if (checking->players > 1)
        put_objection(&writer, checking);
    enum status status = json_write(&writer, stdout, fault);
    json_writer_fini(&writer);
    return status;
}
