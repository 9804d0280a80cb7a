/*
 * Made market: what generate.h makes from a seed, read back; and markets with some of its jobs.
 */
#ifndef ENTENTE_TESTS_ECONOMICS_MADE_MARKET_H
#define ENTENTE_TESTS_ECONOMICS_MADE_MARKET_H

#include <stdio.h>
#include <stdlib.h>

#include "economics/market/instance/generate.h"
#include "economics/market/instance/instance.h"

static inline enum status made_market(uint32_t datacenters, uint32_t jobs, uint64_t seed,
                                      struct arena *arena, struct market *market)
{
    struct generate_parameters const parameters = {
        .datacenters = datacenters, .jobs = jobs, .seed = seed};
    struct instance instance;
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    if (to == NULL)
        return STATUS_NO_MEMORY;
    enum status status = generate_write(&parameters, arena, to, NULL);
    if (fclose(to) != 0)
        status = STATUS_IO;
    if (status == STATUS_OK)
        status = instance_parse("made", text, size, arena, &instance, NULL);
    if (status == STATUS_OK)
        *market = instance.market;
    free(text);
    return status;
}

/* The same market with only the jobs marked. */
static inline enum status made_part(const struct market *whole, const bool *stays,
                                    struct arena *arena, struct market *part)
{
    uint32_t *place = arena_alloc(arena, (size_t)whole->column_count + 1, sizeof *place);
    *part = *whole;
    part->jobs = arena_alloc(arena, whole->job_count, sizeof *part->jobs);
    part->columns = arena_alloc(arena, whole->column_count, sizeof *part->columns);
    part->rows = arena_alloc(arena, whole->row_count, sizeof *part->rows);
    part->entries = arena_alloc(arena, whole->entry_count, sizeof *part->entries);
    if (place == NULL || part->jobs == NULL || part->columns == NULL || part->rows == NULL ||
        part->entries == NULL)
        return STATUS_EXHAUSTED;
    part->job_count = part->column_count = part->entry_count = 0;
    for (uint32_t j = 0; j < whole->job_count; j++) {
        const struct market_job *job = &whole->jobs[j];
        for (uint32_t i = 0; i < job->column_count; i++) {
            uint32_t const k = job->first_column + i;
            place[k] = stays[j] ? part->column_count : UINT32_MAX;
            if (!stays[j])
                continue;
            part->columns[part->column_count] = whole->columns[k];
            part->columns[part->column_count++].job = part->job_count;
        }
        if (!stays[j])
            continue;
        part->jobs[part->job_count] = *job;
        part->jobs[part->job_count++].first_column = part->column_count - job->column_count;
    }
    for (uint32_t r = 0; r < whole->row_count; r++) {
        const struct market_row *row = &whole->rows[r];
        part->rows[r] = *row;
        part->rows[r].first_entry = part->entry_count;
        for (uint32_t e = row->first_entry; e < row->first_entry + row->entry_count; e++) {
            struct market_entry entry = whole->entries[e];
            entry.column = place[entry.column];
            if (entry.column != UINT32_MAX)
                part->entries[part->entry_count++] = entry;
        }
        part->rows[r].entry_count = part->entry_count - part->rows[r].first_entry;
    }
    return STATUS_OK;
}

#endif
