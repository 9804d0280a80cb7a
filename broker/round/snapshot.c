/* See snapshot.h for the format. Both directions of one part stand side by side. */
#include "broker/round/snapshot.h"

#include <stdio.h>

#include "broker/round/codec.h"

enum { SNAPSHOT_BYTES_MAX = 512 * 1024 * 1024 };

enum { VERSION_OWEN = 1, VERSION_SPLIT = 2, VERSION_WARM = 2 /* more than without a state */ };

static const uint8_t magic[] = {'E', 'N', 'T', 'M'};

static void put_members(struct codec_writer *writer, const struct market *market);
static void put_terms(struct codec_writer *writer, const struct market *market,
                      const struct split_terms *terms);
static void put_pools(struct codec_writer *writer, const struct market *market);
static void put_jobs(struct codec_writer *writer, const struct market *market);
static void put_columns(struct codec_writer *writer, const struct market *market);
static void put_rows(struct codec_writer *writer, const struct market *market);

struct decoding {
    struct codec_reader reader;
    struct arena *arena;
    struct market *market;
    struct split_terms *terms;
};

static void get_members(struct decoding *decoding);
static void get_terms(struct decoding *decoding);
static void get_pools(struct decoding *decoding);
static void get_jobs(struct decoding *decoding);
static void get_columns(struct decoding *decoding);
static void get_rows(struct decoding *decoding);
static struct bytes get_state(struct decoding *decoding);

static enum status hand_over(struct codec_writer *writer, struct arena *arena, struct bytes *bytes,
                             struct fault *fault)
{
    uint8_t *copy = writer->broken ? NULL : arena_copy(arena, writer->data, writer->size);
    *bytes = (struct bytes){.data = copy, .size = copy == NULL ? 0 : writer->size};
    codec_writer_fini(writer);
    if (copy == NULL)
        return fault_set(fault, STATUS_EXHAUSTED, "a round's snapshot exceeds its bound");
    return STATUS_OK;
}

/* Owen's split needs no terms: it is what the market's prices give. */
static bool owens(const struct split_terms *terms)
{
    return terms->mechanism->split == NULL;
}

enum status snapshot_encode(const struct market *market, const struct split_terms *terms,
                            struct bytes state, struct arena *arena, struct bytes *bytes,
                            struct fault *fault)
{
    struct codec_writer writer;
    uint64_t const version = owens(terms) ? VERSION_OWEN : VERSION_SPLIT;
    codec_writer_init(&writer, SNAPSHOT_BYTES_MAX);
    codec_put_raw(&writer, magic, sizeof magic);
    codec_put_unsigned(&writer, state.size > 0 ? version + VERSION_WARM : version);
    codec_put_signed(&writer, market->round_ms);
    put_members(&writer, market);
    if (!owens(terms))
        put_terms(&writer, market, terms);
    put_pools(&writer, market);
    put_jobs(&writer, market);
    put_columns(&writer, market);
    put_rows(&writer, market);
    if (state.size > 0) {
        codec_put_unsigned(&writer, state.size);
        codec_put_raw(&writer, state.data, state.size);
    }
    return hand_over(&writer, arena, bytes, fault);
}

enum status snapshot_decode(struct bytes bytes, struct arena *arena, struct market *market,
                            struct split_terms *terms, struct bytes *state, struct fault *fault)
{
    struct decoding decoding = {
        .reader = {.at = bytes.data, .end = bytes.data + bytes.size},
        .arena = arena,
        .market = market,
        .terms = terms,
    };
    *terms = (struct split_terms){.mechanism = &mechanisms[0]};
    *market = (struct market){0};
    codec_expect(&decoding.reader, magic, sizeof magic, "not a snapshot");
    uint64_t version = codec_unsigned(&decoding.reader, VERSION_SPLIT + VERSION_WARM, "version");
    if (version < VERSION_OWEN && decoding.reader.problem == NULL)
        decoding.reader.problem = "not a snapshot of version 1 to 4";
    bool const warm = version > VERSION_WARM;
    version -= warm ? VERSION_WARM : 0;
    market->round_ms = codec_signed(&decoding.reader, 1, INT64_MAX, "round_ms");
    get_members(&decoding);
    if (version == VERSION_SPLIT)
        get_terms(&decoding);
    get_pools(&decoding);
    get_jobs(&decoding);
    get_columns(&decoding);
    get_rows(&decoding);
    *state = warm ? get_state(&decoding) : (struct bytes){0};
    if (decoding.reader.problem == NULL && decoding.reader.at != decoding.reader.end)
        decoding.reader.problem = "bytes after the end";
    if (decoding.reader.problem != NULL)
        return fault_set(fault, STATUS_CORRUPT, "stored snapshot: %s", decoding.reader.problem);
    if (market_validate(market, fault) != STATUS_OK)
        return fault_prefix(fault, STATUS_CORRUPT, "stored snapshot");
    return STATUS_OK;
}

