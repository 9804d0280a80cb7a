#include "economics/games/report.h"

#include <math.h>
#include <string.h>

#include "base/table.h"

enum { KEY_MAX = 128, COLUMNS_AT_ONCE = 6 };

const char *report_coalition(const struct input_game *input, uint32_t coalition,
                             char text[static REPORT_COALITION_TEXT_MAX])
{
    size_t used = 0;
    const size_t room = REPORT_COALITION_TEXT_MAX - 8; /* for what closes it */
    text[used++] = '{';
    text[used] = '\0';
    for (uint32_t i = 0; i < input->game.players && i < 32; i++) {
        if ((coalition >> i & 1) == 0)
            continue;
        const char *before = used > 1 ? ", " : "";
        size_t gap = strlen(before);
        size_t length = strlen(input->players[i]);
        if (used + gap + length > room) {
            memcpy(text + used, ", ...", 5);
            used += 5;
            break;
        }
        memcpy(text + used, before, gap);
        memcpy(text + used + gap, input->players[i], length);
        used += gap + length;
    }
    memcpy(text + used, "}", 2);
    return text;
}

/* --- For people ------------------------------------------------------------------------------ */

static const char *number_text(double number, char text[static 32])
{
    if (number != 0.0 && (fabs(number) >= 1e12 || fabs(number) < 1e-4))
        snprintf(text, 32, "%.6e", number);
    else
        snprintf(text, 32, "%.6f", number);
    return text;
}

/* One row a player; then the sum. */
static void print_splits(FILE *to, const struct input_game *input,
                         const struct concept_answer *const *answers, size_t count)
{
    struct table_column columns[COLUMNS_AT_ONCE + 2] = {{"player", false}, {"alone", true}};
    const struct game *game = &input->game;
    struct table table;
    char text[32];
    for (size_t a = 0; a < count; a++)
        columns[a + 2] = (struct table_column){answers[a]->concept->name, true};
    table_init(&table, columns, count + 2);
    for (uint32_t i = 0; i <= game->players; i++) {
        bool sums = i == game->players;
        table_text(&table, sums ? "sum" : input->players[i]);
        if (game->worth != NULL && !sums)
            table_text(&table, number_text(game->worth[1u << i], text));
        else
            table_text(&table, "");
        for (size_t a = 0; a < count; a++) {
            double number = 0.0;
            for (uint32_t j = sums ? 0 : i; j < (sums ? game->players : i + 1); j++)
                number += answers[a]->split[j];
            table_text(&table, number_text(number, text));
        }
    }
    table_print(&table, to);
    table_fini(&table);
    fprintf(to, "\n");
}

static void print_objection(FILE *to, const struct input_game *input,
                            const struct concept_answer *answer)
{
    char text[REPORT_COALITION_TEXT_MAX];
    if (!answer->core_checked)
        return;
    if (answer->objection.by <= concept_slack(&input->game))
        fprintf(to, "; in the core");
    else
        fprintf(to, "; not in the core: %s objects by %.9g",
                report_coalition(input, answer->objection.coalition, text), answer->objection.by);
}

static void print_details(FILE *to, const struct input_game *input,
                          const struct concept_answer *answer)
{
    char text[REPORT_COALITION_TEXT_MAX];
    for (uint32_t d = 0; d < answer->detail_count; d++) {
        const struct concept_detail *detail = &answer->details[d];
        fprintf(to, "%s%s ", d > 0 ? ", " : "", detail->key);
        switch (detail->kind) {
        case DETAIL_NUMBER: fprintf(to, "%.9g", detail->number); break;
        case DETAIL_TRUTH: fprintf(to, "%s", detail->truth ? "yes" : "no"); break;
        case DETAIL_TEXT: fprintf(to, "%s", detail->text); break;
        case DETAIL_COALITION:
            fprintf(to, "%s", report_coalition(input, detail->coalition, text));
            break;
        case DETAIL_SPLIT:
            for (uint32_t i = 0; i < input->game.players; i++)
                fprintf(to, "%s%.9g", i > 0 ? " " : "", detail->split[i]);
            break;
        }
    }
}

static void print_remarks(FILE *to, const struct input_game *input,
                          const struct concept_answer *answers, size_t count)
{
    for (size_t a = 0; a < count; a++) {
        const struct concept_answer *answer = &answers[a];
        fprintf(to, "%s: ", answer->concept->name);
        print_details(to, input, answer);
        if (answer->remark[0] != '\0')
            fprintf(to, "%s%s", answer->detail_count > 0 ? "; " : "", answer->remark);
        else if (answer->detail_count == 0)
            fprintf(to, "exact");
        print_objection(to, input, answer);
        fprintf(to, "\n");
    }
}

