#include "peer/identity_files.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SECRET_FILE_MODE = 0600, MEMBER_FILE_BYTES_MAX = 2 * PEM_BYTES_MAX };

static const char certificate_mark[] = "-----BEGIN CERTIFICATE-----";

static enum status file_path(const struct peer_config *config, const char *name,
                             char path[static FILE_PATH_MAX], struct fault *fault)
{
    char directory[FILE_PATH_MAX];
    enum status status = path_join(directory, config->state_directory, "identity", fault);
    if (status == STATUS_OK)
        status = directory_make(directory, 0700, fault);
    return status == STATUS_OK ? path_join(path, directory, name, fault) : status;
}

static enum status read_text(const struct peer_config *config, const char *name, size_t bytes_max,
                             struct arena *arena, struct bytes *bytes, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    enum status status = file_path(config, name, path, fault);
    return status == STATUS_OK ? file_read(path, bytes_max, arena, bytes, fault) : status;
}

static enum status write_secret(const struct peer_config *config, const char *name,
                                struct bytes bytes, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    enum status status = file_path(config, name, path, fault);
    return status == STATUS_OK ? file_write(path, bytes, SECRET_FILE_MODE, fault) : status;
}

static enum status to_pem(const char *text, size_t length, struct pem *pem, struct fault *fault)
{
    if (length > PEM_BYTES_MAX)
        return fault_set(fault, STATUS_CORRUPT, "a PEM file of ours is longer than %d bytes",
                         PEM_BYTES_MAX);
    memset(pem, 0, sizeof *pem);
    memcpy(pem->text, text, length);
    return STATUS_OK;
}

static enum status read_member(const struct peer_config *config, struct arena *arena,
                               struct identity_files *files, struct fault *fault)
{
    struct bytes bytes;
    enum status status =
        read_text(config, "member.pem", MEMBER_FILE_BYTES_MAX, arena, &bytes, fault);
    if (status == STATUS_NOT_FOUND)
        return fault_set(fault, STATUS_CONFIG,
                         "%s has not joined a federation yet: run 'entente-peer join' with a token "
                         "of the broker's operator",
                         config->member.text);
    if (status != STATUS_OK)
        return status;
    const char *text = (const char *)bytes.data;
    const char *chain = strstr(text, certificate_mark);
    if (chain == NULL)
        return fault_set(fault, STATUS_CORRUPT,
                         "identity/member.pem has no certificate: join anew");
    status = to_pem(text, (size_t)(chain - text), &files->key, fault);
    if (status == STATUS_OK)
        status = to_pem(chain, strlen(chain), &files->chain, fault);
    return status;
}

static enum status read_signing(const struct peer_config *config, struct arena *arena,
                                struct identity_files *files, struct fault *fault)
{
    struct bytes bytes;
    enum status status = read_text(config, "signing.key", SECRET_BYTES, arena, &bytes, fault);
    if (status != STATUS_OK)
        return status;
    if (bytes.size != SECRET_BYTES)
        return fault_set(fault, STATUS_CORRUPT, "identity/signing.key has not %d bytes: join anew",
                         SECRET_BYTES);
    memcpy(files->secret.bytes, bytes.data, SECRET_BYTES);
    return signing_public(&files->secret, &files->signing_key, fault);
}

/* The arena held secrets. */
static void wipe_arena(struct arena *arena, struct bytes bytes)
{
    if (bytes.size > 0)
        explicit_bzero((void *)(uintptr_t)bytes.data, bytes.size);
    arena_fini(arena);
}

