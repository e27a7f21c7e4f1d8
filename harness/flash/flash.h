/*
 * How firmware and model images get into a part.
 *
 * A back-end fills one const struct flash_ops and is named in registry.c. The session opens what a
 * back-end stands on (probe, virtual board) and calls it; nobody above knows which one it is.
 * Errors: ERR_FLASH when the part did not take it (locked, wrong, blank, worn), ERR_LAB when the
 * adapter or the tool is the reason, ERR_CONFIG for a file that is no firmware.
 */
#ifndef HARNESS_FLASH_FLASH_H
#define HARNESS_FLASH_FLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/base/err.h"
#include "harness/spec/board.h"

struct openocd;
struct vboard;

struct flash_job {
    const struct board *board;
    const char *firmware;    /* ELF; NULL or "": none is known */
    const char *port;        /* of the serial transport, for {port}; may be NULL */
    const char *run_dir;     /* for files that a tool shall read */
    struct openocd *openocd; /* connected; NULL unless the back-end needs_probe */
    struct vboard *vboard;   /* NULL for a real board */
    /* Called before each step ("erase", "write", ...), for people who wait; may be NULL. */
    void (*progress)(void *context, const char *step, size_t bytes);
    void *context;
};

struct flash_ops {
    const char *name; /* the word used in a board file's `method:` */
    const char *help; /* one line for `list flash-methods` */
    bool needs_probe;
    /* The firmware is in the part and starts from reset. Returns 1 when it was there already. */
    int (*program)(const struct flash_job *job, struct err *err);
    /* Start it anew, as after a reset. NULL: the agent's own reset does. */
    int (*restart)(const struct flash_job *job, struct err *err);
    /*
     * Put a model image at an address that the agent cannot write itself, or not as fast. Returns
     * 1 when the agent went on running, 0 when it was restarted. NULL: cannot.
     */
    int (*write)(const struct flash_job *job, const void *data, size_t size, uint32_t address,
                 struct err *err);
    /* How far the firmware runs from where its file says: added to its symbols. NULL: nowhere. */
    int (*moved)(const struct flash_job *job, uint32_t *ret_delta, struct err *err);
};

extern const struct flash_ops *const flash_backends[]; /* ends with NULL */
const struct flash_ops *flash_find(const char *name);  /* NULL: there is none */

void flash_step(const struct flash_job *job, const char *step, size_t bytes);

/*
 * Is the firmware that answers the one in the file? build_id are the first bytes of its note, as
 * HELLO brings them. ERR_LAB when not; 1 when the file has no id to compare.
 */
int flash_check_identity(const char *firmware, const uint8_t build_id[8],
                         struct err *err) MUST_CHECK;

/* Address of a symbol of the firmware where it runs; 1 when there is no such symbol. */
int flash_symbol(const struct flash_ops *ops, const struct flash_job *job, const char *name,
                 uint32_t *ret_address, struct err *err) MUST_CHECK;

#endif
