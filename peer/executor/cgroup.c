#include "peer/executor/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CGROUP_LINE_MAX = 2048, CGROUP_MEMBERS_MAX = 64 * 1024, CGROUP_LINES_MAX = 4096 };

#define CGROUP_DAEMON "entente-daemon"

static const char *const names[CGROUP_CONTROLLERS] = {"memory", "pids", "cpu"};
static const char *const purposes[CGROUP_CONTROLLERS] = {"memory limit", "process limit",
                                                         "CPU share"};

static bool find_v1(enum cgroup_controller controller, struct cgroup_place *place);
static bool find_v2(enum cgroup_controller controller, struct cgroup_place *place);
static bool find_mount(const char *type, const char *option, char *root, char *point);
static bool own_group(const char *controller, char group[static CGROUP_PATH_MAX]);
static bool join_group(struct cgroup_place *place, const char *root, const char *point,
                       const char *group);
static bool delegate(const char *parent, const char *controller);
static bool try_limit(const struct cgroup_tree *tree, enum cgroup_controller controller);
static bool set_limits(const struct cgroup_place *place, enum cgroup_controller controller,
                       const char *directory, const struct cgroup_limits *limits);
static bool write_text(const char *directory, const char *file, const char *text);
static bool write_count(const char *directory, const char *file, uint64_t count);
static bool enter_one(const char *directory);
static bool kill_members(const char *directory);

void cgroup_find(struct cgroup_tree *tree, char *missing, size_t missing_size)
{
    *tree = (struct cgroup_tree){0};
    for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
        struct cgroup_place *place = &tree->places[c];
        bool const there = find_v1(c, place) || find_v2(c, place);
        if (there && try_limit(tree, c))
            continue;
        int const error = errno;
        place->parent[0] = '\0';
        size_t const length = strlen(missing);
        snprintf(missing + length, missing_size - length, "%s: %s%s; ", purposes[c],
                 there ? "its cgroup can't be used: " : "no cgroup controller",
                 there ? strerror(error) : "");
    }
}

static bool find_v1(enum cgroup_controller controller, struct cgroup_place *place)
{
    char root[CGROUP_PATH_MAX];
    char point[CGROUP_PATH_MAX];
    char group[CGROUP_PATH_MAX];
    place->unified = false;
    return find_mount("cgroup", names[controller], root, point) &&
           own_group(names[controller], group) && join_group(place, root, point, group);
}

static bool find_v2(enum cgroup_controller controller, struct cgroup_place *place)
{
    char root[CGROUP_PATH_MAX];
    char point[CGROUP_PATH_MAX];
    char group[CGROUP_PATH_MAX];
    place->unified = true;
    return find_mount("cgroup2", NULL, root, point) && own_group("", group) &&
           join_group(place, root, point, group) && delegate(place->parent, names[controller]);
}

static bool has_word(const char *list, const char *word)
{
    size_t const length = strlen(word);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == '\0'))
            return true;
    }
    return false;
}

/* A line of mountinfo: ID PARENT MAJ:MIN ROOT POINT OPTIONS [TAG]... - TYPE SOURCE OPTIONS. */
static bool find_mount(const char *type, const char *option, char *root, char *point)
{
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    if (mounts == NULL)
        return false;
    char line[CGROUP_LINE_MAX];
    bool found = false;
    for (int i = 0; !found && i < CGROUP_LINES_MAX && fgets(line, sizeof line, mounts); i++) {
        char its_type[32];
        char options[256];
        char *tail = strstr(line, " - ");
        if (tail == NULL || sscanf(tail, " - %31s %*s %255s", its_type, options) != 2 ||
            sscanf(line, "%*s %*s %*s %511s %511s", root, point) != 2)
            continue;
        found = strcmp(its_type, type) == 0 && (option == NULL || has_word(options, option));
    }
    fclose(mounts);
    return found;
}

