#include "broker/authority.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"

enum { KEY_MODE = 0600, CERTIFICATE_MODE = 0644, PRIVATE_DIRECTORY_MODE = 0700 };

/* Clocks differ a little: what is made now was valid a moment ago, by a small part of its life. */
enum { VALID_BEFORE_MS_MAX = 5 * 60 * 1000, VALID_BEFORE_PART = 20 };

static struct certificate_validity valid_for(const struct clock *clock, int64_t life_ms)
{
    int64_t now_ms = clock_wall_ms(clock);
    int64_t before_ms = life_ms / VALID_BEFORE_PART;
    before_ms = before_ms < VALID_BEFORE_MS_MAX ? before_ms : VALID_BEFORE_MS_MAX;
    return (struct certificate_validity){.from_wall_ms = now_ms - before_ms,
                                         .until_wall_ms = now_ms + life_ms};
}

static enum status write_text(const char *directory, const char *name, const char *text,
                              mode_t mode, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    enum status status = path_join(path, directory, name, fault);
    struct bytes bytes = {.data = (const uint8_t *)text, .size = strlen(text)};
    return status == STATUS_OK ? file_write(path, bytes, mode, fault) : status;
}

static enum status read_pem(const char *directory, const char *name, struct pem *pem,
                            struct fault *fault)
{
    char path[FILE_PATH_MAX];
    struct arena arena;
    struct bytes bytes = {0};
    arena_init(&arena, 4 * PEM_BYTES_MAX);
    enum status status = path_join(path, directory, name, fault);
    if (status == STATUS_OK)
        status = file_read(path, PEM_BYTES_MAX, &arena, &bytes, fault);
    if (status == STATUS_OK) {
        memcpy(pem->text, bytes.data, bytes.size);
        pem->text[bytes.size] = '\0';
    }
    arena_fini(&arena);
    return status;
}

static enum status append_pem(struct pem *chain, const struct pem *more, struct fault *fault)
{
    size_t size = strlen(chain->text);
    if (size + strlen(more->text) > PEM_BYTES_MAX)
        return fault_set(fault, STATUS_EXHAUSTED, "a certificate chain is longer than %d bytes",
                         PEM_BYTES_MAX);
    memcpy(chain->text + size, more->text, strlen(more->text) + 1);
    return STATUS_OK;
}

/* --- creation: root, intermediate, lease key, the broker's own --- */

struct creation {
    const struct broker_config *config;
    const char *export_directory;
    const struct clock *clock;
    struct authority *authority;
    struct pem root_key; /* wiped at the end */
    struct fault *fault;
};

static enum status make_directories(struct creation *creation);
static enum status make_root(struct creation *creation);
static enum status make_intermediate(struct creation *creation);
static enum status make_lease_key(struct creation *creation);

static enum status note_export(struct creation *creation);

enum status authority_create(const struct broker_config *config, const char *export_directory,
                             const struct clock *clock, struct authority *authority,
                             struct fault *fault)
{
    static enum status (*const steps[])(struct creation *) = {
        make_directories, make_root, make_intermediate, make_lease_key, note_export,
    };
    struct creation creation = {.config = config,
                                .export_directory = export_directory,
                                .clock = clock,
                                .authority = authority,
                                .fault = fault};
    *authority = (struct authority){.federation = config->federation};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < sizeof steps / sizeof steps[0]; i++)
        status = steps[i](&creation);
    pem_wipe(&creation.root_key);
    if (status == STATUS_OK)
        status = identity_pin(&authority->root, &authority->pin, fault);
    return status == STATUS_OK ? authority_renew_broker(config, clock, authority, fault) : status;
}

enum status authority_absent(const struct broker_config *config, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    enum status status = path_join(path, config->state_directory, "root.pem", fault);
    if (status != STATUS_OK || access(path, F_OK) != 0)
        return status;
    return fault_set(fault, STATUS_EXISTS,
                     "%s is there: this federation was initialised before; to start over, move "
                     "%s away (its ledger is in it)",
                     path, config->state_directory);
}

static enum status make_directories(struct creation *creation)
{
    enum status status = authority_absent(creation->config, creation->fault);
    if (status == STATUS_OK)
        status = directory_make(creation->config->state_directory, PRIVATE_DIRECTORY_MODE,
                                creation->fault);
    return status == STATUS_OK
               ? directory_make(creation->export_directory, PRIVATE_DIRECTORY_MODE, creation->fault)
               : status;
}

