#include "peer/room.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

enum status room_check(const struct peer *peer, struct fault *fault)
{
    const char *directory = peer->config->state_directory;
    struct statvfs about;
    if (statvfs(directory, &about) != 0)
        return fault_set(fault, STATUS_IO, "%s: %s", directory, strerror(errno));
    uint64_t free_mib = (uint64_t)about.f_bavail * about.f_frsize >> 20;
    if (free_mib >= ROOM_MIB_MIN)
        return STATUS_OK;
    return fault_set(fault, STATUS_EXHAUSTED,
                     "the disk of member %s has no space for another job: %" PRIu64
                     " MiB are free under its state directory, %d are needed",
                     peer->config->member.text, free_mib, ROOM_MIB_MIN);
}
