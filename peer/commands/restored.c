/* restored: the state directory was put back from a backup; from now on this is another incarnation
 * of the member, so that nothing of after the backup is mistaken for it. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "peer/commands/commands.h"
#include "peer/spool/spool.h"
#include "peer/state_lock.h"

static enum status raise_incarnation(const struct peer_config *config, uint64_t *incarnation,
                                     struct fault *fault)
{
    char path[FILE_PATH_MAX];
    struct spool *spool = NULL;
    int lock = -1;
    enum status status = state_lock_take(config->state_directory, &lock, fault);
    if (status == STATUS_OK)
        status = path_join(path, config->state_directory, "spool.db", fault);
    if (status == STATUS_OK)
        status = spool_open(path, clock_real(), &spool, fault);
    if (status == STATUS_OK)
        status = spool_restored(spool, fault);
    if (status == STATUS_OK)
        *incarnation = spool_incarnation(spool);
    spool_close(spool);
    if (lock >= 0)
        close(lock);
    return status;
}

int command_restored(int argc, char **argv)
{
    static const struct command_usage usage = {
        .purpose = "Says that the state directory was put back from a backup: raises the member's "
                   "incarnation, so that leases of after the backup are given up and their GPUs "
                   "come free. The peer must not run.",
    };
    struct command_options options;
    struct arena arena;
    struct fault fault = {0};
    static struct peer_config config;
    uint64_t incarnation = 0;
    command_options(argc, argv, &usage, &options);
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = command_config(&options, &arena, &config, &fault);
    if (status == STATUS_OK)
        status = raise_incarnation(&config, &incarnation, &fault);
    arena_fini(&arena);
    if (status != STATUS_OK)
        return command_failed(&fault);
    printf("incarnation %" PRIu64 ": jobs that were submitted after the backup are lost here; "
           "what ran here since then ends by itself\n",
           incarnation);
    return EXIT_CODE_OK;
}
