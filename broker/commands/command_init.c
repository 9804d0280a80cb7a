/* init and run: a federation begins, and its broker serves. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "broker/authority.h"
#include "broker/commands/commands.h"
#include "broker/daemon.h"

/* --- init */

static void print_initialised(const struct broker_config *config, const char *export_directory,
                              const struct authority *authority)
{
    char pin[DIGEST_TEXT_MAX];
    struct signing_key key;
    struct name key_id = {0};
    if (signing_public(&authority->lease_secret, &key, NULL) == STATUS_OK)
        signing_key_id(&key, &key_id);
    printf("Federation %s is ready.\n", config->federation.text);
    printf("  state        %s\n", config->state_directory);
    printf("  root pin     %s\n", digest_format(&authority->pin, pin));
    printf("  lease key    %s\n", key_id.text);
    printf("  root key     %s/root.key\n\n", export_directory);
    printf("Take %s offline now: whoever has root.key can be anybody in this\n"
           "federation. The broker does not need it. Keep a second copy in another place.\n\n",
           export_directory);
    printf("Next: entente-broker run --config FILE\n");
}

/* An empty store comes first, the authority's root.pem last: an init that was cut short can be run
 * again, and finds the store of before. */
static enum status make_store(const struct broker_config *config, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    struct store *store = NULL;
    enum status status = authority_absent(config, fault);
    if (status == STATUS_OK)
        status = directory_make(config->state_directory, 0700, fault);
    if (status == STATUS_OK)
        status = authority_store_path(config, path, fault);
    if (status == STATUS_OK)
        status = store_open(path, STORE_CREATE, &store, fault);
    store_close(store);
    return status == STATUS_EXISTS && authority_absent(config, fault) == STATUS_OK ? STATUS_OK
                                                                                   : status;
}

static enum status initialise(const struct command_options *options, struct arena *arena,
                              struct fault *fault)
{
    char export_directory[FILE_PATH_MAX];
    struct broker_config *config = arena_alloc(arena, 1, sizeof *config);
    struct authority *authority = arena_alloc(arena, 1, sizeof *authority);
    if (config == NULL || authority == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory");
    enum status status = command_config(options, arena, config, fault);
    if (status != STATUS_OK)
        return status;
    if (options->export_directory != NULL)
        snprintf(export_directory, sizeof export_directory, "%s", options->export_directory);
    else
        status = path_join(export_directory, config->state_directory, "root-export", fault);
    if (status == STATUS_OK)
        status = make_store(config, fault);
    if (status == STATUS_OK)
        status = authority_create(config, export_directory, clock_real(), authority, fault);
    if (status == STATUS_OK)
        print_initialised(config, export_directory, authority);
    authority_wipe(authority);
    return status;
}

int command_init(int argc, char **argv)
{
    static const struct argp_option own[] = {
        {"export", OPTION_EXPORT, "DIRECTORY", 0,
         "Where the root key goes (STATE/root-export); take it offline afterwards", 0},
        {0},
    };
    static const struct command_usage usage = {
        .purpose = "Makes a federation: root key (exported), intermediate, certificates, lease key "
                   "and an empty ledger.",
        .options = own,
    };
    struct command_options options;
    struct fault fault = {0};
    struct arena arena;
    command_options(argc, argv, &usage, &options);
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = initialise(&options, &arena, &fault);
    arena_fini(&arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_failed(&fault);
}

/* --- run */

int command_run(int argc, char **argv)
{
    static const struct command_usage usage = {
        .purpose = "Runs the broker until SIGTERM. Prints one line 'ready ...' with its addresses, "
                   "also written to STATE/addresses; logs to stderr (ENTENTE_LOG=debug for more).",
    };
    const char *level = getenv("ENTENTE_LOG");
    struct log log = {
        .fd = STDERR_FILENO,
        .level = level != NULL && level[0] == 'd' ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO,
        .clock = clock_real(),
        .component = "broker",
    };
    struct command_options options;
    struct fault fault = {0};
    struct arena arena;
    command_options(argc, argv, &usage, &options);
    arena_init(&arena, 4 * (size_t)ARENA_MESSAGE_BYTES);
    struct broker_config *config = arena_alloc(&arena, 1, sizeof *config);
    enum status status = config == NULL ? fault_set(&fault, STATUS_NO_MEMORY, "no memory")
                                        : command_config(&options, &arena, config, &fault);
    if (status == STATUS_OK)
        status = daemon_run(config, &log, &fault);
    arena_fini(&arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_failed(&fault);
}
