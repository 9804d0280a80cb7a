#include "broker/backup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/authority.h"
#include "broker/money/ledger.h"
#include "broker/recovery.h"
#include "broker/store/backup.h"
#include "broker/store/rounds.h"

/* What a state directory has beside the store, in the order of writing: root.pem comes last, since
 * it says that the federation is complete. */
static const struct state_file {
    const char *name;
    mode_t mode;
    const char *setting;
} state_files[] = {
    {"intermediate.pem", 0644, "backup-file/intermediate.pem"},
    {"intermediate.key", 0600, "backup-file/intermediate.key"},
    {"broker.pem", 0644, "backup-file/broker.pem"},
    {"broker.key", 0600, "backup-file/broker.key"},
    {"lease.key", 0600, "backup-file/lease.key"},
    {"root.pem", 0644, "backup-file/root.pem"},
};

enum {
    STATE_FILES = sizeof state_files / sizeof state_files[0],
    ROOT_PEM = STATE_FILES - 1,
    STATE_FILE_BYTES_MAX = 256 * 1024
};

static const char setting_made[] = "backup-made";

/* --- facts */

static enum status read_facts(struct store *store, struct backup_facts *facts, struct fault *fault)
{
    struct digest hash;
    *facts = (struct backup_facts){0};
    enum status status = store_incarnation(store, &facts->incarnation, fault);
    if (status == STATUS_OK)
        status = ledger_head(store, &facts->ledger_sequence, &hash, fault);
    if (status == STATUS_OK)
        status = store_round_newest(store, &facts->rounds, fault);
    if (status == STATUS_OK)
        status = store_number_get(store, setting_made, 0, &facts->made_wall_ms, fault);
    return status;
}

/* --- making one */

struct making {
    const struct broker_config *config;
    struct store_extra extras[STATE_FILES + 1];
    size_t extra_count;
    int64_t made_wall_ms;
    struct arena arena;
    struct fault *fault;
};

static enum status add_file(struct making *making, const struct state_file *file)
{
    char path[FILE_PATH_MAX];
    struct store_extra *extra = &making->extras[making->extra_count];
    enum status status =
        path_join(path, making->config->state_directory, file->name, making->fault);
    if (status == STATUS_OK)
        status =
            file_read(path, STATE_FILE_BYTES_MAX, &making->arena, &extra->value, making->fault);
    extra->name = file->setting;
    making->extra_count += status == STATUS_OK ? 1 : 0;
    return status;
}

/* Written beside and linked into place: a name that is there is a whole backup. */
static enum status copy_store(struct making *making, const char *file, struct backup_facts *facts)
{
    char path[FILE_PATH_MAX];
    char part[FILE_PATH_MAX];
    struct store *store = NULL;
    if (snprintf(part, sizeof part, "%s.part", file) >= (int)sizeof part)
        return fault_set(making->fault, STATUS_EXHAUSTED, "%.80s...: the path is too long", file);
    if (access(file, F_OK) == 0)
        return fault_set(making->fault, STATUS_EXISTS, "%s is there already: name a new file",
                         file);
    unlink(part); /* of one that was cut short */
    enum status status = authority_store_path(making->config, path, making->fault);
    if (status == STATUS_OK)
        status = store_open(path, STORE_READ, &store, making->fault);
    if (status == STATUS_OK)
        status = store_backup(store, making->extras, making->extra_count, part, making->fault);
    if (status == STATUS_OK)
        status = read_facts(store, facts, making->fault);
    store_close(store);
    if (status == STATUS_OK && link(part, file) != 0)
        status = fault_set(making->fault, errno == EEXIST ? STATUS_EXISTS : STATUS_IO, "%s: %s",
                           file, strerror(errno));
    unlink(part);
    return status == STATUS_OK ? directory_sync_of(file, making->fault) : status;
}

enum status backup_make(const struct broker_config *config, const char *file, bool without_keys,
                        const struct clock *clock, struct backup_facts *facts, struct fault *fault)
{
    struct making making = {.config = config, .made_wall_ms = clock_wall_ms(clock), .fault = fault};
    enum status status = STATUS_OK;
    arena_init(&making.arena, ARENA_MESSAGE_BYTES);
    making.extras[making.extra_count++] =
        (struct store_extra){setting_made, {(const uint8_t *)&making.made_wall_ms, 8}};
    for (size_t i = 0; i < STATE_FILES && status == STATUS_OK && !without_keys; i++)
        status = add_file(&making, &state_files[i]);
    if (status == STATUS_OK)
        status = copy_store(&making, file, facts);
    facts->made_wall_ms = making.made_wall_ms;
    facts->with_keys = !without_keys;
    arena_fini(&making.arena);
    return status;
}

