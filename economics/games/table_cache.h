/*
 * Table cache: worth tables of markets, whole or in part, kept in files so that no table is made
 * twice and one that was interrupted goes on where it was.
 *
 * DIRECTORY/worth-KEY.table, KEY a 128-bit hash of all that worths depend on (who owns which pools
 * and jobs, columns' worths and GPUs, rows; not names). DIRECTORY is $ENTENTE_CACHE_DIR, else
 * $XDG_CACHE_HOME/entente, else $HOME/.cache/entente. A file: "ENTW1\n", players (4 bytes), a byte
 * for each item (done or not), the worths as doubles, a 64-bit hash of all that, in the machine's
 * byte order; one that is damaged or of another size is no file. Anybody may delete them.
 *
 * Thread rule: any thread; files are replaced whole. Complexity: O(2^players + market).
 */
#ifndef ENTENTE_ECONOMICS_GAMES_TABLE_CACHE_H
#define ENTENTE_ECONOMICS_GAMES_TABLE_CACHE_H

#include "base/file.h"
#include "economics/market/market.h"

/* The file's path; false: there is no directory for it (none of the variables is set). */
MUST_USE bool table_cache_path(const struct market *market, char path[static FILE_PATH_MAX]);

/* Fills what the file has; false: nothing. worth[2^players], done[items]. */
MUST_USE bool table_cache_load(const char *path, uint32_t players, uint32_t items, double *worth,
                               unsigned char *done);

/* IO where it can't be written. */
MUST_USE enum status table_cache_store(const char *path, uint32_t players, uint32_t items,
                                       const double *worth, const unsigned char *done,
                                       struct fault *fault);

#endif
