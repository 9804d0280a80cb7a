#include "economics/market/solver/prices.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How a step changes with the sign of what is over. */
#define STEP_GROWS   1.25
#define STEP_SHRINKS 0.5
#define STEP_MOST    0.5

/* Parts of what a resource's users are worth; of the price, where one is known. [measured] */
#define PRICE_FIRST 0.3
#define STEP_FIRST  0.15
#define STEP_AGAIN  0.06
#define STEP_KNOWN  0.02
#define PRICE_LOW   0.1 /* steps are never parts of less than this part of the value */

enum { SAMPLE_STRIDE = 4, SAMPLE_PASSES = 20, SAMPLE_JOBS_MIN = 4000 };

struct moving {
    struct answers *answers;
    struct prices *best;
    double *price;
    double *step;
    double *value; /* what a whole resource's users are worth, about */
    signed char *sign;
};

static void appraise(struct moving *moving);
static void restart(struct moving *moving, double part);
static void pass(struct moving *moving, uint32_t stride);

static void run(struct moving *moving, const double *start, uint32_t passes)
{
    const struct columns *columns = moving->answers->columns;
    appraise(moving);
    for (uint32_t r = 0; r < columns->resource_count; r++) {
        double const guess = r < columns->pool_count ? PRICE_FIRST * moving->value[r] : 0;
        moving->price[r] = start != NULL ? start[r] : guess;
        moving->step[r] = STEP_FIRST * moving->value[r];
    }
    if (start != NULL)
        restart(moving, STEP_KNOWN);
    for (int i = 0; start == NULL && columns->job_count >= SAMPLE_JOBS_MIN && i < SAMPLE_PASSES;
         i++)
        pass(moving, SAMPLE_STRIDE);
    if (start == NULL && columns->job_count >= SAMPLE_JOBS_MIN)
        restart(moving, STEP_AGAIN);
    for (uint32_t i = 0; i < passes; i++)
        pass(moving, 1);
}

enum status prices_find(struct answers *answers, const double *start, uint32_t passes,
                        struct prices *prices, struct fault *fault)
{
    size_t const room = (size_t)answers->columns->resource_count + 1;
    struct moving moving = {.answers = answers, .best = prices};
    moving.price = calloc(room, sizeof *moving.price);
    moving.step = calloc(room, sizeof *moving.step);
    moving.value = calloc(room, sizeof *moving.value);
    moving.sign = calloc(room, sizeof *moving.sign);
    enum status status = STATUS_OK;
    prices->bound = HUGE_VAL;
    if (moving.price == NULL || moving.step == NULL || moving.value == NULL || moving.sign == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for prices");
    else
        run(&moving, start, passes);
    free(moving.price);
    free(moving.step);
    free(moving.value);
    free(moving.sign);
    return status;
}

/* What the users of a resource are worth, were it all theirs, on average. */
static void appraise(struct moving *moving)
{
    const struct columns *columns = moving->answers->columns;
    double *part = moving->step; /* not needed yet */
    for (uint32_t k = 0; k < columns->column_count; k++) {
        uint32_t const p = columns_pool(columns, k);
        moving->value[p] += columns->worth[k];
        part[p] += columns_gpus(columns, k) * columns->unit[p];
        for (uint32_t e = columns->first_entry[k]; e < columns->first_entry[k + 1]; e++) {
            moving->value[columns->entry_resource[e]] += columns->worth[k];
            part[columns->entry_resource[e]] += columns->entry_part[e];
        }
    }
    for (uint32_t r = 0; r < columns->resource_count; r++)
        moving->value[r] = part[r] > 0 ? moving->value[r] / part[r] : 0;
}

/* Steps as they were at first, for prices that are about right. */
static void restart(struct moving *moving, double part)
{
    for (uint32_t r = 0; r < moving->answers->columns->resource_count; r++) {
        moving->step[r] = part * fmax(moving->price[r], PRICE_LOW * moving->value[r]);
        moving->sign[r] = 0;
    }
}

static void move(struct moving *moving)
{
    const struct answers *answers = moving->answers;
    for (uint32_t r = 0; r < answers->columns->resource_count; r++) {
        double const over = answers->usage[r] - 1;
        signed char const sign = (signed char)((over > 0) - (over < 0));
        if (sign == 0 || (sign < 0 && moving->price[r] == 0))
            continue;
        if (moving->sign[r] != 0)
            moving->step[r] *= sign == moving->sign[r] ? STEP_GROWS : STEP_SHRINKS;
        moving->step[r] = fmin(moving->step[r], STEP_MOST * moving->value[r]);
        moving->sign[r] = sign;
        moving->price[r] = fmax(0, moving->price[r] + sign * moving->step[r]);
    }
}

static void pass(struct moving *moving, uint32_t stride)
{
    struct answers *answers = moving->answers;
    answers_ask(answers, moving->price, stride);
    moving->best->passes++;
    if (stride == 1 && answers->bound < moving->best->bound) {
        moving->best->bound = answers->bound;
        memcpy(moving->best->price, moving->price,
               answers->columns->resource_count * sizeof *moving->price);
    }
    move(moving);
}
