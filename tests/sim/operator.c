#include "tests/sim/operator.h"

#include <assert.h>
#include <string.h>

#include "proto/wire/methods.h"

enum { RETRY_MS = 700, TIMEOUT_MS = 3000 };

void sim_operator_open(struct sim_operator *person, struct sim_network *network)
{
    struct rpc_caller caller = {.authenticated = false};
    struct name broker = {0};
    *person = (struct sim_operator){.network = network};
    person->transport = sim_dial(network, "operator:1", &caller, &broker);
}

void sim_operator_close(struct sim_operator *person)
{
    transport_close(person->transport);
    person->transport = NULL;
}

bool sim_operator_is_busy(const struct sim_operator *person)
{
    return person->method != NULL;
}

void sim_operator_deposit(struct sim_operator *person, const struct name *member,
                          struct credits amount)
{
    assert(person->method == NULL);
    person->credit = (struct credit_request){
        .member = *member, .amount = amount, .reference = "more, while it runs"};
    person->asked++;
    memcpy(person->credit.request_key.bytes, &person->asked, sizeof person->asked);
    person->method = &method_member_credit;
}

void sim_operator_act(struct sim_operator *person, const struct name *member,
                      enum member_action action)
{
    assert(person->method == NULL);
    person->action = (struct member_action_request){*member, action};
    person->method = &method_member_action;
}

/* PRECONDITION: an earlier try of the same move had its effect. */
static void answered(void *context, enum status status, const void *response,
                     const struct fault *fault)
{
    struct sim_operator *person = context;
    (void)response;
    (void)fault;
    person->call = NULL;
    if (status != STATUS_OK && status != STATUS_PRECONDITION)
        return;
    if (person->method == &method_member_credit)
        person->deposited.micros += person->credit.amount.micros;
    person->method = NULL;
}

void sim_operator_tick(struct sim_operator *person)
{
    int64_t now_ms = clock_boot_ms(person->network->clock);
    if (person->method == NULL || person->call != NULL || now_ms < person->due_boot_ms)
        return;
    const void *request = person->method == &method_member_credit ? (const void *)&person->credit
                                                                  : (const void *)&person->action;
    struct transport_callbacks callbacks = {.on_done = answered, .context = person};
    person->due_boot_ms = now_ms + RETRY_MS;
    person->call =
        transport_start(person->transport, person->method, request, TIMEOUT_MS, &callbacks);
}
