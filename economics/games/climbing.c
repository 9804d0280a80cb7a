#include "economics/games/climbing.h"

#define GAIN 1e-12

enum { SWEEPS_MAX = 200 };

enum status climbing_evaluate(struct climbing *climbing, struct fault *fault)
{
    double worth = 0.0;
    double paid = 0.0;
    climbing->size = 0;
    for (uint32_t i = 0; i < climbing->oracle->players; i++) {
        oracle_set(climbing->oracle, i, climbing->in[i]);
        paid += climbing->in[i] ? climbing->split[i] : 0.0;
        climbing->size += climbing->in[i] ? 1 : 0;
    }
    enum status status = oracle_worth(climbing->oracle, &worth, fault);
    climbing->excess = worth - paid;
    return status;
}

static bool proper(const struct climbing *climbing)
{
    return climbing->size > 0 && climbing->size < climbing->oracle->players;
}

enum status climbing_run(struct climbing *climbing, struct fault *fault)
{
    bool better = true;
    enum status status = climbing_evaluate(climbing, fault);
    for (uint32_t sweep = 0; better && sweep < SWEEPS_MAX && status == STATUS_OK; sweep++) {
        better = false;
        for (uint32_t i = 0; i < climbing->oracle->players && status == STATUS_OK; i++) {
            double const before = climbing->excess;
            bool const was_proper = proper(climbing);
            climbing->in[i] = !climbing->in[i];
            status = climbing_evaluate(climbing, fault);
            bool const stays = proper(climbing) &&
                               (!was_proper || climbing->excess > before + GAIN * climbing->scale);
            if (!stays) {
                climbing->in[i] = !climbing->in[i];
                climbing->excess = before;
                climbing->size += climbing->in[i] ? 1u : UINT32_MAX; /* back: one more or less */
            }
            better = better || stays;
            if (climbing->stop != NULL && climbing->stop(climbing->context))
                return status;
        }
    }
    return status;
}