void report_text(FILE *to, const struct input_game *input, const struct concept_answer *answers,
                 size_t count)
{
    const struct concept_answer *shown[COLUMNS_AT_ONCE];
    size_t columns = 0;
    fprintf(to, "%s: %s game of %u players, %s", input->name != NULL ? input->name : "game",
            input->game.kind == GAME_COST ? "cost" : "value", input->game.players, input->family);
    if (input->game.worth != NULL)
        fprintf(to, ", %s %.9g", input->game.kind == GAME_COST ? "c(N)" : "v(N)",
                input->game.worth[game_grand(&input->game)]);
    fprintf(to, "\n\n");
    for (size_t a = 0; a < count; a++) {
        if (answers[a].split != NULL)
            shown[columns++] = &answers[a];
        if (columns == COLUMNS_AT_ONCE || (a + 1 == count && columns > 0)) {
            print_splits(to, input, shown, columns);
            columns = 0;
        }
    }
    print_remarks(to, input, answers, count);
}

/* --- JSON ------------------------------------------------------------------------------------ */

static void key_of(const struct concept *concept, const char *suffix, char key[static KEY_MAX])
{
    snprintf(key, KEY_MAX, "%s%s", concept->name, suffix);
    for (char *c = key; *c != '\0'; c++)
        if (*c == '-')
            *c = '_';
}

static void put_split(struct json_writer *writer, const char *key, const double *split,
                      uint32_t players)
{
    json_open_array(writer, key);
    for (uint32_t i = 0; i < players; i++)
        json_put_number(writer, NULL, split[i]);
    json_end(writer);
}

void report_coalition_json(struct json_writer *writer, const char *key, uint32_t coalition)
{
    json_open_array(writer, key);
    for (uint32_t i = 0; i < 32; i++)
        if ((coalition >> i & 1) != 0)
            json_put_integer(writer, NULL, i + 1);
    json_end(writer);
}

static void put_details(struct json_writer *writer, const struct input_game *input,
                        const struct concept_answer *answer)
{
    for (uint32_t d = 0; d < answer->detail_count; d++) {
        const struct concept_detail *detail = &answer->details[d];
        switch (detail->kind) {
        case DETAIL_NUMBER: json_put_number(writer, detail->key, detail->number); break;
        case DETAIL_TRUTH: json_put_boolean(writer, detail->key, detail->truth); break;
        case DETAIL_TEXT: json_put_text(writer, detail->key, detail->text); break;
        case DETAIL_COALITION: report_coalition_json(writer, detail->key, detail->coalition); break;
        case DETAIL_SPLIT:
            put_split(writer, detail->key, detail->split, input->game.players);
            break;
        }
    }
    if (!answer->core_checked)
        return;
    json_put_boolean(writer, "in_core", answer->objection.by <= concept_slack(&input->game));
    report_coalition_json(writer, "objecting", answer->objection.coalition);
    json_put_number(writer, "objects_by", answer->objection.by);
}

static void put_answer(struct json_writer *writer, const struct input_game *input,
                       const struct concept_answer *answer)
{
    char key[KEY_MAX];
    key_of(answer->concept, "", key);
    if (answer->split != NULL)
        put_split(writer, key, answer->split, input->game.players);
    else if (answer->concept->split || answer->failed)
        json_put_null(writer, key);
    key_of(answer->concept, answer->concept->split ? "_certificate" : "", key);
    if ((answer->detail_count > 0 || answer->core_checked) &&
        (answer->concept->split || !answer->failed)) {
        json_open_object(writer, key);
        put_details(writer, input, answer);
        json_end(writer);
    }
    key_of(answer->concept, "_remark", key);
    if (answer->remark[0] != '\0')
        json_put_text(writer, key, answer->remark);
}

void report_json(struct json_writer *writer, const struct input_game *input,
                 const struct concept_answer *answers, size_t count)
{
    if (input->name != NULL)
        json_put_text(writer, "name", input->name);
    json_put_integer(writer, "n", input->game.players);
    json_put_text(writer, "kind", input->game.kind == GAME_COST ? "cost" : "value");
    json_put_text(writer, "family", input->family);
    json_open_array(writer, "players");
    for (uint32_t i = 0; i < input->game.players; i++)
        json_put_text(writer, NULL, input->players[i]);
    json_end(writer);
    if (input->game.worth != NULL)
        json_put_number(writer, "worth", input->game.worth[game_grand(&input->game)]);
    for (size_t a = 0; a < count; a++)
        put_answer(writer, input, &answers[a]);
}

/* --- CSV ------------------------------------------------------------------------------------- */

/* Quotes a text where it needs it [RFC 4180]. */
static void put_field(FILE *to, const char *text)
{
    if (strpbrk(text, ",\"\r\n") == NULL) {
        fputs(text, to);
        return;
    }
    fputc('"', to);
    for (; *text != '\0'; text++) {
        if (*text == '"')
            fputc('"', to);
        fputc(*text, to);
    }
    fputc('"', to);
}

void report_csv_heading(FILE *to)
{
    fprintf(to, "game,concept,player,payoff\n");
}

void report_csv(FILE *to, uint32_t number, const struct input_game *input,
                const struct concept_answer *answers, size_t count)
{
    char name[16];
    snprintf(name, sizeof name, "%u", number);
    for (size_t a = 0; a < count; a++)
        for (uint32_t i = 0; answers[a].split != NULL && i < input->game.players; i++) {
            put_field(to, input->name != NULL ? input->name : name);
            fprintf(to, ",%s,", answers[a].concept->name);
            put_field(to, input->players[i]);
            fprintf(to, ",%.17g\n", answers[a].split[i]);
        }
}
