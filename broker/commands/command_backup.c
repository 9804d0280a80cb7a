/* backup and restore: a broker in one file, and back again. */
#include <inttypes.h>
#include <stdio.h>

#include "broker/backup.h"
#include "broker/commands/commands.h"

static void print_json(const struct backup_facts *facts, const char *file)
{
    printf("{\"file\": \"%s\", \"incarnation\": %" PRIu64 ", \"ledger_sequence\": %" PRIu64
           ", \"rounds\": %" PRIu64 ", \"made_wall_ms\": %" PRId64 ", \"with_keys\": %s}\n",
           file, facts->incarnation, facts->ledger_sequence, facts->rounds, facts->made_wall_ms,
           facts->with_keys ? "true" : "false");
}

static enum status load(const struct command_options *options, struct arena *arena,
                        struct broker_config **config, struct fault *fault)
{
    *config = arena_alloc(arena, 1, sizeof **config);
    return *config != NULL ? command_config(options, arena, *config, fault)
                           : fault_set(fault, STATUS_NO_MEMORY, "no memory");
}

/* --- backup */

static void print_backup(const struct backup_facts *facts, const char *file)
{
    printf("%s: incarnation %" PRIu64 ", %" PRIu64 " ledger entries, %" PRIu64 " rounds\n", file,
           facts->incarnation, facts->ledger_sequence, facts->rounds);
    if (facts->with_keys)
        printf("It holds the broker's keys: whoever reads it can be this broker. With the\n"
               "configuration file it is all that 'restore' needs. The root key is not in it.\n");
    else
        printf("Keep besides: intermediate.pem, intermediate.key, broker.pem, broker.key,\n"
               "lease.key and root.pem of the state directory. 'restore' needs them.\n");
}

int command_backup(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"without-keys", OPTION_WITHOUT_KEYS, NULL, 0, "Leave the keys out; keep them yourself", 0},
        {0},
    };
    static const struct command_usage usage = {
        .arguments = "FILE",
        .purpose = "Writes all that the broker knows at this moment to a new file. The broker may "
                   "run meanwhile, and goes on undisturbed.",
        .arguments_min = 1,
        .arguments_max = 1,
        .options = own,
    };
    struct command_options options;
    struct fault fault = {0};
    struct arena arena;
    struct broker_config *config = NULL;
    struct backup_facts facts = {0};
    command_options(argc, argv, &usage, &options);
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = load(&options, &arena, &config, &fault);
    if (status == STATUS_OK)
        status = backup_make(config, options.arguments[0], options.without_keys, clock_real(),
                             &facts, &fault);
    if (status == STATUS_OK)
        (options.json ? print_json : print_backup)(&facts, options.arguments[0]);
    arena_fini(&arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_failed(&fault);
}

/* --- restore */

static void print_restored(const struct backup_facts *facts, const char *file)
{
    char date[CLOCK_TEXT_MAX];
    printf("Restored from %s of %s: %" PRIu64 " ledger entries, verified; %" PRIu64
           " rounds. This is incarnation %" PRIu64 ".\n",
           file, clock_format_wall(facts->made_wall_ms, date), facts->ledger_sequence,
           facts->rounds, facts->incarnation);
    printf("What was there lies beside it as broker.db.replaced-*.\n\n"
           "Next: entente-broker run. No market is cleared before every member has reported its\n"
           "leases, receipts and ledger head, or all leases of before must be over;\n"
           "'entente-broker status' says who is waited for. Members that joined after the backup\n"
           "join again.\n");
}

int command_restore(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"replace-newer", OPTION_REPLACE_NEWER, NULL, 0,
         "Also where the state is newer than the backup, or can't be read", 0},
        {"incarnation", OPTION_INCARNATION, "NUMBER", 0,
         "At least this one (where members saw a higher one than is known here)", 0},
        {0},
    };
    static const struct command_usage usage = {
        .arguments = "FILE",
        .purpose = "Puts a backup in the place of the configuration's state, under a new "
                   "incarnation, after verifying its ledger. The broker must not run.",
        .arguments_min = 1,
        .arguments_max = 1,
        .options = own,
    };
    struct command_options options;
    struct fault fault = {0};
    struct arena arena;
    struct broker_config *config = NULL;
    struct backup_facts facts = {0};
    command_options(argc, argv, &usage, &options);
    struct backup_restore restore = {.file = options.arguments[0],
                                     .replace_newer = options.replace_newer};
    if (options.incarnation != NULL &&
        !command_number(options.incarnation, &restore.incarnation_min)) {
        fprintf(stderr, "%s: --incarnation: '%s' is not a number\n", BROKER_PROGRAM,
                options.incarnation);
        return EXIT_CODE_USAGE;
    }
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = load(&options, &arena, &config, &fault);
    if (status == STATUS_OK)
        status = backup_restore(config, &restore, clock_real(), &facts, &fault);
    if (status == STATUS_OK)
        (options.json ? print_json : print_restored)(&facts, options.arguments[0]);
    arena_fini(&arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_failed(&fault);
}
