#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/config.h"

struct trial {
    char directory[256];
    char path[300];
    struct arena arena;
    struct broker_config config;
    struct fault fault;
};

static const char least[] = "federation: demo\n"        /* 1 */
                            "state_directory: state\n"  /* 2 */
                            "public_host: localhost\n"  /* 3 */
                            "listen:\n"                 /* 4 */
                            "  members: 0.0.0.0:1\n"    /* 5 */
                            "  enrolment: 0.0.0.0:2\n"; /* 6 */

static int make_trial(void **state)
{
    struct trial *trial = calloc(1, sizeof *trial);
    assert_non_null(trial);
    support_make_directory(trial->directory);
    snprintf(trial->path, sizeof trial->path, "%s/broker.yaml", trial->directory);
    arena_init(&trial->arena, ARENA_MESSAGE_BYTES);
    *state = trial;
    return 0;
}

static int drop_trial(void **state)
{
    struct trial *trial = *state;
    support_remove_tree(trial->directory);
    arena_fini(&trial->arena);
    free(trial);
    return 0;
}

/* Loads the least configuration with more behind it. */
static enum status load(struct trial *trial, const char *before, const char *more)
{
    FILE *file = fopen(trial->path, "w");
    assert_non_null(file);
    fputs(before, file);
    fputs(more, file);
    assert_int_equal(fclose(file), 0);
    return broker_config_load(trial->path, &trial->arena, &trial->config, &trial->fault);
}

static void expect_refusal(struct trial *trial, const char *more, int line, const char *word)
{
    char place[340];
    snprintf(place, sizeof place, "%s:%d:", trial->path, line);
    assert_int_equal(load(trial, least, more), STATUS_CONFIG);
    if (strstr(trial->fault.text, place) == NULL || strstr(trial->fault.text, word) == NULL)
        fail_msg("'%s' names neither %s nor '%s'", trial->fault.text, place, word);
}

static void the_example_is_valid_and_says_the_defaults(void **state)
{
    struct trial *trial = *state;
    struct broker_config plain;
    char example[512];
    const char *source = getenv("ENTENTE_SOURCE_DIR");
    if (source == NULL)
        skip();
    assert_ok(load(trial, least, ""));
    plain = trial->config;
    snprintf(example, sizeof example, "%s/configs/broker.yaml", source);
    if (broker_config_load(example, &trial->arena, &trial->config, &trial->fault) != STATUS_OK)
        fail_msg("%s", trial->fault.text);
    assert_int_equal(trial->config.round_ms, plain.round_ms);
    assert_int_equal(trial->config.lead_ms, plain.lead_ms);
    assert_int_equal(trial->config.interim_delay_ms, plain.interim_delay_ms);
    assert_int_equal(trial->config.heartbeat_ms, plain.heartbeat_ms);
    assert_int_equal(trial->config.holdover_ms, plain.holdover_ms);
    assert_int_equal(trial->config.grace_ms, plain.grace_ms);
    assert_int_equal(trial->config.skew_ms_max, plain.skew_ms_max);
    assert_int_equal(trial->config.accept_within_ms, plain.accept_within_ms);
    assert_int_equal(trial->config.member_certificate_ms, plain.member_certificate_ms);
    assert_int_equal(trial->config.broker_certificate_ms, plain.broker_certificate_ms);
    assert_int_equal(trial->config.intermediate_certificate_ms, plain.intermediate_certificate_ms);
    assert_int_equal(trial->config.root_certificate_ms, plain.root_certificate_ms);
    assert_int_equal(trial->config.credit_limit_default.micros, plain.credit_limit_default.micros);
    assert_int_equal(trial->config.jobs_per_member_max, plain.jobs_per_member_max);
    assert_int_equal(trial->config.gpus_per_job_max, plain.gpus_per_job_max);
    assert_int_equal(trial->config.enrolments_per_minute_max, plain.enrolments_per_minute_max);
    assert_near(trial->config.restart_seconds, plain.restart_seconds, 0);
    assert_near(trial->config.transfer_bytes_per_second, plain.transfer_bytes_per_second, 0);
    assert_int_equal(trial->config.throughputs.row_count, 4);
}

