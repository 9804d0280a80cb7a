/*
 * Model: its file: JSON, every number as it was (17 digits), checked when read; README.md documents
 * each key.
 */
#include <string.h>

#include "base/json.h"
#include "economics/throughput/model.h"

enum { FORMAT_VERSION = 1, FILE_BYTES_MAX = 256 * 1024 * 1024, NUMBER_MAX = 1000000000 };

static const char format_name[] = "entente-throughput-model";

/* By calibration_rows. */
static const char *const sparse_keys[SPARSE_TRIALS] = {"rows_2", "rows_5", "rows_10"};

#define VALUE_MAX 1e6 /* of any parameter or covariance: the law's are around one */

/* -- Writing ----------------------------------------------------------------------------------- */

static void put_effects(struct json_writer *writer, const struct batch_effects *effects)
{
    json_open_array(writer, "batches");
    for (uint32_t i = 0; i < effects->count; i++) {
        json_open_array(writer, NULL);
        json_put_number(writer, NULL, effects->of[i].batch);
        json_put_number(writer, NULL, effects->of[i].effect);
        json_end(writer);
    }
    json_end(writer);
}

/* The effects that pairs without rows share. */
static const struct batch_effects *shared_effects(const struct throughput_model *model, uint32_t m)
{
    return &model_belief_of(model, m, model->cluster_count)->effects;
}

static void put_names(const struct throughput_model *model, struct json_writer *writer)
{
    json_open_array(writer, "models");
    for (uint32_t m = 0; m < model->model_count; m++) {
        json_open_object(writer, NULL);
        json_put_text(writer, "name", model->models[m].text);
        json_put_number(writer, "log_batch_centre", model->centre[m]);
        put_effects(writer, shared_effects(model, m));
        json_end(writer);
    }
    json_end(writer);
    json_open_array(writer, "clusters");
    for (uint32_t c = 0; c < model->cluster_count; c++) {
        json_open_object(writer, NULL);
        json_put_text(writer, "name", model->clusters[c].text);
        json_put_number(writer, "link_gbps", model->link_gbps[c]);
        json_end(writer);
    }
    json_end(writer);
}

static void put_factors(const struct interval_factors *factors, struct json_writer *writer)
{
    json_open_object(writer, "interval_factors");
    json_put_number(writer, "measured", factors->measured);
    json_put_number(writer, "beyond", factors->beyond);
    for (int t = 0; t < SPARSE_TRIALS; t++)
        json_put_number(writer, sparse_keys[t], factors->sparse[t]);
    json_end(writer);
    json_open_object(writer, "interval_evidence_rows");
    for (int r = 0; r < REACH_COUNT; r++)
        json_put_integer(writer, throughput_reach_name((enum throughput_reach)r),
                         factors->evidence[r]);
    json_end(writer);
}

static void put_belief(const struct throughput_model *model, uint32_t m, uint32_t c,
                       struct json_writer *writer)
{
    const struct model_belief *belief = model_belief_of(model, m, c);
    json_open_object(writer, NULL);
    if (m < model->model_count)
        json_put_text(writer, "model", model->models[m].text);
    if (c < model->cluster_count)
        json_put_text(writer, "cluster", model->clusters[c].text);
    json_put_integer(writer, "rows", belief->coverage.rows);
    json_put_integer(writer, "placements", belief->coverage.placements);
    json_put_integer(writer, "gpus_max", belief->coverage.gpus_max);
    json_put_integer(writer, "nodes_max", belief->coverage.nodes_max);
    json_put_number(writer, "scale", belief->scale);
    json_put_integer(writer, "at_prior", belief->at_prior);
    json_open_array(writer, "mean");
    for (int i = 0; i < FORM_PARAMETERS; i++)
        json_put_number(writer, NULL, belief->mean[i]);
    json_end(writer);
    json_open_array(writer, "covariance");
    for (int i = 0; i < FORM_PARAMETERS; i++)
        for (int k = 0; k <= i; k++)
            json_put_number(writer, NULL, belief->covariance[i * FORM_PARAMETERS + k]);
    json_end(writer);
    if (belief->coverage.rows > 0)
        put_effects(writer, &belief->effects);
    json_end(writer);
}

