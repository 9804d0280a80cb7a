/*
 * entente-trainer: the demo's job. Trains a small network on Fashion-MNIST, data-parallel, at the
 * pace of the GPU kind that it is told it has.
 *
 * It keeps the contract between Entente and a job (peer/executor/executor.h): ENTENTE_GPUS,
 * ENTENTE_GPU_SPEED, ENTENTE_PROGRESS, ENTENTE_CHECKPOINT; SIGTERM means checkpoint and exit. Exit
 * codes: 0 all work is done; 75 stopped before that, to be resumed; 1 failure; 2 wrong usage.
 */
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "configs/demo/trainer/checkpoint.h"
#include "configs/demo/trainer/options.h"
#include "configs/demo/trainer/pace.h"
#include "configs/demo/trainer/team.h"

enum { EXIT_TO_BE_RESUMED = 75 /* EX_TEMPFAIL */ };

#define PROGRESS_EVERY_S 0.5
#define LOG_EVERY_S      2.0
#define LOSS_MEMORY      0.98 /* of the running mean, a step */

static volatile sig_atomic_t stop_asked; /* the signal flag */

struct session {
    const struct options *options;
    struct dataset data;
    struct network weights;
    struct training training;
    struct team *team;
    uint64_t resumed_from; /* examples */
    double began_s;
    double ended_s; /* 0: still training */
    double progress_due_s;
    double log_due_s;
    double checkpoint_due_s;
};

static enum status begin(struct session *session, struct fault *fault);
static enum status resume(struct session *session, struct fault *fault);
static enum status train(struct session *session, struct fault *fault);
static enum status report(struct session *session, struct fault *fault);
static enum status save(struct session *session, struct fault *fault);
static enum status conclude(struct session *session, struct fault *fault);
static void end(struct session *session);

static void on_stop(int number)
{
    (void)number;
    stop_asked = 1;
}

int main(int argc, char **argv)
{
    struct options options;
    struct fault fault = {0};
    struct session session = {.options = &options};
    enum status status = options_read(argc, argv, &options, &fault);
    if (status == STATUS_OK && options.predict) {
        printf("%.1f\n",
               pace_examples_per_second(options.model, options.speed, options.gpus, options.batch));
        return EXIT_CODE_OK;
    }
    sigaction(SIGTERM, &(struct sigaction){.sa_handler = on_stop}, NULL);
    sigaction(SIGINT, &(struct sigaction){.sa_handler = on_stop}, NULL);
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (status == STATUS_OK)
        status = begin(&session, &fault);
    if (status == STATUS_OK)
        status = train(&session, &fault);
    bool const done = session.training.examples >= options.examples;
    if (status == STATUS_OK)
        status = save(&session, &fault);
    if (status == STATUS_OK && done)
        status = conclude(&session, &fault);
    end(&session);
    if (status != STATUS_OK) {
        fprintf(stderr, "entente-trainer: %s\n", fault.text);
        return status == STATUS_INVALID ? EXIT_CODE_USAGE : EXIT_CODE_FAILURE;
    }
    return done ? EXIT_CODE_OK : EXIT_TO_BE_RESUMED;
}

static enum status begin(struct session *session, struct fault *fault)
{
    const struct options *options = session->options;
    session->training = (struct training){
        .seed = options->seed,
        .hidden = options->model->hidden,
        .batch = options->batch,
        .learning_rate = options->learning_rate,
    };
    enum status status = network_init(&session->weights, options->model->hidden, fault);
    if (status != STATUS_OK)
        return status;
    network_seed(&session->weights, options->seed);
    status = resume(session, fault);
    if (status == STATUS_OK)
        status =
            dataset_load(&session->data, options->data, DATASET_TRAIN, options->data_limit, fault);
    if (status == STATUS_OK)
        status = team_open(&session->team, &session->data, &session->weights, options->gpus,
                           options->seed, fault);
    if (status != STATUS_OK)
        return status;
    printf("%s network, %u %s at speed %g, batch %u, seed %llu: %llu of %llu examples to do, %.0f "
           "examples/s expected\n",
           options->model->name, options->gpus, options->gpu, options->speed, options->batch,
           (unsigned long long)options->seed,
           (unsigned long long)(options->examples > session->resumed_from
                                    ? options->examples - session->resumed_from
                                    : 0),
           (unsigned long long)options->examples,
           pace_examples_per_second(options->model, options->speed, options->gpus, options->batch));
    return STATUS_OK;
}

static enum status resume(struct session *session, struct fault *fault)
{
    const char *path = session->options->checkpoint;
    if (path == NULL)
        return STATUS_OK;
    enum status status = checkpoint_read(path, &session->training, &session->weights, fault);
    if (status == STATUS_NOT_FOUND)
        return STATUS_OK;
    if (status == STATUS_OK) {
        session->resumed_from = session->training.examples;
        printf("resumed from %s: step %llu, %llu examples done\n", path,
               (unsigned long long)session->training.steps,
               (unsigned long long)session->training.examples);
    }
    return status;
}

