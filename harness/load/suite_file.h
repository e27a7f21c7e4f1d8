/* Private to harness/load: a suite as its file holds it, before everything is known. */
#ifndef HARNESS_LOAD_SUITE_FILE_H
#define HARNESS_LOAD_SUITE_FILE_H

#include "harness/load/key.h"
#include "harness/spec/suite.h"

/* Input and expected files of a model, as lists of paths and patterns; NULL: none. */
struct vector_files {
    const char *const *inputs;
    const char *const *expected;
};

/* A model as written; becomes a struct suite_model once everything is known. */
struct model_file {
    struct suite_model model;
    struct vector_files files;
    const struct suite_vector *vectors; /* written out one by one */
    size_t vector_count;
    struct suite_dataset dataset;
    bool has_dataset;
};

struct suite_file {
    struct suite suite;
    struct suite_energy energy;
    bool has_energy;
    struct model_file defaults;
    bool has_defaults;
    struct model_file *models;
    size_t model_count;
};

/* What the budget's text says; a problem at n when it says nothing. */
void budget_read(struct load *l, const struct node *n, struct suite_budget *budget);

/* Looks the files up and pairs them. */
void vectors_find(struct load *l, const struct node *n, const struct vector_files *files,
                  struct suite_model *model);

/* False, and a problem at n, unless path is a file. */
bool file_check(struct load *l, const struct node *n, const char *path);

/* The checks between keys, and what elements begin with. */
void measure_finish(struct load *l, const struct node *n, void *object);
void battery_finish(struct load *l, const struct node *n, void *object);
void filter_finish(struct load *l, const struct node *n, void *object);
void budget_finish(struct load *l, const struct node *n, void *object);
void dataset_finish(struct load *l, const struct node *n, void *object);
void vector_finish(struct load *l, const struct node *n, void *object);
void defaults_prepare(struct load *l, void *object);
void model_prepare(struct load *l, void *object);
void model_finish(struct load *l, const struct node *n, void *object);
void suite_finish(struct load *l, const struct node *n, void *object);

extern const struct key_map suite_map;

#endif
