/*
 * Commands: what the program's commands share: options, the call to the daemon, printing.
 *
 * A command parses its options with command_options() (argp), asks the daemon over its Unix socket
 * with command_call(), prints a table or, with --json, the message as it is, and returns the exit
 * code. Thread rule: one thread.
 */
#ifndef ENTENTE_PEER_COMMANDS_COMMANDS_H
#define ENTENTE_PEER_COMMANDS_COMMANDS_H

#include <argp.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/command.h"
#include "peer/config.h"
#include "proto/wire/messages.h"
#include "proto/wire/methods.h"

#define PEER_PROGRAM "entente-peer"

enum { COMMAND_TIMEOUT_MS = 120 * 1000 };

/* What a command was told. Options that it does not have are refused by argp. */
struct command_options {
    const char *config; /* --config; NULL: ENTENTE_PEER_CONFIG */
    const char *socket; /* --socket; NULL: ENTENTE_PEER_SOCKET, or that of the configuration */
    const char *broker;
    const char *token;
    const char *wait;
    const char *to;
    const char *from;
    const char *after;
    const char *text;
    const char *seconds;
    bool json;
    bool follow;
    bool off;
    bool verbose;
    const char *argument; /* what stands without an option; NULL: nothing */
};

struct command_usage {
    const char *arguments; /* "JOB"; NULL: takes none */
    const char *purpose;
    const struct argp_option *options; /* besides the common ones; NULL: none */
    bool argument_needed;
    const char *closing; /* the end of --help: an example */
};

enum {
    OPTION_BROKER = 0x100,
    OPTION_TOKEN,
    OPTION_WAIT,
    OPTION_TO,
    OPTION_FROM,
    OPTION_OFF,
    OPTION_VERBOSE,
    OPTION_AFTER,
    OPTION_TEXT,
    OPTION_SECONDS
};

/* argp prints and exits where the usage is wrong. */
void command_options(int argc, char **argv, const struct command_usage *usage,
                     struct command_options *options);

MUST_USE enum status command_config(const struct command_options *options, struct arena *arena,
                                    struct peer_config *config, struct fault *fault);
/* The daemon's socket, in the arena. */
MUST_USE enum status command_socket(const struct command_options *options, struct arena *arena,
                                    const char **socket, struct fault *fault);

/* One call to the daemon; *response lies in the arena. */
MUST_USE enum status command_call(const struct command_options *options,
                                  const struct wire_method *method, const void *request,
                                  struct arena *arena, void **response, struct fault *fault);

/* Calls, and prints with `print` or as JSON; returns the exit code. */
int command_ask(const struct command_options *options, const struct wire_method *method,
                const void *request, void (*print)(const void *response));

/* command_fail with our name. */
int command_failed(const struct fault *fault);

/* The job named by the argument, or an exit code other than 0. */
int command_job(const struct command_options *options, struct name *job);

int command_join(int argc, char **argv);
int command_restored(int argc, char **argv);
int command_run(int argc, char **argv);
int command_submit(int argc, char **argv);
int command_jobs(int argc, char **argv);
int command_show(int argc, char **argv);
int command_logs(int argc, char **argv);
int command_cancel(int argc, char **argv);
int command_fetch(int argc, char **argv);
int command_drain(int argc, char **argv);
int command_status(int argc, char **argv);
int command_statement(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_dispute_list(int argc, char **argv);
int command_dispute_open(int argc, char **argv);
int command_dispute_withdraw(int argc, char **argv);
int command_dispute_answer(int argc, char **argv);
int command_dispute_concede(int argc, char **argv);
int command_ledger_head(int argc, char **argv);

#endif
