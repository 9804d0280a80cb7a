/*
 * market solve FILE: the market's plan, prices and payoffs, by the method and for the objective
 * asked for; with --gangs in whole GPUs. --warm keeps what was found for the next round.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/command.h"
#include "base/file.h"
#include "economics/commands/commands.h"
#include "economics/commands/market_clock.h"
#include "economics/commands/market_report.h"

static const char program_name[] = "entente-economics";

struct options {
    const char *path;
    const char *state;
    struct outcome_options outcome;
    bool json;
};

struct solving {
    const struct options *options;
    struct arena arena;
    struct instance instance;
    struct session *session;
    struct outcome outcome;
    struct market_report report;
};

enum {
    OPTION_JSON = 256,
    OPTION_GANGS,
    OPTION_METHOD,
    OPTION_OBJECTIVE,
    OPTION_GUARANTEE,
    OPTION_THREADS,
    OPTION_WARM,
    OPTION_ITERATIONS
};

/* -- Options ----------------------------------------------------------------------------------- */

/* Which of the names (ended by NULL) it is. */
static int choice_of(const char *option, const char *value, const char *const *names,
                     struct argp_state *state)
{
    for (int i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], value) == 0)
            return i;
    argp_error(state, "--%s: '%s' is none of %s, %s%s%s", option, value, names[0],
               names[1] != NULL ? names[1] : "nothing",
               names[1] != NULL && names[2] != NULL ? ", " : "",
               names[1] != NULL && names[2] != NULL ? names[2] : "");
    return 0;
}

static error_t parse_session(int key, char *value, struct outcome_options *outcome,
                             struct argp_state *state)
{
    static const char *const methods[] = {"auto", "exact", "fast", NULL};
    static const char *const objectives[] = {"welfare", "max-min", "proportional", NULL};
    switch (key) {
    case OPTION_METHOD:
        outcome->session.method = (enum session_method)choice_of("method", value, methods, state);
        return 0;
    case OPTION_OBJECTIVE:
        outcome->objective =
            (enum outcome_objective)choice_of("objective", value, objectives, state);
        return 0;
    case OPTION_GUARANTEE:
        if (strcmp(value, "standalone") != 0)
            argp_error(state, "--guarantee: '%s' is not standalone", value);
        outcome->guarantee = true;
        return 0;
    case OPTION_GANGS: outcome->gangs = true; return 0;
    case OPTION_THREADS:
        outcome->session.threads =
            (uint32_t)option_whole(value, "threads", SESSION_THREADS_MAX, state);
        return 0;
    case OPTION_ITERATIONS:
        outcome->session.iterations_max = option_whole(value, "iterations", INT64_MAX, state);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case OPTION_JSON: options->json = true; return 0;
    case OPTION_WARM: options->state = value; return 0;
    case ARGP_KEY_ARG:
        if (options->path != NULL)
            argp_error(state, "one FILE at a time");
        options->path = value;
        return 0;
    case ARGP_KEY_NO_ARGS: argp_error(state, "FILE is missing"); return 0;
    default: return parse_session(key, value, &options->outcome, state);
    }
}

/* -- The state between rounds ------------------------------------------------------------------ */

static enum status load_state(struct solving *s, struct fault *fault)
{
    struct bytes bytes;
    struct arena arena;
    if (s->options->state == NULL || access(s->options->state, F_OK) != 0)
        return STATUS_OK; /* the first round */
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status status =
        file_read(s->options->state, SESSION_STATE_BYTES_MAX, &arena, &bytes, fault);
    if (status == STATUS_OK) {
        status = session_load(s->session, bytes, fault);
        if (status != STATUS_OK)
            status = fault_prefix(fault, status, "%s", s->options->state);
    }
    arena_fini(&arena);
    return status;
}

static enum status save_state(struct solving *s, struct fault *fault)
{
    struct bytes bytes;
    if (s->options->state == NULL)
        return STATUS_OK;
    enum status const status = session_save(s->session, &s->arena, &bytes, fault);
    return status == STATUS_OK ? file_write(s->options->state, bytes, 0644, fault) : status;
}

