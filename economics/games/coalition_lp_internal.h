/* The coalition LP's data. Internal to coalition_lp*.c. */
#ifndef ENTENTE_ECONOMICS_GAMES_COALITION_LP_INTERNAL_H
#define ENTENTE_ECONOMICS_GAMES_COALITION_LP_INTERNAL_H

#include "economics/games/coalition_lp.h"

#define NO_SET UINT32_MAX
#define SLACK  (-1) /* as a column of a set: the set's slack */

struct coalition_row {
    int32_t owner;
    int32_t partner; /* MARKET_NONE */
    double limit;    /* scaled by the row's largest coefficient */
};

struct coalition_set {
    int32_t home;
    uint32_t first;       /* of its columns; the next set's first ends them */
    uint32_t first_group; /* of its groups; the next set's first ends them */
};

/* Columns of one set in one pool, without other entries: priced together where none can enter. */
struct coalition_group {
    uint32_t row;
    uint32_t first; /* of its columns; the next group's first ends them */
    double least;   /* of their values */
    double most;
    bool plain; /* no other entries; else looked at one by one */
};

/* Its pool's entry is at hand; those of policy rows follow in entries[]. */
struct coalition_column {
    uint32_t row;
    uint32_t first; /* of its other entries; the next column's first ends them */
    double value;
    double worth; /* > 0, scaled */
    uint32_t set;
};

struct coalition_entry {
    uint32_t row;
    double value; /* scaled by the row's largest */
};

/* What a position of the working basis holds: a column (or the slack) of a set; or, without set,
 * the slack of row `column`. */
struct coalition_basic {
    uint32_t set;
    int32_t column;
};

enum candidate_kind { CANDIDATE_ROW_SLACK, CANDIDATE_SET_SLACK, CANDIDATE_COLUMN };

struct coalition_candidate {
    enum candidate_kind kind;
    uint32_t index;
    double alpha;
    double reduced;
};

struct coalition_lp {
    const struct market *market;
    struct arena arena;
    uint32_t row_count;
    uint32_t set_count;
    uint32_t column_count;
    struct coalition_row *rows;
    struct coalition_set *sets;       /* [set_count + 1] */
    struct coalition_column *columns; /* [column_count + 1] */
    struct coalition_entry *entries;
    struct coalition_group *groups; /* [group_count + 1] */
    uint32_t group_count;
    double scale; /* credits per unit of worth */

    double *part;   /* [members] */
    uint64_t *mask; /* [members / 64 + 1] */

    struct coalition_basic *basic; /* [rows] */
    int32_t *key;                  /* [sets] */
    bool *row_slack_basic;
    bool *set_slack_basic;
    bool *column_basic;
    double *inverse;      /* [rows × rows] B⁻¹ */
    double *scratch;      /* [rows × rows] */
    double *value;        /* [rows] basic values */
    double *rest;         /* [sets] values of keys, where a set has basic columns */
    double *price;        /* [rows] π */
    double *surplus;      /* [sets] λ */
    double *key_along;    /* [sets] the leaving row along the set's key */
    uint32_t *set_basics; /* [sets] positions of the working basis that are of the set */
    bool *dormant;        /* [sets] home is out and nothing of it is basic: not priced */
    double *work;         /* [rows] */
    double *column;       /* [rows] */
    uint32_t *some;       /* [rows] the rows that an operation has to look at */
    struct coalition_candidate *candidates; /* [rows + sets + columns] */
    uint32_t candidate_count;
    uint32_t since_refactor;
    bool has_prices;
    bool relaxed; /* see coalition_lp_relax() */
    uint64_t pivots;
    uint64_t rescues;
};

#define COALITION_PIVOT_MIN 1e-9

static inline double coalition_limit(const struct coalition_lp *lp, uint32_t row)
{
    double part = lp->part[lp->rows[row].owner];
    if (!lp->relaxed && lp->rows[row].partner != MARKET_NONE &&
        lp->part[lp->rows[row].partner] == 0.0)
        part = 0.0;
    return lp->rows[row].limit * part;
}

static inline double coalition_worth(const struct coalition_lp *lp, int32_t column)
{
    return column == SLACK ? 0.0 : lp->columns[column].worth;
}

/* vector += factor × the column's entries; a set's slack has none. */
static inline void coalition_add_column(const struct coalition_lp *lp, int32_t column,
                                        double factor, double *vector)
{
    if (column == SLACK)
        return;
    const struct coalition_column *at = &lp->columns[column];
    vector[at->row] += factor * at->value;
    for (uint32_t e = at->first; e < at[1].first; e++)
        vector[lp->entries[e].row] += factor * lp->entries[e].value;
}

/* The row vector times the column. */
static inline double coalition_along(const struct coalition_lp *lp, const double *row,
                                     int32_t column)
{
    if (column == SLACK)
        return 0.0;
    const struct coalition_column *at = &lp->columns[column];
    double sum = row[at->row] * at->value;
    for (uint32_t e = at->first; e < at[1].first; e++)
        sum += row[lp->entries[e].row] * lp->entries[e].value;
    return sum;
}

/* --- coalition_lp_basis.c -------------------------------------------------------------------- */

void coalition_values(struct coalition_lp *lp);
void coalition_prices(struct coalition_lp *lp);
bool coalition_leaving(struct coalition_lp *lp, uint32_t *at, bool *key);
void coalition_mark(struct coalition_lp *lp, uint32_t position, bool basic);
uint32_t coalition_exchange_key(struct coalition_lp *lp, uint32_t set);
bool coalition_refactor(struct coalition_lp *lp);

/* --- coalition_lp_pivot.c -------------------------------------------------------------------- */

/* Entering variables for the leaving position, into lp->candidates; then the choice among them. */
void coalition_candidates(struct coalition_lp *lp, uint32_t leaving);
const struct coalition_candidate *coalition_entering(const struct coalition_lp *lp);
bool coalition_pivot(struct coalition_lp *lp, uint32_t leaving,
                     const struct coalition_candidate *candidate);

#endif
