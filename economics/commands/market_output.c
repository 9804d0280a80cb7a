/* Where the market commands write: a file, or standard output. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "economics/commands/commands.h"

enum status output_open(struct output *output, const char *path, struct fault *fault)
{
    bool const standard = path == NULL || strcmp(path, "-") == 0;
    *output =
        (struct output){.path = standard ? NULL : path, .to = standard ? stdout : fopen(path, "w")};
    return output->to != NULL
               ? STATUS_OK
               : fault_set(fault, STATUS_IO, "%s can't be written: %s", path, strerror(errno));
}

enum status output_close(struct output *output, enum status status, struct fault *fault)
{
    struct stat what;
    bool const is_file = fstat(fileno(output->to), &what) == 0 && S_ISREG(what.st_mode);
    bool broken = fflush(output->to) != 0 || ferror(output->to) != 0;
    if (output->path != NULL)
        broken |= fclose(output->to) != 0;
    if (status == STATUS_OK && broken)
        status =
            fault_set(fault, STATUS_IO, "%s can't be written to its end: %s",
                      output->path != NULL ? output->path : "standard output", strerror(errno));
    if (status != STATUS_OK && output->path != NULL && is_file)
        (void)unlink(output->path);
    return status;
}
