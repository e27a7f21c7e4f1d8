/* What OpenOCD has to be told to find the probe and the chip behind it. */
#include "targets/virtual/probe/probe.h"

uint32_t probe_serial(const char *name)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (; *name != '\0'; name++)
        hash = (hash ^ (uint8_t)*name) * 16777619u;
    return 100000000 + hash % 100000000;
}

static void put_adapter(const struct probe *p, enum probe_kind kind, struct buf *out)
{
    switch (kind) {
    case PROBE_STLINK:
        buf_printf(out,
                   "adapter driver st-link\n"
                   "st-link backend tcp %u\n"
                   "st-link vid_pid 0x0483 0x374f\n"
                   "transport select dapdirect_swd\n"
                   "adapter speed 24000\n",
                   p->ports[kind].port);
        break;
    case PROBE_JTAG:
        buf_printf(out,
                   "adapter driver remote_bitbang\n"
                   "remote_bitbang host localhost\n"
                   "remote_bitbang port %u\n"
                   "transport select jtag\n",
                   p->ports[kind].port);
        break;
    default:
        buf_printf(out,
                   "adapter driver jlink\n"
                   "adapter serial %u\n"
                   "transport select swd\n"
                   "adapter speed 12000\n",
                   p->serial);
        break;
    }
}

/* The target file that comes with OpenOCD, or its like where there is none. */
static void put_chip(const struct chip *c, bool jtag, struct buf *out)
{
    const uint32_t id = jtag ? c->jtag_id : c->dp_id;

    if (c->config != NULL && (!jtag || c->config_has_jtag)) {
        buf_printf(out, "set CPUTAPID 0x%08x\nsource [find %s]\n", id, c->config);
        return;
    }
    buf_printf(out,
               "source [find target/swj-dp.tcl]\n"
               "swj_newdap %s cpu -irlen 4 -expected-id 0x%08x\n"
               "dap create %s.dap -chain-position %s.cpu\n"
               "target create %s.cpu cortex_m -dap %s.dap\n"
               "%s.cpu configure -work-area-phys 0x%08x -work-area-size 0x4000\n"
               "cortex_m reset_config sysresetreq\n",
               c->name, id, c->name, c->name, c->name, c->name, c->name, c->work_area);
    if (c->bank != NULL)
        buf_printf(out, "flash bank %s.flash %s %s.cpu\n", c->name, c->bank, c->name);
}

void probe_config(const struct probe *p, const char *name, struct buf *out)
{
    int kind = 0;

    while (kind + 1 < PROBE_KINDS && p->ports[kind].listener < 0)
        kind++;
    buf_printf(out, "# The emulated debug probe of the virtual board %s, while that runs.\n", name);
    put_adapter(p, (enum probe_kind)kind, out);
    put_chip(p->chip, kind == PROBE_JTAG, out);
}
