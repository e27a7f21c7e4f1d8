/*
 * SCPI to one instrument: lines and answers over TCP, a /dev/usbtmcN file or VXI-11 (liblxi, where
 * this was built with it). Called by scpi.c and scpi_log.c. Answers are bounded and have their time.
 */
#ifndef HARNESS_METER_SCPI_LINK_H
#define HARNESS_METER_SCPI_LINK_H

#include <stddef.h>

#include "harness/base/buf.h"
#include "harness/base/err.h"
#include "harness/transport/transport.h"

#define SCPI_ANSWER_MAX 1024

struct scpi_link {
    struct transport *transport; /* TCP; NULL: none */
    int file;                    /* USBTMC; -1: none */
    int vxi;                     /* VXI-11; -1: none */
    struct buf received;         /* came, and was not asked for yet */
};

#define SCPI_LINK_INIT                                                                             \
    {                                                                                              \
        .file = -1, .vxi = -1                                                                      \
    }

/* "HOST", "HOST:PORT", "/dev/usbtmcN", "vxi11:HOST" or "vxi11:HOST/NAME". */
int scpi_connect(struct scpi_link *s, const char *where, struct err *err) MUST_CHECK;
void scpi_disconnect(struct scpi_link *s);

int scpi_send(struct scpi_link *s, const char *line, struct err *err) MUST_CHECK;
int scpi_ask(struct scpi_link *s, const char *question, char answer[static SCPI_ANSWER_MAX],
             struct err *err) MUST_CHECK;
/* Refuses what is no number, and the 9.9E37 that stands for none. */
int scpi_ask_number(struct scpi_link *s, const char *question, double *ret,
                    struct err *err) MUST_CHECK;
/* A definite block of IEEE 488.2 (#<digits><length><data>), at most `most` bytes of data. */
int scpi_ask_block(struct scpi_link *s, const char *question, size_t most, struct buf *ret,
                   struct err *err) MUST_CHECK;
/* Empty the instrument's queue of errors: the first one in it is ours. */
int scpi_check(struct scpi_link *s, const char *after, struct err *err) MUST_CHECK;

#endif
