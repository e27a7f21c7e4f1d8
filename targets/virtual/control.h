/* Carries out the commands of the control protocol on a board and words the replies. */
#ifndef TARGETS_VIRTUAL_CONTROL_H
#define TARGETS_VIRTUAL_CONTROL_H

#include <stdbool.h>

#include "targets/virtual/board.h"

/*
 * One line of input, changed in place. Appends exactly one reply line to b->say ("ok ..." or
 * "error TEXT"; `help` answers with several lines before its ok), none for an empty line or a
 * comment. Returns false when the board is to end.
 */
bool control_line(struct board *b, char *line);

/* The reply for a failure: "error TEXT (HINT)", on one line whatever the text contains. */
void control_error(struct buf *out, const struct err *err);

#endif
