/*
 * Texts of workloads nobody vouches for, as the agent reads them: what loads lies inside the arena
 * and runs there, whatever its input. The text is the first line; what follows is the input.
 */
#include <stdlib.h>
#include <string.h>

#include "agents/engines/engine.h"
#include "tests/fuzz/fuzz.h"

extern const struct engine engine_workload;

/* In the arena, beyond which a sanitizer sees every access. */
static void check_tensor(const struct engine_model *m, const struct engine_tensor *t)
{
    const size_t at = (size_t)((uint8_t *)t->data - m->arena);

    if (t->size > m->arena_used || at > m->arena_used - t->size)
        abort();
}

/* "rounds=100000" is right, but takes long. */
static int is_short(const uint8_t *text, size_t size)
{
    return memmem(text, size, "000", 3) == NULL && memmem(text, size, "rounds=", 7) == NULL;
}

static void run(struct engine_model *m, const uint8_t *in, size_t size)
{
    struct engine_tensor output = engine_workload.tensor(m, 1, 0);

    check_tensor(m, &output);
    if (m->inputs) {
        struct engine_tensor input = engine_workload.tensor(m, 0, 0);
        check_tensor(m, &input);
        for (size_t i = 0; i < input.size; i++)
            ((uint8_t *)input.data)[i] = size ? in[i % size] : 0;
    }
    /* Whatever the input, a workload's check of itself holds. */
    if (engine_workload.invoke(m) != ENGINE_OK || engine_workload.reset(m) != ENGINE_OK ||
        engine_workload.invoke(m) != ENGINE_OK)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    const size_t length = end == NULL ? size : (size_t)(end - data);
    uint32_t nothing = 0; /* first without an arena, which says how much it takes */
    struct engine_model m = {
        .image = data, .image_size = (uint32_t)length, .arena = (uint8_t *)&nothing};

    if (engine_workload.load(&m) != ENGINE_NO_SPACE) {
        if (m.detail > length)
            abort(); /* where in the text it went wrong */
        return 0;
    }
    m.arena_size = m.detail;
    if (m.arena_size > (1u << 20))
        abort(); /* limits of parameters keep it below */
    m.arena = malloc(m.arena_size);
    if (m.arena == NULL || engine_workload.load(&m) != ENGINE_OK || m.arena_used != m.arena_size)
        abort();
    if (is_short(data, length))
        run(&m, data + length, size - length);
    free(m.arena);
    return 0;
}
