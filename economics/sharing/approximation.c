/*
 * The approximation: one chain a member, of (own jobs present, GPUs lent, GPUs borrowed), joined to
 * the others by two functions that are found again from their chains until nothing changes:
 *
 *   asked[f]   the rate at which others ask the member for a GPU while it lends f: of each borrower
 *              its arrivals times the chance that it finds none at home, given how many it has
 *              borrowed if f of its host's are lent; shared out among the hosts that have one free.
 *   found[b]   the chance that a member that needs a GPU finds one while it borrows b: from the
 *              distribution of what each host lends, weighted by how likely b of it are the
 *              member's own.
 *
 * Given those counts members are taken as independent. With two members the counts are the same
 * number and what remains is the error of taking the host's and the borrower's own jobs as
 * independent given it.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "economics/sharing/markov.h"
#include "economics/sharing/sharing.h"

enum { ITERATIONS_MAX = 300, BORROWED_MAX = 256, TRANSITIONS_PER_STATE = 6 };

#define CHAIN_TOLERANCE  1e-10
#define FIXED_TOLERANCE  1e-7
#define BORROWED_SPREADS 6.0 /* deviations beyond the mean that the chain has room for */

struct chain {
    struct markov markov;
    double *distribution; /* [present][lent][borrowed], the first slowest */
    uint32_t present_count;
    uint32_t lent_count;     /* shares + 1 */
    uint32_t borrowed_count; /* room for borrowed + 1 */
    bool fresh;              /* laid out anew: start from a guess */
    double *accepted;        /* by jobs waiting ahead, [room + 1] */
    double *asked;           /* [gpus + 1] */
    double *found;           /* [BORROWED_MAX + 1] */
    double *lent;            /* P(f), [gpus + 1] */
    double *spare;           /* P(a GPU to lend | f), [gpus + 1] */
    double *blocked;         /* P(no free GPU at home | b), [BORROWED_MAX + 1] */
    double *borrowed;        /* P(b), [BORROWED_MAX + 1] */
    double blocked_rate;     /* λ P(no free GPU at home) */
    double spare_mean;       /* P(a GPU to lend) */
    struct sharing_flow flow;
};

struct sharing_approximation {
    const struct sharing_game *game;
    uint32_t shares[SHARING_MEMBERS_MAX];
    uint32_t rooms[SHARING_MEMBERS_MAX];
    struct chain chains[SHARING_MEMBERS_MAX];
    double any[2 * (BORROWED_MAX + 1)]; /* convolutions */
    double none[2 * (BORROWED_MAX + 1)];
};

static enum status open_chain(struct sharing_approximation *approximation, uint32_t member,
                              struct arena *arena, struct fault *fault);
static void lay_out(struct sharing_approximation *approximation, const uint32_t *shares);
static void find_asked(struct sharing_approximation *approximation, uint32_t host);
static void find_found(struct sharing_approximation *approximation, uint32_t borrower);
static void solve_chain(struct sharing_approximation *approximation, uint32_t member);
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

/* How many others could ever be borrowed, cut where more is improbable: the member's own demand has
 * a mean of λ/μ GPUs and, were all of it borrowed, about as large a variance. */
