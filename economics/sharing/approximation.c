/*
 * The approximation: one chain a member, of (own jobs present, GPUs lent f, GPUs borrowed b),
 * joined to the others by two functions that are found again from their chains until nothing
 * changes:
 *
 *   asked[f][b]  the rate at which others ask the member for a GPU: of each borrower its arrivals
 *                times the chance that it finds none at home, given how many GPUs it is then likely
 *                to have borrowed and lent; shared out among the hosts that have one free.
 *   found[f][b]  the chance that the member finds a GPU when it needs one, given how many each host
 *                is then likely to lend and to have borrowed.
 *
 * "Likely" is the other's mean, moved by the member's own deviation from its mean in the proportion
 * in which they deal with each other; functions are taken between whole numbers linearly. With two
 * members both counts are known exactly, and what remains is the error of taking the two members'
 * own jobs as independent given them. With more than three members the chain leaves b out (Little's
 * law gives its mean): each host then has so small a part of it that b tells little. What is missed
 * with many is that all are busy at once.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "economics/sharing/markov.h"
#include "economics/sharing/sharing.h"

enum { COUNTED_MEMBERS_MAX = 3 }; /* with more, the chain leaves out what the member has borrowed */

enum { ITERATIONS_MAX = 300, BORROWED_MAX = 256, TRANSITIONS_PER_STATE = 6 };

#define CHAIN_TOLERANCE  1e-10 /* at the fixed point; looser while far from it */
#define CHAIN_LOOSEST    1e-4
#define CHAIN_OF_CHANGE  1e-3
#define FIXED_TOLERANCE  1e-7
#define BORROWED_SPREADS 3.5 /* deviations beyond the mean that the chain has room for */

struct chain {
    struct markov markov;
    double *distribution; /* [present][lent][borrowed], the first slowest */
    uint32_t present_count;
    uint32_t lent_count;     /* shares + 1 */
    uint32_t borrowed_count; /* room for borrowed + 1 */
    bool fresh;              /* laid out anew: start from a guess */
    double *accepted;        /* by jobs waiting ahead, [room + 1] */
    double *asked;           /* [lent][borrowed] */
    double *found;           /* [lent][borrowed] */
    double *weight;          /* P(f, b), [lent][borrowed] */
    double *spare;           /* P(a GPU to lend | f, b), [lent][borrowed] */
    double *blocked;         /* P(no free GPU at home | f, b), [lent][borrowed] */
    double blocked_rate;     /* λ P(no free GPU at home) */
    double spare_mean;       /* P(a GPU to lend) */
    struct sharing_flow flow;
};

struct sharing_approximation {
    const struct sharing_game *game;
    uint32_t shares[SHARING_MEMBERS_MAX];
    uint32_t rooms[SHARING_MEMBERS_MAX];
    struct chain chains[SHARING_MEMBERS_MAX];
};

static enum status open_chain(struct sharing_approximation *approximation, uint32_t member,
                              struct arena *arena, struct fault *fault);
static void lay_out(struct sharing_approximation *approximation, const uint32_t *shares);
static void find_asked(struct sharing_approximation *approximation, uint32_t host);
static void find_found(struct sharing_approximation *approximation, uint32_t borrower);
static void solve_chain(struct sharing_approximation *approximation, uint32_t member,
                        double tolerance);
static void describe_chain(struct sharing_approximation *approximation, uint32_t member);

