/*
 * The agent as native code: a port whose link is a pair of descriptors, whose timebase is the
 * host's monotonic clock and whose memory comes from malloc. The program tinyrig-agent-posix, the
 * `loop` transport (agent in a thread) and the fuzzers run it.
 *
 * All state is thread-local, so several agents may run in one process, one per thread.
 */
#ifndef AGENTS_PORTS_POSIX_POSIX_H
#define AGENTS_PORTS_POSIX_POSIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct posix_agent_options {
    int in_fd;
    int out_fd;
    uint32_t slot_size;  /* bytes; 0: 4 MiB */
    uint32_t arena_size; /* bytes; 0: 1 MiB */
    int slot_fd;         /* a file that stands for flash: the slot survives; -1: RAM */
    int marker_fd;       /* gets "edge 0|1 NS -" per edge (targets/virtual/edges.h); -1: no pin */
    uint8_t uid[12];     /* all zero: the chip has none */
    /* The far end's rate: bytes are garbled while ours differs. NULL: a line without rates. */
    const _Atomic uint32_t *far_baud;
};

/*
 * Serve until the link ends. Returns 0, or an errno value when memory or the slot file could not
 * be had. A RESET over the link starts the agent anew in here, with the slot kept only if it has
 * a file.
 */
int posix_agent_run(const struct posix_agent_options *options);

#endif