/* Arena memory for a decoded array; a full arena becomes a problem, so nothing is indexed. */
static void *room(struct decoding *decoding, uint32_t *count, size_t size)
{
    void *array = arena_alloc(decoding->arena, *count, size);
    if (array == NULL) {
        decoding->reader.problem = "too large for this machine's memory";
        decoding->reader.at = decoding->reader.end;
        *count = 0;
    }
    return array;
}

/* A session's state, kept as it is: its own loading checks it. Borrowed from the snapshot. */
static struct bytes get_state(struct decoding *decoding)
{
    struct codec_reader *reader = &decoding->reader;
    uint32_t const size = codec_count(reader, SESSION_STATE_BYTES_MAX, "session state's size");
    if (size == 0 && reader->problem == NULL)
        reader->problem = "session state: empty";
    struct bytes const state = {.data = reader->at, .size = size};
    if (reader->problem == NULL)
        reader->at += size;
    return reader->problem == NULL ? state : (struct bytes){0};
}

static void put_members(struct codec_writer *writer, const struct market *market)
{
    codec_put_unsigned(writer, market->member_count);
    for (uint32_t i = 0; i < market->member_count; i++)
        codec_put_name(writer, &market->members[i].name);
}

static void get_members(struct decoding *decoding)
{
    struct market *market = decoding->market;
    market->member_count = codec_count(&decoding->reader, MARKET_MEMBERS_MAX, "member count");
    market->members = room(decoding, &market->member_count, sizeof *market->members);
    for (uint32_t i = 0; i < market->member_count; i++)
        codec_name(&decoding->reader, &market->members[i].name, "member's name");
}

static void put_terms(struct codec_writer *writer, const struct market *market,
                      const struct split_terms *terms)
{
    struct name name = {0};
    snprintf(name.text, sizeof name.text, "%s", terms->mechanism->name);
    codec_put_name(writer, &name);
    codec_put_signed(writer, terms->purses.funder);
    codec_put_signed(writer, terms->purses.outside.micros);
    for (uint32_t i = 0; i < market->member_count; i++)
        codec_put_signed(writer, terms->purses.member[i].micros);
}

static void get_terms(struct decoding *decoding)
{
    struct codec_reader *reader = &decoding->reader;
    struct split_purses *purses = &decoding->terms->purses;
    uint32_t count = decoding->market->member_count;
    struct name name = {0};
    codec_name(reader, &name, "mechanism");
    if (reader->problem == NULL &&
        (mechanism_find(name.text, &decoding->terms->mechanism, NULL) != STATUS_OK ||
         owens(decoding->terms))) {
        decoding->terms->mechanism = &mechanisms[0];
        reader->problem = "a mechanism that this program does not know";
    }
    purses->funder = (int32_t)codec_signed(reader, MARKET_NONE, (int64_t)count - 1, "who funds");
    purses->outside.micros = codec_signed(reader, 0, INT64_MAX, "what the funder has");
    struct credits *member = room(decoding, &count, sizeof *member);
    for (uint32_t i = 0; i < count; i++)
        member[i].micros = codec_signed(reader, 0, INT64_MAX, "member's purse");
    purses->member = member;
}

static void put_pools(struct codec_writer *writer, const struct market *market)
{
    codec_put_unsigned(writer, market->pool_count);
    for (uint32_t i = 0; i < market->pool_count; i++) {
        const struct market_pool *pool = &market->pools[i];
        codec_put_signed(writer, pool->owner);
        codec_put_name(writer, &pool->gpu);
        codec_put_unsigned(writer, pool->gpus_per_node);
        codec_put_signed(writer, pool->cost.nanos);
        codec_put_unsigned(writer, pool->node_count);
        for (uint32_t n = 0; n < pool->node_count; n++)
            codec_put_unsigned(writer, pool->nodes[n].gpus);
    }
}

