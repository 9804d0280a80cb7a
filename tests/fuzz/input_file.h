/*
 * Input file: a fuzz target's input under a path, for readers that open files themselves. The file
 * lies in memory and is the same one each time; a call replaces what was in it. Thread rule: one
 * thread.
 */
#ifndef ENTENTE_TESTS_FUZZ_INPUT_FILE_H
#define ENTENTE_TESTS_FUZZ_INPUT_FILE_H

#include <stddef.h>
#include <stdint.h>

enum { INPUT_FILES_MAX = 2, INPUT_PATH_MAX = 64 };

/* Fills in the path of file `which` (below INPUT_FILES_MAX), which holds these bytes until the next
 * call. Returns path. */
const char *input_file(int which, const uint8_t *data, size_t size,
                       char path[static INPUT_PATH_MAX]);

#endif
