#include "economics/market/solver/blocks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "economics/market/solver/block.h"

struct improving {
    const struct blocks_input *input;
    struct division *division;
    struct block_ground ground;
    double *gpu_price;
    double *left;
    uint32_t *row_home;
    uint32_t *job_block; /* [job_count] */
    uint32_t *first_job; /* [block_count + 1] into jobs */
    uint32_t *jobs;
    struct division_extra *extras; /* by block, then job */
    uint32_t *first_extra;         /* [block_count + 1] */
    uint32_t *maps;                /* [workers × resource_count] */
    struct block_answer *answers;
    enum status *statuses; /* [block_count] */
};

static bool make_room(struct improving *i);
static void find_left(struct improving *i);
static void find_row_homes(struct improving *i);
static void assign_jobs(struct improving *i);
static void sort_jobs(struct improving *i);
static void solve_one(void *context, uint32_t block, uint32_t worker);
static enum status merge(struct improving *i, uint64_t *iterations, struct fault *fault);
static void fini(struct improving *i);

/* Jobs that stay out of all blocks. */
#define NO_BLOCK UINT32_MAX

enum status blocks_improve(const struct blocks_input *input, struct division *division,
                           uint64_t *iterations, struct fault *fault)
{
    struct improving i = {.input = input, .division = division};
    enum status status = STATUS_OK;
    if (make_room(&i)) {
        find_left(&i);
        find_row_homes(&i);
        assign_jobs(&i);
        sort_jobs(&i);
        i.ground = (struct block_ground){.columns = input->columns,
                                         .partition = input->partition,
                                         .division = division,
                                         .price = input->price,
                                         .gpu_price = i.gpu_price,
                                         .left = i.left,
                                         .row_home = i.row_home};
        team_run(input->team, solve_one, &i, input->partition->block_count);
        status = merge(&i, iterations, fault);
    } else {
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for the market's blocks");
    }
    fini(&i);
    return status;
}

static bool make_room(struct improving *i)
{
    const struct columns *columns = i->input->columns;
    size_t const jobs = (size_t)columns->job_count + 1;
    size_t const resources = (size_t)columns->resource_count + 1;
    size_t const blocks = (size_t)i->input->partition->block_count + 2;
    size_t const maps = team_size(i->input->team) * resources;
    i->gpu_price = calloc((size_t)columns->pool_count + 1, sizeof *i->gpu_price);
    i->left = calloc(resources, sizeof *i->left);
    i->row_home = calloc(resources, sizeof *i->row_home);
    i->job_block = calloc(jobs, sizeof *i->job_block);
    i->first_job = calloc(blocks, sizeof *i->first_job);
    i->jobs = calloc(jobs, sizeof *i->jobs);
    i->extras = calloc((size_t)i->division->extra_count + 1, sizeof *i->extras);
    i->first_extra = calloc(blocks, sizeof *i->first_extra);
    i->maps = malloc(maps * sizeof *i->maps);
    i->answers = calloc(blocks, sizeof *i->answers);
    i->statuses = calloc(blocks, sizeof *i->statuses);
    if (i->maps != NULL)
        memset(i->maps, 0xff, maps * sizeof *i->maps);
    return i->gpu_price != NULL && i->left != NULL && i->row_home != NULL && i->job_block != NULL &&
           i->first_job != NULL && i->jobs != NULL && i->extras != NULL && i->first_extra != NULL &&
           i->maps != NULL && i->answers != NULL && i->statuses != NULL;
}

static void fini(struct improving *i)
{
    for (uint32_t b = 0; i->answers != NULL && b < i->input->partition->block_count; b++)
        block_answer_fini(&i->answers[b]);
    free(i->gpu_price);
    free(i->left);
    free(i->row_home);
    free(i->job_block);
    free(i->first_job);
    free(i->jobs);
    free(i->extras);
    free(i->first_extra);
    free(i->maps);
    free(i->answers);
    free(i->statuses);
}

static void find_left(struct improving *i)
{
    const struct columns *columns = i->input->columns;
    division_usage(i->division, columns, i->left);
    for (uint32_t r = 0; r < columns->resource_count; r++)
        i->left[r] = 1 - i->left[r];
    for (uint32_t p = 0; p < columns->pool_count; p++)
        i->gpu_price[p] = i->input->price[p] * columns->unit[p];
}

static uint32_t block_of(const struct improving *i, uint32_t column)
{
    const struct columns *columns = i->input->columns;
    int32_t const owner = columns->market->pools[columns_pool(columns, column)].owner;
    return i->input->partition->block[owner];
}

/* Of a policy row the block with most of its columns, by vote [Boyer & Moore 1991]: where there is
 * a majority that is it. */
static void find_row_homes(struct improving *i)
{
    const struct columns *columns = i->input->columns;
    uint32_t *lead = calloc((size_t)columns->resource_count + 1, sizeof *lead);
    for (uint32_t p = 0; p < columns->pool_count; p++)
        i->row_home[p] = i->input->partition->block[columns->market->pools[p].owner];
    for (uint32_t k = 0; lead != NULL && k < columns->column_count; k++) {
        if (columns->first_entry[k] == columns->first_entry[k + 1])
            continue;
        uint32_t const block = block_of(i, k);
        for (uint32_t e = columns->first_entry[k]; e < columns->first_entry[k + 1]; e++) {
            uint32_t const r = columns->entry_resource[e];
            if (lead[r] == 0)
                i->row_home[r] = block;
            lead[r] += i->row_home[r] == block ? 1 : UINT32_MAX;
        }
    }
    free(lead);
}

