/*
 * The vocabulary of facts: keys of provenance, and what a difference in each means for comparing.
 *
 * harness/measure and harness/lab emit facts under these keys, harness/judge compares by this table,
 * reports show the titles. A key that is not here is stored and shown when it differs (inform).
 */
#ifndef HARNESS_SPEC_FACT_H
#define HARNESS_SPEC_FACT_H

#include <stddef.h>

#include "harness/spec/verdict.h"

/* Bits of metric classes that a metric-block applies to. */
#define FACT_TIME   (1u << METRIC_TIME)
#define FACT_CYCLE  (1u << METRIC_CYCLE)
#define FACT_ENERGY (1u << METRIC_ENERGY)
#define FACT_SPEED  (FACT_TIME | FACT_CYCLE)
#define FACT_ALL    (FACT_SPEED | FACT_ENERGY | 1u << METRIC_EXACT | 1u << METRIC_SCORE)

/* What part of a case a fact belongs to: comparing two boards on purpose, their facts inform. */
enum fact_part {
    FACT_OF_CASE,
    FACT_OF_MODEL,
    FACT_OF_BOARD,
    FACT_OF_ENGINE,
};

/*
 * key (or "prefix.*"; the first match counts), title, level, classes a metric-block applies to,
 * part, relative tolerance (0: the texts must be equal; else numbers that near count as equal).
 */
#define FACT_LIST(X)                                                                               \
    X("realm", "realm", BLOCK, 0, CASE, 0)                                                         \
    X("timebase", "unit of time", METRIC_BLOCK, FACT_SPEED, CASE, 0)                               \
    X("timebase.*", "timebase", INFORM, 0, BOARD, 0)                                               \
    X("method.version", "method", METRIC_BLOCK, FACT_ALL, CASE, 0)                                 \
    X("method.energy", "energy method", METRIC_BLOCK, FACT_ENERGY, CASE, 0)                        \
    X("model.sha256", "model", BLOCK, 0, MODEL, 0)                                                 \
    X("model.*", "model", INFORM, 0, MODEL, 0)                                                     \
    X("board_type.name", "board type", BLOCK, 0, BOARD, 0)                                         \
    X("board_type.part", "part", BLOCK, 0, BOARD, 0)                                               \
    X("board_type.cpu", "core", BLOCK, 0, BOARD, 0)                                                \
    X("board_type.clock_hz", "nominal clock", METRIC_BLOCK, FACT_TIME | FACT_ENERGY, BOARD, 0)     \
    X("board_type.voltage_uv", "nominal supply", METRIC_BLOCK, FACT_ENERGY, BOARD, 0)              \
    X("board_type.*", "board type", INFORM, 0, BOARD, 0)                                           \
    X("board.type", "board type", BLOCK, 0, BOARD, 0)                                              \
    X("board.part", "part", BLOCK, 0, BOARD, 0)                                                    \
    X("board.cpu", "core", BLOCK, 0, BOARD, 0)                                                     \
    X("board.uid", "specimen", INFORM, 0, BOARD, 0)                                                \
    X("board.serial", "specimen", INFORM, 0, BOARD, 0)                                             \
    X("board.*", "board", INFORM, 0, BOARD, 0)                                                     \
    X("clock.hz", "clock", METRIC_BLOCK, FACT_TIME | FACT_ENERGY, BOARD, 0.001)                    \
    X("clock.source", "clock source", METRIC_BLOCK, FACT_ENERGY, BOARD, 0)                         \
    X("clock.ppm", "clock error", IGNORE, 0, BOARD, 0)                                             \
    X("cache.*", "caches", METRIC_BLOCK, FACT_SPEED | FACT_ENERGY, BOARD, 0)                       \
    X("cache", "caches", METRIC_BLOCK, FACT_SPEED | FACT_ENERGY, BOARD, 0)                         \
    X("flash.wait_states", "flash wait states", METRIC_BLOCK, FACT_SPEED | FACT_ENERGY, BOARD, 0)  \
    X("regulator", "regulator", METRIC_BLOCK, FACT_ENERGY, BOARD, 0)                               \
    X("voltage.uv", "supply", METRIC_BLOCK, FACT_ENERGY, BOARD, 0.01)                              \
    X("voltage.source", "source of the voltage", INFORM, 0, BOARD, 0)                              \
    X("meter.emulated", "emulated meter", METRIC_BLOCK, FACT_ENERGY, CASE, 0)                      \
    X("meter.kind", "kind of meter", METRIC_BLOCK, FACT_ENERGY, CASE, 0)                           \
    X("meter.mode", "meter mode", METRIC_BLOCK, FACT_ENERGY, CASE, 0)                              \
    X("meter.serial", "meter", INFORM, 0, CASE, 0)                                                 \
    X("meter.*", "meter", INFORM, 0, CASE, 0)                                                      \
    X("compiler.*", "compiler", INFORM, 0, ENGINE, 0)                                              \
    X("firmware.*", "agent build", INFORM, 0, ENGINE, 0)                                           \
    X("engine.*", "engine", INFORM, 0, ENGINE, 0)                                                  \
    X("harness.*", "harness", INFORM, 0, CASE, 0)                                                  \
    X("suite.*", "suite", INFORM, 0, CASE, 0)                                                      \
    X("git.*", "git state", INFORM, 0, CASE, 0)                                                    \
    X("session.record", "record of the session", IGNORE, 0, CASE, 0)                               \
    X("run.*", "run", IGNORE, 0, CASE, 0)                                                          \
    X("host.*", "host", IGNORE, 0, CASE, 0)                                                        \
    X("probe.*", "probe", IGNORE, 0, CASE, 0)                                                      \
    X("transport.*", "link", IGNORE, 0, CASE, 0)                                                   \
    X("link.*", "link", IGNORE, 0, CASE, 0)                                                        \
    X("temperature.*", "temperature", IGNORE, 0, CASE, 0)                                          \
    X("temperature", "temperature", IGNORE, 0, CASE, 0)

struct fact_info {
    const char *key;
    const char *title;
    enum difference_level level;
    unsigned classes;
    enum fact_part part;
    double tolerance;
};

extern const struct fact_info fact_infos[];
extern const size_t fact_info_count;

/* Never NULL: an unknown key informs. */
const struct fact_info *fact_info_find(const char *key);

#endif
