/*
 * Fuzz target of cluster traces in CSV: the first byte picks the format, the rest is the job list
 * (for alibaba's: nodes, a NUL, pods). What is imported is an instance that our own reader takes.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "economics/market/instance/instance.h"
#include "economics/market/instance/trace.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input_file.h"

enum { FORMATS = 2, BYTES_MAX = 16384 };

static enum status import(bool alibaba, const uint8_t *data, size_t size, struct arena *arena,
                          FILE *to, struct fault *fault)
{
    char first[INPUT_PATH_MAX], second[INPUT_PATH_MAX];
    struct trace_options const options = {.members = 2, .affinity = 0.5, .at = -1};
    struct trace_notes notes;
    if (!alibaba)
        return trace_philly(input_file(0, data, size, first), &options, arena, to, &notes, fault);
    const uint8_t *end = size > 0 ? memchr(data, 0, size) : NULL;
    size_t nodes = end != NULL ? (size_t)(end - data) : size;
    size_t pods = nodes < size ? size - nodes - 1 : 0;
    input_file(0, data, nodes, first);
    input_file(1, data + size - pods, pods, second);
    return trace_alibaba(first, second, &options, arena, to, &notes, fault);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct instance instance;
    struct fault fault = {.text = ""};
    char *text = NULL;
    size_t length = 0;
    if (size == 0 || size > BYTES_MAX)
        return 0;
    arena_init(&arena, ARENA_ROUND_BYTES);
    FILE *to = open_memstream(&text, &length);
    assert(to != NULL);
    enum status status = import(data[0] % FORMATS == 1, data + 1, size - 1, &arena, to, &fault);
    int closed = fclose(to);
    assert(closed == 0 && (status == STATUS_OK || fault.text[0] != '\0'));
    if (status == STATUS_OK)
        status = instance_parse("imported", text, length, &arena, &instance, &fault);
    free(text);
    arena_fini(&arena);
    return 0;
}
