#include "economics/lp/lp_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* GLPK's errors become statuses. */

/* GLPK says what is wrong on its terminal, then calls the error hook. Nonzero: not printed. */
static int keep_words(void *info, const char *text)
{
    struct lp_environment *environment = info;
    size_t const used = strlen(environment->words);
    snprintf(environment->words + used, LP_WORDS_MAX - used, "%s", text);
    for (char *c = environment->words + used; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
    return 1;
}

static void install_hooks(struct lp_environment *environment);

/* After an error GLPK's environment must be thrown away whole (its manual, glp_error_hook). */
static void recover(void *info)
{
    struct lp_environment *environment = info;
    environment->generation++;
    glp_error_hook(NULL, NULL);
    glp_free_env();
    install_hooks(environment);
    if (environment->armed)
        longjmp(environment->recover, 1);
    abort(); /* an error in a call that cannot fail: a defect of ours */
}

static void install_hooks(struct lp_environment *environment)
{
    glp_term_hook(keep_words, environment);
    glp_error_hook(recover, environment);
}

enum status lp_environment_open(struct lp_environment **environment, struct fault *fault)
{
    *environment = calloc(1, sizeof **environment);
    if (*environment == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for an LP environment");
    install_hooks(*environment);
    return STATUS_OK;
}

void lp_environment_close(struct lp_environment *environment)
{
    if (environment == NULL)
        return;
    glp_error_hook(NULL, NULL);
    glp_term_hook(NULL, NULL);
    glp_free_env();
    free(environment);
}

enum status lp_lost(struct lp_environment *environment, struct fault *fault)
{
    environment->armed = false;
    return fault_set(fault, STATUS_INTERNAL, "GLPK failed: %s", environment->words);
}

bool lp_alive(const struct lp *lp)
{
    return lp->generation == lp->environment->generation;
}

enum status lp_refuse_lost(struct fault *fault)
{
    return fault_set(fault, STATUS_INTERNAL,
                     "this LP was lost when GLPK failed earlier: open it again");
}

void lp_arm(struct lp_environment *environment)
{
    environment->armed = true;
    environment->words[0] = '\0';
}

void lp_disarm(struct lp_environment *environment)
{
    environment->armed = false;
}
