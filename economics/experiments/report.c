#include "economics/experiments/report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"

enum { MANIFEST_BYTES_MAX = 1024 * 1024 };

struct page {
    const char *directory;
    const struct experiment *experiment;
    struct arena arena;
    struct results_read results;
    struct json_document *manifest;
    struct bytes configuration;
    FILE *to;
};

static enum status gather(struct page *page, struct fault *fault);
static enum status write_page(struct page *page, struct fault *fault);
static void put_head(struct page *page);
static void put_setting(struct page *page);
static enum status put_figures(struct page *page, struct fault *fault);
static void put_differences(struct page *page);
static void put_manifest(struct page *page);

enum status report_write(const char *directory, struct fault *fault)
{
    struct page page = {.directory = directory};
    arena_init(&page.arena, ARENA_ROUND_BYTES);
    enum status status = gather(&page, fault);
    if (status == STATUS_OK)
        status = write_page(&page, fault);
    json_close(page.manifest);
    arena_fini(&page.arena);
    return status;
}

static enum status gather(struct page *page, struct fault *fault)
{
    char path[FILE_PATH_MAX];
    const char *name = NULL;
    enum status status = path_join(path, page->directory, "results.sqlite", fault);
    if (status == STATUS_OK)
        status = results_read(path, &page->arena, &page->results, fault);
    if (status == STATUS_OK)
        status = path_join(path, page->directory, "manifest.json", fault);
    if (status == STATUS_OK)
        status = json_read(path, MANIFEST_BYTES_MAX, &page->manifest, fault);
    if (status != STATUS_OK)
        return status;
    struct json_place root = json_root(page->manifest);
    status = json_get_text(&root, "experiment", true, EXPERIMENT_WORD_MAX, &name, fault);
    if (status != STATUS_OK)
        return status;
    page->experiment = experiment_find(name);
    if (page->experiment == NULL)
        return fault_set(fault, STATUS_NOT_FOUND, "%s: no experiment is named '%.64s' any more",
                         path, name);
    status = path_join(path, page->directory, "configuration.yaml", fault);
    if (status == STATUS_OK)
        status = file_read(path, MANIFEST_BYTES_MAX, &page->arena, &page->configuration, fault);
    return status;
}

static enum status write_page(struct page *page, struct fault *fault)
{
    char *text = NULL;
    size_t size = 0;
    char path[FILE_PATH_MAX];
    page->to = open_memstream(&text, &size);
    if (page->to == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for the page");
    put_head(page);
    put_setting(page);
    enum status status = put_figures(page, fault);
    if (status == STATUS_OK) {
        put_differences(page);
        put_manifest(page);
        fputs("</main></body></html>\n", page->to);
    }
    if (fclose(page->to) != 0 && status == STATUS_OK)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory for the page");
    if (status == STATUS_OK)
        status = path_join(path, page->directory, "report.html", fault);
    if (status == STATUS_OK)
        status = file_write(path, (struct bytes){.data = (const uint8_t *)text, .size = size}, 0644,
                            fault);
    free(text);
    return status;
}

/* --- HTML */

static void put_text(FILE *to, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        switch (text[i]) {
        case '&': fputs("&amp;", to); break;
        case '<': fputs("&lt;", to); break;
        case '>': fputs("&gt;", to); break;
        case '"': fputs("&quot;", to); break;
        default: fputc(text[i], to); break;
        }
    }
}

static void put(FILE *to, const char *before, const char *text, const char *after)
{
    fputs(before, to);
    put_text(to, text, strlen(text));
    fputs(after, to);
}

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;color:#1b1b1b;margin:0;background:#fff}"
    "main{max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "h1{font-size:1.7rem;margin-bottom:.2rem}h2{margin-top:2.5rem;border-bottom:1px solid #ccc}"
    "h3{margin-bottom:.2rem}table{border-collapse:collapse;font-size:.85rem;margin:.6rem 0}"
    "th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #eee;white-space:nowrap}"
    "th:first-child,td:first-child{text-align:left}thead th{border-bottom:2px solid #999}"
    ".wide{overflow-x:auto}.note{white-space:pre-line}.dim{color:#666}"
    "pre{background:#f6f6f6;padding:.8rem;overflow-x:auto;font-size:.85rem}svg{max-width:100%;"
    "height:auto}";

static void put_head(struct page *page)
{
    FILE *to = page->to;
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width\">\n",
          to);
    put(to, "<title>", page->experiment->name, "</title>\n");
    fprintf(to, "<style>%s</style></head><body><main>\n", style);
    put(to, "<h1>", page->experiment->name, "</h1>\n");
    put(to, "<p class=\"dim\">", page->experiment->title, "</p>\n");
    put(to, "<h2>Theory and expectation</h2>\n<p class=\"note\">", page->experiment->note,
        "</p>\n");
}

