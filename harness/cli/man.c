/* tinyrig.1 and the shell's completions, from the tables of commands and options. */
#include "harness/cli/man.h"

#include <string.h>

#include "harness/base/log.h"
#include "harness/cli/verb.h"

static const char head[] =
    ".TH TINYRIG 1 \"\" \"tinyrig " TINYRIG_VERSION "\" \"User Commands\"\n"
    ".SH NAME\n"
    "tinyrig \\- measure TinyML models on microcontrollers\n"
    ".SH SYNOPSIS\n"
    ".B tinyrig\n"
    "[\\fB\\-\\-verbose\\fR[=\\fICATEGORIES\\fR]] \\fICOMMAND\\fR [\\fIoptions\\fR] "
    "[\\fIarguments\\fR]\n"
    ".SH DESCRIPTION\n"
    "Places models on boards, real and virtual, checks their outputs, measures them, and keeps\n"
    "every window with its provenance in a database, from which it reports and compares.\n"
    "Suites, boards and labs are YAML files; see\n"
    ".BR tinyrig (5).\n"
    ".PP\n"
    "Options may stand anywhere after the command; \\fB\\-\\-\\fR ends them.\n"
    "Results go to standard output; progress and errors to standard error.\n"
    ".SH OPTIONS\n"
    "Before the command:\n"
    ".TP\n\\fB\\-v\\fR, \\fB\\-\\-verbose\\fR[=\\fICATEGORIES\\fR]\n"
    "Diagnostics on standard error: \\fBall\\fR, or of these, with commas between\n"
    "(\\fBlab,wire\\fR when none is named):\n"
    ".RS\n"
#define X(name, word, text) ".TP\n.B " word "\n" text "\n"
    LOG_LIST(X)
#undef X
        ".RE\n";

static const char tail[] =
    ".SH EXIT STATUS\n"
    ".TP\n0\nIt worked, and everything passed.\n"
    ".TP\n1\nA gate, an output or a budget failed.\n"
    ".TP\n2\nWrong usage, or a file with mistakes.\n"
    ".TP\n3\nThe lab or a board failed.\n"
    ".TP\n4\nSome cases could not be measured, or compared.\n"
    ".TP\n5\nThere is no baseline where one is needed.\n"
    ".TP\n70\nA mistake in this program.\n"
    ".TP\n74\nStandard output could not be written.\n"
    ".TP\n75, 76\nWith \\fB\\-\\-batch\\fR: a lab fault, to be tried again; a board needs a "
    "person.\n"
    ".TP\n130\nInterrupted; \\fBtinyrig resume\\fR goes on.\n"
    ".SH ENVIRONMENT\n"
    ".TP\n.B TINYRIG_DB\nThe results database (default: \\fItinyrig/tinyrig.db\\fR in the user's "
    "state "
    "folder).\n"
    ".TP\n.B TINYRIG_DATA\nA folder with \\fIboards\\fR and \\fIfirmware\\fR in place of those "
    "that "
    "are installed.\n"
    ".TP\n.B TINYRIG_LAB\nThe lab file.\n"
    ".TP\n.B TINYRIG_LOCK_DIR\nWhere boards are leased (default: \\fI/run/lock/tinyrig\\fR).\n"
    ".TP\n.B TINYRIG_STATE_DIR\nWhere the health of boards is kept (default: "
    "\\fI/var/lib/tinyrig\\fR,\n"
    "or the user's state folder).\n"
    ".TP\n.B TINYRIG_LOG\nWhat \\fB\\-\\-verbose=\\fR would be given.\n"
    ".SH SEE ALSO\n"
    ".BR tinyrig (5),\n"
    ".BR tinyrig\\-vboard (1)\n";

/* Text that troff prints as it is. */
static void put_plain(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\\')
            buf_puts(out, "\\e");
        else if (*text == '-')
            buf_puts(out, "\\-");
        else if ((*text == '.' || *text == '\'') &&
                 (out->len == 0 || buf_text(out)[out->len - 1] == '\n'))
            buf_printf(out, "\\&%c", *text);
        else
            buf_putc(out, *text);
    }
    buf_putc(out, '\n');
}

/* Lines of columns, which hold two spaces somewhere, stay lines. */
static void put_details(struct buf *out, const char *text)
{
    bool after = false;

    while (*text != '\0') {
        const size_t n = strcspn(text, "\n");
        AUTO_BUF line = BUF_INIT;
        bool columns;

        buf_append(&line, text, n);
        columns = strstr(buf_text(&line), "  ") != NULL;
        if (columns || after)
            buf_puts(out, ".br\n");
        put_plain(out, buf_text(&line));
        after = columns;
        text += n + (text[n] == '\n');
    }
}

static void put_options(struct buf *out, const struct option *o)
{
    for (; o->name != NULL; o++) {
        buf_puts(out, ".RS\n.TP\n");
        if (o->letter != '\0')
            buf_printf(out, "\\fB\\-%c\\fR, ", o->letter);
        buf_puts(out, "\\fB\\-\\-");
        for (const char *c = o->name; *c != '\0'; c++)
            buf_printf(out, "%s%c", *c == '-' ? "\\" : "", *c);
        buf_puts(out, "\\fR");
        if (o->metavar != NULL)
            buf_printf(out, " \\fI%s\\fR", o->metavar);
        buf_putc(out, '\n');
        put_plain(out, o->help);
        buf_puts(out, ".RE\n");
    }
}

void man_page(struct buf *out)
{
    buf_puts(out, head);
    buf_puts(out, ".SH COMMANDS\n");
    for (size_t i = 0; verbs[i] != NULL; i++) {
        const struct verb *v = verbs[i];

        buf_printf(out, ".SS \"tinyrig %s%s%s%s\"\n", v->name,
                   v->options[0].name != NULL ? " [options]" : "",
                   v->arguments[0] != '\0' ? " " : "", v->arguments);
        put_plain(out, v->summary);
        if (v->details != NULL) {
            buf_puts(out, ".PP\n");
            put_details(out, v->details);
        }
        put_options(out, v->options);
    }
    buf_puts(out, tail);
}

/* In bash: commands first, then the options of the command, then files. */
void man_completion(struct buf *out)
{
    buf_puts(out, "# bash completion of tinyrig; made by 'tinyrig help completion'\n"
                  "_tinyrig()\n{\n"
                  "    local word=${COMP_WORDS[COMP_CWORD]} command= options= i\n"
                  "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                  "        [[ ${COMP_WORDS[i]} == -* ]] || { command=${COMP_WORDS[i]}; break; }\n"
                  "    done\n"
                  "    case $command in\n"
                  "    '') mapfile -t COMPREPLY < <(compgen -W '--verbose --version --help");
    for (size_t i = 0; verbs[i] != NULL; i++)
        buf_printf(out, " %s", verbs[i]->name);
    buf_puts(out, "' -- \"$word\"); return ;;\n");
    for (size_t i = 0; verbs[i] != NULL; i++) {
        buf_printf(out, "    %s) options='--help", verbs[i]->name);
        for (const struct option *o = verbs[i]->options; o->name != NULL; o++)
            buf_printf(out, " --%s", o->name);
        buf_puts(out, "' ;;\n");
    }
    buf_puts(
        out,
        "    esac\n"
        "    [[ $word != -* ]] || mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$word\")\n"
        "}\n"
        "complete -o default -F _tinyrig tinyrig\n");
}
