#include "configs/demo/trainer/network.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"

/* Where the parts of `values` begin. */
struct layout {
    size_t hidden_bias;
    size_t output;
    size_t output_bias;
    size_t count;
};

static struct layout layout_of(uint32_t hidden)
{
    struct layout layout;
    layout.hidden_bias = (size_t)IMAGE_PIXELS * hidden;
    layout.output = layout.hidden_bias + hidden;
    layout.output_bias = layout.output + (size_t)hidden * IMAGE_CLASSES;
    layout.count = layout.output_bias + IMAGE_CLASSES;
    return layout;
}

enum status network_init(struct network *network, uint32_t hidden, struct fault *fault)
{
    assert(hidden > 0 && hidden <= HIDDEN_MAX);
    *network = (struct network){.hidden = hidden, .count = layout_of(hidden).count};
    network->values = calloc(network->count, sizeof *network->values);
    if (network->values == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for a network of %u units", hidden);
    return STATUS_OK;
}

void network_fini(struct network *network)
{
    free(network->values);
    *network = (struct network){0};
}

void network_seed(struct network *weights, uint64_t seed)
{
    struct layout const layout = layout_of(weights->hidden);
    struct rng rng;
    rng_init(&rng, seed, 0);
    network_clear(weights);
    /* Uniform with the variance 2 / inputs that rectified units want. */
    double const first = sqrt(6.0 / IMAGE_PIXELS);
    double const second = sqrt(6.0 / weights->hidden);
    for (size_t i = 0; i < layout.hidden_bias; i++)
        weights->values[i] = (float)(first * (2 * rng_unit(&rng) - 1));
    for (size_t i = layout.output; i < layout.output_bias; i++)
        weights->values[i] = (float)(second * (2 * rng_unit(&rng) - 1));
}

/* Half of an image is black on average, and a black pixel adds nothing. */
static void activate_hidden(const struct network *weights, const uint8_t *pixels,
                            float *restrict hidden)
{
    uint32_t const units = weights->hidden;
    memcpy(hidden, weights->values + layout_of(units).hidden_bias, units * sizeof *hidden);
    for (size_t p = 0; p < IMAGE_PIXELS; p++) {
        if (pixels[p] == 0)
            continue;
        float const light = (float)pixels[p] * (1.0f / 255);
        const float *restrict row = weights->values + p * units;
        for (uint32_t h = 0; h < units; h++)
            hidden[h] += light * row[h];
    }
    for (uint32_t h = 0; h < units; h++)
        hidden[h] = hidden[h] > 0 ? hidden[h] : 0;
}

static void activate_output(const struct network *weights, const float *hidden,
                            float output[static IMAGE_CLASSES])
{
    struct layout const layout = layout_of(weights->hidden);
    memcpy(output, weights->values + layout.output_bias, IMAGE_CLASSES * sizeof *output);
    for (uint32_t h = 0; h < weights->hidden; h++)
        for (size_t c = 0; c < IMAGE_CLASSES; c++)
            output[c] += hidden[h] * weights->values[layout.output + h * IMAGE_CLASSES + c];
}

/* In place, from scores to probabilities; the loss is −log of the label's. */
static double softmax(float output[static IMAGE_CLASSES], uint8_t label)
{
    double greatest = (double)output[0];
    double sum = 0;
    for (size_t c = 1; c < IMAGE_CLASSES; c++)
        greatest = fmax(greatest, (double)output[c]);
    double const of_label = (double)output[label] - greatest;
    for (size_t c = 0; c < IMAGE_CLASSES; c++)
        sum += exp((double)output[c] - greatest);
    for (size_t c = 0; c < IMAGE_CLASSES; c++)
        output[c] = (float)(exp((double)output[c] - greatest) / sum);
    return log(sum) - of_label;
}

double network_learn(const struct network *weights, const uint8_t *pixels, uint8_t label,
                     struct network *gradient)
{
    assert(gradient->hidden == weights->hidden && label < IMAGE_CLASSES);
    uint32_t const units = weights->hidden;
    struct layout const layout = layout_of(units);
    float hidden[HIDDEN_MAX];
    float blame[HIDDEN_MAX];
    float output[IMAGE_CLASSES];
    activate_hidden(weights, pixels, hidden);
    activate_output(weights, hidden, output);
    double const loss = softmax(output, label);
    output[label] -= 1; /* now the derivative of the loss by the scores */

    for (uint32_t h = 0; h < units; h++) {
        const float *row = weights->values + layout.output + h * IMAGE_CLASSES;
        float *change = gradient->values + layout.output + h * IMAGE_CLASSES;
        float sum = 0;
        for (size_t c = 0; c < IMAGE_CLASSES; c++) {
            change[c] += hidden[h] * output[c];
            sum += row[c] * output[c];
        }
        blame[h] = hidden[h] > 0 ? sum : 0;
        gradient->values[layout.hidden_bias + h] += blame[h];
    }
    for (size_t c = 0; c < IMAGE_CLASSES; c++)
        gradient->values[layout.output_bias + c] += output[c];
    for (size_t p = 0; p < IMAGE_PIXELS; p++) {
        if (pixels[p] == 0)
            continue;
        float const light = (float)pixels[p] * (1.0f / 255);
        float *restrict row = gradient->values + p * units;
        for (uint32_t h = 0; h < units; h++)
            row[h] += light * blame[h];
    }
    return loss;
}

uint8_t network_classify(const struct network *weights, const uint8_t *pixels)
{
    float hidden[HIDDEN_MAX];
    float output[IMAGE_CLASSES];
    uint8_t best = 0;
    activate_hidden(weights, pixels, hidden);
    activate_output(weights, hidden, output);
    for (uint8_t c = 1; c < IMAGE_CLASSES; c++)
        if (output[c] > output[best])
            best = c;
    return best;
}

void network_add(struct network *sum, const struct network *part)
{
    for (size_t i = 0; i < sum->count; i++)
        sum->values[i] += part->values[i];
}

void network_clear(struct network *network)
{
    memset(network->values, 0, network->count * sizeof *network->values);
}

void network_step(struct network *weights, const struct network *gradient, float rate)
{
    for (size_t i = 0; i < weights->count; i++)
        weights->values[i] -= rate * gradient->values[i];
}
