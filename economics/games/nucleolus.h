/*
 * Nucleolus [Schmeidler 1969], prenucleolus, per-capita nucleolus and least core of a worth table.
 *
 * The split whose sorted vector of excesses is lexicographically least. By a sequence of linear
 * programs [Maschler, Peleg & Shapley 1979]: minimise the largest excess t over the coalitions that
 * are not yet decided; a coalition with a positive dual is tight in EVERY optimum, so its excess is
 * fixed; coalitions in the span of the fixed ones are decided with them; at rank n the point is
 * unique.
 *
 * Scale: the game is zero-normalised first, v(S) − Σ v({i}), and divided by its surplus: large
 * additive parts cost no accuracy. Determinism: same table, same answer. Thread rule: one GLPK
 * environment per call on the calling thread (see economics/lp): none may be open there.
 * Complexity: at most n stages; each a few LPs on n + 1 rows and as many passes of O(2^n).
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

/* x[players], for costs as cost shares. INTERNAL where the LPs fail numerically. Callers certify:
 * see game_certify_nucleolus(). Takes O(2^n) of the arena. */
MUST_USE enum status game_nucleolus(const struct game *game, struct nucleolus_settings settings,
                                    struct arena *arena, double *x, enum game_answer *answer,
                                    struct fault *fault);

/*
 * Least core [Maschler, Peleg & Shapley 1979]: the least ε such that some efficient x has x(S) >=
 * v(S) − ε for all proper S (costs: x(S) <= c(S) + ε). The core is empty exactly where ε > 0.
 *
 * x is one point of it (the prenucleolus is another, and a canonical one). The weights prove that
 * no smaller ε will do: every player is in coalitions of total weight `cover`, the weights sum to
 * 1, and Σ weight × v(S) − cover × v(N) = ε. With a single player there is no proper coalition:
 * no ε; `has_epsilon` is false.
 */
struct least_core {
    double x[GAME_PLAYERS_MAX];
    bool has_epsilon;
    double epsilon;
    uint32_t count; /* of coalitions with a weight */
    uint32_t coalition[GAME_PLAYERS_MAX + 1];
    double weight[GAME_PLAYERS_MAX + 1]; /* > 0 */
};

MUST_USE enum status game_least_core(const struct game *game, struct arena *arena,
                                     struct least_core *core, struct fault *fault);

/*
 * Kohlberg's criterion [Kohlberg 1971; Sobolev 1975 for the prenucleolus], by code that shares
 * nothing with the solver but the LP. Tried at tolerances 1e-9, 1e-8, 1e-7 of the
 * surplus, strictest first: excesses in a chain with no gap above it count as one level.
 */
struct game_certificate {
    bool certified;
    double tolerance;     /* of the surplus: the strictest at which it holds */
    double failing_level; /* where not certified: the excess at which it fails */
};

MUST_USE enum status game_certify_nucleolus(const struct game *game,
                                            struct nucleolus_settings settings, const double *x,
                                            struct arena *arena,
                                            struct game_certificate *certificate,
                                            struct fault *fault);

#endif