enum status sharing_approximation_open(const struct sharing_game *game, struct arena *arena,
                                       struct sharing_approximation **approximation,
                                       struct fault *fault)
{
    enum status status = sharing_check(game, fault);
    if (status != STATUS_OK)
        return status;
    struct sharing_approximation *opened = arena_alloc(arena, 1, sizeof *opened);
    if (opened == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the sharing game");
    opened->game = game;
    for (uint32_t i = 0; i < game->member_count; i++) {
        opened->shares[i] = UINT32_MAX; /* none yet */
        status = open_chain(opened, i, arena, fault);
        if (status != STATUS_OK)
            return status;
    }
    *approximation = opened;
    return STATUS_OK;
}

/* How many others' GPUs the chain has room for: what is offered, cut where more is improbable. What
 * a member seeks elsewhere is its overflow, half as much again for what it lends; overflow varies
 * about twice as much as a Poisson number [Wilkinson 1956]. */
static uint32_t borrowed_room(const struct sharing_game *game, const uint32_t *shares,
                              uint32_t member)
{
    const struct sharing_member *who = &game->members[member];
    struct sharing_flow alone;
    uint32_t offered = 0;
    if (game->member_count > COUNTED_MEMBERS_MAX)
        return 0;
    sharing_alone(who, &alone);
    double overflow =
        fmin(1, 0.1 + 1.5 * (alone.waits + alone.refused)) * who->arrival_rate / who->service_rate;
    double likely = overflow + BORROWED_SPREADS * sqrt(2 * overflow + 1) + 1;
    for (uint32_t host = 0; host < game->member_count; host++)
        if (sharing_may_borrow(game, shares, member, host))
            offered += shares[host];
    uint32_t room = likely < BORROWED_MAX ? (uint32_t)likely : BORROWED_MAX;
    return offered < room ? offered : room;
}

static enum status open_chain(struct sharing_approximation *approximation, uint32_t member,
                              struct arena *arena, struct fault *fault)
{
    const struct sharing_game *game = approximation->game;
    struct chain *chain = &approximation->chains[member];
    uint32_t gpus = game->members[member].gpus;
    uint32_t everything[SHARING_MEMBERS_MAX];
    enum status status =
        sharing_waiting_room(&game->members[member], &approximation->rooms[member], fault);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = 0; i < game->member_count; i++)
        everything[i] = game->members[i].gpus;
    uint64_t states = (uint64_t)(gpus + approximation->rooms[member] + 1) * (gpus + 1) *
                      (borrowed_room(game, everything, member) + 1);
    if (states > SHARING_EXACT_STATES_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "member %u: its chain has more than %d states",
                         member, SHARING_EXACT_STATES_MAX);
    chain->distribution = arena_alloc(arena, states, sizeof *chain->distribution);
    chain->accepted =
        arena_alloc(arena, approximation->rooms[member] + 1u, sizeof *chain->accepted);
    size_t dealt = (size_t)(gpus + 1) * (borrowed_room(game, everything, member) + 1);
    double **functions[] = {&chain->asked, &chain->found, &chain->weight, &chain->spare,
                            &chain->blocked};
    for (size_t f = 0; f < sizeof functions / sizeof functions[0]; f++) {
        *functions[f] = arena_alloc(arena, dealt, sizeof **functions[f]);
        if (*functions[f] == NULL)
            return fault_set(fault, STATUS_NO_MEMORY, "no memory for member %u's chain", member);
    }
    if (chain->distribution == NULL || chain->accepted == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for member %u's chain", member);
    for (uint32_t ahead = 0; ahead <= approximation->rooms[member]; ahead++)
        chain->accepted[ahead] = ahead < approximation->rooms[member]
                                     ? sharing_acceptance(&game->members[member], ahead)
                                     : 0;
    return markov_init(&chain->markov, (uint32_t)states, (uint32_t)states * TRANSITIONS_PER_STATE,
                       arena, fault);
}

void sharing_approximate(struct sharing_approximation *approximation, const uint32_t *shares,
                         struct sharing_evaluation *evaluation)
{
    uint32_t count = approximation->game->member_count;
    double lent = 0;
    double borrowed = 0;
    lay_out(approximation, shares);
    double tolerance = CHAIN_LOOSEST;
    evaluation->converged = false;
    evaluation->iterations = 0;
    while (!evaluation->converged && evaluation->iterations < ITERATIONS_MAX) {
        double change = 0;
        for (uint32_t i = 0; i < count; i++) {
            struct sharing_flow before = approximation->chains[i].flow;
            const struct sharing_flow *after = &approximation->chains[i].flow;
            find_asked(approximation, i);
            find_found(approximation, i);
            solve_chain(approximation, i, tolerance);
            describe_chain(approximation, i);
            change = fmax(change, fabs(after->lent - before.lent));
            change = fmax(change, fabs(after->borrowed - before.borrowed));
            change = fmax(change, fabs(after->outside - before.outside));
        }
        evaluation->iterations++;
        evaluation->converged = change <= FIXED_TOLERANCE && tolerance <= CHAIN_TOLERANCE * 10;
        tolerance = fmin(CHAIN_LOOSEST, fmax(CHAIN_TOLERANCE, change * CHAIN_OF_CHANGE));
    }
    for (uint32_t i = 0; i < count; i++) {
        evaluation->flows[i] = approximation->chains[i].flow;
        lent += approximation->chains[i].flow.lent;
        borrowed += approximation->chains[i].flow.borrowed;
    }
    evaluation->mismatch = lent + borrowed > 0 ? 2 * fabs(lent - borrowed) / (lent + borrowed) : 0;
}

/* --- layout */

static uint32_t state_at(const struct chain *chain, uint32_t present, uint32_t lent,
                         uint32_t borrowed)
{
    return (present * chain->lent_count + lent) * chain->borrowed_count + borrowed;
}

static uint32_t dealt_at(const struct chain *chain, uint32_t lent, uint32_t borrowed)
{
    return lent * chain->borrowed_count + borrowed;
}

/* Of a chain laid out anew: its functions as if the counts told nothing, from its last means, or
 * from being alone where there are none yet. */
static void guess(struct sharing_approximation *approximation, uint32_t member, bool known)
{
    struct chain *chain = &approximation->chains[member];
    const struct sharing_member *who = &approximation->game->members[member];
    if (!known) {
        sharing_alone(who, &chain->flow);
        double busy = fmin(chain->flow.waits + chain->flow.refused, 1);
        chain->blocked_rate = who->arrival_rate * busy;
        chain->spare_mean = 1 - busy;
    }
    if (chain->lent_count == 1)
        chain->spare_mean = 0;
    for (uint32_t f = 0; f < chain->lent_count; f++)
        for (uint32_t b = 0; b < chain->borrowed_count; b++) {
            uint32_t at = dealt_at(chain, f, b);
            chain->weight[at] = 1.0 / (chain->lent_count * chain->borrowed_count);
            chain->spare[at] = f + 1 < chain->lent_count ? chain->spare_mean : 0;
            chain->blocked[at] = chain->blocked_rate / who->arrival_rate;
        }
}

/* Chains whose sizes stay keep their distribution as a first guess of the next one. */
static void lay_out(struct sharing_approximation *approximation, const uint32_t *shares)
{
    const struct sharing_game *game = approximation->game;
    for (uint32_t i = 0; i < game->member_count; i++) {
        struct chain *chain = &approximation->chains[i];
        uint32_t borrowed = borrowed_room(game, shares, i) + 1;
        assert(shares[i] <= game->members[i].gpus);
        bool same = chain->lent_count == shares[i] + 1 && chain->borrowed_count == borrowed;
        bool known = approximation->shares[i] != UINT32_MAX;
        approximation->shares[i] = shares[i];
        if (same)
            continue;
        chain->present_count = game->members[i].gpus + approximation->rooms[i] + 1;
        chain->lent_count = shares[i] + 1;
        chain->borrowed_count = borrowed;
        chain->markov.state_count = chain->present_count * chain->lent_count * borrowed;
        chain->fresh = true;
        guess(approximation, i, known);
    }
}

/* --- what joins the chains */

/* A function of two counts, linear between whole ones, constant beyond its ends. */
static double between(const struct chain *chain, const double *values, double lent, double borrowed)
{
    double f = fmin(fmax(lent, 0), chain->lent_count - 1);
    double b = fmin(fmax(borrowed, 0), chain->borrowed_count - 1);
    uint32_t f0 = (uint32_t)f;
    uint32_t b0 = (uint32_t)b;
    uint32_t f1 = f0 + 1 < chain->lent_count ? f0 + 1 : f0;
    uint32_t b1 = b0 + 1 < chain->borrowed_count ? b0 + 1 : b0;
    double low = values[dealt_at(chain, f0, b0)] +
                 (b - b0) * (values[dealt_at(chain, f0, b1)] - values[dealt_at(chain, f0, b0)]);
    double high = values[dealt_at(chain, f1, b0)] +
                  (b - b0) * (values[dealt_at(chain, f1, b1)] - values[dealt_at(chain, f1, b0)]);
    return low + (f - f0) * (high - low);
}

/* Which part of what a host lends is the borrower's. */
static double part_of(const struct sharing_approximation *approximation, uint32_t borrower,
                      uint32_t host)
{
    double mine = 0;
    double all = 0;
    for (uint32_t i = 0; i < approximation->game->member_count; i++) {
        if (!sharing_may_borrow(approximation->game, approximation->shares, i, host))
            continue;
        double weight =
            approximation->chains[i].blocked_rate / approximation->game->members[i].service_rate;
        all += weight;
        mine += i == borrower ? weight : 0;
    }
    return all > 0 ? mine / all : 0;
}

/* E[1 / (1 + how many of the others have one to lend)], others: hosts but `host`. */
static double chance_of_choice(const struct sharing_approximation *approximation, uint32_t borrower,
                               uint32_t host)
{
    double have[SHARING_MEMBERS_MAX] = {1};
    uint32_t others = 0;
    for (uint32_t k = 0; k < approximation->game->member_count; k++) {
        if (k == host ||
            !sharing_may_borrow(approximation->game, approximation->shares, borrower, k))
            continue;
        double p = approximation->chains[k].spare_mean;
        for (uint32_t n = ++others; n > 0; n--)
            have[n] = have[n] * (1 - p) + have[n - 1] * p;
        have[0] *= 1 - p;
    }
    double chance = 0;
    for (uint32_t n = 0; n <= others; n++)
        chance += have[n] / (1 + n);
    return chance;
}

/* How far b is from its mean; 0 where the chain leaves b out. */
static double beyond_mean(const struct chain *chain, uint32_t borrowed)
{
    return chain->borrowed_count > 1 ? borrowed - chain->flow.borrowed : 0;
}

/* Which part of what the borrower has borrowed is at the host. */
static double part_at(const struct sharing_approximation *approximation, uint32_t borrower,
                      uint32_t host)
{
    double here = 0;
    double all = 0;
    for (uint32_t j = 0; j < approximation->game->member_count; j++) {
        if (!sharing_may_borrow(approximation->game, approximation->shares, borrower, j))
            continue;
        double weight =
            fmax(approximation->chains[j].flow.lent, 1e-9) * part_of(approximation, borrower, j);
        all += weight;
        here += j == host ? weight : 0;
    }
    return all > 0 ? here / all : 0;
}

static void find_asked(struct sharing_approximation *approximation, uint32_t host)
{
    const struct sharing_game *game = approximation->game;
    struct chain *chain = &approximation->chains[host];
    memset(chain->asked, 0,
           (size_t)chain->lent_count * chain->borrowed_count * sizeof *chain->asked);
    for (uint32_t i = 0; i < game->member_count; i++) {
        if (!sharing_may_borrow(game, approximation->shares, i, host))
            continue;
        const struct chain *borrower = &approximation->chains[i];
        double rate = game->members[i].arrival_rate * chance_of_choice(approximation, i, host);
        double part = part_of(approximation, i, host);
        double back = part_at(approximation, host, i);
        for (uint32_t f = 0; f < chain->lent_count; f++)
            for (uint32_t b = 0; b < chain->borrowed_count; b++)
                chain->asked[dealt_at(chain, f, b)] +=
                    rate * between(borrower, borrower->blocked,
                                   borrower->flow.lent + back * beyond_mean(chain, b),
                                   borrower->flow.borrowed + part * (f - chain->flow.lent));
    }
}

static void find_found(struct sharing_approximation *approximation, uint32_t borrower)
{
    const struct sharing_game *game = approximation->game;
    struct chain *chain = &approximation->chains[borrower];
    size_t count = (size_t)chain->lent_count * chain->borrowed_count;
    for (size_t at = 0; at < count; at++)
        chain->found[at] = 1;
    for (uint32_t j = 0; j < game->member_count; j++) {
        if (!sharing_may_borrow(game, approximation->shares, borrower, j))
            continue;
        const struct chain *host = &approximation->chains[j];
        double at_host = part_at(approximation, borrower, j);
        double back = part_of(approximation, j, borrower);
        for (uint32_t f = 0; f < chain->lent_count; f++)
            for (uint32_t b = 0; b < chain->borrowed_count; b++)
                chain->found[dealt_at(chain, f, b)] *=
                    1 - between(host, host->spare,
                                host->flow.lent + at_host * beyond_mean(chain, b),
                                host->flow.borrowed + back * (f - chain->flow.lent));
    }
    for (size_t at = 0; at < count; at++)
        chain->found[at] = 1 - chain->found[at];
}

/* --- one chain */

/* The mean service rate of what is lent here: borrowers' rates by how much they borrow. */
static double lent_service_rate(const struct sharing_approximation *approximation, uint32_t host)
{
    const struct sharing_game *game = approximation->game;
    double jobs = 0;
    double held = 0;
    for (uint32_t i = 0; i < game->member_count; i++) {
        if (!sharing_may_borrow(game, approximation->shares, i, host))
            continue;
        jobs += approximation->chains[i].blocked_rate;
        held += approximation->chains[i].blocked_rate / game->members[i].service_rate;
    }
    return held > 0 ? jobs / held : game->members[host].service_rate;
}

/* The chance to find a GPU elsewhere; none where the chain has no room for one more. */
static double found_at(const struct sharing_approximation *approximation, uint32_t member,
                       uint32_t lent, uint32_t borrowed)
{
    const struct chain *chain = &approximation->chains[member];
    bool counted = approximation->game->member_count <= COUNTED_MEMBERS_MAX;
    if (counted && borrowed + 1 >= chain->borrowed_count)
        return 0;
    return chain->found[dealt_at(chain, lent, borrowed)];
}

static void add_state(struct sharing_approximation *approximation, uint32_t member, uint32_t l,
                      uint32_t f, uint32_t b, double lent_rate)
{
    struct chain *chain = &approximation->chains[member];
    const struct sharing_member *who = &approximation->game->members[member];
    struct markov *markov = &chain->markov;
    uint32_t here = state_at(chain, l, f, b);
    uint32_t running = l < who->gpus - f ? l : who->gpus - f;
    bool is_free = l + f < who->gpus;
    double found = found_at(approximation, member, f, b);
    double stays = is_free ? 1 : (1 - found) * chain->accepted[l + f - who->gpus];
    if (l + 1 < chain->present_count && l + f < who->gpus + approximation->rooms[member])
        markov_add(markov, here, state_at(chain, l + 1, f, b), who->arrival_rate * stays);
    if (!is_free && found > 0 && b + 1 < chain->borrowed_count)
        markov_add(markov, here, state_at(chain, l, f, b + 1), who->arrival_rate * found);
    if (is_free && f + 1 < chain->lent_count)
        markov_add(markov, here, state_at(chain, l, f + 1, b), chain->asked[dealt_at(chain, f, b)]);
    if (running > 0)
        markov_add(markov, here, state_at(chain, l - 1, f, b), running * who->service_rate);
    if (f > 0)
        markov_add(markov, here, state_at(chain, l, f - 1, b), f * lent_rate);
    if (b > 0)
        markov_add(markov, here, state_at(chain, l, f, b - 1), b * who->service_rate);
}

static void solve_chain(struct sharing_approximation *approximation, uint32_t member,
                        double tolerance)
{
    struct chain *chain = &approximation->chains[member];
    const struct sharing_member *who = &approximation->game->members[member];
    double lent_rate = lent_service_rate(approximation, member);
    uint32_t room = approximation->rooms[member];
    markov_clear(&chain->markov);
    for (uint32_t l = 0; l < chain->present_count; l++)
        for (uint32_t f = 0; f < chain->lent_count; f++)
            for (uint32_t b = 0; b < chain->borrowed_count; b++) {
                bool reached = l + f <= who->gpus + room;
                if (chain->fresh)
                    chain->distribution[state_at(chain, l, f, b)] = reached ? 1 : 0;
                if (reached)
                    add_state(approximation, member, l, f, b, lent_rate);
            }
    chain->fresh = false;
    (void)markov_solve(&chain->markov, tolerance, chain->distribution);
}

/* Its functions and flows out of its distribution. */
static void describe_chain(struct sharing_approximation *approximation, uint32_t member)
{
    struct chain *chain = &approximation->chains[member];
    const struct sharing_member *who = &approximation->game->members[member];
    struct sharing_flow flow = {0};
    double busy = 0;
    double sought = 0;
    size_t dealt = (size_t)chain->lent_count * chain->borrowed_count;
    memset(chain->weight, 0, dealt * sizeof *chain->weight);
    memset(chain->spare, 0, dealt * sizeof *chain->spare);
    memset(chain->blocked, 0, dealt * sizeof *chain->blocked);
    for (uint32_t l = 0; l < chain->present_count; l++)
        for (uint32_t f = 0; f < chain->lent_count && l + f < chain->present_count; f++)
            for (uint32_t b = 0; b < chain->borrowed_count; b++) {
                double p = chain->distribution[state_at(chain, l, f, b)];
                uint32_t at = dealt_at(chain, f, b);
                double lost = 1 - found_at(approximation, member, f, b);
                chain->weight[at] += p;
                flow.utilisation += p * fmin(l + f, who->gpus) / who->gpus;
                flow.lent += p * f;
                flow.borrowed += p * b;
                if (l + f < who->gpus) {
                    chain->spare[at] += f + 1 < chain->lent_count ? p : 0;
                    continue;
                }
                double accepted = chain->accepted[l + f - who->gpus];
                chain->blocked[at] += p;
                busy += p;
                sought += p * (1 - lost);
                flow.waits += p * lost * accepted;
                flow.refused += p * lost * (1 - accepted);
            }
    flow.outside = flow.refused * who->arrival_rate / who->service_rate;
    if (approximation->game->member_count > COUNTED_MEMBERS_MAX) /* Little's law */
        flow.borrowed = sought * who->arrival_rate / who->service_rate;
    chain->flow = flow;
    chain->blocked_rate = who->arrival_rate * busy;
    chain->spare_mean = 0;
    for (size_t at = 0; at < dealt; at++)
        chain->spare_mean += chain->spare[at];
    for (size_t at = 0; at < dealt; at++) {
        bool seen = chain->weight[at] > 1e-12;
        chain->spare[at] = seen ? chain->spare[at] / chain->weight[at] : chain->spare_mean;
        chain->blocked[at] = seen ? chain->blocked[at] / chain->weight[at] : busy;
    }
}
