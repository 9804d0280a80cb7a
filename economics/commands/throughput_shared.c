/*
 * What the throughput commands share: bad rows are named on stderr, so that they are seen and stay
 * out of what is piped.
 */
#include <stdio.h>

#include "economics/commands/commands.h"

void throughput_print_complaints(const struct measurements *set, const char *path)
{
    for (uint32_t i = 0; i < set->complaint_count; i++)
        fprintf(stderr, "%s:%u: skipped: %s\n", path, set->complaints[i].line,
                set->complaints[i].text);
    if (set->skipped_count > set->complaint_count)
        fprintf(stderr, "%s: %u more rows skipped\n", path,
                set->skipped_count - set->complaint_count);
}
