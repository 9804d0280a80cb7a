#include "economics/market/fairness/mix.h"

#include <math.h>
#include <stdlib.h>

/* A member of no weight still gets this part of the largest: sessions want weights above 0, and
 * of two plans equal to the others the one it prefers. */
#define WEIGHT_LEAST 1e-9

/* Shares below are rounding. */
#define SHARE_LEAST 1e-12

static enum status no_room(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
}

/* Worth something, on a pool with GPUs. */
static void find_parts(struct mix *mix)
{
    const struct market *market = &mix->classes->merged;
    for (uint32_t k = 0; k < market->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        int32_t const home = market->jobs[column->job].home;
        if (column->worth.micros > 0 && market->pools[column->pool].gpu_count > 0 &&
            !mix->takes_part[home]) {
            mix->takes_part[home] = true;
            mix->part_count++;
        }
    }
}

enum status mix_init(struct mix *mix, const struct classes *classes, struct session *session,
                     const struct session_options *options, struct arena *arena,
                     struct fault *fault)
{
    uint32_t const members = classes->market->member_count;
    *mix = (struct mix){
        .classes = classes,
        .session = session,
        .options = options,
        .member_count = members,
        .vertices = arena_alloc(arena, FAIRNESS_ROUNDS_MAX, sizeof *mix->vertices),
        .takes_part = arena_alloc(arena, members, sizeof(bool)),
        .weight = arena_alloc(arena, members, sizeof(double)),
        .utility = arena_alloc(arena, members, sizeof(double)),
    };
    if (mix->vertices == NULL || mix->takes_part == NULL || mix->weight == NULL ||
        mix->utility == NULL)
        return no_room(fault);
    find_parts(mix);
    return STATUS_OK;
}

void mix_fini(struct mix *mix)
{
    for (uint32_t t = 0; t < mix->count; t++) {
        free(mix->vertices[t].uses);
        free(mix->vertices[t].utility);
    }
    mix->count = 0;
}

bool mix_has_room(const struct mix *mix)
{
    return mix->count < FAIRNESS_ROUNDS_MAX && mix->bytes < MIX_BYTES_MAX;
}

static void scale_weights(struct mix *mix)
{
    double most = 0;
    for (uint32_t i = 0; i < mix->member_count; i++)
        most = fmax(most, mix->weight[i]);
    for (uint32_t i = 0; i < mix->member_count; i++)
        mix->weight[i] = most > 0 ? fmax(mix->weight[i] / most, WEIGHT_LEAST) : 1;
}

static enum status keep(struct mix *mix, const struct session_result *result, struct fault *fault)
{
    const struct market *market = &mix->classes->merged;
    struct vertex *vertex = &mix->vertices[mix->count];
    *vertex = (struct vertex){
        .uses = malloc(((size_t)result->use_count + 1) * sizeof *vertex->uses),
        .utility = calloc((size_t)mix->member_count + 1, sizeof *vertex->utility),
        .use_count = result->use_count,
    };
    mix->count++;
    if (vertex->uses == NULL || vertex->utility == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for another plan");
    mix->bytes += result->use_count * sizeof *vertex->uses + mix->member_count * sizeof(double);
    for (uint32_t u = 0; u < result->use_count; u++) {
        const struct market_column *column = &market->columns[result->uses[u].column];
        vertex->uses[u] = result->uses[u];
        vertex->utility[market->jobs[column->job].home] +=
            credits_to_double(column->worth) * result->uses[u].share;
    }
    return STATUS_OK;
}

enum status mix_ask(struct mix *mix, struct fault *fault)
{
    struct session_options options = *mix->options;
    struct session_result result;
    struct arena arena;
    scale_weights(mix);
    options.member_weight = mix->weight;
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status status =
        session_solve(mix->session, &mix->classes->merged, &options, &arena, &result, fault);
    if (status == STATUS_OK)
        status = keep(mix, &result, fault);
    if (status == STATUS_OK) {
        mix->bound = result.upper_bound_credits;
        mix->iterations += result.iterations;
    }
    arena_fini(&arena);
    return status;
}

void mix_sum_up(struct mix *mix)
{
    for (uint32_t i = 0; i < mix->member_count; i++)
        mix->utility[i] = 0;
    for (uint32_t t = 0; t < mix->count; t++)
        for (uint32_t i = 0; i < mix->member_count && mix->vertices[t].share > 0; i++)
            mix->utility[i] += mix->vertices[t].share * mix->vertices[t].utility[i];
}

enum status mix_report(const struct mix *mix, struct arena *arena, struct fairness *fairness,
                       struct fault *fault)
{
    const struct market *market = mix->classes->market;
    double *shares = calloc((size_t)market->column_count + 1, sizeof *shares);
    if (shares == NULL)
        return no_room(fault);
    for (uint32_t t = 0; t < mix->count; t++)
        for (uint32_t u = 0; u < mix->vertices[t].use_count && mix->vertices[t].share > 0; u++)
            classes_spread(mix->classes, mix->vertices[t].uses[u], mix->vertices[t].share, shares);
    uint32_t count = 0;
    for (uint32_t k = 0; k < market->column_count; k++)
        count += shares[k] > SHARE_LEAST;
    fairness->uses = arena_alloc(arena, count, sizeof *fairness->uses);
    fairness->utility = arena_alloc(arena, mix->member_count, sizeof(double));
    if (fairness->uses == NULL || fairness->utility == NULL) {
        free(shares);
        return no_room(fault);
    }
    for (uint32_t k = 0; k < market->column_count; k++) {
        if (shares[k] <= SHARE_LEAST)
            continue;
        fairness->uses[fairness->use_count++] =
            (struct session_use){.column = k, .share = fmin(1, shares[k])};
        fairness->utility[market->jobs[market->columns[k].job].home] +=
            credits_to_double(market->columns[k].worth) * fmin(1, shares[k]);
    }
    free(shares);
    fairness->member_count = mix->part_count;
    fairness->rounds = mix->count;
    fairness->iterations = mix->iterations;
    return STATUS_OK;
}
