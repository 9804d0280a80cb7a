/* See config.h. The file is loaded by schema into struct file_config (config_file.h), then read
 * field by field into the configuration, each with its default and its bounds. */
#include "broker/config.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/yaml.h"
#include "broker/call_rate.h"
#include "broker/config_file.h"
#include "broker/money/ledger.h"

/* --- reading it: each step takes what the file says, or the default, and checks it --- */

/* What every step needs. The first fault stays: later steps do nothing. */
struct reading {
    const char *path;
    const struct file_config *file;
    struct broker_config *config;
    struct arena *arena;
    struct fault *fault;
    enum status status;
};

static void read_names(struct reading *reading);
static void read_addresses(struct reading *reading);
static void read_operators(struct reading *reading);
static void read_durations(struct reading *reading);
static void read_round_relations(struct reading *reading);
static void read_split(struct reading *reading);
static void read_quotas(struct reading *reading);
static void read_money(struct reading *reading);
static void read_costs(struct reading *reading);
static void read_throughputs(struct reading *reading);
static void read_learning(struct reading *reading);

enum status broker_config_load(const char *file, struct arena *arena, struct broker_config *config,
                               struct fault *fault)
{
    void *loaded = NULL;
    enum status status = yaml_load(file, &config_file_schema, arena, &loaded, fault);
    if (status != STATUS_OK)
        return status;
    *config = (struct broker_config){.operator_gid = -1};
    struct reading reading = {
        .path = file, .file = loaded, .config = config, .arena = arena, .fault = fault};
    read_names(&reading);
    read_addresses(&reading);
    read_operators(&reading);
    read_durations(&reading);
    read_round_relations(&reading);
    read_split(&reading);
    read_quotas(&reading);
    read_money(&reading);
    read_costs(&reading);
    read_throughputs(&reading);
    read_learning(&reading);
    return reading.status;
}

#define REFUSE(reading, key, ...)                                                                  \
    ((reading)->status = (reading)->status != STATUS_OK                                            \
                             ? (reading)->status                                                   \
                             : yaml_fault((reading)->fault, (reading)->path, key, __VA_ARGS__))

/* A path of the file, made absolute from the file's own directory: wherever a command is run, it
 * means the same. */
static void resolve_path(struct reading *reading, const char *key, const char *text,
                         char path[static FILE_PATH_MAX])
{
    char here[FILE_PATH_MAX] = "";
    const char *slash = strrchr(reading->path, '/');
    int directory = slash == NULL ? 0 : (int)(slash - reading->path) + 1;
    bool relative = reading->path[0] != '/' && text[0] != '/';
    if (relative && getcwd(here, sizeof here) == NULL)
        REFUSE(reading, key, "the current directory is gone: %s", strerror(errno));
    int length = text[0] == '/' ? snprintf(path, FILE_PATH_MAX, "%s", text)
                                : snprintf(path, FILE_PATH_MAX, "%s%s%.*s%s", here,
                                           relative ? "/" : "", directory, reading->path, text);
    if (length >= FILE_PATH_MAX)
        REFUSE(reading, key, "the path is longer than %d bytes", FILE_PATH_MAX - 1);
}

static void read_names(struct reading *reading)
{
    struct fault fault;
    if (member_name_parse(&reading->config->federation, reading->file->federation, &fault) !=
        STATUS_OK)
        REFUSE(reading, "federation",
               "'%s' can't be part of a host name: use lower-case letters, digits and inner dashes",
               reading->file->federation);
    resolve_path(reading, "state_directory", reading->file->state_directory,
                 reading->config->state_directory);
    if (strlen(reading->file->public_host) > NAME_BYTES_MAX * 3)
        REFUSE(reading, "public_host", "a host name has at most %d bytes", NAME_BYTES_MAX * 3);
    else
        snprintf(reading->config->public_host, sizeof reading->config->public_host, "%s",
                 reading->file->public_host);
}

