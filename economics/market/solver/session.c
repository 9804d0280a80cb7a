/* See session.h and README.md: prices -> a first choice -> blocks -> optimum -> certificate. */
#include "economics/market/solver/session.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/tolerance.h"
#include "economics/market/solver/blocks.h"
#include "economics/market/solver/covering.h"
#include "economics/market/solver/fallback.h"
#include "economics/market/solver/guarantee.h"
#include "economics/market/solver/memory.h"
#include "economics/market/solver/optimum.h"
#include "economics/market/solver/prices.h"
#include "economics/market/solver/starting.h"

enum {
    PASSES_COLD_EXACT = 40,
    PASSES_COLD_FAST = 22,
    PASSES_WARM = 10,
    BLOCK_ROUNDS = 2,
    ITERATIONS_BASE = 20000,
    ITERATIONS_EACH = 20,       /* of jobs and resources: ten times what is ever needed */
    THREADS_COLUMNS_MIN = 60000 /* below, threads cost more than they bring */
};

struct session {
    struct memory memory;
};

/* One solve's working memory. */
struct solving {
    struct session *session;
    const struct market *market;
    const struct session_options *options;
    struct arena *arena;
    struct session_result *result;
    struct arena scratch;
    struct columns columns;
    struct team *team;
    struct answers answers;
    struct division division;
    double *price;     /* [resource_count] */
    double *pool_rent; /* [pool_count] credits */
    double *row_rent;  /* [row_count] credits */
    double bound;      /* of the prices, scaled */
    double at;         /* the clock, at the last phase's end */
};

static enum status prepare(struct solving *s, struct fault *fault);
static enum status find_prices(struct solving *s, struct fault *fault);
static enum status choose(struct solving *s, struct fault *fault);
static enum status improve_blocks(struct solving *s, struct fault *fault);
static enum status find_optimum(struct solving *s, struct fault *fault);
static enum status certify(struct solving *s, struct fault *fault);
static enum status fall_back(struct solving *s, struct fault *fault);
static void solving_fini(struct solving *s);

enum status session_open(struct session **session, struct fault *fault)
{
    *session = calloc(1, sizeof **session);
    return *session != NULL ? STATUS_OK
                            : fault_set(fault, STATUS_NO_MEMORY, "no memory for a market session");
}

void session_close(struct session *session)
{
    if (session != NULL)
        memory_forget(&session->memory);
    free(session);
}

void session_forget(struct session *session)
{
    memory_forget(&session->memory);
}

enum status session_save(const struct session *session, struct arena *arena, struct bytes *bytes,
                         struct fault *fault)
{
    return memory_save(&session->memory, arena, bytes, fault);
}

enum status session_load(struct session *session, struct bytes bytes, struct fault *fault)
{
    return memory_load(&session->memory, bytes, fault);
}

static void end_phase(struct solving *s, enum session_phase phase)
{
    double const now = session_seconds(s->options);
    s->result->seconds[phase] += now - s->at;
    s->at = now;
}

enum status session_solve(struct session *session, const struct market *market,
                          const struct session_options *options, struct arena *arena,
                          struct session_result *result, struct fault *fault)
{
    struct solving s = {.session = session,
                        .market = market,
                        .options = options,
                        .arena = arena,
                        .result = result,
                        .at = session_seconds(options)};
    *result = (struct session_result){.method = options->method};
    arena_init(&s.scratch, ARENA_ROUND_BYTES);
    const struct {
        enum status (*run)(struct solving *, struct fault *);
        enum session_phase phase;
    } steps[] = {{prepare, SESSION_PREPARE},       {find_prices, SESSION_PRICES},
                 {choose, SESSION_OPTIMISE},       {improve_blocks, SESSION_OPTIMISE},
                 {find_optimum, SESSION_OPTIMISE}, {certify, SESSION_CERTIFY},
                 {fall_back, SESSION_OPTIMISE}};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STATUS_OK; i++) {
        status = steps[i].run(&s, fault);
        end_phase(&s, steps[i].phase);
    }
    if (status == STATUS_OK)
        status = memory_keep(&session->memory, market, s.pool_rent, s.row_rent, fault);
    solving_fini(&s);
    if (status == STATUS_OK && options->guarantee_standalone)
        status = guarantee_find(market, options, arena, result, fault);
    return status;
}

