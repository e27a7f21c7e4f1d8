/* tinyrig-recipe: makes .tflite models, test inputs and data sets from recipes. */
#include <stdio.h>
#include <string.h>

#include "harness/base/file.h"
#include "harness/base/hash.h"
#include "harness/recipe/recipe.h"

struct arguments {
    const char *recipe;
    const char *model;   /* -o */
    const char *vectors; /* --vectors */
    const char *dataset; /* --dataset */
    const char *real;    /* --real */
};

static const char usage[] =
    "usage: tinyrig-recipe build RECIPE.yaml -o MODEL.tflite [--vectors DIR] [--dataset DIR]\n"
    "                            [--real DIR]\n"
    "\n"
    "  -o FILE         write the model\n"
    "  --vectors DIR   write test inputs in00.bin ...: raw input tensors\n"
    "  --dataset DIR   write the labelled test set with y_labels.csv\n"
    "  --real DIR      write real00-LAYER.bin ...: layers before quantisation, float32\n";

static const char **value_of(struct arguments *a, const char *option)
{
    if (strcmp(option, "-o") == 0)
        return &a->model;
    if (strcmp(option, "--vectors") == 0)
        return &a->vectors;
    if (strcmp(option, "--real") == 0)
        return &a->real;
    return strcmp(option, "--dataset") == 0 ? &a->dataset : NULL;
}

static int parse(int argc, char **argv, struct arguments *ret, struct err *err)
{
    if (argc < 3 || strcmp(argv[1], "build") != 0)
        return err_set(err, ERR_USAGE, "expected 'build RECIPE.yaml'");
    ret->recipe = argv[2];
    for (int i = 3; i < argc; i += 2) {
        const char **value = value_of(ret, argv[i]);
        if (!value || i + 1 == argc)
            return err_set(err, ERR_USAGE, value ? "%s needs a value" : "unknown option %s",
                           argv[i]);
        *value = argv[i + 1];
    }
    return 0;
}

static void print_facts(const struct recipe *r, const struct recipe_result *m)
{
    char digest[65];
    sha256_hex(m->tflite.data, m->tflite.len, digest);
    printf("model: %s\nbytes: %zu\nmacs: %llu\nparameters: %llu\n", r->name, m->tflite.len,
           (unsigned long long)m->macs, (unsigned long long)m->weights);
    if (r->trained)
        printf("train_loss: %.6f\n", m->train_loss);
    printf("recipe_sha256: %s\nmodel_sha256: %s\ngenerator: %d\n", r->digest, digest,
           RECIPE_GENERATOR_VERSION);
}

static int build_model(const struct recipe *r, const struct arguments *a, struct err *err)
{
    AUTO(recipe_result_release) struct recipe_result model = {.macs = 0};
    if (recipe_build(r, &model, err) ||
        file_write_atomic(a->model, model.tflite.data, model.tflite.len, err))
        return err->code;
    print_facts(r, &model);
    if (!a->real)
        return 0;
    return file_make_dirs(a->real, err) ? err->code : recipe_write_real(r, &model, a->real, err);
}

static int run(const struct arguments *a, struct err *err)
{
    AUTO(recipe_release) struct recipe r = {.name = NULL};
    if (recipe_load(a->recipe, &r, err))
        return err->code;
    if (a->model && build_model(&r, a, err))
        return err->code;
    if (a->vectors &&
        (file_make_dirs(a->vectors, err) || recipe_write_vectors(&r, a->vectors, err)))
        return err->code;
    if (a->dataset &&
        (file_make_dirs(a->dataset, err) || recipe_write_dataset(&r, a->dataset, err)))
        return err->code;
    return 0;
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct arguments a = {0};
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        fputs(usage, stdout);
        return 0;
    }
    if (parse(argc, argv, &a, &err) == 0 && run(&a, &err) == 0)
        return 0;
    fprintf(stderr, "tinyrig-recipe: %s\n", err.text);
    if (err.hint[0])
        fprintf(stderr, "hint: %s\n", err.hint);
    if (err.code == ERR_USAGE)
        fputs(usage, stderr);
    return err_exit_status(err.code);
}
