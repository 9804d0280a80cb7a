#include "tests/broker/broker_fixture.h"

#include "broker/token.h"

/* A federation with keys, in a directory of its own. */
struct keyed {
    struct fed *fed;
    char directory[256];
};

static int open_keyed(void **state)
{
    struct keyed *keyed = calloc(1, sizeof *keyed);
    void *fed = NULL;
    char export[FILE_PATH_MAX];
    assert_non_null(keyed);
    assert_int_equal(fed_open(&fed), 0);
    keyed->fed = fed;
    support_make_directory(keyed->directory);
    snprintf(keyed->fed->config.state_directory, FILE_PATH_MAX, "%s/state", keyed->directory);
    snprintf(export, sizeof export, "%s/root", keyed->directory);
    keyed->fed->daemon.authority = calloc(1, sizeof *keyed->fed->daemon.authority);
    assert_non_null(keyed->fed->daemon.authority);
    if (authority_create(&keyed->fed->config, export, &keyed->fed->clock.clock,
                         keyed->fed->daemon.authority, &keyed->fed->fault) != STATUS_OK)
        fail_msg("%s", keyed->fed->fault.text);
    *state = keyed;
    return 0;
}

static int close_keyed(void **state)
{
    struct keyed *keyed = *state;
    void *fed = keyed->fed;
    support_remove_tree(keyed->directory);
    fed_close(&fed);
    free(keyed);
    return 0;
}

/* What a peer makes before it joins. */
struct joiner {
    struct pem key;
    struct pem request;
    struct signing_secret secret;
    struct signing_key signing_key;
};

static struct joiner *make_joiner(struct fed *fed)
{
    struct joiner *joiner = arena_alloc(&fed->arena, 1, sizeof *joiner);
    assert_non_null(joiner);
    assert_ok(identity_make_key(&joiner->key, &fed->fault));
    assert_ok(identity_make_request(&joiner->key, &joiner->request, &fed->fault));
    assert_ok(signing_make(&joiner->secret, &joiner->signing_key, &fed->fault));
    return joiner;
}

static const char *make_token(struct fed *fed, const char *member, bool approved)
{
    struct join_token token;
    char *text = arena_alloc(&fed->arena, TOKEN_BYTES_MAX, 1);
    struct name name = fed_name(member);
    assert_non_null(text);
    assert_ok(store_begin(fed->daemon.core.store, &fed->fault));
    assert_ok(token_create(fed->daemon.core.store, &fed->daemon.authority->pin, &name,
                           core_now_ms(&fed->daemon.core), 3600000, approved, &token, &fed->fault));
    assert_ok(store_commit(fed->daemon.core.store, &fed->fault));
    return join_token_format(&token, text);
}

/* Enrols; *approved and the certificate's serial where OK. */
static enum status enrol(struct fed *fed, const char *member, const char *token,
                         const struct joiner *joiner, bool *approved,
                         char serial[static SERIAL_TEXT_MAX])
{
    struct enrol_request request = {
        .token = token,
        .member = fed_name(member),
        .csr_pem = joiner->request.text,
        .signing_key = joiner->signing_key,
    };
    struct fed_call *call = fed_ask(fed, NULL, &method_enrol, service_enrol, &request);
    enum status status = call->status;
    *approved = false;
    if (status == STATUS_OK) {
        const struct enrol_response *response = call->response;
        struct certificate_facts facts;
        struct pem *chain = arena_alloc(&fed->arena, 1, sizeof *chain);
        assert_non_null(chain);
        *approved = response->approved;
        if (*approved) {
            snprintf(chain->text, sizeof chain->text, "%s", response->chain_pem);
            assert_ok(identity_verify_chain(chain, &fed->daemon.authority->root, &joiner->key,
                                            fed->clock.now_wall_ms, &fed->fault));
            assert_ok(identity_read_certificate(chain, &facts, &fed->fault));
            assert_string_equal(facts.subject.member.text, member);
            memcpy(serial, facts.serial, SERIAL_TEXT_MAX);
        }
    }
    fed_done(call);
    return status;
}

static enum status admit(struct fed *fed, const char *member, const char *serial)
{
    struct rpc_caller caller = {
        .authenticated = true,
        .subject = {.role = IDENTITY_MEMBER,
                    .federation = fed->config.federation,
                    .member = fed_name(member)},
    };
    snprintf(caller.serial, sizeof caller.serial, "%s", serial);
    return daemon_admit_member(&fed->daemon, &caller, &method_heartbeat, &fed->fault);
}

