/*
 * The emulated power analyser of a virtual board, from the harness's side: starts tinyrig-vmeter
 * (targets/virtual/meter) on the board's edge stream. It lives as long as this object.
 */
#ifndef HARNESS_VIRTUAL_VMETER_H
#define HARNESS_VIRTUAL_VMETER_H

#include "harness/base/err.h"
#include "harness/spec/board.h"

struct vmeter;

struct vmeter_options {
    const struct board *board;
    const char *program; /* path of tinyrig-vmeter */
    const char *edges;   /* the board's edge socket */
    const char *link;    /* where its pty is to be */
};

int vmeter_open(const struct vmeter_options *options, struct vmeter **ret,
                struct err *err) MUST_CHECK;
void vmeter_close(struct vmeter *m); /* NULL is fine */
DEFINE_AUTO(struct vmeter, vmeter_close)

#endif
