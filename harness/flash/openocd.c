/*
 * Flashing through a debug probe, step by step and with a verdict for each: reset and halt, look
 * at the bank, erase, write, verify on the target, run. OpenOCD's own `program` would hide which
 * step failed and calls an image of no bytes written.
 *
 * What is there already is not written again: flash wears out, and comparing is quick.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/arena.h"
#include "harness/base/file.h"
#include "harness/elf/image.h"
#include "harness/flash/internal.h"
#include "harness/openocd/probe.h"

enum {
    LOOK_MS = 10000,
    MS_PER_KIB = 200, /* slow parts and slow adapters together: erase, write or verify */
    LEAST_MS = 30000,
};

static unsigned allowance_ms(const struct flash_job *job, size_t bytes)
{
    const uint64_t limit_ns = job->board->flashing.timeout_ns;
    const size_t ms = LEAST_MS + bytes / 1024 * MS_PER_KIB;

    if (limit_ns != 0)
        return (unsigned)(limit_ns / 1000000u);
    return ms > 3600000 ? 3600000u : (unsigned)ms;
}

/* What OpenOCD says about a failed step, as a failure of flashing with the next thing to try. */
static int failed(const struct flash_job *job, const char *step, struct err *err)
{
    AUTO_BUF log = BUF_INIT;

    if (openocd_is_lost(job->openocd))
        return err_in(err, "%s", step);
    openocd_log_of_command(job->openocd, &log);
    if (err->hint[0] == '\0')
        (void)probe_explain(buf_text(&log), err);
    if (err->code == ERR_LAB && err->hint[0] == '\0')
        err->code = ERR_FLASH;
    return err_in(err, "%s", step);
}

/* ---- the bank ---- */

/* Base and size of the bank that holds address; 1 when none does. */
static int find_bank(const struct flash_job *job, uint32_t address, uint64_t bank[2],
                     struct err *err)
{
    AUTO_BUF text = BUF_INIT;
    char *end;

    if (openocd_command(job->openocd, LOOK_MS, &text, err,
                        "set found {}; set i 0; foreach b [flash list] {"
                        " catch {flash probe $i}; incr i };"
                        " foreach b [flash list] {"
                        " set base [dict get $b base]; set size [dict get $b size];"
                        " if {%lu >= $base && %lu < $base + $size} {"
                        "set found [list [expr {$base + 0}] [expr {$size + 0}]]}};"
                        " set found",
                        (unsigned long)address, (unsigned long)address) < 0)
        return failed(job, "looking at the flash", err);
    bank[0] = strtoull(buf_text(&text), &end, 0);
    if (end == buf_text(&text))
        return 1;
    bank[1] = strtoull(end, NULL, 0);
    return 0;
}

/* The chip on the table must have the flash that its board file says. */
static int check_bank(const struct flash_job *job, uint32_t address, uint32_t size, struct err *err)
{
    uint64_t bank[2] = {0, 0};
    const int r = find_bank(job, address, bank, err);

    if (r < 0)
        return r;
    if (r > 0) {
        (void)err_set(err, ERR_FLASH, "this chip has no flash at 0x%x", address);
        (void)failed(job, "looking at the flash", err);
        return err->hint[0] != '\0'
                   ? (int)err->code
                   : err_hint(err, "another chip than the board file says, or 'target' is wrong");
    }
    if (address - bank[0] + size > bank[1]) {
        (void)err_set(err, ERR_FLASH, "%u bytes at 0x%x do not fit the chip's flash of %llu bytes",
                      size, address, (unsigned long long)bank[1]);
        return err_hint(err, "another chip than the board file says?");
    }
    return 0;
}

/* ---- steps ---- */

struct piece {
    uint32_t address, size;
};

static int erase(const struct flash_job *job, const struct piece *p, struct err *err)
{
    flash_step(job, "erase", p->size);
    if (openocd_command(job->openocd, allowance_ms(job, p->size), NULL, err,
                        "flash erase_address pad 0x%x 0x%x", p->address, p->size) < 0)
        return failed(job, "erase", err);
    return 0;
}

/* "wrote 25600 bytes from file X in 0.5s (50.0 KiB/s)": padding may make it more, never less. */
static int check_written(const char *text, size_t wanted, struct err *err)
{
    const char *p = strstr(text, "wrote ");
    const unsigned long long n = p != NULL ? strtoull(p + 6, NULL, 10) : 0;

    if (n >= wanted)
        return 0;
    (void)err_set(err, ERR_FLASH, "OpenOCD wrote %llu of %zu bytes", n, wanted);
    return err_hint(err, "a part of the image lies outside of the flash banks it knows");
}

static int write_file(const struct flash_job *job, const char *what, size_t size, struct err *err)
{
    AUTO_BUF said = BUF_INIT;

    flash_step(job, "write", size);
    if (openocd_capture(job->openocd, allowance_ms(job, size), &said, err, "flash write_image %s",
                        what) < 0 ||
        check_written(buf_text(&said), size, err) < 0)
        return failed(job, "write", err);
    return 0;
}

static int verify_file(const struct flash_job *job, const char *what, size_t size, struct err *err)
{
    flash_step(job, "verify", size);
    if (openocd_command(job->openocd, allowance_ms(job, size), NULL, err, "verify_image %s", what) <
        0)
        return failed(job, "verify", err);
    return 0;
}

