/*
 * Disk: what becomes of writes below a directory: they find no room, or the process that makes them
 * is dead.
 *
 * The C library's functions that change files (open with O_CREAT, write, pwrite, mkdir, rename,
 * link, unlink, fsync, ...) are defined by this program, so that ours and SQLite's calls come here;
 * each goes on to the kernel, unless a disk says otherwise:
 *
 *   full   what needs room fails with ENOSPC once `room_bytes` are used up; overwriting, removing
 *          and reading go on
 *   dead   kill -9 at the n-th change: that one and all later ones have no effect, so that the
 *          files stay as they were at that instant; the code that was under way runs on in vain
 *          until the world takes its process away
 *
 * POSIX locks are granted without asking: within one process they exclude nobody, and they were a
 * third of a seed's time. A global list, as what is replaced has no context. Thread rule: one
 * thread. Ownership: the caller's struct, until sim_disk_remove().
 */
#ifndef ENTENTE_TESTS_SIM_DISK_H
#define ENTENTE_TESTS_SIM_DISK_H

#include <stdbool.h>
#include <stdint.h>

struct sim_disk {
    char directory[256]; /* all below it is on this disk */
    bool full;
    int64_t room_bytes;   /* left, while it is full */
    uint32_t dies_in;     /* changes; 0: not armed */
    bool dies_torn;       /* the last write is made in part */
    bool dead;            /* nothing changes any more */
    uint64_t refused;     /* for want of room, so far */
    void (*died)(void *); /* called once, in the middle of what changes files */
    void *context;
    struct sim_disk *next;
};

void sim_disk_add(struct sim_disk *disk);
void sim_disk_remove_all(void);

#endif
