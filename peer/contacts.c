#include "peer/contacts.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTACT_IDLE_MS_MAX = 60 * 1000 };

static struct contact *find(struct contacts *contacts, const struct name *member,
                            const char *address)
{
    for (struct contact *contact = contacts->first; contact != NULL; contact = contact->next)
        if (!contact->stale && name_equal(&contact->member, member) &&
            strcmp(contact->address, address) == 0)
            return contact;
    return NULL;
}

static enum status dial(struct contacts *contacts, const struct name *member, const char *address,
                        struct contact **contact, struct fault *fault)
{
    struct contact *made = calloc(1, sizeof *made);
    if (made == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to dial %s", member->text);
    made->member = *member;
    snprintf(made->address, sizeof made->address, "%s", address);
    enum status status = contacts->dialer->operations->dial_member(
        contacts->dialer, member, made->address, &made->transport, fault);
    if (status != STATUS_OK) {
        free(made);
        return status;
    }
    made->next = contacts->first;
    contacts->first = made;
    *contact = made;
    return STATUS_OK;
}

enum status contacts_take(struct contacts *contacts, const struct name *member, const char *address,
                          struct contact **contact, struct fault *fault)
{
    assert(*contact == NULL);
    *contact = find(contacts, member, address);
    if (*contact == NULL) {
        enum status status = dial(contacts, member, address, contact, fault);
        if (status != STATUS_OK)
            return status;
    }
    (*contact)->users++;
    return STATUS_OK;
}

void contacts_give(struct contacts *contacts, struct contact **contact)
{
    if (*contact == NULL)
        return;
    assert((*contact)->users > 0);
    (*contact)->users--;
    (*contact)->unused_since_boot_ms = clock_boot_ms(contacts->clock);
    *contact = NULL;
}

void contacts_renew(struct contacts *contacts)
{
    for (struct contact *contact = contacts->first; contact != NULL; contact = contact->next)
        contact->stale = true;
}

void contacts_tick(struct contacts *contacts)
{
    int64_t now = clock_boot_ms(contacts->clock);
    for (struct contact **link = &contacts->first; *link != NULL;) {
        struct contact *contact = *link;
        bool idle = now - contact->unused_since_boot_ms >= CONTACT_IDLE_MS_MAX;
        if (contact->users > 0 || (!contact->stale && !idle)) {
            link = &contact->next;
            continue;
        }
        *link = contact->next;
        transport_close(contact->transport);
        free(contact);
    }
}

void contacts_hang_up(struct contacts *contacts)
{
    for (struct contact *contact = contacts->first; contact != NULL; contact = contact->next) {
        struct transport *transport = contact->transport;
        transport_close(transport);
        contact->transport = NULL;
    }
}

void contacts_fini(struct contacts *contacts)
{
    contacts_hang_up(contacts);
    while (contacts->first != NULL) {
        struct contact *contact = contacts->first;
        contacts->first = contact->next;
        free(contact);
    }
}