static uint32_t liked_block(const struct improving *i, uint32_t job)
{
    const struct columns *columns = i->input->columns;
    uint32_t best = NO_BLOCK;
    double most = 0;
    for (uint32_t k = columns->first[job]; k < columns->first[job + 1]; k++) {
        double const value = columns_value(columns, k, i->gpu_price, i->input->price);
        if (best == NO_BLOCK || value > most) {
            most = value;
            best = block_of(i, k);
        }
    }
    return best;
}

static void assign_jobs(struct improving *i)
{
    const struct columns *columns = i->input->columns;
    const struct division *division = i->division;
    for (uint32_t j = 0; j < columns->job_count; j++)
        i->job_block[j] = division->main[j] != DIVISION_IDLE ? block_of(i, division->main[j])
                          : division->mixed[j]               ? NO_BLOCK - 1
                                                             : liked_block(i, j);
    for (uint32_t x = 0; x < division->extra_count; x++) {
        const struct division_extra *extra = &division->extras[x];
        if (extra->column == DIVISION_IDLE)
            continue;
        uint32_t const block = block_of(i, extra->column);
        if (i->job_block[extra->job] == NO_BLOCK - 1)
            i->job_block[extra->job] = block;
        else if (i->job_block[extra->job] != block)
            i->job_block[extra->job] = NO_BLOCK;
    }
    for (uint32_t j = 0; j < columns->job_count; j++)
        if (i->job_block[j] == NO_BLOCK - 1)
            i->job_block[j] = NO_BLOCK;
}

static int compare_extras(const void *left, const void *right)
{
    const struct division_extra *a = left;
    const struct division_extra *b = right;
    if (a->job != b->job)
        return a->job < b->job ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

static void sort_jobs(struct improving *i)
{
    uint32_t const jobs = i->input->columns->job_count;
    uint32_t const blocks = i->input->partition->block_count;
    struct division *division = i->division;
    for (uint32_t j = 0; j < jobs; j++)
        if (i->job_block[j] != NO_BLOCK)
            i->first_job[i->job_block[j] + 2]++;
    for (uint32_t b = 0; b < blocks; b++)
        i->first_job[b + 2] += i->first_job[b + 1];
    for (uint32_t j = 0; j < jobs; j++)
        if (i->job_block[j] != NO_BLOCK)
            i->jobs[i->first_job[i->job_block[j] + 1]++] = j;
    if (division->extra_count > 0)
        qsort(division->extras, division->extra_count, sizeof *division->extras, compare_extras);
    for (uint32_t x = 0; x < division->extra_count; x++)
        if (i->job_block[division->extras[x].job] != NO_BLOCK)
            i->first_extra[i->job_block[division->extras[x].job] + 2]++;
    for (uint32_t b = 0; b < blocks; b++)
        i->first_extra[b + 2] += i->first_extra[b + 1];
    for (uint32_t x = 0; x < division->extra_count; x++)
        if (i->job_block[division->extras[x].job] != NO_BLOCK)
            i->extras[i->first_extra[i->job_block[division->extras[x].job] + 1]++] =
                division->extras[x];
}

static void solve_one(void *context, uint32_t block, uint32_t worker)
{
    struct improving *i = context;
    struct block_task const task = {
        .block = block,
        .jobs = i->jobs + i->first_job[block],
        .job_count = i->first_job[block + 1] - i->first_job[block],
        .extras = i->extras + i->first_extra[block],
        .extra_count = i->first_extra[block + 1] - i->first_extra[block],
    };
    uint32_t *map = i->maps + (size_t)worker * i->input->columns->resource_count;
    i->statuses[block] = block_solve(&i->ground, &task, map, &i->answers[block], NULL);
}

static enum status merge(struct improving *i, uint64_t *iterations, struct fault *fault)
{
    struct division *division = i->division;
    uint32_t const blocks = i->input->partition->block_count;
    uint32_t kept = 0;
    for (uint32_t b = 0; b < blocks; b++)
        if (i->statuses[b] != STATUS_OK)
            return fault_set(fault, i->statuses[b], "no memory for a block of the market");
    for (uint32_t x = 0; x < division->extra_count; x++) /* of jobs that stayed out */
        if (i->job_block[division->extras[x].job] == NO_BLOCK)
            division->extras[kept++] = division->extras[x];
    division->extra_count = kept;
    for (uint32_t b = 0; b < blocks; b++) {
        const struct block_answer *answer = &i->answers[b];
        *iterations += answer->iterations;
        for (uint32_t r = 0; r < answer->resource_count; r++)
            if (i->row_home[answer->resource[r]] == b)
                i->input->found[answer->resource[r]] = answer->price[r];
        uint32_t const count = i->first_job[b + 1] - i->first_job[b];
        for (uint32_t x = 0; x < count; x++) {
            uint32_t const job = answer->main[x].job;
            division->main[job] = answer->main[x].column;
            division->rest[job] = answer->main[x].share;
            division->mixed[job] = false;
        }
        for (uint32_t x = 0; x < answer->extra_count; x++)
            if (!division_add(division, answer->extras[x]))
                return fault_set(fault, STATUS_NO_MEMORY, "no memory for the jobs' shares");
    }
    return STATUS_OK;
}