static void solving_fini(struct solving *s)
{
    division_fini(&s->division);
    answers_fini(&s->answers);
    team_close(s->team);
    columns_fini(&s->columns);
    arena_fini(&s->scratch);
}

static enum status no_room(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
}

/* -- Making ready ------------------------------------------------------------------------------ */

static enum status check_options(const struct solving *s, struct fault *fault)
{
    const struct session_options *options = s->options;
    if (options->threads > SESSION_THREADS_MAX)
        return fault_set(fault, STATUS_INVALID, "threads: give at most %d", SESSION_THREADS_MAX);
    if (options->guarantee_standalone && options->member_weight != NULL)
        return fault_set(fault, STATUS_INVALID, "member weights don't go with the guarantee");
    for (uint32_t i = 0; options->member_weight != NULL && i < s->market->member_count; i++)
        if (!isfinite(options->member_weight[i]) || options->member_weight[i] <= 0)
            return fault_set(fault, STATUS_INVALID, "member_weight[%u]: give a number above 0", i);
    return STATUS_OK;
}

static enum status prepare(struct solving *s, struct fault *fault)
{
    enum status status = check_options(s, fault);
    if (status == STATUS_OK)
        status = columns_make(s->market, s->options->member_weight, &s->columns, fault);
    if (status != STATUS_OK)
        return status;
    const struct columns *columns = &s->columns;
    bool const many = columns->column_count >= THREADS_COLUMNS_MIN;
    uint32_t const threads = many && s->options->threads > 0 ? s->options->threads : 1;
    if (s->options->method == SESSION_AUTO)
        s->result->method =
            columns->column_count <= SESSION_EXACT_COLUMNS ? SESSION_EXACT : SESSION_FAST;
    s->price = arena_alloc(&s->scratch, columns->resource_count, sizeof *s->price);
    s->pool_rent = arena_alloc(&s->scratch, s->market->pool_count, sizeof *s->pool_rent);
    s->row_rent = arena_alloc(&s->scratch, s->market->row_count, sizeof *s->row_rent);
    if (s->price == NULL || s->pool_rent == NULL || s->row_rent == NULL ||
        !division_make(columns, &s->division))
        return no_room(fault);
    status = team_open(threads, &s->team, fault);
    return status == STATUS_OK ? answers_make(columns, s->team, &s->answers, fault) : status;
}

/* -- Prices ------------------------------------------------------------------------------------ */

/* Scaled worth for a whole resource to credits per GPU (per unit of a row), and back. */
static double credits_per_unit(const struct solving *s, uint32_t resource)
{
    double const credits = 1 / s->columns.scale / MICROS_PER_CREDIT;
    if (resource < s->columns.pool_count)
        return credits * s->columns.unit[resource];
    double const limit = s->market->rows[resource - s->columns.pool_count].limit;
    return limit > 0 ? credits / limit : 0;
}

static double *rent_at(const struct solving *s, uint32_t resource)
{
    return resource < s->columns.pool_count ? &s->pool_rent[resource]
                                            : &s->row_rent[resource - s->columns.pool_count];
}

static enum status find_prices(struct solving *s, struct fault *fault)
{
    uint32_t const resources = s->columns.resource_count;
    double *start = arena_alloc(&s->scratch, resources, sizeof *start);
    if (start == NULL)
        return no_room(fault);
    s->result->warm = memory_recall(&s->session->memory, s->market, s->pool_rent, s->row_rent);
    for (uint32_t r = 0; r < resources; r++) {
        double const unit = credits_per_unit(s, r);
        double const price = unit > 0 ? *rent_at(s, r) / unit : 0;
        start[r] = price <= (double)resources * s->columns.job_count ? price : 0;
    }
    uint32_t const cold = s->result->method == SESSION_EXACT ? PASSES_COLD_EXACT : PASSES_COLD_FAST;
    struct prices prices = {.price = s->price};
    enum status const status = prices_find(&s->answers, s->result->warm ? start : NULL,
                                           s->result->warm ? PASSES_WARM : cold, &prices, fault);
    s->bound = prices.bound;
    s->result->passes += prices.passes;
    return status;
}

