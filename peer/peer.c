#include "peer/peer.h"

#include <stdio.h>
#include <stdlib.h>

#include "peer/home/home.h"
#include "peer/host/host.h"
#include "peer/link/link.h"
#include "peer/services/service.h"

enum { BOOT_MOVED_MS = 5000 /* the wall clock may have been set by less */ };

static enum status make_directories(struct peer *peer, struct fault *fault);
static enum status notice_reboot(struct peer *peer, struct fault *fault);
static enum status keep_boot(struct peer *peer, struct fault *fault);
static void spool_failed(void *context, const struct fault *fault);

enum status peer_open(const struct peer_settings *settings, struct peer **peer, struct fault *fault)
{
    struct peer *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a peer");
    opened->settings = *settings;
    opened->config = settings->config;
    opened->clock = settings->clock;
    opened->log = settings->log;
    opened->spool = settings->spool;
    opened->executor = settings->executor;
    opened->identity = *settings->identity;
    opened->contacts = (struct contacts){.dialer = settings->dialer, .clock = settings->clock};
    snprintf(opened->address, sizeof opened->address, "%s", settings->address);
    opened->keys.own = opened->identity.key;
    signing_key_id(&opened->identity.key, &opened->keys.own_id);
    arena_init(&opened->arena, ARENA_MESSAGE_BYTES);
    opened->executor->operations->probe(opened->executor, &opened->abilities);
    enum status status = make_directories(opened, fault);
    if (status == STATUS_OK)
        status = notice_reboot(opened, fault);
    if (status == STATUS_OK)
        status = link_restore_trust(opened, fault);
    if (status == STATUS_OK)
        status = inventory_init(&opened->inventory, opened->config, &opened->abilities,
                                &opened->arena, fault);
    if (status == STATUS_OK) {
        opened->inventory.draining = spool_get_number(opened->spool, "draining", 0) != 0;
        status = host_open(opened, &opened->host, fault);
    }
    if (status == STATUS_OK)
        status = home_open(opened, &opened->home, fault);
    if (status == STATUS_OK)
        status = link_open(opened, &opened->link, fault);
    if (status == STATUS_OK)
        status = keep_boot(opened, fault);
    if (status != STATUS_OK) {
        peer_close(opened);
        return status;
    }
    spool_tell_failures(opened->spool, spool_failed, opened);
    *peer = opened;
    return STATUS_OK;
}

static enum status make_directories(struct peer *peer, struct fault *fault)
{
    static const char *const names[] = {"runs", "run-chunks", "chunks", "jobs"};
    enum status status = STATUS_OK;
    for (size_t n = 0; status == STATUS_OK && n < sizeof names / sizeof names[0]; n++) {
        char path[FILE_PATH_MAX];
        status = path_join(path, peer->config->state_directory, names[n], fault);
        if (status == STATUS_OK)
            status = directory_make(path, 0700, fault);
    }
    return status;
}

static const char booted_wall[] = "booted-wall";

static int64_t booted_wall_ms(const struct peer *peer)
{
    return clock_wall_ms(peer->clock) - clock_boot_ms(peer->clock);
}

/* Times in the spool are of the boot clock. After a restart of the machine (or where the wall clock
 * was moved, which looks the same) a home can't judge by them how long a job was at its host, and a
 * host not when a lease that it has not begun would end. */
static enum status notice_reboot(struct peer *peer, struct fault *fault)
{
    int64_t booted_ms = booted_wall_ms(peer);
    int64_t before_ms = (int64_t)spool_get_number(peer->spool, booted_wall, (uint64_t)booted_ms);
    int64_t moved_ms = booted_ms - before_ms;
    peer->rebooted = moved_ms > BOOT_MOVED_MS || moved_ms < -BOOT_MOVED_MS;
    return peer->rebooted ? spool_leases_forget_starts(peer->spool, fault) : STATUS_OK;
}

/* When all that follows from a restart is kept: else a kill in between would hide it. */
static enum status keep_boot(struct peer *peer, struct fault *fault)
{
    return spool_put_number(peer->spool, booted_wall, (uint64_t)booted_wall_ms(peer), fault);
}

void peer_tick(struct peer *peer)
{
    link_tick(peer->link);
    host_tick(peer->host);
    home_tick(peer->home);
    log_streams_tick(peer);
    contacts_tick(&peer->contacts);
}

/* Transports first: their calls end, and say so to parts that are still there. */
void peer_close(struct peer *peer)
{
    if (peer == NULL)
        return;
    peer->closing = true;
    link_close(peer->link);
    contacts_hang_up(&peer->contacts);
    home_close(peer->home);
    host_close(peer->host);
    link_free(peer->link);
    contacts_fini(&peer->contacts);
    free(peer->revoked);
    arena_fini(&peer->arena);
    free(peer);
}

enum status peer_contact(struct peer *peer, const struct name *member, const char *address,
                         struct contact **contact, struct fault *fault)
{
    bool self = name_equal(member, &peer->config->member);
    if (!self && peer_is_revoked(peer, member))
        return fault_set(fault, STATUS_DENIED, "member %s was revoked", member->text);
    return contacts_take(&peer->contacts, member, self ? peer->address : address, contact, fault);
}

bool peer_is_revoked(const struct peer *peer, const struct name *member)
{
    for (uint32_t r = 0; r < peer->revoked_count; r++)
        if (name_equal(&peer->revoked[r], member))
            return true;
    return false;
}

enum status peer_path(const struct peer *peer, const char *directory, const char *name,
                      char path[static FILE_PATH_MAX], struct fault *fault)
{
    char inner[FILE_PATH_MAX];
    enum status status = path_join(inner, peer->config->state_directory, directory, fault);
    if (status == STATUS_OK)
        status = directory_make(inner, 0700, fault);
    return status == STATUS_OK ? path_join(path, inner, name, fault) : status;
}

void peer_trouble(const struct peer *peer, const char *what, const struct fault *fault)
{
    if (fault->status == STATUS_NO_MEMORY)
        peer_fail(peer, what, fault);
    else
        log_error(peer->log, "%s: %s", what, fault->text);
}

void peer_fail(const struct peer *peer, const char *what, const struct fault *fault)
{
    log_error(peer->log, "%s: %s", what, fault->text);
    if (peer->settings.on_failed != NULL)
        peer->settings.on_failed(peer->settings.context);
}

static void spool_failed(void *context, const struct fault *fault)
{
    peer_fail(context, "stopping here, to start again from what is kept", fault);
}
