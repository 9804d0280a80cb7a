#include "configs/demo/trainer/dataset.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    IDX_IMAGES = 0x803, /* unsigned bytes, three dimensions */
    IDX_LABELS = 0x801,
    DATASET_PATH_MAX = 4096
};

static gzFile open_part(const char *directory, const char *name, struct fault *fault);
static bool read_number(gzFile file, uint32_t *number);
static enum status load_images(struct dataset *dataset, gzFile file, uint32_t most,
                               struct fault *fault);
static enum status load_labels(struct dataset *dataset, gzFile file, struct fault *fault);

enum status dataset_load(struct dataset *dataset, const char *directory, enum dataset_part part,
                         uint32_t most, struct fault *fault)
{
    *dataset = (struct dataset){0};
    bool const train = part == DATASET_TRAIN;
    gzFile images = open_part(
        directory, train ? "train-images-idx3-ubyte.gz" : "t10k-images-idx3-ubyte.gz", fault);
    if (images == NULL)
        return STATUS_NOT_FOUND;
    enum status status = load_images(dataset, images, most, fault);
    gzclose_r(images);
    if (status == STATUS_OK) {
        gzFile labels = open_part(
            directory, train ? "train-labels-idx1-ubyte.gz" : "t10k-labels-idx1-ubyte.gz", fault);
        status = labels != NULL ? load_labels(dataset, labels, fault) : STATUS_NOT_FOUND;
        if (labels != NULL)
            gzclose_r(labels);
    }
    if (status != STATUS_OK)
        dataset_fini(dataset);
    return status;
}

void dataset_fini(struct dataset *dataset)
{
    free(dataset->pixels);
    free(dataset->labels);
    *dataset = (struct dataset){0};
}

static gzFile open_part(const char *directory, const char *name, struct fault *fault)
{
    char path[DATASET_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    gzFile file = gzopen(path, "rbe");
    if (file == NULL)
        fault_set(fault, STATUS_NOT_FOUND,
                  "%s isn't there: install the package dataset-fashion-mnist, or say --data", path);
    return file;
}

static bool read_number(gzFile file, uint32_t *number)
{
    uint8_t bytes[4];
    if (gzread(file, bytes, sizeof bytes) != (int)sizeof bytes)
        return false;
    *number = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
              (uint32_t)bytes[3];
    return true;
}

static enum status load_images(struct dataset *dataset, gzFile file, uint32_t most,
                               struct fault *fault)
{
    uint32_t magic;
    uint32_t count;
    uint32_t rows;
    uint32_t columns;
    if (!read_number(file, &magic) || !read_number(file, &count) || !read_number(file, &rows) ||
        !read_number(file, &columns) || magic != IDX_IMAGES || count == 0 ||
        count > DATASET_IMAGES_MAX || rows > IMAGE_PIXELS || columns > IMAGE_PIXELS ||
        rows * columns != IMAGE_PIXELS)
        return fault_set(fault, STATUS_CORRUPT, "the images are not 28 by 28 in the IDX format");
    if (most != 0 && count > most)
        count = most;
    size_t const size = (size_t)count * IMAGE_PIXELS;
    dataset->pixels = malloc(size);
    if (dataset->pixels == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %u images", count);
    if (gzfread(dataset->pixels, IMAGE_PIXELS, count, file) != count)
        return fault_set(fault, STATUS_CORRUPT, "the file of images ends early");
    dataset->count = count;
    return STATUS_OK;
}

static enum status load_labels(struct dataset *dataset, gzFile file, struct fault *fault)
{
    uint32_t magic;
    uint32_t count;
    if (!read_number(file, &magic) || !read_number(file, &count) || magic != IDX_LABELS ||
        count < dataset->count)
        return fault_set(fault, STATUS_CORRUPT, "the labels are not in the IDX format");
    dataset->labels = malloc(dataset->count);
    if (dataset->labels == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %u labels", dataset->count);
    if (gzfread(dataset->labels, 1, dataset->count, file) != dataset->count)
        return fault_set(fault, STATUS_CORRUPT, "the file of labels ends early");
    for (uint32_t i = 0; i < dataset->count; i++)
        if (dataset->labels[i] >= IMAGE_CLASSES)
            return fault_set(fault, STATUS_CORRUPT, "label %u is above 9", dataset->labels[i]);
    return STATUS_OK;
}
