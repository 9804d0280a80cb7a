/*
 * Writes the seed corpus of fuzz_wire: one valid message of each request and response, made by the
 * generator. Run after a .proto changed: fuzz_wire_seeds tests/fuzz/corpus/wire
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/wire/methods.h"
#include "tests/proto/wire_generator.h"

enum { PATH_MAX_BYTES = 4096, SEED = 1 };

static void write_seed(const char *directory, uint8_t choice, const struct wire_message *message)
{
    struct rng rng;
    struct arena arena;
    struct bytes bytes;
    rng_init(&rng, SEED, choice);
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    const void *domain = generator_make(message, &rng, &arena);
    enum status status = wire_encode(message, domain, &arena, &bytes, NULL);
    assert(status == STATUS_OK);
    char path[PATH_MAX_BYTES];
    snprintf(path, sizeof path, "%s/%03u-%s", directory, (unsigned)choice,
             strrchr(wire_message_name(message), '.') + 1);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fputc(choice, file) == EOF ||
        fwrite(bytes.data, 1, bytes.size, file) != bytes.size || fclose(file) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    arena_fini(&arena);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: fuzz_wire_seeds DIRECTORY\n");
        return EXIT_FAILURE;
    }
    assert(methods_count <= 128); /* a byte picks one of twice as many */
    for (size_t i = 0; i < methods_count; i++) {
        write_seed(argv[1], (uint8_t)(2 * i), methods_all[i]->request);
        write_seed(argv[1], (uint8_t)(2 * i + 1), methods_all[i]->response);
    }
    return EXIT_SUCCESS;
}
