/*
 * Kernel: the inverse of the small square matrix that a simplex basis comes down to, once jobs'
 * own rows and slack resources are taken out. Internal to the simplex.
 *
 * Rows of the matrix are tight resources (slots l), columns are basic columns less their job's key
 * column (slots n); W = B⁻¹ is kept whole, and each change of basis is a rank-one update that skips
 * zeros: columns matter to few resources near them, so most of it is cheap.
 *
 * W[n][l] is w[l × room + n]. Ownership: the struct's. Thread rule: one thread. Complexity: an
 * update O(nonzeros of the direction × nonzeros of the pivot row); memory 8 × room².
 */
#ifndef ENTENTE_ECONOMICS_MARKET_SOLVER_KERNEL_H
#define ENTENTE_ECONOMICS_MARKET_SOLVER_KERNEL_H

#include <stdbool.h>
#include <stdint.h>

enum { KERNEL_SIZE_MAX = 6000 };

struct kernel {
    double *w;
    uint32_t size;
    uint32_t room;
    uint32_t *list; /* scratch: the nonzeros of a direction */
};

bool kernel_make(struct kernel *kernel); /* false: no memory */
void kernel_fini(struct kernel *kernel);

/* Room for one more row and column; false: no memory, or KERNEL_SIZE_MAX. */
bool kernel_reserve(struct kernel *kernel);

static inline const double *kernel_column(const struct kernel *kernel, uint32_t l)
{
    return kernel->w + (uint64_t)l * kernel->room;
}

/* row[l] = W[n][l]. */
void kernel_row(const struct kernel *kernel, uint32_t n, double *row);

/* Column n becomes that of direction d = W u; row: kernel_row(n), before. */
void kernel_replace_column(struct kernel *kernel, uint32_t n, const double *d, const double *row);

/* Row l becomes v, with vw = v W. */
void kernel_replace_row(struct kernel *kernel, uint32_t l, const double *vw);

/* A new last row v and last column u: d = W u, vw = v W, pivot = corner − v W u. */
void kernel_grow(struct kernel *kernel, const double *d, const double *vw, double pivot);

/* Row l and column n go; the last ones take their places. row: kernel_row(n), before. */
void kernel_shrink(struct kernel *kernel, uint32_t n, uint32_t l, const double *row);

/* Column n changes its sign and is taken from the others of its job: W[n] = −Σ W[of its job]. */
void kernel_flip(struct kernel *kernel, uint32_t n, const uint32_t *others, uint32_t count);

#endif