/* -- The plan ---------------------------------------------------------------------------------- */

static enum status choose(struct solving *s, struct fault *fault)
{
    uint32_t *choice = arena_alloc(&s->scratch, s->columns.job_count, sizeof *choice);
    if (choice == NULL)
        return no_room(fault);
    enum status const status = starting_choose(&s->columns, s->price, choice, fault);
    if (status == STATUS_OK)
        division_start(&s->division, &s->columns, choice);
    return status;
}

/* Among ties steps swing and prove little; the blocks' own duals then prove more. */
static void take_better_prices(struct solving *s, const double *found)
{
    answers_ask(&s->answers, found, 1);
    s->result->passes++;
    if (s->answers.bound >= s->bound)
        return;
    s->bound = s->answers.bound;
    memcpy(s->price, found, s->columns.resource_count * sizeof *s->price);
}

static enum status improve_blocks(struct solving *s, struct fault *fault)
{
    uint32_t const members = s->market->member_count;
    bool const exact = s->result->method == SESSION_EXACT;
    if (members <= PARTITION_MEMBERS && exact)
        return STATUS_OK; /* one block: the optimum is as near */
    struct partition partitions[2];
    uint32_t const resources = s->columns.resource_count;
    double *found = arena_alloc(&s->scratch, resources, sizeof *found);
    if (found == NULL)
        return no_room(fault);
    memcpy(found, s->price, resources * sizeof *found);
    for (int i = 0; i < 2; i++) {
        partitions[i] = (struct partition){
            .block = arena_alloc(&s->scratch, members, sizeof *partitions[i].block)};
        if (partitions[i].block == NULL)
            return no_room(fault);
    }
    enum status status = STATUS_OK;
    for (int round = 0; round < BLOCK_ROUNDS && status == STATUS_OK; round++) {
        struct partition *partition = &partitions[round % 2];
        status = partition_make(&s->columns, s->price,
                                round > 0 ? &partitions[(round + 1) % 2] : NULL, partition, fault);
        struct blocks_input const input = {.columns = &s->columns,
                                           .team = s->team,
                                           .partition = partition,
                                           .price = s->price,
                                           .found = found};
        if (status == STATUS_OK)
            status = blocks_improve(&input, &s->division, &s->result->iterations, fault);
    }
    if (status == STATUS_OK && !exact)
        take_better_prices(s, found);
    return status;
}

static enum status find_optimum(struct solving *s, struct fault *fault)
{
    if (s->result->method != SESSION_EXACT)
        return STATUS_OK;
    uint64_t const usual = ITERATIONS_BASE + ITERATIONS_EACH * ((uint64_t)s->columns.job_count +
                                                                s->columns.resource_count);
    uint64_t const most = s->options->iterations_max > 0 ? s->options->iterations_max : usual;
    struct optimum optimum = {.iterations_max = most};
    enum status const status = optimum_find(&s->answers, &s->division, s->price, &optimum, fault);
    s->result->iterations += optimum.iterations;
    s->result->passes += optimum.passes;
    return status;
}

/* -- What is reported -------------------------------------------------------------------------- */

static void add_use(struct solving *s, uint32_t column, double share)
{
    if (column != DIVISION_IDLE && share > 0)
        s->result->uses[s->result->use_count++] =
            (struct session_use){.column = s->columns.original[column], .share = share};
}

