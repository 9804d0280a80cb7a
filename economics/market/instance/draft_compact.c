/* Draft, read from the compact form (compact.h): a cursor over a line, whose first fault sticks. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/number.h"
#include "economics/market/instance/compact.h"
#include "economics/market/instance/draft.h"

/* A line, and how far it is read. */
struct cursor {
    const char *start;
    const char *at;
    const char *end;
    const char *field; /* where the last one began */
    struct draft *draft;
    const char *name; /* of the file */
    uint32_t line;
    enum status status;
    struct fault *fault;
};

static void read_round(struct cursor *c);
static void read_member(struct cursor *c);
static void read_pool(struct cursor *c);
static void read_affinity(struct cursor *c);
static void read_link(struct cursor *c);
static void read_limit(struct cursor *c);
static void read_job(struct cursor *c);
static void read_end(struct cursor *c);

static const struct verb {
    const char *word;
    void (*read)(struct cursor *c);
} verbs[] = {
    {"job", read_job},   {"affinity", read_affinity}, {"link", read_link},   {"limit", read_limit},
    {"pool", read_pool}, {"member", read_member},     {"round", read_round}, {"end", read_end}};

enum { VERBS = sizeof verbs / sizeof verbs[0] };

/* -- Fields ------------------------------------------------------------------------------------ */

static void wrong(struct cursor *c, const char *what, const char *text)
{
    if (c->status != STATUS_OK)
        return;
    c->status = fault_set(c->fault, STATUS_INVALID, "%s:%u:%td: %s%s%s", c->name, c->line,
                          c->field - c->start + 1, what, what[0] != '\0' ? ": " : "", text);
}

static void went(struct cursor *c, enum status status)
{
    if (c->status != STATUS_OK || status == STATUS_OK)
        return;
    c->status = status == STATUS_INVALID && c->draft->by_line
                    ? fault_prefix(c->fault, status, "%s", c->name)
                    : fault_prefix(c->fault, status, "%s:%u", c->name, c->line);
}

/* The bytes up to one of the two that part fields; false at the line's end. */
static bool next_field(struct cursor *c, const char *what, const char **text, size_t *length)
{
    *text = c->at;
    *length = 0;
    c->field = c->at;
    if (c->status != STATUS_OK)
        return false;
    const char *space = memchr(c->at, ' ', (size_t)(c->end - c->at));
    const char *stop = space != NULL ? space : c->end;
    *length = (size_t)(stop - c->at);
    c->at = space != NULL ? space + 1 : c->end;
    if (*length == 0)
        wrong(c, what, space != NULL ? "two spaces in a row" : "is missing");
    return c->status == STATUS_OK;
}

static double number_between(struct cursor *c, const char *what, const char *text, size_t length,
                             double least, double most)
{
    double number = least;
    char words[96];
    if (!number_parse(text, length, &number)) {
        wrong(c, what, "must be a number");
        return least;
    }
    if (!(number >= least && number <= most)) {
        snprintf(words, sizeof words, "%g is not within %g and %g", number, least, most);
        wrong(c, what, words);
    }
    return number;
}

static int64_t whole_between(struct cursor *c, const char *what, const char *text, size_t length,
                             int64_t least, int64_t most)
{
    int64_t number = least;
    char words[96];
    if (!number_parse_integer(text, length, &number)) {
        wrong(c, what, "must be a whole number");
        return least;
    }
    if (number < least || number > most) {
        snprintf(words, sizeof words, "%lld is not within %lld and %lld", (long long)number,
                 (long long)least, (long long)most);
        wrong(c, what, words);
        return least;
    }
    return number;
}

static double next_number(struct cursor *c, const char *what, double least, double most)
{
    const char *text;
    size_t length;
    return next_field(c, what, &text, &length) ? number_between(c, what, text, length, least, most)
                                               : least;
}

/* Or '-'. */
static double next_optional(struct cursor *c, const char *what, double absent, double most)
{
    const char *text;
    size_t length;
    if (!next_field(c, what, &text, &length) || (length == 1 && text[0] == '-'))
        return absent;
    return number_between(c, what, text, length, 0, most);
}

