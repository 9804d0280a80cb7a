#include "tests/proto/identity_fixture.h"

#include <stdio.h>

static struct federation_fixture ours;
static struct federation_fixture theirs; /* another root under the same federation's name */
static struct pem usc_key, usc_chain;

static int make_federations(void **state)
{
    (void)state;
    fixture_make(&ours, "trojan", FIXTURE_NOW);
    fixture_make(&theirs, "trojan", FIXTURE_NOW);
    fixture_enrol(&ours, "usc", &usc_key, &usc_chain);
    return 0;
}

static int wipe_federations(void **state)
{
    (void)state;
    pem_wipe(&usc_key);
    assert_int_equal(usc_key.text[0], '\0');
    return 0;
}

static void a_members_chain_leads_to_its_root(void **state)
{
    (void)state;
    struct fault fault = {0};
    enum status status =
        identity_verify_chain(&usc_chain, &ours.root, &usc_key, FIXTURE_NOW, &fault);
    assert_string_equal(fault.text, "");
    assert_int_equal(status, STATUS_OK);
}

static void a_certificate_says_whose_it_is(void **state)
{
    (void)state;
    struct certificate_facts facts;
    assert_ok(identity_read_certificate(&usc_chain, &facts, NULL));
    assert_int_equal(facts.subject.role, IDENTITY_MEMBER);
    assert_string_equal(facts.subject.federation.text, "trojan");
    assert_string_equal(facts.subject.member.text, "usc");
    assert_int_equal(facts.validity.from_wall_ms, ours.validity.from_wall_ms);
    assert_int_equal(facts.validity.until_wall_ms, ours.validity.until_wall_ms);
    assert_int_equal(strlen(facts.serial), 32); /* 128 bits in hex */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_members_chain_leads_to_its_root),
        cmocka_unit_test(a_certificate_says_whose_it_is),
    };
    return cmocka_run_group_tests(tests, make_federations, wipe_federations);
}
