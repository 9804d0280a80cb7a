/*
 * Data set: labelled grey images in the IDX format of MNIST, gzipped, as Debian's package
 * dataset-fashion-mnist installs them.
 *
 * Errors: NOT_FOUND (the fault names the package), CORRUPT where a file isn't what it says,
 * NO_MEMORY. Ownership: dataset_fini frees. Thread rule: read-only once loaded, any thread.
 * Complexity: O(bytes).
 */
#ifndef ENTENTE_CONFIGS_DEMO_TRAINER_DATASET_H
#define ENTENTE_CONFIGS_DEMO_TRAINER_DATASET_H

#include <stdint.h>

#include "base/fault.h"

#define DATASET_DIRECTORY "/usr/share/datasets/fashion-mnist"

enum { IMAGE_PIXELS = 28 * 28, IMAGE_CLASSES = 10, DATASET_IMAGES_MAX = 1000000 };

struct dataset {
    uint8_t *pixels; /* [count][IMAGE_PIXELS], 0..255 */
    uint8_t *labels; /* [count], below IMAGE_CLASSES */
    uint32_t count;
};

enum dataset_part { DATASET_TRAIN, DATASET_TEST };

/* The first `most` images of a part (0: all). */
MUST_USE enum status dataset_load(struct dataset *dataset, const char *directory,
                                  enum dataset_part part, uint32_t most, struct fault *fault);
void dataset_fini(struct dataset *dataset);

#endif
