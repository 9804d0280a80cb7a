/*
 * game solve FILE: cooperative games solved by name of concept, each answer with what certifies it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "economics/commands/commands.h"
#include "economics/commands/long_run.h"
#include "economics/games/report.h"

static const char program_name[] = "entente-economics";

enum { CONCEPTS_MAX = 64, ANSWERS_BYTES_MAX = 256 * 1024 * 1024 };

struct options {
    const char *path;
    const char *concepts;
    bool json;
    bool csv;
    bool no_cache; /* no worth tables in files */
    uint64_t seed;
    uint64_t pairs;
    double half_width;
    double seconds; /* of sampling, at most */
};

struct solving {
    const struct options *options;
    const struct concept *concepts[CONCEPTS_MAX];
    size_t count;
    struct arena arena;
    struct arena scratch;
    struct input input;
    struct json_writer writer;
    struct long_run run;
    struct table_work table_work;
    bool failed; /* an answer is missing that should not be */
};

static enum status choose(struct solving *solving, struct fault *fault);
static enum status solve_all(struct solving *solving, struct fault *fault);

enum {
    OPTION_JSON = 256,
    OPTION_CSV,
    OPTION_CONCEPTS,
    OPTION_SEED,
    OPTION_PAIRS,
    OPTION_HALF_WIDTH,
    OPTION_SECONDS,
    OPTION_NO_CACHE
};

static double positive(const char *name, const char *value, struct argp_state *state)
{
    char *end;
    double number = strtod(value, &end);
    if (end == value || *end != '\0' || !(number > 0.0) || !isfinite(number))
        argp_error(state, "--%s: %s is not a number above 0", name, value);
    return number;
}

static uint64_t whole(const char *name, const char *value, struct argp_state *state)
{
    char *end;
    uint64_t number = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end != '\0')
        argp_error(state, "--%s: %s is not a whole number", name, value);
    return number;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case OPTION_JSON: options->json = true; return 0;
    case OPTION_CSV: options->csv = true; return 0;
    case OPTION_NO_CACHE: options->no_cache = true; return 0;
    case OPTION_CONCEPTS: options->concepts = value; return 0;
    case OPTION_SEED: options->seed = whole("seed", value, state); return 0;
    case OPTION_PAIRS: options->pairs = whole("pairs", value, state); return 0;
    case OPTION_HALF_WIDTH: options->half_width = positive("half-width", value, state); return 0;
    case OPTION_SECONDS: options->seconds = positive("seconds", value, state); return 0;
    case ARGP_KEY_ARG:
        if (options->path != NULL)
            argp_error(state, "one FILE at a time");
        options->path = value;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "FILE is missing"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* What the help says below the options; NULL without memory. */
static char *list_of_concepts(void)
{
    size_t size = 0;
    char *help = NULL;
    FILE *to = open_memstream(&help, &size);
    if (to == NULL)
        return NULL;
    fprintf(to, "Concepts (* those answered where none are asked for; 'all' asks for all):\n");
    for (size_t c = 0; c < concept_count; c++)
        fprintf(to, "  %s %-24s %s\n", concepts[c].usual ? "*" : " ", concepts[c].name,
                concepts[c].summary);
    fprintf(to, "\nFormats of FILE are documented in economics/games/README.md.");
    fclose(to);
    return help;
}

