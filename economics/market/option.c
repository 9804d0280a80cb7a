#include "economics/market/option.h"

#include <math.h>
#include <stdlib.h>

#define SECONDS_PER_DAY       86400.0
#define BYTES_PER_GIGABYTE    1e9
#define THROUGHPUT_MICROS_MAX 9e15

struct price option_cost(const struct pool_offer *pool)
{
    return pool->reserve.nanos > pool->cost.nanos ? pool->reserve : pool->cost;
}

static int compare_host(const void *key, const void *affinity)
{
    return name_compare(key, &((const struct affinity *)affinity)->host);
}

static uint32_t affinity_ppm(const struct offer *home, const struct name *host)
{
    if (name_equal(&home->member, host))
        return PPM;
    const struct affinity *found = NULL;
    if (home->affinity_count > 0)
        found = bsearch(host, home->affinities, home->affinity_count, sizeof *found, compare_host);
    uint32_t const ppm = found != NULL ? found->value_ppm : home->default_affinity_ppm;
    return ppm > PPM ? PPM : ppm;
}

static bool at_home(const struct option *option)
{
    return name_equal(&option->demand->home, &option->host->member);
}

bool option_held(const struct option *option)
{
    const struct job_position *position = &option->demand->position;
    return position->running && position->gpus == option->gpus &&
           name_equal(&position->pool.member, &option->host->member) &&
           name_equal(&position->pool.gpu, &option->pool->gpu);
}

static bool allows_kind(const struct demand *demand, const struct name *gpu)
{
    for (uint32_t i = 0; i < demand->gpu_kind_count; i++)
        if (name_equal(&demand->gpu_kinds[i], gpu))
            return true;
    return demand->gpu_kind_count == 0;
}

struct throughput_estimate option_estimate(const struct option *option)
{
    struct predictor_question const question = {
        .demand = option->demand,
        .pool = {option->host->member, option->pool->gpu},
        .configuration =
            predictor_configuration(option->demand, option->gpus, option->usable_gpus_of_node),
    };
    return predictor_ask(option->input->predictor, &question);
}

static double predicted(const struct option *option)
{
    double const found = option_estimate(option).examples_per_second;
    return isfinite(found) && found > 0 ? fmin(found, THROUGHPUT_MICROS_MAX / 1e6) : 0;
}

static double restart_seconds(const struct option *option)
{
    return option_held(option) ? 0 : fmax(0, option->input->costs.restart_seconds);
}

static struct credits amount_or_max(struct price price, uint32_t gpus, int64_t round_ms)
{
    struct credits amount;
    if (!price_amount(price, gpus, round_ms, &amount) || amount.micros > MARKET_WORTH_MICROS_MAX)
        amount.micros = MARKET_WORTH_MICROS_MAX;
    return amount;
}

static bool misses_deadline(const struct option *option, double throughput)
{
    if (option->demand->deadline_wall_ms == 0)
        return false;
    double const run = option->demand->work_left_examples / throughput;
    double const left =
        (double)(option->demand->deadline_wall_ms - option->input->now_wall_ms) / MS_PER_SECOND;
    return run + restart_seconds(option) > left;
}

static const char *size_obstacle(const struct option *option)
{
    if (option->gpus < option->demand->gpus_min)
        return "the job needs more GPUs than that";
    if (option->gpus > option->demand->gpus_max)
        return "the job can't use that many GPUs";
    if (option->gpus > option->input->gpus_per_job_max)
        return "the federation places no job on that many GPUs";
    if (option->demand->batch_per_gpu_max > 0 &&
        option->demand->batch > (uint64_t)option->demand->batch_per_gpu_max * option->gpus)
        return "the job's batch does not fit so few GPUs";
    if (option->gpus > option->usable_gpus)
        return "the pool has fewer GPUs to offer in this round";
    if (option->demand->one_node && option->gpus > option->usable_gpus_of_node)
        return "the job needs one node, and no node there has that many GPUs to offer";
    return "";
}

int collect_avoid_compare(const void *left, const void *right)
{
    const struct collect_avoid *a = left;
    const struct collect_avoid *b = right;
    int const order = name_compare(&a->job, &b->job);
    return order != 0 ? order : name_compare(&a->host, &b->host);
}

