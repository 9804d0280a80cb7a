/* Cluster traces as instances: constraints become configurations, and what is wrong is named with
 * its line. */
#include "tests/support/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "economics/market/instance/instance.h"
#include "economics/market/instance/trace.h"

static const char nodes[] = "sn,cpu_milli,memory_mib,gpu,model\n"
                            "n0,64000,262144,2,P100\n"
                            "n1,64000,262144,8,V100M16\n"
                            "n2,64000,262144,4,V100M16\n"
                            "n3,64000,262144,0,\n"
                            "n4,64000,262144,8,V100M32\n";

static const char pods[] =
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,"
    "deletion_time,scheduled_time\n"
    "p0,1,1,1,1000,,LS,Running,0,100,0\n"
    "p1,1,1,2,1000,V100M16|V100M32,BE,Running,50,150,50\n"
    "p2,1,1,0,0,,LS,Running,0,100,0\n"
    "p3,1,1,8,1000,P100,LS,Running,0,,0\n"
    "p4,1,1,8,1000,V100M32,LS,Running,0,100,0\n";

static const char philly[] = "timestamp,duration,num_gpus,gpu_time,cluster\n"
                             "2017-10-09 00:00:00,1000,2,2000,b\r\n"
                             "2017-10-09 00:10:00,1000.5,16,16008,a\n"
                             "\n"
                             "2017-10-10 00:00:00,100,1,100,b\n";

static const char muri[] =
    "job_id,num_gpu,submit_time,iterations,model_name,batch_size,duration,interval,iteration_time\n"
    "0,4,0,1000,bert,8,200000,0,200\n"
    "1,1,50000,10,vgg16,16,1000,0,100\n";

struct imported {
    char directory[256];
    struct arena arena;
    struct instance instance;
    struct trace_notes notes;
    struct fault fault;
    char *text;
    size_t size;
};

static void put_file(struct imported *in, const char *name, const char *text,
                     char path[static FILE_PATH_MAX])
{
    assert_ok(path_join(path, in->directory, name, NULL));
    struct bytes const bytes = {.data = (const uint8_t *)text, .size = strlen(text)};
    assert_ok(file_write(path, bytes, 0600, NULL));
}

/* second NULL: philly. */
static enum status import(struct imported *in, const char *first, const char *second, double at)
{
    char path[2][FILE_PATH_MAX];
    *in = (struct imported){.fault = {.text = ""}};
    arena_init(&in->arena, ARENA_ROUND_BYTES);
    support_make_directory(in->directory);
    put_file(in, "first.csv", first, path[0]);
    if (second != NULL)
        put_file(in, "second.csv", second, path[1]);
    FILE *to = open_memstream(&in->text, &in->size);
    assert_non_null(to);
    struct trace_options const options = {.members = 2, .affinity = 0.5, .at = at};
    enum status status =
        second != NULL
            ? trace_alibaba(path[0], path[1], &options, &in->arena, to, &in->notes, &in->fault)
            : trace_philly(path[0], &options, &in->arena, to, &in->notes, &in->fault);
    assert_int_equal(fclose(to), 0);
    if (status == STATUS_OK)
        status =
            instance_parse("imported", in->text, in->size, &in->arena, &in->instance, &in->fault);
    return status;
}

static void end(struct imported *in)
{
    support_remove_tree(in->directory);
    arena_fini(&in->arena);
    free(in->text);
}

static uint32_t columns_of(const struct imported *in, const char *job)
{
    for (uint32_t j = 0; j < in->instance.market.job_count; j++)
        if (strcmp(in->instance.job_ids[j], job) == 0)
            return in->instance.market.jobs[j].column_count;
    fail_msg("no job %s", job);
    return 0;
}

static void gpu_constraints_become_configurations(void **state)
{
    (void)state;
    struct imported in;
    if (import(&in, nodes, pods, -1) != STATUS_OK)
        fail_msg("%s", in.fault.text);
    const struct market *market = &in.instance.market;
    assert_int_equal(market->member_count, 2);
    assert_int_equal(market->pool_count, 4); /* m0: P100, V100M16; m1: V100M16, V100M32 */
    assert_string_equal(in.instance.pool_ids[0], "m0/P100");
    assert_int_equal(market->pools[0].gpu_count, 2);
    assert_int_equal(market->job_count, 4);
    assert_int_equal(columns_of(&in, "p0"), 4); /* no constraint */
    assert_int_equal(columns_of(&in, "p1"), 3); /* not on P100 */
    assert_int_equal(columns_of(&in, "p3"), 0); /* no node has 8 P100 */
    assert_int_equal(columns_of(&in, "p4"), 1);
    assert_int_equal(in.notes.without_gpus, 1);
    assert_int_equal(in.notes.not_possible, 1);
    for (uint32_t j = 0; j < market->job_count; j++)
        assert_true(market->jobs[j].one_node);
    end(&in);
}

static void at_a_time_only_what_runs_then_is_there(void **state)
{
    (void)state;
    struct imported in;
    assert_ok(import(&in, nodes, pods, 120)); /* p1, and p3 that has no end */
    assert_int_equal(in.instance.market.job_count, 2);
    assert_int_equal(in.notes.not_then, 2);
    end(&in);
    assert_ok(import(&in, philly, NULL, 700)); /* 700 s after the first: the first two */
    assert_int_equal(in.instance.market.job_count, 2);
    end(&in);
}

