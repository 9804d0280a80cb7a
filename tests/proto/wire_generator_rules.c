/* Generator: what binds several fields of a message together is put right after they were made. */
#include "tests/proto/wire_generator.h"

#include <stdio.h>
#include <string.h>

static void put_demand_right(void *domain, struct rng *rng)
{
    struct demand *demand = domain;
    if (demand->gpus_max < demand->gpus_min)
        demand->gpus_max = demand->gpus_min;
    demand->home = (struct name){"usc"};
    demand->job = (struct name){0};
    snprintf(demand->job.text, sizeof demand->job.text, "usc-%u",
             (unsigned)rng_below(rng, 1000000));
}

static void put_position_right(void *domain, struct rng *rng)
{
    struct job_position *position = domain;
    (void)rng;
    position->running = position->running && position->pool.gpu.text[0] != '\0';
    if (position->gpus == 0)
        position->running = false;
}

static void put_pool_right(void *domain, struct rng *rng)
{
    struct pool_offer *pool = domain;
    uint64_t all = UINT64_MAX >> (GPUS_PER_NODE_MAX - pool->gpus_per_node);
    for (uint32_t i = 0; i < pool->node_count; i++) {
        pool->nodes[i].free_gpus = rng_next(rng) & all;
        pool->nodes[i].leased_gpus = rng_next(rng) & all & ~pool->nodes[i].free_gpus;
    }
}

static void put_lease_right(void *domain, struct rng *rng)
{
    struct lease *lease = domain;
    (void)rng;
    lease->gpu_count = 0;
    for (uint32_t i = 0; i < lease->node_count; i++)
        lease->gpu_count += (uint32_t)__builtin_popcountll(lease->nodes[i].gpus);
    if (lease->accept_until_wall_ms < lease->accept_from_wall_ms)
        lease->accept_until_wall_ms = lease->accept_from_wall_ms;
}

static void put_receipt_right(void *domain, struct rng *rng)
{
    struct receipt *receipt = domain;
    (void)rng;
    if (receipt->unpayable_ms > receipt->held_ms)
        receipt->unpayable_ms = receipt->held_ms;
}

static void put_signed_receipt_right(void *domain, struct rng *rng)
{
    struct signed_receipt *receipt = domain;
    (void)rng;
    static const struct signature none;
    receipt->home_signed = memcmp(&receipt->home_signature, &none, sizeof none) != 0;
}

static void put_file_right(void *domain, struct rng *rng)
{
    struct bundle_file *file = domain;
    file->size_bytes = 0;
    if (file->chunk_count > 0)
        file->size_bytes = (uint64_t)(file->chunk_count - 1) * CHUNK_BYTES_MAX + 1 +
                           rng_below(rng, CHUNK_BYTES_MAX);
}

static void put_lease_event_right(void *domain, struct rng *rng)
{
    struct lease_event *event = domain;
    (void)rng;
    if (event->kind == LEASE_EVENT_GRANT && event->signed_lease.body.size == 0)
        event->kind = LEASE_EVENT_VOID;
}

static void put_enrol_response_right(void *domain, struct rng *rng)
{
    struct enrol_response *response = domain;
    (void)rng;
    response->approved = response->approved && response->chain_pem[0] != '\0';
}

static void put_specification_right(void *domain, struct rng *rng)
{
    struct job_specification *specification = domain;
    (void)rng;
    specification->job = (struct name){"usc-7"};
    specification->home = (struct name){"usc"};
}

void generator_put_right(const struct wire_message *message, void *domain, struct rng *rng)
{
    static const struct {
        const char *message;
        void (*put_right)(void *domain, struct rng *rng);
    } rules[] = {
        {"Demand", put_demand_right},
        {"JobPosition", put_position_right},
        {"PoolOffer", put_pool_right},
        {"Lease", put_lease_right},
        {"Receipt", put_receipt_right},
        {"SignedReceipt", put_signed_receipt_right},
        {"BundleFile", put_file_right},
        {"LeaseEvent", put_lease_event_right},
        {"EnrolResponse", put_enrol_response_right},
        {"JobSpecification", put_specification_right},
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
        if (strcmp(message->descriptor->short_name, rules[i].message) == 0)
            rules[i].put_right(domain, rng);
}
