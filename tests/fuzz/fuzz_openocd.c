/* What OpenOCD says: answers of its Tcl port, log lines, bytes of the rings. Any bytes are safe. */
#include <stdlib.h>
#include <string.h>

#include "harness/openocd/probe.h"
#include "harness/transport/swd.h"
#include "tests/fuzz/fuzz.h"

/* Quoting keeps every byte: Tcl's own reading of the word is what went in. */
static void try_quote(const char *text)
{
    AUTO_BUF word = BUF_INIT;
    AUTO_BUF answer = BUF_INIT;
    AUTO_BUF back = BUF_INIT;
    struct err err = ERR_INIT;

    if (openocd_quote(&word, text, &err) < 0)
        return;
    buf_printf(&answer, "0 %s", buf_text(&word));
    if (openocd_parse_answer(buf_text(&answer), answer.len, &back, &err) != 0 ||
        strcmp(buf_text(&back), text) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_BUF text = BUF_INIT;
    AUTO_BUF out = BUF_INIT;
    AUTO_BUF bytes = BUF_INIT;
    struct probe_facts facts;
    struct err err = ERR_INIT;
    unsigned state = 0;
    char errors[64];

    buf_append(&text, data, size);
    if (openocd_parse_answer((const char *)data, size, &out, &err) < 0 && err.text[0] == '\0')
        abort();
    if (openocd_parse_port(buf_text(&text)) > 65535)
        abort();
    openocd_parse_errors(buf_text(&text), errors, sizeof(errors));
    if (strlen(errors) >= sizeof(errors))
        abort();
    probe_parse_facts(buf_text(&text), &facts);
    err_clear(&err);
    (void)err_set(&err, ERR_LAB, "x");
    if (probe_explain(buf_text(&text), &err) >= 0)
        abort();
    err_clear(&err);
    if (swd_parse_bytes(buf_text(&text), &state, &bytes, &err) == 0 && state > 3)
        abort();
    try_quote(buf_text(&text));
    return 0;
}
