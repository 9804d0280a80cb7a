/*
 * Bench: cooperative games from worth tables. Prints seconds per concept for each class of random
 * games. Usage: bench_games [PLAYERS]...; without any: 16 and 20.
 */
#include <stdio.h>
#include <time.h>

#include "base/arena.h"
#include "economics/games/core.h"
#include "economics/games/nucleolus.h"
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

int main(int argc, char **argv)
{
    static const uint32_t usual[] = {16, 20};
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
