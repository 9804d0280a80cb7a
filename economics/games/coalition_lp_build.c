/*
 * The coalition LP's data from a market's: columns without gain left out, rows scaled by their
 * largest coefficient, worths by the largest worth.
 */
#include <math.h>
#include <stdlib.h>

#include "economics/games/coalition_lp_internal.h"

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_NO_MEMORY, "no memory for a coalition's LP");
}

static bool reserve_data(struct coalition_lp *lp, uint32_t columns, uint32_t entries)
{
    lp->rows = arena_alloc(&lp->arena, lp->row_count, sizeof *lp->rows);
    lp->sets = arena_alloc(&lp->arena, lp->set_count + 1u, sizeof *lp->sets);
    lp->columns = arena_alloc(&lp->arena, columns + 1u, sizeof *lp->columns);
    lp->groups = arena_alloc(&lp->arena, columns + 1u, sizeof *lp->groups);
    lp->entries = arena_alloc(&lp->arena, entries, sizeof *lp->entries);
    lp->part = arena_alloc(&lp->arena, lp->market->member_count, sizeof *lp->part);
    lp->mask = arena_alloc(&lp->arena, lp->market->member_count / 64 + 1, sizeof *lp->mask);
    return lp->rows != NULL && lp->sets != NULL && lp->columns != NULL && lp->entries != NULL &&
           lp->groups != NULL && lp->part != NULL && lp->mask != NULL;
}

static bool reserve_state(struct coalition_lp *lp)
{
    size_t m = lp->row_count;
    lp->basic = arena_alloc(&lp->arena, m, sizeof *lp->basic);
    lp->key = arena_alloc(&lp->arena, lp->set_count, sizeof *lp->key);
    lp->row_slack_basic = arena_alloc(&lp->arena, m, sizeof *lp->row_slack_basic);
    lp->set_slack_basic = arena_alloc(&lp->arena, lp->set_count, sizeof *lp->set_slack_basic);
    lp->column_basic = arena_alloc(&lp->arena, lp->column_count, sizeof *lp->column_basic);
    lp->inverse = arena_alloc(&lp->arena, m * m, sizeof *lp->inverse);
    lp->scratch = arena_alloc(&lp->arena, m * m, sizeof *lp->scratch);
    lp->value = arena_alloc(&lp->arena, m, sizeof *lp->value);
    lp->rest = arena_alloc(&lp->arena, lp->set_count, sizeof *lp->rest);
    lp->price = arena_alloc(&lp->arena, m, sizeof *lp->price);
    lp->surplus = arena_alloc(&lp->arena, lp->set_count, sizeof *lp->surplus);
    lp->key_along = arena_alloc(&lp->arena, lp->set_count, sizeof *lp->key_along);
    lp->set_basics = arena_alloc(&lp->arena, lp->set_count, sizeof *lp->set_basics);
    lp->dormant = arena_alloc(&lp->arena, lp->set_count, sizeof *lp->dormant);
    lp->work = arena_alloc(&lp->arena, m, sizeof *lp->work);
    lp->column = arena_alloc(&lp->arena, m, sizeof *lp->column);
    lp->some = arena_alloc(&lp->arena, m, sizeof *lp->some);
    lp->candidates =
        arena_alloc(&lp->arena, m + lp->set_count + lp->column_count, sizeof *lp->candidates);
    return lp->basic != NULL && lp->key != NULL && lp->row_slack_basic != NULL &&
           lp->set_slack_basic != NULL && lp->column_basic != NULL && lp->inverse != NULL &&
           lp->scratch != NULL && lp->value != NULL && lp->rest != NULL && lp->price != NULL &&
           lp->surplus != NULL && lp->key_along != NULL && lp->set_basics != NULL &&
           lp->dormant != NULL && lp->work != NULL && lp->column != NULL && lp->some != NULL &&
           lp->candidates != NULL;
}

/* entries_of[c]: where the policy entries of market column c begin, in `order`. */
static void sort_entries(const struct market *market, uint32_t *entries_of,
                         struct coalition_entry *order)
{
    for (uint32_t r = 0; r < market->row_count; r++)
        for (uint32_t e = 0; e < market->rows[r].entry_count; e++)
            entries_of[market->entries[market->rows[r].first_entry + e].column + 1]++;
    for (uint32_t c = 0; c < market->column_count; c++)
        entries_of[c + 1] += entries_of[c];
    for (uint32_t r = market->row_count; r-- > 0;)
        for (uint32_t e = market->rows[r].entry_count; e-- > 0;) {
            const struct market_entry *entry = &market->entries[market->rows[r].first_entry + e];
            order[--entries_of[entry->column + 1]] = (struct coalition_entry){
                .row = market->pool_count + r, .value = entry->coefficient};
        }
    /* entries_of[c + 1] is now where c's begin: move down by one */
    for (uint32_t c = 0; c < market->column_count; c++)
        entries_of[c] = entries_of[c + 1];
    entries_of[market->column_count] = market->entry_count;
}

static void fill_rows(struct coalition_lp *lp)
{
    const struct market *market = lp->market;
    for (uint32_t p = 0; p < market->pool_count; p++)
        lp->rows[p] = (struct coalition_row){.owner = market->pools[p].owner,
                                             .partner = MARKET_NONE,
                                             .limit = market->pools[p].gpu_count};
    for (uint32_t r = 0; r < market->row_count; r++)
        lp->rows[market->pool_count + r] =
            (struct coalition_row){.owner = market->rows[r].owner,
                                   .partner = market->rows[r].partner,
                                   .limit = market->rows[r].limit};
}

