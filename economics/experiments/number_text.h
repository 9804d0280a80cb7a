/*
 * Number text: a double in the fewest digits that read back as the same double.
 *
 * Thread rule: pure. Complexity: O(17) conversions.
 */
#ifndef ENTENTE_ECONOMICS_EXPERIMENTS_NUMBER_TEXT_H
#define ENTENTE_ECONOMICS_EXPERIMENTS_NUMBER_TEXT_H

enum { NUMBER_TEXT_MAX = 32 };

/* Returns text; "" of a number that isn't finite: a missing one. */
const char *number_text(double number, char text[static NUMBER_TEXT_MAX]);

#endif
