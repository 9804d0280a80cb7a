#include "economics/market/explaining/explain_job.h"

#include <math.h>
#include <string.h>

/* Above the threshold by so much, to be clear of rounding to micro-credits. */
#define MARGIN 1e-6

/* A job that runs so much of the round is placed; so little more than before is no change. */
#define PLACED 0.999999

struct explaining {
    struct draft *draft;
    struct session *session;
    const struct session_options *options;
    struct explained_job *explained;
    struct trial trial;
    uint32_t job; /* of the instance */
    struct draft_job kept;
    uint32_t best; /* column; UINT32_MAX: none */
};

static void look(struct explaining *e);
static void name_constraint(struct explaining *e);
static enum status try_bid(struct explaining *e, struct fault *fault);
static enum status try_limit(struct explaining *e, struct fault *fault);
static enum status try_fewer(struct explaining *e, struct fault *fault);
static enum status try_more(struct explaining *e, struct fault *fault);

enum status explain_market_job(struct draft *draft, struct session *session,
                               const struct session_options *options, const char *id,
                               struct explained_job *explained, struct fault *fault)
{
    struct explaining e = {.draft = draft,
                           .session = session,
                           .options = options,
                           .explained = explained,
                           .best = UINT32_MAX};
    *explained = (struct explained_job){0};
    enum status status = trial_open(draft, session, options, &e.trial, fault);
    if (status == STATUS_OK)
        status = trial_find_job(&e.trial.instance, id, &e.job, fault);
    if (status == STATUS_OK) {
        e.kept = *trial_job_of(draft, id);
        look(&e);
    }
    if (status == STATUS_OK && explained->share < PLACED) {
        name_constraint(&e);
        enum status (*const remedies[])(struct explaining *,
                                        struct fault *) = {try_bid, try_limit, try_fewer, try_more};
        for (size_t i = 0; i < sizeof remedies / sizeof remedies[0] && status == STATUS_OK; i++)
            status = remedies[i](&e, fault);
    }
    trial_close(&e.trial);
    return status;
}

/* -- What is ----------------------------------------------------------------------------------- */

static double share_of(const struct explaining *e, uint32_t column)
{
    for (uint32_t i = 0; i < e->trial.outcome.part_count; i++)
        if (e->trial.outcome.parts[i].column == column)
            return e->trial.outcome.parts[i].share;
    return 0;
}

static struct explained_column describe(const struct explaining *e, uint32_t k)
{
    const struct market_column *column = &e->trial.instance.market.columns[k];
    struct explained_column described = {.there = true,
                                         .gpus = column->gpus,
                                         .share = share_of(e, k),
                                         .worth = credits_to_double(column->worth),
                                         .rent = trial_rent(&e->trial, k)};
    snprintf(described.pool, sizeof described.pool, "%s", e->trial.instance.pool_ids[column->pool]);
    return described;
}

/* The one that it uses most comes first, then what it would leave. */
static bool better(const struct explained_column *a, const struct explained_column *b)
{
    if (!b->there)
        return true;
    if (fmax(a->share, b->share) > MARGIN && a->share != b->share)
        return a->share > b->share;
    return a->worth - a->rent > b->worth - b->rent;
}

static void look(struct explaining *e)
{
    const struct market *market = &e->trial.instance.market;
    const struct market_job *job = &market->jobs[e->job];
    struct explained_job *explained = e->explained;
    snprintf(explained->job, sizeof explained->job, "%s", e->kept.id);
    snprintf(explained->home, sizeof explained->home, "%s",
             e->trial.instance.member_ids[job->home]);
    explained->bid = e->kept.value;
    explained->price_max = e->kept.price_max;
    explained->share = trial_share(&e->trial, e->job);
    explained->surplus = e->trial.outcome.job_surplus[e->job];
    for (uint32_t k = job->first_column; k < job->first_column + job->column_count; k++) {
        struct explained_column const here = describe(e, k);
        if (better(&here, &explained->best)) {
            explained->runner_up = explained->best;
            explained->best = here;
            e->best = k;
        } else if (better(&here, &explained->runner_up)) {
            explained->runner_up = here;
        }
    }
}

/* -- What binds -------------------------------------------------------------------------------- */

static void name_row(struct explaining *e, uint32_t r, double rent)
{
    static const char *const kinds[MARKET_ROW_KIND_COUNT] = {
        [MARKET_ROW_FOREIGN_GPUS] = "max_foreign_gpus",
        [MARKET_ROW_LINK_BYTES] = "gigabytes_per_round",
        [MARKET_ROW_BUDGET] = "max_credits"};
    const struct market_row *row = &e->trial.instance.market.rows[r];
    const char **ids = e->trial.instance.member_ids;
    bool const pair = row->partner != MARKET_NONE;
    snprintf(e->explained->binds, EXPLAIN_WORDS_MAX, "%s of %s%s%s: it asks %.9g credits a round",
             kinds[row->kind], ids[row->owner], pair ? " to " : "", pair ? ids[row->partner] : "",
             rent);
}

