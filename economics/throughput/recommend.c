#include "economics/throughput/recommend.h"

#include <math.h>
#include <stdlib.h>

static enum status predict_all(const struct throughput_model *model,
                               const struct recommend_question *question,
                               struct recommendation *recommendation, uint32_t capacity,
                               struct fault *fault);
static void mark_frontier(struct recommendation *recommendation);
static int compare_by_time(const void *left, const void *right);
static int compare_by_cost(const void *left, const void *right);

enum status recommend(const struct throughput_model *model,
                      const struct recommend_question *question, struct arena *arena,
                      struct recommendation *recommendation, struct fault *fault)
{
    *recommendation = (struct recommendation){NULL, 0};
    uint64_t capacity = 0;
    for (uint32_t c = 0; c < question->cluster_count; c++)
        capacity += (uint64_t)question->clusters[c].gpus_max * question->batch_count;
    if (capacity > RECOMMEND_CHOICES_MAX || capacity == 0)
        return fault_set(fault, STATUS_INVALID,
                         "%llu configurations to compare: give 1 to %d (fewer GPUs or batches)",
                         (unsigned long long)capacity, RECOMMEND_CHOICES_MAX);
    recommendation->choices = arena_alloc(arena, capacity, sizeof *recommendation->choices);
    if (recommendation->choices == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for %llu configurations",
                         (unsigned long long)capacity);
    enum status const status =
        predict_all(model, question, recommendation, (uint32_t)capacity, fault);
    if (status != STATUS_OK)
        return status;
    mark_frontier(recommendation);
    qsort(recommendation->choices, recommendation->choice_count, sizeof *recommendation->choices,
          question->deadline_seconds > 0 ? compare_by_cost : compare_by_time);
    return STATUS_OK;
}

static void judge(const struct recommend_question *question, double price, struct choice *choice)
{
    const struct configuration *of = &choice->configuration;
    double const batch = (double)of->gpus * of->batch * of->accumulation;
    choice->efficiency =
        question->noise.base_batch > 0 ? statistical_efficiency(&question->noise, batch) : 1;
    double const work = question->examples / choice->efficiency;
    choice->run_seconds = work / choice->prediction.examples_per_second;
    choice->run_seconds_high = work / choice->prediction.examples_per_second_low;
    choice->cost = choice->run_seconds * price * of->gpus;
    choice->cost_high = choice->run_seconds_high * price * of->gpus;
    choice->meets = (!(question->deadline_seconds > 0) ||
                     choice->run_seconds_high <= question->deadline_seconds) &&
                    (!(question->budget > 0) || choice->cost_high <= question->budget);
}

static enum status predict_all(const struct throughput_model *model,
                               const struct recommend_question *question,
                               struct recommendation *recommendation, uint32_t capacity,
                               struct fault *fault)
{
    for (uint32_t c = 0; c < question->cluster_count; c++) {
        const struct recommend_cluster *cluster = &question->clusters[c];
        for (uint32_t gpus = 1; gpus <= cluster->gpus_max; gpus++)
            for (uint32_t b = 0; b < question->batch_count; b++) {
                uint32_t const nodes = (gpus + cluster->gpus_per_node - 1) / cluster->gpus_per_node;
                assert(recommendation->choice_count < capacity);
                struct choice *choice = &recommendation->choices[recommendation->choice_count];
                choice->cluster = cluster->cluster;
                choice->configuration = configuration_even(gpus, nodes, question->batches[b]);
                enum status const status =
                    model_predict(model, question->job, cluster->cluster, &choice->configuration,
                                  &choice->prediction, fault);
                if (status != STATUS_OK)
                    return status;
                judge(question, cluster->price, choice);
                recommendation->choice_count++;
            }
    }
    return STATUS_OK;
}

static int compare(double a, double b)
{
    return (a > b) - (a < b);
}

static int compare_by_time(const void *left, const void *right)
{
    const struct choice *a = left;
    const struct choice *b = right;
    if (a->meets != b->meets)
        return a->meets ? -1 : 1;
    int const by_time = compare(a->run_seconds, b->run_seconds);
    return by_time != 0 ? by_time : compare(a->cost, b->cost);
}

static int compare_by_cost(const void *left, const void *right)
{
    const struct choice *a = left;
    const struct choice *b = right;
    if (a->meets != b->meets)
        return a->meets ? -1 : 1;
    int const by_cost = compare(a->cost, b->cost);
    return by_cost != 0 ? by_cost : compare(a->run_seconds, b->run_seconds);
}

static int compare_frontier(const void *left, const void *right)
{
    const struct choice *a = left;
    const struct choice *b = right;
    int const by_time = compare(a->run_seconds, b->run_seconds);
    return by_time != 0 ? by_time : compare(a->cost, b->cost);
}

/* In order of time a choice is on the frontier where it is cheaper than all before it. */
static void mark_frontier(struct recommendation *recommendation)
{
    qsort(recommendation->choices, recommendation->choice_count, sizeof *recommendation->choices,
          compare_frontier);
    double cheapest = HUGE_VAL;
    for (uint32_t i = 0; i < recommendation->choice_count; i++) {
        struct choice *choice = &recommendation->choices[i];
        choice->frontier = choice->cost < cheapest;
        cheapest = fmin(cheapest, choice->cost);
    }
}