static enum status make_root(struct creation *creation)
{
    struct authority *authority = creation->authority;
    struct certificate_validity validity =
        valid_for(creation->clock, creation->config->root_certificate_ms);
    enum status status = identity_make_key(&creation->root_key, creation->fault);
    if (status == STATUS_OK)
        status = identity_make_root(&creation->root_key, &authority->federation, validity,
                                    &authority->root, creation->fault);
    if (status == STATUS_OK)
        status = write_text(creation->export_directory, "root.key", creation->root_key.text,
                            KEY_MODE, creation->fault);
    if (status == STATUS_OK)
        status = write_text(creation->export_directory, "root.pem", authority->root.text,
                            CERTIFICATE_MODE, creation->fault);
    return status;
}

static enum status make_intermediate(struct creation *creation)
{
    struct authority *authority = creation->authority;
    const char *state = creation->config->state_directory;
    struct certificate_validity validity =
        valid_for(creation->clock, creation->config->intermediate_certificate_ms);
    enum status status = identity_make_key(&authority->intermediate_key, creation->fault);
    if (status == STATUS_OK)
        status = identity_make_intermediate(&creation->root_key, &authority->root,
                                            &authority->intermediate_key, validity,
                                            &authority->intermediate, creation->fault);
    if (status == STATUS_OK)
        status = write_text(state, "intermediate.key", authority->intermediate_key.text, KEY_MODE,
                            creation->fault);
    if (status == STATUS_OK)
        status = write_text(state, "intermediate.pem", authority->intermediate.text,
                            CERTIFICATE_MODE, creation->fault);
    return status;
}

static enum status make_lease_key(struct creation *creation)
{
    struct authority *authority = creation->authority;
    struct signing_key key;
    char text[2 * SECRET_BYTES + 2];
    enum status status = signing_make(&authority->lease_secret, &key, creation->fault);
    for (size_t i = 0; status == STATUS_OK && i < SECRET_BYTES; i++)
        snprintf(text + 2 * i, 3, "%02x", authority->lease_secret.bytes[i]);
    if (status == STATUS_OK) {
        text[2 * SECRET_BYTES] = '\n';
        text[2 * SECRET_BYTES + 1] = '\0';
        status = write_text(creation->config->state_directory, "lease.key", text, KEY_MODE,
                            creation->fault);
    }
    explicit_bzero(text, sizeof text);
    return status;
}

static enum status note_export(struct creation *creation)
{
    static const char note[] =
        "root.key is the root of this federation's trust. Whoever has it can be anybody.\n"
        "Move this directory to a medium that is kept offline, keep a second copy elsewhere, and\n"
        "remove it from this machine. The broker does not need it: it signs with the intermediate\n"
        "key. You need it again only to make a new intermediate when that one expires or leaks.\n";
    enum status status = write_text(creation->export_directory, "TAKE-ME-OFFLINE.txt", note,
                                    CERTIFICATE_MODE, creation->fault);
    /* root.pem is written last: it marks a complete authority. */
    return status == STATUS_OK
               ? write_text(creation->config->state_directory, "root.pem",
                            creation->authority->root.text, CERTIFICATE_MODE, creation->fault)
               : status;
}

/* --- the broker's own certificate --- */

static enum status read_facts(struct authority *authority, struct fault *fault)
{
    return identity_read_certificate(&authority->broker_chain, &authority->broker_facts, fault);
}

enum status authority_renew_broker(const struct broker_config *config, const struct clock *clock,
                                   struct authority *authority, struct fault *fault)
{
    struct pem key = {0};
    struct pem request = {0};
    struct pem chain = {0};
    struct identity_subject subject = {.role = IDENTITY_BROKER,
                                       .federation = authority->federation};
    enum status status = identity_make_key(&key, fault);
    if (status == STATUS_OK)
        status = identity_make_request(&key, &request, fault);
    if (status == STATUS_OK)
        status = identity_sign_request(
            &authority->intermediate_key, &authority->intermediate, &request, &subject,
            config->public_host, valid_for(clock, config->broker_certificate_ms), &chain, fault);
    if (status == STATUS_OK)
        status = append_pem(&chain, &authority->root, fault);
    if (status == STATUS_OK)
        status = write_text(config->state_directory, "broker.key", key.text, KEY_MODE, fault);
    if (status == STATUS_OK)
        status =
            write_text(config->state_directory, "broker.pem", chain.text, CERTIFICATE_MODE, fault);
    if (status == STATUS_OK) {
        authority->broker_key = key;
        authority->broker_chain = chain;
        status = read_facts(authority, fault);
    }
    pem_wipe(&key);
    return status;
}

