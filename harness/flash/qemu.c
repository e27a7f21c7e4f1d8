/* Virtual boards: the emulator loads the firmware itself, and puts files into its flash. */
#include <stdio.h>

#include "harness/base/file.h"
#include "harness/flash/flash.h"
#include "harness/virtual/vboard.h"

static int need_board(const struct flash_job *job, struct err *err)
{
    if (job->vboard == NULL)
        return err_set(err, ERR_CONFIG, "method qemu is for virtual boards");
    return 0;
}

static int program(const struct flash_job *job, struct err *err)
{
    return need_board(job, err) < 0 ? (int)err->code : 1;
}

static int restart(const struct flash_job *job, struct err *err)
{
    return need_board(job, err) < 0 ? (int)err->code : vboard_reset(job->vboard, err);
}

static int write_image(const struct flash_job *job, const void *data, size_t size, uint32_t address,
                       struct err *err)
{
    char path[1024];

    if (need_board(job, err) < 0)
        return (int)err->code;
    if (snprintf(path, sizeof(path), "%s/%s.model", job->run_dir, job->board->name) >=
        (int)sizeof(path))
        return err_set(err, ERR_CONFIG, "path of the model image too long");
    flash_step(job, "load", size);
    if (file_write_atomic(path, data, size, err) < 0 ||
        vboard_flash(job->vboard, path, address, err) < 0)
        return (int)err->code;
    return 0;
}

const struct flash_ops flash_qemu = {
    .name = "qemu",
    .help = "a virtual board: the emulator loads it",
    .program = program,
    .restart = restart,
    .write = write_image,
};