enum status model_write(const struct throughput_model *model, FILE *to, struct fault *fault)
{
    struct json_writer writer;
    json_writer_init(&writer);
    json_put_text(&writer, "format", format_name);
    json_put_integer(&writer, "version", FORMAT_VERSION);
    json_put_integer(&writer, "rows", model->row_count);
    json_put_number(&writer, "log_batch_centre", model->centre[model->model_count]);
    json_open_array(&writer, "parameters");
    for (int i = 0; i < FORM_PARAMETERS; i++)
        json_put_text(&writer, NULL, form_parameter_name((enum form_parameter)i));
    json_end(&writer);
    put_factors(&model->factors, &writer);
    put_names(model, &writer);
    json_open_array(&writer, "beliefs");
    for (uint32_t m = 0; m <= model->model_count; m++)
        for (uint32_t c = 0; c <= model->cluster_count; c++)
            put_belief(model, m, c, &writer);
    json_end(&writer);
    enum status const status = json_write(&writer, to, fault);
    json_writer_fini(&writer);
    return status;
}

/* -- Reading ----------------------------------------------------------------------------------- */

struct reader {
    struct throughput_model *model;
    struct arena *arena;
    struct fault *fault;
};

static enum status get_count(struct reader *reader, const struct json_place *object,
                             const char *key, uint32_t *count)
{
    int64_t number = 0;
    enum status const status =
        json_get_integer(object, key, true, 0, NUMBER_MAX, &number, reader->fault);
    *count = (uint32_t)number;
    return status;
}

static enum status get_numbers(struct reader *reader, const struct json_place *object,
                               const char *key, double *numbers, size_t wanted)
{
    struct json_place array;
    size_t count;
    enum status status = json_get_array(object, key, true, &array, &count, reader->fault);
    if (status == STATUS_OK && count != wanted)
        return json_fault(&array, reader->fault, "has another number of elements");
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        struct json_place const element = json_element(&array, i);
        status = json_number_of(&element, -VALUE_MAX, VALUE_MAX, &numbers[i], reader->fault);
    }
    return status;
}

static enum status get_effects(struct reader *reader, const struct json_place *object,
                               struct batch_effects *effects)
{
    struct json_place array;
    size_t count;
    enum status status = json_get_array(object, "batches", true, &array, &count, reader->fault);
    if (status != STATUS_OK)
        return status;
    if (count > THROUGHPUT_ROWS_MAX)
        return json_fault(&array, reader->fault, "has too many batches");
    effects->of = arena_alloc(reader->arena, count, sizeof *effects->of);
    effects->count = (uint32_t)count;
    if (effects->of == NULL)
        return fault_set(reader->fault, STATUS_NO_MEMORY, "no memory for %zu batches", count);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        struct json_place const pair = json_element(&array, i);
        size_t numbers;
        if (!json_is_list(&pair, &numbers) || numbers != 2)
            return json_fault(&pair, reader->fault, "must be a batch and its effect");
        struct json_place const batch = json_element(&pair, 0);
        struct json_place const effect = json_element(&pair, 1);
        status =
            json_number_of(&batch, 0, THROUGHPUT_BATCH_MAX, &effects->of[i].batch, reader->fault);
        if (status == STATUS_OK)
            status = json_number_of(&effect, -VALUE_MAX, VALUE_MAX, &effects->of[i].effect,
                                    reader->fault);
        if (status == STATUS_OK && i > 0 && effects->of[i].batch <= effects->of[i - 1].batch)
            return json_fault(&pair, reader->fault, "must come in order of batches");
    }
    return status;
}

static enum status get_name(struct reader *reader, const struct json_place *object,
                            struct name *name)
{
    const char *text = NULL;
    enum status status = json_get_text(object, "name", true, NAME_BYTES_MAX, &text, reader->fault);
    return status == STATUS_OK ? name_parse(name, "name", text, reader->fault) : status;
}