static void fill_columns(struct coalition_lp *lp, const uint32_t *entries_of,
                         const struct coalition_entry *order)
{
    const struct market *market = lp->market;
    uint32_t used = 0;
    for (uint32_t j = 0; j < market->job_count; j++) {
        const struct market_job *job = &market->jobs[j];
        lp->sets[j] = (struct coalition_set){.home = job->home, .first = lp->column_count};
        for (uint32_t c = job->first_column; c < job->first_column + job->column_count; c++) {
            const struct market_column *column = &market->columns[c];
            if (column->worth.micros <= 0)
                continue;
            lp->columns[lp->column_count++] =
                (struct coalition_column){.row = column->pool,
                                          .first = used,
                                          .value = column->gpus,
                                          .worth = (double)column->worth.micros,
                                          .set = j};
            for (uint32_t e = entries_of[c]; e < entries_of[c + 1]; e++)
                if (order[e].value != 0.0)
                    lp->entries[used++] = order[e];
        }
    }
    lp->sets[market->job_count].first = lp->column_count;
    lp->columns[lp->column_count].first = used;
}

static void rescale(struct coalition_lp *lp)
{
    double largest = 0.0;
    for (uint32_t c = 0; c < lp->column_count; c++)
        largest = fmax(largest, lp->columns[c].worth);
    for (uint32_t c = 0; c < lp->column_count; c++)
        lp->columns[c].worth /= largest;
    lp->scale = largest / (double)MICROS_PER_CREDIT;
    for (uint32_t r = 0; r < lp->row_count; r++)
        lp->work[r] = 0.0;
    uint32_t entries = lp->columns[lp->column_count].first;
    for (uint32_t c = 0; c < lp->column_count; c++)
        lp->work[lp->columns[c].row] = fmax(lp->work[lp->columns[c].row], lp->columns[c].value);
    for (uint32_t e = 0; e < entries; e++)
        lp->work[lp->entries[e].row] = fmax(lp->work[lp->entries[e].row], lp->entries[e].value);
    for (uint32_t c = 0; c < lp->column_count; c++)
        lp->columns[c].value /= lp->work[lp->columns[c].row];
    for (uint32_t e = 0; e < entries; e++)
        lp->entries[e].value /= lp->work[lp->entries[e].row];
    for (uint32_t r = 0; r < lp->row_count; r++)
        if (lp->work[r] > 0.0)
            lp->rows[r].limit /= lp->work[r];
}

static void group_columns(struct coalition_lp *lp)
{
    for (uint32_t j = 0; j < lp->set_count; j++) {
        lp->sets[j].first_group = lp->group_count;
        for (uint32_t c = lp->sets[j].first; c < lp->sets[j + 1].first; c++) {
            const struct coalition_column *column = &lp->columns[c];
            bool plain = column->first == column[1].first;
            struct coalition_group *last = &lp->groups[lp->group_count - 1u];
            bool joins = lp->group_count > lp->sets[j].first_group && last->row == column->row &&
                         last->plain == plain;
            if (!joins) {
                last = &lp->groups[lp->group_count++];
                *last = (struct coalition_group){.row = column->row,
                                                 .first = c,
                                                 .least = column->value,
                                                 .most = column->value,
                                                 .plain = plain};
            }
            last->least = fmin(last->least, column->value);
            last->most = fmax(last->most, column->value);
        }
    }
    lp->sets[lp->set_count].first_group = lp->group_count;
    lp->groups[lp->group_count].first = lp->column_count;
}

static enum status build(struct coalition_lp *lp, struct fault *fault)
{
    const struct market *market = lp->market;
    struct arena scratch;
    arena_init(&scratch, (size_t)ARENA_ROUND_BYTES * 4);
    uint32_t *entries_of = arena_alloc(&scratch, market->column_count + 1u, sizeof *entries_of);
    struct coalition_entry *order = arena_alloc(&scratch, market->entry_count, sizeof *order);
    bool room = entries_of != NULL && order != NULL &&
                reserve_data(lp, market->column_count, market->entry_count);
    if (room) {
        sort_entries(market, entries_of, order);
        fill_rows(lp);
        fill_columns(lp, entries_of, order);
        room = reserve_state(lp);
    }
    arena_fini(&scratch);
    if (!room)
        return no_memory(fault);
    rescale(lp);
    group_columns(lp);
    return STATUS_OK;
}

enum status coalition_lp_open(const struct market *market, struct coalition_lp **lp,
                              struct fault *fault)
{
    *lp = NULL;
    if ((uint64_t)market->pool_count + market->row_count > COALITION_LP_ROWS_MAX)
        return fault_set(
            fault, STATUS_EXHAUSTED,
            "%u pools and %u limits: a game of coalitions can be solved to %d together",
            market->pool_count, market->row_count, COALITION_LP_ROWS_MAX);
    struct coalition_lp *made = calloc(1, sizeof *made);
    if (made == NULL)
        return no_memory(fault);
    made->market = market;
    made->row_count = market->pool_count + market->row_count;
    made->set_count = market->job_count;
    arena_init(&made->arena, (size_t)ARENA_ROUND_BYTES * 8);
    enum status status = build(made, fault);
    if (status != STATUS_OK) {
        coalition_lp_close(made);
        return status;
    }
    coalition_lp_restart(made);
    *lp = made;
    return STATUS_OK;
}

void coalition_lp_close(struct coalition_lp *lp)
{
    if (lp == NULL)
        return;
    arena_fini(&lp->arena);
    free(lp);
}

void coalition_lp_set(struct coalition_lp *lp, uint32_t member, double part)
{
    lp->part[member] = part;
}

void coalition_lp_relax(struct coalition_lp *lp, bool relaxed)
{
    lp->relaxed = relaxed;
}

uint64_t coalition_lp_pivots(const struct coalition_lp *lp)
{
    return lp->pivots;
}

uint64_t coalition_lp_rescues(const struct coalition_lp *lp)
{
    return lp->rescues;
}
