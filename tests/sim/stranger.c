#include "tests/sim/stranger.h"

#include <stdio.h>

#include "proto/wire/messages.h"
#include "proto/wire/methods.h"

enum { EVERY_MS = 3000, TIMEOUT_MS = 2000, DISGUISES = 3 };

void stranger_open(struct stranger *stranger, struct sim_network *network)
{
    *stranger = (struct stranger){.network = network};
}

void stranger_close(struct stranger *stranger)
{
    if (stranger->transport != NULL)
        transport_close(stranger->transport);
    stranger->transport = NULL;
}

static void answered(void *context, enum status status, const void *response,
                     const struct fault *fault)
{
    struct stranger *stranger = context;
    (void)response;
    (void)fault;
    stranger->call = NULL;
    stranger->served += status == STATUS_OK;
}

/* 0: no certificate. 1: one that was never issued. 2: another member's. */
static struct rpc_caller disguise(uint32_t number, const struct name *federation,
                                  const struct name *member, const char *serial_of_another)
{
    struct rpc_caller caller = {.authenticated = number > 0};
    if (number == 0)
        return caller;
    caller.subject.role = IDENTITY_MEMBER;
    caller.subject.federation = *federation;
    caller.subject.member = *member;
    snprintf(caller.serial, sizeof caller.serial, "%s", number == 1 ? "ff" : serial_of_another);
    return caller;
}

void stranger_tick(struct stranger *stranger, const struct name *federation,
                   const struct name *member, const char *serial_of_another)
{
    static const struct page_request request = {.rows = 10};
    int64_t now_ms = clock_boot_ms(stranger->network->clock);
    if (stranger->call != NULL || now_ms < stranger->due_boot_ms)
        return;
    struct name broker = {0};
    struct rpc_caller caller =
        disguise(stranger->tries++ % DISGUISES, federation, member, serial_of_another);
    struct transport_callbacks callbacks = {.on_done = answered, .context = stranger};
    stranger->due_boot_ms = now_ms + EVERY_MS;
    stranger_close(stranger);
    stranger->transport = sim_dial(stranger->network, "broker:1", &caller, &broker);
    stranger->call =
        transport_start(stranger->transport, &method_list_jobs, &request, TIMEOUT_MS, &callbacks);
}
