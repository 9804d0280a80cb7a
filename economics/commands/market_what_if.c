/* market what-if: a member joins with a given capacity, or leaves: what changes for everybody. */
#include <stdlib.h>
#include <string.h>

#include "base/command.h"
#include "base/json_stream_write.h"
#include "base/table.h"
#include "economics/commands/commands.h"
#include "economics/commands/market_clock.h"
#include "economics/market/explaining/trial.h"

static const char program_name[] = "entente-economics";

enum { CAPACITIES_MAX = 16, OPTION_JSON = 256, OPTION_COST, OPTION_AFFINITY };

struct options {
    const char *path;
    const char *join;
    const char *leave;
    struct trial_capacity capacities[CAPACITIES_MAX];
    size_t capacity_count;
    double cost;
    double affinity;
    bool json;
};

static double number_of(const char *text, const char *name, double most, struct argp_state *state)
{
    char *end = NULL;
    double const number = strtod(text, &end);
    if (end == text || *end != '\0' || !(number >= 0 && number <= most))
        argp_error(state, "--%s: '%s' is not a number of 0 to %g", name, text, most);
    return number;
}

/* "A100=64" */
static void add_capacity(struct options *options, char *value, struct argp_state *state)
{
    char *equals = strchr(value, '=');
    if (equals == NULL || equals == value)
        argp_error(state, "--gpus: '%s' is not KIND=NUMBER", value);
    if (options->capacity_count == CAPACITIES_MAX)
        argp_error(state, "--gpus: at most %d kinds", CAPACITIES_MAX);
    *equals = '\0';
    options->capacities[options->capacity_count++] = (struct trial_capacity){
        .gpu = value,
        .gpus = (int64_t)option_whole(equals + 1, "gpus",
                                      (uint64_t)NODES_PER_POOL_MAX * GPUS_PER_NODE_MAX, state)};
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case 'j': options->join = value; return 0;
    case 'l': options->leave = value; return 0;
    case 'g': add_capacity(options, value, state); return 0;
    case OPTION_COST: options->cost = number_of(value, "cost", DRAFT_PRICE_MAX, state); return 0;
    case OPTION_AFFINITY: options->affinity = number_of(value, "affinity", 1, state); return 0;
    case OPTION_JSON: options->json = true; return 0;
    case ARGP_KEY_ARG:
        if (options->path != NULL)
            argp_error(state, "one FILE at a time");
        options->path = value;
        return 0;
    case ARGP_KEY_END:
        if (options->path == NULL)
            argp_error(state, "FILE is missing");
        if ((options->join == NULL) == (options->leave == NULL))
            argp_error(state, "either --join M or --leave M");
        if (options->join != NULL && options->capacity_count == 0)
            argp_error(state, "--join: with which --gpus KIND=NUMBER?");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* -- The change -------------------------------------------------------------------------------- */

/* Whole, or with so many GPUs of some kinds. */
static enum status change(const struct options *options, const struct trial *before,
                          struct draft *draft, struct fault *fault)
{
    uint32_t member;
    if (options->leave != NULL) {
        enum status const status =
            trial_find_member(&before->instance, options->leave, &member, fault);
        if (status != STATUS_OK || !draft_member_known(draft, options->leave, &member))
            return status;
        if (options->capacity_count == 0) {
            trial_remove_member(draft, member);
            return STATUS_OK;
        }
    }
    enum status status = STATUS_OK;
    for (size_t i = 0; i < options->capacity_count && status == STATUS_OK; i++) {
        struct trial_capacity capacity = options->capacities[i];
        capacity.member = options->join != NULL ? options->join : options->leave;
        capacity.gpus = options->join != NULL ? capacity.gpus : -capacity.gpus;
        capacity.cost = options->cost;
        capacity.affinity = options->affinity;
        status = trial_change_capacity(draft, &capacity, fault);
    }
    return status;
}

/* -- What is said ------------------------------------------------------------------------------ */

/* A value before and after, by name; names of `after` hold those of `before`, both sorted or not.
 */
struct compared {
    const char *name;
    double before;
    double after;
    bool is_new;
};

static struct compared compare(const struct trial *before, const struct trial *after, bool pools,
                               uint32_t index)
{
    const char **ids = pools ? after->instance.pool_ids : after->instance.member_ids;
    const char **were = pools ? before->instance.pool_ids : before->instance.member_ids;
    uint32_t const count =
        pools ? before->instance.market.pool_count : before->instance.market.member_count;
    struct compared compared = {.name = ids[index], .is_new = true};
    compared.after = pools ? after->outcome.price[index] : after->outcome.payoff[index];
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(were[i], ids[index]) == 0) {
            compared.is_new = false;
            compared.before = pools ? before->outcome.price[i] : before->outcome.payoff[i];
        }
    return compared;
}

