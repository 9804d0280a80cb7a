/*
 * The chain of the whole system: own jobs present at each member, and jobs of each borrower at each
 * host, every combination a state. Its size is the reason for the approximation.
 */
#include <assert.h>
#include <math.h>

#include "economics/sharing/markov.h"
#include "economics/sharing/sharing.h"

enum { TRANSITIONS_PER_STATE = 32, PLACES_MAX = 9 };

#define EXACT_TOLERANCE 1e-13

/* A state: present[i] own jobs at home (running or waiting), lent[i][j] jobs of i at j. */
struct state {
    uint32_t present[SHARING_EXACT_MEMBERS_MAX];
    uint32_t lent[SHARING_EXACT_MEMBERS_MAX][SHARING_EXACT_MEMBERS_MAX];
};

struct system {
    const struct sharing_game *game;
    const uint32_t *shares;
    uint32_t count; /* members */
    uint32_t rooms[SHARING_EXACT_MEMBERS_MAX];
    uint32_t radix[PLACES_MAX]; /* present of each, then lent of each pair */
    uint32_t places;
    uint32_t states;
    struct markov markov;
};

static enum status lay_out(struct system *system, struct fault *fault);
static bool read_state(const struct system *system, uint32_t number, struct state *state);
static void add_transitions(struct system *system, uint32_t number, const struct state *state);
static void sum_up(const struct system *system, const double *distribution,
                   struct sharing_evaluation *evaluation);

