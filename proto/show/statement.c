/* Statement: the entries of a member's account between its two balances. */
#include "base/clock.h"
#include "base/table.h"
#include "proto/show/show.h"

void show_statement(const struct statement_response *statement, FILE *to)
{
    static const struct table_column columns[] = {
        {"at (UTC)", false},
        {"kind", false},
        {"reference", false},
        {"amount (credits)", true},
    };
    struct table table;
    char amount[CREDITS_TEXT_MAX];
    char date[CLOCK_TEXT_MAX];
    fprintf(to, "Statement of %s\nopening balance (credits)  %s\n\n", statement->member.text,
            credits_format(statement->opening, amount));
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < statement->entry_count; i++) {
        const struct ledger_entry *entry = &statement->entries[i];
        table_text(&table, clock_format_wall(entry->posted_wall_ms, date));
        table_text(&table, entry->kind);
        table_text(&table, entry->reference);
        table_text(&table, credits_format(entry->amount, amount));
    }
    table_print(&table, to);
    table_fini(&table);
    fprintf(to, "\nclosing balance (credits)  %s\n", credits_format(statement->closing, amount));
    fprintf(to, "in escrow now (credits)    %s\n", credits_format(statement->escrow, amount));
}
