#include "economics/sharing/sharing.h"

#include <math.h>

#include "base/elementary.h"

#define ACCEPTANCE_LEAST 1e-9
#define RATE_MOST        1e6

static bool within(double number, double least, double most)
{
    return number >= least && number <= most; /* false of NaN */
}

enum status sharing_check(const struct sharing_game *game, struct fault *fault)
{
    if (game->member_count < 1 || game->member_count > SHARING_MEMBERS_MAX)
        return fault_set(fault, STATUS_INVALID, "%u members must be 1 to %d", game->member_count,
                         SHARING_MEMBERS_MAX);
    if (!within(game->federation_price, 0, RATE_MOST) || !within(game->exponent, 0, 1))
        return fault_set(fault, STATUS_INVALID,
                         "the federation price must be 0 to %g, the exponent 0 to 1", RATE_MOST);
    for (uint32_t i = 0; i < game->member_count; i++) {
        const struct sharing_member *member = &game->members[i];
        uint32_t room;
        if (member->gpus < 1 || member->gpus > SHARING_GPUS_MAX)
            return fault_set(fault, STATUS_INVALID, "member %u: %u GPUs must be 1 to %d", i,
                             member->gpus, SHARING_GPUS_MAX);
        if (!within(member->arrival_rate, 1 / RATE_MOST, RATE_MOST) ||
            !within(member->service_rate, 1 / RATE_MOST, RATE_MOST))
            return fault_set(fault, STATUS_INVALID,
                             "member %u: arrival and service rates must be %g to %g", i,
                             1 / RATE_MOST, RATE_MOST);
        if (!within(member->waiting_limit, 0, RATE_MOST) ||
            !within(member->outside_price, 0, RATE_MOST) ||
            !within(member->running_cost, 0, RATE_MOST))
            return fault_set(fault, STATUS_INVALID,
                             "member %u: waiting limit, outside price and running cost must be "
                             "0 to %g",
                             i, RATE_MOST);
        enum status status = sharing_waiting_room(member, &room, fault);
        if (status != STATUS_OK)
            return fault_prefix(fault, status, "member %u", i);
    }
    return STATUS_OK;
}

/* P(Erlang(ahead + 1, Nμ) <= T) = P(Poisson(NμT) > ahead). */
double sharing_acceptance(const struct sharing_member *member, uint32_t ahead)
{
    double mean = member->gpus * member->service_rate * member->waiting_limit;
    if (mean <= 0)
        return 0;
    double term = elementary_exp(-mean);
    if (term <= 0) /* so many departures in time that only the mean matters */
        return ahead < mean ? 1 : 0;
    double below = term;
    for (uint32_t k = 1; k <= ahead; k++) {
        term *= mean / k;
        below += term;
    }
    return fmax(0, 1 - below);
}

enum status sharing_waiting_room(const struct sharing_member *member, uint32_t *room,
                                 struct fault *fault)
{
    *room = 0;
    while (sharing_acceptance(member, *room) > ACCEPTANCE_LEAST)
        if (++*room > SHARING_WAITING_MAX)
            return fault_set(fault, STATUS_EXHAUSTED,
                             "more than %d jobs would wait; shorten the waiting limit",
                             SHARING_WAITING_MAX);
    return STATUS_OK;
}

bool sharing_may_borrow(const struct sharing_game *game, const uint32_t *shares, uint32_t borrower,
                        uint32_t host)
{
    return borrower != host && shares[host] > 0 && (!game->sharers_only || shares[borrower] > 0);
}

/* A birth-death chain in the number of jobs present. */
void sharing_alone(const struct sharing_member *member, struct sharing_flow *flow)
{
    double weight = 1;
    double sum = 0;
    double busy = 0;
    double waits = 0;
    double refused = 0;
    for (uint32_t jobs = 0; weight > 0; jobs++) {
        double accepted = jobs < member->gpus ? 1 : sharing_acceptance(member, jobs - member->gpus);
        if (jobs > member->gpus + SHARING_WAITING_MAX || accepted <= ACCEPTANCE_LEAST)
            accepted = 0;
        sum += weight;
        busy += weight * (jobs < member->gpus ? jobs : member->gpus);
        waits += jobs < member->gpus ? 0 : weight * accepted;
        refused += weight * (1 - accepted);
        uint32_t serving = jobs + 1 < member->gpus ? jobs + 1 : member->gpus;
        weight *= member->arrival_rate * accepted / (serving * member->service_rate);
    }
    *flow = (struct sharing_flow){
        .outside = refused / sum * member->arrival_rate / member->service_rate,
        .utilisation = busy / sum / member->gpus,
        .waits = waits / sum,
        .refused = refused / sum,
    };
}

double sharing_cost(const struct sharing_game *game, uint32_t member,
                    const struct sharing_flow *flow)
{
    const struct sharing_member *who = &game->members[member];
    return who->outside_price * flow->outside +
           game->federation_price * (flow->borrowed - flow->lent) + who->running_cost * flow->lent;
}

double sharing_utility(const struct sharing_game *game, uint32_t member,
                       const struct sharing_flow *flow)
{
    struct sharing_flow alone;
    sharing_alone(&game->members[member], &alone);
    double saving = sharing_cost(game, member, &alone) - sharing_cost(game, member, flow);
    if (game->exponent <= 0)
        return saving;
    double rise = fmax(flow->utilisation - alone.utilisation, SHARING_RISE_LEAST);
    return saving / elementary_pow(rise, game->exponent);
}
