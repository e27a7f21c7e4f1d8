/* Private to harness/load: what suite.c, board.c and lab.c share. */
#ifndef HARNESS_LOAD_READ_H
#define HARNESS_LOAD_READ_H

#include "harness/load/key.h"
#include "harness/spec/lab.h"
#include "harness/spec/suite.h"

/* The root maps, for the help and the schemas. */
extern const struct key_map suite_map;
extern const struct key_map board_map;
extern const struct key_map lab_map;

/* Parse and read a whole file into object. Problems are left in l. */
void read_text(struct load *l, const char *data, size_t n, const struct key_map *map, void *object);

/* The file's name without folder and `suffix`. */
const char *read_stem(const char *path, const char *suffix, struct arena *arena);

/* suite: what the budget's text says; a problem at n when it says nothing. */
void budget_read(struct load *l, const struct node *n, struct suite_budget *budget);

/* Input and expected files of a model, as lists of paths and patterns. */
struct vector_files {
    const char *const *inputs; /* NULL: none */
    const char *const *expected;
};
void vectors_find(struct load *l, const struct node *n, const struct vector_files *files,
                  struct suite_model *model);

/* A problem at n unless path is a file that can be read. */
bool file_check(struct load *l, const struct node *n, const char *path);

/* One board file into problems; NULL after a problem. `command` in it is not judged. */
struct board *board_read(struct load *l, const char *data, size_t n);

extern const struct key_map transport_map;
extern const struct key_map openocd_map;

#endif
