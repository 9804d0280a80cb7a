/* Draft, read from JSON: the shapes of instance.h, and what becomes of each object. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/json_stream.h"
#include "economics/market/instance/draft.h"

enum { TEXT_BYTES = JSON_STREAM_TEXT_MAX, PLACE_BYTES_MAX = 192 };

static_assert((int)TEXT_BYTES > (int)DRAFT_ID_BYTES_MAX, "ids fit the stream's texts");

/* The object of each kind that is being read. */
struct reading {
    struct draft *draft;
    double round_seconds;
    struct {
        char id[TEXT_BYTES], member[TEXT_BYTES], gpu[TEXT_BYTES];
        int64_t gpus, gpus_per_node;
        double cost;
    } pool;
    struct {
        char home[TEXT_BYTES], host[TEXT_BYTES];
        double value, gigabytes, cost;
    } pair;
    struct {
        char member[TEXT_BYTES], gpu[TEXT_BYTES];
        double foreign_gpus, credits;
    } limit;
    struct {
        char id[TEXT_BYTES], home[TEXT_BYTES];
        struct draft_job job;
    } job;
    struct {
        char pool[TEXT_BYTES];
        int64_t gpus;
        double throughput;
    } configuration;
    char last_pool[TEXT_BYTES]; /* jobs name one pool several times in a row */
    uint32_t last_pool_number;
};

#define AT(member) offsetof(struct reading, member)

/* -- Names ------------------------------------------------------------------------------------- */

static enum status member_of(struct reading *r, struct json_stream *stream, const char *key,
                             const char *id, uint32_t *number, struct fault *fault)
{
    char place[PLACE_BYTES_MAX];
    if (draft_member_known(r->draft, id, number))
        return STATUS_OK;
    json_stream_path(stream, key, place, sizeof place);
    return draft_member_named(r->draft, id, place, number, fault);
}

static enum status pool_of(struct reading *r, struct json_stream *stream, const char *id,
                           uint32_t *number, struct fault *fault)
{
    char place[PLACE_BYTES_MAX];
    *number = r->last_pool_number;
    if (strcmp(id, r->last_pool) == 0)
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (!draft_pool_known(r->draft, id, number)) {
        json_stream_path(stream, "pool", place, sizeof place);
        status = draft_pool_named(r->draft, id, place, number, fault);
    }
    snprintf(r->last_pool, sizeof r->last_pool, "%s", id);
    r->last_pool_number = *number;
    return status;
}

/* -- Members and pools ------------------------------------------------------------------------- */

static enum status take_member(void *context, struct json_stream *stream, const char *id,
                               struct fault *fault)
{
    struct reading *r = context;
    return draft_add_member(r->draft, id, (uint32_t)json_stream_index(stream), fault);
}

static void *begin_pool(void *context)
{
    struct reading *r = context;
    r->pool.gpus_per_node = GPUS_PER_NODE_MAX;
    r->pool.cost = 0;
    return r;
}

static enum status end_pool(void *context, struct json_stream *stream, struct fault *fault)
{
    struct reading *r = context;
    struct draft_pool pool = {.id = r->pool.id,
                              .gpu = draft_text(r->draft, r->pool.gpu),
                              .gpus = (uint32_t)r->pool.gpus,
                              .gpus_per_node = (uint32_t)r->pool.gpus_per_node,
                              .cost = r->pool.cost,
                              .at = (uint32_t)json_stream_index(stream)};
    if (pool.gpu == NULL)
        return draft_no_room(fault);
    enum status const status = member_of(r, stream, "member", r->pool.member, &pool.member, fault);
    return status == STATUS_OK ? draft_add_pool(r->draft, &pool, fault) : status;
}

/* -- Affinity, links, limits ------------------------------------------------------------------- */

static void *begin_pair(void *context)
{
    struct reading *r = context;
    r->pair.gigabytes = DRAFT_NOT_STATED;
    r->pair.cost = 0;
    return r;
}

static enum status ends_of(struct reading *r, struct json_stream *stream, uint32_t *home,
                           uint32_t *host, struct fault *fault)
{
    enum status const status = member_of(r, stream, "home", r->pair.home, home, fault);
    return status == STATUS_OK ? member_of(r, stream, "host", r->pair.host, host, fault) : status;
}

static enum status end_affinity(void *context, struct json_stream *stream, struct fault *fault)
{
    struct reading *r = context;
    struct draft_affinity affinity = {.value = r->pair.value,
                                      .at = (uint32_t)json_stream_index(stream)};
    enum status const status = ends_of(r, stream, &affinity.home, &affinity.host, fault);
    return status == STATUS_OK ? draft_add_affinity(r->draft, &affinity, fault) : status;
}