static void read_address(struct reading *reading, const char *key, const char *text,
                         char address[static ADDRESS_BYTES_MAX + 1])
{
    const char *colon = strrchr(text, ':');
    unsigned port = 0;
    int used = 0;
    bool good = colon != NULL && colon != text && strlen(text) <= ADDRESS_BYTES_MAX &&
                strspn(colon + 1, "0123456789") == strlen(colon + 1) &&
                sscanf(colon + 1, "%5u%n", &port, &used) == 1 && colon[1 + used] == '\0' &&
                port <= 65535;
    if (!good) {
        REFUSE(reading, key, "'%s' is not HOST:PORT, for example 0.0.0.0:7600 (port 0: any free)",
               text);
        return;
    }
    snprintf(address, ADDRESS_BYTES_MAX + 1, "%s", text);
}

static void read_addresses(struct reading *reading)
{
    const struct file_listen *listen = &reading->file->listen;
    read_address(reading, "listen.members", listen->members, reading->config->members_address);
    read_address(reading, "listen.enrolment", listen->enrolment,
                 reading->config->enrolment_address);
    const char *port = strrchr(listen->members, ':');
    if (reading->status == STATUS_OK && strcmp(listen->members, listen->enrolment) == 0 &&
        strcmp(port, ":0") != 0)
        REFUSE(reading, "listen.enrolment",
               "is the members' address: enrolment needs a port of its own");
}

static void read_operators(struct reading *reading)
{
    const struct file_operators *operators = &reading->file->operators;
    if (operators->socket != NULL) {
        resolve_path(reading, "operators.socket", operators->socket,
                     reading->config->operator_socket);
    } else if (snprintf(reading->config->operator_socket, FILE_PATH_MAX, "%s/operator.sock",
                        reading->config->state_directory) >= FILE_PATH_MAX) {
        REFUSE(reading, "state_directory", "the path is longer than %d bytes", FILE_PATH_MAX - 1);
    }
    if (operators->group == NULL)
        return;
    const struct group *group = getgrnam(operators->group);
    if (group == NULL)
        REFUSE(reading, "operators.group", "this machine has no group '%s'", operators->group);
    else
        reading->config->operator_gid = (int64_t)group->gr_gid;
}

/* One duration: key, the file's text, its default and its least value. */
static int64_t read_duration(struct reading *reading, const char *key, const char *text,
                             int64_t default_ms, int64_t least_ms)
{
    if (text == NULL)
        return default_ms;
    int64_t ms = clock_parse_duration(text);
    if (ms < 0)
        REFUSE(reading, key, "'%s' is not a duration: write 250ms, 5s, 15m, 24h or 30d", text);
    else if (ms < least_ms)
        REFUSE(reading, key, "'%s' is below the least of %" PRId64 " ms", text, least_ms);
    return ms;
}

static void read_durations(struct reading *reading)
{
    int64_t const second = 1000, hour = 3600 * second, day = 24 * hour;
    const struct file_config *file = reading->file;
    struct broker_config *config = reading->config;
    config->heartbeat_ms = read_duration(reading, "heartbeat_period", file->heartbeat_period,
                                         5 * second, CONFIG_HEARTBEAT_MS_MIN);
    config->round_ms = read_duration(reading, "rounds.period", file->rounds.period, 300 * second,
                                     CONFIG_ROUND_MS_MIN);
    config->interim_delay_ms =
        read_duration(reading, "rounds.interim_delay", file->rounds.interim_delay, second, 1);
    config->holdover_ms = read_duration(reading, "leases.holdover", file->leases.holdover, day, 0);
    config->grace_ms = read_duration(reading, "leases.grace", file->leases.grace, 30 * second, 100);
    config->skew_ms_max =
        read_duration(reading, "leases.clock_skew", file->leases.clock_skew, 5 * second, 0);
    config->accept_within_ms = read_duration(reading, "leases.accept_within",
                                             file->leases.accept_within, 60 * second, second);
    config->member_certificate_ms =
        read_duration(reading, "certificates.member", file->certificates.member, 30 * day, second);
    config->broker_certificate_ms =
        read_duration(reading, "certificates.broker", file->certificates.broker, 30 * day, second);
    config->intermediate_certificate_ms = read_duration(
        reading, "certificates.intermediate", file->certificates.intermediate, 730 * day, second);
    config->root_certificate_ms =
        read_duration(reading, "certificates.root", file->certificates.root, 3650 * day, second);
}

