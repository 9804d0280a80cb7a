/* See learned.h: rows are sorted into what everybody learns from and what stays apart; then fit and
 * deliveries find their agreement. */
#include "broker/learning/learned.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proto/identity/identity.h"

/* Fitted again where a factor changed by more than this. */
#define FACTOR_SETTLED 0.02

static const char apart_prefix[] = "apart-";
enum { APART_DIGEST_BYTES = 16 };

struct learn {
    const struct learn_input *input;
    struct learned *learned;
    struct arena work; /* emptied for each fit */
    struct measurements *set;
    struct predictor_scope scopes[LEARN_SCOPES_MAX]; /* in the order of their models */
    uint32_t scope_count;
    uint16_t rows_of_pair[THROUGHPUT_MODELS_MAX][THROUGHPUT_CLUSTERS_MAX];
    struct fault *fault;
};

static enum status fit_once(struct learn *learn);
static enum status find_scopes(struct learn *learn);
static enum status judge_deliveries(struct learn *learn, bool *settled);

static enum status begin(struct learn *learn, const struct learn_input *input, struct fault *fault)
{
    *learn = (struct learn){.input = input, .fault = fault};
    learn->learned = calloc(1, sizeof *learn->learned);
    if (learn->learned == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for what is learned");
    arena_init(&learn->learned->arena, LEARN_BYTES_MAX);
    arena_init(&learn->work, LEARN_BYTES_MAX);
    learn->learned->references = 1;
    learn->learned->made_wall_ms = input->now_ms;
    learn->learned->predictor = (struct predictor){.table = input->table, .given = input->model};
    return STATUS_OK;
}

static enum status end(struct learn *learn, enum status status, struct learned **learned)
{
    arena_fini(&learn->work);
    if (status == STATUS_OK)
        *learned = learn->learned;
    else
        learned_close(learn->learned);
    return status;
}

enum status learned_fit(const struct learn_input *input, struct learned **learned,
                        struct fault *fault)
{
    struct learn *learn = calloc(1, sizeof *learn);
    if (learn == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to learn");
    bool settled = false;
    enum status status = begin(learn, input, fault);
    if (status == STATUS_OK) {
        for (int i = 0; i < LEARN_FITS_MAX && status == STATUS_OK && !settled; i++) {
            arena_reset(&learn->work);
            status = fit_once(learn);
            if (status == STATUS_OK)
                status = judge_deliveries(learn, &settled);
        }
        status = end(learn, status, learned);
    }
    free(learn);
    return status;
}

enum status learned_restore(const struct learn_input *input, struct bytes text,
                            struct learned **learned, struct fault *fault)
{
    struct learn *learn = calloc(1, sizeof *learn);
    if (learn == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to learn");
    bool settled = false;
    enum status status = begin(learn, input, fault);
    if (status == STATUS_OK) {
        if (text.data != NULL)
            status = model_parse("the stored fit", text, &learn->learned->arena,
                                 &learn->learned->predictor.fit, fault);
        if (status == STATUS_OK)
            status = find_scopes(learn);
        if (status == STATUS_OK)
            status = judge_deliveries(learn, &settled);
        status = end(learn, status, learned);
    }
    free(learn);
    return status;
}

struct learned *learned_hold(struct learned *learned)
{
    if (learned != NULL)
        learned->references++;
    return learned;
}

void learned_close(struct learned *learned)
{
    if (learned == NULL || --learned->references > 0)
        return;
    arena_fini(&learned->arena);
    free(learned);
}

enum status learned_text(const struct learned *learned, char **text, size_t *size,
                         struct fault *fault)
{
    *text = NULL;
    FILE *to = open_memstream(text, size);
    if (to == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the fit's text");
    enum status status = model_write(learned->predictor.fit, to, fault);
    if (fclose(to) != 0 && status == STATUS_OK)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for the fit's text");
    return status;
}

/* --- whose rows are whose */

static const struct name *key_of(const struct store_measurement *row)
{
    return name_empty(&row->model) ? &row->job : &row->model;
}

/* Everybody learns from what two members signed, under a key that several jobs can share. */
static bool shared(const struct store_measurement *row)
{
    return row->confirmed && !name_empty(&row->model) &&
           strncmp(row->model.text, apart_prefix, strlen(apart_prefix)) != 0;
}

/* The name of a member's own model in the fit: no key of a model can stand for it. */
static struct name apart_name(const struct name *member, const struct name *key)
{
    struct name name = {.text = ""};
    struct digest digest;
    char text[sizeof member->text + sizeof key->text];
    char hex[DIGEST_TEXT_MAX];
    int const length = snprintf(text, sizeof text, "%s/%s", member->text, key->text);
    digest_bytes((const uint8_t *)text, (size_t)length, &digest);
    digest_format(&digest, hex);
    snprintf(name.text, sizeof name.text, "%s%.*s", apart_prefix, 2 * APART_DIGEST_BYTES, hex);
    return name;
}

static const struct predictor_scope *find_scope(const struct learn *learn,
                                                const struct store_measurement *row)
{
    for (uint32_t i = 0; i < learn->scope_count; i++)
        if (name_equal(&learn->scopes[i].member, &row->home) &&
            name_equal(&learn->scopes[i].key, key_of(row)))
            return &learn->scopes[i];
    return NULL;
}

/* The newest members' own models, as many as are kept. */
static void choose_scopes(struct learn *learn)
{
    learn->scope_count = 0;
    for (uint32_t i = 0; i < learn->input->row_count; i++) {
        const struct store_measurement *row = &learn->input->rows[i];
        if (shared(row) || find_scope(learn, row) != NULL)
            continue;
        if (learn->scope_count == LEARN_SCOPES_MAX)
            return;
        learn->scopes[learn->scope_count++] = (struct predictor_scope){row->home, *key_of(row), 0};
    }
}

/* --- rows */

static uint32_t find_name(const struct name *names, uint32_t count, const struct name *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (name_equal(&names[i], name))
            return i;
    return count;
}

/* Room for its pair? Rows that would make one model or kind too many are passed over, as are those
 * beyond what a pair needs: the newest come first. */
static bool has_room(struct learn *learn, const struct name *model, const struct name *gpu,
                     uint32_t models_max)
{
    const struct measurements *set = learn->set;
    uint32_t const m = find_name(set->models, set->model_count, model);
    uint32_t const c = find_name(set->clusters, set->cluster_count, gpu);
    if ((m == set->model_count && m >= models_max) ||
        (c == set->cluster_count && c >= LEARN_CLUSTERS_MAX) ||
        learn->rows_of_pair[m][c] >= LEARN_ROWS_A_PAIR)
        return false;
    learn->rows_of_pair[m][c]++;
    return true;
}

/* As its host's kind would have done it: a host that delivers less says nothing of the kind. */
static double kind_seconds(const struct learn *learn, const struct store_measurement *row)
{
    const struct predictor *predictor = &learn->learned->predictor;
    return row->step_seconds * delivery_factor(predictor->deliveries, predictor->delivery_count,
                                               &row->pool, &row->home);
}

/* A row that no fit can use is passed over. */
static enum status add_row(struct learn *learn, const struct store_measurement *row,
                           const struct name *model, uint32_t models_max)
{
    struct measurement const measurement = {
        .configuration = {.gpus = row->gpus,
                          .nodes = row->nodes,
                          .gpus_on_fullest = row->gpus_on_fullest,
                          .batch = row->batch,
                          .accumulation = 1},
        .seconds = kind_seconds(learn, row),
        .line = 0,
    };
    if (!has_room(learn, model, &row->pool.gpu, models_max))
        return STATUS_OK;
    enum status const status =
        measurements_add(learn->set, model->text, row->pool.gpu.text, &measurement, learn->fault);
    return status == STATUS_INVALID ? STATUS_OK : status;
}

static enum status add_given(struct learn *learn)
{
    const struct measurements *given = learn->input->given;
    enum status status = STATUS_OK;
    for (uint32_t i = 0; given != NULL && i < given->row_count && status == STATUS_OK; i++)
        status = measurements_add(learn->set, given->models[given->rows[i].model].text,
                                  given->clusters[given->rows[i].cluster].text, &given->rows[i],
                                  learn->fault);
    return status;
}

/* What is shared first, then what stays apart. */
static enum status collect_rows(struct learn *learn)
{
    learn->set = arena_alloc(&learn->work, 1, sizeof *learn->set);
    if (learn->set == NULL)
        return fault_set(learn->fault, STATUS_NO_MEMORY, "no memory to learn");
    measurements_init(learn->set, &learn->work);
    memset(learn->rows_of_pair, 0, sizeof learn->rows_of_pair);
    choose_scopes(learn);
    enum status status = add_given(learn);
    const struct learn_input *input = learn->input;
    for (uint32_t i = 0; i < input->row_count && status == STATUS_OK; i++)
        if (shared(&input->rows[i]))
            status = add_row(learn, &input->rows[i], &input->rows[i].model, LEARN_MODELS_MAX);
    for (uint32_t i = 0; i < input->row_count && status == STATUS_OK; i++) {
        const struct predictor_scope *scope =
            shared(&input->rows[i]) ? NULL : find_scope(learn, &input->rows[i]);
        if (scope == NULL)
            continue;
        struct name const name = apart_name(&scope->member, &scope->key);
        status = add_row(learn, &input->rows[i], &name, THROUGHPUT_MODELS_MAX);
    }
    return status;
}

/* They were added last. */
static uint32_t count_apart(const struct measurements *set)
{
    uint32_t first = set->model_count;
    while (first > 0 &&
           strncmp(set->models[first - 1].text, apart_prefix, strlen(apart_prefix)) == 0)
        first--;
    return set->model_count - first;
}

static enum status fit_once(struct learn *learn)
{
    const struct throughput_model *model = NULL;
    struct model_options options = {.apart_models = 0};
    enum status status = collect_rows(learn);
    if (status == STATUS_OK)
        options.apart_models = count_apart(learn->set);
    if (status == STATUS_OK)
        status =
            model_fit(learn->set, NULL, 0, &options, &learn->learned->arena, &model, learn->fault);
    if (status != STATUS_OK)
        return status;
    learn->learned->predictor.fit = model;
    return find_scopes(learn);
}

/* --- scopes and deliveries */

static int compare_scopes(const void *left, const void *right)
{
    return predictor_scope_compare(left, right);
}

/* Those of the members' own models that the fit has. */
static enum status find_scopes(struct learn *learn)
{
    struct predictor *predictor = &learn->learned->predictor;
    struct predictor_scope *found =
        arena_alloc(&learn->learned->arena, LEARN_SCOPES_MAX, sizeof *found);
    uint32_t count = 0;
    if (found == NULL)
        return fault_set(learn->fault, STATUS_NO_MEMORY, "no memory for the members' scopes");
    choose_scopes(learn);
    for (uint32_t i = 0; predictor->fit != NULL && i < learn->scope_count; i++) {
        struct name const name = apart_name(&learn->scopes[i].member, &learn->scopes[i].key);
        uint32_t const index = model_find(predictor->fit, name.text);
        if (index == predictor->fit->model_count)
            continue;
        found[count] = learn->scopes[i];
        found[count++].index = index;
    }
    if (count > 0)
        qsort(found, count, sizeof *found, compare_scopes);
    predictor->scopes = found;
    predictor->scope_count = count;
    return STATUS_OK;
}

/* What its kind would have reached, by the word of others than its home; 0: nobody knows. */
static double expected_speed(const struct predictor *predictor, const struct store_measurement *row)
{
    struct demand const demand = {.home = row->home, .job = row->job, .model = row->model};
    struct predictor_question const question = {
        .demand = &demand,
        .pool = row->pool,
        .configuration = {.gpus = row->gpus,
                          .nodes = row->nodes,
                          .gpus_on_fullest = row->gpus_on_fullest,
                          .batch = row->batch,
                          .accumulation = 1},
    };
    struct throughput_estimate const estimate = predictor_ask(predictor, &question);
    bool const by_others = estimate.basis == BASIS_FITTED || estimate.basis == BASIS_TABLE;
    return by_others ? estimate.examples_per_second / estimate.delivery : 0;
}

static bool same_factors(const struct predictor *before, const struct delivery *after,
                         uint32_t after_count)
{
    if (before->delivery_count != after_count)
        return after_count == 0;
    for (uint32_t i = 0; i < after_count; i++)
        if (fabs(before->deliveries[i].factor - after[i].factor) > FACTOR_SETTLED)
            return false;
    return true;
}

static bool all_deliver(const struct delivery *deliveries, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (deliveries[i].factor < 1)
            return false;
    return true;
}

/* *settled: nothing changed that the fit would have to follow. */
static enum status judge_deliveries(struct learn *learn, bool *settled)
{
    struct predictor *predictor = &learn->learned->predictor;
    struct arena *arena = &learn->learned->arena;
    uint32_t const most = learn->input->row_count;
    struct delivery_evidence *evidence = arena_alloc(arena, most, sizeof *evidence);
    struct delivery *found = NULL;
    uint32_t count = 0;
    uint32_t found_count = 0;
    if (evidence == NULL)
        return fault_set(learn->fault, STATUS_NO_MEMORY, "no memory to judge deliveries");
    for (uint32_t i = 0; i < most; i++) {
        const struct store_measurement *row = &learn->input->rows[i];
        double const expected =
            row->kind == MEASUREMENT_RECEIPT ? expected_speed(predictor, row) : 0;
        double const ratio = expected > 0 ? store_measurement_speed(row) / expected : 0;
        if (!isfinite(ratio) || !(ratio > 0))
            continue;
        evidence[count++] =
            (struct delivery_evidence){row->pool, row->home, row->job, log(ratio),
                                       learn->input->now_ms - row->measured_wall_ms};
    }
    enum status const status =
        delivery_estimate(evidence, count, arena, &found, &found_count, learn->fault);
    if (status != STATUS_OK)
        return status;
    *settled = predictor->deliveries == NULL ? all_deliver(found, found_count)
                                             : same_factors(predictor, found, found_count);
    learn->learned->deliveries = found;
    predictor->deliveries = found;
    predictor->delivery_count = found_count;
    return STATUS_OK;
}
