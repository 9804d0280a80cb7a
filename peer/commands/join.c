/* join: becomes a member of a federation. */
#include <stdio.h>

#include "peer/commands/commands.h"
#include "peer/identity_files.h"
#include "peer/join.h"

enum { WAIT_MS_DEFAULT = 10 * 60 * 1000 };

static const struct argp_option own[] = {
    {"broker", OPTION_BROKER, "HOST:PORT", 0, "The broker's enrolment address", 0},
    {"token", OPTION_TOKEN, "TOKEN", 0, "The join token, from the broker's operator", 0},
    {"wait", OPTION_WAIT, "DURATION", 0, "How long to wait for approval (10m)", 0},
    {0},
};
static const struct command_usage usage = {
    .purpose = "Makes this datacenter's keys and joins a federation. May be repeated.",
    .options = own,
};

static void on_waiting(void *context)
{
    const struct peer_config *config = context;
    fprintf(stderr,
            "%s: waiting until the broker's operator approves %s "
            "('entente-broker member approve %s') ...\n",
            PEER_PROGRAM, config->member.text, config->member.text);
}

static enum status join(const struct command_options *options, struct peer_config *config,
                        struct certificate_facts *facts, struct fault *fault)
{
    int64_t wait_ms = WAIT_MS_DEFAULT;
    if (options->wait != NULL)
        wait_ms = clock_parse_duration(options->wait);
    if (wait_ms < 0)
        return fault_set(fault, STATUS_INVALID, "--wait: '%.40s' is not a duration: write 30s, 10m",
                         options->wait);
    struct join_request request = {
        .config = config,
        .enrolment_address = options->broker,
        .token = options->token,
        .wait_ms = wait_ms,
        .on_waiting = on_waiting,
        .context = config,
    };
    return join_federation(&request, facts, fault);
}

static void print_joined(const struct peer_config *config, const struct certificate_facts *facts,
                         bool already)
{
    char date[CLOCK_TEXT_MAX];
    printf("%s %s federation %s; its certificate holds until %s and renews itself.\n",
           config->member.text, already ? "is a member of" : "joined",
           facts->subject.federation.text, clock_format_wall(facts->validity.until_wall_ms, date));
    if (!already)
        printf("Next: entente-peer run --config FILE\n");
}

/* One that has joined and whose certificate holds is left as it is. */
int command_join(int argc, char **argv)
{
    struct command_options options;
    struct arena arena;
    struct fault fault = {0};
    struct peer_config config;
    struct certificate_facts facts;
    static struct identity_files files;
    command_options(argc, argv, &usage, &options);
    if (options.broker == NULL || options.token == NULL) {
        fprintf(stderr, "%s join: --broker HOST:PORT and --token TOKEN are needed\n", PEER_PROGRAM);
        return EXIT_CODE_USAGE;
    }
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = command_config(&options, &arena, &config, &fault);
    if (status == STATUS_OK &&
        identity_files_load(&config, clock_wall_ms(clock_real()), &files, NULL) == STATUS_OK) {
        print_joined(&config, &files.facts, true);
    } else if (status == STATUS_OK) {
        status = join(&options, &config, &facts, &fault);
        if (status == STATUS_OK)
            print_joined(&config, &facts, false);
    }
    identity_files_wipe(&files);
    arena_fini(&arena);
    return status == STATUS_OK ? EXIT_CODE_OK : command_failed(&fault);
}
