/* Private to harness/load: a board as its file holds it. The lab file overrides parts of it. */
#ifndef HARNESS_LOAD_BOARD_FILE_H
#define HARNESS_LOAD_BOARD_FILE_H

#include "harness/load/key.h"
#include "harness/spec/board.h"

/* A slot as written: the choice becomes a bool. */
struct slot_file {
    struct board_slot slot;
    const char *written_by;
};

/* A board as written. */
struct board_file {
    struct board board; /* first: the timebase map is read into it */
    struct slot_file slot;
    bool has_timebase;
    const char *const *tags;
};

/* The checks between keys, and what elements begin with. */
void region_finish(struct load *l, const struct node *n, void *object);
void slot_finish(struct load *l, const struct node *n, void *object);
void transport_finish(struct load *l, const struct node *n, void *object);
void virtual_finish(struct load *l, const struct node *n, void *object);
void board_finish(struct load *l, const struct node *n, void *object);

/* One board file into the load's problems; NULL after one. Its command is not judged. */
struct board *board_read(struct load *l, const char *data, size_t n);

extern const struct key_map board_map;
extern const struct key_map transport_map;
extern const struct key_map openocd_map;

#endif