/* Starts failed there of late: this job's, or those of many. A job that is there stays. */
static const char *health_obstacle(const struct option *option)
{
    const struct collect_input *input = option->input;
    const struct job_position *position = &option->demand->position;
    if (position->running && name_equal(&position->pool.member, &option->host->member))
        return "";
    for (uint32_t i = 0; i < input->quarantined_count; i++)
        if (name_equal(&input->quarantined[i].member, &option->host->member) &&
            name_equal(&input->quarantined[i].gpu, &option->pool->gpu))
            return "the pool is quarantined: too many jobs failed there";
    const struct collect_avoid pair = {option->demand->job, option->host->member};
    if (input->avoided_count > 0 && bsearch(&pair, input->avoided, input->avoided_count,
                                            sizeof pair, collect_avoid_compare) != NULL)
        return "the job failed to start at this host, and waits before it is tried there again";
    return "";
}

/* *throughput: what is predicted, where nothing stands against asking. */
static const char *obstacle(const struct option *option, double *throughput)
{
    if (option->home == NULL)
        return "the job's home has no offer in this round";
    if (affinity_ppm(option->home, &option->host->member) == 0)
        return "the job's home forbids this host (affinity 0)";
    if (!allows_kind(option->demand, &option->pool->gpu))
        return "the job does not allow this GPU kind";
    if (!at_home(option) && !option->pool->enforces_limits && !option->pool->accepts_unenforced)
        return "the pool can't enforce limits, so it takes no foreign jobs";
    if (!at_home(option) && option->pool->foreign_gpus_max < option->gpus)
        return "the host lends fewer GPUs of this pool";
    const char *const health = health_obstacle(option);
    if (*health != '\0')
        return health;
    const char *const size = size_obstacle(option);
    if (*size != '\0')
        return size;
    *throughput = predicted(option);
    if (*throughput <= 0)
        return "no throughput is known for its model on this GPU kind";
    if (option->demand->price_max.nanos > 0 &&
        option->demand->price_max.nanos < option_cost(option->pool).nanos)
        return "the job's price limit is below the pool's cost";
    if (amount_or_max(option_cost(option->pool), option->gpus, option->input->round_ms).micros ==
        MARKET_WORTH_MICROS_MAX)
        return "the pool's cost is beyond what a round can hold";
    if (misses_deadline(option, *throughput))
        return "the job would miss its deadline there";
    return "";
}

static bool has_copy(const struct data_set *set, const struct name *host)
{
    for (uint32_t i = 0; i < set->place_count; i++)
        if (name_equal(&set->places[i], host))
            return true;
    return false;
}

/* Bytes not already at the host. Where the job runs now, its files are. */
static double bytes_to_move(const struct option *option)
{
    const struct demand *demand = option->demand;
    const struct name *host = &option->host->member;
    if (demand->position.running && name_equal(&demand->position.pool.member, host))
        return 0;
    double bytes = 0;
    if (!at_home(option))
        bytes += (double)demand->bundle_bytes + (double)demand->checkpoint_bytes;
    for (uint32_t i = 0; i < demand->data_set_count; i++)
        if (!has_copy(&demand->data_sets[i], host))
            bytes += (double)demand->data_sets[i].size_bytes;
    return bytes;
}

/*
 * D τ / max(τ, expected remaining run time, at most a day): what one round bears of getting there.
 * While it moves, a running job loses what it would have made where it is; one that waits loses
 * nothing but the GPUs' cost, so that a job with little left still finds a place.
 */
static double moving_micros(const struct option *option, double value_micros_per_second,
                            double throughput)
{
    if (option_held(option))
        return 0;
    double const bytes = bytes_to_move(option);
    double const speed = option->input->costs.transfer_bytes_per_second;
    double const lost_seconds = restart_seconds(option) + (speed > 0 ? bytes / speed : 0);
    double const per_gigabyte = fmax(0, option->input->costs.credits_per_gigabyte);
    double const cost_micros_per_second =
        price_to_double(option_cost(option->pool)) * MICROS_PER_CREDIT * option->gpus;
    double const lost_micros_per_second =
        option->demand->position.running ? value_micros_per_second : cost_micros_per_second;
    double const once = per_gigabyte * (bytes / BYTES_PER_GIGABYTE) * MICROS_PER_CREDIT +
                        lost_micros_per_second * lost_seconds;
    double const round = (double)option->input->round_ms / MS_PER_SECOND;
    double const remaining = fmin(option->demand->work_left_examples / throughput, SECONDS_PER_DAY);
    return once * (round / fmax(round, remaining));
}

