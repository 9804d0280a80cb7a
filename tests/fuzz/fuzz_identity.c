/*
 * Fuzz target of what identity reads from others. The first byte picks the reader, the rest is what
 * it reads: a certificate or request (as DER, put into PEM here, since libFuzzer can't guess
 * base64), a PEM text, a URI, a token. What is accepted must come back the same when written.
 */
#include <assert.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <string.h>

#include "proto/identity/identity.h"
#include "tests/fuzz/fuzz.h"

enum reader { READS_CERTIFICATE, READS_REQUEST, READS_PEM, READS_URI, READS_TOKEN, READERS };

static void uri_comes_back(const char *text, size_t length)
{
    struct identity_subject subject;
    char again[IDENTITY_TEXT_MAX];
    if (identity_parse_uri(text, length, &subject, NULL) != STATUS_OK)
        return;
    identity_uri(&subject, again);
    assert(strlen(again) == length && memcmp(again, text, length) == 0);
}

static void token_comes_back(const char *text)
{
    struct join_token token;
    char again[TOKEN_BYTES_MAX];
    if (join_token_parse(text, &token, NULL) != STATUS_OK)
        return;
    assert(strcmp(join_token_format(&token, again), text) == 0);
}

static void read_pem(const struct pem *pem)
{
    struct certificate_facts facts;
    struct digest digest;
    struct fault fault;
    char uri[IDENTITY_TEXT_MAX];
    if (identity_read_certificate(pem, &facts, &fault) == STATUS_OK) {
        identity_uri(&facts.subject, uri);
        uri_comes_back(uri, strlen(uri));
        assert(strlen(facts.serial) < SERIAL_TEXT_MAX);
    }
    (void)!identity_request_key_digest(pem, &digest, &fault);
    (void)!identity_pin(pem, &digest, &fault);
    (void)!identity_verify_chain(pem, pem, NULL, INT64_C(1795000000000), &fault);
}

/* False where the DER is too long for a PEM text. */
static bool put_into_pem(const char *kind, const uint8_t *der, size_t size, struct pem *pem)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    assert(bio != NULL);
    bool fits =
        size > 0 && size < PEM_BYTES_MAX && PEM_write_bio(bio, kind, "", der, (long)size) > 0;
    long length = BIO_get_mem_data(bio, &text);
    fits = fits && length > 0 && length <= PEM_BYTES_MAX;
    if (fits)
        memcpy(pem->text, text, (size_t)length);
    BIO_free(bio);
    return fits;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pem pem = {""};
    if (size == 0 || size > PEM_BYTES_MAX)
        return 0;
    enum reader reader = (enum reader)(data[0] % READERS);
    if (reader == READS_CERTIFICATE || reader == READS_REQUEST) {
        const char *kind = reader == READS_REQUEST ? PEM_STRING_X509_REQ : PEM_STRING_X509;
        if (put_into_pem(kind, data + 1, size - 1, &pem))
            read_pem(&pem);
        return 0;
    }
    memcpy(pem.text, data + 1, size - 1);
    if (reader == READS_PEM)
        read_pem(&pem);
    else if (reader == READS_URI)
        uri_comes_back(pem.text, size - 1);
    else
        token_comes_back(pem.text);
    return 0;
}
