/* Daemon, work: what runs by itself: rounds and their dispatch, the sweep, the broker's own
 * certificate. */
#include "broker/daemon.h"

enum { SWEEP_MS = 1000, SWEEP_MS_FIRST = 200 };

struct rpc_credentials daemon_credentials(const struct daemon *daemon)
{
    return (struct rpc_credentials){
        .roots_pem = daemon->authority->root.text,
        .chain_pem = daemon->authority->broker_chain.text,
        .key_pem = daemon->authority->broker_key.text,
    };
}

static void on_commit(void *context)
{
    struct daemon *daemon = context;
    dispatch_grant_ready(&daemon->dispatch);
    dispatch_wake_all(&daemon->dispatch);
}

/* At two thirds of its life the broker's certificate is replaced; calls under way go on. */
static void renew_own_certificate(struct daemon *daemon)
{
    struct fault fault;
    if (clock_wall_ms(daemon->core.clock) < authority_renew_from_ms(daemon->authority))
        return;
    enum status status =
        authority_renew_broker(daemon->config, daemon->core.clock, daemon->authority, &fault);
    struct rpc_credentials credentials = daemon_credentials(daemon);
    if (status == STATUS_OK)
        status = rpc_server_set_credentials(daemon->members, &credentials, &fault);
    if (status == STATUS_OK)
        status = rpc_server_set_credentials(daemon->enrolment, &credentials, &fault);
    if (status == STATUS_OK)
        log_info(daemon->core.log, "renewed the broker's certificate");
    else
        log_error(daemon->core.log, "renewing the broker's certificate: %s", fault.text);
}

static void on_sweep(void *context)
{
    struct daemon *daemon = context;
    daemon_sweep(daemon);
    if (daemon->members != NULL && daemon->enrolment != NULL)
        renew_own_certificate(daemon);
    rpc_timer_start(daemon->loop, &daemon->sweep_timer, SWEEP_MS, on_sweep, daemon);
}

static void on_learned(void *context)
{
    struct daemon *daemon = context;
    rounds_poke(&daemon->rounds);
}

void daemon_start_work(struct daemon *daemon)
{
    rounds_start(&daemon->rounds, &daemon->core, daemon->loop, daemon->worker, on_commit, daemon);
    learning_start(&daemon->learning, daemon->loop, daemon->learner, on_learned, daemon);
    rpc_timer_start(daemon->loop, &daemon->sweep_timer, SWEEP_MS_FIRST, on_sweep, daemon);
}
