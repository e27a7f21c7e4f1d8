/* What labgrid's client prints: any bytes give an address that can be one, or an error. */
#include <stdlib.h>
#include <string.h>

#include "harness/base/buf.h"
#include "harness/lab/labgrid.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF text = BUF_INIT;
    char address[LABGRID_ADDRESS];
    struct err err = ERR_INIT;

    buf_append(&text, data, size);
    if (labgrid_parse(buf_text(&text), address, &err) < 0) {
        if (err.text[0] == '\0')
            abort();
    } else if (strcspn(address, " \t\n;'\"$`/") != strlen(address) ||
               strchr(address, ':') == NULL || strtoul(strchr(address, ':') + 1, NULL, 10) == 0) {
        abort();
    }
    return 0;
}
