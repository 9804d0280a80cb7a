/* Deliveries: what hosts' jobs reached, as a share of what was predicted. */
#include "base/table.h"
#include "proto/show/show.h"

void show_deliveries(const struct delivery_row *rows, uint32_t count, FILE *to)
{
    static const struct table_column columns[] = {
        {"host", false}, {"gpu", false},        {"delivers (% of predicted)", true},
        {"jobs", true},  {"counts for", false},
    };
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < count; i++) {
        const struct delivery_row *row = &rows[i];
        table_text(&table, row->pool.member.text);
        table_text(&table, row->pool.gpu.text);
        table_format(&table, "%.0f", row->factor_ppm * 100.0 / PPM);
        table_format(&table, "%u", row->jobs);
        if (name_empty(&row->home))
            table_format(&table, "everybody, as %u members found", row->homes);
        else
            table_format(&table, "jobs of %s", row->home.text);
    }
    table_print(&table, to);
    table_fini(&table);
}
