#include "peer/executor/executor_sandbox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/files/chunks.h"

/* A command line that grows in an arena; the first thing that goes wrong is remembered. */
struct line {
    struct arena *arena;
    const char **items; /* [count], of LAUNCH_ARGUMENTS_MAX + 1 */
    uint32_t count;
    bool failed;
};

static void begin_line(struct line *line, struct arena *arena);
static void add(struct line *line, const char *text);
static void add_all(struct line *line, const char *const *texts);
static void add_format(struct line *line, const char *format, ...) PRINTF_LIKE(2, 3);
static enum status end_line(struct line *line, struct fault *fault);

static void add_parents(struct line *line, const char *path);
static void add_isolation(struct line *line, const struct sandbox_request *request);
static void add_system(struct line *line, const struct sandbox_request *request);
static void add_run(struct line *line, const struct sandbox_request *request);
static void add_devices(struct line *line, const struct sandbox_request *request);
static void add_identity(struct line *line, const struct sandbox_request *request);
static enum status add_job(struct line *line, const struct sandbox_request *request,
                           struct fault *fault);

enum status sandbox_command(const struct sandbox_request *request, struct arena *arena,
                            struct launch *launch, struct fault *fault)
{
    struct line line;
    begin_line(&line, arena);
    if (request->bwrap != NULL) {
        add(&line, request->bwrap);
        add_isolation(&line, request);
        add_system(&line, request);
        add_run(&line, request);
        add_devices(&line, request);
        add_all(&line, (const char *const[]){"--remount-ro", "/dev", "--remount-ro", "/", "--chdir",
                                             "/work", "--", NULL});
    }
    add_identity(&line, request);
    enum status status = add_job(&line, request, fault);
    if (status == STATUS_OK)
        status = end_line(&line, fault);
    if (status != STATUS_OK)
        return status;
    launch->sandboxed = request->bwrap != NULL;
    launch->arguments = line.items;
    launch->argument_count = line.count;
    return STATUS_OK;
}

enum status sandbox_trial(const struct sandbox_request *request, struct arena *arena,
                          const char ***arguments, struct fault *fault)
{
    struct line line;
    begin_line(&line, arena);
    add(&line, request->bwrap);
    add_isolation(&line, request);
    add_system(&line, request);
    add_all(&line, (const char *const[]){"--remount-ro", "/dev", "--remount-ro", "/", "--seccomp",
                                         SANDBOX_FILTER_TEXT, "--", NULL});
    add_identity(&line, request);
    add_all(&line, (const char *const[]){"/bin/sh", "-c", "test -e /proc/self && exit 0", NULL});
    enum status status = end_line(&line, fault);
    *arguments = line.items;
    return status;
}

static void add_isolation(struct line *line, const struct sandbox_request *request)
{
    add_all(line,
            (const char *const[]){"--unshare-ipc", "--unshare-pid", "--unshare-uts",
                                  "--unshare-cgroup-try", "--hostname", "job", "--new-session",
                                  "--die-with-parent", "--cap-drop", "ALL", NULL});
    if (!request->network)
        add(line, "--unshare-net");
    if (request->root && request->uid != 0)
        add_all(line,
                (const char *const[]){"--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", NULL});
    else
        add(line, "--unshare-user");
}

/* The host's programs and libraries, read-only, and nothing else of it. */
static void add_system(struct line *line, const struct sandbox_request *request)
{
    static const char *const tops[] = {"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
    static const char *const pieces[] = {"/etc/ld.so.cache",  "/etc/ld.so.conf",
                                         "/etc/ld.so.conf.d", "/etc/alternatives",
                                         "/etc/localtime",    "/etc/nsswitch.conf"};
    static const char *const network_pieces[] = {"/etc/resolv.conf", "/etc/hosts", "/etc/ssl",
                                                 "/etc/services"};
    add_all(line, (const char *const[]){"--ro-bind", "/usr", "/usr", NULL});
    for (size_t t = 0; t < sizeof tops / sizeof tops[0]; t++) {
        char target[256];
        ssize_t const length = readlink(tops[t], target, sizeof target - 1);
        if (length > 0)
            add_all(line, (const char *const[]){
                              "--symlink", arena_copy_text(line->arena, target, (size_t)length),
                              tops[t], NULL});
        else if (access(tops[t], F_OK) == 0)
            add_all(line, (const char *const[]){"--ro-bind", tops[t], tops[t], NULL});
    }
    add_parents(line, "/etc/x");
    for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++)
        add_all(line, (const char *const[]){"--ro-bind-try", pieces[p], pieces[p], NULL});
    for (size_t p = 0; request->network && p < sizeof network_pieces / sizeof network_pieces[0];
         p++)
        add_all(line,
                (const char *const[]){"--ro-bind-try", network_pieces[p], network_pieces[p], NULL});
    add_all(line, (const char *const[]){"--proc", "/proc", "--dev", "/dev", NULL});
}

