/* What the readers of games share. Internal to economics/games. */
#ifndef ENTENTE_ECONOMICS_GAMES_INPUT_INTERNAL_H
#define ENTENTE_ECONOMICS_GAMES_INPUT_INTERNAL_H

#include "base/json.h"
#include "economics/games/input.h"

/* A game given in a few numbers: the key by which it is known, and its reader. */
struct input_family {
    const char *name;    /* "bankruptcy" */
    const char *also;    /* another name, NULL */
    const char *key;     /* only this family has it: "claims" */
    enum game_kind kind; /* values or costs, as the family defines it */
    enum status (*read)(const struct json_place *object, struct arena *arena,
                        struct input_game *game, struct fault *fault);
};

extern const struct input_family input_families[];
extern const size_t input_family_count;

MUST_USE enum status input_no_memory(struct fault *fault);

/* The numbers of an array; *count where it isn't given (0) is set, else must agree. */
MUST_USE enum status input_numbers(const struct json_place *object, const char *key, double least,
                                   struct arena *arena, double **numbers, uint32_t *count,
                                   struct fault *fault);

/* A matrix row by row: an array of arrays of one length. */
MUST_USE enum status input_matrix(const struct json_place *object, const char *key, double least,
                                  struct arena *arena, double **numbers, uint32_t *rows,
                                  uint32_t *columns, struct fault *fault);

/* INVALID above GAME_PLAYERS_MAX, saying what to use instead; game->game gets players and room for
 * 2^players worths, filled by the caller through *worth. */
MUST_USE enum status input_table(uint32_t players, struct arena *arena, struct input_game *game,
                                 double **worth, struct fault *fault);

/* "1", "2", ... */
MUST_USE enum status input_number_players(uint32_t count, struct arena *arena,
                                          struct input_game *game, struct fault *fault);

MUST_USE enum status input_csv(const char *name, const char *text, size_t size, struct arena *arena,
                               struct input_game *game, struct fault *fault);

#endif
