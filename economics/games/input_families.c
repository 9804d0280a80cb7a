/*
 * The classic families by their data. Keys and units are in README.md of this folder.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "economics/games/families.h"
#include "economics/games/input_internal.h"

static const double any = -HUGE_VAL;

static enum status read_bankruptcy(const struct json_place *object, struct arena *arena,
                                   struct input_game *game, struct fault *fault)
{
    double *claims = NULL;
    double *worth = NULL;
    double estate = 0.0;
    uint32_t players = 0;
    enum status status = input_numbers(object, "claims", 0.0, arena, &claims, &players, fault);
    if (status == STATUS_OK)
        status = json_get_number(object, "estate", true, 0.0, 1e300, &estate, fault);
    if (status == STATUS_OK)
        status = input_table(players, arena, game, &worth, fault);
    if (status == STATUS_OK)
        family_bankruptcy(players, claims, estate, worth);
    return status;
}

static enum status read_airport(const struct json_place *object, struct arena *arena,
                                struct input_game *game, struct fault *fault)
{
    double *costs = NULL;
    double *worth = NULL;
    uint32_t players = 0;
    enum status status = input_numbers(object, "runways", 0.0, arena, &costs, &players, fault);
    if (status == STATUS_OK)
        status = input_table(players, arena, game, &worth, fault);
    if (status == STATUS_OK)
        family_airport(players, costs, worth);
    return status;
}

static enum status read_voting(const struct json_place *object, struct arena *arena,
                               struct input_game *game, struct fault *fault)
{
    double *weights = NULL;
    double *worth = NULL;
    double quota = 0.0;
    uint32_t players = 0;
    enum status status = input_numbers(object, "weights", 0.0, arena, &weights, &players, fault);
    if (status == STATUS_OK)
        status = json_get_number(object, "quota", true, 1e-300, 1e300, &quota, fault);
    if (status == STATUS_OK)
        status = input_table(players, arena, game, &worth, fault);
    if (status == STATUS_OK)
        family_voting(players, weights, quota, worth);
    return status;
}

/* The assignment as a production game too: players are resources of one unit, pairs are goods. */
static enum status assignment_production(uint32_t rows, uint32_t columns, const double *gain,
                                         struct arena *arena, const struct production **made,
                                         struct fault *fault)
{
    uint32_t players = rows + columns;
    uint32_t goods = rows * columns;
    struct production *production = arena_alloc(arena, 1, sizeof *production);
    double *use = arena_alloc(arena, (size_t)players * goods, sizeof *use);
    double *owned = arena_alloc(arena, (size_t)players * players, sizeof *owned);
    if (production == NULL || use == NULL || owned == NULL)
        return input_no_memory(fault);
    for (uint32_t g = 0; g < goods; g++) {
        use[g / columns * goods + g] = 1.0;
        use[(rows + g % columns) * goods + g] = 1.0;
    }
    for (uint32_t i = 0; i < players; i++)
        owned[i * players + i] = 1.0;
    *production = (struct production){.players = players,
                                      .resources = players,
                                      .goods = goods,
                                      .use = use,
                                      .value = gain,
                                      .owned = owned};
    *made = production;
    return STATUS_OK;
}

static enum status read_assignment(const struct json_place *object, struct arena *arena,
                                   struct input_game *game, struct fault *fault)
{
    double *gain = NULL;
    double *worth = NULL;
    uint32_t rows = 0;
    uint32_t columns = 0;
    enum status status =
        input_matrix(object, "assignment", any, arena, &gain, &rows, &columns, fault);
    bool const tabled = rows + columns <= GAME_PLAYERS_MAX;
    game->game.players = rows + columns;
    game->arena = arena;
    if (status == STATUS_OK && rows + columns > PRODUCTION_PLAYERS_MAX)
        return fault_set(fault, STATUS_INVALID,
                         "assignment: %u rows and columns are more than %d players", rows + columns,
                         PRODUCTION_PLAYERS_MAX);
    if (status == STATUS_OK && tabled)
        status = input_table(rows + columns, arena, game, &worth, fault);
    if (status != STATUS_OK)
        return status;
    if (tabled)
        family_assignment(rows, columns, gain, worth);
    return assignment_production(rows, columns, gain, arena, &game->production, fault);
}

static enum status read_tree(const struct json_place *object, struct arena *arena,
                             struct input_game *game, struct fault *fault)
{
    double *cost = NULL;
    double *worth = NULL;
    uint32_t nodes = 0;
    uint32_t columns = 0;
    struct json_place const place = {.parent = object, .key = "tree"};
    enum status status = input_matrix(object, "tree", 0.0, arena, &cost, &nodes, &columns, fault);
    if (status != STATUS_OK)
        return status;
    if (nodes != columns || nodes < 2)
        return json_fault(&place, fault, "must be square: the source, then the players");
    for (uint32_t i = 0; i < nodes; i++)
        for (uint32_t j = 0; j < i; j++)
            if (cost[i * nodes + j] != cost[j * nodes + i]) {
                char text[96];
                snprintf(text, sizeof text, "[%u][%u] and [%u][%u] differ; costs are symmetric", i,
                         j, j, i);
                return json_fault(&place, fault, text);
            }
    status = input_table(nodes - 1, arena, game, &worth, fault);
    if (status == STATUS_OK)
        family_spanning_tree(nodes - 1, cost, worth);
    return status;
}

