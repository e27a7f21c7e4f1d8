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
    options->record_max = number("TINYRIG_FAULT_RECORD_MAX");
}

static int arm(struct fault_plan *plan, struct vboard *v, const char *word, struct err *err)
{
    const size_t used = strlen(plan->waiting);

    if (*word == '\0')
        return 0;
    log_line(LOG_LAB, "fault %s", word);
    if (*word != '@')
        return vboard_command(v, NULL, err, "fault %s", word);
    if (used + strlen(word) + 1 >= sizeof(plan->waiting))
        return err_set(err, ERR_CONFIG, "more faults wait than can be kept");
    (void)snprintf(plan->waiting + used, sizeof(plan->waiting) - used, "%s;", word + 1);
    return 0;
}

int fault_plan_arm(struct fault_plan *plan, const char *folder, struct vboard *v, const char *board,
                   struct err *err)
{
    AUTO_BUF line = BUF_INIT;
    char path[512];
    char *save = NULL;

    plan->waiting[0] = '\0';
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
        if (arm(plan, v, word + strspn(word, " "), err) < 0)
            return err_in(err, "%s", path);
    }
    return 0;
}

/* Does this one, "STEP#N FAULT", wait no longer? A number above 1 is counted down in place. */
static bool is_due(char *word, const char *step)
{
    const size_t n = strlen(step);

    if (strncmp(word, step, n) != 0)
        return false;
    if (word[n] == ' ')
        return true;
    if (word[n] != '#' || word[n + 1] < '1' || word[n + 1] > '9')
        return false;
    return --word[n + 1] == '0';
}

void fault_plan_step(struct fault_plan *plan, struct vboard *v, const char *step)
{
    char still[sizeof(plan->waiting)] = "";
    size_t used = 0;
    char *save = NULL;

    for (char *word = strtok_r(plan->waiting, ";", &save); word != NULL;
         word = strtok_r(NULL, ";", &save)) {
        struct err err = ERR_INIT;

        if (is_due(word, step)) {
            if (vboard_command(v, NULL, &err, "fault %s", word + strcspn(word, " ")) < 0)
                log_line(LOG_LAB, "step %s: %s", step, err.text);
        } else {
            used += (size_t)snprintf(still + used, sizeof(still) - used, "%s;", word);
        }
    }
    (void)snprintf(plan->waiting, sizeof(plan->waiting), "%s", still);
}

void fault_plan_report(const char *folder, struct vboard *v, const char *board)
{
    AUTO_BUF status = BUF_INIT;
    AUTO_BUF faults = BUF_INIT;
    AUTO_BUF text = BUF_INIT;
    struct err ignored = ERR_INIT;
    char path[512];

    if (folder == NULL || v == NULL ||
        snprintf(path, sizeof(path), "%s/%s.status", folder, board) >= (int)sizeof(path) ||
        vboard_command(v, &status, &ignored, "status") < 0 ||
        vboard_command(v, &faults, &ignored, "faults") < 0 ||
        (access(path, F_OK) == 0 && file_read(path, PLAN_MAX, &text, &ignored) < 0))
        return;
    buf_printf(&text, "%s faults: %s\n", buf_text(&status), buf_text(&faults));
    if (file_write_atomic(path, buf_text(&text), text.len, &ignored) < 0)
        log_line(LOG_LAB, "%s", ignored.text);
}
