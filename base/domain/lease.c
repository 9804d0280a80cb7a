#include "base/domain/lease.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *lease_id_format(struct lease_id id, char text[static LEASE_ID_TEXT_MAX])
{
    snprintf(text, LEASE_ID_TEXT_MAX, "%" PRIu64 ".%" PRIu64 ".%" PRIu32, id.incarnation, id.round,
             id.index);
    return text;
}

bool lease_id_parse(const char *text, struct lease_id *id)
{
    struct lease_id parsed;
    int used = 0;
    if (strnlen(text, LEASE_ID_TEXT_MAX) >= LEASE_ID_TEXT_MAX ||
        strspn(text, "0123456789.") != strlen(text))
        return false;
    if (sscanf(text, "%20" SCNu64 ".%20" SCNu64 ".%10" SCNu32 "%n", &parsed.incarnation,
               &parsed.round, &parsed.index, &used) != 3 ||
        text[used] != '\0')
        return false;
    if (parsed.incarnation == 0 || parsed.round == 0 || parsed.index == 0)
        return false;
    char again[LEASE_ID_TEXT_MAX];
    if (strcmp(lease_id_format(parsed, again), text) != 0)
        return false; /* leading zeros or a number that does not fit */
    *id = parsed;
    return true;
}

bool lease_id_equal(struct lease_id a, struct lease_id b)
{
    return a.incarnation == b.incarnation && a.round == b.round && a.index == b.index;
}

bool lease_id_none(struct lease_id id)
{
    return id.round == 0;
}

const char *lease_state_name(enum lease_state state)
{
    static const char *const names[LEASE_STATE_COUNT] = {
        "planned", "granted", "running", "holdover", "released", "settled", "voided",
    };
    assert((unsigned)state < LEASE_STATE_COUNT);
    return names[state];
}

bool lease_state_final(enum lease_state state)
{
    return state == LEASE_STATE_SETTLED || state == LEASE_STATE_VOIDED;
}

const char *lease_outcome_name(enum lease_outcome outcome)
{
    static const char *const names[LEASE_OUTCOME_COUNT] = {
        "renewed", "completed", "stopped", "job failed", "host failed", "unused",
    };
    assert((unsigned)outcome < LEASE_OUTCOME_COUNT);
    return names[outcome];
}

const char *job_state_name(enum job_state state)
{
    static const char *const names[JOB_STATE_COUNT] = {
        "queued", "staging", "running", "stopping", "done", "failed", "cancelled",
    };
    assert((unsigned)state < JOB_STATE_COUNT);
    return names[state];
}

bool job_state_final(enum job_state state)
{
    return state == JOB_STATE_DONE || state == JOB_STATE_FAILED || state == JOB_STATE_CANCELLED;
}