static enum status end_link(void *context, struct json_stream *stream, struct fault *fault)
{
    struct reading *r = context;
    struct draft_link link = {.gigabytes = r->pair.gigabytes,
                              .cost_per_gigabyte = r->pair.cost,
                              .at = (uint32_t)json_stream_index(stream)};
    enum status const status = ends_of(r, stream, &link.home, &link.host, fault);
    return status == STATUS_OK ? draft_add_link(r->draft, &link, fault) : status;
}

static void *begin_limit(void *context)
{
    struct reading *r = context;
    r->limit.foreign_gpus = DRAFT_NOT_STATED;
    r->limit.credits = DRAFT_NOT_STATED;
    return r;
}

static enum status end_limit(void *context, struct json_stream *stream, struct fault *fault)
{
    struct reading *r = context;
    struct draft_limit limit = {.foreign_gpus = r->limit.foreign_gpus,
                                .credits = r->limit.credits,
                                .at = (uint32_t)json_stream_index(stream)};
    if (json_stream_given(stream, "gpu")) {
        limit.gpu = draft_text(r->draft, r->limit.gpu);
        if (limit.gpu == NULL)
            return draft_no_room(fault);
    }
    enum status const status =
        member_of(r, stream, "member", r->limit.member, &limit.member, fault);
    return status == STATUS_OK ? draft_add_limit(r->draft, &limit, fault) : status;
}

/* -- Jobs -------------------------------------------------------------------------------------- */

static void *begin_job(void *context)
{
    struct reading *r = context;
    r->job.job = (struct draft_job){.work_left = HUGE_VAL, .remaining_seconds = DRAFT_NOT_STATED};
    return r;
}

static enum status end_job(void *context, struct json_stream *stream, struct fault *fault)
{
    struct reading *r = context;
    struct draft_job job = r->job.job;
    job.id = draft_text(r->draft, r->job.id);
    job.at = (uint32_t)json_stream_index(stream);
    if (job.id == NULL)
        return draft_no_room(fault);
    enum status const status = member_of(r, stream, "home", r->job.home, &job.home, fault);
    return status == STATUS_OK ? draft_add_job(r->draft, &job, fault) : status;
}

static void *begin_configuration(void *context)
{
    return context;
}

static enum status end_configuration(void *context, struct json_stream *stream, struct fault *fault)
{
    struct reading *r = context;
    struct draft_configuration configuration = {.gpus = (uint32_t)r->configuration.gpus,
                                                .throughput = r->configuration.throughput};
    enum status const status =
        pool_of(r, stream, r->configuration.pool, &configuration.pool, fault);
    return status == STATUS_OK ? draft_add_configuration(r->draft, &configuration, fault) : status;
}

static void *begin_root(void *context)
{
    struct reading *r = context;
    r->round_seconds = DRAFT_ROUND_SECONDS;
    return r;
}

/* -- The shapes -------------------------------------------------------------------------------- */

#define TEXT(name, needed, member, bytes)                                                          \
    {                                                                                              \
        .key = name, .kind = JSON_FIELD_TEXT, .required = needed, .offset = AT(member),            \
        .most = bytes                                                                              \
    }
#define NUMBER(name, needed, member, low, high)                                                    \
    {                                                                                              \
        .key = name, .kind = JSON_FIELD_NUMBER, .required = needed, .offset = AT(member),          \
        .least = low, .most = high                                                                 \
    }
#define INTEGER(name, needed, member, low, high)                                                   \
    {                                                                                              \
        .key = name, .kind = JSON_FIELD_INTEGER, .required = needed, .offset = AT(member),         \
        .least = low, .most = high                                                                 \
    }
#define OBJECTS(name, needed, shape)                                                               \
    {                                                                                              \
        .key = name, .kind = JSON_FIELD_OBJECTS, .required = needed, .of = shape                   \
    }
#define SHAPE(list, starts, ends)                                                                  \
    {                                                                                              \
        .fields = list, .field_count = sizeof list / sizeof list[0], .begin = starts, .end = ends  \
    }

