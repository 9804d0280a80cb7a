/*
 * Contacts: the connections to other peers, one for each (member, address), shared by all jobs that
 * need it, closed when unused for a while or, after our certificate changed, as soon as unused.
 *
 * The dialer makes a transport that proves to speak with the very member meant. Ownership: a
 * contact taken is given back once; its transport is the contact's. Thread rule: the loop's thread;
 * transports are closed in contacts_tick and contacts_fini only, never inside a callback.
 */
#ifndef ENTENTE_PEER_CONTACTS_H
#define ENTENTE_PEER_CONTACTS_H

#include <stdbool.h>

#include "base/clock.h"
#include "base/domain/name.h"
#include "proto/rpc/client.h"

struct dialer;
struct dialer_operations {
    enum status (*dial_broker)(struct dialer *dialer, struct transport **transport,
                               struct fault *fault);
    enum status (*dial_member)(struct dialer *dialer, const struct name *member,
                               const char *address, struct transport **transport,
                               struct fault *fault);
};
struct dialer {
    const struct dialer_operations *operations;
};

struct contact {
    struct name member;
    char address[ADDRESS_BYTES_MAX + 1];
    struct transport *transport;
    uint32_t users;
    bool stale; /* dialled with an older certificate: for nobody new */
    int64_t unused_since_boot_ms;
    struct contact *next;
};

struct contacts {
    struct dialer *dialer;
    const struct clock *clock;
    struct contact *first;
};

MUST_USE enum status contacts_take(struct contacts *contacts, const struct name *member,
                                   const char *address, struct contact **contact,
                                   struct fault *fault);
/* *contact becomes NULL; NULL is fine. */
void contacts_give(struct contacts *contacts, struct contact **contact);
void contacts_renew(struct contacts *contacts);
void contacts_tick(struct contacts *contacts);
/* Ends all calls; the contacts stay until contacts_fini, so that they can be given back. */
void contacts_hang_up(struct contacts *contacts);
void contacts_fini(struct contacts *contacts);

#endif
