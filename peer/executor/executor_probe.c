/* What the process executor can hold a job to on this machine: each ability is found by doing it.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/executor/executor_process.h"
#include "peer/executor/executor_sandbox.h"
#include "peer/executor/system_calls.h"

static bool find_program(const char *name, char path[static FILE_PATH_MAX]);
static bool try_sandbox(struct process_executor *self, struct fault *fault);
static bool run_trial(const char *const *arguments, int filter, struct fault *fault);
static void miss(struct executor_abilities *abilities, const char *text);

static bool find_program(const char *name, char path[static FILE_PATH_MAX])
{
    const char *search = getenv("PATH");
    for (const char *at = search != NULL ? search : "/usr/bin:/bin"; *at != '\0';) {
        size_t const length = strcspn(at, ":");
        if (length > 0 &&
            (size_t)snprintf(path, FILE_PATH_MAX, "%.*s/%s", (int)length, at, name) <
                FILE_PATH_MAX &&
            access(path, X_OK) == 0)
            return true;
        at += length + (at[length] == ':');
    }
    path[0] = '\0';
    return false;
}

static void miss(struct executor_abilities *abilities, const char *text)
{
    size_t const length = strlen(abilities->missing);
    snprintf(abilities->missing + length, sizeof abilities->missing - length, "%s; ", text);
}

void process_find_abilities(struct process_executor *self)
{
    struct executor_abilities *abilities = &self->abilities;
    struct fault fault;
    if (!self->settings.sandbox)
        miss(abilities, "sandbox: switched off in the configuration");
    else if (self->settings.bwrap != NULL)
        snprintf(self->bwrap, sizeof self->bwrap, "%s", self->settings.bwrap);
    else if (!find_program("bwrap", self->bwrap))
        miss(abilities, "sandbox: bwrap isn't there: install bubblewrap");
    if (self->bwrap[0] != '\0' && !try_sandbox(self, &fault)) {
        miss(abilities, fault.text);
        self->bwrap[0] = '\0';
    }
    abilities->sandbox = abilities->device_isolation = self->bwrap[0] != '\0';
    size_t const length = strlen(abilities->missing);
    cgroup_find(&self->cgroups, abilities->missing + length, sizeof abilities->missing - length);
    size_t const whole = strlen(abilities->missing);
    if (whole >= 2)
        abilities->missing[whole - 2] = '\0'; /* the last "; " */
    const struct cgroup_place *places = self->cgroups.places;
    abilities->memory_limit = places[CGROUP_MEMORY].parent[0] != '\0';
    abilities->process_limit = places[CGROUP_PROCESSES].parent[0] != '\0';
    abilities->cpu_limit = places[CGROUP_CPU].parent[0] != '\0';
}

static bool run_trial(const char *const *arguments, int filter, struct fault *fault)
{
    char words[256] = "";
    int output[2];
    posix_spawn_file_actions_t actions;
    pid_t pid;
    if (pipe2(output, O_CLOEXEC) != 0)
        return false;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output[1], 1);
    posix_spawn_file_actions_adddup2(&actions, output[1], 2);
    posix_spawn_file_actions_adddup2(&actions, filter, SANDBOX_FILTER_FD);
    char **argv = (char **)(uintptr_t)arguments; /* exec's prototype lacks a const */
    int const error = posix_spawn(&pid, arguments[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(output[1]);
    int status = -1;
    if (error == 0) {
        ssize_t const got = read(output[0], words, sizeof words - 1);
        words[got > 0 ? got : 0] = '\0';
        words[strcspn(words, "\n")] = '\0';
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    }
    close(output[0]);
    if (error == 0 && status == 0)
        return true;
    fault_set(fault, STATUS_UNAVAILABLE, "sandbox: %s fails here: %s", arguments[0],
              error != 0 ? strerror(error) : words);
    return false;
}

static bool try_sandbox(struct process_executor *self, struct fault *fault)
{
    struct sandbox_request const request = {
        .bwrap = self->bwrap, .root = self->root, .uid = self->settings.first_uid};
    struct arena arena;
    const char **arguments;
    arena_init(&arena, ARENA_MESSAGE_BYTES);
    int filter = -1;
    bool const works = sandbox_trial(&request, &arena, &arguments, fault) == STATUS_OK &&
                       system_calls_filter(&filter, fault) == STATUS_OK &&
                       run_trial(arguments, filter, fault);
    if (filter >= 0)
        close(filter);
    arena_fini(&arena);
    return works;
}
