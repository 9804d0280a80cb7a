/*
 * Hostile peers: what a host does not give to a member whose lease it is not, what it does not take
 * even from the lease's home, and what is left of a home once it was revoked.
 */
#include "tests/peer/hostile_fixture.h"

static void expect_refusal(enum status status, const char *what)
{
    /* UNAVAILABLE: "not known here yet", whatever the lease; PRECONDITION: it was honoured already
     */
    bool named = status == STATUS_DENIED || status == STATUS_NOT_FOUND ||
                 status == STATUS_UNAVAILABLE || status == STATUS_PRECONDITION;
    if (!named)
        fail_msg("%s by who is not the lease's party: status %d: %s", what, (int)status,
                 hostile.stage->fault.text);
}

/* Every method of PeerService, by eve, about isi's lease. */
static void eve_tries_everything(void)
{
    struct transport *eve = hostile.eve_to_usc;
    struct lease_id lease = hostile.isi->lease->id;
    struct accept_request accept = {hostile.isi->signed_lease, hostile.specification};
    expect_refusal(ask(eve, &method_accept, &accept), "Accept");
    for (int purpose = 0; purpose <= FILES_RESULT; purpose++) {
        struct offer_files_request offer = {.lease = lease,
                                            .purpose = (enum files_purpose)purpose,
                                            .files = &hostile.file,
                                            .file_count = 1};
        expect_refusal(ask(eve, &method_offer_files, &offer), "OfferFiles");
        struct commit_files_request commit = {lease, (enum files_purpose)purpose};
        expect_refusal(ask(eve, &method_commit_files, &commit), "CommitFiles");
    }
    struct push_chunk_request chunk = {
        lease, hostile.chunk, {(const uint8_t *)program, sizeof program - 1}};
    static struct stream stream; /* a call may end after this function did */
    push_for_ever(eve, &chunk, &stream);
    expect_refusal(stream.status, "PushChunks");
    struct lease_request start = {lease};
    expect_refusal(ask(eve, &method_start, &start), "Start");
    struct stop_request stop = {.lease = lease, .reason = "because"};
    expect_refusal(ask(eve, &method_stop, &stop), "Stop");
    watch_job(eve, lease, &stream);
    wait_for_end(&stream);
    expect_refusal(stream.status, "WatchJob");
    assert_int_equal(stream.log_bytes, 0);
    struct countersign_request countersign = {.receipt = {.body = hostile.isi->signed_lease.body}};
    assert_int_not_equal(ask(eve, &method_countersign, &countersign), STATUS_OK);
}

/* --- the tests */

static void a_lease_is_of_no_use_to_whom_it_does_not_name(void **state)
{
    if (((struct stage *)*state)->program[0] == '\0')
        skip();
    eve_tries_everything(); /* before home has come */
    accept_as_isi();
    eve_tries_everything(); /* while it stages */
    stage_and_start();
    eve_tries_everything();      /* while it runs */
    static struct stream stream; /* a call may end after this function did */
    watch_job(hostile.isi_to_usc, hostile.isi->lease->id, &stream);
    while (stream.log_bytes == 0 && !stream.done)
        rpc_loop_run_for(hostile.stage->loop, 10);
    assert_false(stream.done); /* isi's job was stopped by nobody */
}

static void what_was_not_offered_is_not_taken(void **state)
{
    if (((struct stage *)*state)->program[0] == '\0')
        skip();
    struct transport *isi = hostile.isi_to_usc;
    struct lease_id lease = hostile.isi->lease->id;
    struct accept_request accept = {hostile.isi->signed_lease, hostile.specification};
    hostile.file.mode = 0777; /* not the bundle that the lease binds */
    assert_int_equal(ask(isi, &method_accept, &accept), STATUS_DENIED);
    hostile.file.mode = 0755;
    uint8_t *body = arena_copy(&hostile.stage->arena, accept.signed_lease.body.data,
                               accept.signed_lease.body.size);
    assert_non_null(body);
    body[accept.signed_lease.body.size - 1] ^= 1; /* nor the lease that was signed */
    accept.signed_lease.body.data = body;
    assert_int_equal(ask(isi, &method_accept, &accept), STATUS_CORRUPT);
    accept_as_isi();

    struct lease_request start = {lease};
    assert_int_equal(ask(isi, &method_start, &start), STATUS_UNAVAILABLE); /* nothing is here yet */
    static const uint8_t junk[64] = {1};
    struct push_chunk_request chunk = {.lease = lease, .data = {junk, sizeof junk}};
    digest_bytes(junk, sizeof junk, &chunk.digest);
    static struct stream stream; /* a call may end after this function did */
    push_for_ever(isi, &chunk, &stream);
    assert_int_equal(stream.status, STATUS_INVALID);
    chunk.digest = hostile.chunk; /* announced, but other bytes */
    push_for_ever(isi, &chunk, &stream);
    assert_int_equal(stream.status, STATUS_CORRUPT);
    static const char *const escapes[] = {"../ck", "/ck", "ck/../../x", "ck/./x", "other", "ckx"};
    for (size_t e = 0; e < sizeof escapes / sizeof escapes[0]; e++) {
        struct bundle_file file = hostile.file;
        file.path = escapes[e];
        struct offer_files_request offer = {
            .lease = lease, .purpose = FILES_CHECKPOINT, .files = &file, .file_count = 1};
        enum status status = ask(isi, &method_offer_files, &offer);
        if (status != STATUS_INVALID)
            fail_msg("'%s' was taken: %d %s", escapes[e], (int)status, hostile.stage->fault.text);
    }
    stage_and_start();
    /* replayed: a lease is good for one start */
    accept.signed_lease = hostile.isi->signed_lease;
    assert_int_equal(ask(isi, &method_accept, &accept), STATUS_EXISTS);
    struct stop_request stop = {.lease = lease, .reason = "enough"};
    assert_int_equal(ask(isi, &method_stop, &stop), STATUS_OK);
    assert_int_not_equal(ask(isi, &method_accept, &accept), STATUS_OK);
}

static void a_home_revoked_in_mid_stream_loses_its_stream_and_its_run(void **state)
{
    if (((struct stage *)*state)->program[0] == '\0')
        skip();
    accept_as_isi();
    stage_and_start();
    static struct stream stream; /* a call may end after this function did */
    watch_job(hostile.isi_to_usc, hostile.isi->lease->id, &stream);
    while (stream.log_bytes == 0 && !stream.done)
        rpc_loop_run_for(hostile.stage->loop, 10);
    assert_false(stream.done);
    assert_int_equal(command(hostile.stage, "member", "revoke", "isi"), 0);
    wait_for_end(&stream); /* usc hears of it with its next heartbeat */
    assert_int_equal(stream.status, STATUS_DENIED);
    struct lease_request start = {hostile.isi->lease->id};
    assert_int_equal(ask(hostile.isi_to_usc, &method_start, &start), STATUS_DENIED);
    assert_non_null(strstr(hostile.stage->fault.text, "revoked"));
    struct page_request page = {.rows = 10};
    struct leases_response *leases = NULL;
    for (int waited = 0; leases == NULL || leases->lease_count == 0 ||
                         leases->leases[0].state < LEASE_STATE_RELEASED;
         waited++) {
        assert_true(waited < 600);
        rpc_loop_run_for(hostile.stage->loop, 100);
        operate(hostile.stage, &method_lease_list, &page, (void **)&leases);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_lease_is_of_no_use_to_whom_it_does_not_name),
        CASE(what_was_not_offered_is_not_taken),
        CASE(a_home_revoked_in_mid_stream_loses_its_stream_and_its_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
