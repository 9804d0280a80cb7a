/*
 * Learning, rows: what receipts and profiles say of throughput, with what was predicted of it
 * before it is learned: an honest forecast.
 */
#include <math.h>

#include "broker/learning/learning.h"
#include "broker/store/demands.h"
#include "broker/store/leases.h"

/* A shorter stretch says little: progress is seen a few times a second. */
enum { MEASURED_MS_MIN = 1000 };

static void forecast(const struct core *core, const struct demand *demand,
                     struct store_measurement *measurement)
{
    struct predictor_question const question = {
        .demand = demand,
        .pool = measurement->pool,
        .configuration = {.gpus = measurement->gpus,
                          .nodes = measurement->nodes,
                          .gpus_on_fullest = measurement->gpus_on_fullest,
                          .batch = measurement->batch,
                          .accumulation = 1},
    };
    struct throughput_estimate const estimate = predictor_ask(core_predictor(core), &question);
    measurement->predicted = estimate.examples_per_second;
    measurement->low = estimate.low;
    measurement->high = estimate.high;
    measurement->delivery = estimate.delivery;
    measurement->basis = estimate.basis;
    measurement->fit = core->learned != NULL ? core->learned->version : 0;
}

/* The step that the receipt says, or false where it says none that can be right. */
static bool read_step(const struct receipt *receipt, const struct demand *demand,
                      struct store_measurement *measurement)
{
    double const seconds = (double)receipt->measured_ms / MS_PER_SECOND;
    double const examples = (double)receipt->measured_examples;
    double const batch =
        receipt->measured_steps > 0 ? examples / (double)receipt->measured_steps : demand->batch;
    if (receipt->measured_ms < MEASURED_MS_MIN || receipt->measured_ms > receipt->held_ms * 2 ||
        !(examples > 0) || !(batch > 0))
        return false;
    measurement->batch = batch / measurement->gpus;
    measurement->step_seconds = seconds * batch / examples;
    return measurement->step_seconds >= THROUGHPUT_SECONDS_MIN &&
           measurement->step_seconds <= THROUGHPUT_SECONDS_MAX &&
           measurement->batch <= THROUGHPUT_BATCH_MAX;
}

static void read_place(const struct lease *lease, struct store_measurement *measurement)
{
    measurement->pool = (struct pool_id){lease->host, lease->gpu};
    measurement->gpus = lease->gpu_count;
    measurement->nodes = lease->node_count;
    for (uint32_t n = 0; n < lease->node_count; n++) {
        uint32_t const gpus = (uint32_t)__builtin_popcountll(lease->nodes[n].gpus);
        if (gpus > measurement->gpus_on_fullest)
            measurement->gpus_on_fullest = gpus;
    }
}

enum status learning_take_receipt(struct core *core, const struct receipt *receipt,
                                  bool home_signed, bool *added, struct fault *fault)
{
    struct arena arena;
    struct store_lease lease;
    struct store_demand demand;
    *added = false;
    if (receipt->measured_ms == 0)
        return STATUS_OK;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = store_lease_find(core->store, receipt->lease, &arena, &lease, fault);
    if (status == STATUS_OK)
        status = store_demand_find(core->store, &receipt->job, &arena, &demand, fault);
    if (status == STATUS_OK) {
        struct store_measurement measurement = {
            .kind = MEASUREMENT_RECEIPT,
            .lease = receipt->lease,
            .sequence = receipt->sequence,
            .job = receipt->job,
            .home = receipt->home,
            .model = demand.demand->model,
            .confirmed = home_signed && !name_equal(&receipt->home, &receipt->host),
            .measured_wall_ms = core_now_ms(core),
        };
        read_place(lease.lease, &measurement);
        if (read_step(receipt, demand.demand, &measurement)) {
            forecast(core, demand.demand, &measurement);
            status = store_measurement_put(core->store, &measurement, added, fault);
        }
    }
    arena_fini(&arena);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

enum status learning_take_profile(struct core *core, const struct submit_request *request,
                                  bool *added, struct fault *fault)
{
    enum status status = STATUS_OK;
    const struct demand *demand = &request->demand;
    *added = false;
    for (uint32_t i = 0; i < request->profile_count && status == STATUS_OK; i++) {
        const struct profile_row *row = &request->profile[i];
        struct store_measurement measurement = {
            .kind = MEASUREMENT_PROFILE,
            .job = demand->job,
            .home = demand->home,
            .model = demand->model,
            .pool = {demand->home, row->gpu},
            .gpus = row->gpus,
            .nodes = row->nodes,
            .gpus_on_fullest = row->gpus_on_fullest,
            .batch = row->batch,
            .step_seconds = row->step_seconds,
            .measured_wall_ms = core_now_ms(core),
        };
        bool one = false;
        forecast(core, demand, &measurement);
        status = store_measurement_put(core->store, &measurement, &one, fault);
        *added = *added || one;
    }
    return status;
}

bool learning_knows(const struct core *core, const struct demand *demand)
{
    bool any = false;
    const struct predictor *predictor = core_predictor(core);
    for (const struct registry_entry *entry = core->registry.entries; entry != NULL;
         entry = entry->hh.next)
        for (uint32_t p = 0; entry->offer != NULL && p < entry->offer->pool_count; p++) {
            struct predictor_question const question = {
                .demand = demand,
                .pool = {entry->member, entry->offer->pools[p].gpu},
                .configuration = predictor_configuration(demand, demand->gpus_min, 0),
            };
            any = true;
            if (predictor_ask(predictor, &question).basis != BASIS_NONE)
                return true;
        }
    return !any; /* nobody offers anything: no reason to measure yet */
}
