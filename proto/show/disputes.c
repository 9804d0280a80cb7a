#include "base/table.h"
#include "base/clock.h"
#include "proto/show/show.h"

static const char *state_name(enum dispute_state state)
{
    static const char *const names[DISPUTE_STATE_COUNT] = {"open",     "answered",  "ruled",
                                                           "conceded", "withdrawn", "lapsed"};
    return names[state];
}

static void seconds(struct table *table, int64_t ms)
{
    table_format(table, "%.1f", (double)ms / 1000.0);
}

void show_disputes(const struct disputes_response *response, FILE *to)
{
    static const struct table_column columns[] = {
        {"lease", false},
        {"receipt", true},
        {"job", false},
        {"home", false},
        {"host", false},
        {"state", false},
        {"claimed (s)", true},
        {"home says (s)", true},
        {"posted (credits)", true},
        {"answer by (UTC)", false},
    };
    struct table table;
    char text[LEASE_ID_TEXT_MAX];
    char credits[CREDITS_TEXT_MAX];
    char date[CLOCK_TEXT_MAX];
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t i = 0; i < response->dispute_count; i++) {
        const struct dispute_row *row = &response->disputes[i];
        table_text(&table, lease_id_format(row->lease, text));
        table_format(&table, "%u", row->sequence);
        table_text(&table, row->job.text);
        table_text(&table, row->home.text);
        table_text(&table, row->host.text);
        table_text(&table, state_name(row->state));
        seconds(&table, row->claimed_ms);
        seconds(&table, row->conceded_ms);
        table_text(&table, credits_format(row->amount, credits));
        table_text(&table, row->state == DISPUTE_OPEN
                               ? clock_format_wall(row->deadline_wall_ms, date)
                               : "-");
    }
    table_print(&table, to);
    table_fini(&table);
}

static void say(FILE *to, const char *who, const char *text)
{
    if (text[0] != '\0')
        fprintf(to, "%-12s %s\n", who, text);
}

void show_dispute(const struct dispute_row *row, FILE *to)
{
    char text[LEASE_ID_TEXT_MAX];
    char credits[CREDITS_TEXT_MAX];
    char date[CLOCK_TEXT_MAX];
    fprintf(to, "lease        %s, receipt %u, job %s\n", lease_id_format(row->lease, text),
            row->sequence, row->job.text);
    fprintf(to, "state        %s since %s\n", state_name(row->state),
            clock_format_wall(row->closed_wall_ms != 0 ? row->closed_wall_ms : row->opened_wall_ms,
                              date));
    fprintf(to, "host %s claims %.1f s, home %s saw %.1f s\n", row->host.text,
            (double)row->claimed_ms / 1000.0, row->home.text, (double)row->conceded_ms / 1000.0);
    fprintf(to, "posted       %s credits\n", credits_format(row->amount, credits));
    say(to, "home", row->reason);
    say(to, "host", row->answer);
    say(to, "operator", row->ruling);
    if (row->state == DISPUTE_OPEN)
        fprintf(to, "the host may answer until %s; without an answer home's time is paid\n",
                clock_format_wall(row->deadline_wall_ms, date));
    if (row->state == DISPUTE_ANSWERED)
        fprintf(to, "next: the operator's ruling (entente-broker dispute rule %s %u SECONDS)\n",
                text, row->sequence);
}
