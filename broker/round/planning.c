#include "broker/round/planning.h"

#include <unistd.h>

enum { THREADS_MAX = 8 };

/* As many as there are cores: the plan is the same for any number. */
static struct session_options options(void)
{
    long const cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t const threads = cores < 1 ? 1 : cores > THREADS_MAX ? THREADS_MAX : (uint32_t)cores;
    return (struct session_options){.method = SESSION_AUTO, .threads = threads};
}

enum status planning_run(const struct planning_task *task, struct arena *arena, struct bytes *state,
                         struct plan *plan, struct fault *fault)
{
    struct session_options const usual = options();
    enum status const status = session_save(task->session, arena, state, fault);
    if (status != STATUS_OK)
        return status;
    return task->mechanism->allocate(task->market, task->session, &usual, arena, plan, fault);
}

enum status planning_again(const struct mechanism *mechanism, const struct market *market,
                           struct bytes state, struct arena *arena, struct plan *plan,
                           struct fault *fault)
{
    struct session_options const usual = options();
    struct session *session;
    enum status status = session_open(&session, fault);
    if (status != STATUS_OK)
        return status;
    if (state.size > 0)
        status = session_load(session, state, fault);
    if (status == STATUS_OK)
        status = mechanism->allocate(market, session, &usual, arena, plan, fault);
    session_close(session);
    return status;
}
