/*
 * Link, questions: what an owner asks the broker through us. A question lives until the transport
 * has said its last word; an owner who went takes the call to the broker along. A connection that
 * is being renewed does not wait for questions: they are cut off and told to ask again.
 */
#include <stdlib.h>

#include "peer/link/link_state.h"

enum { QUESTION_MS = 60 * 1000 }; /* an explanation may wait for a market to be solved */

struct question {
    struct link *link;
    struct rpc_call *call; /* NULL: answered, or its owner went */
    struct transport_call *asked;
};

static enum status may_ask(const struct link *link, struct fault *fault);
static void answered(void *context, enum status status, const void *response,
                     const struct fault *fault);
static void owner_gone(struct rpc_call *call);

void link_ask(struct link *link, struct rpc_call *call, const struct wire_method *method,
              const void *request)
{
    struct fault fault;
    enum status status = may_ask(link, &fault);
    struct question *question = status == STATUS_OK ? calloc(1, sizeof *question) : NULL;
    if (status == STATUS_OK && question != NULL) {
        struct transport_callbacks callbacks = {.on_done = answered, .context = question};
        *question = (struct question){.link = link, .call = call};
        question->asked =
            transport_start(link->transport, method, request, QUESTION_MS, &callbacks);
    }
    if (status == STATUS_OK && (question == NULL || question->asked == NULL)) {
        free(question);
        status = fault_set(&fault, STATUS_NO_MEMORY, "no memory to ask the broker");
    }
    if (status != STATUS_OK) {
        rpc_call_fail(call, status, &fault);
        return;
    }
    link->question_count++;
    call->context = question;
    call->on_closed = owner_gone;
}

static enum status may_ask(const struct link *link, struct fault *fault)
{
    const struct peer *peer = link->peer;
    int64_t silent_ms = clock_boot_ms(peer->clock) - link->heard_boot_ms;
    if (link->question_count >= LINK_QUESTIONS_MAX)
        return fault_set(fault, STATUS_EXHAUSTED,
                         "%d questions are on their way to the broker; ask again in a moment",
                         LINK_QUESTIONS_MAX);
    if (link_connected(link) && link->transport != NULL)
        return STATUS_OK;
    return fault_set(fault, STATUS_UNAVAILABLE,
                     "the broker at %s is away, not heard for %lld s, and only it knows; jobs go "
                     "on meanwhile, and 'entente-peer status' says when it is back",
                     peer->config->broker, (long long)(silent_ms / MS_PER_SECOND));
}

/* Only what the broker itself said passes as it is. */
static void fail(struct rpc_call *call, enum status status, const struct fault *why)
{
    struct fault fault = *why;
    if (status == STATUS_UNAVAILABLE || status == STATUS_DEADLINE || status == STATUS_CANCELLED)
        status = fault_prefix(&fault, STATUS_UNAVAILABLE,
                              "the broker went away before it answered; ask again");
    rpc_call_fail(call, status, &fault);
}

static void answered(void *context, enum status status, const void *response,
                     const struct fault *fault)
{
    struct question *question = context;
    struct rpc_call *call = question->call;
    question->link->question_count--;
    free(question);
    if (call == NULL)
        return;
    call->context = NULL;
    if (status == STATUS_OK)
        rpc_call_reply(call, response);
    else
        fail(call, status, fault);
}

static void owner_gone(struct rpc_call *call)
{
    struct question *question = call->context;
    if (question == NULL)
        return;
    question->call = NULL;
    transport_cancel(question->asked);
}