static enum status check(const struct peer_config *config, int64_t now_wall_ms,
                         struct identity_files *files, struct fault *fault)
{
    enum status status =
        identity_verify_chain(&files->chain, &files->root, &files->key, now_wall_ms, fault);
    if (status != STATUS_OK)
        return fault_prefix(fault, STATUS_CONFIG,
                            "the certificate of %s does not hold any more; join again with a new "
                            "token",
                            config->member.text);
    status = identity_read_certificate(&files->chain, &files->facts, fault);
    if (status == STATUS_OK && !name_equal(&files->facts.subject.member, &config->member))
        return fault_set(fault, STATUS_CONFIG,
                         "the certificate in %s/identity is of member %s, the configuration says "
                         "%s",
                         config->state_directory, files->facts.subject.member.text,
                         config->member.text);
    return status;
}

enum status identity_files_load(const struct peer_config *config, int64_t now_wall_ms,
                                struct identity_files *files, struct fault *fault)
{
    struct arena arena;
    struct bytes root = {0};
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = read_member(config, &arena, files, fault);
    if (status == STATUS_OK)
        status = read_text(config, "root.pem", PEM_BYTES_MAX, &arena, &root, fault);
    if (status == STATUS_OK)
        status = to_pem((const char *)root.data, root.size, &files->root, fault);
    if (status == STATUS_OK)
        status = read_signing(config, &arena, files, fault);
    if (status == STATUS_OK)
        status = check(config, now_wall_ms, files, fault);
    wipe_arena(&arena, root);
    return status;
}

void identity_files_wipe(struct identity_files *files)
{
    pem_wipe(&files->key);
    explicit_bzero(&files->secret, sizeof files->secret);
}

/* --- joining */

static enum status begin_signing(const struct peer_config *config, struct arena *arena,
                                 struct identity_files *files, struct fault *fault)
{
    enum status status = read_signing(config, arena, files, fault);
    if (status != STATUS_NOT_FOUND)
        return status;
    status = signing_make(&files->secret, &files->signing_key, fault);
    struct bytes bytes = {files->secret.bytes, SECRET_BYTES};
    return status == STATUS_OK ? write_secret(config, "signing.key", bytes, fault) : status;
}

static enum status begin_key(const struct peer_config *config, struct arena *arena,
                             struct identity_files *files, struct fault *fault)
{
    struct bytes bytes;
    enum status status = read_text(config, "joining.pem", PEM_BYTES_MAX, arena, &bytes, fault);
    if (status == STATUS_OK)
        return to_pem((const char *)bytes.data, bytes.size, &files->key, fault);
    if (status != STATUS_NOT_FOUND)
        return status;
    status = identity_make_key(&files->key, fault);
    bytes = (struct bytes){(const uint8_t *)files->key.text, strlen(files->key.text)};
    return status == STATUS_OK ? write_secret(config, "joining.pem", bytes, fault) : status;
}

enum status identity_files_begin(const struct peer_config *config, struct identity_files *files,
                                 struct fault *fault)
{
    struct arena arena;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    enum status status = directory_make(config->state_directory, 0700, fault);
    if (status == STATUS_OK)
        status = begin_signing(config, &arena, files, fault);
    if (status == STATUS_OK)
        status = begin_key(config, &arena, files, fault);
    arena_fini(&arena);
    return status;
}

enum status identity_files_save_root(const struct peer_config *config, const struct pem *root,
                                     struct fault *fault)
{
    struct bytes bytes = {(const uint8_t *)root->text, strlen(root->text)};
    return write_secret(config, "root.pem", bytes, fault);
}

enum status identity_files_save_member(const struct peer_config *config, const struct pem *key,
                                       const struct pem *chain, struct fault *fault)
{
    char text[MEMBER_FILE_BYTES_MAX + 2];
    char path[FILE_PATH_MAX];
    int length = snprintf(text, sizeof text, "%s%s", key->text, chain->text);
    struct bytes bytes = {(const uint8_t *)text, (size_t)length};
    enum status status = write_secret(config, "member.pem", bytes, fault);
    explicit_bzero(text, sizeof text);
    if (status == STATUS_OK && file_path(config, "joining.pem", path, NULL) == STATUS_OK)
        unlink(path);
    return status;
}
