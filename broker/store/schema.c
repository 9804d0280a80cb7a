/*
 * Schema: the tables, as a list of migrations. PRAGMA user_version counts those applied; each runs
 * once, in a transaction. A released migration is never edited: a change is a new one at the end.
 *
 * States and kinds are stored as the numbers of their enums, which therefore only grow at the end.
 * 64-bit unsigned values (masks, incarnations) are stored as the signed number of the same bits.
 */
#include "broker/store/query.h"

static const char first[] =
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE requests (caller TEXT NOT NULL, key BLOB NOT NULL, content BLOB NOT NULL,"
    "  issued INTEGER NOT NULL, PRIMARY KEY (caller, key)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX requests_issued ON requests (issued);"

    "CREATE TABLE members (name TEXT PRIMARY KEY, state INTEGER NOT NULL, joined INTEGER NOT NULL,"
    "  signing_key BLOB NOT NULL, request_key BLOB NOT NULL,"
    "  credit_limit INTEGER NOT NULL CHECK (credit_limit >= 0), incarnation INTEGER NOT NULL)"
    "  STRICT, WITHOUT ROWID;"
    "CREATE TABLE certificates (row INTEGER PRIMARY KEY, serial TEXT NOT NULL UNIQUE,"
    "  member TEXT NOT NULL REFERENCES members, fingerprint BLOB NOT NULL,"
    "  valid_from INTEGER NOT NULL, valid_until INTEGER NOT NULL) STRICT;"
    "CREATE INDEX certificates_member ON certificates (member, row);"
    "CREATE TABLE tokens (digest BLOB PRIMARY KEY, member TEXT NOT NULL, created INTEGER NOT NULL,"
    "  expires INTEGER NOT NULL, approved INTEGER NOT NULL, used_by BLOB, used_at INTEGER)"
    "  STRICT, WITHOUT ROWID;"

    "CREATE TABLE demands (row INTEGER PRIMARY KEY AUTOINCREMENT, job TEXT NOT NULL UNIQUE,"
    "  home TEXT NOT NULL, state INTEGER NOT NULL, age INTEGER NOT NULL,"
    "  submitted INTEGER NOT NULL, changed INTEGER NOT NULL, measured REAL NOT NULL,"
    "  body BLOB NOT NULL) STRICT;"
    "CREATE INDEX demands_open ON demands (home, job) WHERE state = 0;"
    "CREATE INDEX demands_home ON demands (home, row);"

    "CREATE TABLE rounds (round INTEGER PRIMARY KEY, incarnation INTEGER NOT NULL,"
    "  ends INTEGER NOT NULL, started INTEGER NOT NULL, took INTEGER NOT NULL,"
    "  interim INTEGER NOT NULL, members INTEGER NOT NULL, pools INTEGER NOT NULL,"
    "  gpus INTEGER NOT NULL, jobs INTEGER NOT NULL, placed INTEGER NOT NULL,"
    "  gpus_placed INTEGER NOT NULL, objective INTEGER NOT NULL, bound INTEGER NOT NULL,"
    "  epsilon INTEGER NOT NULL, plan_digest BLOB NOT NULL, report BLOB NOT NULL,"
    "  plan BLOB NOT NULL, snapshot BLOB NOT NULL) STRICT;";

static const char second[] =
    "CREATE TABLE leases (row INTEGER PRIMARY KEY AUTOINCREMENT, incarnation INTEGER NOT NULL,"
    "  round INTEGER NOT NULL, number INTEGER NOT NULL, chain INTEGER NOT NULL,"
    "  job TEXT NOT NULL, home TEXT NOT NULL, host TEXT NOT NULL, gpu TEXT NOT NULL,"
    "  state INTEGER NOT NULL, ending INTEGER NOT NULL,"
    "  escrowed INTEGER NOT NULL CHECK (escrowed >= 0), paid INTEGER NOT NULL CHECK (paid >= 0),"
    "  held INTEGER NOT NULL, receipts INTEGER NOT NULL, committed INTEGER NOT NULL,"
    "  granted INTEGER NOT NULL, running INTEGER NOT NULL, released INTEGER NOT NULL,"
    "  ends INTEGER NOT NULL, key_id TEXT NOT NULL, signature BLOB, body BLOB NOT NULL,"
    "  UNIQUE (incarnation, round, number)) STRICT;"
    /* open: planned, granted, running, holdover, released */
    "CREATE INDEX leases_open ON leases (state, row) WHERE state < 5;"
    "CREATE INDEX leases_past ON leases (ends) WHERE state < 5;"
    "CREATE INDEX leases_chain ON leases (chain, row) WHERE state < 5;"
    "CREATE INDEX leases_job ON leases (job, row);"
    "CREATE INDEX leases_home ON leases (home, row);"
    "CREATE INDEX leases_host ON leases (host, row);"
    "CREATE TABLE lease_shares (lease INTEGER NOT NULL REFERENCES leases, position INTEGER NOT "
    "NULL,"
    "  member TEXT NOT NULL, price INTEGER NOT NULL CHECK (price >= 0),"
    "  PRIMARY KEY (lease, position)) STRICT, WITHOUT ROWID;"
    /* the GPUs of leases that wait for them (held 0) or hold them (1); no row once they are freed
     */
    "CREATE TABLE lease_gpus (lease INTEGER NOT NULL REFERENCES leases, host TEXT NOT NULL,"
    "  gpu TEXT NOT NULL, node INTEGER NOT NULL, mask INTEGER NOT NULL CHECK (mask <> 0),"
    "  chain INTEGER NOT NULL, held INTEGER NOT NULL, PRIMARY KEY (lease, node))"
    "  STRICT, WITHOUT ROWID;"
    "CREATE INDEX lease_gpus_node ON lease_gpus (host, gpu, node);"
    "CREATE TABLE receipts (lease INTEGER NOT NULL REFERENCES leases, sequence INTEGER NOT NULL,"
    "  body BLOB NOT NULL, host_signature BLOB NOT NULL, home_signature BLOB,"
    "  first_seen INTEGER NOT NULL, settled INTEGER NOT NULL, amount INTEGER NOT NULL,"
    "  reason TEXT NOT NULL, PRIMARY KEY (lease, sequence)) STRICT, WITHOUT ROWID;"

    "CREATE TABLE event_heads (member TEXT PRIMARY KEY, newest INTEGER NOT NULL,"
    "  acknowledged INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE events (member TEXT NOT NULL, sequence INTEGER NOT NULL, kind INTEGER NOT NULL,"
    "  lease INTEGER NOT NULL REFERENCES leases, grace INTEGER NOT NULL, reason TEXT NOT NULL,"
    "  PRIMARY KEY (member, sequence)) STRICT, WITHOUT ROWID;";

static const char third[] =
    "CREATE TABLE accounts (account TEXT PRIMARY KEY, balance INTEGER NOT NULL)"
    "  STRICT, WITHOUT ROWID;"
    "CREATE INDEX accounts_below_zero ON accounts (account) WHERE balance < 0;"
    "CREATE TABLE transactions (number INTEGER PRIMARY KEY, posted INTEGER NOT NULL,"
    "  kind TEXT NOT NULL, reference TEXT NOT NULL, first INTEGER NOT NULL,"
    "  entries INTEGER NOT NULL, reverses INTEGER UNIQUE REFERENCES transactions) STRICT;"
    "CREATE INDEX transactions_posted ON transactions (posted, number);"
    "CREATE TABLE entries (sequence INTEGER PRIMARY KEY,"
    "  number INTEGER NOT NULL REFERENCES transactions, account TEXT NOT NULL,"
    "  amount INTEGER NOT NULL CHECK (amount <> 0), balance INTEGER NOT NULL,"
    "  hash BLOB NOT NULL CHECK (length(hash) = 32)) STRICT;"
    "CREATE INDEX entries_account ON entries (account, sequence);"
    "CREATE TABLE ledger_head (one INTEGER PRIMARY KEY CHECK (one = 1), sequence INTEGER NOT NULL,"
    "  number INTEGER NOT NULL, posted INTEGER NOT NULL, hash BLOB NOT NULL) STRICT;"
    "INSERT INTO ledger_head VALUES (1, 0, 0, 0, zeroblob(32));"

    "CREATE TRIGGER entries_append BEFORE INSERT ON entries"
    "  WHEN NEW.sequence IS NOT (SELECT coalesce(max(sequence), 0) + 1 FROM entries)"
    "  BEGIN SELECT raise(ABORT, 'ledger entries are appended one after the other'); END;"
    "CREATE TRIGGER entries_update BEFORE UPDATE ON entries"
    "  BEGIN SELECT raise(ABORT, 'ledger entries are never edited: post a reversal'); END;"
    "CREATE TRIGGER entries_delete BEFORE DELETE ON entries"
    "  BEGIN SELECT raise(ABORT, 'ledger entries are never deleted: post a reversal'); END;"
    "CREATE TRIGGER transactions_append BEFORE INSERT ON transactions"
    "  WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM transactions)"
    "  BEGIN SELECT raise(ABORT, 'ledger transactions are appended one after the other'); END;"
    "CREATE TRIGGER transactions_update BEFORE UPDATE ON transactions"
    "  BEGIN SELECT raise(ABORT, 'ledger transactions are never edited: post a reversal'); END;"
    "CREATE TRIGGER transactions_delete BEFORE DELETE ON transactions"
    "  BEGIN SELECT raise(ABORT, 'ledger transactions are never deleted: post a reversal'); END;";

/* Side payments of rounds (sides.h): `delivered` of a round is NULL until it is settled. */
static const char sides[] =
    "CREATE TABLE side_rounds (round INTEGER PRIMARY KEY, worth INTEGER NOT NULL CHECK (worth > 0),"
    "  delivered INTEGER) STRICT;"
    "CREATE TABLE side_parts (round INTEGER NOT NULL REFERENCES side_rounds,"
    "  account TEXT NOT NULL, amount INTEGER NOT NULL CHECK (amount <> 0),"
    "  escrowed INTEGER NOT NULL CHECK (escrowed >= 0), PRIMARY KEY (round, account))"
    "  STRICT, WITHOUT ROWID;"
    "CREATE INDEX side_parts_escrowed ON side_parts (account) WHERE escrowed > 0;"
    "CREATE TABLE side_leases (round INTEGER NOT NULL REFERENCES side_rounds,"
    "  number INTEGER NOT NULL, worth INTEGER NOT NULL, planned INTEGER NOT NULL"
    "  CHECK (planned > 0), delivered INTEGER NOT NULL, open INTEGER NOT NULL,"
    "  PRIMARY KEY (round, number)) STRICT, WITHOUT ROWID;";
/* What members hold against this ledger, and where it began again. */
static const char heads[] =
    "CREATE TABLE heads (member TEXT NOT NULL, incarnation INTEGER NOT NULL,"
    "  sequence INTEGER NOT NULL, hash BLOB NOT NULL, signed INTEGER NOT NULL, body BLOB NOT NULL,"
    "  signature BLOB NOT NULL, key_id TEXT NOT NULL, PRIMARY KEY (member, incarnation))"
    "  STRICT, WITHOUT ROWID;"
    "CREATE TABLE restores (incarnation INTEGER PRIMARY KEY, sequence INTEGER NOT NULL,"
    "  restored INTEGER NOT NULL, until INTEGER NOT NULL) STRICT;"
    "CREATE TABLE reported (member TEXT NOT NULL, incarnation INTEGER NOT NULL,"
    "  PRIMARY KEY (member, incarnation)) STRICT, WITHOUT ROWID;";

static const char throughput[] =
    "CREATE TABLE measurements (row INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL,"
    "  source TEXT NOT NULL, sequence INTEGER NOT NULL, job TEXT NOT NULL, home TEXT NOT NULL,"
    "  model TEXT NOT NULL, host TEXT NOT NULL, gpu TEXT NOT NULL, gpus INTEGER NOT NULL,"
    "  nodes INTEGER NOT NULL, fullest INTEGER NOT NULL, batch REAL NOT NULL,"
    "  seconds REAL NOT NULL, confirmed INTEGER NOT NULL, measured INTEGER NOT NULL,"
    "  predicted REAL NOT NULL, low REAL NOT NULL, high REAL NOT NULL, delivery REAL NOT NULL,"
    "  basis INTEGER NOT NULL, fit INTEGER NOT NULL, UNIQUE (kind, source, sequence)) STRICT;"
    "CREATE INDEX measurements_home ON measurements (home, kind, row);"
    "CREATE TABLE fits (version INTEGER PRIMARY KEY AUTOINCREMENT, made INTEGER NOT NULL,"
    "  model BLOB NOT NULL) STRICT;"
    /* which fit a round predicted with; 0: the table alone */
    "ALTER TABLE rounds ADD COLUMN fit INTEGER NOT NULL DEFAULT 0;";

/* What homes do not accept. States below 2 are not final. */
static const char disputes[] =
    "CREATE TABLE disputes (row INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  lease INTEGER NOT NULL REFERENCES leases, sequence INTEGER NOT NULL,"
    "  state INTEGER NOT NULL, conceded INTEGER NOT NULL, payable INTEGER NOT NULL,"
    "  reason TEXT NOT NULL, answer TEXT NOT NULL, ruling TEXT NOT NULL, opened INTEGER NOT NULL,"
    "  deadline INTEGER NOT NULL, closed INTEGER NOT NULL, UNIQUE (lease, sequence)) STRICT;"
    "CREATE INDEX disputes_open ON disputes (deadline) WHERE state < 2;"
    "CREATE INDEX transactions_reference ON transactions (reference, number);";

/* Net positions at the ends of periods: they restate the ledger. */
static const char settlements[] =
    "CREATE TABLE settlements (period INTEGER PRIMARY KEY, begins INTEGER NOT NULL,"
    "  ends INTEGER NOT NULL, due INTEGER NOT NULL, sequence INTEGER NOT NULL) STRICT;"
    "CREATE TABLE settlement_members (period INTEGER NOT NULL REFERENCES settlements,"
    "  member TEXT NOT NULL, opening INTEGER NOT NULL, earned INTEGER NOT NULL,"
    "  spent INTEGER NOT NULL, paid_in INTEGER NOT NULL, corrected INTEGER NOT NULL,"
    "  closing INTEGER NOT NULL, owed INTEGER NOT NULL, PRIMARY KEY (period, member))"
    "  STRICT, WITHOUT ROWID;";

/* Placements that no longer stood when their round was committed. What earlier releases dropped is
 * not known: 0. */
static const char dropped[] = "ALTER TABLE rounds ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0;";

/* One migration: scripts that belong together (a compiler need not take one text of their size). */
struct migration {
    const char *scripts[3];
};

static const struct migration migrations[STORE_SCHEMA_VERSION] = {
    {{first, second, third}}, {{sides}},   {{heads}}, {{throughput}}, {{disputes}},
    {{settlements}},          {{dropped}},
};

static enum status version_read(struct store *store, int64_t *version, struct fault *fault)
{
    static const char sql[] = "PRAGMA user_version";
    struct query query;
    query_begin(&query, store, sql, fault);
    if (query_row(&query))
        *version = query_number(&query);
    return query_end(&query);
}

static enum status apply(struct store *store, int64_t index, struct fault *fault)
{
    enum status status = query_script(store, "BEGIN IMMEDIATE", fault);
    for (size_t i = 0; i < 3 && status == STATUS_OK; i++)
        if (migrations[index].scripts[i] != NULL)
            status = query_script(store, migrations[index].scripts[i], fault);
    char set[64];
    sqlite3_snprintf(sizeof set, set, "PRAGMA user_version = %lld", (long long)(index + 1));
    if (status == STATUS_OK)
        status = query_script(store, set, fault);
    if (status == STATUS_OK)
        status = query_script(store, "COMMIT", fault);
    if (status != STATUS_OK)
        (void)query_script(store, "ROLLBACK", NULL);
    return status;
}

enum status schema_migrate(struct store *store, struct fault *fault)
{
    int64_t version = 0;
    enum status status = version_read(store, &version, fault);
    if (status != STATUS_OK)
        return status;
    if (version > STORE_SCHEMA_VERSION)
        return fault_set(fault, STATUS_CORRUPT,
                         "the store has schema %lld, this program knows %d: it was written by a "
                         "newer release, use that one",
                         (long long)version, STORE_SCHEMA_VERSION);
    if (version < STORE_SCHEMA_VERSION && !store->writes)
        return fault_set(fault, STATUS_PRECONDITION,
                         "the store has schema %lld, this program wants %d: start the broker once, "
                         "it migrates the store",
                         (long long)version, STORE_SCHEMA_VERSION);
    for (int64_t i = version; i < STORE_SCHEMA_VERSION && status == STATUS_OK; i++)
        status = apply(store, i, fault);
    return status;
}
