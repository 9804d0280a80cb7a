#include "peer/peer.h"

#include <stdio.h>
#include <stdlib.h>

#include "peer/home/home.h"
#include "peer/host/host.h"
#include "peer/link/link.h"
#include "peer/services/service.h"

static enum status make_directories(struct peer *peer, struct fault *fault);

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
    if (status != STATUS_OK) {
        peer_close(opened);
        return status;
    }
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
    log_error(peer->log, "%s: %s", what, fault->text);
}
