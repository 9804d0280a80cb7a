#include "economics/market/instance/writer.h"

#include <math.h>
#include <string.h>

#include "base/number.h"
#include "economics/market/instance/compact.h"

/* -- Words of both forms ----------------------------------------------------------------------- */

static void put(struct writer *w, const char *text)
{
    fputs(text, w->to);
}

static void put_whole(struct writer *w, uint64_t number)
{
    char text[NUMBER_TEXT_MAX];
    fwrite(text, 1, number_format_whole(number, text), w->to);
}

static void put_number(struct writer *w, double number)
{
    char text[NUMBER_TEXT_MAX];
    fwrite(text, 1, number_format(number, text), w->to);
}

static void put_byte(struct writer *w, const char *before, unsigned char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    put(w, before);
    putc_unlocked(digits[byte >> 4], w->to);
    putc_unlocked(digits[byte & 15], w->to);
}

/* "..." of JSON. Bytes above 127 are UTF-8, which the reader has checked. */
static void put_quoted(struct writer *w, const char *text)
{
    putc_unlocked('"', w->to);
    for (; *text != '\0'; text++) {
        unsigned char const byte = (unsigned char)*text;
        if (byte < ' ')
            put_byte(w, "\\u00", byte);
        else if (byte == '"' || byte == '\\')
            fprintf(w->to, "\\%c", byte);
        else
            putc_unlocked(byte, w->to);
    }
    putc_unlocked('"', w->to);
}

/* A field of the compact form, with the space before it. */
static void put_name(struct writer *w, const char *text)
{
    bool const sign = strcmp(text, "-") == 0 || strcmp(text, "*") == 0;
    putc_unlocked(' ', w->to);
    for (; *text != '\0'; text++) {
        unsigned char const byte = (unsigned char)*text;
        if (byte <= ' ' || byte == '%' || byte == 127 || sign)
            put_byte(w, "%", byte);
        else
            putc_unlocked(byte, w->to);
    }
}

static void put_field(struct writer *w, bool stated, double number)
{
    putc_unlocked(' ', w->to);
    if (stated)
        put_number(w, number);
    else
        putc_unlocked('-', w->to);
}

/* ,"key": */
static void put_key(struct writer *w, const char *key)
{
    fprintf(w->to, ", \"%s\": ", key);
}

static void put_optional(struct writer *w, const char *key, bool stated, double number)
{
    if (!stated)
        return;
    put_key(w, key);
    put_number(w, number);
}

static void put_named(struct writer *w, const char *key, const char *text)
{
    put_key(w, key);
    put_quoted(w, text);
}

/* -- Sections of JSON -------------------------------------------------------------------------- */

enum section { ROUND, MEMBERS, POOLS, AFFINITY, LINKS, LIMITS, JOBS, SECTIONS };

static const char *const section_keys[SECTIONS] = {
    [MEMBERS] = "members", [POOLS] = "pools",   [AFFINITY] = "affinity",
    [LINKS] = "links",     [LIMITS] = "limits", [JOBS] = "jobs"};

static void close_job(struct writer *w)
{
    if (w->in_job)
        put(w, w->form == INSTANCE_JSON ? "]}" : "\n");
    w->in_job = false;
}

/* The arrays up to the section's are there, the last one open. */
static void open_section(struct writer *w, enum section section)
{
    while (w->section < (int)section) {
        if (w->section > ROUND)
            put(w, "]");
        w->section++;
        fprintf(w->to, ",\n \"%s\": [", section_keys[w->section]);
        w->in_section = 0;
    }
}

/* Another element of the section. */
static void enter(struct writer *w, enum section section)
{
    open_section(w, section);
    if (w->in_section++ > 0)
        put(w, section == MEMBERS ? ", " : ",");
    if (section != MEMBERS)
        put(w, "\n  ");
}

void writer_begin(struct writer *w, FILE *to, enum instance_form form, double round_seconds)
{
    *w = (struct writer){.to = to, .form = form, .section = ROUND};
    put(w, form == INSTANCE_JSON ? "{\"round_seconds\": " : COMPACT_MAGIC " 1\nround ");
    put_number(w, round_seconds);
    if (form == INSTANCE_COMPACT)
        put(w, "\n");
}

