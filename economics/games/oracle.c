#include "economics/games/oracle.h"

#include <stdlib.h>

#include "economics/games/coalition_lp.h"
#include "economics/games/production_walk.h"

static enum status no_memory(struct fault *fault)
{
    return fault_set(fault, STATUS_NO_MEMORY, "no memory to evaluate coalitions");
}

/* --- Table ----------------------------------------------------------------------------------- */

struct table_state {
    const struct game *game;
    uint32_t coalition;
};

static void table_set(void *state, uint32_t player, bool in)
{
    struct table_state *table = state;
    table->coalition = (table->coalition & ~(1u << player)) | (in ? 1u << player : 0);
}

static enum status table_worth(void *state, double *worth, struct fault *fault)
{
    const struct table_state *table = state;
    (void)fault;
    *worth = table->game->worth[table->coalition];
    return STATUS_OK;
}

static enum status open_table(const struct game *game, struct oracle *oracle, struct fault *fault)
{
    struct table_state *table = calloc(1, sizeof *table);
    if (table == NULL)
        return no_memory(fault);
    table->game = game;
    oracle->state = table;
    oracle->set = table_set;
    oracle->worth = table_worth;
    oracle->close = free;
    return STATUS_OK;
}

/* --- Market ---------------------------------------------------------------------------------- */

static void market_set(void *state, uint32_t player, bool in)
{
    coalition_lp_set(state, player, in ? 1.0 : 0.0);
}

static enum status market_solve(void *state, double *worth, struct fault *fault)
{
    return coalition_lp_solve(state, worth, fault);
}

static bool market_payoffs(void *state, double *payoffs)
{
    return coalition_lp_payoffs(state, payoffs);
}

static void market_close(void *state)
{
    coalition_lp_close(state);
}

static enum status open_market(const struct market *market, struct oracle *oracle,
                               struct fault *fault)
{
    struct coalition_lp *lp;
    enum status status = coalition_lp_open(market, &lp, fault);
    oracle->state = lp;
    oracle->set = market_set;
    oracle->worth = market_solve;
    oracle->payoffs = market_payoffs;
    oracle->close = market_close;
    return status;
}

/* --- Production ------------------------------------------------------------------------------ */

static void walk_set(void *state, uint32_t player, bool in)
{
    production_walk_set(state, player, in);
}

static enum status walk_worth(void *state, double *worth, struct fault *fault)
{
    return production_walk_worth(state, worth, fault);
}

static bool walk_payoffs(void *state, double *payoffs)
{
    production_walk_payoffs(state, payoffs);
    return true;
}

static void walk_close(void *state)
{
    production_walk_close(state);
}

static enum status open_production(const struct production *production, struct oracle *oracle,
                                   struct fault *fault)
{
    struct production_walk *walk;
    enum status status = production_walk_open(production, &walk, fault);
    oracle->state = walk;
    oracle->set = walk_set;
    oracle->worth = walk_worth;
    oracle->payoffs = walk_payoffs;
    oracle->close = walk_close;
    return status;
}

enum status oracle_open(const struct input_game *input, struct oracle *oracle, struct fault *fault)
{
    *oracle = (struct oracle){.players = input->game.players};
    enum status status = STATUS_OK;
    if (input->game.worth != NULL)
        status = open_table(&input->game, oracle, fault);
    else if (input->instance != NULL)
        status = open_market(&input->instance->market, oracle, fault);
    else if (input->production != NULL)
        status = open_production(input->production, oracle, fault);
    else
        status = game_validate(&input->game, fault);
    if (status != STATUS_OK)
        *oracle = (struct oracle){0};
    return status;
}

void oracle_close(struct oracle *oracle)
{
    if (oracle->close != NULL)
        oracle->close(oracle->state);
    *oracle = (struct oracle){0};
}
