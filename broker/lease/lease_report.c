/*
 * Lease: what hosts report.
 */
#include "broker/lease/lease.h"

#include "broker/store/demands.h"

static enum status caller_check(const struct store_lease *row, const struct name *member,
                                enum lease_report_kind kind, struct fault *fault)
{
    char text[LEASE_ID_TEXT_MAX];
    if (name_equal(member, &row->lease->host) ||
        (kind == LEASE_REPORT_REFUSED && name_equal(member, &row->lease->home)))
        return STATUS_OK;
    return fault_set(fault, STATUS_DENIED, "lease %s is not hosted by member '%s'",
                     lease_id_format(row->lease->id, text), member->text);
}

/* A renewal that runs says that the lease before it is over. */
static enum status forerunner_release(struct store *store, const struct store_lease *row,
                                      int64_t now_wall_ms, struct arena *arena, struct fault *fault)
{
    struct store_lease before;
    if (lease_id_none(row->lease->continues))
        return STATUS_OK;
    enum status status = store_lease_find(store, row->lease->continues, arena, &before, fault);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK; /* an adopted lease whose forerunner was lost with a restore */
    if (status != STATUS_OK || (LEASE_STATE_BIT(before.state) & LEASE_STATES_HOLDING) == 0)
        return status;
    return lease_move(store, &before, LEASE_MOVE_RELEASE, now_wall_ms, fault);
}

static enum status measured_note(struct store *store, const struct store_lease *row,
                                 const struct lease_report *report, struct fault *fault)
{
    if (report->examples_per_second <= 0)
        return STATUS_OK;
    enum status status =
        store_demand_set_measured(store, &row->lease->job, report->examples_per_second, fault);
    return status == STATUS_NOT_FOUND ? STATUS_OK : status;
}

static enum status report_apply(struct store *store, struct store_lease *row,
                                const struct lease_report *report, int64_t now_wall_ms,
                                struct arena *arena, struct fault *fault)
{
    enum status status = STATUS_INTERNAL;
    switch (report->kind) {
    case LEASE_REPORT_RUNNING:
        status = lease_move(store, row, LEASE_MOVE_RUN, now_wall_ms, fault);
        if (status == STATUS_OK)
            status = forerunner_release(store, row, now_wall_ms, arena, fault);
        return status == STATUS_OK ? measured_note(store, row, report, fault) : status;
    case LEASE_REPORT_RELEASED:
        return lease_move(store, row, LEASE_MOVE_RELEASE, now_wall_ms, fault);
    case LEASE_REPORT_REFUSED:
        return lease_void_chain(store, row, LEASE_MOVE_REFUSE, report->text, now_wall_ms, fault);
    case LEASE_REPORT_KIND_COUNT: break;
    }
    return fault_set(fault, status, "a report of no kind"); /* the wire lets none through */
}

enum status lease_report(struct store *store, const struct name *member,
                         const struct lease_report *report, int64_t now_wall_ms,
                         struct fault *fault)
{
    struct arena arena;
    struct store_lease row;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = store_lease_find(store, report->lease, &arena, &row, fault);
    if (status == STATUS_OK)
        status = caller_check(&row, member, report->kind, fault);
    if (status == STATUS_OK)
        status = report_apply(store, &row, report, now_wall_ms, &arena, fault);
    arena_fini(&arena);
    return status;
}