static enum status read_production(const struct json_place *object, struct arena *arena,
                                   struct input_game *game, struct fault *fault)
{
    struct production *production = arena_alloc(arena, 1, sizeof *production);
    double *use = NULL;
    double *value = NULL;
    double *owned = NULL;
    if (production == NULL)
        return input_no_memory(fault);
    enum status status = input_matrix(object, "A", any, arena, &use, &production->resources,
                                      &production->goods, fault);
    if (status == STATUS_OK)
        status = input_numbers(object, "c", any, arena, &value, &production->goods, fault);
    if (status == STATUS_OK)
        status = input_matrix(object, "b", 0.0, arena, &owned, &production->players,
                              &production->resources, fault);
    if (status != STATUS_OK)
        return status;
    production->use = use;
    production->value = value;
    production->owned = owned;
    game->production = production;
    game->game.players = production->players;
    game->arena = arena;
    status = production_validate(production, fault);
    if (status != STATUS_OK || production->players > INPUT_TABLED_AT_ONCE)
        return status;
    return input_complete(game, fault);
}

/* --- Flow networks --------------------------------------------------------------------------- */

/* Nodes are known by texts or numbers. */
struct node_names {
    uint32_t count;
    char text[FAMILY_NODES_MAX][64];
};

static enum status node_of(const struct json_place *object, const char *key,
                           struct node_names *names, uint32_t *node, struct fault *fault)
{
    struct json_place place;
    const char *text = NULL;
    double number;
    char written[64];
    enum status status = json_get_member(object, key, true, &place, fault);
    if (status != STATUS_OK)
        return status;
    if (json_number_of(&place, -1e15, 1e15, &number, NULL) == STATUS_OK)
        snprintf(written, sizeof written, "%.17g", number);
    else {
        status = json_text_of(&place, sizeof written - 1, &text, fault);
        if (status != STATUS_OK)
            return status;
        snprintf(written, sizeof written, "%s", text);
    }
    for (*node = 0; *node < names->count; (*node)++)
        if (strcmp(names->text[*node], written) == 0)
            return STATUS_OK;
    if (names->count == FAMILY_NODES_MAX)
        return json_fault(&place, fault, "is one node too many; 256 can be read");
    memcpy(names->text[names->count++], written, sizeof written);
    return STATUS_OK;
}

static enum status read_edge(const struct json_place *object, struct node_names *names,
                             struct flow_edge *edge, struct fault *fault)
{
    int64_t owner = 0;
    enum status status = node_of(object, "from", names, &edge->from, fault);
    if (status == STATUS_OK)
        status = node_of(object, "to", names, &edge->to, fault);
    if (status == STATUS_OK)
        status = json_get_number(object, "capacity", true, 0.0, 1e300, &edge->capacity, fault);
    if (status == STATUS_OK)
        status = json_get_integer(object, "owner", false, 1, GAME_PLAYERS_MAX, &owner, fault);
    edge->owner = owner > 0 ? (int32_t)(owner - 1) : FAMILY_NOBODY;
    return status;
}

static enum status read_flow(const struct json_place *object, struct arena *arena,
                             struct input_game *game, struct fault *fault)
{
    struct json_place array;
    struct flow_network network = {0};
    size_t count = 0;
    int64_t stated = 0;
    int64_t players = 0;
    double *worth = NULL;
    enum status status = json_get_array(object, "edges", true, &array, &count, fault);
    if (status == STATUS_OK && (count == 0 || count > FAMILY_EDGES_MAX))
        status = json_fault(&array, fault, "needs 1 to 4096 edges");
    if (status == STATUS_OK)
        status = json_get_integer(object, "n", false, 1, GAME_PLAYERS_MAX, &stated, fault);
    struct flow_edge *edges = arena_alloc(arena, count, sizeof *edges);
    struct node_names *names = arena_alloc(arena, 1, sizeof *names);
    if (status == STATUS_OK && (edges == NULL || names == NULL))
        status = input_no_memory(fault);
    if (status == STATUS_OK)
        status = node_of(object, "source", names, &network.source, fault);
    if (status == STATUS_OK)
        status = node_of(object, "sink", names, &network.sink, fault);
    for (size_t e = 0; e < count && status == STATUS_OK; e++) {
        struct json_place const element = json_element(&array, e);
        status = read_edge(&element, names, &edges[e], fault);
        if (status == STATUS_OK && edges[e].owner >= (int32_t)players)
            players = edges[e].owner + 1;
    }
    if (status == STATUS_OK && stated != 0 && players > stated)
        status = json_fault(&array, fault, "an owner is above n");
    players = stated != 0 ? stated : players;
    if (status == STATUS_OK && (players == 0 || network.source == network.sink))
        status = json_fault(object, fault, "needs a source, another sink, and edges with owners");
    if (status == STATUS_OK)
        status = input_table((uint32_t)players, arena, game, &worth, fault);
    if (status != STATUS_OK)
        return status;
    network.nodes = names->count;
    network.edge_count = (uint32_t)count;
    network.edges = edges;
    return family_flow((uint32_t)players, &network, worth, fault);
}

const struct input_family input_families[] = {
    {"bankruptcy", NULL, "claims", GAME_VALUE, read_bankruptcy},
    {"airport", NULL, "runways", GAME_COST, read_airport},
    {"voting", "weighted-voting", "quota", GAME_VALUE, read_voting},
    {"assignment", NULL, "assignment", GAME_VALUE, read_assignment},
    {"flow", NULL, "edges", GAME_VALUE, read_flow},
    {"spanning-tree", "minimum-cost-spanning-tree", "tree", GAME_COST, read_tree},
    {"production", "linear-production", "A", GAME_VALUE, read_production},
};

const size_t input_family_count = sizeof input_families / sizeof input_families[0];
