/* Writes tinyrig.5, the page about suite, board and lab files. Run by the build. */
#include <stdio.h>

#include "harness/load/doc/keys.h"

static const char head[] =
    ".TH TINYRIG 5 \"\" \"tinyrig " TINYRIG_VERSION "\" \"File formats\"\n"
    ".SH NAME\n"
    "tinyrig \\- suite, board and lab files\n"
    ".SH DESCRIPTION\n"
    ".BR tinyrig (1)\n"
    "reads three kinds of YAML files:\n"
    "a \\fBsuite\\fR says what to measure, where, and what must hold;\n"
    "a \\fBboard\\fR file describes one kind of board;\n"
    "the \\fBlab\\fR file says which boards and instruments are on this host.\n"
    ".PP\n"
    "Keys that are not listed here are errors, as are keys given twice; a mistake is reported "
    "with\n"
    "file, line and column, and all mistakes of a file at once.\n"
    "Anchors, aliases and merge keys (\\fB<<\\fR) work; tags do not.\n"
    "Paths are relative to the file that they stand in.\n"
    ".PP\n"
    "Quantities carry their unit: durations \\fB500ms\\fR, sizes \\fB64KiB\\fR (or \\fB64kB\\fR,\n"
    "which is 64000), frequencies \\fB168MHz\\fR, voltages \\fB3.3V\\fR, currents \\fB12uA\\fR.\n"
    "Boards are chosen by name, by pattern (\\fBvirt\\-*\\fR) or by tag (\\fBtag:cortex\\-m\\fR).\n"
    ".PP\n"
    "One file has at most 1 MiB, 20000 values (100000 when aliases are followed) and 16 levels.\n";

static const char tail[] =
    ".SH TRUST\n"
    "Suite and board files may come from anyone, for instance in a pull request. They can run no\n"
    "program but those that the lab file lists under \\fBcommands\\fR, never through a shell, and\n"
    "name no OpenOCD script but those of its own library. The lab file is trusted: keep it where\n"
    "only the people who run the lab can write, such as \\fI/etc/tinyrig/lab.yaml\\fR.\n"
    ".SH FILES\n"
    "The lab file is the first of: the argument of \\fB\\-\\-lab\\fR, \\fB$TINYRIG_LAB\\fR,\n"
    "\\fI$XDG_CONFIG_HOME/tinyrig/lab.yaml\\fR, \\fI/etc/tinyrig/lab.yaml\\fR,\n"
    "\\fIconfig/lab.yaml\\fR. Without any, every virtual board can be used.\n"
    "The last, which may have come with a checkout, must name no programs unless "
    "\\fB\\-\\-lab\\fR\n"
    "or \\fB$TINYRIG_LAB\\fR names it.\n"
    ".PP\n"
    "\\fIsuites/example.yaml\\fR and \\fIconfig/lab.example.yaml\\fR show every key.\n"
    "\\fIconfig/schema/\\fR holds JSON Schemas, with which editors complete and check.\n"
    ".SH SEE ALSO\n"
    ".BR tinyrig (1)\n";

int main(void)
{
    AUTO_BUF page = BUF_INIT;

    buf_puts(&page, head);
    keys_man(&page);
    buf_puts(&page, tail);
    return fputs(buf_text(&page), stdout) == EOF || fflush(stdout) != 0;
}
