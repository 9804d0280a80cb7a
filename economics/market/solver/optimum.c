#include "economics/market/solver/optimum.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "economics/market/solver/simplex.h"

enum { PASSES_MAX = 200 /* of one phase */ };

/* Floors, as parts of the prices at the start. [measured] */
static const double floors[] = {0.97, 0.8, 0};

/* A job is in doubt whose second best loses less than this part of its greatest worth. */
#define DOUBT 0.01

/* All that jobs could still gain at the end, of the total worth; and what is but rounding. */
#define LEFT_OVER 1e-8
#define ROUNDING  1e-14

struct finding {
    struct answers *answers;
    const struct columns *columns;
    struct optimum *optimum;
    struct simplex simplex;
    const double *start_price;
    double *price; /* [resource_count] not below 0 */
    double *floor;
    uint32_t *choice;
    uint32_t *jobs;
    bool *doubtful; /* [job_count] */
};

static bool make_room(struct finding *f);
static void start(struct finding *f, const struct division *division);
static void doubt_near_ties(struct finding *f);
static void run_phase(struct finding *f);
static enum status hand_over(struct finding *f, struct division *division, double *price,
                             struct fault *fault);

enum status optimum_find(struct answers *answers, struct division *division, double *price,
                         struct optimum *optimum, struct fault *fault)
{
    struct finding f = {
        .answers = answers, .columns = answers->columns, .optimum = optimum, .start_price = price};
    enum status status = simplex_make(f.columns, &f.simplex, fault);
    if (status == STATUS_OK && !make_room(&f))
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for the optimum");
    for (size_t phase = 0; status == STATUS_OK && phase < sizeof floors / sizeof floors[0];
         phase++) {
        for (uint32_t r = 0; r < f.columns->resource_count; r++)
            f.floor[r] = floors[phase] * price[r];
        if (phase == 0)
            start(&f, division);
        else
            simplex_set_floor(&f.simplex, f.floor);
        run_phase(&f);
    }
    if (status == STATUS_OK)
        status = hand_over(&f, division, price, fault);
    optimum->iterations += f.simplex.iterations;
    simplex_fini(&f.simplex);
    free(f.price);
    free(f.floor);
    free(f.choice);
    free(f.jobs);
    free(f.doubtful);
    return status;
}

static bool make_room(struct finding *f)
{
    size_t const jobs = (size_t)f->columns->job_count + 1;
    size_t const resources = (size_t)f->columns->resource_count + 1;
    f->price = calloc(resources, sizeof *f->price);
    f->floor = calloc(resources, sizeof *f->floor);
    f->choice = calloc(jobs, sizeof *f->choice);
    f->jobs = calloc(jobs, sizeof *f->jobs);
    f->doubtful = calloc(jobs, sizeof *f->doubtful);
    return f->price != NULL && f->floor != NULL && f->choice != NULL && f->jobs != NULL &&
           f->doubtful != NULL;
}

static uint32_t list_doubtful(const struct finding *f)
{
    uint32_t count = 0;
    for (uint32_t j = 0; j < f->columns->job_count; j++)
        if (f->doubtful[j])
            f->jobs[count++] = j;
    return count;
}

static void set_tolerance(struct finding *f)
{
    double const each = (double)f->columns->job_count + f->columns->resource_count;
    f->simplex.tolerance = fmax(ROUNDING, LEFT_OVER * simplex_worth(&f->simplex) / each);
}

/* Those who divide their round find their place first: then little is left to do. */
static void start(struct finding *f, const struct division *division)
{
    uint32_t const jobs = f->columns->job_count;
    for (uint32_t j = 0; j < jobs; j++) {
        f->choice[j] = division->mixed[j] ? SIMPLEX_IDLE : division->main[j];
        f->doubtful[j] = division->mixed[j];
    }
    simplex_start(&f->simplex, f->choice, NULL, f->floor);
    set_tolerance(f);
    simplex_run(&f->simplex, f->jobs, list_doubtful(f), f->optimum->iterations_max, HUGE_VAL);
    doubt_near_ties(f);
}

static void doubt_near_ties(struct finding *f)
{
    const struct columns *columns = f->columns;
    for (uint32_t j = 0; j < columns->job_count; j++) {
        double best = 0;
        double second = 0;
        double most = 0;
        for (uint32_t k = columns->first[j]; k < columns->first[j + 1]; k++) {
            double const value = simplex_value(&f->simplex, k);
            if (value > best) {
                second = best;
                best = value;
            } else if (value > second) {
                second = value;
            }
            most = fmax(most, columns->worth[k]);
        }
        if (best - second < DOUBT * most)
            f->doubtful[j] = true;
    }
}

/* Every column of every job is asked; true where somebody wants something else. */
static bool ask_all(struct finding *f)
{
    const struct simplex *simplex = &f->simplex;
    bool wanted = false;
    for (uint32_t r = 0; r < f->columns->resource_count; r++)
        f->price[r] = fmax(0, simplex->price[r]);
    answers_ask(f->answers, f->price, 1);
    f->optimum->passes++;
    for (uint32_t j = 0; j < f->columns->job_count; j++) {
        double const now = simplex_value(simplex, simplex->key[j]);
        if (f->answers->surplus[j] <= now + simplex->tolerance)
            continue;
        f->doubtful[j] = true;
        wanted = true;
    }
    return wanted;
}

static void run_phase(struct finding *f)
{
    uint64_t const most = f->optimum->iterations_max;
    f->optimum->proved = false;
    for (int pass = 0; pass < PASSES_MAX; pass++) {
        uint64_t const before = f->simplex.iterations;
        if (f->simplex.iterations >= most || f->simplex.stuck)
            return;
        set_tolerance(f);
        simplex_run(&f->simplex, f->jobs, list_doubtful(f), most, HUGE_VAL);
        if (pass > 0 && before == f->simplex.iterations) { /* no rounding error left, either */
            f->optimum->proved = true;
            return;
        }
        simplex_refresh(&f->simplex);
        if (!ask_all(f) && before == f->simplex.iterations) {
            f->optimum->proved = true;
            return;
        }
    }
}

static enum status hand_over(struct finding *f, struct division *division, double *price,
                             struct fault *fault)
{
    struct simplex *simplex = &f->simplex;
    simplex_restore(simplex);
    division_start(division, f->columns, simplex->key);
    for (uint32_t j = 0; j < f->columns->job_count; j++)
        division->rest[j] = fmin(fmax(simplex->rest[j], 0), 1);
    for (uint32_t n = 0; n < simplex->kernel.size; n++) {
        const struct simplex_slot *slot = &simplex->slots[n];
        if (slot->share > 0 &&
            !division_add(division,
                          (struct division_extra){slot->job, slot->column, fmin(slot->share, 1)}))
            return fault_set(fault, STATUS_NO_MEMORY, "no memory for the jobs' shares");
    }
    for (uint32_t r = 0; r < f->columns->resource_count; r++)
        price[r] = fmax(0, simplex->price[r]);
    return STATUS_OK;
}
