/*
 * Measurement, the CSV reader: a heading names the columns, in any order; columns nobody knows are
 * ignored. A row that can't be right is a complaint with its line, never a guess.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "economics/throughput/measurement.h"

enum column {
    COLUMN_MODEL,
    COLUMN_CLUSTER,
    COLUMN_NODES,
    COLUMN_GPUS,
    COLUMN_BATCH,
    COLUMN_SECONDS,
    COLUMN_PLACEMENT,
    COLUMN_ACCUMULATION,
    COLUMN_SERVERS,
    COLUMN_NETWORK,
    COLUMN_COUNT
};

static const struct column_rule {
    const char *name;
    const char *other; /* a second name, or NULL */
    bool required;
} column_rules[COLUMN_COUNT] = {
    [COLUMN_MODEL] = {"model", NULL, true},
    [COLUMN_CLUSTER] = {"gpu_cluster", "cluster", true},
    [COLUMN_NODES] = {"num_nodes", "nodes", false},
    [COLUMN_GPUS] = {"num_replicas", "gpus", true},
    [COLUMN_BATCH] = {"local_bsz", "batch", true},
    [COLUMN_SECONDS] = {"step_time_s", "step_seconds", true},
    [COLUMN_PLACEMENT] = {"placement", NULL, false},
    [COLUMN_ACCUMULATION] = {"accumulation", NULL, false},
    [COLUMN_SERVERS] = {"servers", NULL, false},
    [COLUMN_NETWORK] = {"network_gbps", NULL, false},
};

enum { FIELDS_MAX = 64 };

struct line {
    char *fields[FIELDS_MAX];
    uint32_t count; /* of the fields there are; those beyond FIELDS_MAX are not kept */
    uint32_t number;
};

static bool split_line(char **cursor, struct line *line);
static enum status find_columns(const struct line *heading, int *column_at, struct fault *fault);
static enum status read_row(const struct line *line, const int *column_at, struct measurement *row,
                            struct fault *fault);
static void complain(struct measurements *set, uint32_t line, const char *text);

enum status measurements_parse(struct measurements *set, const char *name, char *text, bool strict,
                               struct fault *fault)
{
    struct line line = {.number = 0};
    int column_at[COLUMN_COUNT];
    struct fault own;
    if (!split_line(&text, &line))
        return fault_set(fault, STATUS_INVALID, "%s: empty; the first line names the columns",
                         name);
    enum status status = find_columns(&line, column_at, fault);
    if (status != STATUS_OK)
        return fault_prefix(fault, status, "%s:%u", name, line.number);
    uint32_t const before = set->row_count;
    while (split_line(&text, &line)) {
        if (line.count == 1 && line.fields[0][0] == '\0')
            continue;
        struct measurement row;
        status = read_row(&line, column_at, &row, &own);
        if (status == STATUS_OK)
            status = measurements_add(set, line.fields[column_at[COLUMN_MODEL]],
                                      line.fields[column_at[COLUMN_CLUSTER]], &row, &own);
        if (status != STATUS_OK && (strict || status != STATUS_INVALID))
            return fault_set(fault, status, "%s:%u: %.400s", name, line.number, own.text);
        if (status != STATUS_OK)
            complain(set, line.number, own.text);
    }
    if (set->row_count == before)
        return fault_set(fault, STATUS_INVALID, "%s: no usable row among %u", name,
                         set->skipped_count);
    return STATUS_OK;
}

enum status measurements_read(struct measurements *set, const char *path, bool strict,
                              struct fault *fault)
{
    struct bytes bytes;
    enum status const status =
        file_read(path, THROUGHPUT_FILE_BYTES_MAX, set->arena, &bytes, fault);
    if (status != STATUS_OK)
        return status;
    char *text = arena_copy_text(set->arena, (const char *)bytes.data, bytes.size);
    if (text == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "%s: no memory for %zu bytes", path, bytes.size);
    if (strlen(text) != bytes.size)
        return fault_set(fault, STATUS_INVALID, "%s: a NUL byte inside: not a text file", path);
    return measurements_parse(set, path, text, strict, fault);
}

/* -- Lines and fields -------------------------------------------------------------------------- */

/* Cuts the next line off and into fields at commas; quotes around a whole field are dropped. */
static bool split_line(char **cursor, struct line *line)
{
    char *at = *cursor;
    if (*at == '\0')
        return false;
    char *end = at + strcspn(at, "\n");
    *cursor = *end == '\0' ? end : end + 1;
    *end = '\0';
    if (end > at && end[-1] == '\r')
        end[-1] = '\0';
    line->number++;
    line->count = 0;
    for (bool more = true; more;) {
        char *stop = at + strcspn(at, ",");
        more = *stop == ',';
        *stop = '\0';
        if (stop - at >= 2 && at[0] == '"' && stop[-1] == '"') {
            stop[-1] = '\0';
            at++;
        }
        if (line->count < FIELDS_MAX)
            line->fields[line->count] = at;
        line->count++;
        at = stop + 1;
    }
    return true;
}

static enum status find_columns(const struct line *heading, int *column_at, struct fault *fault)
{
    if (heading->count > FIELDS_MAX)
        return fault_set(fault, STATUS_INVALID, "over %u columns", FIELDS_MAX);
    for (int c = 0; c < COLUMN_COUNT; c++) {
        const struct column_rule *rule = &column_rules[c];
        column_at[c] = -1;
        for (uint32_t f = 0; f < heading->count; f++)
            if (strcmp(heading->fields[f], rule->name) == 0 ||
                (rule->other != NULL && strcmp(heading->fields[f], rule->other) == 0))
                column_at[c] = (int)f;
        if (column_at[c] < 0 && rule->required)
            return fault_set(fault, STATUS_INVALID, "the heading lacks column %s%s%s", rule->name,
                             rule->other != NULL ? " or " : "",
                             rule->other != NULL ? rule->other : "");
    }
    return STATUS_OK;
}

