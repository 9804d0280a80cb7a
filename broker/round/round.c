/* See round.h: the life of one round, from open to finish. */
#include "broker/round/round.h"

#include <stdlib.h>

#include "broker/round/planning.h"
#include "broker/store/rounds.h"

static void apply_filter(struct book *book, const struct round_filter *filter);

enum status round_open(struct core *core, bool interim, const struct round_filter *filter,
                       struct round **round, struct fault *fault)
{
    const struct broker_config *config = core->config;
    struct round *made = calloc(1, sizeof *made);
    if (made == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a round");
    arena_init(&made->arena, ARENA_ROUND_BYTES);
    made->references = 1;
    made->interim = interim;
    made->started_wall_ms = core_now_ms(core);
    made->started_boot_ms = clock_boot_ms(core->clock);
    made->solved = STATUS_INTERNAL;
    made->session = core->market;
    made->terms.mechanism = config->mechanism;
    made->learned = learned_hold(core->learned);
    int64_t ends_ms = epoch_lease_end_ms(core_now_ms(core), config->round_ms, config->lead_ms);
    enum status status = store_round_newest(core->store, &made->number, fault);
    made->number++;
    if (status == STATUS_OK)
        status = book_gather(core, ends_ms, &made->arena, &made->book, fault);
    if (status == STATUS_OK)
        apply_filter(&made->book, filter);
    if (status == STATUS_OK)
        status = round_collect(core, &made->book, &made->arena, &made->input, fault);
    if (status == STATUS_OK && filter != NULL && filter->avoid != NULL)
        status = filter->avoid(filter->context, &made->arena, &made->input, fault);
    if (status != STATUS_OK) {
        round_close(made);
        return status;
    }
    *round = made;
    return STATUS_OK;
}

static void apply_filter(struct book *book, const struct round_filter *filter)
{
    for (uint32_t i = 0; filter != NULL && i < book->demand_count; i++)
        book->demands[i].backing_off =
            filter->sits_out(filter->context, &book->demands[i].record.demand->job);
}

bool round_has_work(const struct round *round)
{
    for (uint32_t i = 0; i < round->book.lease_count; i++)
        if (round->book.leases[i].class != BOOK_LATER &&
            round->book.leases[i].class != BOOK_PLANNED)
            return true;
    return round->input.demand_count > 0;
}

static enum status plan(struct round *round)
{
    struct planning_task const task = {round->terms.mechanism, &round->market, round->session};
    return planning_run(&task, &round->arena, &round->state, &round->plan, &round->fault);
}

void round_solve(struct round *round)
{
    round->solved = market_collect(&round->input, &round->arena, &round->market, &round->fault);
    if (round->solved == STATUS_OK)
        round->solved = plan(round);
    if (round->solved == STATUS_OK)
        round->solved = plan_check(&round->market, &round->plan, &round->fault);
    if (round->solved == STATUS_OK)
        round->solved = round_find_split(round, &round->fault);
}

static void log_drops(const struct core *core, const struct round *round)
{
    const struct round_decision *decision = &round->decision;
    for (uint32_t i = 0; i < decision->drop_count; i++) {
        const struct plan_placement *placement =
            &round->plan.placements[decision->drops[i].placement];
        const struct market_column *column = &round->market.columns[placement->column];
        log_info(core->log, "round %llu: job %s is left out: %s", (unsigned long long)round->number,
                 round->market.jobs[column->job].job.text, decision->drops[i].reason);
    }
}

enum status round_finish(struct core *core, struct round *round, struct fault *fault)
{
    if (round->solved != STATUS_OK)
        return fault_set(fault, round->solved, "round %llu: %s", (unsigned long long)round->number,
                         round->fault.text);
    enum status status = book_gather(core, round->book.ends_ms, &round->arena, &round->now, fault);
    struct round_ground ground = {core->config, &round->market, &round->plan, &round->now,
                                  round->number};
    if (status == STATUS_OK)
        status = round_decide(&ground, &round->arena, &round->decision, fault);
    if (status == STATUS_OK)
        status = round_fit_split(core, round, fault);
    if (status == STATUS_OK)
        status = round_report(round, fault);
    if (status != STATUS_OK)
        return status;
    round->report.row.took_ms = clock_boot_ms(core->clock) - round->started_boot_ms;
    status = round_commit(core, round, fault);
    if (status == STATUS_OK)
        log_drops(core, round);
    return status;
}

struct round *round_hold(struct round *round)
{
    round->references++;
    return round;
}

void round_close(struct round *round)
{
    if (round == NULL || --round->references > 0)
        return;
    learned_close(round->learned);
    arena_fini(&round->arena);
    free(round);
}
