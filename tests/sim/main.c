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

#include "tests/sim/world.h"

enum { TRACE_TAIL_BYTES = 6000, PEERS = 3, JOBS = 12 };

struct options {
    uint64_t from;
    uint64_t to;
    bool single;
};

static void live(uint64_t seed, int trace_fd);
static int run_single(uint64_t seed);
static int run_seeds(const struct options *options);

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
        {0},
    };
    static const struct argp argp = {
        .options = keys, .parser = parse, .doc = "Federations under seeded faults."};
    struct options options = {.from = 1, .to = 10};
    if (argp_parse(&argp, argc, argv, 0, NULL, &options) != 0)
        return 2;
    return options.single ? run_single(options.from) : run_seeds(&options);
}

static void live(uint64_t seed, int trace_fd)
{
    char what[256] = "";
    struct world *world = malloc(sizeof *world);
    if (world == NULL)
        abort();
    world_open(world, seed, PEERS, trace_fd);
    for (int j = 0; j < JOBS; j++) {
        world_run(world, 1000 + (int64_t)rng_below(&world->rng, 3000));
        world_submit(world, &world->peers[rng_below(&world->rng, world->peer_count)]);
        world_check_books(world);
    }
    for (int i = 0; i < 120 && !world_is_over(world, what); i++) {
        world_run(world, 5000);
        world_check_books(world);
    }
    world_check_end(world);
    dprintf(trace_fd, "seed %" PRIu64 ": %" PRIu64 " messages, over at %.1f s\n", seed,
            world->network.delivered, (double)world_now_ms(world) / 1000);
    world_close(world);
    free(world);
}

static int run_single(uint64_t seed)
{
    live(seed, STDERR_FILENO);
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
static bool run_apart(uint64_t seed)
{
    int status = 0;
    int trace_fd = memfd_create("trace", MFD_CLOEXEC);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        live(seed, trace_fd);
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
        failed += run_apart(seed) ? 0 : 1;
    printf("%" PRIu64 " seeds, %" PRIu64 " failed\n", options->to - options->from + 1, failed);
    return failed == 0 ? 0 : 1;
}
