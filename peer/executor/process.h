/*
 * Processes: recognised again later, since a pid alone may be somebody else's by then.
 *
 * An identity is pid, start time (field 22 of /proc/PID/stat) and boot, so that a restarted peer
 * and even one after a reboot never takes a stranger for its own. Thread rule: any thread.
 * Complexity: O(1); process_find_child is O(processes of the machine).
 */
#ifndef ENTENTE_PEER_EXECUTOR_PROCESS_H
#define ENTENTE_PEER_EXECUTOR_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { BOOT_ID_MAX = 40 };

struct process_identity {
    pid_t pid;
    uint64_t start_ticks;
    char boot[BOOT_ID_MAX];
};

/* False where there is no such process. */
bool process_identify(pid_t pid, struct process_identity *identity);

/* Alive, and not only a zombie. */
bool process_alive(const struct process_identity *identity);

/* Sends to exactly that process; false where it is gone. */
bool process_signal(const struct process_identity *identity, int signal);

/* A child of parent: the one that has pid `inner` in its own pid namespace, or any where inner is
 * 0. 0: none. */
pid_t process_find_child(pid_t parent, pid_t inner);

#endif