static void get_pool(struct decoding *decoding, struct market_pool *pool)
{
    struct codec_reader *reader = &decoding->reader;
    pool->owner = (int32_t)codec_signed(reader, 0, INT32_MAX, "pool's owner");
    codec_name(reader, &pool->gpu, "pool's gpu");
    pool->gpus_per_node =
        (uint32_t)codec_unsigned(reader, GPUS_PER_NODE_MAX, "pool's gpus per node");
    pool->cost.nanos = codec_signed(reader, 0, INT64_MAX, "pool's cost");
    pool->node_count = codec_count(reader, NODES_PER_POOL_MAX, "pool's node count");
    pool->nodes = room(decoding, &pool->node_count, sizeof *pool->nodes);
    for (uint32_t n = 0; n < pool->node_count; n++) {
        pool->nodes[n].gpus = codec_unsigned(reader, UINT64_MAX, "node's gpus");
        pool->gpu_count += (uint32_t)__builtin_popcountll(pool->nodes[n].gpus);
    }
}

static void get_pools(struct decoding *decoding)
{
    struct market *market = decoding->market;
    market->pool_count = codec_count(&decoding->reader, MARKET_POOLS_MAX, "pool count");
    market->pools = room(decoding, &market->pool_count, sizeof *market->pools);
    for (uint32_t i = 0; i < market->pool_count; i++)
        get_pool(decoding, &market->pools[i]);
}

static void put_jobs(struct codec_writer *writer, const struct market *market)
{
    codec_put_unsigned(writer, market->job_count);
    for (uint32_t i = 0; i < market->job_count; i++) {
        const struct market_job *job = &market->jobs[i];
        codec_put_name(writer, &job->job);
        codec_put_signed(writer, job->home);
        codec_put_unsigned(writer, job->column_count);
        codec_put_unsigned(writer, job->one_node ? 1 : 0);
        codec_put_signed(writer, job->held_column);
        codec_put_nodes(writer, job->held_nodes, job->held_node_count);
        codec_put_unsigned(writer, job->age_rounds);
    }
}

static void get_job(struct decoding *decoding, uint64_t *columns, struct market_job *job)
{
    struct codec_reader *reader = &decoding->reader;
    codec_name(reader, &job->job, "job's name");
    job->home = (int32_t)codec_signed(reader, 0, INT32_MAX, "job's home");
    job->first_column = (uint32_t)*columns;
    job->column_count =
        (uint32_t)codec_unsigned(reader, MARKET_COLUMNS_MAX - *columns, "job's column count");
    *columns += job->column_count;
    job->one_node = codec_unsigned(reader, 1, "job's one_node") == 1;
    job->held_column =
        (int32_t)codec_signed(reader, MARKET_NONE, MARKET_COLUMNS_MAX, "job's held column");
    job->held_node_count = codec_count(reader, NODES_PER_LEASE_MAX, "job's held nodes");
    job->held_nodes = room(decoding, &job->held_node_count, sizeof *job->held_nodes);
    for (uint32_t n = 0; n < job->held_node_count; n++) {
        job->held_nodes[n].node = (uint32_t)codec_unsigned(reader, NODES_PER_POOL_MAX, "held node");
        job->held_nodes[n].gpus = codec_unsigned(reader, UINT64_MAX, "held gpus");
    }
    job->age_rounds = (uint32_t)codec_unsigned(reader, UINT32_MAX, "job's age");
}

static void get_jobs(struct decoding *decoding)
{
    struct market *market = decoding->market;
    uint64_t columns = 0;
    market->job_count = codec_count(&decoding->reader, MARKET_JOBS_MAX, "job count");
    market->jobs = room(decoding, &market->job_count, sizeof *market->jobs);
    for (uint32_t i = 0; i < market->job_count; i++)
        get_job(decoding, &columns, &market->jobs[i]);
}

