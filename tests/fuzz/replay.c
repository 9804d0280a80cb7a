/*
 * Replay: the main of a fuzz target without libFuzzer: runs it on each file of the directories
 * named, so that every input that ever mattered is an ordinary test, in every build.
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz.h"

enum { INPUT_BYTES_MAX = 8 * 1024 * 1024, PATH_MAX_BYTES = 4096 };

static bool replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    uint8_t *input = malloc(INPUT_BYTES_MAX);
    size_t size = input != NULL ? fread(input, 1, INPUT_BYTES_MAX, file) : 0;
    fclose(file);
    /* a copy of the exact size, so that a sanitizer sees a read beyond it */
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (input == NULL || exact == NULL)
        abort();
    for (size_t i = 0; i < size; i++)
        exact[i] = input[i];
    free(input);
    (void)LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return true;
}

/* How many of its files were run; -1 where it can't be read. */
static int replay_directory(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL)
        return -1;
    int files = 0;
    for (const struct dirent *entry = readdir(directory); entry != NULL;
         entry = readdir(directory)) {
        char name[PATH_MAX_BYTES];
        struct stat about;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (stat(name, &about) == 0 && S_ISREG(about.st_mode))
            files += replay_file(name);
    }
    closedir(directory);
    return files;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int files = replay_directory(argv[i]);
        printf("%s: %d inputs\n", argv[i], files);
        if (files <= 0) {
            fprintf(stderr, "%s holds no corpus\n", argv[i]);
            return EXIT_FAILURE;
        }
    }
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
