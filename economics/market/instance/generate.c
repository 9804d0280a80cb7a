#include "economics/market/instance/generate.h"

#include <inttypes.h>
#include <math.h>
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

struct pool {
    uint32_t kind;
    uint32_t nodes;
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
    FILE *to;
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
    if (parameters->datacenters < 1 || parameters->datacenters > MARKET_MEMBERS_MAX)
        return fault_set(fault, STATUS_INVALID, "datacenters: %" PRIu32 " is not within 1 and %d",
                         parameters->datacenters, MARKET_MEMBERS_MAX);
    if (parameters->jobs > MARKET_JOBS_MAX)
        return fault_set(fault, STATUS_INVALID, "jobs: %" PRIu32 " is not within 0 and %d",
                         parameters->jobs, MARKET_JOBS_MAX);
    struct generating g = {
        .parameters = parameters,
        .centers = arena_alloc(arena, parameters->datacenters, sizeof(struct center)),
        .host_count = parameters->datacenters < HOSTS ? parameters->datacenters : HOSTS,
        .to = to};
    if (g.centers == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "no memory for the datacenters");
    rng_init(&g.rng, parameters->seed, 0);
    draw_centers(&g);
    find_hosts(&g);
    fputs("{\"round_seconds\": 300,\n", to);
    write_members(&g);
    write_pools(&g);
    write_pairs(&g);
    write_limits(&g);
    write_jobs(&g);
    fputs("}\n", to);
    return ferror(to) == 0 ? STATUS_OK : fault_set(fault, STATUS_IO, "it can't be written");
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

static void write_members(struct generating *g)
{
    fputs(" \"members\": [", g->to);
    for (uint32_t i = 0; i < center_count(g); i++)
        fprintf(g->to, "%s\"dc%04" PRIu32 "\"", i > 0 ? ", " : "", i);
    fputs("],\n", g->to);
}

static void write_pools(struct generating *g)
{
    const char *between_them = "";
    fputs(" \"pools\": [", g->to);
    for (uint32_t i = 0; i < center_count(g); i++)
        for (uint32_t p = 0; p < g->centers[i].pool_count; p++) {
            const struct pool *pool = &g->centers[i].pools[p];
            const char *gpu = kinds[pool->kind].name;
            fprintf(g->to,
                    "%s\n  {\"id\": \"dc%04" PRIu32 "/%s\", \"member\": \"dc%04" PRIu32
                    "\", \"gpu\": \"%s\", \"gpus\": %" PRIu32
                    ", \"gpus_per_node\": %d, \"cost\": %.6f}",
                    between_them, i, gpu, i, gpu, pool->nodes * GPUS_PER_NODE, GPUS_PER_NODE,
                    kinds[pool->kind].cost * between(g, 0.7, 1.3));
            between_them = ",";
        }
    fputs("],\n", g->to);
}

/* -- Pairs and limits -------------------------------------------------------------------------- */

static void write_pairs(struct generating *g)
{
    const char *between_them = "";
    fputs(" \"affinity\": [", g->to);
    for (uint32_t i = 0; i < center_count(g); i++)
        for (uint32_t h = 1; h < g->host_count; h++) {
            double const near = 1 / (1 + g->centers[i].distance[h]);
            fprintf(g->to,
                    "%s\n  {\"home\": \"dc%04" PRIu32 "\", \"host\": \"dc%04" PRIu32
                    "\", \"value\": %.4f}",
                    between_them, i, g->centers[i].hosts[h], near * between(g, 0.8, 1));
            between_them = ",";
        }
    fputs("],\n \"links\": [", g->to);
    between_them = "";
    for (uint32_t i = 0; i < center_count(g); i++)
        for (uint32_t h = 1; h < g->host_count; h++) {
            fprintf(g->to,
                    "%s\n  {\"home\": \"dc%04" PRIu32 "\", \"host\": \"dc%04" PRIu32
                    "\", \"gigabytes_per_round\": %.0f, \"cost_per_gigabyte\": %.4f}",
                    between_them, i, g->centers[i].hosts[h], between(g, 300, 3000),
                    0.005 + 0.02 * g->centers[i].distance[h]);
            between_them = ",";
        }
    fputs("],\n", g->to);
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
    const char *between_them = "";
    fputs(" \"limits\": [", g->to);
    for (uint32_t i = 0; i < center_count(g); i++) {
        double const part = between(g, 0.2, 0.8);
        uint32_t const gpus = gpus_of(&g->centers[i]);
        uint32_t const which = pick(g, 4);
        if (which > 1)
            continue;
        fprintf(g->to, "%s\n  {\"member\": \"dc%04" PRIu32 "\", ", between_them, i);
        if (which == 0)
            fprintf(g->to, "\"max_foreign_gpus\": %.0f}", round(part * gpus));
        else /* what half its own GPUs would bring at a milli-credit per GPU-second */
            fprintf(g->to, "\"max_credits\": %.2f}", part * gpus * 0.3);
        between_them = ",";
    }
    fputs("],\n", g->to);
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
    const char *between_them = "";
    for (uint32_t h = 0; h < g->host_count; h++) {
        const struct center *host = &g->centers[home->hosts[h]];
        for (uint32_t p = 0; p < host->pool_count; p++) {
            const struct pool *pool = &host->pools[p];
            double const luck = between(g, 0.9, 1.1); /* networks differ */
            for (uint32_t gpus = gang.least; gpus <= gang.most; gpus *= 2) {
                fprintf(g->to,
                        "%s{\"pool\": \"dc%04" PRIu32 "/%s\", \"gpus\": %" PRIu32
                        ", \"throughput\": %.6g}",
                        between_them, home->hosts[h], kinds[pool->kind].name, gpus,
                        throughput_of(model, pool->kind, gpus) * luck);
                between_them = ", ";
            }
        }
    }
}

static void write_jobs(struct generating *g)
{
    fputs(" \"jobs\": [", g->to);
    for (uint32_t j = 0; j < g->parameters->jobs && ferror(g->to) == 0; j++) {
        uint32_t const h = draw_home(g);
        const struct model *model = &models[pick(g, MODELS)];
        struct gang const gang = draw_gang(g);
        double const urgency = between(g, 0, 1);
        /* A T4-second is worth 1.2 to 6.2 times what it costs, most of them little. */
        double const value =
            kinds[0].cost / model->examples * (1.2 + 5 * urgency * urgency * urgency);
        double const hours = 0.1 + 60 * rng_unit(&g->rng) * rng_unit(&g->rng);
        double const work = hours * 3600 * throughput_of(model, 2, gang.least);
        fprintf(g->to,
                "%s\n  {\"id\": \"j%07" PRIu32 "\", \"home\": \"dc%04" PRIu32
                "\", \"value\": %.6e, \"work_left\": %.6g, \"data_gigabytes\": %.2f, "
                "\"remaining_seconds\": %.0f, \"configurations\": [",
                j > 0 ? "," : "", j, h, value, work, model->gigabytes * between(g, 0.1, 1),
                hours * 3600);
        write_configurations(g, &g->centers[h], model, gang);
        fputs("]}", g->to);
    }
    fputs("]\n", g->to);
}