/* -- The command ------------------------------------------------------------------------------- */

static enum status read_instance(struct solving *s, struct fault *fault)
{
    double const wall = clock_wall_seconds(NULL);
    double const cpu = clock_cpu_seconds();
    progress_say("reading %s", s->options->path);
    enum status const status = instance_read(s->options->path, &s->arena, &s->instance, fault);
    s->report.read_seconds = clock_wall_seconds(NULL) - wall;
    s->report.read_cpu_seconds = clock_cpu_seconds() - cpu;
    return status;
}

static enum status solve(struct solving *s, struct fault *fault)
{
    enum status status = session_open(&s->session, fault);
    if (status == STATUS_OK)
        status = load_state(s, fault);
    if (status != STATUS_OK)
        return status;
    double const wall = clock_wall_seconds(NULL);
    double const cpu = clock_cpu_seconds();
    progress_say("solving %u jobs in %u configurations", s->instance.market.job_count,
                 s->instance.market.column_count);
    status = outcome_find(&s->instance.market, s->session, &s->options->outcome, &s->arena,
                          &s->outcome, fault);
    s->report.solve_seconds = clock_wall_seconds(NULL) - wall;
    s->report.solve_cpu_seconds = clock_cpu_seconds() - cpu;
    return status == STATUS_OK ? save_state(s, fault) : status;
}

static enum status run(struct solving *s, struct fault *fault)
{
    enum status status = read_instance(s, fault);
    if (status == STATUS_OK)
        status = solve(s, fault);
    progress_clear();
    if (status != STATUS_OK)
        return status;
    s->report.instance = &s->instance;
    s->report.options = &s->options->outcome;
    s->report.outcome = &s->outcome;
    if (s->options->json)
        return market_report_json(&s->report, fault);
    market_report_tables(&s->report);
    return STATUS_OK;
}

int market_solve_command(int argc, char **argv)
{
    static const struct argp_option list[] = {
        {"method", OPTION_METHOD, "auto|exact|fast", 0,
         "exact: the optimum, proved; fast: feasible with a certified gap (auto: by size)", 0},
        {"objective", OPTION_OBJECTIVE, "welfare|max-min|proportional", 0,
         "The sum (default); lexicographic max-min over members' own jobs; their logarithms", 0},
        {"gangs", OPTION_GANGS, NULL, 0,
         "Whole GPUs, one configuration a job, packed on nodes; payoffs as posted", 0},
        {"guarantee", OPTION_GUARANTEE, "standalone", 0,
         "Each member's jobs are worth at least what it reaches alone", 0},
        {"threads", OPTION_THREADS, "N", 0, "The same result for any number (1)", 0},
        {"warm", OPTION_WARM, "STATE", 0,
         "Start from STATE where that file is there, and keep what was found in it", 0},
        {"iterations", OPTION_ITERATIONS, "N", 0,
         "At most so many of the simplex; the gap then says how good the plan is", 0},
        {"json", OPTION_JSON, NULL, 0, "Print JSON instead of tables", 0},
        {NULL, 0, NULL, 0, NULL, 0}};
    static const struct command_syntax syntax = {
        .arguments = "FILE",
        .purpose = "Solves the market in FILE (JSON or the compact form; documented in "
                   "economics/market/README.md).",
        .own = list,
        .parser = parse_option,
        .closing =
            "Without --gangs jobs may share rounds: the plan is the LP's, and payoffs are its core "
            "point. Fair plans and guarantees change the plan, not the money: they pay the welfare "
            "LP's prices, with the epsilon shown. Prices are credits per GPU-second, payoffs "
            "credits a round."};
    struct options options = {.outcome = {.session = {.clock = {.seconds = clock_wall_seconds}}}};
    command_parse(argc, argv, &syntax, &options);
    struct solving solving = {.options = &options};
    struct fault fault = {.status = STATUS_OK};
    arena_init(&solving.arena, (size_t)ARENA_ROUND_BYTES * 4);
    enum status const status = run(&solving, &fault);
    session_close(solving.session);
    arena_fini(&solving.arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_fail(program_name, &fault);
}
