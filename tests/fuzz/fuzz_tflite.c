/* Model files nobody vouches for: whatever compiles must load, and run inside its arena. */
#include <stdlib.h>

#include "agents/kernels/kernels.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/host_run.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct nn_target target = {.variants = size & 2 ? NN_ALL_VARIANTS : KERNEL_CAP_FLOAT,
                                     .reuse_inputs = size & 1};
    struct err err = ERR_INIT;
    AUTO_BUF problems = BUF_INIT, out = BUF_INIT;
    struct host_run r;

    if (nn_check(data, size, &target, &problems, &err) != 0 && size % 4)
        return 0; /* a quarter goes on to see that nn_compile() refuses it too */
    err_clear(&err);
    int status = host_run_open(&r, data, size, &target, &err);
    if (status == ERR_BUG)
        abort();
    if (status == 0 && r.report.macs < 500000 && r.report.arena_bytes < (1u << 20)) {
        size_t n = host_run_input_size(&r);
        uint8_t *in = calloc(1, n + 1);
        if (!in)
            abort();
        host_run_infer(&r, in, n, &out);
        free(in);
    }
    host_run_close(&r);
    return 0;
}
