#include "tests/support/support.h"

#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/tolerance.h"

void support_assert_near(double actual, double expected, double relative, const char *file,
                         int line)
{
    if (nearly_equal(actual, expected, relative))
        return;
    print_error("%.17g is not near %.17g (relative %g)\n", actual, expected, relative);
    _fail(file, line);
}

void support_make_directory(char path[static 256])
{
    const char *parent = getenv("TMPDIR");
    snprintf(path, 256, "%s/entente-test-XXXXXX", parent != NULL ? parent : "/tmp");
    if (mkdtemp(path) == NULL)
        fail_msg("mkdtemp %s failed", path);
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

void support_remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void support_full_disk(uint64_t file_bytes_max)
{
    struct rlimit limit;
    signal(SIGXFSZ, SIG_IGN); /* the write fails instead */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = file_bytes_max > 0 ? file_bytes_max : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

const char *support_shared_data(const char *relative)
{
    static char path[4096];
    const char *source = getenv("ENTENTE_SOURCE_DIR");
    snprintf(path, sizeof path, "%s/../shared/data/%s", source != NULL ? source : ".", relative);
    return access(path, R_OK) == 0 ? path : NULL;
}

uint64_t support_seed(uint64_t fallback)
{
    const char *text = getenv("ENTENTE_TEST_SEED");
    return text != NULL ? strtoull(text, NULL, 0) : fallback;
}
