/* The pure part of the swd transport, for tests and fuzzing. */
#ifndef HARNESS_TRANSPORT_SWD_H
#define HARNESS_TRANSPORT_SWD_H

#include "harness/base/buf.h"
#include "harness/base/err.h"

/* "STATE BYTE BYTE ..." as the procedures in OpenOCD answer; bytes are appended to out. */
int swd_parse_bytes(const char *text, unsigned *ret_state, struct buf *out,
                    struct err *err) MUST_CHECK;

#endif
