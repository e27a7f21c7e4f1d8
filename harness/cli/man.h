/* tinyrig.1 and the completions of bash, appended to `out`; from the tables behind `help`. */
#ifndef HARNESS_CLI_MAN_H
#define HARNESS_CLI_MAN_H

#include "harness/base/buf.h"

void man_page(struct buf *out);
void man_completion(struct buf *out);

#endif
