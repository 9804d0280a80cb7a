/* What binds several fields together: each rule broken once, by hand. */
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "proto/wire/messages.h"
#include "proto/wire/methods.h"

static struct name named(const char *text)
{
    struct name name = {0};
    memcpy(name.text, text, strlen(text));
    return name;
}

/* The sender's check refuses; the receiver runs the same one (test_wire_bounds). */
static void assert_refused(const struct wire_message *message, const void *domain, const char *text)
{
    struct arena arena;
    struct bytes bytes;
    struct fault fault = {0};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    assert_int_equal(wire_encode(message, domain, &arena, &bytes, &fault), STATUS_INVALID);
    assert_string_equal(fault.text, text);
    assert_null(bytes.data);
    arena_fini(&arena);
}

static void assert_taken(const struct wire_message *message, const void *domain)
{
    struct arena arena;
    struct bytes bytes;
    struct fault fault = {0};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = wire_encode(message, domain, &arena, &bytes, &fault);
    if (status != STATUS_OK)
        fail_msg("%s", fault.text);
    arena_fini(&arena);
}

static struct demand some_demand(void)
{
    return (struct demand){
        .job = named("usc-1"),
        .home = named("usc"),
        .gpus_min = 2,
        .gpus_max = 4,
        .work_left_examples = 1000,
    };
}

static void a_demand_asks_for_at_least_as_many_gpus_as_at_most(void **state)
{
    (void)state;
    struct demand demand = some_demand();
    assert_taken(&message_demand, &demand);
    demand.gpus_max = 1;
    assert_refused(&message_demand, &demand, "gpus_max: 1 is below gpus_min, 2");
}

static void a_member_cannot_take_the_job_ids_of_another(void **state)
{
    (void)state;
    const char *const foreign[] = {"mit-1", "usc", "usc-", "usc-x", "usc-1x", "usc-2-1", "1"};
    struct demand demand = some_demand();
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        char text[256];
        demand.job = named(foreign[i]);
        snprintf(text, sizeof text,
                 "job: '%s' is not HOME-NUMBER: a job of usc is named usc-1, usc-2, ...",
                 foreign[i]);
        assert_refused(&message_demand, &demand, text);
    }
    demand.home = named("usc-2"); /* a member whose name looks like a job of usc */
    demand.job = named("usc-2-1");
    assert_taken(&message_demand, &demand);
    demand.home = (struct name){0};
    assert_refused(&message_demand, &demand, "home: is missing");
}

static void a_running_job_says_where(void **state)
{
    (void)state;
    struct demand demand = some_demand();
    demand.position.running = true;
    assert_refused(&message_demand, &demand, "position.pool: is missing for a running job");
    demand.position.pool = (struct pool_id){named("usc"), named("a100")};
    assert_refused(&message_demand, &demand, "position.gpus: 0 is below 1 for a running job");
    demand.position.gpus = 1;
    assert_taken(&message_demand, &demand);
}

static void a_submission_leaves_to_the_peer_what_the_peer_fills_in(void **state)
{
    (void)state;
    const char *arguments[] = {"./train"};
    struct bundle_file file = {.path = "train", .mode = 0755};
    struct job_submission submission = {.directory = "/home/ann", .demand = some_demand()};
    submission.demand.job = (struct name){0};
    submission.demand.home = (struct name){0};
    submission.specification.arguments = arguments;
    submission.specification.argument_count = 1;
    submission.specification.files = &file;
    submission.specification.file_count = 1;
    assert_taken(&message_job_submission, &submission);
    file.size_bytes = 5; /* chunks are the peer's to find */
    assert_taken(&message_job_submission, &submission);
    assert_refused(&message_job_specification, &submission.specification,
                   "files[0].chunks: are 0 where 5 bytes make 1");
    file.size_bytes = 0;
    assert_refused(&message_job_specification, &submission.specification, "job: is missing");
    submission.specification.job = named("usc-1");
    assert_refused(&message_job_specification, &submission.specification, "home: is missing");
}

static void a_file_has_as_many_chunks_as_its_size_needs(void **state)
{
    (void)state;
    struct digest chunks[3] = {0};
    struct bundle_file file = {.path = "data", .chunks = chunks, .chunk_count = 2};
    struct offer_files_request offer = {.lease = {1, 1, 1}, .files = &file, .file_count = 1};
    file.size_bytes = 2 * (uint64_t)CHUNK_BYTES_MAX;
    assert_taken(&message_offer_files_request, &offer);
    file.size_bytes++;
    assert_refused(&message_offer_files_request, &offer,
                   "files[0].chunks: are 2 where 2097153 bytes make 3");
    file.size_bytes = CHUNK_BYTES_MAX;
    assert_refused(&message_offer_files_request, &offer,
                   "files[0].chunks: are 2 where 1048576 bytes make 1");
}

static void a_gpu_is_free_or_leased_and_of_its_node(void **state)
{
    (void)state;
    struct offer_node nodes[2] = {{.free_gpus = 0xf}, {.free_gpus = 1, .leased_gpus = 2}};
    struct pool_offer pool = {
        .gpu = named("a100"), .gpus_per_node = 4, .nodes = nodes, .node_count = 2};
    struct offer offer = {
        .member = named("usc"), .incarnation = 1, .pools = &pool, .pool_count = 1};
    assert_taken(&message_offer, &offer);
    nodes[1].leased_gpus = 3;
    assert_refused(&message_offer, &offer,
                   "pools[0].nodes[1].leased_gpus: names a GPU that is also free");
    nodes[1].leased_gpus = 16;
    assert_refused(&message_offer, &offer,
                   "pools[0].nodes[1].leased_gpus: names a GPU beyond the 4 of a node");
    nodes[0].free_gpus = 31;
    assert_refused(&message_offer, &offer,
                   "pools[0].nodes[0].free_gpus: names a GPU beyond the 4 of a node");
    pool.gpus_per_node = 64; /* no shift by the width of the type */
    nodes[0].free_gpus = UINT64_MAX;
    assert_taken(&message_offer, &offer);
}

