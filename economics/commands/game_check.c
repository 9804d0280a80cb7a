/*
 * game check FILE --split: is a split efficient, individually rational, in the core; and who
 * objects.
 */
#include <argp.h>
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/tolerance.h"
#include "economics/commands/commands.h"
#include "economics/games/report.h"

static const char program_name[] = "entente-economics";

struct options {
    const char *path;
    const char *split;
    long game; /* from 1; 0: the only one */
    double tolerance;
    bool json;
};

struct checking {
    const struct options *options;
    struct arena arena;
    struct arena scratch;
    struct input input;
    struct input_game *game;
    double split[GAME_PLAYERS_MAX];
    double slack;   /* absolute */
    double missing; /* v(N) less what is split */
    uint32_t below; /* mask: players that get less than alone */
    struct game_objection objection;
};

static enum status check(struct checking *checking, struct fault *fault);
static enum status print_json(const struct checking *checking, struct fault *fault);
static void print_text(const struct checking *checking);

enum { OPTION_JSON = 256, OPTION_SPLIT, OPTION_GAME, OPTION_TOLERANCE };

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
        {"json", OPTION_JSON, NULL, 0, "Print JSON instead of text", 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct argp argp = {
        list,
        parse_option,
        "FILE --split X1,X2,...",
        "Says whether a split of a cooperative game is in the core, and if not which coalition "
        "objects most and by how much.\vFormats of FILE are documented in "
        "economics/games/README.md.",
        NULL,
        NULL,
        NULL};
    struct options options = {.tolerance = TOLERANCE_ANSWER};
    struct checking checking = {.options = &options};
    struct fault fault = {.status = STATUS_OK};
    argp_err_exit_status = EXIT_CODE_USAGE;
    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return EXIT_CODE_USAGE;
    arena_init(&checking.arena, (size_t)ARENA_ROUND_BYTES * 4);
    arena_init(&checking.scratch, (size_t)ARENA_ROUND_BYTES * 4);
    enum status status = check(&checking, &fault);
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
        if (count == checking->game->game.players)
            return fault_set(fault, STATUS_INVALID, "--split: more numbers than the %u players",
                             checking->game->game.players);
        checking->split[count++] = number;
        text = end;
    }
    if (count != checking->game->game.players)
        return fault_set(fault, STATUS_INVALID, "--split: %u numbers for %u players", count,
                         checking->game->game.players);
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
    memcpy(checking->split, answer.split, checking->game->game.players * sizeof *answer.split);
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
    return input_complete(checking->game, fault);
}

static enum status check(struct checking *checking, struct fault *fault)
{
    enum status status =
        input_read(checking->options->path, &checking->arena, &checking->input, fault);
    if (status == STATUS_OK)
        status = choose_game(checking, fault);
    if (status != STATUS_OK)
        return status;
    bool named = isalpha((unsigned char)checking->options->split[0]) != 0;
    status = named ? split_by_concept(checking, fault) : read_split(checking, fault);
    if (status != STATUS_OK)
        return status;
    const struct game *game = &checking->game->game;
    double sign = game->kind == GAME_COST ? -1.0 : 1.0;
    checking->slack = checking->options->tolerance * game_scale(game);
    checking->missing = game->worth[game_grand(game)];
    for (uint32_t i = 0; i < game->players; i++) {
        checking->missing -= checking->split[i];
        if (sign * (game->worth[1u << i] - checking->split[i]) > checking->slack)
            checking->below |= 1u << i;
    }
    game_objection(game, checking->split, &checking->objection);
    return STATUS_OK;
}

static bool efficient(const struct checking *checking)
{
    return fabs(checking->missing) <= checking->slack;
}

static bool objects(const struct checking *checking)
{
    return checking->objection.by > checking->slack;
}

static void print_text(const struct checking *checking)
{
    char text[REPORT_COALITION_TEXT_MAX];
    const struct input_game *game = checking->game;
    const char *verb = game->game.kind == GAME_COST ? "pay" : "reach";
    if (efficient(checking))
        printf("efficient: the split adds up to %.9g\n", game->game.worth[game_grand(&game->game)]);
    else
        printf("not efficient: the split is %.9g %s %.9g\n", fabs(checking->missing),
               checking->missing > 0.0 ? "below" : "above",
               game->game.worth[game_grand(&game->game)]);
    if (checking->below == 0)
        printf("individually rational: nobody would %s more alone\n",
               game->game.kind == GAME_COST ? "save" : "get");
    else
        printf("not individually rational: %s would do better alone\n",
               report_coalition(game, checking->below, text));
    if (objects(checking))
        printf("not in the core: %s objects by %.9g; together they can %s %s than the split says\n",
               report_coalition(game, checking->objection.coalition, text), checking->objection.by,
               verb, game->game.kind == GAME_COST ? "less" : "more");
    else if (efficient(checking))
        printf("in the core: no coalition objects; the least content is %s, with %.9g to spare\n",
               report_coalition(game, checking->objection.coalition, text),
               0.0 - checking->objection.by);
    else
        printf("not in the core: no coalition objects, but the split is not efficient\n");
}

static enum status print_json(const struct checking *checking, struct fault *fault)
{
    struct json_writer writer;
    json_writer_init(&writer);
    if (checking->game->name != NULL)
        json_put_text(&writer, "name", checking->game->name);
    json_open_array(&writer, "split");
    for (uint32_t i = 0; i < checking->game->game.players; i++)
        json_put_number(&writer, NULL, checking->split[i]);
    json_end(&writer);
    json_put_boolean(&writer, "efficient", efficient(checking));
    json_put_number(&writer, "missing", checking->missing);
    json_put_boolean(&writer, "individually_rational", checking->below == 0);
    json_put_boolean(&writer, "in_core", efficient(checking) && !objects(checking));
    if (checking->objection.coalition != 0) {
        json_open_object(&writer, "objection");
        json_put_boolean(&writer, "objects", objects(checking));
        report_coalition_json(&writer, "coalition", checking->objection.coalition);
        json_open_array(&writer, "players");
        for (uint32_t i = 0; i < checking->game->game.players; i++)
            if ((checking->objection.coalition >> i & 1) != 0)
                json_put_text(&writer, NULL, checking->game->players[i]);
        json_end(&writer);
        json_put_number(&writer, "by", checking->objection.by);
        json_end(&writer);
    }
    enum status status = json_write(&writer, stdout, fault);
    json_writer_fini(&writer);
    return status;
}