int64_t authority_renew_from_ms(const struct authority *authority)
{
    const struct certificate_validity *validity = &authority->broker_facts.validity;
    return validity->from_wall_ms + (validity->until_wall_ms - validity->from_wall_ms) / 3 * 2;
}

/* --- loading --- */

static enum status load_lease_key(const struct broker_config *config, struct authority *authority,
                                  struct fault *fault)
{
    struct pem text = {0};
    enum status status = read_pem(config->state_directory, "lease.key", &text, fault);
    for (size_t i = 0; status == STATUS_OK && i < SECRET_BYTES; i++) {
        unsigned byte = 0;
        int used = 0;
        if (sscanf(text.text + 2 * i, "%2x%n", &byte, &used) != 1 || used != 2)
            status = fault_set(fault, STATUS_CORRUPT,
                               "%s/lease.key is not a lease key: restore it from a backup",
                               config->state_directory);
        authority->lease_secret.bytes[i] = (uint8_t)byte;
    }
    pem_wipe(&text);
    return status;
}

enum status authority_load(const struct broker_config *config, struct authority *authority,
                           struct fault *fault)
{
    const char *state = config->state_directory;
    *authority = (struct authority){.federation = config->federation};
    enum status status = read_pem(state, "root.pem", &authority->root, fault);
    if (status == STATUS_NOT_FOUND)
        return fault_set(fault, STATUS_PRECONDITION,
                         "%s has no federation yet: run 'entente-broker init' first", state);
    if (status == STATUS_OK)
        status = read_pem(state, "intermediate.pem", &authority->intermediate, fault);
    if (status == STATUS_OK)
        status = read_pem(state, "intermediate.key", &authority->intermediate_key, fault);
    if (status == STATUS_OK)
        status = read_pem(state, "broker.pem", &authority->broker_chain, fault);
    if (status == STATUS_OK)
        status = read_pem(state, "broker.key", &authority->broker_key, fault);
    if (status == STATUS_OK)
        status = load_lease_key(config, authority, fault);
    if (status == STATUS_OK)
        status = identity_pin(&authority->root, &authority->pin, fault);
    if (status == STATUS_OK)
        status = read_facts(authority, fault);
    if (status == STATUS_OK &&
        !name_equal(&authority->broker_facts.subject.federation, &config->federation))
        return fault_set(fault, STATUS_CONFIG,
                         "%s belongs to federation '%s', the configuration says '%s'", state,
                         authority->broker_facts.subject.federation.text, config->federation.text);
    return status;
}

void authority_wipe(struct authority *authority)
{
    explicit_bzero(authority, sizeof *authority);
}

enum status authority_sign_member(const struct authority *authority,
                                  const struct broker_config *config, const struct clock *clock,
                                  const struct name *member, const char *csr_pem, struct pem *chain,
                                  struct certificate_facts *facts, struct fault *fault)
{
    struct pem request = {0};
    if (strlen(csr_pem) > PEM_BYTES_MAX)
        return fault_set(fault, STATUS_INVALID, "csr_pem: longer than %d bytes", PEM_BYTES_MAX);
    memcpy(request.text, csr_pem, strlen(csr_pem));
    struct identity_subject subject = {
        .role = IDENTITY_MEMBER, .federation = authority->federation, .member = *member};
    enum status status = identity_sign_request(
        &authority->intermediate_key, &authority->intermediate, &request, &subject, "",
        valid_for(clock, config->member_certificate_ms), chain, fault);
    return status == STATUS_OK ? identity_read_certificate(chain, facts, fault) : status;
}

enum status authority_store_path(const struct broker_config *config,
                                 char path[static FILE_PATH_MAX], struct fault *fault)
{
    return path_join(path, config->state_directory, "broker.db", fault);
}

enum status authority_lock(const struct broker_config *config, int *fd, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    enum status status = path_join(path, config->state_directory, "lock", fault);
    if (status != STATUS_OK)
        return status;
    if (access(config->state_directory, F_OK) != 0)
        return fault_set(fault, STATUS_PRECONDITION,
                         "%s has no federation yet: run 'entente-broker init' first",
                         config->state_directory);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return fault_set(fault, STATUS_IO, "%s: %s", path, strerror(errno));
    if (flock(*fd, LOCK_EX | LOCK_NB) != 0)
        return fault_set(fault, STATUS_UNAVAILABLE, "another broker runs on %s: stop it first",
                         config->state_directory);
    return STATUS_OK;
}