static void an_approved_token_admits_at_once(void **state)
{
    struct fed *fed = ((struct keyed *)*state)->fed;
    struct joiner *usc = make_joiner(fed);
    char serial[SERIAL_TEXT_MAX] = "";
    bool approved = false;
    assert_ok(enrol(fed, "usc", make_token(fed, "usc", true), usc, &approved, serial));
    assert_true(approved);
    assert_ok(admit(fed, "usc", serial));
}

static void a_used_token_is_refused_to_another_key(void **state)
{
    struct fed *fed = ((struct keyed *)*state)->fed;
    struct joiner *usc = make_joiner(fed);
    struct joiner *thief = make_joiner(fed);
    const char *token = make_token(fed, "usc", true);
    char serial[SERIAL_TEXT_MAX] = "";
    bool approved = false;
    assert_ok(enrol(fed, "usc", token, usc, &approved, serial));
    assert_int_equal(enrol(fed, "usc", token, thief, &approved, serial), STATUS_DENIED);
    /* the same key may repeat its request: the answer may have been lost */
    assert_ok(enrol(fed, "usc", token, usc, &approved, serial));
    assert_true(approved);
}

static void a_refused_token_is_not_used_up(void **state)
{
    struct fed *fed = ((struct keyed *)*state)->fed;
    struct joiner *usc = make_joiner(fed);
    const char *token = make_token(fed, "usc", true);
    char serial[SERIAL_TEXT_MAX] = "";
    bool approved = false;
    assert_int_equal(enrol(fed, "isi", token, usc, &approved, serial), STATUS_DENIED);
    assert_ok(enrol(fed, "usc", token, make_joiner(fed), &approved, serial));
}

static void an_unapproved_member_waits_for_the_operator(void **state)
{
    struct fed *fed = ((struct keyed *)*state)->fed;
    struct joiner *usc = make_joiner(fed);
    const char *token = make_token(fed, "usc", false);
    char serial[SERIAL_TEXT_MAX] = "";
    bool approved = true;
    assert_ok(enrol(fed, "usc", token, usc, &approved, serial));
    assert_false(approved);
    struct member_action_request approve = {fed_name("usc"), MEMBER_APPROVE};
    fed_expect(fed, STATUS_OK, NULL, &method_member_action, service_member_action, &approve);
    assert_ok(enrol(fed, "usc", token, usc, &approved, serial));
    assert_true(approved);
    fed_expect(fed, STATUS_PRECONDITION, NULL, &method_member_action, service_member_action,
               &approve);
}

static void a_member_keeps_its_keys_unless_the_operator_lets_it_change_them(void **state)
{
    struct fed *fed = ((struct keyed *)*state)->fed;
    char serial[SERIAL_TEXT_MAX] = "";
    bool approved = false;
    assert_ok(enrol(fed, "usc", make_token(fed, "usc", true), make_joiner(fed), &approved, serial));
    assert_int_equal(
        enrol(fed, "usc", make_token(fed, "usc", false), make_joiner(fed), &approved, serial),
        STATUS_DENIED);
    assert_ok(enrol(fed, "usc", make_token(fed, "usc", true), make_joiner(fed), &approved, serial));
}

static void enrolment_is_limited_a_minute(void **state)
{
    struct fed *fed = ((struct keyed *)*state)->fed;
    struct joiner *usc = make_joiner(fed);
    char serial[SERIAL_TEXT_MAX] = "";
    bool approved = false;
    for (uint32_t i = 0; i < fed->config.enrolments_per_minute_max; i++)
        assert_int_not_equal(enrol(fed, "usc", "nonsense", usc, &approved, serial),
                             STATUS_EXHAUSTED);
    assert_int_equal(enrol(fed, "usc", "nonsense", usc, &approved, serial), STATUS_EXHAUSTED);
    fed_advance(fed, 60000);
    assert_ok(enrol(fed, "usc", make_token(fed, "usc", true), usc, &approved, serial));
}

static void only_certificates_of_members_in_good_standing_are_admitted(void **state)
{
    struct fed *fed = ((struct keyed *)*state)->fed;
    char usc[SERIAL_TEXT_MAX] = "";
    char isi[SERIAL_TEXT_MAX] = "";
    bool approved = false;
    assert_ok(enrol(fed, "usc", make_token(fed, "usc", true), make_joiner(fed), &approved, usc));
    assert_ok(enrol(fed, "isi", make_token(fed, "isi", true), make_joiner(fed), &approved, isi));
    assert_ok(admit(fed, "usc", usc));
    assert_int_equal(admit(fed, "usc", isi), STATUS_UNAUTHENTICATED); /* another's certificate */
    assert_int_equal(admit(fed, "usc", "abcdef"), STATUS_UNAUTHENTICATED); /* one we never issued */
    struct member_action_request suspend = {fed_name("usc"), MEMBER_SUSPEND};
    fed_expect(fed, STATUS_OK, NULL, &method_member_action, service_member_action, &suspend);
    assert_ok(admit(fed, "usc", usc)); /* it still reports what runs */
}