static void put_setting(struct page *page)
{
    FILE *to = page->to;
    fputs("<h2>Configuration</h2>\n<pre>", to);
    put_text(to, (const char *)page->configuration.data, page->configuration.size);
    fputs("</pre>\n<details><summary>All parameters</summary><div class=\"wide\"><table><thead>"
          "<tr><th>parameter</th><th>default</th><th>unit</th><th>meaning</th></tr></thead>\n",
          to);
    for (size_t i = 0; i < page->experiment->parameter_count; i++) {
        const struct experiment_parameter *parameter = &page->experiment->parameters[i];
        put(to, "<tr><td>", parameter->name, "</td>");
        put(to, "<td>", parameter->standard != NULL ? parameter->standard : "", "</td>");
        put(to, "<td>", parameter->unit, "</td>");
        put(to, "<td>", parameter->meaning, "</td></tr>\n");
    }
    fputs("</table></div></details>\n", to);
}

static void put_interval(FILE *to, double mean, double low, double high)
{
    if (!isfinite(mean))
        fputs("<td class=\"dim\">–</td>", to);
    else if (!isfinite(low))
        fprintf(to, "<td>%.4g</td>", mean);
    else
        fprintf(to, "<td>%.4g <span class=\"dim\">[%.4g, %.4g]</span></td>", mean, low, high);
}

static void put_table(struct page *page, const struct figure *figure)
{
    FILE *to = page->to;
    fputs("<details><summary>Table</summary><div class=\"wide\"><table><thead><tr>", to);
    put(to, "<th>", figure->foot >= 0 ? page->results.axes[figure->foot] : "", "</th>");
    for (uint32_t line = 0; line < figure->line_count; line++)
        put(to, "<th>", figure->labels[line], "</th>");
    fputs("</tr></thead>\n", to);
    for (uint32_t foot = 0; foot < figure->foot_count; foot++) {
        put(to, "<tr><td>", figure->feet[foot], "</td>");
        for (uint32_t line = 0; line < figure->line_count; line++) {
            const struct result_row *row =
                figure->cells[(size_t)line * figure->foot_count + foot].row;
            if (row == NULL)
                fputs("<td></td>", to);
            else
                put_interval(to, row->mean, row->low, row->high);
        }
        fputs("</tr>\n", to);
    }
    fputs("</table></div></details>\n", to);
}

/* As an image of its own: gnuplot gives the same names to parts of every figure, which would meet
 * in one document. */
static void put_image(FILE *to, const char *name, const struct bytes *svg)
{
    put(to, "<img alt=\"", name, "\" src=\"data:image/svg+xml,");
    for (size_t i = 0; i < svg->size; i++) {
        uint8_t byte = svg->data[i];
        bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                     (byte >= 'a' && byte <= 'z') || strchr(" =.,/:;()-'", byte) != NULL;
        fprintf(to, plain && byte != '\0' ? "%c" : "%%%02X", byte);
    }
    fputs("\">\n", to);
}

/* subject: as in figure_lay_out. `most` lines at most; *drawn says whether it was drawn. */
static enum status put_figure(struct page *page, const struct experiment_metric *metric,
                              const char *subject, uint32_t most, bool *drawn, struct fault *fault)
{
    struct figure figure;
    struct bytes svg;
    FILE *to = page->to;
    enum status status =
        figure_lay_out(&page->results, metric, subject, &page->arena, &figure, fault);
    *drawn = status == STATUS_OK && figure.foot_count > 0 && figure.line_count <= most;
    if (!*drawn)
        return status;
    status = figure_plot(&figure, page->directory, &page->arena, &svg, fault);
    if (status != STATUS_OK)
        return status;
    put(to, "<h3>", metric->name, subject == NULL ? ", by subject" : "");
    put(to, subject != NULL && subject[0] != '\0' ? ", " : "", subject != NULL ? subject : "",
        "</h3>\n");
    put(to, "<p class=\"dim\">", metric->meaning, "");
    put(to, metric->unit[0] != '\0' ? " (" : "", metric->unit,
        metric->unit[0] != '\0' ? ")</p>\n" : "</p>\n");
    put_image(to, metric->name, &svg);
    if (figure.line_count > REPORT_LINES_MAX)
        fprintf(to, "<p class=\"dim\">The first %d of %u lines are drawn; the table has all.</p>\n",
                REPORT_LINES_MAX, figure.line_count);
    put_table(page, &figure);
    return STATUS_OK;
}

