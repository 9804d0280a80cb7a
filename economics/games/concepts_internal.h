/* What the files of concepts share. Internal to economics/games. */
#ifndef ENTENTE_ECONOMICS_GAMES_CONCEPTS_INTERNAL_H
#define ENTENTE_ECONOMICS_GAMES_CONCEPTS_INTERNAL_H

#include "economics/games/concepts.h"

/* Room for a number for each player; NULL without memory. */
double *concept_split(const struct subject *subject);
MUST_USE enum status concept_no_memory(struct fault *fault);

/* Notes beside the answer. */
void concept_number(struct concept_answer *answer, const char *key, double number);
void concept_truth(struct concept_answer *answer, const char *key, bool truth);
void concept_text(struct concept_answer *answer, const char *key, const char *text);
void concept_coalition(struct concept_answer *answer, const char *key, uint32_t coalition);
void concept_vector(struct concept_answer *answer, const char *key, const double *split);
void concept_remark(struct concept_answer *answer, const char *format, ...) PRINTF_LIKE(2, 3);

/* The nucleolus family, core and properties. */
enum status concept_nucleolus(struct subject *subject, struct concept_answer *answer,
                              struct fault *fault);
enum status concept_prenucleolus(struct subject *subject, struct concept_answer *answer,
                                 struct fault *fault);
enum status concept_per_capita(struct subject *subject, struct concept_answer *answer,
                               struct fault *fault);
enum status concept_per_capita_pre(struct subject *subject, struct concept_answer *answer,
                                   struct fault *fault);
enum status concept_least_core(struct subject *subject, struct concept_answer *answer,
                               struct fault *fault);
enum status concept_core(struct subject *subject, struct concept_answer *answer,
                         struct fault *fault);
enum status concept_nearest_core(struct subject *subject, struct concept_answer *answer,
                                 struct fault *fault);
enum status concept_properties(struct subject *subject, struct concept_answer *answer,
                               struct fault *fault);

#endif
