/* The canonical encoding of a plan (snapshot.h): what replay compares. */
#include <string.h>

#include "broker/round/codec.h"
#include "broker/round/snapshot.h"
#include "proto/identity/identity.h"

enum { PLAN_BYTES_MAX = 512 * 1024 * 1024 };

static const char tag[] = "entente plan 1";
static const char tag_split[] = "entente plan 2";

static void put_placement(struct codec_writer *writer, const struct plan_placement *placement)
{
    codec_put_unsigned(writer, placement->column);
    codec_put_nodes(writer, placement->nodes, placement->node_count);
    codec_put_unsigned(writer, placement->renewed ? 1 : 0);
    codec_put_unsigned(writer, placement->waits ? 1 : 0);
    codec_put_signed(writer, placement->price.nanos);
    codec_put_unsigned(writer, placement->share_count);
    for (uint32_t i = 0; i < placement->share_count; i++) {
        codec_put_signed(writer, placement->shares[i].member);
        codec_put_signed(writer, placement->shares[i].price.nanos);
    }
    codec_put_signed(writer, placement->payment.micros);
}

static void put_split(struct codec_writer *writer, const struct market *market,
                      const struct split *split)
{
    for (uint32_t i = 0; i < market->member_count; i++) {
        codec_put_signed(writer, split->side[i].micros);
        codec_put_signed(writer, split->payoff[i].micros);
    }
    codec_put_signed(writer, split->funding.micros);
    codec_put_signed(writer, split->epsilon.micros);
    codec_put_unsigned(writer, split->epsilon_exact ? 1 : 0);
}

static void put_plan(struct codec_writer *writer, const struct market *market,
                     const struct plan *plan, const struct split *split)
{
    codec_put_raw(writer, split->paid ? tag_split : tag, sizeof tag - 1);
    codec_put_unsigned(writer, plan->placement_count);
    for (uint32_t i = 0; i < plan->placement_count; i++)
        put_placement(writer, &plan->placements[i]);
    codec_put_unsigned(writer, market->pool_count);
    for (uint32_t i = 0; i < market->pool_count; i++)
        codec_put_signed(writer, plan->pool_price[i].nanos);
    codec_put_unsigned(writer, market->member_count);
    for (uint32_t i = 0; i < market->member_count; i++) {
        codec_put_signed(writer, plan->members[i].payoff.micros);
        codec_put_signed(writer, plan->members[i].owen.micros);
        codec_put_signed(writer, plan->members[i].alone.micros);
    }
    codec_put_signed(writer, plan->objective.micros);
    codec_put_signed(writer, plan->bound.micros);
    codec_put_signed(writer, plan->epsilon.micros);
    codec_put_unsigned(writer, plan->epsilon_exact ? 1 : 0);
    if (split->paid)
        put_split(writer, market, split);
}

enum status plan_digest(const struct market *market, const struct plan *plan,
                        const struct split *split, struct digest *digest, struct fault *fault)
{
    struct codec_writer writer;
    codec_writer_init(&writer, PLAN_BYTES_MAX);
    put_plan(&writer, market, plan, split);
    bool broken = writer.broken;
    if (!broken)
        digest_bytes(writer.data, writer.size, digest);
    codec_writer_fini(&writer);
    return broken ? fault_set(fault, STATUS_EXHAUSTED, "a plan's encoding exceeds its bound")
                  : STATUS_OK;
}

enum status plan_encode(const struct market *market, const struct plan *plan,
                        const struct split *split, struct arena *arena, struct bytes *bytes,
                        struct fault *fault)
{
    struct codec_writer writer;
    codec_writer_init(&writer, PLAN_BYTES_MAX);
    put_plan(&writer, market, plan, split);
    uint8_t *copy = writer.broken ? NULL : arena_copy(arena, writer.data, writer.size);
    *bytes = (struct bytes){.data = copy, .size = copy == NULL ? 0 : writer.size};
    codec_writer_fini(&writer);
    return copy == NULL ? fault_set(fault, STATUS_EXHAUSTED, "a plan's encoding exceeds its bound")
                        : STATUS_OK;
}
