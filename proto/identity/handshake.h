/*
 * Handshake, inside identity: the certificates that a TLS server presents, believed by nobody yet.
 * Private to this folder.
 */
#ifndef ENTENTE_PROTO_IDENTITY_HANDSHAKE_H
#define ENTENTE_PROTO_IDENTITY_HANDSHAKE_H

#include "proto/identity/openssl.h"

/*
 * Dials HOST:PORT ("[V6]:PORT"), completes a TLS 1.2 or 1.3 handshake and hangs up without sending
 * a byte of ours. The server has proved that it holds the leaf's key, nothing else. *chain: leaf
 * first, 1 to CHAIN_CERTIFICATES_MAX; the caller owns it.
 */
MUST_USE enum status handshake_fetch_chain(const char *address, int timeout_ms,
                                           const struct clock *clock, X509_STACK **chain,
                                           struct fault *fault);

#endif
