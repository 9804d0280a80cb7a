/* The compact form: says the same as JSON, and each fault is refused with its line and column. */
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "economics/market/instance/generate.h"
#include "economics/market/instance/instance.h"
#include "economics/market/instance/mps.h"

static const char example[] = "entente-market 1\n"
                              "round 300\n"
                              "member usc\n"
                              "member ucsd\n"
                              "pool usc/A100 usc A100 64 8 0.0004\n"
                              "pool ucsd/V100 ucsd V100 12 8 0.0002\n"
                              "affinity usc ucsd 0.8\n"
                              "link usc ucsd 100 0.02\n"
                              "limit ucsd V100 4 -\n"
                              "limit usc * - 50\n"
                              "job j1 usc 0.01 1000000000 5 36000 - 0 0=2:310.5 1=2:100,4:180\n"
                              "job j0 ucsd 0.01 - - - - 1 0=1:9\n"
                              "end 2\n";

/* A text that owns itself. */
struct text {
    char *bytes;
    size_t size;
};

static struct text written(const struct draft *draft, enum instance_form form)
{
    struct text text = {NULL, 0};
    FILE *to = open_memstream(&text.bytes, &text.size);
    assert_ok(writer_draft(draft, to, form, NULL));
    fclose(to);
    return text;
}

static enum status read_draft(struct draft *draft, struct arena *arena, const char *bytes,
                              size_t size, struct fault *fault)
{
    FILE *from = fmemopen((void *)(uintptr_t)bytes, size, "r");
    assert_non_null(from);
    draft_init(draft, arena);
    enum status const status = draft_read_stream(from, "f", draft, fault);
    fclose(from);
    return status;
}

/* The text in the other form; bytes freed by the caller. */
static struct text converted(struct text from, enum instance_form form)
{
    struct arena arena;
    struct draft draft;
    struct fault fault = {.text = ""};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    if (read_draft(&draft, &arena, from.bytes, from.size, &fault) != STATUS_OK)
        fail_msg("%s", fault.text);
    struct text const text = written(&draft, form);
    draft_fini(&draft);
    arena_fini(&arena);
    return text;
}

/* The LP of an instance is all that its market says. */
static struct text lp_of(struct text instance_text)
{
    struct arena arena;
    struct instance instance;
    struct fault fault = {.text = ""};
    struct text text = {NULL, 0};
    arena_init(&arena, ARENA_ROUND_BYTES);
    if (instance_parse("f", instance_text.bytes, instance_text.size, &arena, &instance, &fault) !=
        STATUS_OK)
        fail_msg("%s", fault.text);
    FILE *to = open_memstream(&text.bytes, &text.size);
    assert_ok(mps_write(&instance, to, &fault));
    fclose(to);
    arena_fini(&arena);
    return text;
}

static struct text generated(uint64_t seed, double changed, enum instance_form form)
{
    struct text text = {NULL, 0};
    struct arena arena;
    struct generate_parameters const parameters = {
        .datacenters = 7, .jobs = 80, .seed = seed, .changed = changed, .form = form};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    FILE *to = open_memstream(&text.bytes, &text.size);
    assert_ok(generate_write(&parameters, &arena, to, NULL));
    fclose(to);
    arena_fini(&arena);
    return text;
}

static void both_forms_say_the_same(void **state)
{
    (void)state;
    uint64_t const first = support_seed(1);
    for (uint64_t seed = first; seed < first + 5; seed++) {
        struct text const json = generated(seed, 0, INSTANCE_JSON);
        struct text const compact = generated(seed, 0, INSTANCE_COMPACT);
        struct text const from_json = converted(json, INSTANCE_COMPACT);
        struct text const from_compact = converted(compact, INSTANCE_JSON);
        struct text const lp = lp_of(json);
        struct text const compact_lp = lp_of(compact);
        if (strcmp(from_json.bytes, compact.bytes) != 0 ||
            strcmp(from_compact.bytes, json.bytes) != 0 || strcmp(lp.bytes, compact_lp.bytes) != 0)
            fail_msg("seed %llu: the forms differ", (unsigned long long)seed);
        assert_true(compact.size * 4 < json.size); /* 4.7 times on 100 x 10k */
        free(json.bytes);
        free(compact.bytes);
        free(from_json.bytes);
        free(from_compact.bytes);
        free(lp.bytes);
        free(compact_lp.bytes);
    }
}