static enum status report_uses(struct solving *s, struct fault *fault)
{
    struct session_result *result = s->result;
    size_t const most = (size_t)s->columns.job_count + s->division.extra_count;
    result->uses = arena_alloc(s->arena, most, sizeof *result->uses);
    if (result->uses == NULL)
        return no_room(fault);
    for (uint32_t j = 0; j < s->columns.job_count; j++)
        add_use(s, s->division.main[j], s->division.rest[j]);
    for (uint32_t x = 0; x < s->division.extra_count; x++)
        add_use(s, s->division.extras[x].column, s->division.extras[x].share);
    session_sort_uses(result->uses, result->use_count);
    double micros = 0;
    for (uint32_t u = 0; u < result->use_count; u++) {
        const struct market_column *column = &s->market->columns[result->uses[u].column];
        const double *weight = s->options->member_weight;
        micros += result->uses[u].share * (double)column->worth.micros *
                  (weight != NULL ? weight[s->market->jobs[column->job].home] : 1);
    }
    result->objective_credits = micros / MICROS_PER_CREDIT;
    return STATUS_OK;
}

/* Of weighted worths there is no money to prove a bound in: the passes' own, in doubles. */
static void report_weighted(struct solving *s)
{
    struct session_result *result = s->result;
    double const credits = 1 / s->columns.scale / MICROS_PER_CREDIT;
    answers_ask(&s->answers, s->price, 1);
    result->passes++;
    result->upper_bound_credits = fmin(s->answers.bound, s->bound) * credits;
    for (uint32_t j = 0; j < s->market->job_count; j++)
        result->job_surplus_credits[j] = s->answers.surplus[j] * credits;
    for (uint32_t p = 0; p < s->market->pool_count; p++)
        result->pool_rent_credits[p] = s->pool_rent[p];
    for (uint32_t r = 0; r < s->market->row_count; r++)
        result->row_rent_credits[r] = s->row_rent[r];
}

static enum status report_covered(struct solving *s, struct fault *fault)
{
    struct session_result *result = s->result;
    struct rents rents;
    enum status const status =
        covering_make(s->market, s->pool_rent, s->row_rent, &s->scratch, &rents, fault);
    if (status != STATUS_OK)
        return status;
    for (uint32_t p = 0; p < s->market->pool_count; p++)
        result->pool_rent_credits[p] = (double)rents.pool_nanos[p] / NANOS_PER_CREDIT;
    for (uint32_t j = 0; j < s->market->job_count; j++)
        result->job_surplus_credits[j] = (double)rents.job_nanos[j] / NANOS_PER_CREDIT;
    for (uint32_t r = 0; r < s->market->row_count; r++)
        result->row_rent_credits[r] = rents.row_rent[r];
    result->upper_bound_credits = (double)rents.dual_nanos / NANOS_PER_CREDIT;
    return STATUS_OK;
}

static enum status certify(struct solving *s, struct fault *fault)
{
    struct session_result *result = s->result;
    result->pool_rent_credits = arena_alloc(s->arena, s->market->pool_count, sizeof(double));
    result->row_rent_credits = arena_alloc(s->arena, s->market->row_count, sizeof(double));
    result->job_surplus_credits = arena_alloc(s->arena, s->market->job_count, sizeof(double));
    if (result->pool_rent_credits == NULL || result->row_rent_credits == NULL ||
        result->job_surplus_credits == NULL)
        return no_room(fault);
    for (uint32_t r = 0; r < s->columns.resource_count; r++)
        *rent_at(s, r) = s->price[r] * credits_per_unit(s, r);
    enum status status = report_uses(s, fault);
    if (status == STATUS_OK && s->options->member_weight != NULL)
        report_weighted(s);
    else if (status == STATUS_OK)
        status = report_covered(s, fault);
    session_judge(result);
    return status;
}

/* Numbers so far apart that the simplex lost its way: GLPK has others. */
static enum status fall_back(struct solving *s, struct fault *fault)
{
    (void)fault;
    if (s->result->method != SESSION_EXACT || s->result->optimal ||
        s->options->member_weight != NULL || s->options->iterations_max > 0)
        return STATUS_OK;
    return fallback_try(s->market, s->arena, s->result);
}
