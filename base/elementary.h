/*
 * Elementary: exp, log and atan that give the same bits on every x86-64 machine.
 *
 * libm chooses at start between variants with and without fused multiply-add, whose last bits
 * differ; a simulation that branches on them takes another way. These use additions,
 * multiplications, divisions and square roots alone, which IEEE 754 fixes. exp and log are
 * within 4 units in the last place of libm's, atan within 8. Not for where libm's last bit is
 * wanted.
 *
 * Thread rule: pure. Complexity: O(1), about twice libm's time.
 */
#ifndef ENTENTE_BASE_ELEMENTARY_H
#define ENTENTE_BASE_ELEMENTARY_H

/* e^x; 0 below -745, +infinity above 709.78; NaN of NaN. */
double elementary_exp(double x);

/* Natural logarithm; -infinity of 0, NaN below 0 and of NaN, +infinity of +infinity. */
double elementary_log(double x);

/* x^y of x > 0. */
double elementary_pow(double x, double y);

/* In (-π/2, π/2). */
double elementary_atan(double x);

#endif
