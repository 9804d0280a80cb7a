#include "economics/lp/lp_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * GLPK's errors become statuses.
 *
 * GLPK's own state is one a thread and can't be passed in; so neither can the list of who uses it:
 * this is the one variable of ours outside any caller's hands. It lets environments of one thread
 * be open at a time (a split that asks for a coalition's worth while it solves its own LP): GLPK's
 * memory goes with the last of them, and an error loses the problems of all.
 */
static _Thread_local struct lp_environment *open_here;

/* The one whose call GLPK is in; where it is in none, the one opened last. */
static struct lp_environment *at_work(void)
{
    for (struct lp_environment *at = open_here; at != NULL; at = at->outer)
        if (at->armed)
            return at;
    return open_here;
}

/* GLPK says what is wrong on its terminal, then calls the error hook. Nonzero: not printed. */
static int keep_words(void *info, const char *text)
{
    (void)info;
    struct lp_environment *environment = at_work();
    if (environment == NULL)
        return 0; /* not ours */
    size_t const used = strlen(environment->words);
    snprintf(environment->words + used, LP_WORDS_MAX - used, "%s", text);
    for (char *c = environment->words + used; *c != '\0'; c++)
        if (*c == '\n')
            *c = ' ';
    return 1;
}

static void install_hooks(void);

/* After an error GLPK's environment must be thrown away whole (its manual, glp_error_hook). */
static void recover(void *info)
{
    (void)info;
    struct lp_environment *environment = at_work();
    for (struct lp_environment *at = open_here; at != NULL; at = at->outer)
        at->generation++;
    glp_error_hook(NULL, NULL);
    glp_free_env();
    install_hooks();
    if (environment != NULL && environment->armed)
        longjmp(environment->recover, 1);
    abort(); /* an error in a call that cannot fail: a defect of ours */
}

static void install_hooks(void)
{
    glp_term_hook(keep_words, NULL);
    glp_error_hook(recover, NULL);
}

enum status lp_environment_open(struct lp_environment **environment, struct fault *fault)
{
    *environment = calloc(1, sizeof **environment);
    if (*environment == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory for an LP environment");
    (*environment)->outer = open_here;
    open_here = *environment;
    install_hooks();
    return STATUS_OK;
}

void lp_environment_close(struct lp_environment *environment)
{
    if (environment == NULL)
        return;
    struct lp_environment **at = &open_here;
    while (*at != environment) {
        assert(*at != NULL); /* opened in another thread */
        at = &(*at)->outer;
    }
    *at = environment->outer;
    if (open_here == NULL) {
        glp_error_hook(NULL, NULL);
        glp_term_hook(NULL, NULL);
        glp_free_env();
    }
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
