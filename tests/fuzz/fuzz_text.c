/*
 * Fuzz target of the short texts that people and files give: the first byte picks the reader, the
 * rest is the text. What is accepted comes back the same value when it is written and read again.
 */
#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/domain/lease.h"
#include "broker/money/ledger.h"
#include "peer/files/file_reading.h"
#include "proto/identity/identity.h"
#include "tests/fuzz/fuzz.h"

enum { INPUT_BYTES_MAX = 512 };

static void read_duration(const char *text)
{
    char again[CLOCK_TEXT_MAX];
    int64_t ms = clock_parse_duration(text);
    assert(ms >= -1);
    if (ms >= 0)
        clock_format_duration(ms, again);
}

static void read_wall(const char *text)
{
    char again[CLOCK_TEXT_MAX];
    int64_t ms = clock_parse_wall(text);
    if (ms != -1)
        assert(clock_parse_wall(clock_format_wall(ms, again)) == ms);
}

static void read_credits(const char *text)
{
    char again[CREDITS_TEXT_MAX];
    struct credits amount, back;
    if (credits_parse(text, &amount)) {
        bool whole = credits_parse(credits_format(amount, again), &back);
        assert(whole && back.micros == amount.micros);
    }
}

static void read_lease_id(const char *text)
{
    char again[LEASE_ID_TEXT_MAX];
    struct lease_id id, back;
    if (lease_id_parse(text, &id)) {
        bool whole = lease_id_parse(lease_id_format(id, again), &back);
        assert(whole && lease_id_equal(id, back));
    }
}

static void read_account(const char *text)
{
    char again[ACCOUNT_TEXT_MAX];
    struct ledger_account account;
    if (ledger_account_parse(text, &account))
        assert(strcmp(ledger_account_format(&account, again), text) == 0);
}

static void read_digest(const char *text)
{
    char again[DIGEST_TEXT_MAX];
    struct digest digest;
    if (digest_parse(text, &digest))
        assert(strlen(digest_format(&digest, again)) == strlen(text));
}

static void read_name(const char *text)
{
    struct name name;
    struct fault fault = {.text = ""};
    if (name_parse(&name, "name", text, &fault) == STATUS_OK)
        assert(strcmp(name.text, text) == 0);
    else
        assert(fault.text[0] != '\0');
    if (member_name_parse(&name, text, &fault) == STATUS_OK)
        assert(name_valid(text));
}

/* Sizes, addresses and paths of configuration files; the file is named for the fault alone. */
static void read_value(const char *text)
{
    struct arena arena;
    struct fault fault;
    char path[FILE_PATH_MAX];
    char address[ADDRESS_BYTES_MAX + 1];
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    struct reading reading = {.file = "/nowhere/a.yaml", .arena = &arena, .fault = &fault};
    (void)file_reading_size(&reading, "size", text, 1);
    file_reading_path(&reading, "path", text, path);
    if (reading.status == STATUS_OK)
        assert(path[0] == '/');
    file_reading_address(&reading, "address", text, address);
    (void)file_reading_variable(&reading, "variable", text);
    arena_fini(&arena);
}

typedef void reader(const char *text);

static reader *const readers[] = {read_duration, read_wall,   read_credits, read_lease_id,
                                  read_account,  read_digest, read_name,    read_value};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[INPUT_BYTES_MAX];
    if (size == 0 || size > sizeof text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    readers[data[0] % (sizeof readers / sizeof readers[0])](text);
    return 0;
}
