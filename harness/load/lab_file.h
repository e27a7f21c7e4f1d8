/* Private to harness/load: the lab as its file holds it. */
#ifndef HARNESS_LOAD_LAB_FILE_H
#define HARNESS_LOAD_LAB_FILE_H

#include "harness/load/board_file.h"
#include "harness/spec/lab.h"

/* A board as written in the lab file: a kind, and what differs from it. */
struct lab_board {
    struct board board; /* type is the kind's name */
    const char *const *tags;
    const struct node *node;
};

struct lab_file {
    struct lab lab;
    const char *const *board_path;
    bool virtual_boards;
    struct lab_board *boards;
    size_t board_count;
    struct board **attached;
    size_t attached_count;
    size_t attached_capacity;
    struct board **known;
    size_t known_count;
    size_t known_capacity;
};

/* The checks between keys, and what elements begin with. */
void meter_finish(struct load *l, const struct node *n, void *object);
void power_finish(struct load *l, const struct node *n, void *object);
void lab_board_finish(struct load *l, const struct node *n, void *object);

extern const struct key_map lab_map;
extern const struct key_map lab_board_map;

#endif
