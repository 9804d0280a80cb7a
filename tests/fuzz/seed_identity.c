/*
 * Writes the seed corpus of fuzz_identity: one valid input for each reader, of a federation made
 * here and forgotten. fuzz_identity_seeds tests/fuzz/corpus/identity
 */
#include <assert.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/identity/identity.h"

enum { PATH_MAX_BYTES = 4096 };

static void write_seed(const char *directory, int reader, const char *name, const void *bytes,
                       size_t size)
{
    char path[PATH_MAX_BYTES];
    snprintf(path, sizeof path, "%s/%d-%s", directory, reader, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fputc(reader, file) == EOF || fwrite(bytes, 1, size, file) != size ||
        fclose(file) != 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
}

static void write_der(const char *directory, int reader, const char *name, const struct pem *pem)
{
    char *kind = NULL, *header = NULL;
    unsigned char *der = NULL;
    long size = 0;
    BIO *bio = BIO_new_mem_buf(pem->text, -1);
    int read = PEM_read_bio(bio, &kind, &header, &der, &size);
    assert(read == 1);
    write_seed(directory, reader, name, der, (size_t)size);
    OPENSSL_free(kind);
    OPENSSL_free(header);
    OPENSSL_free(der);
    BIO_free(bio);
}

static void must(enum status status)
{
    if (status != STATUS_OK)
        abort();
}

int main(int argc, char **argv)
{
    struct certificate_validity const validity = {INT64_C(1794000000000), INT64_C(1796000000000)};
    struct identity_subject const usc = {IDENTITY_MEMBER, {"trojan"}, {"usc"}};
    struct pem root_key, root, key, intermediate, request, chain;
    struct digest pin;
    struct join_token token;
    char text[TOKEN_BYTES_MAX];
    if (argc != 2) {
        fprintf(stderr, "usage: fuzz_identity_seeds DIRECTORY\n");
        return EXIT_FAILURE;
    }
    must(identity_make_key(&root_key, NULL));
    must(identity_make_root(&root_key, &usc.federation, validity, &root, NULL));
    must(identity_make_key(&key, NULL));
    must(identity_make_intermediate(&root_key, &root, &key, validity, &intermediate, NULL));
    must(identity_make_request(&root_key, &request, NULL));
    must(identity_sign_request(&key, &intermediate, &request, &usc, "gpu.usc.edu", validity, &chain,
                               NULL));
    must(identity_pin(&root, &pin, NULL));
    join_token_make(&pin, &token);
    write_der(argv[1], 0, "leaf", &chain);
    write_der(argv[1], 0, "root", &root);
    write_der(argv[1], 1, "request", &request);
    write_seed(argv[1], 2, "chain", chain.text, strlen(chain.text));
    write_seed(argv[1], 3, "member", "spiffe://trojan/member/usc", 26);
    write_seed(argv[1], 3, "broker", "spiffe://trojan/broker", 22);
    join_token_format(&token, text);
    write_seed(argv[1], 4, "token", text, strlen(text));
    return EXIT_SUCCESS;
}