static void the_documented_example_survives_both_ways(void **state)
{
    (void)state;
    struct text const compact = {(char *)(uintptr_t)example, sizeof example - 1};
    struct text const json = converted(compact, INSTANCE_JSON);
    struct text const back = converted(json, INSTANCE_COMPACT);
    /* A missing data_gigabytes is 0, and written so. */
    assert_non_null(strstr(back.bytes, "job j0 ucsd 0.01 - 0 - - 1 0=1:9\n"));
    assert_non_null(
        strstr(back.bytes, "job j1 usc 0.01 1000000000 5 36000 - 0 0=2:310.5 1=2:100,4:180\n"));
    assert_non_null(strstr(json.bytes, "{\"member\": \"usc\", \"max_credits\": 50}"));
    assert_non_null(strstr(json.bytes, "\"one_node\": true"));
    free(json.bytes);
    free(back.bytes);
}

static void names_of_any_bytes_survive(void **state)
{
    (void)state;
    static const char odd[] =
        "{\"members\": [\"-\", \"a b%\", \"\xc3\xa4\\n\"], \"pools\": [{\"id\": "
        "\"*\", \"member\": \"a b%\", \"gpu\": \"-\", \"gpus\": 1}], "
        "\"limits\": [{\"member\": \"-\", \"gpu\": \"*\", "
        "\"max_foreign_gpus\": 1}], \"jobs\": []}";
    struct text const json = {(char *)(uintptr_t)odd, sizeof odd - 1};
    struct text const compact = converted(json, INSTANCE_COMPACT);
    assert_non_null(strstr(compact.bytes, "member %2D\nmember a%20b%25\nmember \xc3\xa4%0A\n"));
    assert_non_null(strstr(compact.bytes, "limit %2D %2A 1 -\n"));
    struct text const again = converted(compact, INSTANCE_JSON);
    struct text const twice = converted(again, INSTANCE_COMPACT);
    assert_string_equal(compact.bytes, twice.bytes);
    free(compact.bytes);
    free(again.bytes);
    free(twice.bytes);
}

static char *changed(const char *from, const char *to)
{
    const char *at = strstr(example, from);
    assert_non_null(at);
    char *text = malloc(sizeof example + strlen(to));
    assert_non_null(text);
    snprintf(text, sizeof example + strlen(to), "%.*s%s%s", (int)(at - example), example, to,
             at + strlen(from));
    return text;
}

