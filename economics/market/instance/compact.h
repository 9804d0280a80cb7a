/*
 * Compact: an instance as lines of text, a fifth of its JSON's size, for a hundred thousand jobs.
 *
 *     entente-market 1
 *     round 300
 *     member usc
 *     member ucsd
 *     pool usc/A100 usc A100 64 8 0.0004
 *     affinity usc ucsd 0.8
 *     link usc ucsd 100 0.02
 *     limit usc A100 32 -
 *     limit ucsd * - 50
 *     job j1 usc 0.01 1000000000 5 36000 - 0 0=2:310.5,4:600
 *     end 1
 *
 * Fields are parted by one space, '-' stands for what is not stated (as a missing key in JSON, and
 * with the same meaning and limits: instance.h), in a name every byte up to space, '%' and 127 is
 * written %XX; a name "-" or "*" is written %2D, %2A.
 *
 *     round     SECONDS                                     first, and once
 *     member    ID
 *     pool      ID MEMBER GPU GPUS GPUS_PER_NODE COST       pools count from 0 in their order
 *     affinity  HOME HOST VALUE
 *     link      HOME HOST GIGABYTES_PER_ROUND COST_PER_GIGABYTE
 *     limit     MEMBER GPU|* MAX_FOREIGN_GPUS MAX_CREDITS   *: all of the member's pools
 *     job       ID HOME VALUE WORK_LEFT DATA_GIGABYTES REMAINING_SECONDS PRICE_MAX ONE_NODE
 *               then for each pool POOL=GPUS:THROUGHPUT,GPUS:THROUGHPUT...; ONE_NODE is 0 or 1
 *     end       JOBS                                        last: a file cut short is noticed
 *
 * A name is defined before it is used. What is wrong is refused as
 * "f.market:17:9: gpus: -1 is not within 1 and 65536". Lines have at most COMPACT_LINE_BYTES_MAX.
 */
#ifndef ENTENTE_ECONOMICS_MARKET_INSTANCE_COMPACT_H
#define ENTENTE_ECONOMICS_MARKET_INSTANCE_COMPACT_H

enum { COMPACT_LINE_BYTES_MAX = 4 * 1024 * 1024, COMPACT_VERSION = 1 };

#define COMPACT_MAGIC "entente-market"

#endif