static void paths_are_relative_to_the_file(void **state)
{
    struct trial *trial = *state;
    char expected[512];
    assert_ok(load(trial, least, ""));
    snprintf(expected, sizeof expected, "%s/state", trial->directory);
    assert_string_equal(trial->config.state_directory, expected);
    snprintf(expected, sizeof expected, "%s/state/operator.sock", trial->directory);
    assert_string_equal(trial->config.operator_socket, expected);
}

static void a_refusal_names_file_line_key_and_mend(void **state)
{
    struct trial *trial = *state;
    expect_refusal(trial, "rounds: {period: 10}\n", 7, "not a duration");
    expect_refusal(trial, "rounds: {period: 1ms}\n", 7, "below the least");
    expect_refusal(trial, "rounds:\n  period: 10s\n  lead: 9s\n", 9, "half of the period");
    expect_refusal(trial, "heartbeat_period: 6m\n", 7, "longer than a round");
    expect_refusal(trial, "rounds: {periot: 10s}\n", 7, "period");
    expect_refusal(trial, "quotas: {jobs_per_member: 0}\n", 7, "not within 1 to");
    expect_refusal(trial, "costs: {transfer_bytes_per_second: 0}\n", 7, "at least 1");
    expect_refusal(trial, "costs: {credits_per_gigabyte: .nan}\n", 7, "FLOAT");
    expect_refusal(trial, "credits: {limit: -5}\n", 7, "at least 0");
    expect_refusal(trial, "split: {mechanism: nucleolis}\n", 7, "did you mean 'nucleolus'?");
    expect_refusal(trial, "split: {mechanism: vcg}\n", 7, "name the account that funds it");
    expect_refusal(trial, "split: {mechanism: vcg, funding: escrow/usc}\n", 7, "can pay");
    expect_refusal(trial, "split: {funding: member/usc}\n", 7, "no deficit to fund");
    expect_refusal(trial, "operators: {group: no-such-group-here}\n", 7, "no group");
    expect_refusal(trial,
                   "throughput:\n"
                   "  - {model: m, gpu: g, gpus: 1, examples_per_second: 5}\n"
                   "  - {model: m, gpu: g, gpus: 0, examples_per_second: 5}\n",
                   9, "at least 1");
    expect_refusal(trial,
                   "throughput:\n"
                   "  - {model: m, gpu: g, gpus: 1, examples_per_second: 5}\n"
                   "  - {model: m, gpu: g, gpus: 1, examples_per_second: 6}\n",
                   7, "stated twice");
}

static void an_address_without_a_port_is_refused(void **state)
{
    struct trial *trial = *state;
    static const char *const wrong[] = {"localhost", "localhost:", ":7600", "localhost:99999",
                                        "localhost:7600x"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[256];
        snprintf(text, sizeof text,
                 "federation: demo\nstate_directory: s\npublic_host: h\n"
                 "listen: {members: '%s', enrolment: '0.0.0.0:2'}\n",
                 wrong[i]);
        assert_int_equal(load(trial, text, ""), STATUS_CONFIG);
        assert_non_null(strstr(trial->fault.text, "HOST:PORT"));
    }
}

static void enrolment_has_a_port_of_its_own(void **state)
{
    struct trial *trial = *state;
    assert_int_equal(load(trial,
                          "federation: demo\nstate_directory: s\npublic_host: h\n"
                          "listen: {members: '0.0.0.0:2', enrolment: '0.0.0.0:2'}\n",
                          ""),
                     STATUS_CONFIG);
    assert_non_null(strstr(trial->fault.text, "of its own"));
    assert_ok(load(trial,
                   "federation: demo\nstate_directory: s\npublic_host: h\n"
                   "listen: {members: '0.0.0.0:0', enrolment: '0.0.0.0:0'}\n",
                   ""));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, make_trial, drop_trial)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_example_is_valid_and_says_the_defaults),
        CASE(paths_are_relative_to_the_file),
        CASE(a_refusal_names_file_line_key_and_mend),
        CASE(an_address_without_a_port_is_refused),
        CASE(enrolment_has_a_port_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
