/*
 * Identity files: a peer's keys and certificates in STATE/identity, all 0600 in a 0700 directory.
 *
 *   member.pem   private key, then certificate chain: one file, replaced whole
 *   root.pem     the federation's root, checked against the pin of the join token
 *   signing.key  the Ed25519 secret that signs receipts
 *   joining.pem  the private key while enrolment is under way: asking again uses the same
 *
 * Secrets are wiped by identity_files_wipe. Thread rule: one thread.
 */
#ifndef ENTENTE_PEER_IDENTITY_FILES_H
#define ENTENTE_PEER_IDENTITY_FILES_H

#include "peer/config.h"
#include "proto/identity/identity.h"

struct identity_files {
    struct pem key;
    struct pem chain;
    struct pem root;
    struct signing_secret secret;
    struct signing_key signing_key;
    struct certificate_facts facts;
};

/* CONFIG ("run join first") where this peer has not joined; checks that key, chain, root and the
 * configured member belong together. */
MUST_USE enum status identity_files_load(const struct peer_config *config, int64_t now_wall_ms,
                                         struct identity_files *files, struct fault *fault);
void identity_files_wipe(struct identity_files *files);

/* Makes what lacks: directory, signing secret, and the key to enrol with. */
MUST_USE enum status identity_files_begin(const struct peer_config *config,
                                          struct identity_files *files, struct fault *fault);
MUST_USE enum status identity_files_save_root(const struct peer_config *config,
                                              const struct pem *root, struct fault *fault);
/* Key and chain, replaced whole; the joining key goes. */
MUST_USE enum status identity_files_save_member(const struct peer_config *config,
                                                const struct pem *key, const struct pem *chain,
                                                struct fault *fault);

#endif
