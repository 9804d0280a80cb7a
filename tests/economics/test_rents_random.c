/*
 * The rents of random markets, against the full dual LP written here: the total pool rent lies
 * midway between the least and the greatest of all optimal duals.
 */
#include "tests/support/support.h"

#include <glpk.h>
#include <math.h>

#include "economics/market/plan.h"
#include "tests/economics/random_market.h"

enum { MARKETS = 600 };

struct dual {
    const struct market *market;
    glp_prob *lp;
    double unit; /* the largest worth in micro-credits: the LP is in parts of it */
    int pool_at; /* columns: jobs, pools, rows, from 1 */
    int row_at;
};

/* λ_j + n_k μ_p + Σ a_r π_r >= w_jk for every column with w > 0. */
static void add_column(struct dual *dual, uint32_t k)
{
    const struct market *market = dual->market;
    const struct market_column *column = &market->columns[k];
    int indices[16] = {0, (int)column->job + 1, dual->pool_at + (int)column->pool};
    double values[16] = {0, 1, column->gpus};
    int count = 2;
    for (uint32_t r = 0; r < market->row_count; r++)
        for (uint32_t e = 0; e < market->rows[r].entry_count; e++) {
            const struct market_entry *entry = &market->entries[market->rows[r].first_entry + e];
            if (entry->column != k)
                continue;
            count++;
            indices[count] = dual->row_at + (int)r;
            values[count] = entry->coefficient;
        }
    int const row = glp_add_rows(dual->lp, 1);
    glp_set_row_bnds(dual->lp, row, GLP_LO, (double)column->worth.micros / dual->unit, 0);
    glp_set_mat_row(dual->lp, row, count, indices, values);
}

static void make(struct dual *dual, const struct market *market)
{
    *dual = (struct dual){.market = market, .lp = glp_create_prob()};
    glp_term_out(GLP_OFF);
    dual->pool_at = (int)market->job_count + 1;
    dual->row_at = dual->pool_at + (int)market->pool_count;
    glp_add_cols(dual->lp, dual->row_at - 1 + (int)market->row_count);
    for (uint32_t k = 0; k < market->column_count; k++)
        dual->unit = fmax(dual->unit, (double)market->columns[k].worth.micros);
    for (int c = 1; c <= glp_get_num_cols(dual->lp); c++)
        glp_set_col_bnds(dual->lp, c, GLP_LO, 0, 0);
    for (int c = 1; c < dual->pool_at; c++)
        glp_set_obj_coef(dual->lp, c, 1);
    for (uint32_t p = 0; p < market->pool_count; p++)
        glp_set_obj_coef(dual->lp, dual->pool_at + (int)p, market->pools[p].gpu_count);
    for (uint32_t r = 0; r < market->row_count; r++)
        glp_set_obj_coef(dual->lp, dual->row_at + (int)r, market->rows[r].limit);
    for (uint32_t k = 0; k < market->column_count; k++)
        if (market->columns[k].worth.micros > 0)
            add_column(dual, k);
}

/* False where there is none within GLPK's tolerance. */
static bool solved(const struct dual *dual)
{
    glp_smcp options;
    glp_init_smcp(&options);
    options.msg_lev = GLP_MSG_OFF;
    options.tol_bnd = options.tol_dj = 1e-10;
    glp_scale_prob(dual->lp, GLP_SF_AUTO);
    glp_std_basis(dual->lp);
    assert_int_equal(glp_simplex(dual->lp, &options), 0);
    return glp_get_status(dual->lp) == GLP_OPT;
}

static double solve(const struct dual *dual)
{
    assert_true(solved(dual));
    return glp_get_obj_val(dual->lp);
}

/* Keeps to the optimal face, and looks at Σ K μ from here on. */
static void go_to_face(struct dual *dual, double optimum)
{
    int const columns = glp_get_num_cols(dual->lp);
    int const row = glp_add_rows(dual->lp, 1);
    int indices[64];
    double values[64];
    assert_true(columns < 64);
    for (int c = 1; c <= columns; c++) {
        indices[c] = c;
        values[c] = glp_get_obj_coef(dual->lp, c);
        glp_set_obj_coef(dual->lp, c, c >= dual->pool_at && c < dual->row_at ? values[c] : 0);
    }
    glp_set_mat_row(dual->lp, row, columns, indices, values);
    /* The narrowest slack at which GLPK still sees the face: a wide one shows up multiplied. */
    bool found = false;
    for (double slack = 1e-10; slack < 1e-7 && !found; slack *= 4) {
        glp_set_row_bnds(dual->lp, row, GLP_UP, 0, optimum * (1 + slack));
        found = solved(dual);
    }
    assert_true(found);
}

static void the_rents_lie_midway_between_the_buyers_and_the_sellers_best(void **state)
{
    (void)state;
    uint64_t const seed = support_seed(1975);
    uint32_t wide_faces = 0;
    for (uint64_t stream = 0; stream < MARKETS; stream++) {
        struct arena arena;
        struct market market;
        struct plan plan;
        arena_init(&arena, ARENA_MESSAGE_BYTES);
        random_market(seed, stream, &arena, &market);
        assert_ok(plan_make(&market, &arena, &plan, NULL));
        double rent = 0;
        for (uint32_t p = 0; p < market.pool_count; p++)
            rent += market.pools[p].gpu_count * plan.pool_rent_credits[p] * MICROS_PER_CREDIT;
        if (plan.bound.micros > 0) {
            struct dual dual;
            make(&dual, &market);
            double const optimum = solve(&dual);
            go_to_face(&dual, optimum);
            double const least = solve(&dual) * dual.unit;
            glp_set_obj_dir(dual.lp, GLP_MAX);
            double const greatest = solve(&dual) * dual.unit;
            wide_faces += greatest > least + 1e-3 * optimum * dual.unit;
            glp_delete_prob(dual.lp);
            if (fabs(rent - (least + greatest) / 2) > 2 + 1e-5 * optimum * dual.unit)
                fail_msg("seed %llu stream %llu: total rent %.3f, least %.3f, greatest %.3f",
                         (unsigned long long)seed, (unsigned long long)stream, rent, least,
                         greatest);
        }
        arena_fini(&arena);
    }
    print_message("%u of %d markets have more than one total rent\n", wide_faces, MARKETS);
    assert_true(wide_faces > MARKETS / 10); /* else this test shows little */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rents_lie_midway_between_the_buyers_and_the_sellers_best),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
