/*
 * Bench: cooperative games. Usage:
 *
 *   bench_games [PLAYERS]...          from worth tables: seconds per concept for each class of
 * random games; without any: 16 and 20 players bench_games market FILE SECONDS   a market instance:
 * its table (to 20 members), least core, and Shapley's standard errors after so many seconds
 *
 * Figures of issue 5: table n = 16 under 2 s and n = 20 under 45 s on two cores, least core n = 20
 * under 15 s, n = 50 an interval within two minutes, Shapley n = 50 within 0.15% of v(N)/n in 60 s.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "economics/games/core.h"
#include "economics/games/generation.h"
#include "economics/games/market_table.h"
#include "economics/games/nucleolus.h"
#include "economics/games/sampling.h"
#include "tests/economics/random_games.h"

static double now_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Superadditive tables cost 3^n to make; the others 2^n. */
static bool affordable(enum random_class class, uint32_t players)
{
    return class != RANDOM_SUPERADDITIVE || players <= 16;
}

static void bench(enum random_class class, uint32_t players)
{
    struct rng rng;
    struct arena arena;
    double x[GAME_PLAYERS_MAX];
    double shapley[GAME_PLAYERS_MAX];
    enum game_answer answer = GAME_UNDEFINED;
    struct game_certificate certificate = {.certified = false};
    struct least_core core;
    struct nearest_core nearest;
    struct nucleolus_settings settings = {.individually_rational = true};
    rng_init(&rng, 1, (uint64_t) class);
    arena_init(&arena, (size_t)ARENA_ROUND_BYTES * 4);
    struct game game = random_game(&rng, class, players);
    double t0 = now_seconds();
    game_shapley(&game, shapley);
    double t1 = now_seconds();
    enum status status = game_nucleolus(&game, settings, &arena, x, &answer, NULL);
    double t2 = now_seconds();
    if (status == STATUS_OK && answer == GAME_SOLVED)
        status = game_certify_nucleolus(&game, settings, x, &arena, &certificate, NULL);
    double t3 = now_seconds();
    if (status == STATUS_OK)
        status = game_least_core(&game, &arena, &core, NULL);
    double t4 = now_seconds();
    if (status == STATUS_OK)
        status = game_nearest_core(&game, shapley, &arena, &nearest, NULL);
    double t5 = now_seconds();
    printf("%-14s %2u  %7.3f  %9.3f  %11.3f  %10.3f  %7.3f  %s %s\n", random_class_names[class],
           players, t1 - t0, t2 - t1, t3 - t2, t4 - t3, t5 - t4, status_name(status),
           answer == GAME_UNDEFINED ? "undefined"
           : certificate.certified  ? "certified"
                                    : "NOT CERTIFIED");
    free((double *)(uintptr_t)game.worth);
    arena_fini(&arena);
}

/* --- Markets */

static double wall_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

struct timing {
    double wall;
    double cpu;
};

static void start_timing(struct timing *timing)
{
    *timing = (struct timing){wall_seconds(), now_seconds()};
}

static void print_timing(const char *what, const struct timing *timing, enum status status)
{
    printf("%-12s %9.3f s wall  %9.3f s CPU  %s\n", what, wall_seconds() - timing->wall,
           now_seconds() - timing->cpu, status_name(status));
}

static bool past(void *context)
{
    const double *deadline = context;
    return wall_seconds() >= *deadline;
}

static void bench_table(const struct input_game *game, struct arena *arena)
{
    uint32_t const n = game->game.players;
    double *worth =
        n <= MARKET_TABLE_PLAYERS_MAX ? arena_alloc(arena, (size_t)1 << n, sizeof *worth) : NULL;
    struct timing timing;
    if (worth == NULL)
        return;
    start_timing(&timing);
    enum status status = market_table(&game->instance->market, 0, worth, NULL);
    print_timing("table", &timing, status);
}

static void bench_least_core(const struct input_game *game, struct arena *arena, double seconds)
{
    struct market_core core;
    struct timing timing;
    struct arena scratch;
    double deadline = wall_seconds() + seconds;
    arena_init(&scratch, (size_t)ARENA_ROUND_BYTES * 4);
    start_timing(&timing);
    enum status status = game->game.players <= MARKET_CORE_TABLE_MEMBERS_MAX
                             ? market_least_core(&game->instance->market, past, &deadline, arena,
                                                 &scratch, &core, NULL)
                             : generation_least_core(game, past, &deadline, arena, &core, NULL);
    print_timing("least core", &timing, status);
    printf("             epsilon in [%.9g, %.9g], %s, %llu coalitions\n", core.lower, core.upper,
           core.exact ? "certified" : "interval", (unsigned long long)core.solved);
    arena_fini(&scratch);
}

static void bench_shapley(const struct input_game *game, struct arena *arena, double seconds)
{
    double deadline = wall_seconds() + seconds;
    struct sampling_settings const settings = {.stop = past, .context = &deadline};
    struct sampled sampled;
    struct timing timing;
    double squares = 0.0;
    double most = 0.0;
    start_timing(&timing);
    enum status status = sampling_shapley(game, &settings, arena, &sampled, NULL);
    print_timing("shapley", &timing, status);
    uint32_t const n = game->game.players;
    for (uint32_t i = 0; i < n && status == STATUS_OK; i++) {
        double const part = sampled.standard_error[i] / (sampled.total / n);
        squares += part * part / n;
        most = fmax(most, part);
    }
    printf("             %llu pairs; standard errors in %% of v(N)/n: %.3f at most, %.3f in root "
           "mean square\n",
           (unsigned long long)sampled.pairs, 100.0 * most, 100.0 * sqrt(squares));
}

static int bench_market(const char *path, double seconds)
{
    struct arena arena;
    struct input input;
    struct fault fault;
    arena_init(&arena, (size_t)ARENA_ROUND_BYTES * 4);
    enum status status = input_read(path, &arena, &input, &fault);
    if (status != STATUS_OK || input.games[0].instance == NULL) {
        fprintf(stderr, "bench_games: %s\n", status != STATUS_OK ? fault.text : "no market");
        arena_fini(&arena);
        return 1;
    }
    printf("%u members, %u jobs, %u configurations\n", input.games[0].game.players,
           input.games[0].instance->market.job_count, input.games[0].instance->market.column_count);
    bench_table(&input.games[0], &arena);
    bench_least_core(&input.games[0], &arena, seconds);
    bench_shapley(&input.games[0], &arena, seconds);
    arena_fini(&arena);
    return 0;
}

int main(int argc, char **argv)
{
    static const uint32_t usual[] = {16, 20};
    if (argc == 4 && strcmp(argv[1], "market") == 0)
        return bench_market(argv[2], strtod(argv[3], NULL));
    printf("class           n  shapley  nucleolus  certificate  least core  nearest  (CPU s)\n");
    for (int k = 0; k < (argc > 1 ? argc - 1 : 2); k++) {
        long players = argc > 1 ? strtol(argv[k + 1], NULL, 10) : (long)usual[k];
        for (int class = 0; class < RANDOM_CLASSES && players >= 2 && players <= GAME_PLAYERS_MAX;
             class ++)
            if (affordable((enum random_class) class, (uint32_t)players))
                bench((enum random_class) class, (uint32_t)players);
    }
    return 0;
}