static int64_t clamped(double micros)
{
    double const most = (double)MARKET_WORTH_MICROS_MAX;
    return (int64_t)llround(fmin(fmax(micros, -most), most));
}

/* A job that will end within the round holds its GPUs, and pays, no longer than that. */
static int64_t held_ms(double run_seconds, int64_t round_ms)
{
    double const run_ms = ceil(run_seconds * MS_PER_SECOND);
    return run_ms < (double)round_ms ? (int64_t)fmax(1, run_ms) : round_ms;
}

static void judge(const struct option *option, double predicted, struct market_column *column)
{
    const struct demand *demand = option->demand;
    int64_t const round_ms = option->input->round_ms;
    column->gpus = option->gpus;
    column->micro_examples_per_second = (int64_t)llround(predicted * 1e6);
    /* From the stored integer on there is only arithmetic that every machine repeats. */
    double const throughput = fmax(1, (double)column->micro_examples_per_second) / 1e6;
    double const share = (double)affinity_ppm(option->home, &option->host->member) / PPM;
    double const micros_per_example =
        share * ((double)demand->value_nanos_per_example / (NANOS_PER_CREDIT / MICROS_PER_CREDIT));
    double const examples =
        fmin(throughput * ((double)round_ms / MS_PER_SECOND), demand->work_left_examples);
    column->value.micros = clamped(fmax(0, micros_per_example * examples));
    column->held_ms = held_ms(demand->work_left_examples / throughput, round_ms);
    struct credits const cost =
        amount_or_max(option_cost(option->pool), option->gpus, column->held_ms);
    int64_t const moving =
        clamped(ceil(moving_micros(option, micros_per_example * throughput, throughput)));
    column->worth.micros = column->value.micros - cost.micros - moving;
    if (column->worth.micros < -MARKET_WORTH_MICROS_MAX)
        column->worth.micros = -MARKET_WORTH_MICROS_MAX;
    column->price_room = column->value;
    if (demand->price_max.nanos > 0) {
        struct credits const most = amount_or_max(demand->price_max, option->gpus, column->held_ms);
        if (most.micros < column->price_room.micros)
            column->price_room = most;
    }
}

double option_cap(const struct market_column *column, int64_t round_ms, int64_t grace_ms)
{
    int64_t const held = column->held_ms > 0 ? column->held_ms : round_ms;
    double const longer = (double)(round_ms + grace_ms) / (double)held;
    return credits_to_double(column->price_room) * longer;
}

struct credits option_budget(const struct offer *home, struct credits funds)
{
    if (home->budget_per_round.micros >= 0 && home->budget_per_round.micros < funds.micros)
        funds = home->budget_per_round;
    return funds.micros < 0 ? (struct credits){0} : funds;
}

const char *option_judge(const struct option *option, struct market_column *column)
{
    double throughput = 0;
    const char *const against = obstacle(option, &throughput);
    if (*against != '\0')
        return against;
    judge(option, throughput, column);
    if (!at_home(option) && column->worth.micros > 0 &&
        option_cap(column, option->input->round_ms, option->input->costs.grace_ms) >
            credits_to_double(option->budget))
        return "the job's bid is above what its home can spend: set a lower price limit";
    return "";
}

static uint32_t insert_count(uint32_t *counts, uint32_t used, uint32_t count)
{
    uint32_t at = used;
    while (at > 0 && counts[at - 1] > count)
        at--;
    if (at > 0 && counts[at - 1] == count)
        return used;
    for (uint32_t i = used; i > at; i--)
        counts[i] = counts[i - 1];
    counts[at] = count;
    return used + 1;
}

uint32_t option_counts(const struct demand *demand, uint32_t gpus_max,
                       uint32_t counts[static OPTION_COUNTS_MAX])
{
    uint32_t const most = demand->gpus_max < gpus_max ? demand->gpus_max : gpus_max;
    uint32_t used = 0;
    if (demand->gpus_min < 1 || demand->gpus_min > most)
        return 0;
    for (uint64_t count = 1; count <= most; count *= 2)
        if (count >= demand->gpus_min)
            used = insert_count(counts, used, (uint32_t)count);
    used = insert_count(counts, used, demand->gpus_min);
    used = insert_count(counts, used, most);
    uint32_t const held = demand->position.gpus;
    if (demand->position.running && held >= demand->gpus_min && held <= most)
        used = insert_count(counts, used, held);
    return used;
}