static void print_compared(const struct trial *before, const struct trial *after, bool pools)
{
    static const struct table_column members[] = {
        {"member", false}, {"payoff before (credits)", true}, {"after", true}, {"change", true}};
    static const struct table_column prices[] = {
        {"pool", false}, {"price before (credits/GPU-s)", true}, {"after", true}, {"change", true}};
    uint32_t const count =
        pools ? after->instance.market.pool_count : after->instance.market.member_count;
    struct table table;
    table_init(&table, pools ? prices : members, 4);
    for (uint32_t i = 0; i < count; i++) {
        struct compared const row = compare(before, after, pools, i);
        table_text(&table, row.name);
        if (row.is_new)
            table_text(&table, "-");
        else
            table_format(&table, "%.9f", row.before);
        table_format(&table, "%.9f", row.after);
        table_format(&table, "%+.9f", row.after - row.before);
    }
    table_print(&table, stdout);
    table_fini(&table);
}

static void print_text(const struct trial *before, const struct trial *after)
{
    printf("objective    %.6f before, %.6f after: %+.6f credits a round\n\n",
           before->outcome.objective, after->outcome.objective,
           after->outcome.objective - before->outcome.objective);
    print_compared(before, after, false);
    printf("\n");
    print_compared(before, after, true);
}

static void put_compared(struct emitter *to, const char *key, const struct trial *before,
                         const struct trial *after, bool pools)
{
    uint32_t const count =
        pools ? after->instance.market.pool_count : after->instance.market.member_count;
    emit_object(to, key);
    for (uint32_t i = 0; i < count; i++) {
        struct compared const row = compare(before, after, pools, i);
        emit_object(to, row.name);
        if (row.is_new)
            emit_null(to, "before");
        else
            emit_number(to, "before", row.before);
        emit_number(to, "after", row.after);
        emit_end(to);
    }
    emit_end(to);
}

static enum status print_json(const struct trial *before, const struct trial *after,
                              struct fault *fault)
{
    struct emitter *to;
    enum status const status = emit_open(stdout, &to, fault);
    if (status != STATUS_OK)
        return status;
    emit_object(to, "objective");
    emit_number(to, "before", before->outcome.objective);
    emit_number(to, "after", after->outcome.objective);
    emit_end(to);
    put_compared(to, "payoffs", before, after, false);
    put_compared(to, "prices", before, after, true);
    return emit_close(to, fault);
}

/* -- The command ------------------------------------------------------------------------------- */

static enum status run(const struct options *options, struct draft *draft, struct session *session,
                       struct fault *fault)
{
    struct session_options const solve = {.method = SESSION_AUTO};
    struct trial before = {0};
    struct trial after = {0};
    enum status status = draft_read(options->path, draft, fault);
    if (status == STATUS_OK) {
        progress_say("solving, and solving again");
        status = trial_open(draft, session, &solve, &before, fault);
    }
    if (status == STATUS_OK)
        status = change(options, &before, draft, fault);
    if (status == STATUS_OK)
        status = trial_open(draft, session, &solve, &after, fault);
    progress_clear();
    if (status == STATUS_OK && options->json)
        status = print_json(&before, &after, fault);
    else if (status == STATUS_OK)
        print_text(&before, &after);
    trial_close(&before);
    trial_close(&after);
    return status;
}

int market_what_if_command(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"join", 'j', "M", 0, "A member joins, or one that is there brings more", 0},
        {"leave", 'l', "M", 0, "A member leaves; with --gpus: takes so many away", 0},
        {"gpus", 'g', "KIND=NUMBER", 0, "With which capacity; may be repeated", 0},
        {"cost", OPTION_COST, "CREDITS", 0, "Of a new pool, per GPU-second (0)", 0},
        {"affinity", OPTION_AFFINITY, "A", 0, "Of all homes for a new member, 0 to 1 (0.9)", 0},
        {"json", OPTION_JSON, NULL, 0, "Print JSON instead of tables", 0},
        {0}};
    static const struct command_syntax syntax = {
        .arguments = "FILE",
        .purpose = "What changes for everybody where a member joins with a given capacity, or "
                   "leaves: the market in FILE solved as it is and as it would be.",
        .own = own,
        .parser = parse_option,
        .closing = "A new pool, of 8 GPUs a node, runs every job that some pool of its kind runs, "
                   "as fast. Example: entente-economics market what-if f.json --join dc9000 --gpus "
                   "A100=64"};
    struct options options = {.affinity = 0.9};
    command_parse(argc, argv, &syntax, &options);
    struct arena arena;
    struct draft draft;
    struct session *session = NULL;
    struct fault fault = {.status = STATUS_OK};
    arena_init(&arena, ARENA_ROUND_BYTES);
    draft_init(&draft, &arena);
    enum status status = session_open(&session, &fault);
    if (status == STATUS_OK)
        status = run(&options, &draft, session, &fault);
    session_close(session);
    draft_fini(&draft);
    arena_fini(&arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_fail(program_name, &fault);
}
