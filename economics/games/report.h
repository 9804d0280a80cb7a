/*
 * Report: answers about a game, written for people, as JSON and as CSV. Internal to the game
 * commands.
 *
 * JSON: a key for each concept ('-' becomes '_') with the split in players' order, or null; beside
 * it KEY_certificate with what certifies it and who objects, and KEY_remark where there is
 * something to say. Coalitions are arrays of players' places, from 1.
 */
#ifndef ENTENTE_ECONOMICS_GAMES_REPORT_H
#define ENTENTE_ECONOMICS_GAMES_REPORT_H

#include "base/json.h"
#include "economics/games/concepts.h"

enum { REPORT_COALITION_TEXT_MAX = 512 };

void report_text(FILE *to, const struct input_game *input, const struct concept_answer *answers,
                 size_t count);

/* Into the object that is open. */
void report_json(struct json_writer *writer, const struct input_game *input,
                 const struct concept_answer *answers, size_t count);

/* game,concept,player,payoff: a line for each player of each split. `number` counts games from 1.
 */
void report_csv_heading(FILE *to);
void report_csv(FILE *to, uint32_t number, const struct input_game *input,
                const struct concept_answer *answers, size_t count);

/* "{1, 3}", cut with "..." where too long. */
const char *report_coalition(const struct input_game *input, uint32_t coalition,
                             char text[static REPORT_COALITION_TEXT_MAX]);

/* The array of places. */
void report_coalition_json(struct json_writer *writer, const char *key, uint32_t coalition);

#endif
