/*
 * Max-min fairness, lexicographic, level by level.
 *
 * A level's master LP mixes the plans found so far:
 *
 *   maximise t   s.t.  Σ_t share U_i >= t       of members not yet fixed        dual y_i
 *                      Σ_t share U_i >= f_i     of those that lower levels fixed
 *                      Σ share = 1
 *
 * Its duals are the weights for the next plan; the session's bound on Σ y U bounds t of any plan:
 * t <= (bound − Σ_fixed y f) / Σ_others y. Where that is near t, those with y > 0 are fixed at t
 * (they are tight in every optimum of the master), and the next level begins.
 *
 * The master's duals jump about while plans are few. So plans are asked for between them and the
 * weights that proved the best bound so far, which takes a fraction of the solves [Wentges 1997]; a
 * plan found there that does not help the master is followed by one at the duals themselves.
 */
#include <math.h>

#include "economics/lp/lp.h"
#include "economics/market/fairness/mix.h"

enum { MASTER_ITERATIONS_MAX = 1000000 };

/* Below this part of the largest dual a member is not what holds t down. */
#define DUAL_LEAST 1e-6

/* How far plans are asked for from the duals towards the best weights so far. */
#define CENTER_PART 0.6

/* What is fixed may be missed by this part: ten times GLPK's own tolerance. */
#define FIXED_SLACK 1e-6

struct max_min {
    struct mix mix;
    struct fairness *fairness;
    struct lp_environment *environment;
    struct lp *master; /* of the present level */
    int32_t *row;      /* [member_count] in the master; -1: takes no part */
    int32_t share_row; /* Σ share = 1 */
    bool *fixed;
    double *floor; /* f_i */
    uint32_t fixed_count;
    double t;
    double bound;   /* of t at this level */
    double *dual;   /* [member_count] y of the last master */
    double *center; /* [member_count] the weights that proved the bound */
    bool has_center;
    bool plain;               /* the next plan is asked for at the duals themselves */
    struct lp_entry *entries; /* scratch: of a column */
};

static enum status open_level(struct max_min *m, struct fault *fault);
static enum status solve_master(struct max_min *m, struct fault *fault);
static enum status ask(struct max_min *m, bool *near_enough, struct fault *fault);
static void close_level(struct max_min *m);

static enum status no_room(struct fault *fault)
{
    return fault_set(fault, STATUS_EXHAUSTED, "the round's memory is used up");
}

static enum status begin(struct max_min *m, const struct classes *classes, struct arena *arena,
                         struct fault *fault)
{
    uint32_t const members = classes->market->member_count;
    m->row = arena_alloc(arena, members, sizeof *m->row);
    m->fixed = arena_alloc(arena, members, sizeof *m->fixed);
    m->floor = arena_alloc(arena, members, sizeof *m->floor);
    m->entries = arena_alloc(arena, (size_t)members + 2, sizeof *m->entries);
    m->dual = arena_alloc(arena, members, sizeof *m->dual);
    m->center = arena_alloc(arena, members, sizeof *m->center);
    m->fairness->level = arena_alloc(arena, members, sizeof(uint32_t));
    m->fairness->ceiling = arena_alloc(arena, members, sizeof(double));
    if (m->row == NULL || m->fixed == NULL || m->floor == NULL || m->entries == NULL ||
        m->dual == NULL || m->center == NULL || m->fairness->level == NULL ||
        m->fairness->ceiling == NULL)
        return no_room(fault);
    for (uint32_t i = 0; i < members; i++) {
        m->fairness->level[i] = UINT32_MAX;
        m->mix.weight[i] = m->mix.takes_part[i] ? 1 : 0;
    }
    enum status const status = lp_environment_open(&m->environment, fault);
    return status == STATUS_OK ? mix_ask(&m->mix, fault) : status;
}

