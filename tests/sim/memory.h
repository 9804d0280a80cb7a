/*
 * Memory: allocations of the daemons' code that fail when the simulation says so.
 *
 * malloc, calloc, realloc, strdup and strndup are wrapped by the linker in our objects alone
 * (memory_wrap.c; libraries have their own). They fail only while a daemon's code runs, which the
 * world says with sim_memory_begin() and _end(); what the simulation itself allocates in the midst
 * of that (messages under way) is spared. Globals, as what is wrapped has no context. Thread rule:
 * one thread.
 */
#ifndef ENTENTE_TESTS_SIM_MEMORY_H
#define ENTENTE_TESTS_SIM_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* A daemon's code runs from here to there. Not nested. */
void sim_memory_begin(void);
void sim_memory_end(void);

/* Between: the simulation's own allocations. Nested as often as need be. */
void sim_memory_spare(void);
void sim_memory_spare_end(void);

/* So many allocations go well, then so many fail. 0 failing: none any more. */
void sim_memory_fail(uint64_t after, uint64_t failing);
/* Is there something left to fail? */
bool sim_memory_short(void);
uint64_t sim_memory_failed(void); /* so far */

/* For the wrappers: does this one fail? */
bool sim_memory_fails(void);

#endif
