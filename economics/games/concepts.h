/*
 * Concepts: the solutions of cooperative games by name, in one table, each answered with what
 * certifies it.
 *
 * An answer is a split, or says why there is none (undefined, not unique, the core is empty):
 * nothing that was not certified carries a concept's name. Ownership: answers lie in the subject's
 * arena; scratch is emptied after each. Thread rule: one thread, no LP environment open on it.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_CONCEPTS_H
#define ENTENTE_ECONOMICS_GAMES_CONCEPTS_H

#include "economics/games/core.h"
#include "economics/games/input.h"
#include "economics/games/sampling.h"

enum { CONCEPT_DETAILS_MAX = 16, CONCEPT_REMARK_MAX = 512 };

enum detail_kind {
    DETAIL_NUMBER,
    DETAIL_TRUTH,
    DETAIL_TEXT,
    DETAIL_COALITION,
    DETAIL_SPLIT /* a number for each player */
};

/* One fact beside an answer: a certificate's tolerance, ε, a counterexample. */
struct concept_detail {
    const char *key; /* "tolerance" */
    enum detail_kind kind;
    double number;
    bool truth;
    const char *text;
    uint32_t coalition;
    const double *split;
};

struct concept_answer {
    const struct concept *concept;
    double *split;     /* NULL: none, and the remark says why; or the concept is no split */
    bool core_checked; /* objection is meaningful */
    struct game_objection objection;
    char remark[CONCEPT_REMARK_MAX]; /* "" nothing to say */
    struct concept_detail details[CONCEPT_DETAILS_MAX];
    uint32_t detail_count;
    bool failed; /* a defect or a limit: remark says which */
};

struct subject {
    struct input_game *input; /* its table is made when a concept needs it */
    struct arena *arena;
    struct arena *scratch;
    /* Zeroed: a few thousand pairs of orders, seed 0. Its stop ends other searches too. */
    struct sampling_settings sampling;
};

/* What a concept needs of a game given by data. */
enum concept_reach {
    REACH_TABLE,   /* its worth table */
    REACH_SAMPLES, /* its table, or samples where there are too many players */
    REACH_DATA     /* no table */
};

struct concept {
    const char *name; /* "per-capita-nucleolus" */
    const char *also; /* another name; NULL */
    const char *summary;
    bool usual; /* answered where none is asked for */
    bool split; /* its answer is a split; else facts */
    enum concept_reach reach;
    enum status (*answer)(struct subject * subject, struct concept_answer * answer,
                          struct fault * fault);
};

extern const struct concept concepts[];
extern const size_t concept_count;

/* INVALID with the nearest name. */
MUST_USE enum status concept_find(const char *name, const struct concept **concept,
                                  struct fault *fault);

/* Never fails as a call: a concept that can't be answered says so in its answer. */
void concept_answer(const struct concept *concept, struct subject *subject,
                    struct concept_answer *answer);

/* Objections up to this count as none: rounding of published splits. */
double concept_slack(const struct game *game);

#endif