/* One level: plans are asked for until t is near its bound. */
static enum status climb(struct max_min *m, struct fault *fault)
{
    bool near_enough = false;
    enum status status = open_level(m, fault);
    while (status == STATUS_OK && !near_enough) {
        status = solve_master(m, fault);
        if (status != STATUS_OK || !mix_has_room(&m->mix))
            break;
        status = ask(m, &near_enough, fault);
    }
    if (status == STATUS_OK && near_enough)
        close_level(m);
    lp_close(m->master);
    m->master = NULL;
    return status;
}

enum status fairness_max_min(const struct market *market, struct session *session,
                             const struct session_options *options, struct arena *arena,
                             struct fairness *fairness, struct fault *fault)
{
    *fairness = (struct fairness){0};
    struct classes classes;
    struct max_min m = {.fairness = fairness};
    enum status status = classes_make(market, arena, &classes, fault);
    if (status == STATUS_OK)
        status = mix_init(&m.mix, &classes, session, options, arena, fault);
    if (status == STATUS_OK)
        status = begin(&m, &classes, arena, fault);
    for (uint32_t level = 0;
         status == STATUS_OK && m.fixed_count < m.mix.part_count && level < FAIRNESS_LEVELS_MAX;
         level++) {
        uint32_t const before = m.fixed_count;
        status = climb(&m, fault);
        if (level == 0) {
            fairness->value = m.t;
            fairness->upper_bound = m.bound;
            fairness->gap = m.bound > 0 ? fmax(0, (m.bound - m.t) / m.bound) : 0;
        }
        if (m.fixed_count == before)
            break; /* no room for more plans */
    }
    fairness->complete = m.fixed_count == m.mix.part_count;
    if (status == STATUS_OK)
        status = mix_report(&m.mix, arena, fairness, fault);
    mix_fini(&m.mix);
    lp_environment_close(m.environment);
    return status;
}

/* -- The master -------------------------------------------------------------------------------- */

static enum status add_vertex(struct max_min *m, uint32_t t, struct fault *fault)
{
    const struct vertex *vertex = &m->mix.vertices[t];
    uint32_t count = 0;
    for (uint32_t i = 0; i < m->mix.member_count; i++)
        if (m->row[i] >= 0 && vertex->utility[i] > 0)
            m->entries[count++] =
                (struct lp_entry){.index = m->row[i], .value = vertex->utility[i]};
    m->entries[count++] = (struct lp_entry){.index = m->share_row, .value = 1};
    struct lp_bounds const share = {.lower = 0, .upper = HUGE_VAL};
    return lp_add_column(m->master, 0, share, m->entries, count, fault);
}

/* Column 0 is t; column 1 + n is vertex n. */
static enum status open_level(struct max_min *m, struct fault *fault)
{
    m->bound = HUGE_VAL;
    m->has_center = false;
    uint32_t count = 0;
    int32_t rows = 0;
    enum status status = lp_open(m->environment, LP_MAXIMISE, &m->master, fault);
    for (uint32_t i = 0; i < m->mix.member_count && status == STATUS_OK; i++) {
        m->row[i] = m->mix.takes_part[i] ? rows++ : -1;
        if (m->row[i] < 0)
            continue;
        status = lp_add_row(m->master, LP_AT_LEAST,
                            m->fixed[i] ? m->floor[i] * (1 - FIXED_SLACK) : 0, NULL, 0, fault);
        if (!m->fixed[i])
            m->entries[count++] = (struct lp_entry){.index = m->row[i], .value = -1};
    }
    m->share_row = rows;
    if (status == STATUS_OK)
        status = lp_add_row(m->master, LP_EQUAL, 1, NULL, 0, fault);
    struct lp_bounds const least = {.lower = 0, .upper = HUGE_VAL};
    if (status == STATUS_OK)
        status = lp_add_column(m->master, 1, least, m->entries, count, fault);
    for (uint32_t t = 0; t < m->mix.count && status == STATUS_OK; t++)
        status = add_vertex(m, t, fault);
    return status;
}

