/*
 * Authority: the broker's keys and certificates, in its state directory.
 *
 *   root.pem                            whom the federation trusts (its key is exported, not here)
 *   intermediate.pem, intermediate.key  signs members and the broker; online
 *   broker.pem, broker.key              the broker's own, renewed by itself
 *   lease.key                           Ed25519, signs leases and revocation lists
 *   broker.db                           the store
 *
 * Keys are readable by their owner only. Ownership: the caller's storage (large: keep it on the
 * heap); authority_wipe() clears the secrets. Thread rule: the loop's thread.
 */
#ifndef ENTENTE_BROKER_AUTHORITY_H
#define ENTENTE_BROKER_AUTHORITY_H

#include "broker/config.h"
#include "proto/identity/identity.h"

struct authority {
    struct name federation;
    struct digest pin;
    struct pem root;
    struct pem intermediate;
    struct pem intermediate_key;
    struct pem broker_chain; /* leaf, intermediate, root: joiners take the root from it */
    struct pem broker_key;
    struct certificate_facts broker_facts;
    struct signing_secret lease_secret;
};

/* EXISTS where the state directory has an authority already. */
MUST_USE enum status authority_absent(const struct broker_config *config, struct fault *fault);

/* Makes everything new; root.key and root.pem also go to export_directory. EXISTS where the state
 * directory has an authority already. */
MUST_USE enum status authority_create(const struct broker_config *config,
                                      const char *export_directory, const struct clock *clock,
                                      struct authority *authority, struct fault *fault);

MUST_USE enum status authority_load(const struct broker_config *config, struct authority *authority,
                                    struct fault *fault);

/* One process at a time works on a state directory: takes its lock, until *fd is closed.
 * UNAVAILABLE where a broker runs, PRECONDITION where there is no such directory. */
MUST_USE enum status authority_lock(const struct broker_config *config, int *fd,
                                    struct fault *fault);

void authority_wipe(struct authority *authority);

/* A new key and certificate for the broker itself, stored and taken into *authority. */
MUST_USE enum status authority_renew_broker(const struct broker_config *config,
                                            const struct clock *clock, struct authority *authority,
                                            struct fault *fault);

/* Wall time from which the broker's certificate should be renewed: two thirds of its life. */
int64_t authority_renew_from_ms(const struct authority *authority);

/* Signs a member's request for as long as the configuration says. *chain: leaf, intermediate. */
MUST_USE enum status authority_sign_member(const struct authority *authority,
                                           const struct broker_config *config,
                                           const struct clock *clock, const struct name *member,
                                           const char *csr_pem, struct pem *chain,
                                           struct certificate_facts *facts, struct fault *fault);

/* STATE/broker.db */
MUST_USE enum status authority_store_path(const struct broker_config *config,
                                          char path[static FILE_PATH_MAX], struct fault *fault);

#endif
