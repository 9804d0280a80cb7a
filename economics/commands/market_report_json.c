/* What `market solve --json` prints: written as it goes, since a plan of 100,000 jobs is long. */
#include "base/json_stream_write.h"
#include "economics/commands/market_report.h"

static void put_summary(const struct market_report *report, struct emitter *to);
static void put_seconds(const struct market_report *report, struct emitter *to);
static void put_prices(const struct market_report *report, struct emitter *to);
static void put_members(const struct market_report *report, struct emitter *to);
static void put_rents(const struct market_report *report, struct emitter *to);
static void put_plan(const struct market_report *report, struct emitter *to);

enum status market_report_json(const struct market_report *report, struct fault *fault)
{
    struct emitter *to;
    enum status const status = emit_open(stdout, &to, fault);
    if (status != STATUS_OK)
        return status;
    put_summary(report, to);
    put_seconds(report, to);
    put_prices(report, to);
    put_members(report, to);
    put_rents(report, to);
    put_plan(report, to);
    return emit_close(to, fault);
}

static void put_fairness(const struct market_report *report, struct emitter *to)
{
    const struct fairness *fair = &report->outcome->fair;
    emit_object(to, "fairness");
    emit_number(to, "value", fair->value);
    emit_number(to, "upper_bound", fair->upper_bound);
    emit_number(to, "gap", fair->gap);
    emit_boolean(to, "complete", fair->complete);
    emit_integer(to, "plans", fair->rounds);
    emit_object(to, "utilities");
    for (uint32_t i = 0; i < report->instance->market.member_count; i++)
        emit_number(to, report->instance->member_ids[i], fair->utility[i]);
    emit_end(to);
    if (report->options->objective == OUTCOME_MAX_MIN) {
        emit_object(to, "levels");
        for (uint32_t i = 0; i < report->instance->market.member_count; i++)
            if (fair->level[i] != UINT32_MAX)
                emit_integer(to, report->instance->member_ids[i], fair->level[i]);
        emit_end(to);
    }
    emit_end(to);
}

static void put_summary(const struct market_report *report, struct emitter *to)
{
    const struct outcome *outcome = report->outcome;
    emit_number(to, "objective", outcome->objective);
    emit_number(to, "upper_bound", outcome->upper_bound);
    emit_number(to, "gap", outcome->gap);
    emit_text(to, "method", market_method_name(outcome->method));
    emit_text(to, "fair_objective", market_objective_name(report->options->objective));
    emit_boolean(to, "gangs", report->options->gangs);
    emit_boolean(to, "warm", outcome->warm);
    emit_integer(to, "iterations", (int64_t)outcome->iterations);
    emit_integer(to, "passes", (int64_t)outcome->passes);
    emit_number(to, "epsilon", outcome->epsilon);
    emit_boolean(to, "epsilon_exact", outcome->epsilon_exact);
    if (outcome->fair.utility != NULL)
        put_fairness(report, to);
}

static void put_seconds(const struct market_report *report, struct emitter *to)
{
    emit_object(to, "seconds");
    emit_number(to, "read", report->read_seconds);
    emit_number(to, "solve", report->solve_seconds);
    for (int phase = 0; phase < SESSION_PHASE_COUNT; phase++)
        emit_number(to, market_phase_name((enum session_phase)phase),
                    report->outcome->seconds[phase]);
    emit_number(to, "average_rents", report->outcome->average_seconds);
    emit_end(to);
    emit_object(to, "cpu_seconds");
    emit_number(to, "read", report->read_cpu_seconds);
    emit_number(to, "solve", report->solve_cpu_seconds);
    emit_end(to);
}

static void put_prices(const struct market_report *report, struct emitter *to)
{
    emit_object(to, "prices");
    for (uint32_t p = 0; p < report->instance->market.pool_count; p++)
        emit_number(to, report->instance->pool_ids[p], report->outcome->price[p]);
    emit_end(to);
}

static void put_members(const struct market_report *report, struct emitter *to)
{
    const struct outcome *outcome = report->outcome;
    emit_object(to, "payoffs");
    for (uint32_t i = 0; i < report->instance->market.member_count; i++)
        emit_number(to, report->instance->member_ids[i], outcome->payoff[i]);
    emit_end(to);
    if (outcome->alone == NULL)
        return;
    emit_object(to, "alone");
    for (uint32_t i = 0; i < report->instance->market.member_count; i++)
        emit_number(to, report->instance->member_ids[i], outcome->alone[i]);
    emit_end(to);
}

/* What proves the bound, exactly: prices are rounded, and say nothing of rows (answer.h). */
static void put_rents(const struct market_report *report, struct emitter *to)
{
    const struct instance *instance = report->instance;
    emit_object(to, "pool_rents");
    for (uint32_t p = 0; p < instance->market.pool_count; p++)
        emit_number(to, instance->pool_ids[p], report->outcome->pool_rent[p]);
    emit_end(to);
    emit_array(to, "row_rents");
    for (uint32_t r = 0; r < instance->market.row_count; r++) {
        if (report->outcome->row_rent[r] == 0)
            continue;
        emit_object(to, NULL);
        emit_integer(to, "row", r);
        emit_text(to, "member", instance->member_ids[instance->market.rows[r].owner]);
        emit_number(to, "rent", report->outcome->row_rent[r]);
        emit_end(to);
    }
    emit_end(to);
}

static void put_plan(const struct market_report *report, struct emitter *to)
{
    const struct instance *instance = report->instance;
    emit_array(to, "plan");
    for (uint32_t i = 0; i < report->outcome->part_count; i++) {
        const struct outcome_part *part = &report->outcome->parts[i];
        const struct market_column *column = &instance->market.columns[part->column];
        emit_object(to, NULL);
        emit_text(to, "job", instance->job_ids[column->job]);
        emit_text(to, "pool", instance->pool_ids[column->pool]);
        emit_integer(to, "gpus", column->gpus);
        emit_number(to, "share", part->share);
        emit_number(to, "payment", part->payment);
        emit_end(to);
    }
    emit_end(to);
}
