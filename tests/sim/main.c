/*
 * sim: runs whole federations under seeded faults and checks DESIGN §8 after every step.
 *
 *   sim --seeds A..B   each in a process of its own; prints those that fail, with the end of their
 * trace sim --seed N       one, its whole trace on standard error
 *
 * Exit 0: every seed holds.
 */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/faults.h"

enum {
    TRACE_TAIL_BYTES = 6000,
    PEERS = 3,
    JOBS = 12,
    END_MS = 600 * 1000,
    DAY_MS = 24 * 3600 * 1000,
    SILENCE_MS = DAY_MS + 3600 * 1000
};

struct options {
    uint64_t from;
    uint64_t to;
    bool single;
    uint32_t kinds; /* of faults */
    bool keep;
};

static void live(const struct options *options, uint64_t seed, int trace_fd);
static void submit_jobs(struct world *world);
static void world_run_checked(struct world *world, int64_t ms);
static void come_to_an_end(struct world *world, bool patient);
static int run_single(const struct options *options);
static int run_seeds(const struct options *options);

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
        return 0;
    } else {
        return ARGP_ERR_UNKNOWN;
    }
    if (*end != '\0')
        argp_error(state, "%s is no number", argument);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct argp_option keys[] = {
        {"seeds", 'r', "A..B", 0, "Run these, each in a process of its own", 0},
        {"seed", 's', "N", 0, "Run this one here, with its trace on standard error", 0},
        {"faults", 'f', "KINDS", 0,
         "Only these (slow,loss,...), or none; default: the seed decides", 0},
        {"keep", 'k', NULL, 0, "Keep everybody's files and say where they are", 0},
        {0},
    };
    static const struct argp argp = {
        .options = keys, .parser = parse, .doc = "Federations under seeded faults."};
    struct options options = {.from = 1, .to = 10, .kinds = FAULTS_AS_SEED_SAYS};
    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return 2;
    return options.single ? run_single(&options) : run_seeds(&options);
}

/* People submit jobs while faults happen; then those stop, and what is open comes to its end. */
static void live(const struct options *options, uint64_t seed, int trace_fd)
{
    struct faults faults;
    struct world *world = malloc(sizeof *world);
    if (world == NULL)
        abort();
    world_open(world, seed, PEERS, trace_fd);
    world->keep = options->keep;
    faults_start(&faults, world, options->kinds);
    submit_jobs(world);
    world_run_checked(world, 30000);
    faults_stop(&faults);
    if (faults_silence(&faults)) {
        world_run_checked(world, 60000);
        world_run_in_steps(world, SILENCE_MS, 60000);
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

static void submit_jobs(struct world *world)
{
    for (int j = 0; j < JOBS; j++) {
        world_run(world, 1000 + (int64_t)rng_below(&world->rng, 3000));
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
        world_run_in_steps(world, DAY_MS, 60000);
        world_run_checked(world, 60000);
    }
}

static int run_single(const struct options *options)
{
    live(options, options->from, STDERR_FILENO);
    return 0;
}

static void print_tail(int trace_fd)
{
    static char text[TRACE_TAIL_BYTES + 1];
    off_t size = lseek(trace_fd, 0, SEEK_END);
    off_t from = size > TRACE_TAIL_BYTES ? size - TRACE_TAIL_BYTES : 0;
    ssize_t got = pread(trace_fd, text, TRACE_TAIL_BYTES, from);
    if (got > 0)
        fwrite(text, 1, (size_t)got, stderr);
}

/* True where it holds. */
static bool run_apart(const struct options *options, uint64_t seed)
{
    int status = 0;
    int trace_fd = memfd_create("trace", MFD_CLOEXEC);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        live(options, seed, trace_fd);
        fflush(NULL);
        _exit(0);
    }
    bool good = child > 0 && waitpid(child, &status, 0) == child && status == 0;
    if (!good) {
        print_tail(trace_fd);
        fprintf(stderr, "seed %" PRIu64 " fails (%s %d): sim --seed %" PRIu64 "\n", seed,
                WIFSIGNALED(status) ? "signal" : "exit",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), seed);
    }
    close(trace_fd);
    return good;
}

static int run_seeds(const struct options *options)
{
    uint64_t failed = 0;
    for (uint64_t seed = options->from; seed <= options->to; seed++)
        failed += run_apart(options, seed) ? 0 : 1;
    printf("%" PRIu64 " seeds, %" PRIu64 " failed\n", options->to - options->from + 1, failed);
    return failed == 0 ? 0 : 1;
}