enum status writer_end(struct writer *w, struct fault *fault)
{
    close_job(w);
    if (w->form == INSTANCE_COMPACT) {
        put(w, "end ");
        put_whole(w, w->jobs);
        put(w, "\n");
    } else {
        open_section(w, JOBS);
        put(w, "]}\n");
    }
    return ferror(w->to) == 0 ? STATUS_OK : fault_set(fault, STATUS_IO, "it can't be written");
}

/* -- Pieces ------------------------------------------------------------------------------------ */

void writer_member(struct writer *w, const char *id)
{
    if (w->form == INSTANCE_JSON) {
        enter(w, MEMBERS);
        put_quoted(w, id);
        return;
    }
    put(w, "member");
    put_name(w, id);
    put(w, "\n");
}

void writer_pool(struct writer *w, const struct draft_pool *pool, const char *member)
{
    if (w->form == INSTANCE_JSON) {
        enter(w, POOLS);
        put(w, "{\"id\": ");
        put_quoted(w, pool->id);
        put_named(w, "member", member);
        put_named(w, "gpu", pool->gpu);
        put_optional(w, "gpus", true, pool->gpus);
        put_optional(w, "gpus_per_node", true, pool->gpus_per_node);
        put_optional(w, "cost", true, pool->cost);
        put(w, "}");
        return;
    }
    put(w, "pool");
    put_name(w, pool->id);
    put_name(w, member);
    put_name(w, pool->gpu);
    put_field(w, true, pool->gpus);
    put_field(w, true, pool->gpus_per_node);
    put_field(w, true, pool->cost);
    put(w, "\n");
}

/* {"home": "a", "host": "b" of JSON; " a b" of the compact form. */
static void put_pair(struct writer *w, enum section section, const char *verb, const char *home,
                     const char *host)
{
    if (w->form == INSTANCE_JSON) {
        enter(w, section);
        put(w, "{\"home\": ");
        put_quoted(w, home);
        put_named(w, "host", host);
        return;
    }
    put(w, verb);
    put_name(w, home);
    put_name(w, host);
}

void writer_affinity(struct writer *w, const char *home, const char *host, double value)
{
    put_pair(w, AFFINITY, "affinity", home, host);
    if (w->form == INSTANCE_JSON)
        put_optional(w, "value", true, value);
    else
        put_field(w, true, value);
    put(w, w->form == INSTANCE_JSON ? "}" : "\n");
}

void writer_link(struct writer *w, const struct draft_link *link, const char *home,
                 const char *host)
{
    bool const limited = link->gigabytes >= 0;
    put_pair(w, LINKS, "link", home, host);
    if (w->form == INSTANCE_JSON) {
        put_optional(w, "gigabytes_per_round", limited, link->gigabytes);
        put_optional(w, "cost_per_gigabyte", true, link->cost_per_gigabyte);
    } else {
        put_field(w, limited, link->gigabytes);
        put_field(w, true, link->cost_per_gigabyte);
    }
    put(w, w->form == INSTANCE_JSON ? "}" : "\n");
}

void writer_limit(struct writer *w, const struct draft_limit *limit, const char *member)
{
    bool const foreign = limit->foreign_gpus >= 0;
    bool const credits = limit->credits >= 0;
    if (w->form == INSTANCE_JSON) {
        enter(w, LIMITS);
        put(w, "{\"member\": ");
        put_quoted(w, member);
        if (limit->gpu != NULL)
            put_named(w, "gpu", limit->gpu);
        put_optional(w, "max_foreign_gpus", foreign, limit->foreign_gpus);
        put_optional(w, "max_credits", credits, limit->credits);
        put(w, "}");
        return;
    }
    put(w, "limit");
    put_name(w, member);
    if (limit->gpu != NULL)
        put_name(w, limit->gpu);
    else
        put(w, " *");
    put_field(w, foreign, limit->foreign_gpus);
    put_field(w, credits, limit->credits);
    put(w, "\n");
}