/* A line of /proc/self/cgroup: ID:CONTROLLERS:PATH; v2's has no controllers. */
static bool own_group(const char *controller, char group[static CGROUP_PATH_MAX])
{
    FILE *groups = fopen("/proc/self/cgroup", "re");
    if (groups == NULL)
        return false;
    char line[CGROUP_LINE_MAX];
    bool found = false;
    for (int i = 0; !found && i < CGROUP_LINES_MAX && fgets(line, sizeof line, groups); i++) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
        if (path == NULL || strlen(path) > CGROUP_PATH_MAX)
            continue;
        *controllers++ = '\0';
        *path++ = '\0';
        found = controller[0] == '\0' ? controllers[0] == '\0' : has_word(controllers, controller);
        if (found)
            memcpy(group, path, strlen(path) + 1);
    }
    fclose(groups);
    return found;
}

/* A container may see only a part of the tree: root is where the mount's top lies in it. */
static bool join_group(struct cgroup_place *place, const char *root, const char *point,
                       const char *group)
{
    size_t const length = strlen(root);
    if (length > 1 && strncmp(group, root, length) == 0)
        group += length;
    if (strcmp(group, "/") == 0 || strstr(group, "..") != NULL)
        group = "";
    if ((size_t)snprintf(place->parent, sizeof place->parent, "%s%s", point, group) >=
        sizeof place->parent)
        return false;
    char *last = strrchr(place->parent, '/');
    if (last != NULL && strcmp(last, "/" CGROUP_DAEMON) == 0)
        *last = '\0'; /* we stepped down before */
    return true;
}

/*
 * v2 lets a group pass controllers to its children only while no process is in it: so the daemon
 * steps down into a group of its own first. It then finds itself one level deeper, and takes the
 * level above as the parent of its jobs' groups.
 */
static bool delegate(const char *parent, const char *controller)
{
    char wish[16];
    snprintf(wish, sizeof wish, "+%s", controller);
    if (write_text(parent, "cgroup.subtree_control", wish))
        return true;
    if (errno != EBUSY)
        return false;
    char own[CGROUP_PATH_MAX + CGROUP_NAME_MAX];
    snprintf(own, sizeof own, "%s/" CGROUP_DAEMON, parent);
    if (mkdir(own, 0755) != 0 && errno != EEXIST)
        return false;
    return enter_one(own) && write_text(parent, "cgroup.subtree_control", wish);
}

static bool try_limit(const struct cgroup_tree *tree, enum cgroup_controller controller)
{
    struct cgroup_limits const limits = {
        .memory_bytes = 64 << 20, .processes = 16, .cpu_shares = 512};
    struct cgroup_tree only = {0};
    only.places[controller] = tree->places[controller];
    char name[CGROUP_NAME_MAX];
    snprintf(name, sizeof name, "entente-probe-%ld", (long)getpid());
    struct cgroup_set set;
    cgroup_name_set(&only, name, &set);
    bool const works = cgroup_make(&only, &set, &limits, NULL) == STATUS_OK;
    int const error = errno;
    cgroup_remove(&set);
    errno = error;
    return works;
}

void cgroup_name_set(const struct cgroup_tree *tree, const char *name, struct cgroup_set *set)
{
    *set = (struct cgroup_set){0};
    for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
        if (tree->places[c].parent[0] != '\0')
            snprintf(set->directories[c], sizeof set->directories[c], "%s/%.*s",
                     tree->places[c].parent, CGROUP_NAME_MAX - 2, name);
}

enum status cgroup_make(const struct cgroup_tree *tree, const struct cgroup_set *set,
                        const struct cgroup_limits *limits, struct fault *fault)
{
    for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
        const char *path = set->directories[c];
        if (path[0] != '\0' && ((mkdir(path, 0755) != 0 && errno != EEXIST) ||
                                !set_limits(&tree->places[c], c, path, limits)))
            return fault_set(fault, STATUS_IO, "cgroup %s: %s", path, strerror(errno));
    }
    return STATUS_OK;
}

