/*
 * Half open: connections that never finish a handshake, as an attacker without certificate can
 * have. A third says nothing, a third begins a TLS record and stops, a third sends noise.
 */
#ifndef ENTENTE_TESTS_SUPPORT_HALF_OPEN_H
#define ENTENTE_TESTS_SUPPORT_HALF_OPEN_H

#include <stdint.h>

enum { HALF_OPEN_MAX = 4096 };

struct half_open {
    int fds[HALF_OPEN_MAX];
    uint32_t count; /* that are connected */
};

/* Raises this process' own limit of descriptors; asserts that `count` connections were taken by the
 * kernel. address: "127.0.0.1:PORT" or "localhost:PORT". */
void half_open_begin(struct half_open *half_open, const char *address, uint32_t count);
void half_open_end(struct half_open *half_open);

#endif
