/* NumPy arrays nobody vouches for: whatever parses can be read to its end. */
#include "harness/base/npy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = ERR_INIT;
    volatile double sum = 0;
    struct npy a;

    if (npy_parse(data, size, &a, &err) != 0)
        return 0;
    for (size_t i = 0; i < a.count; i++)
        sum = sum + npy_value(&a, i);
    return 0;
}
