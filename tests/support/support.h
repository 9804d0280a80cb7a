/*
 * Support: what every test needs and cmocka 1.1.5 does not have.
 *
 * Include this first in a test: it brings cmocka with the headers it wants.
 */
#ifndef ENTENTE_TESTS_SUPPORT_SUPPORT_H
#define ENTENTE_TESTS_SUPPORT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* cmocka's assert_float_equal casts to float; this compares doubles through base/tolerance. */
void support_assert_near(double actual, double expected, double relative, const char *file,
                         int line);
#define assert_near(actual, expected, relative)                                                    \
    support_assert_near((actual), (expected), (relative), __FILE__, __LINE__)

#define assert_ok(call) assert_int_equal((call), STATUS_OK)

/* A new empty directory below $TMPDIR or /tmp; remove it with support_remove_tree. */
void support_make_directory(char path[static 256]);
void support_remove_tree(const char *path);

/* From now on no file of this process grows beyond so many bytes, as on a full disk; 0: as before.
 */
void support_full_disk(uint64_t file_bytes_max);

/* The path of a file of ../shared/data, or NULL where it is absent (then skip(), saying so). Static
 * storage. */
const char *support_shared_data(const char *relative);

/* The seed of a randomised test: ENTENTE_TEST_SEED or `fallback`; printed on failure by the test
 * itself. */
uint64_t support_seed(uint64_t fallback);

#endif
