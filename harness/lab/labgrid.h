/*
 * An optional source of addresses: a place of a labgrid coordinator, acquired and asked where its
 * serial port is. A board's transport (tcp or rfc2217) then says `where: labgrid:PLACE`, and the lab
 * file's `labgrid:` the argv of the client ([labgrid-client, -x, "host:20408"]).
 *
 * Only addresses come from there. What guards the board is our own lease: labgrid's locks are
 * advisory and are forgotten when its coordinator starts again.
 */
#ifndef HARNESS_LAB_LABGRID_H
#define HARNESS_LAB_LABGRID_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/base/err.h"
#include "harness/lab/lease.h"

enum {
    LABGRID_ADDRESS = 300,
    LABGRID_PLACE = 128
};

/* A place that is ours until labgrid_release(). */
struct labgrid {
    const char *const *client; /* argv, NULL-terminated */
    char place[LABGRID_PLACE];
    char address[LABGRID_ADDRESS]; /* "host:port"; "": there is no place */
    bool acquired;                 /* by us: a person's own acquisition stays */
    struct lease *mark;            /* says so, to those who come when we were killed */
};

/* The place that `where` names, or NULL when it is no labgrid address. */
const char *labgrid_place(const char *where);

/*
 * Acquire the place, or take back what one of us who was killed had acquired (it left its mark in `locks`,
 * the folder of leases), and find the "host:port" of its one NetworkSerialPort. ERR_BUSY when others have
 * it; ERR_LAB when the client fails or says nothing usable.
 */
int labgrid_acquire(struct labgrid *g, const char *const *client, const char *place,
                    const char *locks, struct err *err) MUST_CHECK;
void labgrid_release(struct labgrid *g); /* of a zeroed one too */

/* "host:port" from what `labgrid-client show` printed. Untrusted text. */
int labgrid_parse(const char *text, char ret_address[static LABGRID_ADDRESS],
                  struct err *err) MUST_CHECK;

#endif
