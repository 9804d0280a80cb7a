/*
 * Writes the seed corpus of fuzz_snapshot: the snapshots of a few small rounds.
 * fuzz_snapshot_seeds DIRECTORY; kept in tests/fuzz/corpus/snapshot: those of before sessions as
 * they were, those of now as warm_...
 */
#include "tests/broker/broker_fixture.h"

#include "broker/round/snapshot.h"

static void write_seed(struct fed *fed, const char *directory, const char *name)
{
    char path[FILE_PATH_MAX];
    struct bytes bytes;
    assert_ok(snapshot_encode(&fed->round->market, &fed->round->terms, fed->round->state,
                              &fed->arena, &bytes, &fed->fault));
    assert_ok(path_join(path, directory, name, &fed->fault));
    assert_ok(file_write(path, bytes, 0644, &fed->fault));
}

int main(int argc, char **argv)
{
    void *state = NULL;
    if (argc != 2 || fed_open(&state) != 0)
        return EXIT_CODE_USAGE;
    struct fed *fed = state;
    fed_round(fed);
    write_seed(fed, argv[1], "empty");
    struct fed_member *usc = fed_add(fed, "usc", 1000);
    struct fed_member *isi = fed_add(fed, "isi", 2);
    fed_pool(usc, "a100", 4, 0.001);
    fed_pool(isi, "v100", 3, 0.0005);
    usc->pools[0].foreign_gpus_max = 3;
    fed_beat_all(fed);
    fed_submit(fed, isi, "isi-1", 2, 0.001);
    fed_submit(fed, usc, "usc-1", 3, 0.002);
    fed_round(fed);
    write_seed(fed, argv[1], "first");
    fed_start(fed, usc, "usc-1");
    fed_submit(fed, isi, "isi-2", 1, 0.003);
    fed_to_full_round(fed);
    fed_round(fed);
    write_seed(fed, argv[1], "renewal");
    fed_close(&state);
    return EXIT_CODE_OK;
}