static enum status train(struct session *session, struct fault *fault)
{
    const struct options *options = session->options;
    struct training *training = &session->training;
    struct pace pace;
    enum status status = STATUS_OK;
    pace_begin(&pace);
    session->began_s = pace_now_s();
    session->log_due_s = session->began_s + LOG_EVERY_S;
    session->checkpoint_due_s = session->began_s + options->checkpoint_every_s;
    while (status == STATUS_OK && training->examples < options->examples && stop_asked == 0) {
        uint64_t const left = options->examples - training->examples;
        uint32_t const batch = left < options->batch ? (uint32_t)left : options->batch;
        double const loss =
            team_step(session->team, training->examples, batch, (float)options->learning_rate);
        training->loss =
            training->steps == 0 ? loss : LOSS_MEMORY * training->loss + (1 - LOSS_MEMORY) * loss;
        training->steps++;
        training->examples += batch;
        if (options->paced)
            pace_wait(&pace, pace_step_s(options->model, options->speed, options->gpus, batch));
        status = report(session, fault);
    }
    session->ended_s = pace_now_s();
    return status;
}

static double rate_of(const struct session *session)
{
    double const end = session->ended_s > 0 ? session->ended_s : pace_now_s();
    double const elapsed = end - session->began_s;
    double const made = (double)(session->training.examples - session->resumed_from);
    return elapsed > 0 ? made / elapsed : 0;
}

static enum status write_progress(const struct session *session, struct fault *fault)
{
    char text[160];
    if (session->options->progress == NULL)
        return STATUS_OK;
    int const length =
        snprintf(text, sizeof text, "steps %llu\nexamples %llu\nexamples_per_second %.3f\n",
                 (unsigned long long)session->training.steps,
                 (unsigned long long)session->training.examples, rate_of(session));
    /* Nobody needs it after a crash, so unlike a checkpoint it isn't synced. */
    char beside[FILE_PATH_MAX];
    if ((size_t)snprintf(beside, sizeof beside, "%s.new", session->options->progress) >=
        sizeof beside)
        return fault_set(fault, STATUS_INVALID, "ENTENTE_PROGRESS is too long");
    FILE *file = fopen(beside, "we");
    bool written = file != NULL && fwrite(text, 1, (size_t)length, file) == (size_t)length;
    if (file != NULL && fclose(file) != 0)
        written = false;
    if (!written || rename(beside, session->options->progress) != 0)
        return fault_set(fault, STATUS_IO, "%s: %s", beside, strerror(errno));
    return STATUS_OK;
}

/* What is due of progress, log and checkpoint. */
static enum status report(struct session *session, struct fault *fault)
{
    const struct training *training = &session->training;
    double const now = pace_now_s();
    enum status status = STATUS_OK;
    if (now >= session->progress_due_s) {
        session->progress_due_s = now + PROGRESS_EVERY_S;
        status = write_progress(session, fault);
    }
    if (now >= session->log_due_s) {
        session->log_due_s = now + LOG_EVERY_S;
        printf("%7.1f s  step %llu  %llu of %llu examples  loss %.4f  %.0f examples/s\n",
               now - session->began_s, (unsigned long long)training->steps,
               (unsigned long long)training->examples,
               (unsigned long long)session->options->examples, training->loss, rate_of(session));
    }
    if (status == STATUS_OK && now >= session->checkpoint_due_s) {
        session->checkpoint_due_s = now + session->options->checkpoint_every_s;
        if (session->options->checkpoint != NULL)
            status =
                checkpoint_write(session->options->checkpoint, training, &session->weights, fault);
    }
    return status;
}

/* At the end, done or stopped. */
static enum status save(struct session *session, struct fault *fault)
{
    const char *path = session->options->checkpoint;
    enum status status = write_progress(session, fault);
    bool const done = session->training.examples >= session->options->examples;
    if (status == STATUS_OK && path != NULL)
        status = checkpoint_write(path, &session->training, &session->weights, fault);
    if (status == STATUS_OK && !done)
        printf("stopped at step %llu, %llu examples done; %s\n",
               (unsigned long long)session->training.steps,
               (unsigned long long)session->training.examples,
               path != NULL ? "checkpoint written" : "no ENTENTE_CHECKPOINT to write to");
    return status;
}

static enum status conclude(struct session *session, struct fault *fault)
{
    const struct options *options = session->options;
    const struct training *training = &session->training;
    double const rate = rate_of(session);
    struct dataset test;
    enum status status = dataset_load(&test, options->data, DATASET_TEST, 0, fault);
    if (status != STATUS_OK)
        return status;
    double const accuracy = team_accuracy(&session->weights, &test);
    dataset_fini(&test);
    printf("done: %llu steps, %llu examples, loss %.4f, test accuracy %.4f, %.0f examples/s\n",
           (unsigned long long)training->steps, (unsigned long long)training->examples,
           training->loss, accuracy, rate);
    if (options->result == NULL)
        return STATUS_OK;
    char text[512];
    int const length = snprintf(
        text, sizeof text,
        "{\n  \"model\": \"%s\",\n  \"seed\": %llu,\n  \"batch\": %u,\n  \"steps\": %llu,\n"
        "  \"examples\": %llu,\n  \"loss\": %.6f,\n  \"test_accuracy\": %.4f,\n"
        "  \"gpus\": %u,\n  \"resumed_from_examples\": %llu,\n  \"examples_per_second\": %.1f\n}\n",
        options->model->name, (unsigned long long)options->seed, options->batch,
        (unsigned long long)training->steps, (unsigned long long)training->examples, training->loss,
        accuracy, options->gpus, (unsigned long long)session->resumed_from, rate);
    return file_write(options->result, (struct bytes){(const uint8_t *)text, (size_t)length}, 0644,
                      fault);
}

static void end(struct session *session)
{
    team_close(session->team);
    dataset_fini(&session->data);
    network_fini(&session->weights);
}