/* Of every subject in one figure where its lines can be told apart, else a figure a subject. */
static enum status put_subjects(struct page *page, const struct experiment_metric *metric,
                                struct fault *fault)
{
    const struct results_read *results = &page->results;
    const char *told[REPORT_SUBJECTS_MAX];
    uint32_t count = 0;
    bool drawn;
    enum status status = put_figure(page, metric, NULL, REPORT_LINES_MAX, &drawn, fault);
    for (uint32_t r = 0; r < results->row_count && status == STATUS_OK && !drawn; r++) {
        const char *subject = results->rows[r].subject;
        bool met = subject[0] == '\0' || strcmp(results->rows[r].metric, metric->name) != 0;
        bool one;
        for (uint32_t before = 0; before < count && !met; before++)
            met = strcmp(told[before], subject) == 0;
        if (met || count == REPORT_SUBJECTS_MAX)
            continue;
        told[count++] = subject;
        status = put_figure(page, metric, subject, UINT32_MAX, &one, fault);
    }
    return status;
}

static enum status put_figures(struct page *page, struct fault *fault)
{
    enum status status = STATUS_OK;
    fputs("<h2>Results</h2>\n<p class=\"dim\">Means over replications; bars and brackets are "
          "intervals of the mean.</p>\n",
          page->to);
    for (size_t m = 0; m < page->experiment->metric_count && status == STATUS_OK; m++) {
        const struct experiment_metric *metric = &page->experiment->metrics[m];
        bool drawn;
        if (metric->measured)
            continue;
        status = put_figure(page, metric, "", UINT32_MAX, &drawn, fault);
        if (status == STATUS_OK)
            status = put_subjects(page, metric, fault);
    }
    return status;
}

static void put_arm(struct page *page, uint32_t arm)
{
    for (uint32_t axis = 0; axis < page->results.axis_count; axis++)
        put(page->to, "<td>", page->results.arms[arm].values[axis], "</td>");
}

/* Against the baseline, for all (no subject): differences in the same replication. */
static void put_differences(struct page *page)
{
    const struct results_read *results = &page->results;
    FILE *to = page->to;
    if (page->experiment->baseline == NULL || results->difference_count == 0)
        return;
    put(to, "<h2>Against ", page->experiment->baseline, "</h2>\n");
    fputs("<p class=\"dim\">Paired by replication (common random numbers). Bold: the interval "
          "excludes 0. Intervals are not corrected for how many there are.</p>\n"
          "<div class=\"wide\"><table><thead><tr><th>series</th><th>metric</th>",
          to);
    for (uint32_t axis = 0; axis < results->axis_count; axis++)
        put(to, "<th>", results->axes[axis], "</th>");
    fputs("<th>n</th><th>difference</th></tr></thead>\n", to);
    for (uint32_t d = 0; d < results->difference_count; d++) {
        const struct result_difference *row = &results->differences[d];
        bool clear = row->low > 0 || row->high < 0;
        if (row->subject[0] != '\0')
            continue;
        put(to, clear ? "<tr style=\"font-weight:bold\"><td>" : "<tr><td>", row->series, "</td>");
        put(to, "<td>", row->metric, "</td>");
        put_arm(page, row->arm);
        fprintf(to, "<td>%u</td>", row->count);
        put_interval(to, row->mean, row->low, row->high);
        fputs("</tr>\n", to);
    }
    fputs("</table></div>\n", to);
}

static void put_manifest(struct page *page)
{
    char path[FILE_PATH_MAX];
    struct bytes text;
    struct fault fault;
    fputs("<h2>How this was made</h2>\n<p class=\"dim\">Same configuration, seed and version give "
          "the same results, byte for byte. Beside this page: results.csv (every observation), "
          "summary.csv, comparisons.csv, timings.csv, results.sqlite.</p>\n<pre>",
          page->to);
    if (path_join(path, page->directory, "manifest.json", &fault) == STATUS_OK &&
        file_read(path, MANIFEST_BYTES_MAX, &page->arena, &text, &fault) == STATUS_OK)
        put_text(page->to, (const char *)text.data, text.size);
    fputs("</pre>\n", page->to);
}
