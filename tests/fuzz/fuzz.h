/* Fuzz: what every fuzz target offers, to libFuzzer or to tests/fuzz/replay.c. */
#ifndef ENTENTE_TESTS_FUZZ_FUZZ_H
#define ENTENTE_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Must survive any bytes; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
