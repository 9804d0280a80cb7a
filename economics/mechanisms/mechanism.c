#include "economics/mechanisms/mechanism.h"

#include <string.h>

#include "base/nearest.h"
#include "economics/mechanisms/mechanism_splits.h"

const struct mechanism mechanisms[] = {
    {"owen", "resources at dual prices: in the core, no side payments", NULL, false, plan_make_with,
     NULL},
    {"shapley", "mean marginal contribution", "shapley", false, plan_make_with, split_shapley},
    {"nucleolus", "the least of the largest objections", "nucleolus", false, plan_make_with,
     split_tabled},
    {"per-capita-nucleolus", "the same, objections by head", "per-capita-nucleolus", false,
     plan_make_with, split_tabled},
    {"nearest-core", "the core point nearest to Shapley", "nearest-core", false, plan_make_with,
     split_tabled},
    {"tau", "between minimal rights and utopia", "tau", false, plan_make_with, split_tabled},
    {"proportional", "in proportion to what each reaches alone", NULL, false, plan_make_with,
     split_proportional},
    {"equal", "equal shares", NULL, false, plan_make_with, split_equal},
    {"egalitarian", "what each reaches alone and an equal part of the rest", NULL, false,
     plan_make_with, split_egalitarian},
    {"vcg", "what each adds to the others; an account funds the deficit", NULL, true,
     plan_make_with, split_vcg},
};

const size_t mechanism_count = sizeof mechanisms / sizeof mechanisms[0];

enum status mechanism_find(const char *name, const struct mechanism **mechanism,
                           struct fault *fault)
{
    struct nearest nearest;
    char hint[NAME_HINT_MAX];
    char all[256] = "";
    size_t used = 0;
    nearest_begin(&nearest, name);
    for (size_t m = 0; m < mechanism_count; m++) {
        *mechanism = &mechanisms[m];
        if (strcmp(mechanisms[m].name, name) == 0)
            return STATUS_OK;
        nearest_offer(&nearest, mechanisms[m].name);
        size_t const length = strlen(mechanisms[m].name);
        if (used + length + 3 < sizeof all) {
            memcpy(all + used, used == 0 ? "" : ", ", used == 0 ? 0 : 2);
            used += used == 0 ? 0 : 2;
            memcpy(all + used, mechanisms[m].name, length + 1);
            used += length;
        }
    }
    nearest_hint(&nearest, hint);
    return fault_set(fault, STATUS_INVALID, "no mechanism is called '%.64s'%s (there are %s)", name,
                     hint, all);
}

enum status split_find(const struct mechanism *mechanism, const struct market *market,
                       const struct plan *plan, const double *worth, struct arena *arena,
                       struct split *split, struct fault *fault)
{
    *split = (struct split){.worth = worth};
    if (mechanism->split == NULL || plan->objective.micros <= 0)
        return STATUS_OK;
    if (market->member_count > MECHANISM_MEMBERS_MAX) {
        split_refuse(split, "%u members are more than the %d of which %s is found",
                     market->member_count, MECHANISM_MEMBERS_MAX, mechanism->name);
        return STATUS_OK;
    }
    enum status status = mechanism->split(mechanism, market, plan, arena, split, fault);
    if (status == STATUS_OK && split->paid && split->worth == NULL && split_affordable(market))
        status = split_table(market, arena, split, fault); /* for the certificate */
    return status;
}