/* As root, bubblewrap makes directories on the way that only root can enter. */
static void add_parents(struct line *line, const char *path)
{
    for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        add_all(line, (const char *const[]){"--perms", "0755", "--dir", NULL});
        add_format(line, "%.*s", (int)(slash - path), path);
    }
}

static void add_run(struct line *line, const struct sandbox_request *request)
{
    static const char *const memories[] = {"/scratch", "/tmp", "/dev/shm"};
    for (size_t m = 0; m < sizeof memories / sizeof memories[0]; m++) {
        add_all(line, (const char *const[]){"--perms", "1777", "--size", NULL});
        add_format(line, "%" PRIu64, request->scratch_bytes);
        add_all(line, (const char *const[]){"--tmpfs", memories[m], NULL});
    }
    add(line, "--bind");
    add_format(line, "%s/work", request->directory);
    add_all(line, (const char *const[]){"/work", "--bind", NULL});
    add_format(line, "%s/report", request->directory);
    add_all(line, (const char *const[]){"/report", "--ro-bind", NULL});
    add_format(line, "%s/state/environment", request->directory);
    add_all(line, (const char *const[]){"/etc/entente-environment", "--ro-bind", NULL});
    add_format(line, "%s/state/passwd", request->directory);
    add(line, "/etc/passwd");
    for (uint32_t p = 0; p < request->run->path_count; p++) {
        const char *path = request->run->read_only_paths[p];
        add_parents(line, path);
        add_all(line, (const char *const[]){"--ro-bind", path, path, NULL});
    }
}

uint32_t sandbox_devices(const struct executor_run *run,
                         uint32_t devices[static SANDBOX_DEVICES_MAX])
{
    uint32_t count = 0;
    for (uint32_t n = 0; n < run->node_count; n++)
        for (uint32_t g = 0; g < GPUS_PER_NODE_MAX && count < SANDBOX_DEVICES_MAX; g++)
            if ((run->nodes[n].gpus >> g & 1) != 0)
                devices[count++] = run->first_device + run->nodes[n].node * run->gpus_per_node + g;
    return count;
}

/* The leased GPUs, and what the driver needs beside any of them. GPUs that are only declared have
 * no device. */
static void add_devices(struct line *line, const struct sandbox_request *request)
{
    static const char *const common[] = {"nvidiactl", "nvidia-uvm", "nvidia-uvm-tools"};
    uint32_t devices[SANDBOX_DEVICES_MAX];
    uint32_t const count = sandbox_devices(request->run, devices);
    bool any = false;
    for (uint32_t d = 0; d < count; d++) {
        char path[FILE_PATH_MAX];
        snprintf(path, sizeof path, "%s/nvidia%" PRIu32, request->device_directory, devices[d]);
        if (access(path, F_OK) != 0)
            continue;
        any = true;
        add(line, "--dev-bind");
        add_format(line, "%s", path);
        add_format(line, "/dev/nvidia%" PRIu32, devices[d]);
    }
    for (size_t c = 0; any && c < sizeof common / sizeof common[0]; c++) {
        add(line, "--dev-bind-try");
        add_format(line, "%s/%s", request->device_directory, common[c]);
        add_format(line, "/dev/%s", common[c]);
    }
}

static void add_identity(struct line *line, const struct sandbox_request *request)
{
    if (!request->root || request->uid == 0)
        return;
    add_all(line, (const char *const[]){"/usr/bin/setpriv", "--reuid", NULL});
    add_format(line, "%lu", (unsigned long)request->uid);
    add(line, "--regid");
    add_format(line, "%lu", (unsigned long)request->uid);
    add_all(line,
            (const char *const[]){"--clear-groups", "--inh-caps=-all", "--no-new-privs", NULL});
    add(line, "--");
}

static bool in_bundle(const struct job_specification *specification, const char *path)
{
    for (uint32_t f = 0; f < specification->file_count; f++)
        if (strcmp(specification->files[f].path, path) == 0)
            return true;
    return false;
}

static enum status add_job(struct line *line, const struct sandbox_request *request,
                           struct fault *fault)
{
    const struct job_specification *specification = request->run->specification;
    if (specification->argument_count == 0 || specification->arguments[0][0] == '\0' ||
        specification->arguments[0][0] == '-')
        return fault_set(fault, STATUS_INVALID,
                         "the command must name a program, not begin with '-'");
    add_all(line, (const char *const[]){"/bin/sh", "-c", ". \"$0\" && exec \"$@\"", NULL});
    if (request->bwrap != NULL)
        add(line, "/etc/entente-environment");
    else
        add_format(line, "%s/state/environment", request->directory);
    const char *program = specification->arguments[0];
    if (strchr(program, '/') == NULL && in_bundle(specification, program))
        add_format(line, "./%s", program);
    else
        add(line, program);
    for (uint32_t a = 1; a < specification->argument_count; a++)
        add(line, specification->arguments[a]);
    return STATUS_OK;
}

/* --- the environment */

