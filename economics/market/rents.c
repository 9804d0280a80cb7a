#include "economics/market/rents.h"

#include "economics/market/face.h"
#include "economics/market/solver/covering.h"

enum status rents_find(const struct prepared *prepared, const struct allocation *allocation,
                       struct lp_environment *environment, struct arena *arena, struct rents *rents,
                       struct fault *fault)
{
    const struct market *market = prepared->market;
    double *pool = arena_alloc(arena, market->pool_count, sizeof *pool);
    double *row = arena_alloc(arena, market->row_count, sizeof *row);
    bool averaged = false;
    uint64_t iterations = 0;
    if (pool == NULL || row == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
    enum status status =
        face_average(prepared, allocation, environment, pool, row, &averaged, &iterations, fault);
    if (status == STATUS_OK)
        status = covering_make(market, averaged ? pool : allocation->pool_dual,
                               averaged ? row : allocation->row_dual, arena, rents, fault);
    rents->averaged = averaged;
    rents->iterations = iterations;
    return status;
}
