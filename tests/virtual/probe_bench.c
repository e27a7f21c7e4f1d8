#include "tests/virtual/probe_bench.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "tests/unit/unit.h"

#define PATIENCE_MS 30000
#define LOG_MAX     (1u << 20)
#define SCANS       10

static const char *const no_options[] = {NULL};

const struct probe_board probe_m0 = {
    .name = "m0",
    .machine = "microbit",
    .options = no_options,
    .flash_size = 0x40000,
    .bank = "nrf51.flash",
};
const struct probe_board probe_m4 = {
    .name = "m4",
    .machine = "mps2-an386",
    .options = no_options,
    .flash_size = 0x100000,
    .bank = "atsame5.flash",
};

void probe_firmware(const struct probe_board *board, int version, char *path, size_t size)
{
    const char *dir = getenv("TINYRIG_PROBE_FIRMWARE");

    if (dir == NULL)
        skip();
    (void)snprintf(path, size, "%s/probe_%s_%d.elf", dir, board->name, version);
    if (access(path, R_OK) < 0)
        fail_msg("%s is not built", path);
}

void probe_start(struct bench *b, const struct probe_board *board)
{
    probe_start_with(b, board, NULL);
}

void probe_start_with(struct bench *b, const struct probe_board *board, const char *adapters)
{
    struct board full = {
        .name = board->name,
        .virt = {.kind = "qemu",
                 .machine = board->machine,
                 .cpu_options = board->options,
                 .icount_shift = 7,
                 .marker_set = board->marker_set,
                 .marker_clear = board->marker_clear,
                 .probe = true},
    };
    char firmware[512];

    probe_firmware(board, 1, firmware, sizeof(firmware));
    bench_start_probe(b, &full, firmware, adapters);
    bench_open_port(b);
    bench_await_status(b, "out", "8"); /* the greeting at power on, seen or not */
    (void)tcflush(b->port, TCIFLUSH);
    bench_command(b, NULL, "reset");
    bench_expect(b, "hello 1\n");
}

/* ---- OpenOCD ---- */

void openocd_open(struct bench *b, struct openocd *o, const char *script)
{
    char config[200];
    const char *const argv[] = {
        "openocd", "-c",   "gdb_port disabled; tcl_port disabled; telnet_port disabled",
        "-f",      config, "-c",
        script,    NULL};
    struct err err = ERR_INIT;

    (void)snprintf(config, sizeof(config), "%s/%s.openocd.cfg", b->dir, b->board.name);
    *o = (struct openocd){.proc = PROC_INIT, .log = {.limit = LOG_MAX}};
    if (proc_start(&o->proc,
                   &(struct proc_options){.argv = argv, .stdio = {PROC_NULL, PROC_NULL, PROC_PIPE}},
                   &err) < 0) {
        print_message("no OpenOCD here: %s\n", err.text);
        bench_stop(b);
        skip();
    }
}

/* False once it has closed its log. */
static bool read_log(struct openocd *o, struct deadline end)
{
    struct pollfd p = {.fd = o->proc.stdio[2], .events = POLLIN};
    char chunk[4096];
    ssize_t n;

    if (poll(&p, 1, (int)deadline_left_ms(end)) <= 0)
        fail_msg("OpenOCD hangs: %s", buf_text(&o->log));
    n = read(o->proc.stdio[2], chunk, sizeof(chunk));
    if (n > 0)
        buf_append(&o->log, chunk, (size_t)n);
    return n > 0;
}

const char *openocd_expect(struct openocd *o, const char *wanted)
{
    const struct deadline end = deadline_in_ms(PATIENCE_MS);
    const char *at;

    while ((at = strstr(buf_text(&o->log), wanted)) == NULL) {
        if (!read_log(o, end))
            fail_msg("OpenOCD ended without '%s': %s", wanted, buf_text(&o->log));
    }
    return at;
}

void openocd_close(struct openocd *o)
{
    if (o->proc.pid > 0)
        (void)kill(-o->proc.pid, SIGKILL);
    proc_stop(&o->proc, 1000);
    buf_release(&o->log);
}

static int run_once(struct bench *b, const char *script, struct buf *log)
{
    const struct deadline end = deadline_in_ms(PATIENCE_MS);
    struct openocd o;
    int status = -1;

    openocd_open(b, &o, script);
    while (read_log(&o, end))
        ;
    if (!proc_wait(&o.proc, 5000, &status))
        fail_msg("OpenOCD does not end: %s", buf_text(&o.log));
    buf_clear(log);
    buf_append(log, o.log.data, o.log.len);
    openocd_close(&o);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/*
 * libjaylink listens for J-Links for 20 ms and no longer; on a busy machine nobody may have had the
 * time to answer by then. Nothing of the test has happened when it finds none.
 */
int openocd_run(struct bench *b, const char *script, struct buf *log)
{
    AUTO_BUF text = BUF_INIT;
    int status = run_once(b, script, &text);

    for (int tries = 0; tries < SCANS && strstr(buf_text(&text), "No J-Link device found") != NULL;
         tries++)
        status = run_once(b, script, &text);
    if (log != NULL) {
        buf_clear(log);
        buf_append(log, text.data, text.len);
    }
    return status;
}

void openocd_must(struct bench *b, const char *script, struct buf *log)
{
    AUTO_BUF text = BUF_INIT;

    if (openocd_run(b, script, &text) != 0)
        fail_msg("openocd -c '%s' failed: %s", script, buf_text(&text));
    if (log != NULL) {
        buf_clear(log);
        buf_append(log, text.data, text.len);
    }
}