/* Default lead: a tenth of the period within 1 to 30 s (ARCHITECTURE: rounds and time). */
static void read_round_relations(struct reading *reading)
{
    struct broker_config *config = reading->config;
    int64_t lead_ms = config->round_ms / 10;
    lead_ms = lead_ms < 1000 ? 1000 : lead_ms > 30000 ? 30000 : lead_ms;
    if (lead_ms > config->round_ms / 2)
        lead_ms = config->round_ms / 2;
    config->lead_ms = read_duration(reading, "rounds.lead", reading->file->rounds.lead, lead_ms, 1);
    if (config->lead_ms > config->round_ms / 2)
        REFUSE(reading, "rounds.lead", "is more than half of the period; a tenth does well");
    if (config->heartbeat_ms > config->round_ms)
        REFUSE(reading, "heartbeat_period",
               "is longer than a round: offers would be stale before they are used");
}

/* "federation/endowment" or "member/NAME". */
static void read_funding(struct reading *reading, const char *text)
{
    struct ledger_account account;
    reading->config->funded = true;
    if (!ledger_account_parse(text, &account) || account.kind == ACCOUNT_ESCROW ||
        account.kind == ACCOUNT_LOSSES)
        REFUSE(reading, "split.funding",
               "'%s' is not an account that can pay: federation/endowment or member/NAME", text);
    else
        reading->config->funding_member = account.member;
}

/* Only who names an account to pay its deficit may choose a mechanism that has one [DESIGN §3]. */
static void read_split(struct reading *reading)
{
    const struct file_split *split = &reading->file->split;
    struct broker_config *config = reading->config;
    struct fault fault;
    config->mechanism = &mechanisms[0];
    if (split->mechanism != NULL &&
        mechanism_find(split->mechanism, &config->mechanism, &fault) != STATUS_OK)
        REFUSE(reading, "split.mechanism", "%s", fault.text);
    if (split->funding != NULL)
        read_funding(reading, split->funding);
    if (config->mechanism->funded && !config->funded)
        REFUSE(reading, "split.funding",
               "%s pays more than the gain: name the account that funds it, for example "
               "federation/endowment",
               config->mechanism->name);
    if (config->funded && !config->mechanism->funded)
        REFUSE(reading, "split.funding", "%s has no deficit to fund: leave it out",
               config->mechanism->name);
}

static uint32_t read_count(struct reading *reading, const char *key, const uint32_t *value,
                           uint32_t default_value, uint32_t most)
{
    if (value == NULL)
        return default_value;
    if (*value == 0 || *value > most)
        REFUSE(reading, key, "%" PRIu32 " is not within 1 to %" PRIu32, *value, most);
    return *value;
}

static double read_number(struct reading *reading, const char *key, const double *value,
                          double default_value, double least)
{
    if (value == NULL)
        return default_value;
    if (!isfinite(*value) || *value < least)
        REFUSE(reading, key, "must be a number of at least %g", least);
    return *value;
}

static void read_quotas(struct reading *reading)
{
    const struct file_quotas *quotas = &reading->file->quotas;
    struct broker_config *config = reading->config;
    config->jobs_per_member_max = read_count(reading, "quotas.jobs_per_member",
                                             quotas->jobs_per_member, 1000, JOBS_PER_MEMBER_MAX);
    config->gpus_per_job_max = read_count(reading, "quotas.gpus_per_job", quotas->gpus_per_job, 64,
                                          NODES_PER_LEASE_MAX * GPUS_PER_NODE_MAX);
    config->calls_per_second_max =
        read_count(reading, "quotas.calls_per_second", quotas->calls_per_second, CALL_RATE_DEFAULT,
                   CALL_RATE_MAX);
    config->enrolments_per_minute_max =
        read_count(reading, "listen.enrolments_per_minute",
                   reading->file->listen.enrolments_per_minute, 60, 100000);
    double limit = read_number(reading, "credits.limit", reading->file->credits.limit, 0.0, 0.0);
    if (!credits_from_double(limit, &config->credit_limit_default))
        REFUSE(reading, "credits.limit", "is too large");
}

