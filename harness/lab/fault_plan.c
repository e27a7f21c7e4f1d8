#include "harness/lab/fault_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/base/buf.h"
#include "harness/base/file.h"
#include "harness/base/log.h"
#include "harness/base/text.h"

enum {
    PLAN_MAX = 1024 * 1024
};

/* The first line leaves the file and stays in `line`. */
static int take_line(const char *path, struct buf *line, struct err *err)
{
    AUTO_BUF file = BUF_INIT;
    const char *newline;
    size_t n;

    if (file_read(path, PLAN_MAX, &file, err) < 0)
        return (int)err->code;
    newline = file.len > 0 ? memchr(file.data, '\n', file.len) : NULL;
    n = newline != NULL ? (size_t)(newline - file.data) : file.len;
    buf_append(line, buf_text(&file), n);
    n += newline != NULL;
    return file_write_atomic(path, buf_text(&file) + n, file.len - n, err);
}

static uint64_t number(const char *name)
{
    const char *text = getenv(name);
    uint64_t n = 0;

    return text != NULL && text_to_u64(text, &n) ? n : 0;
}

void fault_plan_options(struct session_options *options)
{
    options->fault_dir = getenv("TINYRIG_FAULT_DIR");
    options->fault_seed = number("TINYRIG_FAULT_SEED");
    options->answer_ms = (unsigned)number("TINYRIG_FAULT_ANSWER_MS");
}

int fault_plan_arm(const char *folder, struct vboard *v, const char *board, struct err *err)
{
    AUTO_BUF line = BUF_INIT;
    char path[512];
    char *save = NULL;

    if (folder == NULL)
        return 0;
    if (snprintf(path, sizeof(path), "%s/%s.faults", folder, board) >= (int)sizeof(path))
        return err_set(err, ERR_CONFIG, "fault folder '%s': path too long", folder);
    if (access(path, F_OK) != 0)
        return 0;
    if (take_line(path, &line, err) < 0)
        return (int)err->code;
    for (char *word = line.len > 0 ? strtok_r(line.data, ";", &save) : NULL; word != NULL;
         word = strtok_r(NULL, ";", &save)) {
        word += strspn(word, " ");
        log_line(LOG_LAB, "%s: fault %s", board, word);
        if (*word != '\0' && vboard_command(v, NULL, err, "fault %s", word) < 0)
            return err_in(err, "%s", path);
    }
    return 0;
}
