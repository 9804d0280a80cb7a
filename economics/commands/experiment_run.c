/* experiment run FILE --out DIR: an experiment's arms and replications, on all cores, resumable. */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/command.h"
#include "economics/commands/commands.h"
#include "economics/experiments/lab.h"

static const char program_name[] = "entente-economics";

enum { OPTION_OUT = 256, OPTION_SEED, OPTION_THREADS, OPTION_RESUME, OPTION_PART };

enum { BAR_CELLS = 30, PROGRESS_PERIOD_MS = 200 };

struct options {
    const char *file;
    const char *out;
    bool has_seed;
    uint64_t seed;
    uint32_t threads;
    bool resume;
    uint32_t part;
    uint32_t part_count;
};

struct bar {
    const struct clock *clock;
    int64_t began_ms;
    int64_t shown_ms;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static uint64_t number_option(struct argp_state *state, const char *name, const char *text,
                              uint64_t least, uint64_t most)
{
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || text[0] == '-' || number < least ||
        number > most)
        argp_error(state, "--%s: '%s' must be a whole number from %llu to %llu", name, text,
                   (unsigned long long)least, (unsigned long long)most);
    return number;
}

static void part_option(struct argp_state *state, const char *text, struct options *options)
{
    unsigned part;
    unsigned count;
    char rest;
    if (sscanf(text, "%u/%u%c", &part, &count, &rest) != 2 || part < 1 || count < 1 ||
        part > count || count > LAB_PARTS_MAX)
        argp_error(state, "--part: '%s' must be K/N, K from 1 to N, N at most %d", text,
                   LAB_PARTS_MAX);
    options->part = part - 1;
    options->part_count = count;
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case OPTION_OUT: options->out = value; return 0;
    case OPTION_SEED:
        options->seed = number_option(state, "seed", value, 0, INT64_MAX);
        options->has_seed = true;
        return 0;
    case OPTION_THREADS:
        options->threads = (uint32_t)number_option(state, "threads", value, 1, LAB_THREADS_MAX);
        return 0;
    case OPTION_RESUME: options->resume = true; return 0;
    case OPTION_PART: part_option(state, value, options); return 0;
    case ARGP_KEY_ARG:
        if (options->file != NULL)
            argp_error(state, "one FILE at a time");
        options->file = value;
        return 0;
    case ARGP_KEY_END:
        if (options->file == NULL)
            argp_error(state, "FILE is missing");
        if (options->out == NULL)
            argp_error(state, "--out DIR is missing: where results go");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void show_progress(void *context, uint64_t done, uint64_t total)
{
    struct bar *bar = context;
    int64_t now_ms = clock_boot_ms(bar->clock);
    if (now_ms - bar->shown_ms < PROGRESS_PERIOD_MS && done < total)
        return;
    bar->shown_ms = now_ms;
    char cells[BAR_CELLS + 1] = "";
    char left[CLOCK_TEXT_MAX];
    int filled = (int)(done * BAR_CELLS / total);
    for (int cell = 0; cell < BAR_CELLS; cell++)
        cells[cell] = cell < filled ? '#' : '.';
    int64_t left_ms = (now_ms - bar->began_ms) * (int64_t)(total - done) / (int64_t)done;
    fprintf(stderr, "\r[%s] %llu of %llu runs, %s left   %s", cells, (unsigned long long)done,
            (unsigned long long)total, clock_format_duration(left_ms, left),
            done == total ? "\n" : "");
}

/* CPU time of the calling thread: what computing took, whatever else the machine does. */
static double thread_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static enum status run(const struct options *options, struct lab_outcome *outcome,
                       struct fault *fault)
{
    struct arena arena;
    struct bar bar = {.clock = clock_real(), .began_ms = clock_boot_ms(clock_real())};
    struct design *design = calloc(1, sizeof *design);
    if (design == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the configuration");
    const struct lab_options lab = {
        .directory = options->out,
        .threads = options->threads,
        .resume = options->resume,
        .part = options->part,
        .part_count = options->part_count,
        .clock = clock_real(),
        .seconds = thread_seconds,
        .stop = &interrupted,
        .progress = isatty(STDERR_FILENO) ? show_progress : NULL,
        .context = &bar,
    };
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status status = design_read(options->file, options->has_seed ? &options->seed : NULL,
                                     &arena, design, fault);
    if (status == STATUS_OK && options->part_count > 1 && design->replications.automatic)
        status = fault_set(fault, STATUS_CONFIG,
                           "%s: replications: auto looks at all results after each step, so it "
                           "can't be cut in parts; give a number",
                           options->file);
    if (status == STATUS_OK)
        status = lab_run(design, &lab, outcome, fault);
    if (status == STATUS_OK && design->replications.automatic && outcome->half_width_ratio > 1)
        fprintf(stderr,
                "%s: note: after the %u replications allowed an interval is still %.2f "
                "times as wide as asked for\n",
                program_name, outcome->replications, outcome->half_width_ratio);
    arena_fini(&arena);
    free(design);
    return status;
}

int experiment_run_command(int argc, char **argv)
{
    static const struct argp_option list[] = {
        {"out", OPTION_OUT, "DIR", 0, "Where results go; made where missing", 0},
        {"seed", OPTION_SEED, "N", 0, "Instead of the file's", 0},
        {"threads", OPTION_THREADS, "N", 0, "Default: one a core; results don't depend on it", 0},
        {"resume", OPTION_RESUME, NULL, 0, "Go on with a run that was stopped or killed", 0},
        {"part", OPTION_PART, "K/N", 0,
         "Only every N-th run, for several machines on one DIR; a last call with --resume and "
         "without --part puts the parts together",
         0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct command_syntax syntax = {
        .arguments = "FILE",
        .purpose = "Runs the experiment of FILE (YAML): results.csv, summary.csv, comparisons.csv, "
                   "results.sqlite and manifest.json in DIR.",
        .own = list,
        .parser = parse_option,
        .closing = "Same file and seed, same results, byte for byte.\n"
                   "Example: entente-economics experiment run "
                   "configs/experiments/capacity-sharing.yaml --out /tmp/sharing",
    };
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct options options = {
        .part_count = 1, .threads = cores > 0 && cores < LAB_THREADS_MAX ? (uint32_t)cores : 1};
    struct fault fault = {.status = STATUS_OK};
    struct lab_outcome outcome;
    command_parse(argc, argv, &syntax, &options);
    const struct sigaction action = {.sa_handler = interrupt, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    enum status status = run(&options, &outcome, &fault);
    if (status != STATUS_OK)
        return command_fail(program_name, &fault);
    if (options.part_count > 1)
        printf("part %u of %u: %llu runs kept in %s\n", options.part + 1, options.part_count,
               (unsigned long long)outcome.runs, options.out);
    else
        printf("%llu runs (%llu found there already), %u replications an arm: results in %s\n",
               (unsigned long long)outcome.runs, (unsigned long long)outcome.runs_before,
               outcome.replications, options.out);
    return EXIT_CODE_OK;
}
