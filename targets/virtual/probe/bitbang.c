#include "targets/virtual/probe/bitbang.h"

void bitbang_init(struct bitbang *b, struct dap *dap)
{
    *b = (struct bitbang){.tck = false};
    jtag_init(&b->jtag, dap);
}

/* '0' to '7': TCK, TMS, TDI in bits 2, 1, 0. */
static void set_pins(struct bitbang *b, unsigned pins)
{
    const bool tck = (pins & 4) != 0;

    if (tck && !b->tck)
        jtag_clock(&b->jtag, (pins & 2) != 0, (pins & 1) != 0);
    b->tck = tck;
}

long bitbang_serve(struct bitbang *b, const uint8_t *in, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        if (in[i] >= '0' && in[i] <= '7')
            set_pins(b, in[i] - '0');
        else if (in[i] == 'R')
            buf_putc(out, jtag_tdo(&b->jtag) ? '1' : '0');
        else if (in[i] >= 'r' && in[i] <= 'u') /* TRST, SRST in bits 1, 0; active */
            target_reset_line(b->jtag.dap->target, ((in[i] - 'r') & 1) != 0);
        else if (in[i] != 'B' && in[i] != 'b' && in[i] != 'Q') /* the light; good-bye */
            return -1;
    }
    return (long)n;
}