/* --- restoring */

struct restoring {
    const struct broker_config *config;
    const struct backup_restore *restore;
    const struct clock *clock;
    struct backup_facts *facts;
    struct fault *fault;
    struct arena arena;
    int lock_fd;
    char path[FILE_PATH_MAX]; /* STATE/broker.db */
    char made[FILE_PATH_MAX]; /* what will be it */
    struct store *store;      /* made, open */
    uint64_t least;           /* the new incarnation */
};

static enum status open_copy(struct restoring *it);
static enum status check_ledger(struct restoring *it);
static enum status check_present(struct restoring *it);
static enum status check_root(struct restoring *it);
static enum status raise_incarnation(struct restoring *it);
static enum status write_files(struct restoring *it);
static enum status put_in_place(struct restoring *it);
static enum status write_root(struct restoring *it);

enum status backup_restore(const struct broker_config *config, const struct backup_restore *restore,
                           const struct clock *clock, struct backup_facts *facts,
                           struct fault *fault)
{
    static enum status (*const steps[])(struct restoring *) = {
        open_copy,         check_ledger, check_present, check_root,
        raise_incarnation, write_files,  put_in_place,  write_root,
    };
    struct restoring it = {.config = config,
                           .restore = restore,
                           .clock = clock,
                           .facts = facts,
                           .fault = fault,
                           .lock_fd = -1};
    arena_init(&it.arena, ARENA_MESSAGE_BYTES);
    enum status status = directory_make(config->state_directory, 0700, fault);
    if (status == STATUS_OK)
        status = authority_lock(config, &it.lock_fd, fault);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && status == STATUS_OK; i++)
        status = steps[i](&it);
    store_close(it.store);
    if (it.made[0] != '\0')
        unlink(it.made); /* is there only where something failed */
    if (it.lock_fd >= 0)
        close(it.lock_fd);
    arena_fini(&it.arena);
    return status;
}

static enum status open_copy(struct restoring *it)
{
    char lock[FILE_PATH_MAX + 8];
    enum status status = authority_store_path(it->config, it->path, it->fault);
    if (status == STATUS_OK)
        status = path_join(it->made, it->config->state_directory, "broker.db.restoring", it->fault);
    if (status != STATUS_OK)
        return status;
    unlink(it->made);
    status = store_backup_copy(it->restore->file, it->made, it->fault);
    if (status == STATUS_OK)
        status = store_open(it->made, STORE_WRITE, &it->store, it->fault);
    snprintf(lock, sizeof lock, "%s.lock", it->made);
    unlink(lock); /* the state's own lock is ours already */
    return status == STATUS_OK ? read_facts(it->store, it->facts, it->fault) : status;
}

static enum status check_ledger(struct restoring *it)
{
    struct ledger_verify_response result;
    enum status status = ledger_verify(it->store, &it->arena, &result, it->fault);
    if (status == STATUS_OK && !result.verified)
        return fault_set(it->fault, STATUS_CORRUPT,
                         "%s: its ledger does not verify (%s): take another backup",
                         it->restore->file, result.problem);
    return status;
}

/* May what is there be replaced? */
static enum status compare(struct restoring *it, const struct backup_facts *present)
{
    const struct backup_facts *backup = it->facts;
    bool newer = present->incarnation > backup->incarnation ||
                 present->ledger_sequence > backup->ledger_sequence ||
                 present->rounds > backup->rounds;
    it->least = present->incarnation + 1;
    if (newer && !it->restore->replace_newer)
        return fault_set(
            it->fault, STATUS_PRECONDITION,
            "%s is newer than the backup (incarnation %llu, ledger entry %llu, round "
            "%llu; the backup has %llu, %llu, %llu): say --replace-newer to lose that",
            it->path, (unsigned long long)present->incarnation,
            (unsigned long long)present->ledger_sequence, (unsigned long long)present->rounds,
            (unsigned long long)backup->incarnation, (unsigned long long)backup->ledger_sequence,
            (unsigned long long)backup->rounds);
    return STATUS_OK;
}

static enum status check_present(struct restoring *it)
{
    struct backup_facts present;
    struct store *store = NULL;
    if (access(it->path, F_OK) != 0)
        return STATUS_OK;
    enum status status = store_open(it->path, STORE_READ, &store, it->fault);
    if (status == STATUS_OK)
        status = read_facts(store, &present, it->fault);
    store_close(store);
    if (status == STATUS_OK)
        return compare(it, &present);
    if (it->restore->replace_newer)
        return STATUS_OK; /* damaged: that is what backups are for */
    return fault_prefix(it->fault, STATUS_PRECONDITION,
                        "can't tell whether %s is newer than the backup (say --replace-newer to "
                        "replace it all the same)",
                        it->path);
}

