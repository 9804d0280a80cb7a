#include "economics/market/instance/mps.h"

#include <inttypes.h>
#include <stdlib.h>

/* Policy rows by column. */
struct part {
    uint32_t row;
    double coefficient;
};

struct by_column {
    uint32_t *first; /* [column_count + 1] */
    struct part *parts;
};

static bool transpose(const struct market *market, struct by_column *by);
static void write_rows(const struct instance *instance, FILE *to);
static void write_columns(const struct market *market, const struct by_column *by, FILE *to);
static void write_limits(const struct market *market, FILE *to);

enum status mps_write(const struct instance *instance, FILE *to, struct fault *fault)
{
    struct by_column by;
    if (!transpose(&instance->market, &by))
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to write the LP");
    write_rows(instance, to);
    write_columns(&instance->market, &by, to);
    write_limits(&instance->market, to);
    fputs("ENDATA\n", to);
    free(by.first);
    free(by.parts);
    return ferror(to) == 0 ? STATUS_OK : fault_set(fault, STATUS_IO, "the LP can't be written");
}

static bool transpose(const struct market *market, struct by_column *by)
{
    by->first = calloc((size_t)market->column_count + 2, sizeof *by->first);
    by->parts = calloc((size_t)market->entry_count + 1, sizeof *by->parts);
    if (by->first == NULL || by->parts == NULL) {
        free(by->first);
        free(by->parts);
        return false;
    }
    uint32_t *next = by->first + 1; /* where each column's next part goes; at the end, its end */
    for (uint32_t e = 0; e < market->entry_count; e++)
        next[market->entries[e].column + 1]++;
    for (uint32_t k = 1; k <= market->column_count; k++)
        next[k] += next[k - 1];
    for (uint32_t r = 0; r < market->row_count; r++) {
        const struct market_row *row = &market->rows[r];
        for (uint32_t e = row->first_entry; e < row->first_entry + row->entry_count; e++) {
            const struct market_entry *entry = &market->entries[e];
            by->parts[next[entry->column]++] =
                (struct part){.row = r, .coefficient = entry->coefficient};
        }
    }
    return true;
}

/* In a comment: an id may hold anything, a line break too. */
static void write_id(const char *id, FILE *to)
{
    for (; *id != '\0'; id++)
        putc((unsigned char)*id < ' ' ? '?' : *id, to);
}

static void write_row_comment(const struct instance *instance, uint32_t r, FILE *to)
{
    static const char *const kinds[MARKET_ROW_KIND_COUNT] = {
        [MARKET_ROW_FOREIGN_GPUS] = "max_foreign_gpus",
        [MARKET_ROW_LINK_BYTES] = "gigabytes_per_round (in bytes)",
        [MARKET_ROW_BUDGET] = "max_credits"};
    const struct market_row *row = &instance->market.rows[r];
    fprintf(to, "* r%" PRIu32 " = %s of ", r, kinds[row->kind]);
    write_id(instance->member_ids[row->owner], to);
    if (row->partner != MARKET_NONE) {
        fputs(" to ", to);
        write_id(instance->member_ids[row->partner], to);
    }
    putc('\n', to);
}

static void write_comments(char letter, const char *kind, const char **ids, uint32_t count,
                           FILE *to)
{
    for (uint32_t i = 0; i < count; i++) {
        fprintf(to, "* %c%" PRIu32 " = %s ", letter, i, kind);
        write_id(ids[i], to);
        putc('\n', to);
    }
}

static void write_rows(const struct instance *instance, FILE *to)
{
    const struct market *market = &instance->market;
    write_comments('p', "pool", instance->pool_ids, market->pool_count, to);
    for (uint32_t r = 0; r < market->row_count; r++)
        write_row_comment(instance, r, to);
    write_comments('j', "job", instance->job_ids, market->job_count, to);
    fputs("NAME market\nROWS\n N cost\n", to);
    for (uint32_t j = 0; j < market->job_count; j++)
        fprintf(to, " L j%" PRIu32 "\n", j);
    for (uint32_t p = 0; p < market->pool_count; p++)
        fprintf(to, " L p%" PRIu32 "\n", p);
    for (uint32_t r = 0; r < market->row_count; r++)
        fprintf(to, " L r%" PRIu32 "\n", r);
}

/* −w in credits, to the micro-credit. */
static void write_cost(struct credits worth, FILE *to)
{
    char text[CREDITS_TEXT_MAX];
    fputs(credits_format((struct credits){-worth.micros}, text), to);
}

static void write_columns(const struct market *market, const struct by_column *by, FILE *to)
{
    fputs("COLUMNS\n", to);
    for (uint32_t k = 0; k < market->column_count; k++) {
        const struct market_column *column = &market->columns[k];
        char name[48];
        snprintf(name, sizeof name, " x%" PRIu32 "_%" PRIu32 "_%" PRIu32, column->job, column->pool,
                 column->gpus);
        fprintf(to, "%s cost ", name);
        write_cost(column->worth, to);
        fprintf(to, " j%" PRIu32 " 1\n%s p%" PRIu32 " %" PRIu32, column->job, name, column->pool,
                column->gpus);
        uint32_t pairs = 1; /* of the line */
        for (uint32_t i = by->first[k]; i < by->first[k + 1]; i++, pairs++)
            fprintf(to, "%s%s r%" PRIu32 " %.17g", pairs % 2 == 0 ? "\n" : "",
                    pairs % 2 == 0 ? name : "", by->parts[i].row, by->parts[i].coefficient);
        fputs("\n", to);
    }
}

static void write_limits(const struct market *market, FILE *to)
{
    fputs("RHS\n", to);
    for (uint32_t j = 0; j < market->job_count; j++)
        fprintf(to, " rhs j%" PRIu32 " 1\n", j);
    for (uint32_t p = 0; p < market->pool_count; p++)
        fprintf(to, " rhs p%" PRIu32 " %" PRIu32 "\n", p, market->pools[p].gpu_count);
    for (uint32_t r = 0; r < market->row_count; r++)
        fprintf(to, " rhs r%" PRIu32 " %.17g\n", r, market->rows[r].limit);
}
