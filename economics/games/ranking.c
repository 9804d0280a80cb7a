#include "economics/games/ranking.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { HEAD_FIRST = 4096, HEAD_GROWTH = 16, SAMPLE_MAX = 65536 };

static int by_excess(const void *a, const void *b)
{
    const struct ranked *one = a;
    const struct ranked *two = b;
    if (one->excess != two->excess)
        return one->excess > two->excess ? -1 : 1;
    return one->coalition < two->coalition ? -1 : one->coalition > two->coalition;
}

static int descending(const void *a, const void *b)
{
    double one = *(const double *)a;
    double two = *(const double *)b;
    return (one < two) - (one > two);
}

/* An excess that about `wanted` coalitions reach, judged by a regular sample. */
static enum status threshold(const struct ranking *ranking, uint32_t wanted, double *at_least,
                             struct fault *fault)
{
    uint32_t stride = ranking->coalitions / SAMPLE_MAX + 1;
    stride |= 1; /* an even one would never look at odd coalitions */
    uint32_t count = 0;
    double *sample = malloc((ranking->coalitions / stride + 1) * sizeof *sample);
    if (sample == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to rank coalitions");
    for (uint32_t s = 1; s < ranking->coalitions - 1; s += stride)
        sample[count++] = ranking->excess[s];
    qsort(sample, count, sizeof *sample, descending);
    uint32_t at = wanted / stride + 1;
    *at_least = at < count ? sample[at] : -HUGE_VAL;
    free(sample);
    return STATUS_OK;
}

static enum status collect(struct ranking *ranking, double at_least, struct fault *fault)
{
    uint32_t count = 0;
    for (uint32_t s = 1; s < ranking->coalitions - 1; s++)
        count += ranking->excess[s] >= at_least;
    struct ranked *head = malloc((count + 1u) * sizeof *head);
    if (head == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to rank %u coalitions", count);
    free(ranking->head);
    ranking->head = head;
    ranking->head_count = 0;
    for (uint32_t s = 1; s < ranking->coalitions - 1; s++)
        if (ranking->excess[s] >= at_least)
            head[ranking->head_count++] =
                (struct ranked){.excess = ranking->excess[s], .coalition = s};
    qsort(head, ranking->head_count, sizeof *head, by_excess);
    ranking->complete = ranking->head_count == ranking->coalitions - 2;
    return STATUS_OK;
}

enum status ranking_open(struct ranking *ranking, double *excess, uint32_t coalitions,
                         struct fault *fault)
{
    assert(coalitions >= 2);
    *ranking = (struct ranking){
        .coalitions = coalitions, .excess = excess, .head_room = HEAD_FIRST / HEAD_GROWTH};
    return ranking_grow(ranking, fault);
}

void ranking_close(struct ranking *ranking)
{
    free(ranking->head);
    ranking->head = NULL;
}

enum status ranking_grow(struct ranking *ranking, struct fault *fault)
{
    double at_least = -HUGE_VAL;
    ranking->head_room *= HEAD_GROWTH;
    if (ranking->head_room < ranking->coalitions / 2) {
        enum status status = threshold(ranking, ranking->head_room, &at_least, fault);
        if (status != STATUS_OK)
            return status;
    }
    return collect(ranking, at_least, fault);
}