static void write_variable(FILE *file, const char *name, size_t name_length, const char *value)
{
    fprintf(file, "export %.*s='", (int)name_length, name);
    for (; *value != '\0'; value++)
        if (*value == '\'')
            fputs("'\\''", file);
        else
            fputc(*value, file);
    fputs("'\n", file);
}

static bool write_pair(FILE *file, const char *pair)
{
    size_t const length = strspn(pair, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789_");
    if (length == 0 || pair[length] != '=' || (pair[0] >= '0' && pair[0] <= '9'))
        return false;
    write_variable(file, pair, length, pair + length + 1);
    return true;
}

static void write_text(FILE *file, const char *name, const char *format, ...) PRINTF_LIKE(3, 4);
static void write_text(FILE *file, const char *name, const char *format, ...)
{
    char value[FILE_PATH_MAX + PATH_BYTES_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(value, sizeof value, format, arguments);
    va_end(arguments);
    write_variable(file, name, strlen(name), value);
}

/* What the job may change comes first, so that what comes after holds. */
static void write_contract(FILE *file, const struct sandbox_request *request)
{
    const struct executor_run *run = request->run;
    const char *top = request->bwrap != NULL ? "" : request->directory;
    write_text(file, "ENTENTE_JOB", "%s", run->specification->job.text);
    write_text(file, "ENTENTE_GPU", "%s", run->gpu->text);
    write_text(file, "ENTENTE_GPUS", "%" PRIu32, run->gpu_count);
    write_text(file, "ENTENTE_PROGRESS", "%s/report/progress", top);
    write_text(file, "ENTENTE_SCRATCH", "%s/scratch", top);
    if (run->specification->checkpoint_path != NULL &&
        run->specification->checkpoint_path[0] != '\0')
        write_text(file, "ENTENTE_CHECKPOINT", "%s/work/%s", top,
                   run->specification->checkpoint_path);
    uint32_t devices[SANDBOX_DEVICES_MAX];
    uint32_t const count = sandbox_devices(run, devices);
    fputs("export CUDA_VISIBLE_DEVICES='", file);
    for (uint32_t d = 0; d < count; d++)
        fprintf(file, "%s%" PRIu32, d == 0 ? "" : ",", devices[d]);
    fputs("'\n", file);
}

enum status sandbox_environment(const struct sandbox_request *request, struct arena *arena,
                                struct bytes *text, struct fault *fault)
{
    const struct executor_run *run = request->run;
    char *letters = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&letters, &size);
    if (file == NULL)
        return fault_set(fault, STATUS_NO_MEMORY, "no memory to start a run");
    const char *top = request->bwrap != NULL ? "" : request->directory;
    write_text(file, "PATH", "/usr/local/bin:/usr/bin:/bin");
    write_text(file, "LANG", "C.UTF-8");
    write_text(file, "HOME", "%s/work", top);
    const char *refused = NULL;
    for (uint32_t v = 0; v < run->specification->variable_count; v++)
        if (!write_pair(file, run->specification->variables[v]))
            refused = run->specification->variables[v];
    for (uint32_t v = 0; v < run->extra_count; v++)
        if (!write_pair(file, run->extra_variables[v]))
            refused = run->extra_variables[v];
    write_contract(file, request);
    bool const failed = fclose(file) != 0;
    enum status status = STATUS_OK;
    *text = (struct bytes){.data = failed ? NULL : arena_copy(arena, letters, size), .size = size};
    if (refused != NULL)
        status = fault_set(fault, STATUS_INVALID,
                           "variable '%.60s' isn't NAME=value with letters, digits and _", refused);
    else if (text->data == NULL)
        status = fault_set(fault, STATUS_NO_MEMORY, "no memory to start a run");
    free(letters);
    return status;
}

/* --- lines */

static void begin_line(struct line *line, struct arena *arena)
{
    *line = (struct line){
        .arena = arena,
        .items = arena_alloc(arena, LAUNCH_ARGUMENTS_MAX + 1, sizeof *line->items),
    };
    line->failed = line->items == NULL;
}

static void add(struct line *line, const char *text)
{
    if (text == NULL || line->failed || line->count == LAUNCH_ARGUMENTS_MAX)
        line->failed = true;
    else
        line->items[line->count++] = text;
}

static void add_all(struct line *line, const char *const *texts)
{
    for (; *texts != NULL; texts++)
        add(line, *texts);
}

static void add_format(struct line *line, const char *format, ...)
{
    char text[FILE_PATH_MAX + 64];
    va_list arguments;
    va_start(arguments, format);
    int const length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof text)
        line->failed = true;
    else
        add(line, arena_copy_text(line->arena, text, (size_t)length));
}

static enum status end_line(struct line *line, struct fault *fault)
{
    if (line->failed)
        return fault_set(fault, STATUS_EXHAUSTED,
                         "the job's command, data sets and devices make more than %d arguments",
                         LAUNCH_ARGUMENTS_MAX);
    line->items[line->count] = NULL;
    return STATUS_OK;
}
