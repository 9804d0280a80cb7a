/*
 * Commands: what the program's commands share: options, the call to the daemon, the store opened
 * read-only, printing.
 *
 * A command parses its options with command_options() (argp), asks the daemon over its Unix socket
 * with command_call() or reads the store, prints a table or, with --json, the message as it is, and
 * returns the exit code. Thread rule: one thread.
 */
#ifndef ENTENTE_BROKER_COMMANDS_COMMANDS_H
#define ENTENTE_BROKER_COMMANDS_COMMANDS_H

#include <argp.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/command.h"
#include "broker/config.h"
#include "broker/store/store.h"
#include "proto/wire/messages.h"
#include "proto/wire/methods.h"

#define BROKER_PROGRAM "entente-broker"

enum { COMMAND_ARGUMENTS_MAX = 3, COMMAND_HEADS_MAX = 64, COMMAND_TIMEOUT_MS = 120000 };

/* What a command was told. Options that it does not have are refused by argp. */
struct command_options {
    const char *config; /* --config; NULL: ENTENTE_BROKER_CONFIG */
    const char *socket; /* --socket; NULL: ENTENTE_BROKER_SOCKET, or that of the configuration */
    bool json;
    const char *member;
    const char *ttl;
    bool approved;
    const char *reference;
    const char *request_key; /* --key: the same deposit again has its effect once */
    const char *from;
    const char *to;
    const char *format;
    const char *export_directory;
    const char *after;
    bool wait;
    const char *splits; /* mechanisms to compare: "all" or names; NULL: none */
    bool without_keys;
    bool replace_newer;
    const char *incarnation;
    const char *heads[COMMAND_HEADS_MAX]; /* files with signed ledger heads */
    uint32_t head_count;
    const char *arguments[COMMAND_ARGUMENTS_MAX]; /* what stands without an option */
    uint32_t argument_count;
};

/* Which options and how many arguments a command takes. */
struct command_usage {
    const char *arguments; /* "NAME CREDITS" */
    const char *purpose;
    uint32_t arguments_min;
    uint32_t arguments_max;
    const struct argp_option *options; /* besides --config, --socket and --json; NULL: none */
};

/* Keys of the long options. */
enum {
    OPTION_MEMBER = 0x100,
    OPTION_TTL,
    OPTION_APPROVED,
    OPTION_REFERENCE,
    OPTION_KEY,
    OPTION_FROM,
    OPTION_TO,
    OPTION_FORMAT,
    OPTION_EXPORT,
    OPTION_AFTER,
    OPTION_WAIT,
    OPTION_SPLITS,
    OPTION_WITHOUT_KEYS,
    OPTION_REPLACE_NEWER,
    OPTION_INCARNATION,
    OPTION_HEADS
};

/* argp prints and exits where the usage is wrong. */
void command_options(int argc, char **argv, const struct command_usage *usage,
                     struct command_options *options);

/* The configuration named by the options. */
MUST_USE enum status command_config(const struct command_options *options, struct arena *arena,
                                    struct broker_config *config, struct fault *fault);

/* One call to the daemon; *response lies in the arena. */
MUST_USE enum status command_call(const struct command_options *options,
                                  const struct wire_method *method, const void *request,
                                  struct arena *arena, void **response, struct fault *fault);

/* Calls, and prints with `print` or as JSON; returns the exit code. */
int command_ask(const struct command_options *options, const struct wire_method *method,
                const void *request, void (*print)(const void *response));

/* The store of the configuration, read-only: works while the broker is down. */
MUST_USE enum status command_store(const struct command_options *options, struct arena *arena,
                                   struct store **store, struct fault *fault);

/* Parses a member's name, or fails the command: an exit code other than 0. */
int command_member_name(const char *text, struct name *name);

/* command_fail with our name. */
int command_failed(const struct fault *fault);

/* A row's or round's number; false where it isn't one. */
MUST_USE bool command_number(const char *text, uint64_t *number);

/* Cells. */
const char *command_lease_text(struct lease_id id, char text[static LEASE_ID_TEXT_MAX]);

/* The commands, by their names. */
int command_init(int argc, char **argv);
int command_run(int argc, char **argv);
int command_backup(int argc, char **argv);
int command_restore(int argc, char **argv);
int command_token_create(int argc, char **argv);
int command_member_list(int argc, char **argv);
int command_member_approve(int argc, char **argv);
int command_member_suspend(int argc, char **argv);
int command_member_resume(int argc, char **argv);
int command_member_revoke(int argc, char **argv);
int command_member_deposit(int argc, char **argv);
int command_member_credit_limit(int argc, char **argv);
int command_status(int argc, char **argv);
int command_settlement_list(int argc, char **argv);
int command_settlement_show(int argc, char **argv);
int command_settlement_close(int argc, char **argv);
int command_member_write_off(int argc, char **argv);
int command_pool_release(int argc, char **argv);
int command_jobs(int argc, char **argv);
int command_leases(int argc, char **argv);
int command_throughput_report(int argc, char **argv);
int command_round_run(int argc, char **argv);
int command_round_list(int argc, char **argv);
int command_round_show(int argc, char **argv);
int command_round_splits(const struct command_options *options, uint64_t round);
int command_dispute_list(int argc, char **argv);
int command_dispute_show(int argc, char **argv);
int command_dispute_rule(int argc, char **argv);
int command_explain(int argc, char **argv);
int command_replay(int argc, char **argv);
int command_audit(int argc, char **argv);
int command_ledger_verify(int argc, char **argv);
int command_ledger_export(int argc, char **argv);
int command_statement(int argc, char **argv);

#endif