void writer_job(struct writer *w, const struct draft_job *job, const char *home)
{
    bool const ends = isfinite(job->work_left);
    bool const known = job->remaining_seconds >= 0;
    close_job(w);
    if (w->form == INSTANCE_JSON) {
        enter(w, JOBS);
        put(w, "{\"id\": ");
        put_quoted(w, job->id);
        put_named(w, "home", home);
        put_optional(w, "value", true, job->value);
        put_optional(w, "work_left", ends, job->work_left);
        put_optional(w, "data_gigabytes", job->gigabytes > 0, job->gigabytes);
        put_optional(w, "remaining_seconds", known, job->remaining_seconds);
        put_optional(w, "price_max", job->price_max > 0, job->price_max);
        put(w, job->one_node ? ", \"one_node\": true" : "");
        put(w, ", \"configurations\": [");
    } else {
        put(w, "job");
        put_name(w, job->id);
        put_name(w, home);
        put_field(w, true, job->value);
        put_field(w, ends, job->work_left);
        put_field(w, true, job->gigabytes);
        put_field(w, known, job->remaining_seconds);
        put_field(w, job->price_max > 0, job->price_max);
        put(w, job->one_node ? " 1" : " 0");
    }
    w->in_job = true;
    w->configurations = 0;
    w->jobs++;
}

void writer_configuration(struct writer *w, uint32_t pool, const char *pool_id, uint32_t gpus,
                          double throughput)
{
    bool const first = w->configurations++ == 0;
    if (w->form == INSTANCE_JSON) {
        put(w, first ? "{\"pool\": " : ", {\"pool\": ");
        put_quoted(w, pool_id);
        put(w, ", \"gpus\": ");
        put_whole(w, gpus);
        put(w, ", \"throughput\": ");
        put_number(w, throughput);
        put(w, "}");
        return;
    }
    if (first || pool != w->last_pool) {
        putc_unlocked(' ', w->to);
        put_whole(w, pool);
        putc_unlocked('=', w->to);
    } else {
        putc_unlocked(',', w->to);
    }
    put_whole(w, gpus);
    putc_unlocked(':', w->to);
    put_number(w, throughput);
    w->last_pool = pool;
}

/* -- A whole draft ----------------------------------------------------------------------------- */

static void put_draft_job(struct writer *w, const struct draft *draft, const struct draft_job *job)
{
    writer_job(w, job, draft->members.items[job->home].id);
    for (uint32_t i = job->first; i < job->first + job->count; i++) {
        const struct draft_configuration *from = &draft->configurations.items[i];
        writer_configuration(w, from->pool, draft->pools.items[from->pool].id, from->gpus,
                             from->throughput);
    }
}

enum status writer_draft(const struct draft *draft, FILE *to, enum instance_form form,
                         struct fault *fault)
{
    const struct draft_member *members = draft->members.items;
    struct writer w;
    writer_begin(&w, to, form, draft->round_seconds);
    for (uint32_t i = 0; i < draft->members.count; i++)
        writer_member(&w, members[i].id);
    for (uint32_t i = 0; i < draft->pools.count; i++)
        writer_pool(&w, &draft->pools.items[i], members[draft->pools.items[i].member].id);
    for (uint32_t i = 0; i < draft->affinities.count; i++) {
        const struct draft_affinity *affinity = &draft->affinities.items[i];
        writer_affinity(&w, members[affinity->home].id, members[affinity->host].id,
                        affinity->value);
    }
    for (uint32_t i = 0; i < draft->links.count; i++) {
        const struct draft_link *link = &draft->links.items[i];
        writer_link(&w, link, members[link->home].id, members[link->host].id);
    }
    for (uint32_t i = 0; i < draft->limits.count; i++)
        writer_limit(&w, &draft->limits.items[i], members[draft->limits.items[i].member].id);
    for (uint32_t j = 0; j < draft->jobs.count && ferror(to) == 0; j++)
        put_draft_job(&w, draft, &draft->jobs.items[j]);
    return writer_end(&w, fault);
}
