/* An answer in JSON, its names looked up in the instance. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/tolerance.h"
#include "economics/market/checking/answer.h"

#define CREDITS_MAX 1e18
#define RENT_MAX    1e18

enum { PART_ID_BYTES_MAX = NAME_BYTES_MAX * 2 };

/* An id of the instance, and where it stands there. */
struct place_of {
    const char *id;
    uint32_t index;
};

struct answering {
    const struct instance *instance;
    struct arena *arena;
    struct answer *answer;
    struct json_place root;
    struct place_of *jobs;  /* by id */
    struct place_of *pools; /* by id */
};

static enum status read_numbers(struct answering *a, struct fault *fault);
static enum status read_prices(struct answering *a, struct fault *fault);
static enum status read_row_rents(struct answering *a, struct fault *fault);
static enum status read_payoffs(struct answering *a, struct fault *fault);
static enum status read_plan(struct answering *a, struct fault *fault);

static enum status no_room(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the plan needs more memory than one round may");
}

static int compare_places(const void *left, const void *right)
{
    return strcmp(((const struct place_of *)left)->id, ((const struct place_of *)right)->id);
}

static struct place_of *sorted(struct arena *arena, const char **ids, uint32_t count)
{
    struct place_of *places = arena_alloc(arena, count, sizeof *places);
    for (uint32_t i = 0; places != NULL && i < count; i++)
        places[i] = (struct place_of){.id = ids[i], .index = i};
    if (places != NULL && count > 0)
        qsort(places, count, sizeof *places, compare_places);
    return places;
}

static enum status build(struct json_document *document, const struct instance *instance,
                         struct arena *arena, struct answer *answer, struct fault *fault)
{
    const struct market *market = &instance->market;
    *answer = (struct answer){
        .gap = -1,
        .price = arena_alloc(arena, market->pool_count, sizeof(double)),
        .pool_rent = arena_alloc(arena, market->pool_count, sizeof(double)),
        .row_rent = arena_alloc(arena, market->row_count, sizeof(double)),
        .payoff = arena_alloc(arena, market->member_count, sizeof(double)),
    };
    struct answering a = {.instance = instance,
                          .arena = arena,
                          .answer = answer,
                          .root = json_root(document),
                          .jobs = sorted(arena, instance->job_ids, market->job_count),
                          .pools = sorted(arena, instance->pool_ids, market->pool_count)};
    if (answer->price == NULL || answer->pool_rent == NULL || answer->row_rent == NULL ||
        answer->payoff == NULL || a.jobs == NULL || a.pools == NULL)
        return no_room(fault);
    enum status (*const steps[])(struct answering *, struct fault *) = {
        read_numbers, read_prices, read_row_rents, read_payoffs, read_plan};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STATUS_OK; i++)
        status = steps[i](&a, fault);
    return status;
}

enum status answer_read(const char *path, const struct instance *instance, struct arena *arena,
                        struct answer *answer, struct fault *fault)
{
    struct json_document *document;
    enum status status = json_read(path, ANSWER_BYTES_MAX, &document, fault);
    if (status != STATUS_OK)
        return status;
    status = build(document, instance, arena, answer, fault);
    json_close(document);
    return status == STATUS_OK ? status : fault_prefix(fault, status, "%s", path);
}

enum status answer_parse(const char *name, const char *text, size_t size,
                         const struct instance *instance, struct arena *arena,
                         struct answer *answer, struct fault *fault)
{
    struct json_document *document;
    enum status status = json_parse(name, text, size, &document, fault);
    if (status != STATUS_OK)
        return status;
    status = build(document, instance, arena, answer, fault);
    json_close(document);
    return status == STATUS_OK ? status : fault_prefix(fault, status, "%s", name);
}

static enum status read_numbers(struct answering *a, struct fault *fault)
{
    struct answer *answer = a->answer;
    struct json_place epsilon;
    enum status status = json_get_number(&a->root, "objective", true, -CREDITS_MAX, CREDITS_MAX,
                                         &answer->objective, fault);
    if (status == STATUS_OK)
        status = json_get_number(&a->root, "upper_bound", true, -CREDITS_MAX, CREDITS_MAX,
                                 &answer->upper_bound, fault);
    if (status == STATUS_OK)
        status = json_get_number(&a->root, "gap", false, 0, 1, &answer->gap, fault);
    if (status == STATUS_OK)
        status = json_get_member(&a->root, "epsilon", false, &epsilon, fault);
    struct json_place gangs;
    if (status == STATUS_OK)
        status = json_get_member(&a->root, "gangs", false, &gangs, fault);
    if (status != STATUS_OK)
        return status;
    answer->whole = json_present(&epsilon);
    if (json_present(&gangs))
        status = json_get_boolean(&a->root, "gangs", true, &answer->whole, fault);
    return status;
}

/* A number for each id, and no other key. */
static enum status read_each(struct answering *a, const struct json_place *object, const char **ids,
                             uint32_t count, double *numbers, struct fault *fault)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < count && status == STATUS_OK; i++)
        status =
            json_get_number(object, ids[i], true, -CREDITS_MAX, CREDITS_MAX, &numbers[i], fault);
    if (status != STATUS_OK || json_member_count(object) == count)
        return status;
    const char **keys = arena_alloc(a->arena, (size_t)count + 1, sizeof *keys);
    if (keys == NULL)
        return no_room(fault);
    for (uint32_t i = 0; i < count; i++)
        keys[i] = ids[i];
    return json_allow(object, keys, fault);
}

