/*
 * Certificate, inside identity: one plan, one builder, for root, intermediate and leaf. Private to
 * this folder.
 */
#ifndef ENTENTE_PROTO_IDENTITY_CERTIFICATE_H
#define ENTENTE_PROTO_IDENTITY_CERTIFICATE_H

#include "proto/identity/openssl.h"

struct certificate_plan {
    const char *federation; /* O */
    const char *unit;       /* OU */
    const char *common_name;
    int path_length; /* -1: a leaf */
    EVP_PKEY *key;   /* whose certificate it is (public half is enough) */
    X509 *issuer;    /* NULL: itself */
    EVP_PKEY *issuer_key;
    GENERAL_NAMES *names; /* SANs; NULL: none */
    struct certificate_validity validity;
};

/* The certificate of a plan; the caller owns it. NULL with the fault set. */
MUST_USE X509 *certificate_build(const struct certificate_plan *plan, struct fault *fault);

/* INVALID where X.509 can't write these dates or they hold no second. */
MUST_USE enum status certificate_check_validity(struct certificate_validity validity,
                                                struct fault *fault);

/* PRECONDITION where a certificate would outlive its issuer: it would stop working before the day
 * it states. */
MUST_USE enum status certificate_check_issuer(const X509 *issuer,
                                              struct certificate_validity validity,
                                              struct fault *fault);

MUST_USE enum status certificate_check_federation(const struct name *federation,
                                                  struct fault *fault);

/* Replaces *pem with the certificates given, in that order; second may be NULL. */
MUST_USE enum status certificate_write(X509 *first, X509 *second, struct pem *pem,
                                       struct fault *fault);

/* The key and certificate of an authority, checked to belong together. The caller owns both. */
MUST_USE enum status authority_read(const struct pem *key_pem, const struct pem *certificate_pem,
                                    const char *what, EVP_PKEY **key, X509 **certificate,
                                    struct fault *fault);

#endif