static enum status get_names(struct reader *reader, const struct json_place *root,
                             struct batch_effects *shared)
{
    struct throughput_model *model = reader->model;
    struct json_place models;
    struct json_place clusters;
    size_t model_count;
    size_t cluster_count;
    enum status status = json_get_array(root, "models", true, &models, &model_count, reader->fault);
    if (status == STATUS_OK)
        status = json_get_array(root, "clusters", true, &clusters, &cluster_count, reader->fault);
    if (status != STATUS_OK)
        return status;
    if (model_count > THROUGHPUT_MODELS_MAX || cluster_count > THROUGHPUT_CLUSTERS_MAX)
        return json_fault(root, reader->fault, "has too many models or clusters");
    model->model_count = (uint32_t)model_count;
    model->cluster_count = (uint32_t)cluster_count;
    for (size_t m = 0; status == STATUS_OK && m < model_count; m++) {
        struct json_place const object = json_element(&models, m);
        status = get_name(reader, &object, &model->models[m]);
        if (status == STATUS_OK)
            status = json_get_number(&object, "log_batch_centre", true, -VALUE_MAX, VALUE_MAX,
                                     &model->centre[m], reader->fault);
        if (status == STATUS_OK)
            status = get_effects(reader, &object, &shared[m]);
    }
    for (size_t c = 0; status == STATUS_OK && c < cluster_count; c++) {
        struct json_place const object = json_element(&clusters, c);
        status = get_name(reader, &object, &model->clusters[c]);
        if (status == STATUS_OK)
            status = json_get_number(&object, "link_gbps", true, 0, THROUGHPUT_NETWORK_GBPS_MAX,
                                     &model->link_gbps[c], reader->fault);
    }
    return status;
}

static enum status get_factors(struct reader *reader, const struct json_place *root)
{
    struct interval_factors *factors = &reader->model->factors;
    struct json_place object;
    struct json_place evidence;
    enum status status = json_get_member(root, "interval_factors", true, &object, reader->fault);
    if (status == STATUS_OK)
        status = json_get_number(&object, "measured", true, 0, VALUE_MAX, &factors->measured,
                                 reader->fault);
    if (status == STATUS_OK)
        status =
            json_get_number(&object, "beyond", true, 0, VALUE_MAX, &factors->beyond, reader->fault);
    for (int t = 0; t < SPARSE_TRIALS && status == STATUS_OK; t++)
        status = json_get_number(&object, sparse_keys[t], true, 0, VALUE_MAX, &factors->sparse[t],
                                 reader->fault);
    if (status == STATUS_OK)
        status = json_get_member(root, "interval_evidence_rows", true, &evidence, reader->fault);
    for (int r = 0; status == STATUS_OK && r < REACH_COUNT; r++)
        status = get_count(reader, &evidence, throughput_reach_name((enum throughput_reach)r),
                           &factors->evidence[r]);
    return status;
}

static enum status get_belief(struct reader *reader, const struct json_place *object,
                              struct model_belief *belief)
{
    double half[FORM_PARAMETERS * (FORM_PARAMETERS + 1) / 2];
    enum status status = get_count(reader, object, "rows", &belief->coverage.rows);
    if (status == STATUS_OK)
        status = get_count(reader, object, "placements", &belief->coverage.placements);
    if (status == STATUS_OK)
        status = get_count(reader, object, "gpus_max", &belief->coverage.gpus_max);
    if (status == STATUS_OK)
        status = get_count(reader, object, "nodes_max", &belief->coverage.nodes_max);
    if (status == STATUS_OK)
        status = get_count(reader, object, "at_prior", &belief->at_prior);
    if (status == STATUS_OK)
        status =
            json_get_number(object, "scale", true, 0, VALUE_MAX, &belief->scale, reader->fault);
    if (status == STATUS_OK)
        status = get_numbers(reader, object, "mean", belief->mean, FORM_PARAMETERS);
    if (status == STATUS_OK)
        status = get_numbers(reader, object, "covariance", half, sizeof half / sizeof half[0]);
    if (status == STATUS_OK && belief->coverage.rows > 0)
        status = get_effects(reader, object, &belief->effects);
    if (status != STATUS_OK)
        return status;
    size_t at = 0;
    for (int i = 0; i < FORM_PARAMETERS; i++)
        for (int k = 0; k <= i; k++) {
            belief->covariance[i * FORM_PARAMETERS + k] = half[at];
            belief->covariance[k * FORM_PARAMETERS + i] = half[at++];
        }
    return STATUS_OK;
}

