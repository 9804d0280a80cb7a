/* Questions of owners to the broker, through their peer: the answer is the broker's own, or says
 * that it is away. */
#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "peer/link/link.h"
#include "peer/services/service.h"
#include "proto/wire/methods.h"
#include "tests/sim/federation.h"

enum { NOT_YET = -1 };

/* An owner at the socket of alfa's peer. */
struct owner {
    struct sim sim;
    struct sim_listener socket;
    struct transport *transport;
    int status; /* enum status, or NOT_YET */
    char text[FAULT_TEXT_MAX];
    struct statement_response statement;
    char summary[64];
};

static int set_up(void **state)
{
    struct owner *owner = test_calloc(1, sizeof *owner);
    sim_open(&owner->sim);
    owner->socket = (struct sim_listener){
        .address = "alfa.sock",
        .member = owner->sim.peers[0].config.member,
        .handlers = local_service_handlers,
        .handler_count = local_service_handler_count,
        .service = owner->sim.peers[0].peer,
    };
    struct rpc_caller caller = {.authenticated = true, .local = true};
    sim_listen(&owner->sim.network, &owner->socket);
    owner->transport = sim_dial(&owner->sim.network, "alfa.sock", &caller, &owner->socket.member);
    sim_run(&owner->sim, 2000); /* heard by the broker */
    *state = owner;
    return 0;
}

static int tear_down(void **state)
{
    struct owner *owner = *state;
    transport_close(owner->transport);
    sim_close(&owner->sim);
    test_free(owner);
    return 0;
}

static void answered(void *context, enum status status, const void *response,
                     const struct fault *fault)
{
    struct owner *owner = context;
    owner->status = (int)status;
    if (status != STATUS_OK)
        memcpy(owner->text, fault->text, sizeof owner->text);
    else
        owner->statement = *(const struct statement_response *)response;
}

static void explained(void *context, enum status status, const void *message,
                      const struct fault *fault)
{
    struct owner *owner = context;
    const struct explain_response *response = message;
    owner->status = (int)status;
    if (status != STATUS_OK)
        memcpy(owner->text, fault->text, sizeof owner->text);
    else
        snprintf(owner->summary, sizeof owner->summary, "%s", response->summary);
}

static struct transport_call *ask_statement(struct owner *owner, uint64_t after)
{
    struct statement_request request = {.page = {.after = after, .rows = 1}};
    struct transport_callbacks callbacks = {.on_done = answered, .context = owner};
    owner->status = NOT_YET;
    return transport_start(owner->transport, &method_local_statement, &request, 0, &callbacks);
}

static void ask_why(struct owner *owner, struct name job)
{
    struct explain_request request = {.job = job};
    struct transport_callbacks callbacks = {.on_done = explained, .context = owner};
    owner->status = NOT_YET;
    transport_start(owner->transport, &method_local_explain, &request, 0, &callbacks);
    sim_run(&owner->sim, 500);
}

static void the_statement_is_of_the_peers_own_member_page_by_page(void **state)
{
    struct owner *owner = *state;
    uint64_t after = 0;
    for (uint64_t page = 1; page <= 3; page++) { /* the scripted broker has three entries */
        ask_statement(owner, after);
        sim_run(&owner->sim, 500);
        assert_int_equal(owner->status, STATUS_OK);
        assert_string_equal(owner->statement.member.text, "alfa");
        assert_int_equal(owner->statement.opening.micros, 1);
        after = owner->statement.next_after;
        assert_int_equal(after, page < 3 ? page : 0);
    }
}

static void an_own_job_is_explained_and_anothers_is_not(void **state)
{
    struct owner *owner = *state;
    struct sim_job federated = {.placement = JOB_FEDERATED};
    struct name own = sim_submit(&owner->sim.peers[0], &federated);
    struct name other = sim_submit(&owner->sim.peers[1], &federated);
    sim_run(&owner->sim, 2000);
    ask_why(owner, own);
    assert_int_equal(owner->status, STATUS_OK);
    assert_string_equal(owner->summary, "Nobody offers enough.");
    ask_why(owner, other);
    assert_int_equal(owner->status, STATUS_DENIED);
    assert_non_null(strstr(owner->text, "is not of alfa"));
}