static int64_t next_whole(struct cursor *c, const char *what, int64_t least, int64_t most)
{
    const char *text;
    size_t length;
    return next_field(c, what, &text, &length) ? whole_between(c, what, text, length, least, most)
                                               : least;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* %XX back to bytes; at most bytes_max of them. */
static void next_name(struct cursor *c, const char *what, size_t bytes_max,
                      char name[static DRAFT_ID_BYTES_MAX + 1])
{
    const char *text;
    size_t length;
    size_t used = 0;
    name[0] = '\0';
    if (!next_field(c, what, &text, &length))
        return;
    for (size_t i = 0; i < length && used <= bytes_max; i++) {
        char byte = text[i];
        if (byte == '%') {
            int const high = i + 2 < length ? hex_digit(text[i + 1]) : -1;
            int const low = i + 2 < length ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0 || high + low == 0) {
                wrong(c, what, "after % come two digits 0-9A-F, not 00");
                return;
            }
            byte = (char)(high * 16 + low);
            i += 2;
        }
        name[used++] = byte;
        name[used] = '\0';
    }
    if (used > bytes_max) {
        char words[64];
        snprintf(words, sizeof words, "must have 1 to %zu bytes", bytes_max);
        wrong(c, what, words);
    }
}

/* A member that is defined. */
static uint32_t next_member(struct cursor *c, const char *what)
{
    char name[DRAFT_ID_BYTES_MAX + 1];
    uint32_t number = 0;
    next_name(c, what, DRAFT_ID_BYTES_MAX, name);
    if (c->status != STATUS_OK || draft_member_known(c->draft, name, &number))
        return number;
    struct nearest nearest;
    char hint[NAME_HINT_MAX];
    char words[DRAFT_ID_BYTES_MAX + NAME_HINT_MAX + 32];
    nearest_begin(&nearest, name);
    for (uint32_t i = 0; i < c->draft->members.count; i++)
        nearest_offer(&nearest, c->draft->members.items[i].id);
    nearest_hint(&nearest, hint);
    snprintf(words, sizeof words, "no member '%s'%s", name, hint);
    wrong(c, what, words);
    return 0;
}

/* -- Verbs ------------------------------------------------------------------------------------- */

static void read_round(struct cursor *c)
{
    if (c->line != 2)
        wrong(c, "", "round is the second line, alone");
    c->draft->round_seconds =
        next_number(c, "round", 0.001, (double)MARKET_ROUND_MS_MAX / MS_PER_SECOND);
}

static void read_member(struct cursor *c)
{
    char name[DRAFT_ID_BYTES_MAX + 1];
    next_name(c, "member", NAME_BYTES_MAX, name);
    if (c->status == STATUS_OK)
        went(c, draft_add_member(c->draft, name, c->line, c->fault));
}

static void read_pool(struct cursor *c)
{
    char id[DRAFT_ID_BYTES_MAX + 1];
    char gpu[DRAFT_ID_BYTES_MAX + 1];
    next_name(c, "id", DRAFT_ID_BYTES_MAX, id);
    struct draft_pool pool = {.id = id, .at = c->line, .member = next_member(c, "member")};
    next_name(c, "gpu", NAME_BYTES_MAX, gpu);
    pool.gpus = (uint32_t)next_whole(c, "gpus", 0, (int64_t)NODES_PER_POOL_MAX * GPUS_PER_NODE_MAX);
    pool.gpus_per_node = (uint32_t)next_whole(c, "gpus_per_node", 1, GPUS_PER_NODE_MAX);
    pool.cost = next_number(c, "cost", 0, DRAFT_PRICE_MAX);
    if (c->status != STATUS_OK)
        return;
    pool.gpu = draft_text(c->draft, gpu);
    went(c, pool.gpu == NULL ? draft_no_room(c->fault) : draft_add_pool(c->draft, &pool, c->fault));
}

static void read_affinity(struct cursor *c)
{
    struct draft_affinity affinity = {.at = c->line, .home = next_member(c, "home")};
    affinity.host = next_member(c, "host");
    affinity.value = next_number(c, "value", 0, 1);
    if (c->status == STATUS_OK)
        went(c, draft_add_affinity(c->draft, &affinity, c->fault));
}

static void read_link(struct cursor *c)
{
    struct draft_link link = {.at = c->line, .home = next_member(c, "home")};
    link.host = next_member(c, "host");
    link.gigabytes = next_optional(c, "gigabytes_per_round", DRAFT_NOT_STATED, DRAFT_GIGABYTES_MAX);
    link.cost_per_gigabyte = next_optional(c, "cost_per_gigabyte", 0, DRAFT_PRICE_MAX);
    if (c->status == STATUS_OK)
        went(c, draft_add_link(c->draft, &link, c->fault));
}