static void name_dearest(struct explaining *e)
{
    const struct market *market = &e->trial.instance.market;
    const struct market_column *column = &market->columns[e->best];
    double most = e->trial.outcome.pool_rent[column->pool] * column->gpus;
    snprintf(e->explained->binds, EXPLAIN_WORDS_MAX,
             "the %u GPUs of %s: %u of them ask %.9g credits a round beyond cost",
             market->pools[column->pool].gpu_count, e->explained->best.pool, column->gpus, most);
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_entry *entry = market->entries + market->rows[r].first_entry;
        for (uint32_t i = 0; i < market->rows[r].entry_count; i++) {
            double const rent = entry[i].coefficient * e->trial.outcome.row_rent[r];
            if (entry[i].column == e->best && rent > most) {
                most = rent;
                name_row(e, r, rent);
            }
        }
    }
}

static void name_constraint(struct explaining *e)
{
    if (e->best == UINT32_MAX) {
        snprintf(e->explained->binds, EXPLAIN_WORDS_MAX,
                 e->kept.count == 0 ? "it has no configurations"
                                    : "affinity or one_node forbids all its configurations");
        return;
    }
    const struct market_column *column = &e->trial.instance.market.columns[e->best];
    if (column->worth.micros <= 0 && e->kept.price_max > 0 &&
        column->price_room.micros < column->value.micros)
        snprintf(e->explained->binds, EXPLAIN_WORDS_MAX,
                 "its price limit: %s costs %.9g credits per GPU-second", e->explained->best.pool,
                 price_to_double(e->trial.instance.market.pools[column->pool].cost));
    else if (column->worth.micros <= 0)
        snprintf(e->explained->binds, EXPLAIN_WORDS_MAX,
                 "its bid: nowhere is it worth more than GPUs and transfers cost");
    else
        name_dearest(e);
}

/* -- What would place it ----------------------------------------------------------------------- */

/* The draft as it now stands, solved: does the job run (more than before)? */
static enum status proves(struct explaining *e, bool *placed, struct fault *fault)
{
    struct trial trial;
    uint32_t job = 0;
    enum status status = trial_open(e->draft, e->session, e->options, &trial, fault);
    if (status == STATUS_OK)
        status = trial_find_job(&trial.instance, e->kept.id, &job, fault);
    if (status == STATUS_OK)
        *placed = trial_share(&trial, job) >= PLACED;
    trial_close(&trial);
    return status;
}

/* One number of the job set and tried. */
static enum status try_number(struct explaining *e, double *number, double value, bool *placed,
                              struct fault *fault)
{
    *number = value;
    enum status const status = proves(e, placed, fault);
    *trial_job_of(e->draft, e->kept.id) = e->kept;
    return status;
}

/* Steps up from `needed` until the job is placed, then halves the last step a few times. */
static enum status step_up(struct explaining *e, double *number, double from, struct remedy *remedy,
                           struct fault *fault)
{
    double fails = fmax(remedy->needed, from);
    double rise = fabs(fails) * MARGIN;
    enum status status = STATUS_OK;
    bool placed = false;
    remedy->there = true;
    remedy->proved = -1;
    for (int i = 0; i < EXPLAIN_TRIES_MAX && status == STATUS_OK && !placed; i++, rise *= 8) {
        double const value = fmax(remedy->needed, from) + rise;
        status = try_number(e, number, value, &placed, fault);
        if (placed)
            remedy->proved = value;
        else
            fails = value;
    }
    for (int i = 0; i < EXPLAIN_TRIES_MAX && status == STATUS_OK && remedy->proved >= 0 &&
                    remedy->proved - fails > fabs(fails) * MARGIN * 2;
         i++) {
        double const value = fails + (remedy->proved - fails) / 2;
        status = try_number(e, number, value, &placed, fault);
        if (placed)
            remedy->proved = value;
        else
            fails = value;
    }
    return status;
}

/* w grows with the bid by value / bid: the least bid over all configurations at which one is worth
 * its rents. */