int game_solve_command(int argc, char **argv)
{
    static const struct argp_option list[] = {
        {"concepts", OPTION_CONCEPTS, "NAME,...", 0, "Which solutions; 'all' for all", 0},
        {"json", OPTION_JSON, NULL, 0, "Print JSON instead of tables", 0},
        {"half-width", OPTION_HALF_WIDTH, "PART", 0,
         "Sampled Shapley: stop when every 95% half-width is at most this part of v(N)/n "
         "(default 0.003)",
         0},
        {"seconds", OPTION_SECONDS, "S", 0,
         "Stop sampling, and other long searches, after so long (default 60)", 0},
        {"pairs", OPTION_PAIRS, "COUNT", 0,
         "Sampled Shapley: exactly so many pairs of orders, rounded up to 32; repeatable", 0},
        {"seed", OPTION_SEED, "NUMBER", 0, "Sampled Shapley: of its random orders (default 0)", 0},
        {"csv", OPTION_CSV, NULL, 0, "Print CSV: game, concept, player, payoff", 0},
        {"no-cache", OPTION_NO_CACHE, NULL, 0,
         "Markets' worth tables are neither taken from files nor kept there", 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    char *closing = list_of_concepts();
    struct command_syntax const syntax = {
        .arguments = "FILE",
        .purpose = "Solves the cooperative games in FILE: worth tables (JSON or CSV), classic "
                   "families, linear production games, or a market.",
        .own = list,
        .parser = parse_option,
        .closing = closing};
    struct options options = {.half_width = 0.003, .seconds = 60.0};
    struct solving solving = {.options = &options};
    struct fault fault = {.status = STATUS_OK};
    command_parse(argc, argv, &syntax, &options);
    free(closing);
    arena_init(&solving.arena, (size_t)ARENA_ROUND_BYTES * 4);
    arena_init(&solving.scratch, (size_t)ARENA_ROUND_BYTES * 4);
    long_run_begin(&solving.run);
    solving.table_work = (struct table_work){.stop = long_run_interrupted,
                                             .progress = long_run_progress,
                                             .context = &solving.run,
                                             .keep = !options.no_cache};
    enum status status = choose(&solving, &fault);
    if (status == STATUS_OK)
        status = input_read(options.path, &solving.arena, &solving.input, &fault);
    if (status == STATUS_OK)
        status = solve_all(&solving, &fault);
    arena_fini(&solving.scratch);
    arena_fini(&solving.arena);
    if (status != STATUS_OK)
        return command_fail(program_name, &fault);
    return solving.failed ? EXIT_CODE_FAILURE : EXIT_CODE_OK;
}

static bool asked_twice(const struct solving *solving, const struct concept *concept)
{
    for (size_t c = 0; c < solving->count; c++)
        if (solving->concepts[c] == concept)
            return true;
    return false;
}

static enum status choose(struct solving *solving, struct fault *fault)
{
    const char *asked = solving->options->concepts;
    bool all = asked != NULL && strcmp(asked, "all") == 0;
    for (size_t c = 0; c < concept_count && (asked == NULL || all); c++)
        if ((all && concepts[c].answer != NULL) || concepts[c].usual)
            solving->concepts[solving->count++] = &concepts[c];
    if (asked == NULL || all)
        return STATUS_OK;
    while (*asked != '\0') {
        char name[64];
        const struct concept *concept = NULL;
        size_t length = strcspn(asked, ",");
        snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : sizeof name - 1),
                 asked);
        asked += asked[length] == ',' ? length + 1 : length;
        enum status status = concept_find(name, &concept, fault);
        if (status != STATUS_OK)
            return fault_prefix(fault, status, "--concepts");
        if (!asked_twice(solving, concept))
        solving->concepts[solving->count++] = concept;
    }
    if (solving->count == 0)
        return fault_set(fault, STATUS_INVALID,
                         "--concepts: names none; leave it out for the usual");
    return STATUS_OK;
}

/* A stated number of pairs is all that counts; else half-width and time. */
static void set_limits(struct solving *solving, const char *what,
                       struct sampling_settings *settings)
{
    const struct options *options = solving->options;
    *settings = (struct sampling_settings){.seed = options->seed,
                                           .pairs_max = options->pairs,
                                           .stop = long_run_over,
                                           .context = &solving->run};
    long_run_next(&solving->run, what, options->pairs > 0 ? 0.0 : options->seconds);
    if (options->pairs == 0)
        settings->half_width = options->half_width;
}

/* Answers of one game, written at once. */
static enum status solve_one(struct solving *solving, uint32_t g, struct fault *fault)
{
    struct arena arena;
    struct input_game *game = &solving->input.games[g];
    struct subject subject = {.input = game, .arena = &arena, .scratch = &solving->scratch};
    game->work = &solving->table_work;
    arena_init(&arena, ANSWERS_BYTES_MAX);
    struct concept_answer *answers = arena_alloc(&arena, solving->count, sizeof *answers);
    if (answers == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the answers");
    for (size_t c = 0; c < solving->count; c++) {
        set_limits(solving, solving->concepts[c]->name, &subject.sampling);
        concept_answer(solving->concepts[c], &subject, &answers[c]);
        solving->failed = solving->failed || answers[c].failed;
    }
    long_run_wipe(&solving->run);
    if (solving->options->json) {
        if (solving->input.list)
            json_open_object(&solving->writer, NULL);
        report_json(&solving->writer, game, answers, solving->count);
        if (solving->input.list)
            json_end(&solving->writer);
    } else if (solving->options->csv) {
        report_csv(stdout, g + 1, game, answers, solving->count);
    } else {
        if (g > 0)
            printf("\n");
        report_text(stdout, game, answers, solving->count);
    }
    arena_fini(&arena);
    return STATUS_OK;
}

static enum status solve_all(struct solving *solving, struct fault *fault)
{
    enum status status = STATUS_OK;
    if (solving->input.list)
        json_writer_init_list(&solving->writer);
    else
        json_writer_init(&solving->writer);
    if (solving->options->csv && !solving->options->json)
        report_csv_heading(stdout);
    for (uint32_t g = 0; g < solving->input.count && status == STATUS_OK; g++)
        status = solve_one(solving, g, fault);
    if (status == STATUS_OK && solving->options->json)
        status = json_write(&solving->writer, stdout, fault);
    json_writer_fini(&solving->writer);
    return status;
}