enum status sharing_exact(const struct sharing_game *game, const uint32_t *shares,
                          struct arena *arena, struct sharing_evaluation *evaluation,
                          struct fault *fault)
{
    struct system system = {.game = game, .shares = shares, .count = game->member_count};
    enum status status = sharing_check(game, fault);
    if (status == STATUS_OK)
        status = lay_out(&system, fault);
    if (status != STATUS_OK)
        return status;
    double *distribution = arena_alloc(arena, system.states, sizeof *distribution);
    uint32_t per_state = 2 * system.count + 2 * system.count * system.count;
    assert(per_state <= TRANSITIONS_PER_STATE);
    status = markov_init(&system.markov, system.states, system.states * per_state, arena, fault);
    if (status == STATUS_OK && distribution == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for %u states", system.states);
    if (status != STATUS_OK)
        return status;
    for (uint32_t number = 0; number < system.states; number++) {
        struct state state;
        if (!read_state(&system, number, &state))
            continue;
        add_transitions(&system, number, &state);
        distribution[number] = 1;
    }
    evaluation->converged = markov_solve(&system.markov, EXACT_TOLERANCE, distribution);
    sum_up(&system, distribution, evaluation);
    return STATUS_OK;
}

static enum status lay_out(struct system *system, struct fault *fault)
{
    uint64_t states = 1;
    if (system->count > SHARING_EXACT_MEMBERS_MAX)
        return fault_set(fault, STATUS_EXHAUSTED,
                         "the exact chain takes at most %d members; approximate or simulate",
                         SHARING_EXACT_MEMBERS_MAX);
    for (uint32_t i = 0; i < system->count; i++) {
        enum status status =
            sharing_waiting_room(&system->game->members[i], &system->rooms[i], fault);
        if (status != STATUS_OK)
            return status;
        system->radix[system->places++] = system->game->members[i].gpus + system->rooms[i] + 1;
    }
    for (uint32_t i = 0; i < system->count; i++)
        for (uint32_t j = 0; j < system->count; j++)
            if (sharing_may_borrow(system->game, system->shares, i, j))
                system->radix[system->places++] = system->shares[j] + 1;
    for (uint32_t place = 0; place < system->places; place++) {
        states *= system->radix[place];
        if (states > SHARING_EXACT_STATES_MAX)
            return fault_set(fault, STATUS_EXHAUSTED,
                             "the exact chain has more than %d states; approximate or simulate",
                             SHARING_EXACT_STATES_MAX);
    }
    system->states = (uint32_t)states;
    return STATUS_OK;
}

static uint32_t foreign_at(const struct system *system, const struct state *state, uint32_t host)
{
    uint32_t foreign = 0;
    for (uint32_t i = 0; i < system->count; i++)
        foreign += state->lent[i][host];
    return foreign;
}

/* False: no such state can be reached. */
static bool read_state(const struct system *system, uint32_t number, struct state *state)
{
    uint32_t place = 0;
    *state = (struct state){0};
    for (uint32_t i = 0; i < system->count; i++, place++) {
        state->present[i] = number % system->radix[place];
        number /= system->radix[place];
    }
    for (uint32_t i = 0; i < system->count; i++)
        for (uint32_t j = 0; j < system->count; j++)
            if (sharing_may_borrow(system->game, system->shares, i, j)) {
                state->lent[i][j] = number % system->radix[place];
                number /= system->radix[place++];
            }
    for (uint32_t j = 0; j < system->count; j++) {
        uint32_t foreign = foreign_at(system, state, j);
        if (foreign > system->shares[j] ||
            state->present[j] + foreign > system->game->members[j].gpus + system->rooms[j])
            return false;
    }
    return true;
}

static uint32_t number_of(const struct system *system, const struct state *state)
{
    uint32_t number = 0;
    uint32_t place = system->places;
    for (uint32_t i = system->count; i-- > 0;)
        for (uint32_t j = system->count; j-- > 0;)
            if (sharing_may_borrow(system->game, system->shares, i, j))
                number = number * system->radix[--place] + state->lent[i][j];
    for (uint32_t i = system->count; i-- > 0;)
        number = number * system->radix[--place] + state->present[i];
    return number;
}

static bool lends(const struct system *system, const struct state *state, uint32_t borrower,
                  uint32_t host)
{
    uint32_t foreign = foreign_at(system, state, host);
    return sharing_may_borrow(system->game, system->shares, borrower, host) &&
           foreign < system->shares[host] &&
           state->present[host] + foreign < system->game->members[host].gpus;
}

static void add_arrivals(struct system *system, uint32_t number, const struct state *state,
                         uint32_t i)
{
    const struct sharing_member *member = &system->game->members[i];
    uint32_t occupied = state->present[i] + foreign_at(system, state, i);
    struct state next = *state;
    uint32_t hosts = 0;
    for (uint32_t j = 0; j < system->count; j++)
        hosts += lends(system, state, i, j);
    if (occupied < member->gpus || hosts == 0) {
        double accepted =
            occupied < member->gpus ? 1 : sharing_acceptance(member, occupied - member->gpus);
        next.present[i]++;
        if (occupied < member->gpus + system->rooms[i])
            markov_add(&system->markov, number, number_of(system, &next),
                       member->arrival_rate * accepted);
        return;
    }
    for (uint32_t j = 0; j < system->count; j++) {
        if (!lends(system, state, i, j))
            continue;
        next = *state;
        next.lent[i][j]++;
        markov_add(&system->markov, number, number_of(system, &next), member->arrival_rate / hosts);
    }
}

static void add_transitions(struct system *system, uint32_t number, const struct state *state)
{
    for (uint32_t i = 0; i < system->count; i++) {
        const struct sharing_member *member = &system->game->members[i];
        uint32_t own = member->gpus - foreign_at(system, state, i);
        uint32_t running = state->present[i] < own ? state->present[i] : own;
        struct state next = *state;
        add_arrivals(system, number, state, i);
        if (running > 0) {
            next.present[i]--;
            markov_add(&system->markov, number, number_of(system, &next),
                       running * member->service_rate);
        }
        for (uint32_t j = 0; j < system->count; j++) {
            if (state->lent[i][j] == 0)
                continue;
            next = *state;
            next.lent[i][j]--;
            markov_add(&system->markov, number, number_of(system, &next),
                       state->lent[i][j] * member->service_rate);
        }
    }
}

static void sum_up(const struct system *system, const double *distribution,
                   struct sharing_evaluation *evaluation)
{
    for (uint32_t i = 0; i < system->count; i++)
        evaluation->flows[i] = (struct sharing_flow){0};
    for (uint32_t number = 0; number < system->states; number++) {
        struct state state;
        double p = distribution[number];
        if (p <= 0 || !read_state(system, number, &state))
            continue;
        for (uint32_t i = 0; i < system->count; i++) {
            const struct sharing_member *member = &system->game->members[i];
            struct sharing_flow *flow = &evaluation->flows[i];
            uint32_t foreign = foreign_at(system, &state, i);
            uint32_t occupied = state.present[i] + foreign;
            bool finds_host = false;
            flow->lent += p * foreign;
            flow->utilisation += p * fmin(occupied, member->gpus) / member->gpus;
            for (uint32_t j = 0; j < system->count; j++) {
                flow->borrowed += p * state.lent[i][j];
                finds_host = finds_host || lends(system, &state, i, j);
            }
            if (occupied < member->gpus || finds_host)
                continue;
            uint32_t ahead = occupied - member->gpus;
            double accepted = ahead < system->rooms[i] ? sharing_acceptance(member, ahead) : 0;
            flow->waits += p * accepted;
            flow->refused += p * (1 - accepted);
        }
    }
    for (uint32_t i = 0; i < system->count; i++) {
        const struct sharing_member *member = &system->game->members[i];
        evaluation->flows[i].outside =
            evaluation->flows[i].refused * member->arrival_rate / member->service_rate;
    }
    evaluation->mismatch = 0;
    evaluation->iterations = 1;
}