static void read_limit(struct cursor *c)
{
    char gpu[DRAFT_ID_BYTES_MAX + 1];
    struct draft_limit limit = {.at = c->line, .member = next_member(c, "member")};
    next_name(c, "gpu", NAME_BYTES_MAX, gpu);
    bool const all = c->at - c->field == 2 && c->field[0] == '*';
    limit.foreign_gpus = next_optional(c, "max_foreign_gpus", DRAFT_NOT_STATED, DRAFT_GPUS_MAX);
    limit.credits = next_optional(c, "max_credits", DRAFT_NOT_STATED, DRAFT_CREDITS_MAX);
    if (c->status != STATUS_OK)
        return;
    limit.gpu = all ? NULL : draft_text(c->draft, gpu);
    went(c, !all && limit.gpu == NULL ? draft_no_room(c->fault)
                                      : draft_add_limit(c->draft, &limit, c->fault));
}

/* The end of a number inside a field. */
static const char *until(const char *at, const char *end, char first, char second)
{
    while (at < end && *at != first && *at != second)
        at++;
    return at;
}

/* "12=2:310.5,4:600" */
static void read_configurations(struct cursor *c, const char *text, size_t length)
{
    const char *end = text + length;
    const char *stop = until(text, end, '=', '=');
    struct draft_configuration configuration = {
        .pool = (uint32_t)whole_between(c, "configurations", text, (size_t)(stop - text), 0,
                                        (int64_t)c->draft->pools.count - 1)};
    if (stop == end)
        wrong(c, "configurations", "must be POOL=GPUS:THROUGHPUT,...");
    while (stop < end && c->status == STATUS_OK) {
        const char *gpus = stop + 1;
        c->field = gpus;
        stop = until(gpus, end, ':', ',');
        configuration.gpus = (uint32_t)whole_between(c, "gpus", gpus, (size_t)(stop - gpus), 1,
                                                     MARKET_GPUS_PER_COLUMN_MAX);
        if (stop == end || *stop != ':') {
            wrong(c, "configurations", "must be POOL=GPUS:THROUGHPUT,...");
            return;
        }
        const char *throughput = stop + 1;
        c->field = throughput;
        stop = until(throughput, end, ',', ',');
        configuration.throughput = number_between(
            c, "throughput", throughput, (size_t)(stop - throughput), 0, DRAFT_THROUGHPUT_MAX);
        if (c->status == STATUS_OK)
            went(c, draft_add_configuration(c->draft, &configuration, c->fault));
    }
}

static void read_job(struct cursor *c)
{
    char id[DRAFT_ID_BYTES_MAX + 1];
    const char *text;
    size_t length;
    next_name(c, "id", NAME_BYTES_MAX, id);
    struct draft_job job = {.at = c->line, .home = next_member(c, "home")};
    job.value = next_number(c, "value", 0, DRAFT_VALUE_MAX);
    job.work_left = next_optional(c, "work_left", HUGE_VAL, DRAFT_ENDLESS_MAX);
    job.gigabytes = next_optional(c, "data_gigabytes", 0, DRAFT_GIGABYTES_MAX);
    job.remaining_seconds =
        next_optional(c, "remaining_seconds", DRAFT_NOT_STATED, DRAFT_ENDLESS_MAX);
    job.price_max = next_optional(c, "price_max", 0, DRAFT_VALUE_MAX);
    job.one_node = next_whole(c, "one_node", 0, 1) == 1;
    while (c->at < c->end && next_field(c, "configurations", &text, &length))
        read_configurations(c, text, length);
    if (c->status != STATUS_OK)
        return;
    job.id = draft_text(c->draft, id);
    went(c, job.id == NULL ? draft_no_room(c->fault) : draft_add_job(c->draft, &job, c->fault));
}

static void read_end(struct cursor *c)
{
    int64_t const jobs = next_whole(c, "end", 0, MARKET_JOBS_MAX);
    char words[96];
    snprintf(words, sizeof words, "says %lld jobs, but the file has %u", (long long)jobs,
             c->draft->jobs.count);
    if (c->status == STATUS_OK && (uint32_t)jobs != c->draft->jobs.count)
        wrong(c, "end", words);
}

/* -- Lines ------------------------------------------------------------------------------------- */

static const struct verb *verb_of(const char *text, size_t length)
{
    for (size_t i = 0; i < VERBS; i++)
        if (strlen(verbs[i].word) == length && memcmp(verbs[i].word, text, length) == 0)
            return &verbs[i];
    return NULL;
}

