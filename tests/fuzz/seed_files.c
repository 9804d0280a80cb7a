/*
 * Writes the seed corpora of the targets that read files and texts of people: one valid input (and
 * here and there one that nearly is) for each reader. Run from the source directory after a format
 * changed: fuzz_files_seeds tests/fuzz/corpus
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "economics/throughput/model.h"

struct seed {
    const char *target;
    int reader; /* the first byte */
    const char *name;
    const char *text; /* NULL: the file of this name, below the source directory */
    const char *file;
};

static const char rows[] =
    "model,gpu_cluster,placement,num_nodes,num_replicas,local_bsz,step_time_s\n"
    "bert,aws,1,1,1,8,0.1\nbert,aws,2,1,2,8,0.12\nbert,aws,4,1,4,8,0.15\n"
    "bert,aws,44,2,8,16,0.3\nbert,rtx,1,1,1,8,0.2\ncifar10,rtx,1,1,1,128,0.05\n";

static const char market[] =
    "{\"members\": [\"a\", \"b\"], \"pools\": [{\"id\": \"p\", \"member\": \"a\", \"gpu\": \"g\", "
    "\"gpus\": 1}], \"jobs\": [{\"id\": \"j\", \"home\": \"b\", \"value\": 1, \"configurations\": "
    "[{\"pool\": \"p\", \"gpus\": 1, \"throughput\": 2}]}]}";

static const char plan[] =
    "{\"objective\": 600, \"upper_bound\": 600, \"gap\": 0, \"prices\": {\"p\": 1}, \"payoffs\": "
    "{\"a\": 600}, \"plan\": [{\"job\": \"j\", \"pool\": \"p\", \"gpus\": 1, \"share\": 1}]}";

static const char philly[] = "timestamp,duration,num_gpus,gpu_time,cluster\n"
                             "2017-10-09 00:00:00,1000,2,2000,b\r\n"
                             "2017-10-09 00:10:00,1000.5,16,16008,a\n";

static const char muri[] =
    "job_id,num_gpu,submit_time,iterations,model_name,batch_size,duration,interval,iteration_time\n"
    "0,4,0,1000,bert,8,200000,0,200\n1,1,50000,10,vgg16,16,1000,0,100\n";

static const char launch[] = "entente launch 1\0001\0/a\0/b\0\0/bin/true\0x";

static const struct seed seeds[] = {
    {"config", 0, "broker", NULL, "configs/broker.yaml"},
    {"config", 0, "broker-demo", NULL, "configs/demo/broker.yaml"},
    {"config", 1, "peer", NULL, "configs/peer.yaml"},
    {"config", 1, "peer-demo", NULL, "configs/demo/peer.yaml"},
    {"config", 2, "job", NULL, "configs/job.yaml"},
    {"config", 2, "anchors",
     "command: &c [a, b]\nfiles: *c\nmodel: m\nbatch: 8\nexamples: 100\nvalue_per_example: 1e-6\n",
     NULL},
    {"text", 0, "duration", "250ms", NULL},
    {"text", 0, "days", "30d", NULL},
    {"text", 1, "time", "2026-11-24T08:00:00Z", NULL},
    {"text", 1, "date", "2026-11-24", NULL},
    {"text", 2, "credits", "-12.345678", NULL},
    {"text", 3, "lease", "17-2", NULL},
    {"text", 4, "account", "member/usc", NULL},
    {"text", 4, "endowment", "federation/endowment", NULL},
    {"text", 5, "digest", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", NULL},
    {"text", 6, "name", "usc-1.a_b", NULL},
    {"text", 7, "size", "16M", NULL},
    {"text", 7, "address", "[::1]:7000", NULL},
    {"text", 7, "variable", "A_B=c d", NULL},
    {"experiment", 0, "rows", rows, NULL},
    {"experiment", 2, "table", "{\"n\": 2, \"v\": [1, 2, 4], \"players\": [\"x\", \"y\"]}", NULL},
    {"experiment", 2, "families",
     "{\"games\": [{\"claims\": [100, 200], \"estate\": 200}, {\"runways\": [1, 2]},"
     " {\"weights\": [3, 2, 2], \"quota\": 4}, {\"assignment\": [[1, 2], [3, 4]]},"
     " {\"tree\": [[0, 1, 2], [1, 0, 1], [2, 1, 0]]},"
     " {\"A\": [[1, 2]], \"c\": [3, 4], \"b\": [[1], [2]]},"
     " {\"source\": 0, \"sink\": 1, \"edges\": [{\"from\": 0, \"to\": 1, \"capacity\": 2,"
     " \"owner\": 1}]}]}",
     NULL},
    {"experiment", 2, "csv", "coalition,worth\nusc,10\nucsd,12\n\"usc,ucsd\",30\n", NULL},
    {"experiment", 2, "market", market, NULL},
    {"experiment", 3, "plan", plan, NULL},
    {"trace", 0, "philly", philly, NULL},
    {"trace", 0, "muri", muri, NULL},
    {"run_state", 0, "progress", "steps 10\nexamples 100\nexamples_per_second 12.5\n", NULL},
    {"run_state", 1, "exit", "code 0\nstopped 1\nout_of_memory 0\n", NULL},
    {"run_state", 3, "identity", "pid 1234\nstart_ticks 99\nboot 0-1-2\n", NULL},
    {"run_state", 4, "stop", "grace_ms 5000\n", NULL},
    {"run_state", 5, "slot", "slot 3\n", NULL},
    {"run_state", 6, "checkpoint", "number 1\ninode 2\nchanged_ns 3\nsize 4\npath checkpoint.bin\n",
     NULL},
};

static const char alibaba[] =
    "sn,cpu_milli,memory_mib,gpu,model\nn0,1,1,2,P100\nn1,1,1,8,V100M16\n\0"
    "name,num_gpu,gpu_spec,qos,creation_time,deletion_time\n"
    "p0,1,,LS,0,100\np1,2,V100M16|P100,BE,50,150\n";

static void must(enum status status, const struct fault *fault)
{
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "fuzz_files_seeds: %s\n", fault->text);
    exit(EXIT_FAILURE);
}

