/*
 * Input: games in files, for `entente-economics game` (formats: README.md in this folder).
 *
 * A JSON document holds one game, an array of games, or {"games": [...]}; each is a worth table
 * (`v`), a classic family by its data, or a linear production game; a document alone may be a
 * market instance (economics/market/instance/instance.h). Any other file is CSV: coalition, worth.
 *
 * Ownership: everything lies in the arena. Faults carry the place. Complexity: that of the table.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_INPUT_H
#define ENTENTE_ECONOMICS_GAMES_INPUT_H

#include "economics/games/market_table.h"
#include "economics/games/production.h"
#include "economics/market/instance/instance.h"

enum { INPUT_GAMES_MAX = 100000, INPUT_PLAYER_NAME_MAX = 255, INPUT_TABLED_AT_ONCE = 14 };

#define INPUT_BYTES_MAX ((size_t)2 * 1024 * 1024 * 1024)

struct input_game {
    const char *name;     /* NULL: none given */
    const char *family;   /* "table", "bankruptcy", ... */
    const char **players; /* [players of the game] names; "1", "2", ... where none are given */
    struct game game;     /* worth NULL: too many players for a table */
    const struct production *production; /* NULL: not given by production data */
    const struct instance *instance;     /* NULL: not a market */
    struct arena *arena;                 /* where a table that is made later goes */
    const struct table_work *work;       /* how a long one is watched; NULL: not at all */
};

struct input {
    struct input_game *games; /* [count] */
    uint32_t count;
    bool list; /* the file holds a list of games, be it of one */
};

/* Makes the table of a market that was read without: markets above INPUT_TABLED_AT_ONCE members
 * are. INVALID where there are too many players for one. */
MUST_USE enum status input_complete(struct input_game *game, struct fault *fault);

/* NOT_FOUND, IO, EXHAUSTED, INVALID with the path of what is wrong. */
MUST_USE enum status input_read(const char *path, struct arena *arena, struct input *input,
                                struct fault *fault);
MUST_USE enum status input_parse(const char *name, const char *text, size_t size,
                                 struct arena *arena, struct input *input, struct fault *fault);

#endif
