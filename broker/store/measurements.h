/*
 * Store, measurements: what jobs reached, beside what was predicted before it was learned; and the
 * fits that were made of it. Contract as in store.h.
 *
 * A measurement has a natural key (a receipt's lease and sequence; a profile's job and
 * configuration), so that the same word twice is one row. Each member keeps its newest
 * MEASUREMENTS_PER_HOME_MAX receipts' and PROFILES_PER_HOME_MAX profiles' rows: no flood of one
 * member's pushes out another's.
 */
#ifndef ENTENTE_BROKER_STORE_MEASUREMENTS_H
#define ENTENTE_BROKER_STORE_MEASUREMENTS_H

#include "base/domain/lease.h"
#include "broker/store/store.h"

enum {
    MEASUREMENTS_PER_HOME_MAX = 1000,
    PROFILES_PER_HOME_MAX = 200,
    FITS_KEPT = 8, /* the newest; a round's snapshot needs none to replay */
    FIT_BYTES_MAX = 64 * 1024 * 1024
};

enum measurement_kind {
    MEASUREMENT_RECEIPT, /* settled, of a run under a lease */
    MEASUREMENT_PROFILE, /* by the job's home, before it ran */
    MEASUREMENT_KIND_COUNT
};

struct store_measurement {
    uint64_t row; /* grows */
    enum measurement_kind kind;
    struct lease_id lease; /* a receipt's */
    uint32_t sequence;     /* likewise */
    struct name job;
    struct name home;
    struct name model; /* "": the job names none */
    struct pool_id pool;
    uint32_t gpus;
    uint32_t nodes;
    uint32_t gpus_on_fullest;
    double batch; /* examples a worker and step */
    double step_seconds;
    bool confirmed; /* signed by two members */
    int64_t measured_wall_ms;
    /* what was predicted of it before it was learned */
    double predicted; /* examples/s; 0: nothing was known */
    double low;       /* 0: stated, not fitted */
    double high;
    double delivery; /* the host's factor in it; 1 where none */
    unsigned basis;  /* enum throughput_basis */
    uint64_t fit;
};

static inline double store_measurement_speed(const struct store_measurement *of)
{
    return of->gpus * of->batch / of->step_seconds;
}

/* The same key again: the first word stands for a receipt, the newest for a profile. Older rows of
 * that home beyond its quota are forgotten. *added: something is new. */
MUST_USE enum status store_measurement_put(struct store *store,
                                           const struct store_measurement *measurement, bool *added,
                                           struct fault *fault);
/* Newest first: those with a row below `before` (0: from the newest), at most `rows`. */
MUST_USE enum status store_measurement_list(struct store *store, uint64_t before, uint32_t rows,
                                            struct arena *arena, struct store_measurement **list,
                                            uint32_t *count, struct fault *fault);

struct store_fit {
    uint64_t version; /* >= 1 */
    int64_t made_wall_ms;
    struct bytes model; /* its file's text */
};

/* Under the next version, which *fit gets; older ones than FITS_KEPT are forgotten. */
MUST_USE enum status store_fit_add(struct store *store, struct store_fit *fit, struct fault *fault);
/* NOT_FOUND where there is none yet. */
MUST_USE enum status store_fit_newest(struct store *store, struct arena *arena,
                                      struct store_fit *fit, struct fault *fault);

#endif
