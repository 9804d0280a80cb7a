/*
 * market solve FILE: the market's LP, its prices and payoffs; with --gangs a plan in whole GPUs and
 * what it pays. For people as tables, with --json for programs.
 */
#include <stdlib.h>
#include <time.h>

#include "base/command.h"
#include "base/json.h"
#include "base/table.h"
#include "economics/commands/commands.h"
#include "economics/market/instance/instance.h"
#include "economics/market/plan.h"

static const char program_name[] = "entente-economics";

struct options {
    const char *path;
    bool json;
    bool gangs;
};

struct solved {
    const struct options *options;
    struct arena arena;
    struct instance instance;
    struct plan plan;
    double read_seconds;
    double solve_seconds;
};

static enum status solve(struct solved *solved, struct fault *fault);
static void print_tables(const struct solved *solved);
static enum status print_json(const struct solved *solved, struct fault *fault);

enum { OPTION_JSON = 256, OPTION_GANGS };

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case OPTION_JSON: options->json = true; return 0;
    case OPTION_GANGS: options->gangs = true; return 0;
    case ARGP_KEY_ARG:
        if (options->path != NULL)
            argp_error(state, "one FILE at a time");
        options->path = value;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "FILE is missing"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

int market_solve_command(int argc, char **argv)
{
    static const struct argp_option list[] = {
        {"json", OPTION_JSON, NULL, 0, "Print JSON instead of tables", 0},
        {"gangs", OPTION_GANGS, NULL, 0,
         "Whole GPUs, one configuration a job, packed on nodes; payoffs as posted", 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct command_syntax syntax = {
        .arguments = "FILE",
        .purpose = "Solves the market in FILE (JSON; documented in "
                   "economics/market/instance/instance.h) to its optimum.",
        .own = list,
        .parser = parse_option,
        .closing = "Without --gangs jobs may share rounds: the plan is the LP's, and payoffs are "
                   "its core point. Prices are credits per GPU-second, payoffs credits a round."};
    struct options options = {0};
    command_parse(argc, argv, &syntax, &options);
    struct solved solved = {.options = &options};
    struct fault fault = {.status = STATUS_OK};
    arena_init(&solved.arena, (size_t)ARENA_ROUND_BYTES * 4);
    enum status status = solve(&solved, &fault);
    if (status == STATUS_OK && options.json)
        status = print_json(&solved, &fault);
    else if (status == STATUS_OK)
        print_tables(&solved);
    arena_fini(&solved.arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_fail(program_name, &fault);
}

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / NANOS_PER_CREDIT;
}

static enum status solve(struct solved *solved, struct fault *fault)
{
    double const start = now_seconds();
    enum status status =
        instance_read(solved->options->path, &solved->arena, &solved->instance, fault);
    if (status != STATUS_OK)
        return status;
    double const read = now_seconds();
    status = plan_make(&solved->instance.market, &solved->arena, &solved->plan, fault);
    if (status == STATUS_OK)
        status = plan_check(&solved->instance.market, &solved->plan, fault);
    solved->read_seconds = read - start;
    solved->solve_seconds = now_seconds() - read;
    return status;
}

/* -- What is said, in either form -------------------------------------------------------------- */

/* Shares below a millionth are the solver's rounding. */
#define SHARE_SHOWN 1e-6

static double objective_of(const struct solved *solved)
{
    if (solved->options->gangs)
        return credits_to_double(solved->plan.objective);
    double micros = 0;
    for (uint32_t k = 0; k < solved->instance.market.column_count; k++)
        micros +=
            solved->plan.lp_share[k] * (double)solved->instance.market.columns[k].worth.micros;
    return micros / MICROS_PER_CREDIT;
}

/* Part of the bound that is not reached. */
static double gap_of(const struct solved *solved)
{
    double const bound = credits_to_double(solved->plan.bound);
    double const gap = bound > 0 ? (bound - objective_of(solved)) / bound : 0;
    return gap > 1e-12 ? gap : 0;
}

static struct credits payoff_of(const struct solved *solved, uint32_t member)
{
    const struct plan_member *of = &solved->plan.members[member];
    return solved->options->gangs ? of->payoff : of->owen;
}

static const struct plan_placement *placement_of(const struct solved *solved, uint32_t column)
{
    for (uint32_t low = 0, high = solved->plan.placement_count; low < high;) {
        uint32_t const middle = low + (high - low) / 2;
        const struct plan_placement *placement = &solved->plan.placements[middle];
        if (placement->column == column)
            return placement;
        if (placement->column < column)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Of a round; 0: not in the plan. */
static double share_of(const struct solved *solved, uint32_t column)
{
    if (solved->options->gangs)
        return placement_of(solved, column) != NULL ? 1 : 0;
    double const share = solved->plan.lp_share[column];
    return share >= SHARE_SHOWN ? share : 0;
}

static double payment_of(const struct solved *solved, uint32_t column)
{
    const struct plan_placement *placement = placement_of(solved, column);
    return placement != NULL ? credits_to_double(placement->payment) : 0;
}

/* -- Tables ------------------------------------------------------------------------------------ */

static void print_summary(const struct solved *solved)
{
    const struct plan *plan = &solved->plan;
    char bound[CREDITS_TEXT_MAX];
    char epsilon[CREDITS_TEXT_MAX];
    printf("objective    %.6f credits a round\n", objective_of(solved));
    printf("upper bound  %s (gap %.4f%%)\n", credits_format(plan->bound, bound),
           gap_of(solved) * 100);
    if (solved->options->gangs)
        printf("payoffs      %s%s%s\n",
               plan->epsilon.micros == 0 ? "in the core" : "epsilon-core, ",
               plan->epsilon.micros == 0 ? ""
               : plan->epsilon_exact     ? "epsilon "
                                         : "epsilon at most ",
               plan->epsilon.micros == 0 ? "" : credits_format(plan->epsilon, epsilon));
    else
        printf("payoffs      in the core (dual prices)\n");
    printf("iterations   %llu\n", (unsigned long long)plan->iterations);
    printf("seconds      read %.3f, solve %.3f\n\n", solved->read_seconds, solved->solve_seconds);
}

static void print_pools(const struct solved *solved)
{
    static const struct table_column columns[] = {{"pool", false},
                                                  {"GPUs", true},
                                                  {"used", true},
                                                  {"cost (credits/GPU-s)", true},
                                                  {"price (credits/GPU-s)", true}};
    const struct market *market = &solved->instance.market;
    double *used = calloc((size_t)market->pool_count + 1, sizeof *used);
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t k = 0; used != NULL && k < market->column_count; k++)
        used[market->columns[k].pool] += share_of(solved, k) * market->columns[k].gpus;
    for (uint32_t p = 0; used != NULL && p < market->pool_count; p++) {
        table_text(&table, solved->instance.pool_ids[p]);
        table_format(&table, "%u", market->pools[p].gpu_count);
        table_format(&table, "%.2f", used[p]);
        table_format(&table, "%.9f", price_to_double(market->pools[p].cost));
        table_format(&table, "%.9f", price_to_double(solved->plan.pool_price[p]));
    }
    table_print(&table, stdout);
    table_fini(&table);
    free(used);
    printf("\n");
}

static void print_members(const struct solved *solved)
{
    static const struct table_column columns[] = {{"member", false},
                                                  {"payoff (credits)", true},
                                                  {"alone (credits)", true},
                                                  {"gain (credits)", true}};
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < solved->instance.market.member_count; i++) {
        double const payoff = credits_to_double(payoff_of(solved, i));
        double const alone = credits_to_double(solved->plan.members[i].alone);
        table_text(&table, solved->instance.member_ids[i]);
        table_format(&table, "%.6f", payoff);
        table_format(&table, "%.6f", alone);
        table_format(&table, "%+.6f", payoff - alone);
    }
    table_print(&table, stdout);
    table_fini(&table);
    printf("\n");
}

static void print_plan(const struct solved *solved)
{
    static const struct table_column columns[] = {{"job", false},
                                                  {"home", false},
                                                  {"pool", false},
                                                  {"GPUs", true},
                                                  {"share", true},
                                                  {"worth (credits)", true},
                                                  {"payment (credits)", true}};
    const struct instance *instance = &solved->instance;
    size_t const shown = sizeof columns / sizeof columns[0] - (solved->options->gangs ? 0 : 1);
    struct table table;
    table_init(&table, columns, shown);
    for (uint32_t k = 0; k < instance->market.column_count; k++) {
        const struct market_column *column = &instance->market.columns[k];
        double const share = share_of(solved, k);
        if (share == 0)
            continue;
        table_text(&table, instance->job_ids[column->job]);
        table_text(&table, instance->member_ids[instance->market.jobs[column->job].home]);
        table_text(&table, instance->pool_ids[column->pool]);
        table_format(&table, "%u", column->gpus);
        table_format(&table, "%.6f", share);
        table_format(&table, "%.6f", credits_to_double(column->worth));
        if (solved->options->gangs)
            table_format(&table, "%.6f", payment_of(solved, k));
    }
    table_print(&table, stdout);
    table_fini(&table);
}

static void print_tables(const struct solved *solved)
{
    print_summary(solved);
    print_pools(solved);
    print_members(solved);
    print_plan(solved);
}

/* -- JSON -------------------------------------------------------------------------------------- */

static void put_plan(const struct solved *solved, struct json_writer *writer)
{
    const struct instance *instance = &solved->instance;
    json_open_array(writer, "plan");
    for (uint32_t k = 0; k < instance->market.column_count; k++) {
        const struct market_column *column = &instance->market.columns[k];
        double const share = share_of(solved, k);
        if (share == 0)
            continue;
        json_open_object(writer, NULL);
        json_put_text(writer, "job", instance->job_ids[column->job]);
        json_put_text(writer, "pool", instance->pool_ids[column->pool]);
        json_put_integer(writer, "gpus", column->gpus);
        json_put_number(writer, "share", share);
        if (solved->options->gangs)
            json_put_number(writer, "payment", payment_of(solved, k));
        json_end(writer);
    }
    json_end(writer);
}

/* What proves the bound, exactly: prices are rounded, and say nothing of rows (answer.h). */
static void put_rents(const struct solved *solved, struct json_writer *writer)
{
    const struct instance *instance = &solved->instance;
    json_open_object(writer, "pool_rents");
    for (uint32_t p = 0; p < instance->market.pool_count; p++)
        json_put_number(writer, instance->pool_ids[p], solved->plan.pool_rent_credits[p]);
    json_end(writer);
    json_open_array(writer, "row_rents");
    for (uint32_t r = 0; r < instance->market.row_count; r++) {
        if (solved->plan.row_rent_credits[r] == 0)
            continue;
        json_open_object(writer, NULL);
        json_put_integer(writer, "row", r);
        json_put_text(writer, "member", instance->member_ids[instance->market.rows[r].owner]);
        json_put_number(writer, "rent", solved->plan.row_rent_credits[r]);
        json_end(writer);
    }
    json_end(writer);
}

static enum status print_json(const struct solved *solved, struct fault *fault)
{
    const struct instance *instance = &solved->instance;
    const struct plan *plan = &solved->plan;
    struct json_writer writer;
    json_writer_init(&writer);
    json_put_number(&writer, "objective", objective_of(solved));
    json_put_number(&writer, "upper_bound", credits_to_double(plan->bound));
    json_put_number(&writer, "gap", gap_of(solved));
    json_put_integer(&writer, "iterations", (int64_t)plan->iterations);
    if (solved->options->gangs) {
        json_put_number(&writer, "epsilon", credits_to_double(plan->epsilon));
        json_put_boolean(&writer, "epsilon_exact", plan->epsilon_exact);
    }
    json_open_object(&writer, "seconds");
    json_put_number(&writer, "read", solved->read_seconds);
    json_put_number(&writer, "solve", solved->solve_seconds);
    json_end(&writer);
    json_open_object(&writer, "prices");
    for (uint32_t p = 0; p < instance->market.pool_count; p++)
        json_put_number(&writer, instance->pool_ids[p], price_to_double(plan->pool_price[p]));
    json_end(&writer);
    json_open_object(&writer, "payoffs");
    for (uint32_t i = 0; i < instance->market.member_count; i++)
        json_put_number(&writer, instance->member_ids[i], credits_to_double(payoff_of(solved, i)));
    json_end(&writer);
    put_rents(solved, &writer);
    put_plan(solved, &writer);
    enum status const status = json_write(&writer, stdout, fault);
    json_writer_fini(&writer);
    return status;
}
