/* market explain: why a job is placed or not and what would place it; what more would be worth to a
 * member. */
#include "base/command.h"
#include "base/json_stream_write.h"
#include "base/table.h"
#include "economics/commands/commands.h"
#include "economics/commands/market_clock.h"
#include "economics/market/explaining/explain_job.h"
#include "economics/market/explaining/explain_member.h"

static const char program_name[] = "entente-economics";

struct options {
    const char *path;
    const char *job;
    const char *member;
    bool json;
};

enum { OPTION_JSON = 256, OPTION_JOB, OPTION_MEMBER };

static error_t parse_option(int key, char *value, struct argp_state *state)
{
    struct options *options = state->input;
    switch (key) {
    case OPTION_JSON: options->json = true; return 0;
    case OPTION_JOB: options->job = value; return 0;
    case OPTION_MEMBER: options->member = value; return 0;
    case ARGP_KEY_ARG:
        if (options->path != NULL)
            argp_error(state, "one FILE at a time");
        options->path = value;
        return 0;
    case ARGP_KEY_END:
        if (options->path == NULL)
            argp_error(state, "FILE is missing");
        if ((options->job == NULL) == (options->member == NULL))
            argp_error(state, "either --job ID or --member M");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* -- A job ------------------------------------------------------------------------------------- */

static void print_column(const char *what, const struct explained_column *column)
{
    if (column->there)
        printf("%-13s%u GPUs of %s: worth %.6f, rents %.6f, leaves %.6f credits a round\n", what,
               column->gpus, column->pool, column->worth, column->rent,
               column->worth - column->rent);
}

static void print_remedy(const char *what, const char *unit, const struct remedy *remedy)
{
    if (!remedy->there)
        return;
    if (remedy->proved < 0)
        printf("%-13s%.9g %s would be needed at least; no number tried placed it\n", what,
               remedy->needed, unit);
    else
        printf("%-13s%.9g %s (%s): places it, as solving again shows\n", what, remedy->proved, unit,
               remedy->pool);
}

static void print_job(const struct explained_job *job)
{
    printf("job          %s of %s\n", job->job, job->home);
    printf("runs         %.6f of the round; surplus %.6f credits\n", job->share, job->surplus);
    print_column(job->share > 0 ? "placed" : "nearest", &job->best);
    print_column("runner-up", &job->runner_up);
    if (job->binds[0] != '\0')
        printf("in its way   %s\n", job->binds);
    print_remedy("higher bid", "credits per example", &job->higher_bid);
    print_remedy("higher limit", "credits per GPU-second", &job->higher_limit);
    print_remedy("fewer GPUs", "GPUs, as fast each", &job->fewer_gpus);
    print_remedy("more GPUs", "GPUs more in the pool", &job->more_gpus);
}

static void put_column(struct emitter *to, const char *key, const struct explained_column *column)
{
    if (!column->there) {
        emit_null(to, key);
        return;
    }
    emit_object(to, key);
    emit_text(to, "pool", column->pool);
    emit_integer(to, "gpus", column->gpus);
    emit_number(to, "share", column->share);
    emit_number(to, "worth", column->worth);
    emit_number(to, "rent", column->rent);
    emit_number(to, "surplus", column->worth - column->rent);
    emit_end(to);
}

static void put_remedy(struct emitter *to, const char *key, const struct remedy *remedy)
{
    if (!remedy->there) {
        emit_null(to, key);
        return;
    }
    emit_object(to, key);
    emit_number(to, "needed", remedy->needed);
    if (remedy->proved >= 0)
        emit_number(to, "places_it", remedy->proved);
    else
        emit_null(to, "places_it");
    emit_text(to, "pool", remedy->pool);
    emit_end(to);
}

static void put_job(struct emitter *to, const struct explained_job *job)
{
    emit_text(to, "job", job->job);
    emit_text(to, "home", job->home);
    emit_number(to, "share", job->share);
    emit_number(to, "surplus", job->surplus);
    emit_number(to, "bid", job->bid);
    put_column(to, job->share > 0 ? "placed" : "nearest", &job->best);
    put_column(to, "runner_up", &job->runner_up);
    if (job->binds[0] != '\0')
        emit_text(to, "binds", job->binds);
    else
        emit_null(to, "binds");
    put_remedy(to, "bid_needed", &job->higher_bid);
    put_remedy(to, "price_max_needed", &job->higher_limit);
    put_remedy(to, "fewer_gpus", &job->fewer_gpus);
    put_remedy(to, "more_gpus_in_pool", &job->more_gpus);
}

/* -- A member ---------------------------------------------------------------------------------- */

static void print_member_pools(const struct explained_member *member)
{
    static const struct table_column columns[] = {
        {"pool", false},          {"GPUs", true},          {"used", true},
        {"rent (credits)", true}, {"one more adds", true}, {"one fewer costs", true},
        {"holds for", true}};
    struct table table;
    table_init(&table, columns, sizeof columns / sizeof columns[0]);
    for (uint32_t p = 0; p < member->pool_count; p++) {
        const struct explained_pool *pool = &member->pools[p];
        table_text(&table, pool->pool);
        table_format(&table, "%u", pool->gpus);
        table_format(&table, "%.2f", pool->used);
        table_format(&table, "%.6f", pool->rent);
        table_format(&table, "%.6f", pool->gain);
        table_format(&table, "%.6f", pool->loss);
        table_format(&table, "%u%s more", pool->holds_up, pool->holds_on ? " or" : "");
    }
    table_print(&table, stdout);
    table_fini(&table);
}

static void print_member(const struct explained_member *member)
{
    printf("member       %s\n", member->member);
    printf("payoff       %.6f credits a round\n", member->payoff);
    printf("own jobs     %u of %u run, worth %.6f credits a round\n\n", member->placed,
           member->jobs, member->own_jobs);
    print_member_pools(member);
    if (member->copy_count > 0)
        printf("\n");
    for (uint32_t i = 0; i < member->copy_count; i++)
        printf("another job like %s would add %.6f credits a round (its surplus: %.6f)\n",
               member->copies[i].job, member->copies[i].gain, member->copies[i].surplus);
}

static void put_member(struct emitter *to, const struct explained_member *member)
{
    emit_text(to, "member", member->member);
    emit_number(to, "payoff", member->payoff);
    emit_number(to, "own_jobs", member->own_jobs);
    emit_integer(to, "jobs", member->jobs);
    emit_integer(to, "placed", member->placed);
    emit_array(to, "pools");
    for (uint32_t p = 0; p < member->pool_count; p++) {
        const struct explained_pool *pool = &member->pools[p];
        emit_object(to, NULL);
        emit_text(to, "pool", pool->pool);
        emit_integer(to, "gpus", pool->gpus);
        emit_number(to, "used", pool->used);
        emit_number(to, "rent", pool->rent);
        emit_number(to, "one_more_adds", pool->gain);
        emit_number(to, "one_fewer_costs", pool->loss);
        emit_integer(to, "holds_for_more", pool->holds_up);
        emit_boolean(to, "holds_beyond", pool->holds_on);
        emit_end(to);
    }
    emit_end(to);
    emit_array(to, "another_job_like");
    for (uint32_t i = 0; i < member->copy_count; i++) {
        emit_object(to, NULL);
        emit_text(to, "job", member->copies[i].job);
        emit_number(to, "surplus", member->copies[i].surplus);
        emit_number(to, "adds", member->copies[i].gain);
        emit_end(to);
    }
    emit_end(to);
}

/* -- The command ------------------------------------------------------------------------------- */

static enum status explain(const struct options *options, struct draft *draft,
                           struct session *session, struct arena *arena, struct fault *fault)
{
    struct session_options const exact = {.method = SESSION_EXACT};
    struct explained_job job;
    struct explained_member member;
    struct emitter *to = NULL;
    enum status status = draft_read(options->path, draft, fault);
    if (status != STATUS_OK)
        return status;
    progress_say("solving, and solving again");
    status =
        options->job != NULL
            ? explain_market_job(draft, session, &exact, options->job, &job, fault)
            : explain_market_member(draft, session, &exact, options->member, arena, &member, fault);
    progress_clear();
    if (status != STATUS_OK)
        return fault_prefix(fault, status, "%s", options->path);
    if (options->json) {
        status = emit_open(stdout, &to, fault);
        if (status != STATUS_OK)
            return status;
    }
    if (to == NULL && options->job != NULL)
        print_job(&job);
    else if (to == NULL)
        print_member(&member);
    else if (options->job != NULL)
        put_job(to, &job);
    else
        put_member(to, &member);
    return emit_close(to, fault);
}

int market_explain_command(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"job", OPTION_JOB, "ID", 0, "Why it runs where it does, or what stands in its way", 0},
        {"member", OPTION_MEMBER, "M", 0, "What a GPU, or a job, more would be worth", 0},
        {"json", OPTION_JSON, NULL, 0, "Print JSON instead of text", 0},
        {0}};
    static const struct command_syntax syntax = {
        .arguments = "FILE",
        .purpose = "Explains the optimum of the market in FILE by its duals and reduced costs, and "
                   "proves what it says by solving again.",
        .own = own,
        .parser = parse_option,
        .closing = "Example: entente-economics market explain f.json --job j0000007"};
    struct options options = {0};
    command_parse(argc, argv, &syntax, &options);
    struct arena arena;
    struct draft draft;
    struct session *session = NULL;
    struct fault fault = {.status = STATUS_OK};
    arena_init(&arena, ARENA_ROUND_BYTES);
    draft_init(&draft, &arena);
    enum status status = session_open(&session, &fault);
    if (status == STATUS_OK)
        status = explain(&options, &draft, session, &arena, &fault);
    session_close(session);
    draft_fini(&draft);
    arena_fini(&arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_fail(program_name, &fault);
}