static void refuse_verb(struct cursor *c, const char *text, size_t length)
{
    struct nearest nearest;
    char hint[NAME_HINT_MAX];
    char word[NAME_BYTES_MAX + 1];
    char words[NAME_HINT_MAX + NAME_BYTES_MAX + 64];
    snprintf(word, sizeof word, "%.*s", (int)(length < NAME_BYTES_MAX ? length : NAME_BYTES_MAX),
             text);
    nearest_begin(&nearest, word);
    for (size_t i = 0; i < VERBS; i++)
        nearest_offer(&nearest, verbs[i].word);
    nearest_hint(&nearest, hint);
    snprintf(words, sizeof words, "no line begins with '%s'%s", word, hint);
    wrong(c, "", words);
}

/* True while lines may follow. */
static bool read_line(struct cursor *c)
{
    const char *text;
    size_t length;
    if (c->line == 1) {
        static const char heading[] = COMPACT_MAGIC " 1";
        if ((size_t)(c->end - c->at) != sizeof heading - 1 ||
            memcmp(c->at, heading, sizeof heading - 1) != 0)
            wrong(c, "", "must be 'entente-market 1'");
        return c->status == STATUS_OK;
    }
    if (!next_field(c, "line", &text, &length))
        return false;
    const struct verb *verb = verb_of(text, length);
    if (verb == NULL)
        refuse_verb(c, text, length);
    else
        verb->read(c);
    c->field = c->at;
    if (c->at < c->end || (c->end > c->start && c->end[-1] == ' '))
        wrong(c, "", "more fields than the line has");
    return c->status == STATUS_OK && verb->read != read_end;
}

/* The file in pieces; a line lies in the buffer as a whole. */
struct lines {
    FILE *from;
    char *buffer;
    size_t room;
    size_t first; /* of what is not read yet */
    size_t size;
    bool at_end;
};

enum { BUFFER_BYTES = 256 * 1024 };

/* More of the file behind what is left; false where nothing can be added. */
static bool refill(struct lines *lines)
{
    memmove(lines->buffer, lines->buffer + lines->first, lines->size - lines->first);
    lines->size -= lines->first;
    lines->first = 0;
    if (lines->size == lines->room) {
        if (lines->room >= COMPACT_LINE_BYTES_MAX)
            return false;
        char *wider = realloc(lines->buffer, lines->room * 2);
        if (wider == NULL)
            return false;
        lines->buffer = wider;
        lines->room *= 2;
    }
    size_t const got =
        fread(lines->buffer + lines->size, 1, lines->room - lines->size, lines->from);
    lines->size += got;
    lines->at_end = got == 0;
    return true;
}

/* False: no further line; the cursor's status says whether that is wrong. */
static bool next_line(struct lines *lines, struct cursor *c)
{
    for (;;) {
        c->start = lines->buffer + lines->first;
        c->at = c->start;
        c->field = c->start;
        char *newline = memchr(lines->buffer + lines->first, '\n', lines->size - lines->first);
        c->line++;
        if (newline != NULL) {
            c->end = newline;
            lines->first = (size_t)(newline - lines->buffer) + 1;
            return true;
        }
        if (lines->at_end) {
            wrong(c, "", "the file ends without an 'end' line");
            return false;
        }
        if (!refill(lines)) {
            wrong(c, "", "the line is too long");
            return false;
        }
        c->line--;
    }
}

enum status draft_read_compact(FILE *from, const char *name, struct draft *draft,
                               struct fault *fault)
{
    struct fault ours = {.status = STATUS_OK};
    struct cursor c = {.draft = draft, .name = name, .fault = &ours};
    struct lines lines = {.from = from, .buffer = malloc(BUFFER_BYTES), .room = BUFFER_BYTES};
    if (lines.buffer == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "%s: no memory", name);
    while (next_line(&lines, &c) && read_line(&c)) {
    }
    if (c.status == STATUS_OK && (lines.first < lines.size || getc(from) != EOF)) {
        c.line++;
        c.field = c.start;
        wrong(&c, "", "nothing may follow the 'end' line");
    }
    if (ferror(from) != 0)
        c.status = fault_set(&ours, STATUS_IO, "%s: %s", name, strerror(errno));
    free(lines.buffer);
    return c.status == STATUS_OK ? STATUS_OK : fault_set(fault, c.status, "%s", ours.text);
}
