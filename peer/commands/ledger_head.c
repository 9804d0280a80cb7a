/*
 * ledger-head: what the broker signed of its ledger, as this peer keeps it: one line for each
 * incarnation of the broker, to be kept elsewhere and handed to an auditor. From the spool's file,
 * so that it works while the peer is down.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "peer/commands/commands.h"
#include "peer/spool/spool.h"
#include "proto/identity/identity.h"
#include "proto/wire/head_text.h"
#include "proto/wire/json.h"
#include "proto/wire/methods.h"

static const struct command_usage usage = {
    .purpose = "The broker's ledger heads that this peer keeps: signed, so that a ledger from "
               "which entries were taken away can be proved wrong.",
    .closing = "Example: entente-peer ledger-head > heads.txt\n"
               "  then, at the broker: entente-broker ledger verify --heads heads.txt",
};

static enum status print_one(const struct signed_bytes *kept, bool json, struct arena *arena,
                             struct fault *fault)
{
    void *decoded = NULL;
    const char *line = NULL;
    char hash[DIGEST_TEXT_MAX];
    char date[CLOCK_TEXT_MAX];
    enum status status = wire_decode(&message_ledger_head, kept->body, arena, &decoded, fault);
    if (status == STATUS_OK)
        status = head_text_format(kept, arena, &line, fault);
    if (status != STATUS_OK)
        return status;
    const struct ledger_head *head = decoded;
    if (json)
        wire_print_json(&message_ledger_head, head, stdout);
    else
        printf("# entry %" PRIu64 ", hash %s, signed %s by the broker's incarnation %" PRIu64
               "\n%s\n",
               head->sequence, digest_format(&head->hash, hash),
               clock_format_wall(head->signed_wall_ms, date), head->incarnation, line);
    return STATUS_OK;
}

static enum status open_spool(const struct command_options *options, struct arena *arena,
                              struct spool **spool, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    struct peer_config *config = arena_alloc(arena, 1, sizeof *config);
    if (config == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory");
    enum status status = command_config(options, arena, config, fault);
    if (status == STATUS_OK)
        status = path_join(path, config->state_directory, "spool.db", fault);
    if (status == STATUS_OK && access(path, F_OK) != 0)
        return fault_set(fault, STATUS_NOT_FOUND, "%s: this peer has not joined yet", path);
    return status == STATUS_OK ? spool_open(path, clock_real(), spool, fault) : status;
}

int command_ledger_head(int argc, char **argv)
{
    struct command_options options;
    struct fault fault = {0};
    struct arena arena;
    struct spool *spool = NULL;
    struct signed_bytes *heads = NULL;
    uint32_t count = 0;
    command_options(argc, argv, &usage, &options);
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = open_spool(&options, &arena, &spool, &fault);
    if (status == STATUS_OK)
        status = spool_heads(spool, &arena, &heads, &count, &fault);
    for (uint32_t i = 0; status == STATUS_OK && i < count; i++)
        status = print_one(&heads[i], options.json, &arena, &fault);
    spool_close(spool);
    arena_fini(&arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_failed(&fault);
}