static enum status solve_master(struct max_min *m, struct fault *fault)
{
    enum lp_answer answer = LP_STOPPED;
    enum status const status = lp_solve(m->master, MASTER_ITERATIONS_MAX, &answer, fault);
    if (status != STATUS_OK)
        return status;
    if (answer != LP_OPTIMAL)
        return fault_set(fault, STATUS_INTERNAL, "the mix of plans was not solved");
    for (uint32_t t = 0; t < m->mix.count; t++)
        m->mix.vertices[t].share = fmax(0, lp_primal(m->master, (int32_t)t + 1));
    double sum = 0;
    for (uint32_t t = 0; t < m->mix.count; t++)
        sum += m->mix.vertices[t].share;
    for (uint32_t t = 0; t < m->mix.count && sum > 0; t++)
        m->mix.vertices[t].share /= sum;
    mix_sum_up(&m->mix);
    m->t = lp_objective(m->master);
    for (uint32_t i = 0; i < m->mix.member_count; i++)
        m->dual[i] =
            m->row[i] < 0 ? 0 : fmax(0, -lp_dual(m->master, m->row[i])); /* >= rows of a maximum */
    return STATUS_OK;
}

/* What the last solve proves of t. */
static double bound_of(const struct max_min *m)
{
    double fixed = 0;
    double others = 0;
    for (uint32_t i = 0; i < m->mix.member_count; i++) {
        if (!m->mix.takes_part[i])
            continue;
        if (m->fixed[i])
            fixed += m->mix.weight[i] * m->floor[i];
        else
            others += m->mix.weight[i];
    }
    return others > 0 ? (m->mix.bound - fixed) / others : HUGE_VAL;
}

/* Weights of the members not fixed sum to one, as the duals' do. */
static void keep_center(struct max_min *m)
{
    double sum = 0;
    for (uint32_t i = 0; i < m->mix.member_count; i++)
        sum += m->mix.takes_part[i] && !m->fixed[i] ? m->mix.weight[i] : 0;
    for (uint32_t i = 0; i < m->mix.member_count && sum > 0; i++)
        m->center[i] = m->mix.weight[i] / sum;
    m->has_center = sum > 0;
}

/* Would the last plan raise t? Its reduced cost in the master. */
static bool helps(const struct max_min *m)
{
    const struct vertex *vertex = &m->mix.vertices[m->mix.count - 1];
    double const share_dual = lp_dual(m->master, m->share_row);
    double worth = 0;
    for (uint32_t i = 0; i < m->mix.member_count; i++)
        worth += m->dual[i] * vertex->utility[i];
    return worth - share_dual > FAIRNESS_GAP / 10 * fmax(fabs(share_dual), m->t);
}

static enum status ask(struct max_min *m, bool *near_enough, struct fault *fault)
{
    bool const between = m->has_center && !m->plain;
    for (uint32_t i = 0; i < m->mix.member_count; i++)
        m->mix.weight[i] =
            between ? CENTER_PART * m->center[i] + (1 - CENTER_PART) * m->dual[i] : m->dual[i];
    enum status status = mix_ask(&m->mix, fault);
    if (status != STATUS_OK)
        return status;
    double const bound = bound_of(m);
    if (bound < m->bound) {
        m->bound = bound;
        keep_center(m);
    }
    m->plain = between && !helps(m);
    *near_enough = m->bound - m->t <= FAIRNESS_GAP * m->bound || m->bound <= 0;
    return *near_enough ? STATUS_OK : add_vertex(m, m->mix.count - 1, fault);
}

/* Those that hold t down are fixed there. */
static void close_level(struct max_min *m)
{
    double most = 0;
    for (uint32_t i = 0; i < m->mix.member_count; i++)
        if (m->row[i] >= 0 && !m->fixed[i])
            most = fmax(most, -lp_dual(m->master, m->row[i]));
    for (uint32_t i = 0; i < m->mix.member_count; i++) {
        if (m->row[i] < 0 || m->fixed[i] || -lp_dual(m->master, m->row[i]) < most * DUAL_LEAST)
            continue;
        m->fixed[i] = true;
        m->floor[i] = fmin(m->t, m->mix.utility[i]);
        m->fairness->level[i] = m->fairness->levels;
        m->fairness->ceiling[i] = m->bound;
        m->fixed_count++;
    }
    m->fairness->levels++;
}
