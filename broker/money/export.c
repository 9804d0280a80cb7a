/*
 * Export: the ledger as CSV [RFC 4180] and for beancount.
 *
 * Beancount's account names are words that start with a capital or a digit, joined by colons, below
 * one of its five roots; a member's name (lower-case letters, digits, dashes) becomes one by
 * raising its first letter. A name that starts with a digit stays as it is, so that no two become
 * the same.
 */
#include "broker/money/export.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "broker/money/ledger.h"
#include "proto/identity/identity.h"

enum { EXPORT_PAGE_BYTES = 8 * 1024 * 1024, BEANCOUNT_ACCOUNT_MAX = 32 + NAME_BYTES_MAX };

bool export_format_parse(const char *text, enum export_format *format)
{
    bool csv = strcmp(text, "csv") == 0;
    if (csv || strcmp(text, "beancount") == 0)
        *format = csv ? EXPORT_CSV : EXPORT_BEANCOUNT;
    return csv || strcmp(text, "beancount") == 0;
}

/* One entry; first says that a transaction begins. */
typedef void write_entry(FILE *to, const struct ledger_entry *entry, bool first);

/* A text that an operator typed must not end a line or a field, nor be a formula to a spreadsheet.
 */
static void put_text(FILE *to, const char *text, char escape)
{
    if (escape == '"' && strchr("=+-@", text[0]) != NULL && text[0] != '\0')
        fputc('\'', to);
    for (; *text != '\0'; text++) {
        if (*text == '"' || (*text == '\\' && escape == '\\'))
            fputc(escape, to);
        fputc((unsigned char)*text < ' ' ? ' ' : *text, to);
    }
}

static void csv_entry(FILE *to, const struct ledger_entry *entry, bool first)
{
    char date[CLOCK_TEXT_MAX];
    char amount[CREDITS_TEXT_MAX];
    char hash[DIGEST_TEXT_MAX];
    (void)first;
    fprintf(to, "%" PRIu64 ",%" PRIu64 ",%s,%s,%s,%s,\"", entry->sequence, entry->transaction,
            clock_format_wall(entry->posted_wall_ms, date), entry->account,
            credits_format(entry->amount, amount), entry->kind);
    put_text(to, entry->reference, '"');
    fprintf(to, "\",%s\r\n", digest_format(&entry->hash, hash));
}

static void beancount_account(const char *account, char text[static BEANCOUNT_ACCOUNT_MAX])
{
    struct ledger_account parsed;
    if (!ledger_account_parse(account, &parsed) || parsed.kind == ACCOUNT_ENDOWMENT) {
        snprintf(text, BEANCOUNT_ACCOUNT_MAX, "Equity:Endowment");
        return;
    }
    if (parsed.kind == ACCOUNT_LOSSES) {
        snprintf(text, BEANCOUNT_ACCOUNT_MAX, "Equity:Losses");
        return;
    }
    char *member = parsed.member.text;
    if (member[0] >= 'a' && member[0] <= 'z')
        member[0] = (char)(member[0] - 'a' + 'A');
    snprintf(text, BEANCOUNT_ACCOUNT_MAX, "Assets:%s:%s",
             parsed.kind == ACCOUNT_MEMBER ? "Members" : "Escrow", member);
}

static void beancount_entry(FILE *to, const struct ledger_entry *entry, bool first)
{
    char date[CLOCK_TEXT_MAX];
    char amount[CREDITS_TEXT_MAX];
    char hash[DIGEST_TEXT_MAX];
    char account[BEANCOUNT_ACCOUNT_MAX];
    if (first) {
        fprintf(to, "\n%.10s * \"%s\" \"", clock_format_wall(entry->posted_wall_ms, date),
                entry->kind);
        put_text(to, entry->reference, '\\');
        fprintf(to, "\"\n  transaction: %" PRIu64 "\n", entry->transaction);
    }
    beancount_account(entry->account, account);
    fprintf(to, "  %s  %s CREDIT\n    sequence: %" PRIu64 "\n    hash: \"%s\"\n", account,
            credits_format(entry->amount, amount), entry->sequence,
            digest_format(&entry->hash, hash));
}

static enum status beancount_accounts(struct store *store, struct arena *arena, FILE *to,
                                      struct fault *fault)
{
    struct store_account *accounts = NULL;
    uint32_t count = 0;
    enum status status = store_account_list(store, arena, &accounts, &count, fault);
    if (status != STATUS_OK)
        return status;
    fprintf(to, "option \"title\" \"Entente federation ledger\"\n"
                "option \"operating_currency\" \"CREDIT\"\n\n"
                "1970-01-01 commodity CREDIT\n");
    for (uint32_t i = 0; i < count; i++) {
        char account[BEANCOUNT_ACCOUNT_MAX];
        beancount_account(accounts[i].account, account);
        fprintf(to, "1970-01-01 open %s CREDIT\n", account);
    }
    return STATUS_OK;
}

static enum status entries_write(struct store *store, write_entry *write, struct arena *arena,
                                 FILE *to, struct fault *fault)
{
    uint64_t after = 0;
    uint64_t transaction = 0;
    do {
        struct ledger_page_response page;
        arena_reset(arena);
        enum status status = ledger_page(store, after, ROWS_PER_PAGE_MAX, arena, &page, fault);
        if (status != STATUS_OK)
            return status;
        for (uint32_t i = 0; i < page.entry_count; i++) {
            write(to, &page.entries[i], page.entries[i].transaction != transaction);
            transaction = page.entries[i].transaction;
        }
        after = page.next_after;
    } while (after != 0);
    return STATUS_OK;
}

enum status export_ledger(struct store *store, enum export_format format, FILE *to,
                          struct fault *fault)
{
    struct arena arena;
    enum status status = store_read_begin(store, fault);
    if (status != STATUS_OK)
        return status;
    arena_init(&arena, EXPORT_PAGE_BYTES);
    if (format == EXPORT_CSV)
        fprintf(to, "sequence,transaction,posted,account,amount,kind,reference,hash\r\n");
    else
        status = beancount_accounts(store, &arena, to, fault);
    if (status == STATUS_OK)
        status = entries_write(store, format == EXPORT_CSV ? csv_entry : beancount_entry, &arena,
                               to, fault);
    arena_fini(&arena);
    store_read_end(store);
    if (status == STATUS_OK && (fflush(to) != 0 || ferror(to) != 0))
        return fault_set(fault, STATUS_IO, "the export could not be written: is the disk full?");
    return status;
}
