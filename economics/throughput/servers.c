#include "economics/throughput/servers.h"

#include <math.h>
#include <stdlib.h>

/* A station that takes no time is taken to be this much faster than computing: rates stay finite.
 */
#define NO_TIME 1e-9

enum status servers_check(const struct server_training *training, struct fault *fault)
{
    if (training->workers < 1 || training->workers > SERVERS_WORKERS_MAX)
        return fault_set(fault, STATUS_INVALID, "%u workers: give 1 to %d", training->workers,
                         SERVERS_WORKERS_MAX);
    for (int s = 0; s < STATION_COUNT; s++) {
        double const mean = training->mean_seconds[s];
        if (!isfinite(mean) || mean < 0 || (s == STATION_COMPUTE && !(mean > 0)))
            return fault_set(fault, STATUS_INVALID,
                             "a mean service time of %g s: give a finite one, of computing above "
                             "zero",
                             mean);
    }
    return STATUS_OK;
}

/* -- Asynchronous: mean-value analysis --------------------------------------------------------- */

static double mean_value(const struct server_training *training)
{
    static const enum server_station queues[] = {STATION_DOWNLINK, STATION_UPLINK, STATION_SERVER};
    double length[STATION_COUNT] = {0};
    double rate = 0;
    for (uint32_t n = 1; n <= training->workers; n++) {
        double round = training->mean_seconds[STATION_COMPUTE];
        double wait[STATION_COUNT] = {0};
        for (size_t q = 0; q < sizeof queues / sizeof queues[0]; q++) {
            wait[queues[q]] = training->mean_seconds[queues[q]] * (1 + length[queues[q]]);
            round += wait[queues[q]];
        }
        rate = n / round;
        for (size_t q = 0; q < sizeof queues / sizeof queues[0]; q++)
            length[queues[q]] = rate * wait[queues[q]];
    }
    return rate;
}

/* -- Synchronous: the mean time until the last worker is done ---------------------------------- */

struct step {
    uint32_t side; /* workers + 1 */
    double rate[STATION_COUNT];
    double *layers[2]; /* [side³] mean time left, by workers computing, at the uplink and the
                          server, of as many at the downlink, and of one fewer */
};

static size_t cell(const struct step *step, uint32_t computing, uint32_t pushing, uint32_t updating)
{
    return ((size_t)computing * step->side + pushing) * step->side + updating;
}

/* Who is done before whom: exponential times race. */
static double time_left(const struct step *step, uint32_t pulling, uint32_t computing,
                        uint32_t pushing, uint32_t updating)
{
    const double *now = step->layers[pulling % 2];
    const double *fewer = step->layers[(pulling + 1) % 2];
    double rate = 0;
    double sum = 1;
    if (pulling > 0) {
        rate += step->rate[STATION_DOWNLINK];
        sum += step->rate[STATION_DOWNLINK] * fewer[cell(step, computing + 1, pushing, updating)];
    }
    if (computing > 0) {
        rate += step->rate[STATION_COMPUTE] * computing;
        sum += step->rate[STATION_COMPUTE] * computing *
               now[cell(step, computing - 1, pushing + 1, updating)];
    }
    if (pushing > 0) {
        rate += step->rate[STATION_UPLINK];
        sum += step->rate[STATION_UPLINK] * now[cell(step, computing, pushing - 1, updating + 1)];
    }
    if (updating > 0) {
        rate += step->rate[STATION_SERVER];
        sum += step->rate[STATION_SERVER] * now[cell(step, computing, pushing, updating - 1)];
    }
    return rate > 0 ? sum / rate : 0;
}

static enum status mean_step(const struct server_training *training, double *seconds,
                             struct fault *fault)
{
    struct step step = {.side = training->workers + 1};
    size_t const cells = (size_t)step.side * step.side * step.side;
    for (int s = 0; s < STATION_COUNT; s++)
        step.rate[s] =
            1 / fmax(training->mean_seconds[s], training->mean_seconds[STATION_COMPUTE] * NO_TIME);
    step.layers[0] = calloc(cells, sizeof(double));
    step.layers[1] = calloc(cells, sizeof(double));
    enum status status = STATUS_OK;
    if (step.layers[0] == NULL || step.layers[1] == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for %u workers", training->workers);
    for (uint32_t pulling = 0; status == STATUS_OK && pulling <= training->workers; pulling++) {
        uint32_t const rest = training->workers - pulling;
        for (uint32_t computing = 0; computing <= rest; computing++)
            for (uint32_t pushing = 0; pushing <= rest - computing; pushing++)
                for (uint32_t updating = 0; updating <= rest - computing - pushing; updating++)
                    step.layers[pulling % 2][cell(&step, computing, pushing, updating)] =
                        time_left(&step, pulling, computing, pushing, updating);
    }
    if (status == STATUS_OK)
        *seconds = step.layers[training->workers % 2][0];
    free(step.layers[0]);
    free(step.layers[1]);
    return status;
}

enum status servers_analyse(const struct server_training *training, double *pushes_per_second,
                            struct fault *fault)
{
    enum status status = servers_check(training, fault);
    if (status != STATUS_OK)
        return status;
    if (!training->synchronous) {
        *pushes_per_second = mean_value(training);
        return STATUS_OK;
    }
    if (training->workers > SERVERS_WORKERS_EXACT)
        return fault_set(fault, STATUS_EXHAUSTED,
                         "%u synchronous workers: at most %d are worked out; simulate more",
                         training->workers, SERVERS_WORKERS_EXACT);
    double seconds = 0;
    status = mean_step(training, &seconds, fault);
    if (status == STATUS_OK)
        *pushes_per_second = training->workers / seconds;
    return status;
}
