#include "tests/support/support.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/yaml.h"

struct pool {
    char *gpu;
    uint32_t gpus;
};

struct sample {
    char *name;
    double cost;
    struct pool *pools;
    unsigned pools_count;
};

static const cyaml_schema_field_t pool_fields[] = {
    CYAML_FIELD_STRING_PTR("gpu", CYAML_FLAG_POINTER, struct pool, gpu, 1, CYAML_UNLIMITED),
    CYAML_FIELD_UINT("gpus", CYAML_FLAG_DEFAULT, struct pool, gpus),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t pool_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct pool, pool_fields),
};
static const cyaml_schema_field_t sample_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct sample, name, 1, CYAML_UNLIMITED),
    CYAML_FIELD_FLOAT("cost", CYAML_FLAG_OPTIONAL, struct sample, cost),
    CYAML_FIELD_SEQUENCE("pools", CYAML_FLAG_POINTER, struct sample, pools, &pool_value, 0, 8),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t sample_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct sample, sample_fields),
};

struct fixture {
    char directory[256];
    char file[FILE_PATH_MAX];
    struct arena arena;
    struct fault fault;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    support_make_directory(fixture.directory);
    snprintf(fixture.file, sizeof fixture.file, "%s/sample.yaml", fixture.directory);
    arena_init(&fixture.arena, ARENA_MESSAGE_BYTES);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    arena_fini(&fixture->arena);
    support_remove_tree(fixture->directory);
    return 0;
}

static enum status load(struct fixture *fixture, const char *text, struct sample **sample)
{
    void *data = NULL;
    struct bytes bytes = {.data = (const uint8_t *)text, .size = strlen(text)};
    assert_ok(file_write(fixture->file, bytes, 0600, &fixture->fault));
    enum status status =
        yaml_load(fixture->file, &sample_schema, &fixture->arena, &data, &fixture->fault);
    *sample = data;
    return status;
}

static const char good[] =
    "name: usc\ncost: 0.5\npools:\n  - gpu: A100\n    gpus: 8\n  - gpu: V100\n    gpus: 4\n";

static void a_file_that_keeps_the_schema_is_loaded(void **state)
{
    struct sample *sample;
    assert_ok(load(*state, good, &sample));
    assert_string_equal(sample->name, "usc");
    assert_int_equal(sample->pools_count, 2);
    assert_string_equal(sample->pools[1].gpu, "V100");
    assert_near(sample->cost, 0.5, 0);
}

static void a_mistyped_key_is_named_with_its_line_and_the_nearest_one(void **state)
{
    struct fixture *fixture = *state;
    struct sample *sample;
    assert_int_equal(load(fixture, "name: usc\npools:\n  - gpu: A100\n    gpuss: 8\n", &sample),
                     STATUS_CONFIG);
    assert_non_null(strstr(fixture->fault.text, "sample.yaml:4:"));
    assert_non_null(strstr(fixture->fault.text, "gpuss"));
    assert_non_null(strstr(fixture->fault.text, "did you mean 'gpus'?"));
}

static void a_value_of_the_wrong_type_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct sample *sample;
    assert_int_equal(load(fixture, "name: usc\npools:\n  - gpu: A100\n    gpus: many\n", &sample),
                     STATUS_CONFIG);
    assert_non_null(strstr(fixture->fault.text, "sample.yaml:4:"));
}

static void broken_and_empty_files_are_refused(void **state)
{
    static const char *const wrong[] = {"", "name: [", "- 1\n", "name: usc\n", "\t", "a: &a [*a]"};
    struct sample *sample;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(load(*state, wrong[i], &sample), STATUS_CONFIG);
}

static void a_path_leads_to_its_line(void **state)
{
    struct fixture *fixture = *state;
    struct sample *sample;
    assert_ok(load(fixture, good, &sample));
    assert_int_equal(yaml_line(fixture->file, "cost"), 2);
    assert_int_equal(yaml_line(fixture->file, "pools[1].gpus"), 7);
    assert_int_equal(yaml_line(fixture->file, "pools[1].missing"), 6); /* its nearest parent */
    yaml_fault(&fixture->fault, fixture->file, "pools[0].gpus", "is too many");
    assert_non_null(strstr(fixture->fault.text, "sample.yaml:5: pools[0].gpus: is too many"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_keeps_the_schema_is_loaded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mistyped_key_is_named_with_its_line_and_the_nearest_one,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_value_of_the_wrong_type_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(broken_and_empty_files_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_path_leads_to_its_line, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