static void a_renewed_certificate_is_admitted_beside_the_old_one(void **state)
{
    struct fed *fed = ((struct keyed *)*state)->fed;
    struct joiner *usc = make_joiner(fed);
    char old[SERIAL_TEXT_MAX] = "";
    bool approved = false;
    assert_ok(enrol(fed, "usc", make_token(fed, "usc", true), usc, &approved, old));
    struct renew_request request = {.csr_pem = make_joiner(fed)->request.text};
    struct name name = fed_name("usc");
    fed_expect(fed, STATUS_OK, &name, &method_renew, service_renew, &request);
    struct store_member member;
    assert_ok(store_member_find(fed->daemon.core.store, &name, &member, &fed->fault));
    assert_string_not_equal(member.certificate_serial, old);
    assert_ok(admit(fed, "usc", old));
    assert_ok(admit(fed, "usc", member.certificate_serial));
}

/* A carrier's word is not needed where nobody is connected. */
static void the_revocation_list_grows_by_number_and_is_signed(void **state)
{
    struct fed *fed = ((struct keyed *)*state)->fed;
    void *decoded = NULL;
    fed_add(fed, "usc", 0);
    struct name usc = fed_name("usc");
    assert_ok(store_begin(fed->daemon.core.store, &fed->fault));
    assert_ok(store_member_set_state(fed->daemon.core.store, &usc, MEMBER_REVOKED, &fed->fault));
    assert_ok(daemon_sign_revocations(&fed->daemon, true, &fed->fault));
    assert_ok(store_commit(fed->daemon.core.store, &fed->fault));
    const struct signed_bytes *list = &fed->daemon.revocations;
    assert_ok(signing_verify(&fed->daemon.core.lease_key.key, SIGN_REVOCATIONS, list->body,
                             &list->signature, &fed->fault));
    assert_ok(
        wire_decode(&message_revocation_list, list->body, &fed->arena, &decoded, &fed->fault));
    const struct revocation_list *revocations = decoded;
    assert_int_equal(revocations->number, 2);
    assert_int_equal(revocations->revoked_count, 1);
    assert_string_equal(revocations->revoked[0].member.text, "usc");
}

static void the_same_deposit_again_has_its_effect_once(void **state)
{
    struct fed *fed = ((struct keyed *)*state)->fed;
    struct fed_member *usc = fed_add(fed, "usc", 0);
    struct credit_request request = {
        .member = usc->name, .amount = {5000000}, .reference = "invoice 7"};
    memset(request.request_key.bytes, 3, DIGEST_BYTES);
    for (int i = 0; i < 3; i++)
        fed_expect(fed, STATUS_OK, NULL, &method_member_credit, service_member_credit, &request);
    struct ledger_position position;
    assert_ok(ledger_position(fed->daemon.core.store, &usc->name, &position, &fed->fault));
    assert_int_equal(position.balance.micros, 5000000);
}

static void a_member_has_a_quota_of_open_jobs(void **state)
{
    struct fed *fed = ((struct keyed *)*state)->fed;
    struct fed_member *usc = fed_add(fed, "usc", 0);
    fed_submit(fed, usc, "usc-1", 1, 0.1);
    fed_submit(fed, usc, "usc-2", 1, 0.1);
    fed_submit(fed, usc, "usc-3", 1, 0.1);
    struct submit_request fourth = fed_job(fed, usc, "usc-4", 1, 0.1);
    fed_expect(fed, STATUS_EXHAUSTED, &usc->name, &method_submit, service_submit, &fourth);
    fed_submit(fed, usc, "usc-3", 2, 0.1); /* replacing one is none more */
    struct submit_request foreign = fed_job(fed, usc, "usc-5", 1, 0.1);
    struct name isi = fed_name("isi");
    fed_expect(fed, STATUS_DENIED, &isi, &method_submit, service_submit, &foreign);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_keyed, close_keyed)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(an_approved_token_admits_at_once),
        CASE(a_used_token_is_refused_to_another_key),
        CASE(a_refused_token_is_not_used_up),
        CASE(an_unapproved_member_waits_for_the_operator),
        CASE(a_member_keeps_its_keys_unless_the_operator_lets_it_change_them),
        CASE(enrolment_is_limited_a_minute),
        CASE(only_certificates_of_members_in_good_standing_are_admitted),
        CASE(a_renewed_certificate_is_admitted_beside_the_old_one),
        CASE(the_revocation_list_grows_by_number_and_is_signed),
        CASE(the_same_deposit_again_has_its_effect_once),
        CASE(a_member_has_a_quota_of_open_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
