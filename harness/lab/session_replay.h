/*
 * A session played back: the records that `--record` kept of a board, one per opening of its port, in
 * place of the board. No lease, no power, no probe and no emulator is touched, and whatever is measured
 * comes out as it did then.
 */
#ifndef HARNESS_LAB_SESSION_REPLAY_H
#define HARNESS_LAB_SESSION_REPLAY_H

#include "harness/lab/internal.h"

/* The flash method as a replay has it: the same steps over the link, nothing beside it. */
void session_replay_method(struct session *s);

/* The rungs of the ladder that the board had, without effect: each opened the port anew. */
void session_replay_means(struct session *s, bool is_virtual);

/* The board's next record: path, and the nonce it begins with. ERR_IO when there is none left. */
int session_replay_next(struct session *s, char path[static SESSION_PATH], uint16_t *ret_nonce,
                        struct err *err) MUST_CHECK;

#endif
