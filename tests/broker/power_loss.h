/*
 * Power loss: a disk that keeps of each file only what was synced, for SQLite.
 *
 * While it is on, every sync of a database or of its log copies that file, as it is, into an image
 * directory: what would be found there after a power failure at its worst, where everything since
 * each file's last sync is gone. (What really happens lies between that and nothing lost.)
 * Ownership: the caller's directories.
 */
#ifndef ENTENTE_TESTS_BROKER_POWER_LOSS_H
#define ENTENTE_TESTS_BROKER_POWER_LOSS_H

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/support.h"

/* The one disk there is; SQLite's callbacks have no context of ours. */
struct power_loss {
    sqlite3_vfs shim;
    sqlite3_vfs *real;
    char image[512];
    uint32_t syncs;
};

/* Before SQLite's own file, which starts at `real`. */
struct power_loss_file {
    sqlite3_file base;
    struct power_loss *disk;
    char path[512];
    sqlite3_file *real;
};

static inline struct power_loss_file *power_loss_of(sqlite3_file *file)
{
    return (struct power_loss_file *)file;
}

static inline int power_loss_close(sqlite3_file *file)
{
    struct power_loss_file *it = power_loss_of(file);
    int code = it->real->pMethods != NULL ? it->real->pMethods->xClose(it->real) : SQLITE_OK;
    free(it->real);
    return code;
}

static inline int power_loss_read(sqlite3_file *file, void *data, int size, sqlite3_int64 at)
{
    sqlite3_file *real = power_loss_of(file)->real;
    return real->pMethods->xRead(real, data, size, at);
}

static inline int power_loss_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
    sqlite3_file *real = power_loss_of(file)->real;
    return real->pMethods->xWrite(real, data, size, at);
}

static inline int power_loss_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *real = power_loss_of(file)->real;
    return real->pMethods->xTruncate(real, size);
}

static inline void power_loss_copy(const char *from, const char *to)
{
    char piece[65536];
    FILE *source = fopen(from, "re");
    FILE *target = fopen(to, "we");
    assert_non_null(source);
    assert_non_null(target);
    for (size_t size; (size = fread(piece, 1, sizeof piece, source)) > 0;)
        assert_int_equal(fwrite(piece, 1, size, target), size);
    fclose(source);
    assert_int_equal(fclose(target), 0);
}

static inline void power_loss_place(const struct power_loss *disk, const char *path,
                                    char kept[static 800])
{
    snprintf(kept, 800, "%s/%s", disk->image, strrchr(path, '/') + 1);
}

static inline int power_loss_sync(sqlite3_file *file, int flags)
{
    struct power_loss_file *it = power_loss_of(file);
    char kept[800];
    (void)flags;
    power_loss_place(it->disk, it->path, kept);
    power_loss_copy(it->path, kept);
    it->disk->syncs++;
    return SQLITE_OK;
}

static inline int power_loss_size(sqlite3_file *file, sqlite3_int64 *size)
{
    sqlite3_file *real = power_loss_of(file)->real;
    return real->pMethods->xFileSize(real, size);
}

static inline int power_loss_lock(sqlite3_file *file, int level)
{
    sqlite3_file *real = power_loss_of(file)->real;
    return real->pMethods->xLock(real, level);
}

static inline int power_loss_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *real = power_loss_of(file)->real;
    return real->pMethods->xUnlock(real, level);
}

static inline int power_loss_reserved(sqlite3_file *file, int *reserved)
{
    sqlite3_file *real = power_loss_of(file)->real;
    return real->pMethods->xCheckReservedLock(real, reserved);
}

static inline int power_loss_control(sqlite3_file *file, int what, void *argument)
{
    sqlite3_file *real = power_loss_of(file)->real;
    return real->pMethods->xFileControl(real, what, argument);
}

static inline int power_loss_sector(sqlite3_file *file)
{
    sqlite3_file *real = power_loss_of(file)->real;
    return real->pMethods->xSectorSize(real);
}

static inline int power_loss_device(sqlite3_file *file)
{
    sqlite3_file *real = power_loss_of(file)->real;
    return real->pMethods->xDeviceCharacteristics(real);
}

static inline int power_loss_map(sqlite3_file *file, int page, int size, int extend,
                                 void volatile **memory)
{
    sqlite3_file *real = power_loss_of(file)->real;
    return real->pMethods->xShmMap(real, page, size, extend, memory);
}

static inline int power_loss_shared_lock(sqlite3_file *file, int offset, int n, int flags)
{
    sqlite3_file *real = power_loss_of(file)->real;
    return real->pMethods->xShmLock(real, offset, n, flags);
}

static inline void power_loss_shared_barrier(sqlite3_file *file)
{
    sqlite3_file *real = power_loss_of(file)->real;
    real->pMethods->xShmBarrier(real);
}

static inline int power_loss_unmap(sqlite3_file *file, int remove)
{
    sqlite3_file *real = power_loss_of(file)->real;
    return real->pMethods->xShmUnmap(real, remove);
}

static inline int power_loss_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                                  int *out)
{
    static const sqlite3_io_methods methods = {
        .iVersion = 2,
        .xClose = power_loss_close,
        .xRead = power_loss_read,
        .xWrite = power_loss_write,
        .xTruncate = power_loss_truncate,
        .xSync = power_loss_sync,
        .xFileSize = power_loss_size,
        .xLock = power_loss_lock,
        .xUnlock = power_loss_unlock,
        .xCheckReservedLock = power_loss_reserved,
        .xFileControl = power_loss_control,
        .xSectorSize = power_loss_sector,
        .xDeviceCharacteristics = power_loss_device,
        .xShmMap = power_loss_map,
        .xShmLock = power_loss_shared_lock,
        .xShmBarrier = power_loss_shared_barrier,
        .xShmUnmap = power_loss_unmap,
    };
    struct power_loss *disk = vfs->pAppData;
    struct power_loss_file *it = power_loss_of(file);
    *it = (struct power_loss_file){.base.pMethods = &methods, .disk = disk};
    snprintf(it->path, sizeof it->path, "%s", name != NULL ? name : "/none");
    it->real = calloc(1, (size_t)disk->real->szOsFile);
    assert_non_null(it->real);
    int code = disk->real->xOpen(disk->real, name, it->real, flags, out);
    if (code != SQLITE_OK) {
        free(it->real);
        it->base.pMethods = NULL;
    }
    return code;
}

static inline int power_loss_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    struct power_loss *disk = vfs->pAppData;
    char kept[800];
    power_loss_place(disk, name, kept);
    remove(kept);
    return disk->real->xDelete(disk->real, name, sync);
}

/* From now on every database that is opened lies on such a disk. image: an empty directory. */
static inline void power_loss_begin(struct power_loss *disk, const char *image)
{
    *disk = (struct power_loss){.real = sqlite3_vfs_find(NULL)};
    assert_non_null(disk->real);
    snprintf(disk->image, sizeof disk->image, "%s", image);
    disk->shim = *disk->real;
    disk->shim.zName = "power-loss";
    disk->shim.szOsFile = (int)sizeof(struct power_loss_file);
    disk->shim.pAppData = disk;
    disk->shim.xOpen = power_loss_open;
    disk->shim.xDelete = power_loss_delete;
    assert_int_equal(sqlite3_vfs_register(&disk->shim, 1), SQLITE_OK);
}

/* Databases opened meanwhile are closed. */
static inline void power_loss_end(struct power_loss *disk)
{
    sqlite3_vfs_unregister(&disk->shim);
    assert_int_equal(sqlite3_vfs_register(disk->real, 1), SQLITE_OK);
}

#endif
