/*
 * Nucleolus [Schmeidler 1969], prenucleolus, per-capita nucleolus and least core of a worth table.
 *
 * The split whose sorted vector of excesses is lexicographically least. By a sequence of linear
 * programs [Maschler, Peleg & Shapley 1979], each with rows generated on demand: minimise the
 * largest excess t over the coalitions that are not yet decided; a coalition with a positive dual
 * is tight in EVERY optimum, so its excess is fixed; coalitions in the span of the fixed ones are
 * decided with them; at rank n the point is unique.
 *
 * Scale: the table is divided by its largest absolute worth first. Determinism: same table, same
 * answer. Thread rule: one GLPK environment per call on the calling thread (see economics/lp): none
 * may be open there. Complexity: at most n stages of small LPs, each generation pass O(2^n)
 * additions.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_NUCLEOLUS_H
#define ENTENTE_ECONOMICS_GAMES_NUCLEOLUS_H

#include "economics/games/game.h"

struct nucleolus_settings {
    bool individually_rational; /* x_i >= v({i}): nucleolus; without: prenucleolus */
    bool per_capita;            /* excess divided by the coalition's size */
};

enum game_answer {
    GAME_SOLVED,
    GAME_UNDEFINED /* no imputation: v(N) < Σ v({i}), so the nucleolus doesn't exist */
};

/* x[players], for costs as cost shares. INTERNAL where the LPs fail numerically (never a wrong
 * answer silently: callers certify). */
MUST_USE enum status game_nucleolus(const struct game *game, struct nucleolus_settings settings,
                                    struct arena *arena, double *x, enum game_answer *answer,
                                    struct fault *fault);

/* Least core: the least ε such that x(S) >= v(S) − ε for all proper S, and a point of it. The core
 * is empty exactly where ε > 0. */
MUST_USE enum status game_least_core(const struct game *game, struct arena *arena, double *x,
                                     double *epsilon, struct fault *fault);

/* The proper coalition that objects most to a split, and by how much (<= 0: nobody does; the split
 * is in the core if efficient). O(2^n). */
struct game_objection {
    uint32_t coalition;
    double by;
};

MUST_USE enum status game_objection(const struct game *game, const double *x, struct arena *arena,
                                    struct game_objection *objection, struct fault *fault);

/*
 * Kohlberg's criterion [Kohlberg 1971], by code that shares nothing with the solver but the LP: for
 * each level of excess, the coalitions at or above it (and, where individually rational, the
 * players held at v({i})) are balanced. *failing_level is meaningful where not certified.
 */
MUST_USE enum status game_certify_nucleolus(const struct game *game,
                                            struct nucleolus_settings settings, const double *x,
                                            struct arena *arena, bool *certified,
                                            double *failing_level, struct fault *fault);

#endif
