/* Recipes that nobody vouches for: refused with a message, or small enough to be made. */
#include <stdlib.h>
#include <string.h>

#include "harness/recipe/graph.h"
#include "tests/fuzz/fuzz.h"

static void build(const struct recipe *r)
{
    AUTO(graph_release) struct graph g = {.recipe = r};
    AUTO(recipe_result_release) struct recipe_result result = {.macs = 0};
    struct err err = ERR_INIT;

    if (graph_build(r, &g, &err))
        return;
    uint64_t runs = (uint64_t)r->calibration_samples;
    if (r->trained)
        runs += (uint64_t)r->train.samples * (uint64_t)r->train.epochs;
    if (g.macs * runs < 2000000 && runs < 2000 && recipe_build(r, &result, &err) == ERR_BUG)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(recipe_release) struct recipe r = {.name = NULL};
    struct err err = ERR_INIT;
    char *text = malloc(size + 1);

    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = '\0';
    if (recipe_parse(text, size, "fuzz.yaml", &r, &err) == 0)
        build(&r);
    else if (err.text[0] == '\0')
        abort();
    free(text);
    return 0;
}