static enum status try_bid(struct explaining *e, struct fault *fault)
{
    const struct market *market = &e->trial.instance.market;
    const struct market_job *job = &market->jobs[e->job];
    struct remedy *remedy = &e->explained->higher_bid;
    remedy->needed = HUGE_VAL;
    if (e->kept.value <= 0)
        return STATUS_OK;
    for (uint32_t k = job->first_column; k < job->first_column + job->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        double const value = credits_to_double(column->value);
        double const lacks = trial_rent(&e->trial, k) - credits_to_double(column->worth);
        bool const limited = column->worth.micros <= 0 && e->kept.price_max > 0;
        double const bid =
            value > 0 && !limited ? e->kept.value * (1 + fmax(0, lacks) / value) : HUGE_VAL;
        if (bid < remedy->needed) {
            remedy->needed = bid;
            snprintf(remedy->pool, sizeof remedy->pool, "%s",
                     e->trial.instance.pool_ids[column->pool]);
        }
    }
    if (!(remedy->needed < DRAFT_VALUE_MAX / 2))
        return STATUS_OK;
    return step_up(e, &trial_job_of(e->draft, e->kept.id)->value, e->kept.value, remedy, fault);
}

/* A limit below what the GPUs cost makes a configuration worth nothing. */
static enum status try_limit(struct explaining *e, struct fault *fault)
{
    const struct market *market = &e->trial.instance.market;
    const struct market_job *job = &market->jobs[e->job];
    struct remedy *remedy = &e->explained->higher_limit;
    remedy->needed = HUGE_VAL;
    if (e->kept.price_max <= 0)
        return STATUS_OK;
    for (uint32_t k = job->first_column; k < job->first_column + job->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        double const price = e->trial.outcome.price[column->pool];
        if (column->worth.micros <= 0 && column->value.micros > 0 && price < remedy->needed &&
            price >= e->kept.price_max) {
            remedy->needed = price;
            snprintf(remedy->pool, sizeof remedy->pool, "%s",
                     e->trial.instance.pool_ids[column->pool]);
        }
    }
    if (!(remedy->needed < DRAFT_VALUE_MAX / 2))
        return STATUS_OK;
    return step_up(e, &trial_job_of(e->draft, e->kept.id)->price_max, e->kept.price_max, remedy,
                   fault);
}

/* Its smallest configuration in the best pool. */
static const struct draft_configuration *smallest(const struct explaining *e)
{
    const struct draft_configuration *found = NULL;
    for (uint32_t i = 0; i < e->kept.count; i++) {
        const struct draft_configuration *here = &e->draft->configurations.items[e->kept.first + i];
        if (strcmp(e->draft->pools.items[here->pool].id, e->explained->best.pool) == 0 &&
            (found == NULL || here->gpus < found->gpus))
            found = here;
    }
    return found;
}

static enum status try_fewer(struct explaining *e, struct fault *fault)
{
    struct remedy *remedy = &e->explained->fewer_gpus;
    const struct draft_configuration *least = e->best != UINT32_MAX ? smallest(e) : NULL;
    if (least == NULL || least->gpus < 2)
        return STATUS_OK;
    struct draft_configuration fewer = *least;
    struct draft_job *job = trial_job_of(e->draft, e->kept.id);
    enum status status = STATUS_OK;
    bool placed = false;
    for (int i = 0; i < EXPLAIN_TRIES_MAX && fewer.gpus > 1 && status == STATUS_OK && !placed;
         i++) {
        uint32_t const before = fewer.gpus;
        fewer.gpus /= 2;
        fewer.throughput *= (double)fewer.gpus / before;
        uint32_t const count = e->draft->configurations.count;
        status = trial_add_configuration(e->draft, job, fewer, fault);
        if (status == STATUS_OK)
            status = proves(e, &placed, fault);
        *job = e->kept;
        e->draft->configurations.count = count;
    }
    if (placed) {
        *remedy = (struct remedy){.there = true, .needed = fewer.gpus, .proved = fewer.gpus};
        memcpy(remedy->pool, e->explained->best.pool, sizeof remedy->pool);
    }
    return status;
}

/* So many GPUs more in the best pool, doubled until the job runs. */
static enum status try_more(struct explaining *e, struct fault *fault)
{
    struct remedy *remedy = &e->explained->more_gpus;
    if (e->best == UINT32_MAX || e->explained->best.worth <= 0)
        return STATUS_OK;
    struct draft_pool *pool = trial_pool_of(e->draft, e->explained->best.pool);
    uint32_t const had = pool->gpus;
    uint32_t const most = (uint32_t)NODES_PER_POOL_MAX * GPUS_PER_NODE_MAX;
    enum status status = STATUS_OK;
    bool placed = false;
    uint32_t more = e->explained->best.gpus;
    for (int i = 0; i < EXPLAIN_TRIES_MAX && had + more <= most && status == STATUS_OK; i++) {
        pool->gpus = had + more;
        status = proves(e, &placed, fault);
        if (placed)
            break;
        more *= 2;
    }
    pool->gpus = had;
    if (placed) {
        *remedy = (struct remedy){.there = true, .needed = e->explained->best.gpus, .proved = more};
        memcpy(remedy->pool, e->explained->best.pool, sizeof remedy->pool);
    }
    return status;
}
