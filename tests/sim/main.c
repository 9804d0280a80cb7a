/*
 * sim: runs whole federations under seeded faults and checks DESIGN §8 after every step.
 *
 *   sim --seeds A..B   each in a process of its own, on all processors; prints those that fail,
 *                      with the end of their trace and the command that replays them
 *   sim --seed N       one, its whole trace on standard error
 *
 * Exit 0: every seed holds.
 */
#include <argp.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/faults.h"
#include "tests/sim/plant.h"
#include "tests/sim/runner.h"

enum {
    JOBS = 8,
    JOBS_LONG = 24,
    LONG_EVERY = 16, /* one seed in so many lives a longer world */
    END_MS = 600 * 1000,
    DAY_MS = 24 * 3600 * 1000,
    SILENCE_MS = DAY_MS + 3600 * 1000,
    DAY_STEP_MS = 600 * 1000
};

struct options {
    uint64_t from;
    uint64_t to;
    bool single;
    uint32_t kinds; /* of faults */
    bool keep;
    unsigned at_once;
    char replay[512]; /* what was asked for besides seeds */
};

static void keep_memory(void);
static void live(const struct options *options, uint64_t seed, int trace_fd);
static void submit_jobs(struct world *world, int jobs);
static void world_run_checked(struct world *world, int64_t ms);
static void come_to_an_end(struct world *world, bool patient);
static int run_single(const struct options *options);
static int run_seeds(struct options *options);

/* "none", or names with commas between. */
static uint32_t read_kinds(const char *text, const struct argp_state *state)
{
    uint32_t kinds = 0;
    while (*text != '\0' && strcmp(text, "none") != 0) {
        size_t length = strcspn(text, ",");
        uint32_t before = kinds;
        for (uint32_t k = 0; k < FAULT_KIND_COUNT; k++) {
            const char *name = fault_kind_name((enum fault_kind)k);
            if (strlen(name) == length && strncmp(name, text, length) == 0)
                kinds |= 1u << k;
        }
        if (kinds == before)
            argp_error(state, "no fault is called %s", text);
        text += length + (text[length] == ',');
    }
    return kinds;
}

static error_t parse(int key, char *argument, struct argp_state *state)
{
    struct options *options = state->input;
    char *end = NULL;
    if (key == 's') {
        options->from = options->to = strtoull(argument, &end, 10);
        options->single = true;
    } else if (key == 'r') {
        options->from = strtoull(argument, &end, 10);
        if (strncmp(end, "..", 2) != 0)
            argp_error(state, "--seeds takes A..B");
        options->to = strtoull(end + 2, &end, 10);
    } else if (key == 'k') {
        options->keep = true;
        return 0;
    } else if (key == 'f') {
        options->kinds = read_kinds(argument, state);
        snprintf(options->replay, sizeof options->replay, "--faults %.480s ", argument);
        return 0;
    } else if (key == 'p') {
        enum plant plant = plant_of(argument);
        if (plant == PLANT_NONE)
            argp_error(state, "no defect is called %s", argument);
        plant_set(plant);
        return 0;
    } else if (key == 'j') {
        unsigned long at_once = strtoul(argument, &end, 10);
        if (at_once < 1 || at_once > RUNNER_AT_ONCE_MAX)
            argp_error(state, "--jobs takes 1 to %d", RUNNER_AT_ONCE_MAX);
        options->at_once = (unsigned)at_once;
    } else {
        return ARGP_ERR_UNKNOWN;
    }
    if (*end != '\0')
        argp_error(state, "%s is no number", argument);
    return 0;
}

static unsigned processors(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online < 1 ? 1 : online > RUNNER_AT_ONCE_MAX ? RUNNER_AT_ONCE_MAX : (unsigned)online;
}

