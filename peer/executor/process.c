#include "peer/executor/process.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>

enum { PROCESS_FILE_MAX = 4096 };

/* Field 22, counted behind the command's name, which may hold anything. Field 3 is the state. */
static bool read_stat(pid_t pid, uint64_t *start_ticks, char *condition)
{
    char path[64];
    char text[PROCESS_FILE_MAX];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t const length = read(fd, text, sizeof text - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    const char *field = strrchr(text, ')');
    if (field == NULL || field[1] != ' ')
        return false;
    *condition = field[2];
    for (int number = 2; number < 22; number++) {
        field = strchr(field + 1, ' ');
        if (field == NULL)
            return false;
    }
    *start_ticks = strtoull(field + 1, NULL, 10);
    return true;
}

static bool read_boot(char boot[static BOOT_ID_MAX])
{
    int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t const length = read(fd, boot, BOOT_ID_MAX - 1);
    close(fd);
    if (length <= 0)
        return false;
    boot[length] = '\0';
    boot[strcspn(boot, "\n")] = '\0';
    return true;
}

bool process_identify(pid_t pid, struct process_identity *identity)
{
    char condition;
    *identity = (struct process_identity){.pid = pid};
    return read_stat(pid, &identity->start_ticks, &condition) && read_boot(identity->boot);
}

bool process_alive(const struct process_identity *identity)
{
    struct process_identity now;
    char condition;
    return process_identify(identity->pid, &now) && now.start_ticks == identity->start_ticks &&
           strcmp(now.boot, identity->boot) == 0 &&
           read_stat(identity->pid, &now.start_ticks, &condition) && condition != 'Z' &&
           condition != 'X';
}

bool process_signal(const struct process_identity *identity, int signal)
{
    int fd = pidfd_open(identity->pid, 0);
    if (fd < 0)
        return false;
    /* Compared after opening: what fd means can't change any more. */
    bool const sent = process_alive(identity) && pidfd_send_signal(fd, signal, NULL, 0) == 0;
    close(fd);
    return sent;
}

struct relation {
    pid_t parent;
    pid_t inner; /* its pid in the innermost namespace */
};

static bool read_relation(pid_t pid, struct relation *relation)
{
    char path[64];
    char line[256];
    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    *relation = (struct relation){0};
    for (int i = 0; i < 64 && fgets(line, sizeof line, file) != NULL; i++) {
        if (strncmp(line, "PPid:", 5) == 0)
            relation->parent = (pid_t)strtol(line + 5, NULL, 10);
        if (strncmp(line, "NSpid:", 6) == 0)
            relation->inner = (pid_t)strtol(strrchr(line, '\t') + 1, NULL, 10);
    }
    fclose(file);
    return true;
}

pid_t process_find_child(pid_t parent, pid_t inner)
{
    DIR *processes = opendir("/proc");
    if (processes == NULL)
        return 0;
    pid_t found = 0;
    for (struct dirent *item; found == 0 && (item = readdir(processes)) != NULL;) {
        struct relation relation;
        if (!isdigit((unsigned char)item->d_name[0]))
            continue;
        pid_t const pid = (pid_t)strtol(item->d_name, NULL, 10);
        if (read_relation(pid, &relation) && relation.parent == parent &&
            (inner == 0 || relation.inner == inner))
            found = pid;
    }
    closedir(processes);
    return found;
}