/* The file as an argument list: quoted name, and for raw bytes the address. */
static int name_file(struct buf *out, const char *path, const uint32_t *address, struct err *err)
{
    if (openocd_quote_file(out, path, err) < 0)
        return (int)err->code;
    if (address != NULL)
        buf_printf(out, " 0x%x bin", *address);
    return 0;
}

/* Is it there already? A mismatch is an answer, not a failure; lost adapters are found by the next
 * step. */
static bool is_there(const struct flash_job *job, const char *what, size_t size)
{
    struct err ignored = ERR_INIT;

    flash_step(job, "compare", size);
    return openocd_command(job->openocd, allowance_ms(job, size), NULL, &ignored,
                           "verify_image_checksum %s", what) == 0;
}

/* Erase first and everything, because two pieces may share a sector. */
static int put(const struct flash_job *job, const char *what, const struct piece *pieces,
               size_t count, size_t total, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (check_bank(job, pieces[i].address, pieces[i].size, err) < 0)
            return (int)err->code;
    }
    if (is_there(job, what, total))
        return 1;
    for (size_t i = 0; i < count; i++) {
        if (erase(job, &pieces[i], err) < 0)
            return (int)err->code;
    }
    if (write_file(job, what, total, err) < 0)
        return (int)err->code;
    return job->board->flashing.verify ? verify_file(job, what, total, err) : 0;
}

/* ---- the back-end ---- */

static int program(const struct flash_job *job, struct err *err)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    AUTO_BUF what = BUF_INIT;
    struct elf_image image;
    struct piece *pieces;
    int r;

    if (job->firmware == NULL || job->firmware[0] == '\0')
        return err_set(err, ERR_CONFIG, "no firmware to flash: 'agent' or 'firmware' is missing");
    if (elf_image_read(job->firmware, &arena, &image, err) < 0 ||
        name_file(&what, job->firmware, NULL, err) < 0)
        return (int)err->code;
    pieces = arena_alloc(&arena, image.segment_count * sizeof(*pieces));
    for (size_t i = 0; i < image.segment_count; i++)
        pieces[i] = (struct piece){image.segments[i].load, image.segments[i].size};
    flash_step(job, "reset", 0);
    if (probe_reset_halt(job->openocd, err) < 0)
        return failed(job, "reset", err);
    r = put(job, buf_text(&what), pieces, image.segment_count, image.size, err);
    if (r < 0)
        return err_in(err, "%s", job->firmware);
    flash_step(job, "start", 0);
    return probe_reset_run(job->openocd, err) < 0 ? failed(job, "reset", err) : r;
}

static int restart(const struct flash_job *job, struct err *err)
{
    return probe_reset_run(job->openocd, err);
}

static int write_slot(const struct flash_job *job, const char *path, size_t size, uint32_t address,
                      struct err *err)
{
    AUTO_BUF what = BUF_INIT;
    const struct piece piece = {address, (uint32_t)size};

    if (name_file(&what, path, &address, err) < 0)
        return (int)err->code;
    /* The flash algorithm runs in the agent's RAM: the agent cannot go on afterwards. */
    if (probe_reset_halt(job->openocd, err) < 0)
        return failed(job, "reset", err);
    if (put(job, buf_text(&what), &piece, 1, size, err) < 0)
        return (int)err->code;
    return probe_reset_run(job->openocd, err) < 0 ? failed(job, "reset", err) : 0;
}

/* RAM takes bytes while the core runs. */
static int load_ram(const struct flash_job *job, const char *path, size_t size, uint32_t address,
                    struct err *err)
{
    AUTO_BUF what = BUF_INIT;
    AUTO_BUF said = BUF_INIT;
    const char *found;

    if (name_file(&what, path, &address, err) < 0)
        return (int)err->code;
    flash_step(job, "load", size);
    if (openocd_capture(job->openocd, allowance_ms(job, size), &said, err, "load_image %s",
                        buf_text(&what)) < 0)
        return failed(job, "load", err);
    found = strstr(buf_text(&said), "downloaded ");
    if (found == NULL || strtoull(found + 11, NULL, 10) != size)
        return err_set(err, ERR_FLASH, "OpenOCD loaded '%.60s' of %zu bytes", buf_text(&said),
                       size);
    return 1;
}

/* For OpenOCD to read at once: it need not survive a power cut, so nothing waits for a disk. */
static int write_scratch(const char *path, const void *data, size_t size, struct err *err)
{
    AUTO(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t done = 0;

    if (fd < 0)
        return err_sys(err, errno, "%s", path);
    while (done < size) {
        const ssize_t n = write(fd, (const char *)data + done, size - done);

        if (n < 0 && errno != EINTR)
            return err_sys(err, errno, "%s", path);
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

int flash_openocd_write(const struct flash_job *job, const void *data, size_t size,
                        uint32_t address, struct err *err)
{
    char path[1024];
    int r;

    if (snprintf(path, sizeof(path), "%s/%s.model", job->run_dir, job->board->name) >=
        (int)sizeof(path))
        return err_set(err, ERR_CONFIG, "path of the model image too long");
    if (write_scratch(path, data, size, err) < 0)
        return (int)err->code;
    r = job->board->slot.by_flash ? write_slot(job, path, size, address, err)
                                  : load_ram(job, path, size, address, err);
    (void)unlink(path);
    return r;
}

const struct flash_ops flash_openocd = {
    .name = "openocd",
    .help = "a debug probe writes it into flash",
    .needs_probe = true,
    .program = program,
    .restart = restart,
    .write = flash_openocd_write,
};