static bool set_limits(const struct cgroup_place *place, enum cgroup_controller controller,
                       const char *directory, const struct cgroup_limits *limits)
{
    switch (controller) {
    case CGROUP_MEMORY:
        if (limits->memory_bytes == 0)
            return true;
        if (place->unified)
            return write_count(directory, "memory.max", limits->memory_bytes) &&
                   (write_text(directory, "memory.swap.max", "0") || errno == ENOENT);
        return write_count(directory, "memory.limit_in_bytes", limits->memory_bytes) &&
               (write_count(directory, "memory.memsw.limit_in_bytes", limits->memory_bytes) ||
                errno == ENOENT || errno == EOPNOTSUPP);
    case CGROUP_PROCESSES:
        return limits->processes == 0 || write_count(directory, "pids.max", limits->processes);
    case CGROUP_CPU:
        if (limits->cpu_shares == 0)
            return true;
        if (place->unified) /* 1024 shares weigh 100 */
            return write_count(directory, "cpu.weight", 1 + limits->cpu_shares * 100 / 1024);
        return write_count(directory, "cpu.shares", limits->cpu_shares);
    case CGROUP_CONTROLLERS: break;
    }
    return false;
}

static bool write_count(const char *directory, const char *file, uint64_t count)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, count);
    return write_text(directory, file, text);
}

static bool write_text(const char *directory, const char *file, const char *text)
{
    char path[CGROUP_PATH_MAX + 2 * CGROUP_NAME_MAX];
    snprintf(path, sizeof path, "%s/%s", directory, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool const written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    int const error = errno;
    close(fd);
    errno = error;
    return written;
}

bool cgroup_enter(const struct cgroup_set *set)
{
    bool entered = true;
    for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
        if (set->directories[c][0] != '\0' && !enter_one(set->directories[c]))
            entered = false;
    return entered;
}

/* No snprintf here: it isn't async-signal-safe. */
static bool enter_one(const char *directory)
{
    int const group = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (group < 0)
        return false;
    int const members = openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
    close(group);
    if (members < 0)
        return false;
    bool const entered = write(members, "0", 1) == 1;
    close(members);
    return entered;
}

uint64_t cgroup_memory_kills(const struct cgroup_set *set)
{
    static const char *const files[] = {"memory.oom_control", "memory.events"}; /* v1, v2 */
    const char *directory = set->directories[CGROUP_MEMORY];
    for (size_t f = 0; directory[0] != '\0' && f < sizeof files / sizeof files[0]; f++) {
        char path[CGROUP_PATH_MAX + 2 * CGROUP_NAME_MAX];
        snprintf(path, sizeof path, "%s/%s", directory, files[f]);
        FILE *file = fopen(path, "re");
        if (file == NULL)
            continue;
        char line[CGROUP_LINE_MAX];
        uint64_t kills = 0;
        for (int i = 0; i < CGROUP_LINES_MAX && fgets(line, sizeof line, file) != NULL; i++)
            if (strncmp(line, "oom_kill ", 9) == 0)
                kills = strtoull(line + 9, NULL, 10);
        fclose(file);
        return kills;
    }
    return 0;
}

bool cgroup_kill(const struct cgroup_set *set, unsigned rounds)
{
    bool empty = true;
    for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++) {
        const char *directory = set->directories[c];
        if (directory[0] == '\0')
            continue;
        write_text(directory, "cgroup.kill", "1"); /* v2 from Linux 5.14: all at once */
        unsigned round = 0;
        while (round < rounds && kill_members(directory)) {
            round++;
            usleep(1000);
        }
        if (round == rounds)
            empty = false;
    }
    return empty;
}

/* True where something was there to kill. A fork may slip through between reading the list and
 * killing, hence the caller's rounds. */
static bool kill_members(const char *directory)
{
    char path[CGROUP_PATH_MAX + 2 * CGROUP_NAME_MAX];
    snprintf(path, sizeof path, "%s/cgroup.procs", directory);
    FILE *members = fopen(path, "re");
    if (members == NULL)
        return false;
    bool found = false;
    char line[32];
    for (int i = 0; i < CGROUP_MEMBERS_MAX && fgets(line, sizeof line, members) != NULL; i++) {
        pid_t const pid = (pid_t)strtol(line, NULL, 10);
        if (pid > 1 && kill(pid, SIGKILL) == 0)
            found = true;
    }
    fclose(members);
    return found;
}

void cgroup_remove(const struct cgroup_set *set)
{
    for (unsigned c = 0; c < CGROUP_CONTROLLERS; c++)
        if (set->directories[c][0] != '\0')
            rmdir(set->directories[c]);
}
