/*
 * Which models does the compiler take? Reads paths from standard input, one a line; writes "ok" or
 * why not, one line each. A core with an FPU is meant.
 */
#include <stdio.h>
#include <string.h>

#include "agents/kernels/kernels.h"
#include "harness/base/file.h"
#include "harness/nn/nn.h"

int main(void)
{
    const struct nn_target target = {.variants = 1u << KERNEL_REF | KERNEL_CAP_FLOAT};
    char path[4096];

    while (fgets(path, sizeof path, stdin)) {
        AUTO_BUF file = BUF_INIT, image = BUF_INIT;
        struct err err = ERR_INIT;
        path[strcspn(path, "\n")] = '\0';
        if (file_read(path, 1u << 24, &file, &err) < 0)
            return 2;
        puts(nn_compile(file.data, file.len, &target, &image, NULL, &err) < 0 ? err.text : "ok");
    }
    return 0;
}