static void each_fault_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
        const char *says;
    } faults[] = {
        {"entente-market 1", "entente-market 2", "f:1:1: must be 'entente-market 1'"},
        {"round 300", "round 0", "f:2:7: round: 0 is not within"},
        {"member ucsd\n", "member usc\n", "f: line 4: 'usc' is there already"},
        {"member ucsd\n", "member ucsd x\n", "f:4:13: more fields than the line has"},
        {"member ucsd\n", "member\n", "f:4:7: member: is missing"},
        {"member ucsd\n", "membr ucsd\n",
         "f:4:1: no line begins with 'membr'; did you mean 'member'?"},
        {"pool usc/A100 usc", "pool usc/A100 usd", "f:5:15: member: no member 'usd'; did you mean"},
        {"A100 64 8", "A100 -64 8", "f:5:24: gpus: -64 is not within 0"},
        {"A100 64 8", "A100 64.5 8", "f:5:24: gpus: must be a whole number"},
        {"A100 64 8", "A100  8", "f:5:24: gpus: two spaces in a row"},
        {"8 0.0004", "8 nan", "f:5:29: cost: must be a number"},
        {"8 0.0004", "8 1e999", "f:5:29: cost: inf is not within"},
        {"usc ucsd 0.8", "usc ucsd 1.8", "f:7:19: value: 1.8 is not within 0 and 1"},
        {"limit usc * - 50", "limit usc A100 - 50", "f: line 10: max_credits is the member's"},
        {"job j0 ucsd", "job j1 ucsd", "line 12: 'j1' is there already"},
        {"job j0 ucsd", "job j%00 ucsd", "f:12:5: id: after % come two digits"},
        {"job j0 ucsd", "job j%2 ucsd", "f:12:5: id: after % come two digits"},
        {"0=1:9", "2=1:9", "f:12:28: configurations: 2 is not within 0 and 1"},
        {"0=1:9", "0=0:9", "f:12:30: gpus: 0 is not within 1"},
        {"0=1:9", "0=1:-9", "f:12:32: throughput: -9 is not within 0"},
        {"0=1:9", "0=1", "configurations: must be POOL=GPUS:THROUGHPUT"},
        {"0=1:9", "0", "configurations: must be POOL=GPUS:THROUGHPUT"},
        {"1=2:100,4:180", "1=2:100,2:180",
         "line 11: configurations: 'ucsd/V100' with 2 GPUs is there twice"},
        {"- - - - 1", "- - - - 2", "f:12:26: one_node: 2 is not within 0 and 1"},
        {"end 2\n", "end 3\n", "f:13:5: end: says 3 jobs, but the file has 2"},
        {"end 2\n", "", "f:13:1: the file ends without an 'end' line"},
        {"end 2\n", "end 2\nmember x\n", "f:14:1: nothing may follow the 'end' line"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct arena arena;
        struct instance instance;
        struct fault fault = {.text = ""};
        char *text = changed(faults[i].from, faults[i].to);
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        enum status const status =
            instance_parse("f", text, strlen(text), &arena, &instance, &fault);
        if (status != STATUS_INVALID || strstr(fault.text, faults[i].says) == NULL)
            fail_msg("%s: expected '%s', got %s '%s'", faults[i].to, faults[i].says,
                     status_name(status), fault.text);
        arena_fini(&arena);
        free(text);
    }
}

/* Every prefix of the file is refused, and none crashes the reader. */
static void a_file_cut_short_is_refused(void **state)
{
    (void)state;
    for (size_t size = 1; size + 1 < sizeof example - 1; size++) {
        struct arena arena;
        struct instance instance;
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        if (instance_parse("f", example, size, &arena, &instance, NULL) == STATUS_OK)
            fail_msg("the first %zu bytes were taken for the whole", size);
        arena_fini(&arena);
    }
}

static void a_later_round_keeps_the_other_jobs(void **state)
{
    (void)state;
    struct text const before = generated(3, 0, INSTANCE_COMPACT);
    struct text const after = generated(3, 0.1, INSTANCE_COMPACT);
    uint32_t kept = 0;
    uint32_t fresh = 0;
    for (char *line = strtok(after.bytes, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (strncmp(line, "job ", 4) != 0)
            continue;
        kept += strstr(before.bytes, line) != NULL;
        fresh += line[4] == 'n';
    }
    assert_int_equal(kept + fresh, 80);
    assert_true(fresh >= 1 && fresh <= 24); /* a tenth of 80, three times that at most */
    free(before.bytes);
    free(after.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_forms_say_the_same),
        cmocka_unit_test(the_documented_example_survives_both_ways),
        cmocka_unit_test(names_of_any_bytes_survive),
        cmocka_unit_test(each_fault_is_refused_with_its_line),
        cmocka_unit_test(a_file_cut_short_is_refused),
        cmocka_unit_test(a_later_round_keeps_the_other_jobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
