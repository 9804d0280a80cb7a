#include "economics/market/instance/generate.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "economics/market/market.h"

enum {
    HOSTS = 8, /* where a job may run, its home among them */
    CENTER_POOLS_MAX = 3,
    GPUS_PER_NODE = 8,
    GANG_MEAN = 4, /* GPUs of a job, about */
    KINDS = 6,
    MODELS = 6
};

/* All jobs together want this many times the GPUs there are. */
#define CONTENTION 1.3

/* Examples/s relative to a T4, from published training benchmarks, rounded; cost in credits per
 * GPU-second, a credit about a dollar. */
static const struct kind {
    const char *name;
    double speed;
    double cost;
} kinds[KINDS] = {{"T4", 1, 0.0001},    {"P100", 1.4, 0.0001}, {"V100", 2.6, 0.0003},
                  {"A10", 2.1, 0.0002}, {"A100", 5.5, 0.0006}, {"H100", 11, 0.0012}};

/* Examples/s on one T4; how much of a faster GPU's advantage the model gets; what each further GPU
 * costs in efficiency. */
static const struct model {
    double examples;
    double gain;
    double loss;
    double gigabytes;
} models[MODELS] = {{140, 1, 0.01, 140}, {60, 0.9, 0.05, 140}, {9, 1.1, 0.03, 20},
                    {25, 1.2, 0.02, 40}, {400, 0.6, 0.08, 5},  {3, 1.3, 0.015, 300}};

enum stream { STREAM_FEDERATION, STREAM_CHANGES, STREAM_NEWCOMERS };

struct pool {
    uint32_t kind;
    uint32_t nodes;
    uint32_t number; /* of all, in the order of the file */
};

struct center {
    double x;
    double y;
    double load; /* sum of loads up to this one */
    struct pool pools[CENTER_POOLS_MAX];
    uint32_t pool_count;
    uint32_t hosts[HOSTS]; /* nearest first, itself the first */
    double distance[HOSTS];
};

struct generating {
    const struct generate_parameters *parameters;
    struct rng rng;
    struct center *centers;
    uint32_t host_count; /* of each center */
    struct writer writer;
    bool silent; /* a job that left: drawn, so that those after it are the same, and not written */
};

static void draw_centers(struct generating *g);
static void find_hosts(struct generating *g);
static void write_members(struct generating *g);
static void write_pools(struct generating *g);
static void write_pairs(struct generating *g);
static void write_limits(struct generating *g);
static void write_jobs(struct generating *g);

