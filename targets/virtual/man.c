/* Writes tinyrig-vboard.1 from the tables that the program itself uses. Run by the build. */
#include <stdio.h>
#include <string.h>

#include "harness/base/buf.h"
#include "targets/virtual/command.h"
#include "targets/virtual/fault.h"
#include "targets/virtual/options.h"

static const char head[] =
    ".TH TINYRIG\\-VBOARD 1 \"\" \"tinyrig " TINYRIG_VERSION "\" \"User Commands\"\n"
    ".SH NAME\n"
    "tinyrig\\-vboard \\- one virtual microcontroller board\n"
    ".SH SYNOPSIS\n"
    ".B tinyrig\\-vboard\n"
    "\\fB\\-\\-kind\\fR \\fIKIND\\fR \\fB\\-\\-name\\fR \\fINAME\\fR \\fB\\-\\-dir\\fR "
    "\\fIDIR\\fR\n"
    "\\fB\\-\\-firmware\\fR \\fIELF\\fR [\\fIoptions\\fR] [\\fB\\-\\-\\fR \\fIemulator "
    "arguments\\fR]\n"
    ".SH DESCRIPTION\n"
    "Runs firmware in QEMU (Arm, RISC-V) or simavr (AVR) as a board on a bench: with a serial\n"
    "port of a stable name, \\fIDIR\\fR/\\fINAME\\fR, a power switch, a reset line, a flash that\n"
    "can be written, faults on request, and exact counts of instructions or cycles.\n"
    ".PP\n"
    ".BR tinyrig (1)\n"
    "starts one for each virtual board of a run; this page is for using one by hand.\n"
    "It says \\fBready\\fR \\fIPORT\\fR when the firmware runs, and ends, leaving nothing behind,\n"
    "when its standard input closes.\n";

static const char commands_head[] =
    ".SH COMMANDS\n"
    "One per line on standard input, with one reply line each on standard output: \\fBok\\fR, "
    "with\n"
    "data, or \\fBerror\\fR \\fITEXT\\fR. Lines that begin with \\(dq! \\(dq are news.\n";

static const char faults_head[] =
    ".SH FAULTS\n"
    "Bytes are counted in one direction from the moment the fault is armed; actions happen before\n"
    "their byte. Random faults repeat with the same \\fB\\-\\-seed\\fR.\n";

static const char tail[] = ".SH EXIT STATUS\n"
                           "0 after an orderly end, 2 for a wrong command line or firmware file,\n"
                           "3 when the emulator does not start.\n"
                           ".SH EXAMPLE\n"
                           ".nf\n"
                           "tinyrig\\-vboard \\-\\-kind qemu \\-\\-name m4 \\-\\-dir /tmp \\e\n"
                           "    \\-\\-firmware mps2\\-an386.elf \\-\\-machine mps2\\-an386\n"
                           ".fi\n"
                           ".SH SEE ALSO\n"
                           ".BR tinyrig (1),\n"
                           ".BR tinyrig (5)\n";

/* Lines of a table as they are, with what troff would take for its own made plain. */
static void print_table(const struct buf *table)
{
    (void)puts(".PP\n.nf");
    for (const char *c = buf_text(table); *c != '\0'; c++) {
        if (*c == '\\')
            (void)fputs("\\e", stdout);
        else if (*c == '-')
            (void)fputs("\\-", stdout);
        else if ((*c == '.' || *c == '\'') && (c == table->data || c[-1] == '\n'))
            (void)printf("\\&%c", *c);
        else
            (void)putchar(*c);
    }
    (void)puts(".fi");
}

int main(void)
{
    static void (*const tables[])(struct buf *) = {options_help, command_help, fault_help};
    static const char *const heads[] = {".SH OPTIONS\n", commands_head, faults_head};

    (void)fputs(head, stdout);
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
        AUTO_BUF table = BUF_INIT;

        tables[i](&table);
        (void)fputs(heads[i], stdout);
        print_table(&table);
    }
    (void)fputs(tail, stdout);
    return fflush(stdout) != 0;
}