/* A broker whose keys are of another federation would be nobody to these members. */
static enum status check_root(struct restoring *it)
{
    char path[FILE_PATH_MAX];
    struct bytes kept;
    struct bytes there;
    enum status status =
        store_setting_get(it->store, state_files[ROOT_PEM].setting, &it->arena, &kept, it->fault);
    it->facts->with_keys = status == STATUS_OK && kept.size > 0;
    enum status joined = path_join(path, it->config->state_directory, "root.pem", it->fault);
    if (joined != STATUS_OK)
        return joined;
    bool present =
        file_read(path, STATE_FILE_BYTES_MAX, &it->arena, &there, it->fault) == STATUS_OK;
    if (!it->facts->with_keys && !present)
        return fault_set(it->fault, STATUS_PRECONDITION,
                         "%s has no keys in it and %s has none: put the key files back first",
                         it->restore->file, it->config->state_directory);
    if (it->facts->with_keys && present &&
        (kept.size != there.size || memcmp(kept.data, there.data, kept.size) != 0))
        return fault_set(it->fault, STATUS_PRECONDITION,
                         "%s is a backup of another federation than %s has", it->restore->file,
                         it->config->state_directory);
    return STATUS_OK;
}

/* The same backup may be restored twice, on machines that know nothing of each other, so one more
 * is not enough: the wall clock's seconds keep incarnations, and lease ids, apart. */
static enum status raise_incarnation(struct restoring *it)
{
    int64_t now_ms = clock_wall_ms(it->clock);
    uint64_t seconds = now_ms > 0 ? (uint64_t)(now_ms / MS_PER_SECOND) : 0;
    if (it->least < seconds)
        it->least = seconds;
    if (it->least < it->restore->incarnation_min)
        it->least = it->restore->incarnation_min;
    return recovery_begin(it->store, it->config, it->least, now_ms, &it->facts->incarnation,
                          it->fault);
}

static enum status write_file(struct restoring *it, const struct state_file *file)
{
    char path[FILE_PATH_MAX];
    struct bytes bytes = {.size = 0};
    enum status status = path_join(path, it->config->state_directory, file->name, it->fault);
    if (status != STATUS_OK || access(path, F_OK) == 0 || !it->facts->with_keys)
        return status;
    status = store_setting_get(it->store, file->setting, &it->arena, &bytes, it->fault);
    return status == STATUS_OK ? file_write(path, bytes, file->mode, it->fault) : status;
}

/* Keys that are there stay. The running store does not keep a second copy of them. */
static enum status write_files(struct restoring *it)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < ROOT_PEM && status == STATUS_OK; i++)
        status = write_file(it, &state_files[i]);
    if (status == STATUS_OK)
        status = store_begin(it->store, it->fault);
    for (size_t i = 0; i < ROOT_PEM && status == STATUS_OK; i++)
        status = store_setting_put(it->store, state_files[i].setting,
                                   (struct bytes){(const uint8_t *)"", 0}, it->fault);
    if (status == STATUS_OK)
        status = store_commit(it->store, it->fault);
    store_rollback(it->store);
    return status;
}

/* The log of what was there goes first: beside another database SQLite would replay it. */
static enum status put_in_place(struct restoring *it)
{
    static const char *const ends[] = {"-wal", "-shm", ""};
    char from[FILE_PATH_MAX + 8];
    char to[FILE_PATH_MAX + 64];
    int64_t seconds = clock_wall_ms(it->clock) / MS_PER_SECOND;
    store_close(it->store); /* its own log is in it from now on */
    it->store = NULL;
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        snprintf(from, sizeof from, "%s%s", it->path, ends[i]);
        snprintf(to, sizeof to, "%s.replaced-%lld%s", it->path, (long long)seconds, ends[i]);
        if (rename(from, to) != 0 && errno != ENOENT)
            return fault_set(it->fault, STATUS_IO, "%s: %s", from, strerror(errno));
    }
    if (rename(it->made, it->path) != 0)
        return fault_set(it->fault, STATUS_IO, "%s: %s", it->path, strerror(errno));
    return directory_sync_of(it->path, it->fault);
}

static enum status write_root(struct restoring *it)
{
    struct store *store = NULL;
    enum status status = store_open(it->path, STORE_READ, &store, it->fault);
    it->store = store;
    return status == STATUS_OK ? write_file(it, &state_files[ROOT_PEM]) : status;
}