static void pools_and_affinities_are_sorted_each_once(void **state)
{
    (void)state;
    struct offer_node node = {.free_gpus = 1};
    struct pool_offer pools[2] = {
        {.gpu = named("b"), .gpus_per_node = 1, .nodes = &node, .node_count = 1},
        {.gpu = named("a"), .gpus_per_node = 1, .nodes = &node, .node_count = 1},
    };
    struct affinity affinities[2] = {{named("mit"), 1}, {named("mit"), 2}};
    struct offer offer = {
        .member = named("usc"), .incarnation = 1, .pools = pools, .pool_count = 2};
    assert_refused(&message_offer, &offer,
                   "pools[1]: is not above the one before: sort them, each once");
    offer.pool_count = 1;
    offer.affinities = affinities;
    offer.affinity_count = 2;
    assert_refused(&message_offer, &offer,
                   "affinities[1]: is not above the one before: sort them, each once");
}

static void a_lease_names_exactly_its_gpus(void **state)
{
    (void)state;
    struct lease_node nodes[2] = {{.node = 3, .gpus = 0xf0}, {.node = 5, .gpus = 1}};
    struct lease lease = {
        .id = {1, 2, 3},
        .job = named("usc-1"),
        .home = named("usc"),
        .host = named("mit"),
        .gpu = named("a100"),
        .home_incarnation = 1,
        .host_incarnation = 1,
        .nodes = nodes,
        .node_count = 2,
        .gpu_count = 5,
        .duration_ms = 1,
        .accept_until_wall_ms = 10,
    };
    assert_taken(&message_lease, &lease);
    lease.gpu_count = 6;
    assert_refused(&message_lease, &lease, "gpu_count: is 6 where the nodes' masks have 5");
    lease.gpu_count = 5;
    lease.accept_from_wall_ms = 11;
    assert_refused(&message_lease, &lease, "accept_until_wall_ms: is before accept_from_wall_ms");
    nodes[1].node = 3;
    assert_refused(&message_lease, &lease,
                   "nodes[1]: is not above the one before: sort them, each once");
}

static void no_more_is_unpayable_than_was_held(void **state)
{
    (void)state;
    struct receipt receipt = {
        .lease = {1, 1, 1},
        .job = named("usc-1"),
        .home = named("usc"),
        .host = named("mit"),
        .sequence = 1,
        .gpu_count = 1,
        .held_ms = 7,
        .unpayable_ms = 7,
    };
    assert_taken(&message_receipt, &receipt);
    receipt.unpayable_ms = 8;
    assert_refused(&message_receipt, &receipt, "unpayable_ms: 8 is above held_ms, 7");
}

static void a_receipt_says_that_home_signed_exactly_when_it_did(void **state)
{
    (void)state;
    static const uint8_t body[] = {1};
    struct signed_receipt receipt = {.body = {body, sizeof body}};
    assert_taken(&message_signed_receipt, &receipt);
    receipt.home_signed = true;
    assert_refused(&message_signed_receipt, &receipt,
                   "home_signature: is missing although home_signed is true");
    receipt.home_signature.bytes[0] = 1;
    assert_taken(&message_signed_receipt, &receipt);
    receipt.home_signed = false;
    assert_refused(&message_signed_receipt, &receipt,
                   "home_signature: is there although home_signed is false");
}

static void a_grant_comes_with_its_lease(void **state)
{
    (void)state;
    struct lease_event event = {.sequence = 1, .kind = LEASE_EVENT_END, .lease = {1, 1, 1}};
    assert_taken(method_watch_leases.response, &event);
    event.kind = LEASE_EVENT_GRANT;
    assert_refused(method_watch_leases.response, &event, "signed_lease: is missing in a grant");
}

static void who_is_approved_gets_a_certificate(void **state)
{
    (void)state;
    struct enrol_response response = {.federation = named("demo"), .chain_pem = ""};
    assert_taken(method_enrol.response, &response);
    response.approved = true;
    assert_refused(method_enrol.response, &response,
                   "chain_pem: is missing although approved is true");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_demand_asks_for_at_least_as_many_gpus_as_at_most),
        cmocka_unit_test(a_member_cannot_take_the_job_ids_of_another),
        cmocka_unit_test(a_running_job_says_where),
        cmocka_unit_test(a_submission_leaves_to_the_peer_what_the_peer_fills_in),
        cmocka_unit_test(a_file_has_as_many_chunks_as_its_size_needs),
        cmocka_unit_test(a_gpu_is_free_or_leased_and_of_its_node),
        cmocka_unit_test(pools_and_affinities_are_sorted_each_once),
        cmocka_unit_test(a_lease_names_exactly_its_gpus),
        cmocka_unit_test(no_more_is_unpayable_than_was_held),
        cmocka_unit_test(a_receipt_says_that_home_signed_exactly_when_it_did),
        cmocka_unit_test(a_grant_comes_with_its_lease),
        cmocka_unit_test(who_is_approved_gets_a_certificate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