static uint32_t borrowed_room(const struct sharing_game *game, const uint32_t *shares,
                              uint32_t member)
{
    uint32_t offered = 0;
    double demand = game->members[member].arrival_rate / game->members[member].service_rate;
    double likely = fmax(demand - game->members[member].gpus / 2.0, demand / 4) +
                    BORROWED_SPREADS * sqrt(demand) + 4;
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
    chain->asked = arena_alloc(arena, gpus + 1u, sizeof *chain->asked);
    chain->lent = arena_alloc(arena, gpus + 1u, sizeof *chain->lent);
    chain->spare = arena_alloc(arena, gpus + 1u, sizeof *chain->spare);
    chain->found = arena_alloc(arena, BORROWED_MAX + 1u, sizeof *chain->found);
    chain->blocked = arena_alloc(arena, BORROWED_MAX + 1u, sizeof *chain->blocked);
    chain->borrowed = arena_alloc(arena, BORROWED_MAX + 1u, sizeof *chain->borrowed);
    if (chain->distribution == NULL || chain->accepted == NULL || chain->asked == NULL ||
        chain->lent == NULL || chain->spare == NULL || chain->found == NULL ||
        chain->blocked == NULL || chain->borrowed == NULL)
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
    evaluation->converged = false;
    evaluation->iterations = 0;
    while (!evaluation->converged && evaluation->iterations < ITERATIONS_MAX) {
        double change = 0;
        for (uint32_t i = 0; i < count; i++) {
            struct sharing_flow before = approximation->chains[i].flow;
            const struct sharing_flow *after = &approximation->chains[i].flow;
            find_asked(approximation, i);
            find_found(approximation, i);
            solve_chain(approximation, i);
            describe_chain(approximation, i);
            change = fmax(change, fabs(after->lent - before.lent));
            change = fmax(change, fabs(after->borrowed - before.borrowed));
            change = fmax(change, fabs(after->outside - before.outside));
        }
        evaluation->iterations++;
        evaluation->converged = change <= FIXED_TOLERANCE;
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

/* The functions of a member of which nothing is known: nothing lent, nothing borrowed, alone. */
static void guess(struct sharing_approximation *approximation, uint32_t member)
{
    struct chain *chain = &approximation->chains[member];
    const struct sharing_member *who = &approximation->game->members[member];
    struct sharing_flow alone;
    sharing_alone(who, &alone);
    double busy = fmin(alone.waits + alone.refused, 1);
    memset(chain->lent, 0, (who->gpus + 1u) * sizeof *chain->lent);
    memset(chain->borrowed, 0, (BORROWED_MAX + 1u) * sizeof *chain->borrowed);
    for (uint32_t f = 0; f <= who->gpus; f++)
        chain->spare[f] = f < approximation->shares[member] ? 1 - busy : 0;
    for (uint32_t b = 0; b <= BORROWED_MAX; b++)
        chain->blocked[b] = busy;
    chain->lent[0] = 1;
    chain->borrowed[0] = 1;
    chain->blocked_rate = who->arrival_rate * busy;
    chain->spare_mean = chain->spare[0];
    chain->flow = alone;
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
        if (!known)
            guess(approximation, i);
        for (uint32_t f = shares[i]; f <= game->members[i].gpus; f++)
            chain->spare[f] = 0;
    }
}

/* --- what joins the chains */

/* A function of a whole number, taken between two. */
static double between(const double *values, uint32_t count, double at)
{
    uint32_t low = at <= 0 ? 0 : (uint32_t)at;
    if (low + 1 >= count)
        return values[count - 1];
    double part = fmax(0, at - low);
    return values[low] + part * (values[low + 1] - values[low]);
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

static void find_asked(struct sharing_approximation *approximation, uint32_t host)
{
    const struct sharing_game *game = approximation->game;
    struct chain *chain = &approximation->chains[host];
    for (uint32_t f = 0; f <= game->members[host].gpus; f++)
        chain->asked[f] = 0;
    for (uint32_t i = 0; i < game->member_count; i++) {
        if (!sharing_may_borrow(game, approximation->shares, i, host))
            continue;
        const struct chain *borrower = &approximation->chains[i];
        double chance = chance_of_choice(approximation, i, host);
        double part = part_of(approximation, i, host);
        double elsewhere = fmax(0, borrower->flow.borrowed - part * chain->flow.lent);
        for (uint32_t f = 0; f < chain->lent_count; f++)
            chain->asked[f] +=
                game->members[i].arrival_rate * chance *
                between(borrower->blocked, borrower->borrowed_count, elsewhere + part * f);
    }
}

/* into: [borrowed_count] becomes the distribution of the sum of itself and of `part` of what the
 * host lends, each with the host's weight of f. */
static void add_host(double *into, uint32_t count, const struct chain *host, double part,
                     bool only_without)
{
    double sum[BORROWED_MAX + 1] = {0};
    for (uint32_t f = 0; f < host->lent_count; f++) {
        double weight = host->lent[f] * (only_without ? 1 - host->spare[f] : 1);
        double binomial = 1; /* P(none of the f is the borrower's), then of one more */
        for (uint32_t k = 0; k < f; k++)
            binomial *= 1 - part;
        for (uint32_t mine = 0; mine <= f && weight > 0; mine++) {
            for (uint32_t b = 0; b + mine < count; b++)
                sum[b + mine] += into[b] * weight * binomial;
            if (part >= 1)
                binomial = mine + 1 == f ? 1 : 0;
            else
                binomial *= (double)(f - mine) / (mine + 1) * part / (1 - part);
        }
    }
    memcpy(into, sum, count * sizeof *into);
}

static void find_found(struct sharing_approximation *approximation, uint32_t borrower)
{
    const struct sharing_game *game = approximation->game;
    struct chain *chain = &approximation->chains[borrower];
    double *any = approximation->any;
    double *none = approximation->none;
    uint32_t count = chain->borrowed_count;
    double independent = 1;
    memset(any, 0, count * sizeof *any);
    memset(none, 0, count * sizeof *none);
    any[0] = none[0] = 1;
    for (uint32_t j = 0; j < game->member_count; j++) {
        if (!sharing_may_borrow(game, approximation->shares, borrower, j))
            continue;
        double part = part_of(approximation, borrower, j);
        add_host(any, count, &approximation->chains[j], part, false);
        add_host(none, count, &approximation->chains[j], part, true);
        independent *= 1 - approximation->chains[j].spare_mean;
    }
    for (uint32_t b = 0; b < count; b++)
        chain->found[b] = any[b] > 1e-12 ? fmax(0, 1 - none[b] / any[b]) : 1 - independent;
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

static void add_state(struct sharing_approximation *approximation, uint32_t member, uint32_t l,
                      uint32_t f, uint32_t b, double lent_rate)
{
    struct chain *chain = &approximation->chains[member];
    const struct sharing_member *who = &approximation->game->members[member];
    struct markov *markov = &chain->markov;
    uint32_t here = state_at(chain, l, f, b);
    uint32_t running = l < who->gpus - f ? l : who->gpus - f;
    bool is_free = l + f < who->gpus;
    double found = b + 1 < chain->borrowed_count ? chain->found[b] : 0;
    double stays = is_free ? 1 : (1 - found) * chain->accepted[l + f - who->gpus];
    if (l + 1 < chain->present_count && l + f < who->gpus + approximation->rooms[member])
        markov_add(markov, here, state_at(chain, l + 1, f, b), who->arrival_rate * stays);
    if (!is_free && found > 0)
        markov_add(markov, here, state_at(chain, l, f, b + 1), who->arrival_rate * found);
    if (is_free && f + 1 < chain->lent_count)
        markov_add(markov, here, state_at(chain, l, f + 1, b), chain->asked[f]);
    if (running > 0)
        markov_add(markov, here, state_at(chain, l - 1, f, b), running * who->service_rate);
    if (f > 0)
        markov_add(markov, here, state_at(chain, l, f - 1, b), f * lent_rate);
    if (b > 0)
        markov_add(markov, here, state_at(chain, l, f, b - 1), b * who->service_rate);
}

static void solve_chain(struct sharing_approximation *approximation, uint32_t member)
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
    (void)markov_solve(&chain->markov, CHAIN_TOLERANCE, chain->distribution);
}

/* Its functions and flows out of its distribution. */
static void describe_chain(struct sharing_approximation *approximation, uint32_t member)
{
    struct chain *chain = &approximation->chains[member];
    const struct sharing_member *who = &approximation->game->members[member];
    struct sharing_flow flow = {0};
    double busy = 0;
    memset(chain->lent, 0, (who->gpus + 1u) * sizeof *chain->lent);
    memset(chain->spare, 0, (who->gpus + 1u) * sizeof *chain->spare);
    memset(chain->borrowed, 0, chain->borrowed_count * sizeof *chain->borrowed);
    memset(chain->blocked, 0, chain->borrowed_count * sizeof *chain->blocked);
    for (uint32_t l = 0; l < chain->present_count; l++)
        for (uint32_t f = 0; f < chain->lent_count && l + f < chain->present_count; f++)
            for (uint32_t b = 0; b < chain->borrowed_count; b++) {
                double p = chain->distribution[state_at(chain, l, f, b)];
                bool is_free = l + f < who->gpus;
                double lost = b + 1 < chain->borrowed_count ? 1 - chain->found[b] : 1;
                chain->lent[f] += p;
                chain->borrowed[b] += p;
                flow.utilisation += p * fmin(l + f, who->gpus) / who->gpus;
                flow.lent += p * f;
                flow.borrowed += p * b;
                if (is_free) {
                    chain->spare[f] += f + 1 < chain->lent_count ? p : 0;
                    continue;
                }
                double accepted = chain->accepted[l + f - who->gpus];
                chain->blocked[b] += p;
                busy += p;
                flow.waits += p * lost * accepted;
                flow.refused += p * lost * (1 - accepted);
            }
    flow.outside = flow.refused * who->arrival_rate / who->service_rate;
    chain->flow = flow;
    chain->blocked_rate = who->arrival_rate * busy;
    chain->spare_mean = 0;
    for (uint32_t f = 0; f < chain->lent_count; f++) {
        chain->spare_mean += chain->spare[f];
        chain->spare[f] = chain->lent[f] > 0 ? chain->spare[f] / chain->lent[f] : 0;
    }
    for (uint32_t b = 0; b < chain->borrowed_count; b++)
        chain->blocked[b] =
            chain->borrowed[b] > 1e-12 ? chain->blocked[b] / chain->borrowed[b] : busy;
}
