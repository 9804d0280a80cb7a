/*
 * Servers: training with parameter servers as a closed queueing network: K workers go round
 * downlink (pull the model), compute (their own GPU), uplink (push the gradient) and server
 * (update) [Li, Yan, Paolieri & Golubchik, MASCOTS'18; Li, Paolieri & Golubchik, ICPE'20]. Links
 * and server are first come, first served; computing waits for nobody.
 *
 * Asynchronous: a worker starts its next pass at once. Exact for exponential service times by
 * mean-value analysis [Reiser & Lavenberg 1980]. Synchronous: the next step starts when the last
 * update of this one is done; then no product form holds, and for exponential times the mean of a
 * step is worked out exactly over the states of a step (ours; SERVERS_WORKERS_EXACT workers at
 * most). servers_simulate() takes deterministic and lognormal times too.
 *
 * With S servers, each holding 1/S of the model and all pulled at once, one server stands for all:
 * give its share of the times. Units: seconds. Thread rule: pure. Complexity: asynchronous O(K),
 * synchronous O(K⁴), simulation O(pushes log K).
 */
#ifndef ENTENTE_ECONOMICS_THROUGHPUT_SERVERS_H
#define ENTENTE_ECONOMICS_THROUGHPUT_SERVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

enum { SERVERS_WORKERS_MAX = 4096, SERVERS_WORKERS_EXACT = 64, SERVERS_PUSHES_MAX = 100000000 };

enum server_station {
    STATION_DOWNLINK,
    STATION_COMPUTE, /* one for each worker: nobody waits */
    STATION_UPLINK,
    STATION_SERVER,
    STATION_COUNT
};

struct server_training {
    uint32_t workers;
    bool synchronous;
    double mean_seconds[STATION_COUNT]; /* of one pass; >= 0, compute > 0 */
};

/* Pushes/s of all workers together: gradients applied. A synchronous step is `workers` of them. */
MUST_USE enum status servers_analyse(const struct server_training *training,
                                     double *pushes_per_second, struct fault *fault);

enum service_law { SERVICE_EXPONENTIAL, SERVICE_DETERMINISTIC, SERVICE_LOGNORMAL };

struct server_simulation {
    enum service_law law;
    double variation; /* lognormal: standard deviation / mean, > 0 */
    uint32_t pushes;  /* counted, after as many tenths to warm up; >= 1 */
    uint64_t seed;
};

MUST_USE enum status servers_simulate(const struct server_training *training,
                                      const struct server_simulation *simulation,
                                      double *pushes_per_second, struct fault *fault);

/* INVALID names the field; both calls above check by it. */
MUST_USE enum status servers_check(const struct server_training *training, struct fault *fault);

#endif