static enum status read_prices(struct answering *a, struct fault *fault)
{
    const struct market *market = &a->instance->market;
    struct answer *answer = a->answer;
    double const round = (double)market->round_ms / MS_PER_SECOND;
    struct json_place prices;
    struct json_place rents;
    enum status status = json_get_member(&a->root, "prices", true, &prices, fault);
    if (status == STATUS_OK)
        status =
            read_each(a, &prices, a->instance->pool_ids, market->pool_count, answer->price, fault);
    if (status == STATUS_OK)
        status = json_get_member(&a->root, "pool_rents", false, &rents, fault);
    if (status != STATUS_OK)
        return status;
    answer->exact_rents = json_present(&rents);
    if (answer->exact_rents)
        return read_each(a, &rents, a->instance->pool_ids, market->pool_count, answer->pool_rent,
                         fault);
    for (uint32_t p = 0; p < market->pool_count; p++)
        answer->pool_rent[p] = (answer->price[p] - price_to_double(market->pools[p].cost)) * round;
    return STATUS_OK;
}

static enum status read_row_rents(struct answering *a, struct fault *fault)
{
    const struct market *market = &a->instance->market;
    struct json_place rents;
    size_t count;
    enum status status = json_get_array(&a->root, "row_rents", false, &rents, &count, fault);
    a->answer->has_row_rents = status == STATUS_OK && json_present(&rents);
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        struct json_place const element = json_element(&rents, i);
        int64_t row = 0;
        double rent = 0;
        status =
            json_get_integer(&element, "row", true, 0, (int64_t)market->row_count - 1, &row, fault);
        if (status == STATUS_OK)
            status = json_get_number(&element, "rent", true, 0, RENT_MAX, &rent, fault);
        if (status != STATUS_OK)
            break;
        if (a->answer->row_rent[row] != 0)
            return json_fault(&element, fault, "this row is there already");
        a->answer->row_rent[row] = rent;
    }
    return status;
}

static enum status read_payoffs(struct answering *a, struct fault *fault)
{
    struct json_place payoffs;
    enum status const status = json_get_member(&a->root, "payoffs", true, &payoffs, fault);
    return status == STATUS_OK
               ? read_each(a, &payoffs, a->instance->member_ids, a->instance->market.member_count,
                           a->answer->payoff, fault)
               : status;
}

/* -- The plan ---------------------------------------------------------------------------------- */

static enum status find(const struct place_of *places, uint32_t count,
                        const struct json_place *object, const char *key, uint32_t *index,
                        struct fault *fault)
{
    struct place_of wanted = {.index = 0};
    enum status const status =
        json_get_text(object, key, true, PART_ID_BYTES_MAX, &wanted.id, fault);
    if (status != STATUS_OK)
        return status;
    const struct place_of *found =
        count > 0 ? bsearch(&wanted, places, count, sizeof *places, compare_places) : NULL;
    if (found == NULL) {
        char wrong[PART_ID_BYTES_MAX + 64];
        snprintf(wrong, sizeof wrong, "the instance has no %s '%s'", key, wanted.id);
        struct json_place const place = {.parent = object, .key = key};
        return json_fault(&place, fault, wrong);
    }
    *index = found->index;
    return STATUS_OK;
}

static enum status find_column(const struct answering *a, const struct json_place *place,
                               uint32_t *column, struct fault *fault)
{
    const struct market *market = &a->instance->market;
    uint32_t j = 0;
    uint32_t p = 0;
    int64_t gpus = 0;
    enum status status = find(a->jobs, market->job_count, place, "job", &j, fault);
    if (status == STATUS_OK)
        status = find(a->pools, market->pool_count, place, "pool", &p, fault);
    if (status == STATUS_OK)
        status = json_get_integer(place, "gpus", true, 1, MARKET_GPUS_PER_COLUMN_MAX, &gpus, fault);
    if (status != STATUS_OK)
        return status;
    const struct market_job *job = &market->jobs[j];
    for (uint32_t k = job->first_column; k < job->first_column + job->column_count; k++)
        if (market->columns[k].pool == p && market->columns[k].gpus == gpus) {
            *column = k;
            return STATUS_OK;
        }
    return json_fault(place, fault,
                      "the instance does not allow the job this pool with so many GPUs");
}

static enum status read_plan(struct answering *a, struct fault *fault)
{
    struct answer *answer = a->answer;
    struct json_place plan;
    enum status status = json_get_array(&a->root, "plan", true, &plan, &answer->part_count, fault);
    if (status != STATUS_OK)
        return status;
    answer->part = arena_alloc(a->arena, answer->part_count, sizeof *answer->part);
    if (answer->part == NULL)
        return no_room(fault);
    for (size_t i = 0; i < answer->part_count && status == STATUS_OK; i++) {
        struct json_place const element = json_element(&plan, i);
        struct answer_part *part = &answer->part[i];
        part->payment = -1;
        status = find_column(a, &element, &part->column, fault);
        if (status == STATUS_OK)
            status = json_get_number(&element, "share", true, 0, 1 + TOLERANCE_ANSWER, &part->share,
                                     fault);
        if (status == STATUS_OK)
            status =
                json_get_number(&element, "payment", false, 0, CREDITS_MAX, &part->payment, fault);
    }
    return status;
}
