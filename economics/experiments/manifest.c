#include "economics/experiments/manifest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"

static uint64_t mixed(uint64_t hash, const void *bytes, size_t size)
{
    const uint8_t *byte = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * 0x100000001b3u;
    return hash;
}

uint64_t manifest_identity(const struct design *design)
{
    const char *name = design->experiment->name;
    uint64_t hash = mixed(0xcbf29ce484222325u, ENTENTE_VERSION, sizeof ENTENTE_VERSION);
    hash = mixed(hash, name, strlen(name) + 1);
    for (int byte = 0; byte < 8; byte++)
        hash = mixed(hash, &(uint8_t){(uint8_t)(design->seed >> (8 * byte))}, 1);
    return mixed(hash, design->text.data, design->text.size);
}

static void put_machine(struct json_writer *writer)
{
    struct utsname system;
    json_open_object(writer, "machine");
    if (uname(&system) == 0) {
        json_put_text(writer, "system", system.sysname);
        json_put_text(writer, "release", system.release);
        json_put_text(writer, "architecture", system.machine);
    }
    json_put_integer(writer, "cores", sysconf(_SC_NPROCESSORS_ONLN));
    json_end(writer);
}

static void put_replications(struct json_writer *writer, const struct design *design,
                             const struct lab_outcome *outcome)
{
    const struct replications *wanted = &design->replications;
    json_put_integer(writer, "replications", outcome->replications);
    json_put_boolean(writer, "replications_automatic", wanted->automatic);
    if (!wanted->automatic)
        return;
    json_open_object(writer, "half_width");
    json_put_text(writer, "metric", design->experiment->metrics[wanted->metric].name);
    json_put_number(writer, wanted->relative ? "relative" : "absolute", wanted->half_width);
    json_put_boolean(writer, "reached", outcome->half_width_ratio <= 1);
    json_end(writer);
}

enum status manifest_write(const struct design *design, const struct lab_options *options,
                           const struct lab_outcome *outcome, int64_t took_ms, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    char identity[32];
    char now[CLOCK_TEXT_MAX];
    struct json_writer writer;
    snprintf(identity, sizeof identity, "%016" PRIx64, manifest_identity(design));
    json_writer_init(&writer);
    json_put_text(&writer, "experiment", design->experiment->name);
    json_put_text(&writer, "version", ENTENTE_VERSION);
    json_put_text(&writer, "identity", identity);
    json_put_integer(&writer, "seed", (int64_t)design->seed);
    json_put_integer(&writer, "arms", design->arm_count);
    put_replications(&writer, design, outcome);
    json_put_text(&writer, "intervals",
                  design->intervals == INTERVAL_STUDENT ? "student" : "bootstrap");
    json_put_number(&writer, "confidence", design->confidence);
    json_put_integer(&writer, "runs", (int64_t)outcome->runs);
    json_put_integer(&writer, "runs_resumed", (int64_t)outcome->runs_before);
    json_put_integer(&writer, "threads", options->threads);
    json_put_number(&writer, "seconds", (double)took_ms / 1000);
    json_put_text(&writer, "finished", clock_format_wall(clock_wall_ms(options->clock), now));
    put_machine(&writer);
    enum status status = path_join(path, options->directory, "manifest.json", fault);
    FILE *to = status == STATUS_OK ? fopen(path, "we") : NULL;
    if (status == STATUS_OK && to == NULL)
        status = fault_set(fault, STATUS_IO, "%s: %s", path, strerror(errno));
    if (status == STATUS_OK)
        status = json_write(&writer, to, fault);
    if (to != NULL && fclose(to) != 0 && status == STATUS_OK)
        status = fault_set(fault, STATUS_IO, "%s: %s", path, strerror(errno));
    json_writer_fini(&writer);
    if (status == STATUS_OK)
        status = path_join(path, options->directory, "configuration.yaml", fault);
    if (status == STATUS_OK)
        status = file_write(path, design->text, 0644, fault);
    return status;
}
