#include "economics/market/solver/kernel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 128 };

/* Sums that should cancel leave less than this. */
#define ZERO 1e-14

bool kernel_make(struct kernel *kernel)
{
    *kernel = (struct kernel){.room = ROOM_FIRST};
    kernel->w = calloc((size_t)ROOM_FIRST * ROOM_FIRST, sizeof(double));
    kernel->list = calloc(ROOM_FIRST, sizeof(uint32_t));
    return kernel->w != NULL && kernel->list != NULL;
}

void kernel_fini(struct kernel *kernel)
{
    free(kernel->w);
    free(kernel->list);
    *kernel = (struct kernel){0};
}

bool kernel_reserve(struct kernel *kernel)
{
    if (kernel->size < kernel->room)
        return true;
    if (kernel->size >= KERNEL_SIZE_MAX)
        return false;
    uint32_t wider = kernel->room + kernel->room / 2;
    if (wider > KERNEL_SIZE_MAX)
        wider = KERNEL_SIZE_MAX;
    double *w = calloc((size_t)wider * wider, sizeof *w);
    uint32_t *list = realloc(kernel->list, wider * sizeof *list);
    if (list != NULL)
        kernel->list = list;
    if (w == NULL || list == NULL) {
        free(w);
        return false;
    }
    for (uint32_t l = 0; l < kernel->size; l++)
        memcpy(w + (size_t)l * wider, kernel->w + (size_t)l * kernel->room,
               kernel->size * sizeof *w);
    free(kernel->w);
    kernel->w = w;
    kernel->room = wider;
    return true;
}

static double *column(struct kernel *kernel, uint32_t l)
{
    return kernel->w + (size_t)l * kernel->room;
}

void kernel_row(const struct kernel *kernel, uint32_t n, double *row)
{
    for (uint32_t l = 0; l < kernel->size; l++)
        row[l] = kernel->w[(size_t)l * kernel->room + n];
}

static uint32_t list_nonzeros(struct kernel *kernel, const double *d)
{
    uint32_t count = 0;
    for (uint32_t n = 0; n < kernel->size; n++)
        if (fabs(d[n]) > ZERO)
            kernel->list[count++] = n;
    return count;
}

/* to[n] += factor × d[n] for the nonzeros of d. */
static void add(const struct kernel *kernel, double *to, const double *d, uint32_t count,
                double factor)
{
    if (count > kernel->size / 4) {
        for (uint32_t n = 0; n < kernel->size; n++)
            to[n] += factor * d[n];
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        to[kernel->list[i]] += factor * d[kernel->list[i]];
}

void kernel_replace_column(struct kernel *kernel, uint32_t n, const double *d, const double *row)
{
    uint32_t const count = list_nonzeros(kernel, d);
    for (uint32_t l = 0; l < kernel->size; l++) {
        if (fabs(row[l]) <= ZERO)
            continue;
        double const part = row[l] / d[n];
        add(kernel, column(kernel, l), d, count, -part);
        column(kernel, l)[n] = part;
    }
}

void kernel_replace_row(struct kernel *kernel, uint32_t l, const double *vw)
{
    double *pivot = column(kernel, l);
    for (uint32_t n = 0; n < kernel->size; n++)
        pivot[n] /= vw[l];
    uint32_t const count = list_nonzeros(kernel, pivot);
    for (uint32_t i = 0; i < kernel->size; i++)
        if (i != l && fabs(vw[i]) > ZERO)
            add(kernel, column(kernel, i), pivot, count, -vw[i]);
}

void kernel_grow(struct kernel *kernel, const double *d, const double *vw, double pivot)
{
    uint32_t const size = kernel->size;
    uint32_t const count = list_nonzeros(kernel, d);
    for (uint32_t l = 0; l < size; l++) {
        double const part = vw[l] / pivot;
        column(kernel, l)[size] = -part;
        if (fabs(vw[l]) > ZERO)
            add(kernel, column(kernel, l), d, count, part);
    }
    double *last = column(kernel, size);
    for (uint32_t n = 0; n < size; n++)
        last[n] = -d[n] / pivot;
    last[size] = 1 / pivot;
    kernel->size++;
}

void kernel_shrink(struct kernel *kernel, uint32_t n, uint32_t l, const double *row)
{
    double *gone = column(kernel, l);
    double const pivot = gone[n];
    uint32_t const last = kernel->size - 1;
    uint32_t const count = list_nonzeros(kernel, gone);
    for (uint32_t i = 0; i < kernel->size; i++) {
        if (i == l)
            continue;
        if (fabs(row[i]) > ZERO)
            add(kernel, column(kernel, i), gone, count, -row[i] / pivot);
        column(kernel, i)[n] = column(kernel, i)[last];
    }
    if (l != last)
        memcpy(gone, column(kernel, last), last * sizeof *gone);
    kernel->size--;
}

void kernel_flip(struct kernel *kernel, uint32_t n, const uint32_t *others, uint32_t count)
{
    for (uint32_t l = 0; l < kernel->size; l++) {
        double *w = column(kernel, l);
        double sum = w[n];
        for (uint32_t i = 0; i < count; i++)
            sum += w[others[i]];
        w[n] = -sum;
    }
}