static const struct json_field pool_fields[] = {
    TEXT("id", true, pool.id, DRAFT_ID_BYTES_MAX),
    TEXT("member", true, pool.member, DRAFT_ID_BYTES_MAX),
    TEXT("gpu", true, pool.gpu, NAME_BYTES_MAX),
    INTEGER("gpus", true, pool.gpus, 0, (double)NODES_PER_POOL_MAX *GPUS_PER_NODE_MAX),
    INTEGER("gpus_per_node", false, pool.gpus_per_node, 1, GPUS_PER_NODE_MAX),
    NUMBER("cost", false, pool.cost, 0, DRAFT_PRICE_MAX)};
static const struct json_field affinity_fields[] = {
    TEXT("home", true, pair.home, DRAFT_ID_BYTES_MAX),
    TEXT("host", true, pair.host, DRAFT_ID_BYTES_MAX), NUMBER("value", true, pair.value, 0, 1)};
static const struct json_field link_fields[] = {
    TEXT("home", true, pair.home, DRAFT_ID_BYTES_MAX),
    TEXT("host", true, pair.host, DRAFT_ID_BYTES_MAX),
    NUMBER("gigabytes_per_round", false, pair.gigabytes, 0, DRAFT_GIGABYTES_MAX),
    NUMBER("cost_per_gigabyte", false, pair.cost, 0, DRAFT_PRICE_MAX)};
static const struct json_field limit_fields[] = {
    TEXT("member", true, limit.member, DRAFT_ID_BYTES_MAX),
    TEXT("gpu", false, limit.gpu, NAME_BYTES_MAX),
    NUMBER("max_foreign_gpus", false, limit.foreign_gpus, 0, DRAFT_GPUS_MAX),
    NUMBER("max_credits", false, limit.credits, 0, DRAFT_CREDITS_MAX)};
static const struct json_field configuration_fields[] = {
    TEXT("pool", true, configuration.pool, DRAFT_ID_BYTES_MAX),
    INTEGER("gpus", true, configuration.gpus, 1, MARKET_GPUS_PER_COLUMN_MAX),
    NUMBER("throughput", true, configuration.throughput, 0, DRAFT_THROUGHPUT_MAX)};
static const struct json_shape configuration_shape =
    SHAPE(configuration_fields, begin_configuration, end_configuration);
static const struct json_field job_fields[] = {
    TEXT("id", true, job.id, NAME_BYTES_MAX),
    TEXT("home", true, job.home, DRAFT_ID_BYTES_MAX),
    NUMBER("value", true, job.job.value, 0, DRAFT_VALUE_MAX),
    NUMBER("work_left", false, job.job.work_left, 0, DRAFT_ENDLESS_MAX),
    NUMBER("data_gigabytes", false, job.job.gigabytes, 0, DRAFT_GIGABYTES_MAX),
    NUMBER("remaining_seconds", false, job.job.remaining_seconds, 0, DRAFT_ENDLESS_MAX),
    NUMBER("price_max", false, job.job.price_max, 0, DRAFT_VALUE_MAX),
    {.key = "one_node", .kind = JSON_FIELD_BOOLEAN, .offset = AT(job.job.one_node)},
    OBJECTS("configurations", true, &configuration_shape)};
static const struct json_shape pool_shape = SHAPE(pool_fields, begin_pool, end_pool);
static const struct json_shape affinity_shape = SHAPE(affinity_fields, begin_pair, end_affinity);
static const struct json_shape link_shape = SHAPE(link_fields, begin_pair, end_link);
static const struct json_shape limit_shape = SHAPE(limit_fields, begin_limit, end_limit);
static const struct json_shape job_shape = SHAPE(job_fields, begin_job, end_job);
static const struct json_field root_fields[] = {NUMBER("round_seconds", false, round_seconds, 0.001,
                                                       (double)MARKET_ROUND_MS_MAX / MS_PER_SECOND),
                                                {.key = "members",
                                                 .kind = JSON_FIELD_TEXTS,
                                                 .required = true,
                                                 .most = NAME_BYTES_MAX,
                                                 .text = take_member},
                                                OBJECTS("pools", false, &pool_shape),
                                                OBJECTS("affinity", false, &affinity_shape),
                                                OBJECTS("links", false, &link_shape),
                                                OBJECTS("limits", false, &limit_shape),
                                                OBJECTS("jobs", false, &job_shape)};
static const struct json_shape root_shape = SHAPE(root_fields, begin_root, NULL);

enum status draft_read_json(FILE *from, const char *name, struct draft *draft, struct fault *fault)
{
    struct reading r = {.draft = draft};
    enum status const status = json_stream_read(from, name, &root_shape, &r, fault);
    draft->round_seconds = r.round_seconds;
    return status;
}
