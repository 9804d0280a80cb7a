/* Explanation: the summary, and the options that a job had. */
#include <inttypes.h>

#include "base/table.h"
#include "proto/show/show.h"

static void show_options(const struct explain_response *explanation, FILE *to)
{
    static const struct table_column columns[] = {
        {"host", false},
        {"gpu", false},
        {"GPUs", true},
        {"predicted (examples/s)", true},
        {"90% between", false},
        {"known", false},
        {"value (credits/round)", true},
        {"price (credits/GPU-s)", true},
        {"surplus (credits/round)", true},
        {"obstacle", false},
    };
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < explanation->option_count; i++) {
        const struct explain_option *option = &explanation->options[i];
        table_text(&table, option->pool.member.text);
        table_text(&table, option->pool.gpu.text);
        table_format(&table, "%u", option->gpus);
        table_format(&table, "%.1f", option->examples_per_second);
        if (option->examples_per_second_high > 0)
            table_format(&table, "%.1f to %.1f", option->examples_per_second_low,
                         option->examples_per_second_high);
        else
            table_text(&table, "");
        table_text(&table, option->basis);
        table_format(&table, "%.6f", option->value_credits);
        table_format(&table, "%.6f", option->price_per_gpu_second);
        table_format(&table, "%.6f", option->surplus_credits);
        table_text(&table, option->obstacle);
    }
    table_print(&table, to);
    table_fini(&table);
}

void show_explanation(const struct explain_response *explanation, FILE *to)
{
    if (explanation->round > 0)
        fprintf(to, "Job %s, round %" PRIu64 ". %s\n", explanation->job.text, explanation->round,
                explanation->summary);
    else
        fprintf(to, "Job %s, as of now. %s\n", explanation->job.text, explanation->summary);
    if (explanation->option_count == 0)
        return;
    fputc('\n', to);
    show_options(explanation, to);
}
