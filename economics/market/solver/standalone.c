#include "economics/market/solver/standalone.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "economics/market/solver/block.h"

#define NOBODY UINT32_MAX

struct alone {
    const struct market *market;
    struct columns columns;
    struct team *team;
    struct division division; /* everybody idle */
    struct partition partition;
    struct block_ground ground;
    double *price; /* [resource_count] 0 */
    double *left;  /* [resource_count] 1 */
    uint32_t *row_home;
    uint32_t *jobs;               /* 0, 1, ... : jobs are sorted by home */
    uint32_t *first_job;          /* [member_count + 1] */
    uint32_t *maps;               /* [workers × resource_count] */
    struct block_answer *answers; /* [member_count] */
    enum status *statuses;
};

static bool make_room(struct alone *a);
static void part_by_member(struct alone *a);
static void solve_one(void *context, uint32_t member, uint32_t worker);
static enum status solve_all(struct alone *a, struct fault *fault);
static enum status report(const struct alone *a, struct arena *arena, struct standalone *standalone,
                          struct fault *fault);

enum status standalone_find(const struct market *market, uint32_t threads, struct arena *arena,
                            struct standalone *standalone, struct fault *fault)
{
    struct alone a = {.market = market};
    *standalone = (struct standalone){0};
    enum status status = columns_make(market, NULL, &a.columns, fault);
    if (status == STATUS_OK)
        status = team_open(threads, &a.team, fault);
    if (status == STATUS_OK)
        status = solve_all(&a, fault);
    if (status == STATUS_OK)
        status = report(&a, arena, standalone, fault);
    for (uint32_t i = 0; a.answers != NULL && i < market->member_count; i++)
        block_answer_fini(&a.answers[i]);
    free(a.answers);
    team_close(a.team);
    columns_fini(&a.columns);
    division_fini(&a.division);
    free(a.partition.block);
    free(a.price);
    free(a.left);
    free(a.row_home);
    free(a.jobs);
    free(a.first_job);
    free(a.maps);
    free(a.statuses);
    return status;
}

static enum status solve_all(struct alone *a, struct fault *fault)
{
    uint32_t const members = a->market->member_count;
    if (!make_room(a))
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for what members reach alone");
    part_by_member(a);
    a->ground = (struct block_ground){.columns = &a->columns,
                                      .partition = &a->partition,
                                      .division = &a->division,
                                      .price = a->price,
                                      .gpu_price = a->price,
                                      .left = a->left,
                                      .row_home = a->row_home,
                                      .whole = true};
    team_run(a->team, solve_one, a, members);
    for (uint32_t i = 0; i < members; i++)
        if (a->statuses[i] != STATUS_OK)
            return fault_set(fault, a->statuses[i], "no memory for what members reach alone");
    return STATUS_OK;
}

static bool make_room(struct alone *a)
{
    size_t const resources = (size_t)a->columns.resource_count + 1;
    size_t const jobs = (size_t)a->columns.job_count + 1;
    size_t const members = (size_t)a->market->member_count + 1;
    a->partition.block = calloc(members, sizeof *a->partition.block);
    a->price = calloc(resources, sizeof *a->price);
    a->left = calloc(resources, sizeof *a->left);
    a->row_home = calloc(resources, sizeof *a->row_home);
    a->jobs = calloc(jobs, sizeof *a->jobs);
    a->first_job = calloc(members + 1, sizeof *a->first_job);
    a->maps = malloc(team_size(a->team) * resources * sizeof *a->maps);
    a->statuses = calloc(members, sizeof *a->statuses);
    a->answers = calloc(members, sizeof *a->answers);
    if (a->maps != NULL)
        memset(a->maps, 0xff, team_size(a->team) * resources * sizeof *a->maps);
    return a->partition.block != NULL && a->price != NULL && a->left != NULL &&
           a->row_home != NULL && a->jobs != NULL && a->first_job != NULL && a->maps != NULL &&
           a->statuses != NULL && a->answers != NULL && division_make(&a->columns, &a->division);
}

/* A row is usable by its owner, with its partner's presence only where that is the owner. */
static void part_by_member(struct alone *a)
{
    const struct market *market = a->market;
    for (uint32_t i = 0; i < market->member_count; i++)
        a->partition.block[i] = i;
    a->partition.block_count = market->member_count;
    for (uint32_t r = 0; r < a->columns.resource_count; r++)
        a->left[r] = 1;
    for (uint32_t p = 0; p < market->pool_count; p++)
        a->row_home[p] = (uint32_t)market->pools[p].owner;
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_row *row = &market->rows[r];
        bool const alone = row->partner == MARKET_NONE || row->partner == row->owner;
        a->row_home[market->pool_count + r] = alone ? (uint32_t)row->owner : NOBODY;
    }
    for (uint32_t j = 0; j < market->job_count; j++) {
        a->jobs[j] = j;
        a->division.main[j] = DIVISION_IDLE;
        a->division.rest[j] = 1;
        a->first_job[market->jobs[j].home + 1]++;
    }
    for (uint32_t i = 0; i < market->member_count; i++)
        a->first_job[i + 1] += a->first_job[i];
}

static void solve_one(void *context, uint32_t member, uint32_t worker)
{
    struct alone *a = context;
    struct block_task const task = {.block = member,
                                    .jobs = a->jobs + a->first_job[member],
                                    .job_count = a->first_job[member + 1] - a->first_job[member]};
    uint32_t *map = a->maps + (size_t)worker * a->columns.resource_count;
    a->statuses[member] = block_solve(&a->ground, &task, map, &a->answers[member], NULL);
}

static void add_use(const struct alone *a, const struct division_extra *extra, uint32_t member,
                    struct standalone *standalone)
{
    if (extra->column == DIVISION_IDLE || extra->share <= 0)
        return;
    uint32_t const k = a->columns.original[extra->column];
    standalone->uses[standalone->use_count++] =
        (struct session_use){.column = k, .share = extra->share};
    standalone->worth_credits[member] +=
        extra->share * (double)a->market->columns[k].worth.micros / MICROS_PER_CREDIT;
}

static enum status report(const struct alone *a, struct arena *arena, struct standalone *standalone,
                          struct fault *fault)
{
    uint32_t const members = a->market->member_count;
    size_t room = a->market->job_count;
    for (uint32_t i = 0; i < members; i++)
        room += a->answers[i].extra_count;
    standalone->worth_credits = arena_alloc(arena, members, sizeof(double));
    standalone->uses = arena_alloc(arena, room, sizeof *standalone->uses);
    if (standalone->worth_credits == NULL || standalone->uses == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    for (uint32_t i = 0; i < members; i++) {
        const struct block_answer *answer = &a->answers[i];
        for (uint32_t j = 0; j < a->first_job[i + 1] - a->first_job[i]; j++)
            add_use(a, &answer->main[j], i, standalone);
        for (uint32_t x = 0; x < answer->extra_count; x++)
            add_use(a, &answer->extras[x], i, standalone);
    }
    session_sort_uses(standalone->uses, standalone->use_count);
    return STATUS_OK;
}
