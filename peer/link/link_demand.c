/* Link, demands: tells the broker of own jobs, a few at a time. Each call has a request key: the
 * same call repeated by the network has its effect once. */
#include "peer/home/home.h"
#include "peer/link/link_state.h"
#include "proto/wire/methods.h"

static bool tell(void *context, struct home_job *job, enum demand_word word);
static void told(void *context, enum status status, const void *response,
                 const struct fault *fault);

void link_demands(struct link *link)
{
    home_demands(link->peer->home, tell, link);
}

static struct link_demand *free_slot(struct link *link)
{
    for (size_t d = 0; d < LINK_DEMAND_SLOTS; d++)
        if (link->demands[d].call == NULL)
            return &link->demands[d];
    return NULL;
}

static void submit(struct link *link, struct link_demand *slot, struct home_job *job,
                   const struct transport_callbacks *callbacks)
{
    struct arena arena;
    struct fault fault;
    struct submit_request request = {.issued_wall_ms = clock_wall_ms(link->peer->clock)};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    random_bytes(request.request_key.bytes, DIGEST_BYTES);
    const struct profile_row *profile = home_profile(job, &request.profile_count);
    request.profile = arena_copy(&arena, profile, request.profile_count * sizeof *profile);
    if (request.profile == NULL)
        request.profile_count = 0;
    slot->profiled = request.profile_count > 0;
    if (home_demand(job, &arena, &request.demand, &slot->version, &fault) == STATUS_OK)
        slot->call =
            transport_start(link->transport, &method_submit, &request, LINK_CALL_MS, callbacks);
    else
        peer_trouble(link->peer, "a demand", &fault);
    arena_fini(&arena);
}

static void cancel(struct link *link, struct link_demand *slot, const struct home_job *job,
                   const struct transport_callbacks *callbacks)
{
    struct cancel_request request = {
        .issued_wall_ms = clock_wall_ms(link->peer->clock),
        .job = *home_job_name(job),
        .completed = home_job_completed(job),
    };
    random_bytes(request.request_key.bytes, DIGEST_BYTES);
    slot->call =
        transport_start(link->transport, &method_cancel, &request, LINK_CALL_MS, callbacks);
}

static bool tell(void *context, struct home_job *job, enum demand_word word)
{
    struct link *link = context;
    struct link_demand *slot = free_slot(link);
    if (slot == NULL)
        return false;
    struct transport_callbacks callbacks = {.on_done = told, .context = slot};
    slot->job = *home_job_name(job);
    slot->word = (int)word;
    if (word == DEMAND_SUBMIT)
        submit(link, slot, job, &callbacks);
    else
        cancel(link, slot, job, &callbacks);
    return slot->call != NULL;
}

static void told(void *context, enum status status, const void *response, const struct fault *fault)
{
    struct link_demand *slot = context;
    const struct submit_response *taken = response;
    slot->call = NULL;
    if (status == STATUS_OK && slot->word == DEMAND_SUBMIT)
        home_profile_told(slot->link->peer->home, &slot->job, slot->profiled,
                          taken->profile_wanted);
    if (status != STATUS_OK)
        log_info(slot->link->peer->log, "demand of job %s: %s", slot->job.text, fault->text);
    home_demand_told(slot->link->peer->home, &slot->job, (enum demand_word)slot->word,
                     slot->version, status, fault);
}