/* One belief of every model and cluster, and of those never seen, in order. */
static enum status get_beliefs(struct reader *reader, const struct json_place *root,
                               const struct batch_effects *shared)
{
    struct throughput_model *model = reader->model;
    size_t const wanted = (size_t)(model->model_count + 1) * (model->cluster_count + 1);
    struct json_place array;
    size_t count;
    enum status status = json_get_array(root, "beliefs", true, &array, &count, reader->fault);
    if (status == STATUS_OK && count != wanted)
        return json_fault(&array, reader->fault,
                          "must have one for every model and cluster, and those never seen");
    model->beliefs = arena_alloc(reader->arena, wanted, sizeof *model->beliefs);
    if (model->beliefs == NULL)
        return fault_set(reader->fault, STATUS_NO_MEMORY, "no memory for %zu pairs", wanted);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        struct json_place const object = json_element(&array, i);
        size_t const m = i / (model->cluster_count + 1);
        if (m < model->model_count)
            model->beliefs[i].effects = shared[m];
        status = get_belief(reader, &object, &model->beliefs[i]);
    }
    return status;
}

static enum status get_model(struct reader *reader, const struct json_place *root)
{
    struct batch_effects shared[THROUGHPUT_MODELS_MAX] = {{NULL, 0}};
    const char *format = NULL;
    int64_t version = 0;
    enum status status =
        json_get_text(root, "format", true, NAME_BYTES_MAX, &format, reader->fault);
    if (status == STATUS_OK && strcmp(format, format_name) != 0)
        return json_fault(root, reader->fault,
                          "is no throughput model: make one with `throughput "
                          "fit DATA --out MODEL`");
    if (status == STATUS_OK)
        status = json_get_integer(root, "version", true, FORMAT_VERSION, FORMAT_VERSION, &version,
                                  reader->fault);
    if (status == STATUS_OK)
        status = get_count(reader, root, "rows", &reader->model->row_count);
    if (status == STATUS_OK)
        status = get_factors(reader, root);
    if (status == STATUS_OK)
        status = get_names(reader, root, shared);
    if (status == STATUS_OK)
        status = json_get_number(root, "log_batch_centre", true, -VALUE_MAX, VALUE_MAX,
                                 &reader->model->centre[reader->model->model_count], reader->fault);
    return status == STATUS_OK ? get_beliefs(reader, root, shared) : status;
}

/* Closes the document. */
static enum status take_document(struct json_document *document, struct arena *arena,
                                 const struct throughput_model **model, struct fault *fault)
{
    struct reader reader = {arena_alloc(arena, 1, sizeof *reader.model), arena, fault};
    enum status status = STATUS_OK;
    if (reader.model == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for a model");
    struct json_place const root = json_root(document);
    if (status == STATUS_OK)
        status = get_model(&reader, &root);
    json_close(document);
    *model = reader.model;
    return status;
}

enum status model_read(const char *path, struct arena *arena, const struct throughput_model **model,
                       struct fault *fault)
{
    struct json_document *document = NULL;
    enum status const status = json_read(path, FILE_BYTES_MAX, &document, fault);
    return status == STATUS_OK ? take_document(document, arena, model, fault) : status;
}

enum status model_parse(const char *name, struct bytes text, struct arena *arena,
                        const struct throughput_model **model, struct fault *fault)
{
    struct json_document *document = NULL;
    enum status const status =
        json_parse(name, (const char *)text.data, text.size, &document, fault);
    return status == STATUS_OK ? take_document(document, arena, model, fault) : status;
}