static void put_columns(struct codec_writer *writer, const struct market *market)
{
    uint32_t job = 0;
    codec_put_unsigned(writer, market->column_count);
    for (uint32_t i = 0; i < market->column_count; i++) {
        const struct market_column *column = &market->columns[i];
        codec_put_unsigned(writer, column->job - job); /* ascending: a small step */
        job = column->job;
        codec_put_unsigned(writer, column->pool);
        codec_put_unsigned(writer, column->gpus);
        codec_put_signed(writer, column->micro_examples_per_second);
        codec_put_signed(writer, column->worth.micros);
        codec_put_signed(writer, column->value.micros);
        codec_put_signed(writer, column->price_room.micros);
        codec_put_signed(writer, column->held_ms);
    }
}

static void get_columns(struct decoding *decoding)
{
    struct codec_reader *reader = &decoding->reader;
    struct market *market = decoding->market;
    uint64_t job = 0;
    market->column_count = codec_count(reader, MARKET_COLUMNS_MAX, "column count");
    market->columns = room(decoding, &market->column_count, sizeof *market->columns);
    for (uint32_t i = 0; i < market->column_count; i++) {
        struct market_column *column = &market->columns[i];
        job += codec_unsigned(reader, MARKET_JOBS_MAX - job, "column's job");
        column->job = (uint32_t)job;
        column->pool = (uint32_t)codec_unsigned(reader, MARKET_POOLS_MAX, "column's pool");
        column->gpus = (uint32_t)codec_unsigned(reader, UINT32_MAX, "column's gpus");
        column->micro_examples_per_second =
            codec_signed(reader, INT64_MIN, INT64_MAX, "column's throughput");
        column->worth.micros = codec_signed(reader, INT64_MIN, INT64_MAX, "column's worth");
        column->value.micros = codec_signed(reader, INT64_MIN, INT64_MAX, "column's value");
        column->price_room.micros =
            codec_signed(reader, INT64_MIN, INT64_MAX, "column's price room");
        column->held_ms = codec_signed(reader, 0, INT64_MAX, "column's time held");
    }
}

static void put_rows(struct codec_writer *writer, const struct market *market)
{
    codec_put_unsigned(writer, market->row_count);
    for (uint32_t i = 0; i < market->row_count; i++) {
        const struct market_row *row = &market->rows[i];
        codec_put_unsigned(writer, (uint64_t)row->kind);
        codec_put_signed(writer, row->owner);
        codec_put_signed(writer, row->partner);
        codec_put_double(writer, row->limit);
        codec_put_unsigned(writer, row->first_entry);
        codec_put_unsigned(writer, row->entry_count);
    }
    codec_put_unsigned(writer, market->entry_count);
    for (uint32_t i = 0; i < market->entry_count; i++) {
        codec_put_unsigned(writer, market->entries[i].column);
        codec_put_double(writer, market->entries[i].coefficient);
    }
}

static void get_row(struct codec_reader *reader, struct market_row *row)
{
    row->kind =
        (enum market_row_kind)codec_unsigned(reader, MARKET_ROW_KIND_COUNT - 1, "row's kind");
    row->owner = (int32_t)codec_signed(reader, 0, INT32_MAX, "row's owner");
    row->partner = (int32_t)codec_signed(reader, MARKET_NONE, INT32_MAX, "row's partner");
    row->limit = codec_double(reader, "row's limit");
    row->first_entry = (uint32_t)codec_unsigned(reader, UINT32_MAX, "row's first entry");
    row->entry_count = (uint32_t)codec_unsigned(reader, UINT32_MAX, "row's entry count");
}

static void get_rows(struct decoding *decoding)
{
    struct codec_reader *reader = &decoding->reader;
    struct market *market = decoding->market;
    market->row_count = codec_count(reader, UINT32_MAX, "row count");
    market->rows = room(decoding, &market->row_count, sizeof *market->rows);
    for (uint32_t i = 0; i < market->row_count; i++)
        get_row(reader, &market->rows[i]);
    market->entry_count = codec_count(reader, UINT32_MAX, "entry count");
    market->entries = room(decoding, &market->entry_count, sizeof *market->entries);
    for (uint32_t i = 0; i < market->entry_count; i++) {
        market->entries[i].column =
            (uint32_t)codec_unsigned(reader, MARKET_COLUMNS_MAX, "entry's column");
        market->entries[i].coefficient = codec_double(reader, "entry's coefficient");
    }
}