enum status generate_write(const struct generate_parameters *parameters, struct arena *arena,
                           FILE *to, struct fault *fault)
{
    if (!(parameters->changed >= 0 && parameters->changed <= 1))
        return fault_set(fault, STATUS_INVALID, "changed: %g is not within 0 and 1",
                         parameters->changed);
    if (parameters->datacenters < 1 || parameters->datacenters > MARKET_MEMBERS_MAX)
        return fault_set(fault, STATUS_INVALID, "datacenters: %" PRIu32 " is not within 1 and %d",
                         parameters->datacenters, MARKET_MEMBERS_MAX);
    if (parameters->jobs > MARKET_JOBS_MAX)
        return fault_set(fault, STATUS_INVALID, "jobs: %" PRIu32 " is not within 0 and %d",
                         parameters->jobs, MARKET_JOBS_MAX);
    struct generating g = {
        .parameters = parameters,
        .centers = arena_alloc(arena, parameters->datacenters, sizeof(struct center)),
        .host_count = parameters->datacenters < HOSTS ? parameters->datacenters : HOSTS};
    if (g.centers == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the datacenters");
    rng_init(&g.rng, parameters->seed, STREAM_FEDERATION);
    draw_centers(&g);
    find_hosts(&g);
    writer_begin(&g.writer, to, parameters->form, DRAFT_ROUND_SECONDS);
    write_members(&g);
    write_pools(&g);
    write_pairs(&g);
    write_limits(&g);
    write_jobs(&g);
    return writer_end(&g.writer, fault);
}

static double between(struct generating *g, double low, double high)
{
    return low + (high - low) * rng_unit(&g->rng);
}

static uint32_t pick(struct generating *g, uint32_t count)
{
    return (uint32_t)rng_below(&g->rng, count);
}

static uint32_t center_count(const struct generating *g)
{
    return g->parameters->datacenters;
}

/* -- Datacenters ------------------------------------------------------------------------------- */

static void draw_pools(struct generating *g, struct center *center, double gpus)
{
    bool has[KINDS] = {false};
    center->pool_count = 1 + pick(g, CENTER_POOLS_MAX);
    double const nodes = gpus / GPUS_PER_NODE / center->pool_count;
    for (uint32_t i = 0; i < center->pool_count; i++) {
        uint32_t kind = pick(g, KINDS);
        while (has[kind])
            kind = (kind + 1) % KINDS;
        has[kind] = true;
        double const drawn = fmin(fmax(round(nodes * between(g, 0.4, 1.6)), 1), NODES_PER_POOL_MAX);
        center->pools[i] = (struct pool){.kind = kind, .nodes = (uint32_t)drawn};
    }
}

static void draw_centers(struct generating *g)
{
    double const gpus = (double)g->parameters->jobs * GANG_MEAN / CONTENTION / center_count(g);
    double load = 0;
    for (uint32_t i = 0; i < center_count(g); i++) {
        struct center *center = &g->centers[i];
        center->x = rng_unit(&g->rng);
        center->y = rng_unit(&g->rng);
        load += between(g, 0.2, 1.8);
        center->load = load;
        draw_pools(g, center, gpus);
    }
}

/* Insertion into the nearest so far; of two as near the one drawn first. */
static void offer_host(struct center *center, uint32_t *found, uint32_t wanted, uint32_t host,
                       double distance)
{
    if (*found == wanted && distance >= center->distance[*found - 1])
        return;
    uint32_t at = *found < wanted ? (*found)++ : *found - 1;
    for (; at > 0 && center->distance[at - 1] > distance; at--) {
        center->hosts[at] = center->hosts[at - 1];
        center->distance[at] = center->distance[at - 1];
    }
    center->hosts[at] = host;
    center->distance[at] = distance;
}

static void find_hosts(struct generating *g)
{
    for (uint32_t i = 0; i < center_count(g); i++) {
        struct center *center = &g->centers[i];
        uint32_t found = 0;
        offer_host(center, &found, g->host_count, i, -1);
        for (uint32_t h = 0; h < center_count(g); h++) {
            double const dx = g->centers[h].x - center->x;
            double const dy = g->centers[h].y - center->y;
            if (h != i)
                offer_host(center, &found, g->host_count, h, sqrt(dx * dx + dy * dy));
        }
        center->distance[0] = 0;
    }
}

/* -- What is written --------------------------------------------------------------------------- */

enum { WORD_BYTES = 32 };

/* The number as people would write it: so many decimals, or significant digits. */
static double decimals(double number, int count)
{
    char text[WORD_BYTES];
    snprintf(text, sizeof text, "%.*f", count, number);
    return strtod(text, NULL);
}

static double digits(double number, int count)
{
    char text[WORD_BYTES];
    snprintf(text, sizeof text, "%.*g", count, number);
    return strtod(text, NULL);
}

static const char *center_name(uint32_t center, char text[static WORD_BYTES])
{
    snprintf(text, WORD_BYTES, "dc%04" PRIu32, center);
    return text;
}

static const char *pool_name(uint32_t center, uint32_t kind, char text[static WORD_BYTES])
{
    snprintf(text, WORD_BYTES, "dc%04" PRIu32 "/%s", center, kinds[kind].name);
    return text;
}

static void write_members(struct generating *g)
{
    char name[WORD_BYTES];
    for (uint32_t i = 0; i < center_count(g); i++)
        writer_member(&g->writer, center_name(i, name));
}

static void write_pools(struct generating *g)
{
    char name[WORD_BYTES];
    char id[WORD_BYTES];
    uint32_t number = 0;
    for (uint32_t i = 0; i < center_count(g); i++)
        for (uint32_t p = 0; p < g->centers[i].pool_count; p++) {
            struct pool *pool = &g->centers[i].pools[p];
            pool->number = number++;
            struct draft_pool const written = {
                .id = pool_name(i, pool->kind, id),
                .gpu = kinds[pool->kind].name,
                .gpus = pool->nodes * GPUS_PER_NODE,
                .gpus_per_node = GPUS_PER_NODE,
                .cost = decimals(kinds[pool->kind].cost * between(g, 0.7, 1.3), 6)};
            writer_pool(&g->writer, &written, center_name(i, name));
        }
}

/* -- Pairs and limits -------------------------------------------------------------------------- */

static void write_pairs(struct generating *g)
{
    char home[WORD_BYTES];
    char host[WORD_BYTES];
    for (uint32_t i = 0; i < center_count(g); i++)
        for (uint32_t h = 1; h < g->host_count; h++) {
            double const near = 1 / (1 + g->centers[i].distance[h]);
            writer_affinity(&g->writer, center_name(i, home),
                            center_name(g->centers[i].hosts[h], host),
                            decimals(near * between(g, 0.8, 1), 4));
        }
    for (uint32_t i = 0; i < center_count(g); i++)
        for (uint32_t h = 1; h < g->host_count; h++) {
            struct draft_link const link = {
                .gigabytes = decimals(between(g, 300, 3000), 0),
                .cost_per_gigabyte = decimals(0.005 + 0.02 * g->centers[i].distance[h], 4)};
            writer_link(&g->writer, &link, center_name(i, home),
                        center_name(g->centers[i].hosts[h], host));
        }
}

static uint32_t gpus_of(const struct center *center)
{
    uint32_t gpus = 0;
    for (uint32_t p = 0; p < center->pool_count; p++)
        gpus += center->pools[p].nodes * GPUS_PER_NODE;
    return gpus;
}

static void write_limits(struct generating *g)
{
    char name[WORD_BYTES];
    for (uint32_t i = 0; i < center_count(g); i++) {
        double const part = between(g, 0.2, 0.8);
        uint32_t const gpus = gpus_of(&g->centers[i]);
        uint32_t const which = pick(g, 4);
        if (which > 1)
            continue;
        struct draft_limit limit = {.foreign_gpus = DRAFT_NOT_STATED, .credits = DRAFT_NOT_STATED};
        if (which == 0)
            limit.foreign_gpus = round(part * gpus);
        else /* what half its own GPUs would bring at a milli-credit per GPU-second */
            limit.credits = decimals(part * gpus * 0.3, 2);
        writer_limit(&g->writer, &limit, center_name(i, name));
    }
}

/* -- Jobs -------------------------------------------------------------------------------------- */

static uint32_t draw_home(struct generating *g)
{
    double const at = rng_unit(&g->rng) * g->centers[center_count(g) - 1].load;
    uint32_t low = 0;
    uint32_t high = center_count(g) - 1;
    while (low < high) {
        uint32_t const middle = low + (high - low) / 2;
        if (g->centers[middle].load > at)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static double throughput_of(const struct model *model, uint32_t kind, uint32_t gpus)
{
    double const speed = 1 + (kinds[kind].speed - 1) * model->gain;
    return model->examples * speed * gpus / (1 + model->loss * (gpus - 1));
}

/* An elastic gang: from least to most GPUs by doubling. */
struct gang {
    uint32_t least;
    uint32_t most;
};

static struct gang draw_gang(struct generating *g)
{
    static const uint32_t sizes[] = {1, 1, 1, 2, 2, 4, 4, 8};
    struct gang gang;
    gang.least = sizes[pick(g, sizeof sizes / sizeof sizes[0])];
    gang.most = gang.least << pick(g, 3); /* 1 to 3 sizes */
    return gang;
}

static void write_configurations(struct generating *g, const struct center *home,
                                 const struct model *model, struct gang gang)
{
    char id[WORD_BYTES];
    for (uint32_t h = 0; h < g->host_count; h++) {
        const struct center *host = &g->centers[home->hosts[h]];
        for (uint32_t p = 0; p < host->pool_count; p++) {
            const struct pool *pool = &host->pools[p];
            double const luck = between(g, 0.9, 1.1); /* networks differ */
            pool_name(home->hosts[h], pool->kind, id);
            for (uint32_t gpus = gang.least; gpus <= gang.most && !g->silent; gpus *= 2)
                writer_configuration(&g->writer, pool->number, id, gpus,
                                     digits(throughput_of(model, pool->kind, gpus) * luck, 6));
        }
    }
}

static void write_job(struct generating *g, char kind, uint32_t number)
{
    char id[WORD_BYTES];
    char name[WORD_BYTES];
    uint32_t const h = draw_home(g);
    const struct model *model = &models[pick(g, MODELS)];
    struct gang const gang = draw_gang(g);
    double const urgency = between(g, 0, 1);
    /* A T4-second is worth 1.2 to 6.2 times what it costs, most of them little. */
    double const value = kinds[0].cost / model->examples * (1.2 + 5 * urgency * urgency * urgency);
    double const hours = 0.1 + 60 * rng_unit(&g->rng) * rng_unit(&g->rng);
    double const work = hours * 3600 * throughput_of(model, 2, gang.least);
    double const gigabytes = model->gigabytes * between(g, 0.1, 1);
    if (!g->silent) {
        snprintf(id, sizeof id, "%c%07" PRIu32, kind, number);
        struct draft_job const job = {.id = id,
                                      .value = digits(value, 7),
                                      .work_left = digits(work, 6),
                                      .gigabytes = decimals(gigabytes, 2),
                                      .remaining_seconds = decimals(hours * 3600, 0)};
        writer_job(&g->writer, &job, center_name(h, name));
    }
    write_configurations(g, &g->centers[h], model, gang);
}

/* Of a later round some jobs are gone, and as many others are there instead. */
static void write_jobs(struct generating *g)
{
    struct rng changes;
    struct rng newcomers;
    rng_init(&changes, g->parameters->seed, STREAM_CHANGES);
    rng_init(&newcomers, g->parameters->seed, STREAM_NEWCOMERS);
    for (uint32_t j = 0; j < g->parameters->jobs && ferror(g->writer.to) == 0; j++) {
        g->silent = rng_unit(&changes) < g->parameters->changed;
        write_job(g, 'j', j);
        if (!g->silent)
            continue;
        struct rng const others = g->rng;
        g->rng = newcomers;
        g->silent = false;
        write_job(g, 'n', j);
        newcomers = g->rng;
        g->rng = others;
    }
}