static void a_philly_list_makes_its_clusters_members(void **state)
{
    (void)state;
    struct imported in;
    if (import(&in, philly, NULL, -1) != STATUS_OK)
        fail_msg("%s", in.fault.text);
    const struct market *market = &in.instance.market;
    assert_int_equal(market->member_count, 2);
    assert_string_equal(in.instance.member_ids[0], "a");
    assert_int_equal(market->pools[0].gpu_count, 16); /* its largest job's */
    assert_int_equal(market->pools[1].gpu_count, 8);  /* a node */
    assert_int_equal(market->job_count, 3);
    assert_int_equal(columns_of(&in, "line3"), 1); /* 16 GPUs: at a alone */
    assert_int_equal(columns_of(&in, "line5"), 2);
    /* b's first: 2 GPUs × 300 s × (0.0006 − 0.0003) at home */
    assert_near(credits_to_double(market->columns[market->jobs[1].first_column + 1].worth), 0.18,
                1e-9);
    end(&in);
}

static void muris_list_tells_speeds(void **state)
{
    (void)state;
    struct imported in;
    if (import(&in, muri, NULL, -1) != STATUS_OK)
        fail_msg("%s", in.fault.text);
    const struct market *market = &in.instance.market;
    assert_int_equal(market->job_count, 2);
    /* 8 examples in 200 ms */
    assert_int_equal(market->columns[market->jobs[0].first_column].micro_examples_per_second,
                     40000000);
    end(&in);
}

static void each_fault_names_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *first;
        const char *second; /* NULL: philly */
        const char *says;
    } cases[] = {
        {"sn,gpu\nn0,2\n", pods, "first.csv:1: the heading has no column 'model'"},
        {"sn,gpu,model\nn0,-1,P100\n", pods, "first.csv:2: gpu: '-1' is not a number"},
        {"sn,gpu,model\nn0,nan,P100\n", pods, "first.csv:2: gpu: 'nan'"},
        {"sn,gpu,model\nn0,inf,P100\n", pods, "first.csv:2: gpu: 'inf'"},
        {"sn,gpu,model\nn0,1.5,P100\n", pods, "first.csv:2: gpu: must be a whole number"},
        {"sn,gpu,model\nn0,65,P100\n", pods, "first.csv:2: gpu: '65' is not a number of 0 to 64"},
        {"sn,gpu,model\nn0,1\n", pods, "first.csv:2: 2 columns, but the heading has 3"},
        {"sn,gpu,model\nn0,1,P\"1\n", pods, "first.csv:2: model"},
        {"sn,gpu,model\nn0,1,A\nn1,1,A\nn0,1,A\n", pods,
         "first.csv:4: 'n0' is there already, on line 2"},
        {nodes, "name,num_gpu,gpu_spec,qos,creation_time,deletion_time\np,1,A|,LS,0,1\n",
         "second.csv:2: gpu_spec: an empty model beside |"},
        {nodes, "name,num_gpu,gpu_spec,qos,creation_time,deletion_time\np,1,|A,LS,0,1\n",
         "second.csv:2: gpu_spec: an empty model beside |"},
        {nodes, "name,num_gpu,gpu_spec,qos,creation_time,deletion_time\np,1,,LS,0,1\np,1,,LS,0,1\n",
         "second.csv:3: 'p' is there already, on line 2"},
        {"timestamp,duration,num_gpus\n", NULL, "first.csv:1: the heading has no column 'cluster'"},
        {"timestamp,duration,num_gpus,cluster\n2017-13-01 00:00:00,1,1,c\n", NULL,
         "first.csv:2: timestamp: must be like"},
        {"timestamp,duration,num_gpus,cluster\n2017-12-01 00:00:00,-1,1,c\n", NULL,
         "first.csv:2: duration: '-1'"},
        {"", NULL, "first.csv:1: the heading has no column"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct imported in;
        if (import(&in, cases[i].first, cases[i].second, -1) != STATUS_INVALID ||
            strstr(in.fault.text, cases[i].says) == NULL)
            fail_msg("case %zu: not '%s' but '%s'", i, cases[i].says, in.fault.text);
        end(&in);
    }
}

/* The public traces, where they are. */
static void the_published_traces_become_valid_instances(void **state)
{
    (void)state;
    static const char *const lists[] = {"traces/philly_jobs.csv", "traces/muri_philly_trace1.csv"};
    struct trace_options const options = {.members = 8, .affinity = 0.9, .at = 3000000};
    char first[FILE_PATH_MAX];
    for (size_t i = 0; i < 3; i++) {
        const char *path =
            support_shared_data(i < 2 ? lists[i] : "traces/alibaba_openb_node_list_gpu_node.csv");
        if (path == NULL) {
            print_message("../shared/data/traces is absent: skipped\n");
            skip();
            return;
        }
        struct imported in = {.fault = {.text = ""}};
        arena_init(&in.arena, ARENA_ROUND_BYTES);
        snprintf(first, sizeof first, "%s", path);
        FILE *to = open_memstream(&in.text, &in.size);
        assert_non_null(to);
        enum status status =
            i < 2 ? trace_philly(first, &options, &in.arena, to, &in.notes, &in.fault)
                  : trace_alibaba(first,
                                  support_shared_data("traces/alibaba_openb_pod_list_default.csv"),
                                  &options, &in.arena, to, &in.notes, &in.fault);
        assert_int_equal(fclose(to), 0);
        if (status == STATUS_OK)
            status = instance_parse(first, in.text, in.size, &in.arena, &in.instance, &in.fault);
        if (status != STATUS_OK)
            fail_msg("%s", in.fault.text);
        assert_int_equal(in.instance.market.job_count, in.notes.jobs);
        assert_true(in.notes.jobs > 0);
        free(in.text);
        arena_fini(&in.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gpu_constraints_become_configurations),
        cmocka_unit_test(at_a_time_only_what_runs_then_is_there),
        cmocka_unit_test(a_philly_list_makes_its_clusters_members),
        cmocka_unit_test(muris_list_tells_speeds),
        cmocka_unit_test(each_fault_names_file_and_line),
        cmocka_unit_test(the_published_traces_become_valid_instances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
