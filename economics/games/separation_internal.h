/* What the files of separation share. Internal to economics/games. */
#ifndef ENTENTE_ECONOMICS_GAMES_SEPARATION_INTERNAL_H
#define ENTENTE_ECONOMICS_GAMES_SEPARATION_INTERNAL_H

#include "economics/games/separation.h"
#include "economics/lp/lp.h"

enum { LP_TIE_ENTRIES_MAX = 1024 };

/* Columns of the program: the players', then what is made. */
struct separation {
    const struct input_game *input;
    uint32_t players;
    double scale; /* worths and splits are divided by it */
    struct lp_environment *environment;
    struct lp *lp;
    struct arena arena;
    /* of a market: */
    int32_t *column; /* [market columns] of the program; MARKET_NONE where left out */
    uint8_t *tied;   /* [jobs × players, as bits of bytes] the row of job and host is there */
};

MUST_USE enum status separation_build(struct separation *separation, struct fault *fault);

/* Adds the rows of job and host that the relaxation breaks; *added: how many. */
MUST_USE enum status separation_tie(struct separation *separation, uint32_t *added,
                                    struct fault *fault);

#endif