static void write_seed(const char *corpus, const struct seed *seed, struct bytes bytes,
                       struct arena *arena)
{
    char path[FILE_PATH_MAX];
    struct fault fault = {.text = "no memory"};
    snprintf(path, sizeof path, "%s/%s", corpus, seed->target);
    must(directory_make(path, 0755, &fault), &fault);
    snprintf(path, sizeof path, "%s/%s/%d-%s", corpus, seed->target, seed->reader, seed->name);
    uint8_t *whole = arena_alloc(arena, bytes.size + 1, 1);
    must(whole != NULL ? STATUS_OK : STATUS_NO_MEMORY, &fault);
    whole[0] = (uint8_t)seed->reader;
    memcpy(whole + 1, bytes.data, bytes.size);
    must(file_write(path, (struct bytes){whole, bytes.size + 1}, 0644, &fault), &fault);
}

/* A fitted model is what model_write makes of the rows above. */
static void write_model(const char *corpus, struct arena *arena)
{
    static const struct seed seed = {"experiment", 1, "model", NULL, NULL};
    struct measurements *set = arena_alloc(arena, 1, sizeof *set);
    char *text = arena_copy_text(arena, rows, sizeof rows - 1);
    const struct throughput_model *model;
    struct model_options const options = {.link_gbps = NULL};
    struct fault fault = {.text = "no memory"};
    char *json = NULL;
    size_t size = 0;
    must(set != NULL && text != NULL ? STATUS_OK : STATUS_NO_MEMORY, &fault);
    measurements_init(set, arena);
    must(measurements_parse(set, "rows", text, true, &fault), &fault);
    must(model_fit(set, NULL, set->row_count, &options, arena, &model, &fault), &fault);
    FILE *to = open_memstream(&json, &size);
    must(to != NULL ? model_write(model, to, &fault) : STATUS_NO_MEMORY, &fault);
    fclose(to);
    write_seed(corpus, &seed, (struct bytes){(const uint8_t *)json, size}, arena);
    free(json);
}

int main(int argc, char **argv)
{
    static const struct seed with_pods = {"trace", 1, "alibaba", NULL, NULL};
    static const struct seed launched = {"run_state", 2, "launch", NULL, NULL};
    struct arena arena;
    struct fault fault;
    if (argc != 2) {
        fprintf(stderr, "usage: fuzz_files_seeds CORPUS-DIRECTORY (from the source directory)\n");
        return EXIT_FAILURE;
    }
    arena_init(&arena, ARENA_ROUND_BYTES);
    for (size_t s = 0; s < sizeof seeds / sizeof seeds[0]; s++) {
        struct bytes bytes = {(const uint8_t *)seeds[s].text, 0};
        if (seeds[s].text != NULL)
            bytes.size = strlen(seeds[s].text);
        else
            must(file_read(seeds[s].file, ARENA_MESSAGE_BYTES, &arena, &bytes, &fault), &fault);
        write_seed(argv[1], &seeds[s], bytes, &arena);
    }
    write_seed(argv[1], &with_pods, (struct bytes){(const uint8_t *)alibaba, sizeof alibaba - 1},
               &arena);
    write_seed(argv[1], &launched, (struct bytes){(const uint8_t *)launch, sizeof launch}, &arena);
    write_model(argv[1], &arena);
    arena_fini(&arena);
    return EXIT_SUCCESS;
}
