/*
 * entente-peer-shim: the shim of one run, in a program of its own.
 *
 * It is `entente-peer run-shim` without all that the daemon links (gRPC, TLS, SQLite): starting
 * those took 10 ms of processor time a job. Where it does not lie beside entente-peer, that does
 * its work.
 */
#include "peer/executor/executor.h"

int main(int argc, char **argv)
{
    return process_shim_main(argc, argv);
}
