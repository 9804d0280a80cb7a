#include "economics/experiments/number_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FEW_DIGITS = 15, ENOUGH_DIGITS = 17 };

const char *number_text(double number, char text[static NUMBER_TEXT_MAX])
{
    text[0] = '\0';
    if (!isfinite(number))
        return text;
    for (int digits = FEW_DIGITS; digits <= ENOUGH_DIGITS; digits++) {
        snprintf(text, NUMBER_TEXT_MAX, "%.*g", digits, number);
        double back = strtod(text, NULL);
        if (memcmp(&back, &number, sizeof back) == 0)
            break;
    }
    return text;
}
