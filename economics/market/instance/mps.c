#include "economics/market/instance/mps.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

/* Policy rows by column. */
struct part {
    uint32_t row;
    double coefficient;
};

struct by_column {
    uint32_t *first; /* [column_count + 1] */
    struct part *parts;
};

/* A line in the making: millions of them are written, so printf is not asked. */
enum { LINE_BYTES_MAX = 256 };

struct line {
    char text[LINE_BYTES_MAX];
    size_t length;
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

/* -- Lines ------------------------------------------------------------------------------------- */

static void add(struct line *line, const char *text, size_t length)
{
    assert(line->length + length <= LINE_BYTES_MAX);
    memcpy(line->text + line->length, text, length);
    line->length += length;
}

static void add_text(struct line *line, const char *text)
{
    add(line, text, strlen(text));
}

/* " j17" */
static void add_name(struct line *line, const char *letter, uint64_t number)
{
    char digits[NUMBER_TEXT_MAX];
    add_text(line, letter);
    add(line, digits, number_format_whole(number, digits));
}

static void add_number(struct line *line, double number)
{
    char digits[NUMBER_TEXT_MAX];
    add_text(line, " ");
    add(line, digits, number_format(number, digits));
}

static void put_line(struct line *line, FILE *to)
{
    add_text(line, "\n");
    fwrite(line->text, 1, line->length, to);
    line->length = 0;
}

static void write_rows(const struct instance *instance, FILE *to)
{
    const struct market *market = &instance->market;
    write_comments('p', "pool", instance->pool_ids, market->pool_count, to);
    for (uint32_t r = 0; r < market->row_count; r++)
        write_row_comment(instance, r, to);
    write_comments('j', "job", instance->job_ids, market->job_count, to);
    fputs("NAME market\nROWS\n N cost\n", to);
    const struct {
        const char *letter;
        uint32_t count;
    } kinds[] = {
        {" L j", market->job_count}, {" L p", market->pool_count}, {" L r", market->row_count}};
    struct line line = {.length = 0};
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++)
        for (uint32_t i = 0; i < kinds[kind].count; i++) {
            add_name(&line, kinds[kind].letter, i);
            put_line(&line, to);
        }
}

/* −w in credits, to the micro-credit. */
static void add_cost(struct line *line, struct credits worth)
{
    char text[CREDITS_TEXT_MAX];
    add_text(line, " cost ");
    add_text(line, credits_format((struct credits){-worth.micros}, text));
}

/* A column's name begins each of its lines; a line has two pairs of row and coefficient. */
static void write_column(const struct market *market, const struct by_column *by, uint32_t k,
                         FILE *to)
{
    const struct market_column *column = &market->columns[k];
    struct line name = {.length = 0};
    struct line line = {.length = 0};
    add_name(&name, " x", column->job);
    add_name(&name, "_", column->pool);
    add_name(&name, "_", column->gpus);
    add(&line, name.text, name.length);
    add_cost(&line, column->worth);
    add_name(&line, " j", column->job);
    add_text(&line, " 1");
    put_line(&line, to);
    add(&line, name.text, name.length);
    add_name(&line, " p", column->pool);
    add_number(&line, column->gpus);
    uint32_t pairs = 1; /* of the line */
    for (uint32_t i = by->first[k]; i < by->first[k + 1]; i++, pairs++) {
        if (pairs % 2 == 0) {
            put_line(&line, to);
            add(&line, name.text, name.length);
        }
        add_name(&line, " r", by->parts[i].row);
        add_number(&line, by->parts[i].coefficient);
    }
    put_line(&line, to);
}

static void write_columns(const struct market *market, const struct by_column *by, FILE *to)
{
    fputs("COLUMNS\n", to);
    for (uint32_t k = 0; k < market->column_count && ferror(to) == 0; k++)
        write_column(market, by, k, to);
}

static void write_limit(const char *letter, uint32_t index, double limit, FILE *to)
{
    struct line line = {.length = 0};
    add_name(&line, letter, index);
    add_number(&line, limit);
    put_line(&line, to);
}

static void write_limits(const struct market *market, FILE *to)
{
    fputs("RHS\n", to);
    for (uint32_t j = 0; j < market->job_count; j++)
        write_limit(" rhs j", j, 1, to);
    for (uint32_t p = 0; p < market->pool_count; p++)
        write_limit(" rhs p", p, market->pools[p].gpu_count, to);
    for (uint32_t r = 0; r < market->row_count; r++)
        write_limit(" rhs r", r, market->rows[r].limit, to);
}