int main(int argc, char **argv)
{
    static const struct argp_option keys[] = {
        {"seeds", 'r', "A..B", 0, "Run these, each in a process of its own", 0},
        {"seed", 's', "N", 0, "Run this one here, with its trace on standard error", 0},
        {"faults", 'f', "KINDS", 0,
         "Only these (slow,loss,...), or none; default: the seed decides", 0},
        {"plant", 'p', "DEFECT", 0,
         "A defect that must be noticed: double-lease, mint, forget, repeat, open-door", 0},
        {"jobs", 'j', "N", 0, "So many seeds at once; default: one a processor", 0},
        {"keep", 'k', NULL, 0, "Keep everybody's files and say where they are", 0},
        {0},
    };
    static const struct argp argp = {
        .options = keys, .parser = parse, .doc = "Federations under seeded faults."};
    struct options options = {
        .from = 1, .to = 10, .kinds = FAULTS_AS_SEED_SAYS, .at_once = processors()};
    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return 2;
    keep_memory();
    world_remove_left_over();
    return options.single ? run_single(&options) : run_seeds(&options);
}

/* What is freed is soon wanted again: a third of a seed's time was spent on giving pages back. */
static void keep_memory(void)
{
    mallopt(M_MMAP_THRESHOLD, 64 * 1024 * 1024);
    mallopt(M_TRIM_THRESHOLD, 512 * 1024 * 1024);
}

/* People submit jobs while faults happen; then those stop, and what is open comes to its end. */
static void live(const struct options *options, uint64_t seed, int trace_fd)
{
    struct faults faults;
    struct world *world = malloc(sizeof *world);
    if (world == NULL)
        abort();
    world_open(world, seed, WORLD_FOUNDERS, trace_fd);
    world->keep = options->keep;
    faults_start(&faults, world, options->kinds);
    bool longer = seed % LONG_EVERY == 0;
    submit_jobs(world, longer ? JOBS_LONG : JOBS);
    world_run_checked(world, longer ? 60000 : 15000);
    faults_stop(&faults);
    if (faults_silence(&faults)) {
        world_run_checked(world, 60000);
        world_run_in_steps(world, SILENCE_MS, DAY_STEP_MS);
        world_check_books(world);
        faults_end_silence(&faults);
    }
    come_to_an_end(world, faults_take_days(&faults));
    world_check_end(world);
    dprintf(trace_fd, "seed %" PRIu64 ": %" PRIu64 " messages, over at %.1f s\n", seed,
            world->network.delivered, (double)world_now_ms(world) / 1000);
    world_close(world);
    free(world);
}

static void submit_jobs(struct world *world, int jobs)
{
    for (int j = 0; j < jobs; j++) {
        world_run(world, 500 + (int64_t)rng_below(&world->rng, 2500));
        struct world_peer *home = &world->peers[rng_below(&world->rng, world->peer_count)];
        if (home->peer != NULL)
            world_submit(world, home);
        world_check_books(world);
    }
}

static void world_run_checked(struct world *world, int64_t ms)
{
    for (int64_t run = 0; run < ms; run += 5000) {
        world_run(world, 5000);
        world_check_books(world);
    }
}

/* Fast at first; what waits for a silent home's day or a forgotten receipt's week takes that. */
static void come_to_an_end(struct world *world, bool patient)
{
    char what[256] = "";
    for (int i = 0; i < END_MS / 5000 && !world_is_over(world, what); i++)
        world_run_checked(world, 5000);
    if (!world_is_over(world, what) && !patient)
        world_fail(world, "not over ten minutes after the last fault: %s", what);
    for (int day = 0; day < 8 && !world_is_over(world, what); day++) {
        world_run_in_steps(world, DAY_MS, DAY_STEP_MS);
        world_rule(world);
        world_run_checked(world, 60000);
    }
}

static int run_single(const struct options *options)
{
    live(options, options->from, STDERR_FILENO);
    return 0;
}

static void live_apart(void *context, uint64_t seed, int trace_fd)
{
    live(context, seed, trace_fd);
}

static int run_seeds(struct options *options)
{
    struct runner runner = {
        .from = options->from,
        .to = options->to,
        .at_once = options->at_once,
        .live = live_apart,
        .context = options,
        .replay = options->replay,
    };
    return runner_run(&runner) == 0 ? 0 : 1;
}
