#include "tests/sim/commit.h"

#include <stddef.h>

#include "broker/store/store.h"

static struct {
    struct sim_listener *listener;
    uint32_t left; /* commits until then; 0: not armed */
    bool durable;
    bool struck;
} blow;

enum status __real_store_commit(struct store *store, struct fault *fault);
enum status __wrap_store_commit(struct store *store, struct fault *fault);

void sim_commit_arm(struct sim_listener *listener, uint32_t n, bool durable)
{
    blow.listener = listener;
    blow.left = n;
    blow.durable = durable;
}

bool sim_commit_struck(void)
{
    return blow.struck;
}

void sim_commit_disarm(void)
{
    if (blow.listener != NULL)
        blow.listener->muted = false;
    blow.listener = NULL;
    blow.left = 0;
    blow.struck = false;
}

enum status __wrap_store_commit(struct store *store, struct fault *fault)
{
    bool now = blow.left > 0 && --blow.left == 0;
    if (!now && !blow.struck)
        return __real_store_commit(store, fault);
    if (now) {
        blow.struck = true;
        blow.listener->muted = true;
    }
    enum status status = STATUS_IO;
    if (now && blow.durable)
        status = __real_store_commit(store, fault);
    else
        store_rollback(store);
    return status == STATUS_OK ? status : fault_set(fault, STATUS_IO, "the process is dead");
}
