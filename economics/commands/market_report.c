#include "economics/commands/market_report.h"

#include <math.h>
#include <stdlib.h>

#include "base/table.h"

const char *market_phase_name(enum session_phase phase)
{
    static const char *const names[SESSION_PHASE_COUNT] = {
        [SESSION_PREPARE] = "prepare", [SESSION_PRICES] = "prices", [SESSION_OPTIMISE] = "optimise",
        [SESSION_CERTIFY] = "certify", [SESSION_GANGS] = "gangs",
    };
    return names[phase];
}

const char *market_objective_name(enum outcome_objective objective)
{
    static const char *const names[] = {[OUTCOME_WELFARE] = "welfare",
                                        [OUTCOME_MAX_MIN] = "max-min",
                                        [OUTCOME_PROPORTIONAL] = "proportional"};
    return names[objective];
}

const char *market_method_name(enum session_method method)
{
    return method == SESSION_AUTO ? "auto" : method == SESSION_FAST ? "fast" : "exact";
}

/* -- Tables ------------------------------------------------------------------------------------ */

static void print_payoff_line(const struct outcome *outcome)
{
    if (outcome->core)
        printf("payoffs      in the core (dual prices)\n");
    else
        printf("payoffs      epsilon-core, epsilon %s%.6f\n",
               outcome->epsilon_exact ? "" : "at most ", outcome->epsilon);
}

static void print_fairness(const struct market_report *report)
{
    const struct fairness *fair = &report->outcome->fair;
    if (fair->utility == NULL)
        return;
    bool const max_min = report->options->objective == OUTCOME_MAX_MIN;
    printf(
        "fairness     %s %.6f, at most %.6f (gap %.4g%s); %u members take part, %u plans mixed\n",
        max_min ? "least utility" : "sum of log utilities", fair->value, fair->upper_bound,
        max_min ? fair->gap * 100 : fair->gap, max_min ? "%" : "", fair->member_count,
        fair->rounds);
    if (max_min)
        printf("levels       %u%s\n", fair->levels,
               fair->complete ? "" : ", the rest was not reached within the limit of solves");
}

static void print_summary(const struct market_report *report)
{
    const struct outcome *outcome = report->outcome;
    printf("objective    %.6f credits a round\n", outcome->objective);
    printf("upper bound  %.6f (gap %.4f%%)\n", outcome->upper_bound, outcome->gap * 100);
    printf("method       %s, %s%s%s%s\n", market_objective_name(report->options->objective),
           market_method_name(outcome->method), report->options->gangs ? ", whole GPUs" : "",
           report->options->guarantee ? ", nobody below what it reaches alone" : "",
           outcome->warm ? ", warm" : "");
    print_payoff_line(outcome);
    print_fairness(report);
    printf("iterations   %llu of the simplex, %llu passes over all configurations\n",
           (unsigned long long)outcome->iterations, (unsigned long long)outcome->passes);
    printf("seconds      read %.3f, solve %.3f", report->read_seconds, report->solve_seconds);
    for (int phase = 0; phase < SESSION_PHASE_COUNT; phase++)
        if (outcome->seconds[phase] > 0)
            printf("%s %s %.3f", phase == 0 ? ":" : ",",
                   market_phase_name((enum session_phase)phase), outcome->seconds[phase]);
    if (outcome->average_seconds > 0)
        printf(", average of rents %.3f", outcome->average_seconds);
    printf("\n\n");
}

static void print_pools(const struct market_report *report)
{
    static const struct table_column columns[] = {{"pool", false},
                                                  {"GPUs", true},
                                                  {"used", true},
                                                  {"cost (credits/GPU-s)", true},
                                                  {"price (credits/GPU-s)", true}};
    const struct market *market = &report->instance->market;
    const struct outcome *outcome = report->outcome;
    double *used = calloc((size_t)market->pool_count + 1, sizeof *used);
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; used != NULL && i < outcome->part_count; i++) {
        const struct market_column *column = &market->columns[outcome->parts[i].column];
        used[column->pool] += outcome->parts[i].share * column->gpus;
    }
    for (uint32_t p = 0; used != NULL && p < market->pool_count; p++) {
        table_text(&table, report->instance->pool_ids[p]);
        table_format(&table, "%u", market->pools[p].gpu_count);
        table_format(&table, "%.2f", used[p]);
        table_format(&table, "%.9f", price_to_double(market->pools[p].cost));
        table_format(&table, "%.9f", outcome->price[p]);
    }
    table_print(&table, stdout);
    table_fini(&table);
    free(used);
    printf("\n");
}

static void print_members(const struct market_report *report)
{
    static const struct table_column columns[] = {{"member", false},
                                                  {"payoff (credits)", true},
                                                  {"alone (credits)", true},
                                                  {"gain (credits)", true}};
    static const struct table_column fair_columns[] = {
        {"member", false}, {"payoff (credits)", true}, {"own jobs (credits)", true}};
    const struct outcome *outcome = report->outcome;
    bool const fair = outcome->fair.utility != NULL;
    struct table table;
    if (fair)
        table_init(&table, fair_columns, sizeof fair_columns / sizeof fair_columns[0]);
    else
        table_init(&table, columns, outcome->alone != NULL ? 4 : 2);
    for (uint32_t i = 0; i < report->instance->market.member_count; i++) {
        table_text(&table, report->instance->member_ids[i]);
        table_format(&table, "%.6f", outcome->payoff[i]);
        if (fair)
            table_format(&table, "%.6f", outcome->fair.utility[i]);
        if (!fair && outcome->alone != NULL) {
            table_format(&table, "%.6f", outcome->alone[i]);
            table_format(&table, "%+.6f", outcome->payoff[i] - outcome->alone[i]);
        }
    }
    table_print(&table, stdout);
    table_fini(&table);
    printf("\n");
}

static void print_plan(const struct market_report *report)
{
    static const struct table_column columns[] = {{"job", false},
                                                  {"home", false},
                                                  {"pool", false},
                                                  {"GPUs", true},
                                                  {"share", true},
                                                  {"worth (credits)", true},
                                                  {"payment (credits)", true}};
    const struct instance *instance = report->instance;
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < report->outcome->part_count; i++) {
        const struct outcome_part *part = &report->outcome->parts[i];
        const struct market_column *column = &instance->market.columns[part->column];
        table_text(&table, instance->job_ids[column->job]);
        table_text(&table, instance->member_ids[instance->market.jobs[column->job].home]);
        table_text(&table, instance->pool_ids[column->pool]);
        table_format(&table, "%u", column->gpus);
        table_format(&table, "%.6f", part->share);
        table_format(&table, "%.6f", credits_to_double(column->worth) * part->share);
        table_format(&table, "%.6f", part->payment);
    }
    table_print(&table, stdout);
    table_fini(&table);
}

void market_report_tables(const struct market_report *report)
{
    print_summary(report);
    print_pools(report);
    print_members(report);
    print_plan(report);
}