static void a_job_that_stays_at_home_is_no_question_for_the_broker(void **state)
{
    struct owner *owner = *state;
    struct name job = sim_submit(&owner->sim.peers[0], &(struct sim_job){.placement = JOB_LOCAL});
    sim_broker_away(&owner->sim, true);
    ask_why(owner, job);
    assert_int_equal(owner->status, STATUS_PRECONDITION);
    assert_non_null(strstr(owner->text, "at home only"));
    sim_broker_away(&owner->sim, false);
}

static void while_the_broker_is_away_the_owner_is_told_so_at_once(void **state)
{
    struct owner *owner = *state;
    sim_broker_away(&owner->sim, true);
    ask_statement(owner, 0); /* before the peer has noticed */
    sim_run(&owner->sim, 500);
    assert_int_equal(owner->status, STATUS_UNAVAILABLE);
    sim_run(&owner->sim, 60 * 1000);
    ask_statement(owner, 0);
    sim_run(&owner->sim, 100);
    assert_int_equal(owner->status, STATUS_UNAVAILABLE);
    assert_non_null(strstr(owner->text, "is away"));
    sim_broker_away(&owner->sim, false);
    sim_run(&owner->sim, 15 * 1000);
    ask_statement(owner, 0);
    sim_run(&owner->sim, 500);
    assert_int_equal(owner->status, STATUS_OK);
}

static void an_owner_who_goes_takes_the_question_back(void **state)
{
    struct owner *owner = *state;
    owner->sim.broker.keeps_waiting = true;
    struct transport_call *call = ask_statement(owner, 0);
    sim_run(&owner->sim, 500);
    assert_int_equal(owner->status, NOT_YET);
    assert_int_equal(owner->sim.broker.questions_waiting, 1);
    transport_cancel(call);
    sim_run(&owner->sim, 500);
    assert_int_equal(owner->status, STATUS_CANCELLED);
    assert_int_equal(owner->sim.broker.questions_waiting, 0);
}

static void a_new_certificate_does_not_wait_for_a_question(void **state)
{
    struct owner *owner = *state;
    owner->sim.broker.keeps_waiting = true;
    ask_statement(owner, 0);
    sim_run(&owner->sim, 500);
    link_redial(owner->sim.peers[0].peer->link);
    sim_run(&owner->sim, 2000);
    assert_int_equal(owner->status, STATUS_UNAVAILABLE);
    assert_non_null(strstr(owner->text, "ask again"));
    owner->sim.broker.keeps_waiting = false;
    ask_statement(owner, 0);
    sim_run(&owner->sim, 500);
    assert_int_equal(owner->status, STATUS_OK);
}

static void questions_are_bounded(void **state)
{
    struct owner *owner = *state;
    owner->sim.broker.keeps_waiting = true;
    for (int question = 0; question < 64; question++)
        ask_statement(owner, 0);
    sim_run(&owner->sim, 500);
    assert_int_equal(owner->status, NOT_YET);
    ask_statement(owner, 0);
    sim_run(&owner->sim, 500);
    assert_int_equal(owner->status, STATUS_EXHAUSTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(the_statement_is_of_the_peers_own_member_page_by_page),
        TEST(an_own_job_is_explained_and_anothers_is_not),
        TEST(a_job_that_stays_at_home_is_no_question_for_the_broker),
        TEST(while_the_broker_is_away_the_owner_is_told_so_at_once),
        TEST(an_owner_who_goes_takes_the_question_back),
        TEST(a_new_certificate_does_not_wait_for_a_question),
        TEST(questions_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
