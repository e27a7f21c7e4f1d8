#include <string.h>

#include "harness/base/log.h"
#include "harness/cli/verb.h"

extern const struct verb verb_doctor, verb_probe;
extern const struct verb verb_battery, verb_boards, verb_bundle, verb_check, verb_compare, verb_db,
    verb_export, verb_footprint, verb_gate, verb_help_command, verb_history, verb_import,
    verb_infer, verb_lab, verb_merge, verb_model, verb_mute, verb_nightly, verb_pick, verb_plan,
    verb_rank, verb_report, verb_resume, verb_run, verb_tag, verb_trace, verb_version;

/* clang-format off */
const struct verb *const verbs[] = {
    &verb_run,
    &verb_resume,
    &verb_nightly,
    &verb_report,
    &verb_compare,
    &verb_gate,
    &verb_history,
    &verb_export,
    &verb_import,
    &verb_mute,
    &verb_pick,
    &verb_rank,
    &verb_battery,
    &verb_trace,
    &verb_plan,
    &verb_check,
    &verb_boards,
    &verb_lab,
    &verb_probe,
    &verb_doctor,
    &verb_model,
    &verb_infer,
    &verb_footprint,
    &verb_tag,
    &verb_merge,
    &verb_db,
    &verb_bundle,
    &verb_help_command,
    &verb_version,
    NULL,
};
/* clang-format on */

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; verbs[i] != NULL; i++) {
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    }
    return NULL;
}

void verb_help(const struct verb *v, struct buf *out)
{
    buf_printf(out, "usage: tinyrig %s%s%s%s\n\n%s\n", v->name,
               v->options[0].name != NULL ? " [options]" : "", v->arguments[0] != '\0' ? " " : "",
               v->arguments, v->summary);
    if (v->details != NULL)
        buf_printf(out, "\n%s\n", v->details);
    if (v->options[0].name != NULL) {
        buf_puts(out, "\noptions:\n");
        options_help(v->options, out);
    }
}

void verbs_help(struct buf *out)
{
    buf_puts(out, "usage: tinyrig [--verbose=CATEGORIES] COMMAND [options] [arguments]\n\n"
                  "Measures TinyML models on microcontrollers, real and virtual.\n\ncommands:\n");
    for (size_t i = 0; verbs[i] != NULL; i++)
        buf_printf(out, "  %-10s %s\n", verbs[i]->name, verbs[i]->summary);
    buf_puts(out, "\n'tinyrig help COMMAND' explains one; 'tinyrig help keys' the YAML files.\n"
                  "CATEGORIES, with commas between:");
    for (const char *const *w = log_words(); *w != NULL; w++)
        buf_printf(out, " %s", *w);
    buf_puts(out, "; or all.\n");
}
