#include "broker/learning/learning.h"

#include <inttypes.h>
#include <stdlib.h>

struct learning_task {
    struct learning *learning; /* NULL: stopped meanwhile */
    struct arena arena;
    struct learn_input input;
    struct learned *made;
    char *text; /* of the fit made */
    size_t text_size;
    enum status status;
    struct fault fault;
    struct worker_task task;
};

static enum status read_files(struct learning *learning, struct fault *fault);
static enum status take_stored(struct learning *learning, struct fault *fault);

enum status learning_open(struct learning *learning, struct core *core, struct fault *fault)
{
    *learning = (struct learning){.core = core};
    arena_init(&learning->arena, ARENA_ROUND_BYTES);
    enum status status = read_files(learning, fault);
    if (status == STATUS_OK)
        status = take_stored(learning, fault);
    return status;
}

static enum status read_files(struct learning *learning, struct fault *fault)
{
    const struct broker_config *config = learning->core->config;
    enum status status = STATUS_OK;
    if (config->learning_rows[0] != '\0') {
        learning->given = arena_alloc(&learning->arena, 1, sizeof *learning->given);
        if (learning->given == NULL)
            return fault_set(fault, STATUS_NO_MEMORY, "no memory for learning.rows");
        measurements_init(learning->given, &learning->arena);
        status = measurements_read(learning->given, config->learning_rows, false, fault);
        if (status == STATUS_OK && learning->given->skipped_count > 0)
            log_warning(learning->core->log, "%s:%u: skipped: %s (%u such rows in all)",
                        config->learning_rows, learning->given->complaints[0].line,
                        learning->given->complaints[0].text, learning->given->skipped_count);
    }
    if (status == STATUS_OK && config->learning_model[0] != '\0')
        status = model_read(config->learning_model, &learning->arena, &learning->model, fault);
    return status == STATUS_OK ? status : fault_prefix(fault, status, "learning");
}

static enum status list_rows(const struct learning *learning, struct arena *arena,
                             struct learn_input *input, struct fault *fault)
{
    struct core *core = learning->core;
    struct store_measurement *rows = NULL;
    *input = (struct learn_input){
        .table = &core->config->throughputs,
        .given = learning->given,
        .model = learning->model,
        .now_ms = core_now_ms(core),
    };
    enum status const status = store_measurement_list(core->store, 0, LEARN_ROWS_MAX, arena, &rows,
                                                      &input->row_count, fault);
    input->rows = rows;
    return status;
}

/* A stored fit that can't be read (it was made by another release) is only made anew. */
static enum status take_stored(struct learning *learning, struct fault *fault)
{
    struct core *core = learning->core;
    struct arena arena;
    struct learn_input input;
    struct store_fit stored = {.version = 0};
    struct learned *learned = NULL;
    struct fault why = {.text = ""};
    arena_init(&arena, ARENA_ROUND_BYTES);
    enum status status = list_rows(learning, &arena, &input, fault);
    if (status == STATUS_OK) {
        status = store_fit_newest(core->store, &arena, &stored, fault);
        status = status == STATUS_NOT_FOUND ? STATUS_OK : status;
    }
    if (status == STATUS_OK && learned_restore(&input, stored.model, &learned, &why) != STATUS_OK)
        log_warning(core->log, "fit %" PRIu64 " is not used: %s", stored.version, why.text);
    arena_fini(&arena);
    if (learned == NULL)
        return status;
    learned->version = stored.version;
    learned->made_wall_ms = stored.made_wall_ms;
    core->learned = learned;
    return status;
}

/* --- when */

static void on_timer(void *context);

static void arm(struct learning *learning)
{
    if (learning->loop != NULL && learning->timer.loop == NULL)
        rpc_timer_start(learning->loop, &learning->timer,
                        learning->core->config->learning_update_ms, on_timer, learning);
}

void learning_start(struct learning *learning, struct rpc_loop *loop, struct worker *worker,
                    void (*on_learned)(void *context), void *context)
{
    learning->loop = loop;
    learning->worker = worker;
    learning->on_learned = on_learned;
    learning->context = context;
    bool const never = learning->core->learned == NULL || learning->core->learned->version == 0;
    learning->dirty = learning->given != NULL && never;
    if (learning->dirty)
        on_timer(learning);
}

void learning_stop(struct learning *learning)
{
    if (learning->loop != NULL)
        rpc_timer_stop(&learning->timer);
    if (learning->running != NULL)
        learning->running->learning = NULL;
    learning->running = NULL;
    arena_fini(&learning->arena);
}

void learning_poke(struct learning *learning)
{
    learning->dirty = true;
    arm(learning);
}

/* --- one fit */

static void on_work(void *context)
{
    struct learning_task *task = context;
    task->status = learned_fit(&task->input, &task->made, &task->fault);
    if (task->status == STATUS_OK)
        task->status = learned_text(task->made, &task->text, &task->text_size, &task->fault);
}

static void free_task(struct learning_task *task)
{
    learned_close(task->made);
    free(task->text);
    arena_fini(&task->arena);
    free(task);
}

/* Stored first, in force then. */
static enum status adopt(struct core *core, struct learning_task *task)
{
    struct store_fit fit = {.made_wall_ms = core_now_ms(core),
                            .model = {(const uint8_t *)task->text, task->text_size}};
    enum status status = store_begin(core->store, &task->fault);
    if (status == STATUS_OK)
        status = store_fit_add(core->store, &fit, &task->fault);
    if (status == STATUS_OK)
        status = store_commit(core->store, &task->fault);
    store_rollback(core->store);
    if (status != STATUS_OK)
        return status;
    task->made->version = fit.version;
    task->made->made_wall_ms = fit.made_wall_ms;
    learned_close(core->learned);
    core->learned = learned_hold(task->made);
    return STATUS_OK;
}

static void on_done(void *context)
{
    struct learning_task *task = context;
    struct learning *learning = task->learning;
    if (learning == NULL) {
        free_task(task);
        return;
    }
    struct core *core = learning->core;
    learning->running = NULL;
    if (task->status == STATUS_OK)
        task->status = adopt(core, task);
    if (task->status == STATUS_OK)
        log_info(core->log, "throughput fit %" PRIu64 ": %u rows, %u models, %u GPU kinds",
                 core->learned->version, core->learned->predictor.fit->row_count,
                 core->learned->predictor.fit->model_count,
                 core->learned->predictor.fit->cluster_count);
    else
        log_error(core->log, "learning: %s", task->fault.text);
    bool const learned = task->status == STATUS_OK;
    free_task(task);
    if (learning->dirty)
        arm(learning);
    if (learned)
        learning->on_learned(learning->context);
}

static void on_timer(void *context)
{
    struct learning *learning = context;
    struct fault fault = {.text = ""};
    if (!learning->dirty || learning->running != NULL)
        return;
    struct learning_task *task = calloc(1, sizeof *task);
    if (task == NULL)
        return; /* the next row asks again */
    arena_init(&task->arena, ARENA_ROUND_BYTES);
    if (list_rows(learning, &task->arena, &task->input, &fault) != STATUS_OK) {
        log_error(learning->core->log, "learning: %s", fault.text);
        free_task(task);
        return;
    }
    learning->dirty = false;
    if (task->input.row_count == 0 && task->input.given == NULL) {
        free_task(task);
        return;
    }
    task->learning = learning;
    task->task = (struct worker_task){.work = on_work, .done = on_done, .context = task};
    learning->running = task;
    worker_submit(learning->worker, &task->task);
}