static const char *field_of(const struct line *line, const int *column_at, enum column column)
{
    int const at = column_at[column];
    return at >= 0 && (uint32_t)at < line->count ? line->fields[at] : "";
}

/* A number; absent gives `absent`, which NAN makes a fault. */
static enum status read_number(const struct line *line, const int *column_at, enum column column,
                               double absent, double *number, struct fault *fault)
{
    const char *text = field_of(line, column_at, column);
    if (*text == '\0' && !isnan(absent)) {
        *number = absent;
        return STATUS_OK;
    }
    if (*text == '\0')
        return fault_set(fault, STATUS_INVALID, "%s is missing", column_rules[column].name);
    char *end;
    errno = 0;
    *number = strtod(text, &end);
    if (end == text || *end != '\0' || !isfinite(*number))
        return fault_set(fault, STATUS_INVALID, "%s '%.40s' is not a finite number",
                         column_rules[column].name, text);
    return STATUS_OK;
}

static enum status read_count(const struct line *line, const int *column_at, enum column column,
                              double absent, uint32_t *count, struct fault *fault)
{
    double number;
    enum status const status = read_number(line, column_at, column, absent, &number, fault);
    if (status != STATUS_OK)
        return status;
    if (number < 0 || number > UINT32_MAX || number != floor(number))
        return fault_set(fault, STATUS_INVALID, "%s %g is not a count", column_rules[column].name,
                         number);
    *count = (uint32_t)number;
    return STATUS_OK;
}

/* -- Placements -------------------------------------------------------------------------------- */

/* "34" is 3 + 4 GPUs on two nodes (one digit a node); "8-8-16" where a node has ten or more. */
static enum status read_placement(const char *text, struct configuration *configuration,
                                  struct fault *fault)
{
    uint64_t gpus = 0;
    uint32_t nodes = 0;
    uint64_t most = 0;
    bool const dashed = strchr(text, '-') != NULL;
    for (const char *at = text; *at != '\0';) {
        uint64_t on_node = 0;
        if (*at < '0' || *at > '9')
            return fault_set(fault, STATUS_INVALID,
                             "placement '%.40s' is not GPUs per node (\"34\", or \"12-16\")", text);
        do {
            on_node = on_node * 10 + (uint64_t)(*at++ - '0');
        } while (dashed && *at >= '0' && *at <= '9' && on_node < THROUGHPUT_GPUS_MAX);
        if (dashed && *at == '-')
            at++;
        gpus += on_node;
        nodes++;
        most = on_node > most ? on_node : most;
    }
    if (gpus != configuration->gpus || nodes != configuration->nodes)
        return fault_set(fault, STATUS_INVALID,
                         "placement '%.40s' is %" PRIu64 " GPUs on %u nodes, the row says %u on %u",
                         text, gpus, nodes, configuration->gpus, configuration->nodes);
    configuration->gpus_on_fullest = (uint32_t)most;
    return STATUS_OK;
}

static enum status read_row(const struct line *line, const int *column_at, struct measurement *row,
                            struct fault *fault)
{
    memset(row, 0, sizeof *row);
    row->line = line->number;
    struct configuration *of = &row->configuration;
    for (int c = 0; c < COLUMN_COUNT; c++)
        if (column_rules[c].required && *field_of(line, column_at, (enum column)c) == '\0')
            return fault_set(fault, STATUS_INVALID, "%s is missing", column_rules[c].name);
    enum status status = read_count(line, column_at, COLUMN_GPUS, (double)NAN, &of->gpus, fault);
    if (status == STATUS_OK)
        status = read_count(line, column_at, COLUMN_NODES,
                            column_at[COLUMN_NODES] < 0 ? 1 : (double)NAN, &of->nodes, fault);
    if (status == STATUS_OK)
        status = read_number(line, column_at, COLUMN_BATCH, (double)NAN, &of->batch, fault);
    if (status == STATUS_OK)
        status = read_number(line, column_at, COLUMN_SECONDS, (double)NAN, &row->seconds, fault);
    if (status == STATUS_OK)
        status = read_count(line, column_at, COLUMN_ACCUMULATION, 1, &of->accumulation, fault);
    if (status == STATUS_OK)
        status = read_count(line, column_at, COLUMN_SERVERS, 0, &of->servers, fault);
    if (status == STATUS_OK)
        status = read_number(line, column_at, COLUMN_NETWORK, 0, &of->network_gbps, fault);
    if (status != STATUS_OK)
        return status;
    if (of->nodes > 0)
        of->gpus_on_fullest = (uint32_t)(((uint64_t)of->gpus + of->nodes - 1) / of->nodes);
    const char *placement = field_of(line, column_at, COLUMN_PLACEMENT);
    return *placement == '\0' ? STATUS_OK : read_placement(placement, of, fault);
}

static void complain(struct measurements *set, uint32_t line, const char *text)
{
    set->skipped_count++;
    if (set->complaint_count == THROUGHPUT_COMPLAINTS_MAX)
        return;
    const char *copy = arena_copy_text(set->arena, text, strlen(text));
    set->complaints[set->complaint_count++] =
        (struct complaint){line, copy != NULL ? copy : "a bad row"};
}