static void read_money(struct reading *reading)
{
    int64_t const minute = 60 * 1000, day = 24 * 60 * minute;
    const struct file_quarantine *quarantine = &reading->file->quarantine;
    const struct file_settlement *settlement = &reading->file->settlement;
    struct broker_config *config = reading->config;
    config->quarantine_failures = read_count(reading, "quarantine.failures", quarantine->failures,
                                             QUARANTINE_FAILURES_DEFAULT, 32);
    config->quarantine_window_ms =
        read_duration(reading, "quarantine.window", quarantine->window, 10 * minute, 1000);
    config->quarantine_pause_ms =
        read_duration(reading, "quarantine.pause", quarantine->pause, 15 * minute, 1000);
    config->settlement_period_ms =
        read_duration(reading, "settlement.period", settlement->period, 30 * day, 1000);
    config->settlement_due_ms =
        read_duration(reading, "settlement.due", settlement->due, 14 * day, 0);
    config->silent_home_ms =
        read_duration(reading, "settlement.silence", settlement->silence, day, 1000);
}

static void read_costs(struct reading *reading)
{
    const struct file_costs *costs = &reading->file->costs;
    struct broker_config *config = reading->config;
    config->restart_seconds =
        (double)read_duration(reading, "costs.restart", costs->restart, 30000, 0) / 1000.0;
    config->transfer_bytes_per_second = read_number(reading, "costs.transfer_bytes_per_second",
                                                    costs->transfer_bytes_per_second, 1e8, 1.0);
    config->credits_per_gigabyte =
        read_number(reading, "costs.credits_per_gigabyte", costs->credits_per_gigabyte, 0.0, 0.0);
}

static void read_throughput_row(struct reading *reading, uint32_t at, struct throughput_row *row)
{
    const struct file_throughput *from = &reading->file->throughput[at];
    struct fault fault = {0};
    char key[YAML_PATH_MAX];
    snprintf(key, sizeof key, "throughput[%" PRIu32 "]", at);
    if (name_parse(&row->model, "model", from->model, &fault) != STATUS_OK ||
        name_parse(&row->gpu, "gpu", from->gpu, &fault) != STATUS_OK)
        REFUSE(reading, key, "%s", fault.text);
    else if (from->gpus == 0)
        REFUSE(reading, key, "gpus must be at least 1");
    else if (!isfinite(from->examples_per_second) || from->examples_per_second <= 0)
        REFUSE(reading, key, "examples_per_second must be a number above 0");
    row->gpus = from->gpus;
    row->examples_per_second = from->examples_per_second;
}

static void read_throughputs(struct reading *reading)
{
    uint32_t count = reading->file->throughput_count;
    struct throughput_row *rows = arena_alloc(reading->arena, count, sizeof *rows);
    if (rows == NULL) {
        REFUSE(reading, "throughput", "no memory for %" PRIu32 " rows", count);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        read_throughput_row(reading, i, &rows[i]);
    struct fault fault = {0};
    if (reading->status == STATUS_OK && throughput_table_prepare(rows, count, &fault) != STATUS_OK)
        REFUSE(reading, "throughput", "%s", fault.text);
    reading->config->throughputs = (struct throughput_table){.rows = rows, .row_count = count};
}

static void read_learning(struct reading *reading)
{
    const struct file_learning *learning = &reading->file->learning;
    struct broker_config *config = reading->config;
    if (learning->rows != NULL)
        resolve_path(reading, "learning.rows", learning->rows, config->learning_rows);
    if (learning->model != NULL)
        resolve_path(reading, "learning.model", learning->model, config->learning_model);
    config->learning_update_ms =
        read_duration(reading, "learning.update", learning->update, 60 * 1000, 100);
}
