/*
 * Flash and RAM of agent images, one line each; `ninja agent-size` prints it for all boards.
 *
 * usage: agent_size [--max-flash BYTES] [--max-ram BYTES] [--berkeley] FILE.elf...
 * With limits, fails when an image needs more (RAM with its stack). --berkeley prints the three
 * numbers of GNU size instead, for comparison with the real one.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/elf/footprint.h"

struct limits {
    unsigned long long flash;
    unsigned long long ram;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static unsigned long long flash_of(const struct footprint *f, const char *prefix)
{
    const struct footprint_bytes sum = footprint_of(f, prefix);

    return footprint_flash(&sum);
}

static unsigned long long ram_of(const struct footprint *f)
{
    return footprint_ram(&f->total) + f->total.reserved;
}

static void print_row(const char *path, const struct footprint *f)
{
    const unsigned long long flash = footprint_flash(&f->total);
    const unsigned long long data = f->total.data;
    const unsigned long long bss = f->total.bss;
    const unsigned long long stack = f->total.reserved;

    printf("%-26s %-6s %7llu %7llu %7llu  %7llu %6llu %6llu %6llu\n", base_name(path), f->machine,
           flash, flash_of(f, "libengines-") + flash_of(f, "libnull-"), flash_of(f, "libkernels"),
           ram_of(f), data, bss, stack);
}

static void print_berkeley(const struct footprint *f)
{
    const unsigned long long text = f->total.code + f->total.constants;
    const unsigned long long data = f->total.data;
    const unsigned long long bss = f->total.bss + f->total.reserved;

    printf("%llu %llu %llu\n", text, data, bss);
}

static int check(const char *path, const struct footprint *f, const struct limits *limits)
{
    const unsigned long long flash = footprint_flash(&f->total);
    int failed = 0;

    if (flash > limits->flash)
        failed = printf("%s: %llu bytes of flash, %llu allowed\n", path, flash, limits->flash);
    if (ram_of(f) > limits->ram)
        failed = printf("%s: %llu bytes of RAM, %llu allowed\n", path, ram_of(f), limits->ram);
    return failed != 0;
}

int main(int argc, char **argv)
{
    struct limits limits = {ULLONG_MAX, ULLONG_MAX};
    bool berkeley = false;
    int failed = 0;
    int i = 1;

    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--berkeley") == 0)
            berkeley = true;
        else if (i + 1 < argc && strcmp(argv[i], "--max-flash") == 0)
            limits.flash = strtoull(argv[++i], NULL, 0);
        else if (i + 1 < argc && strcmp(argv[i], "--max-ram") == 0)
            limits.ram = strtoull(argv[++i], NULL, 0);
        else
            return 2;
    }
    if (!berkeley)
        printf("%-26s %-6s %7s %7s %7s  %7s %6s %6s %6s\n", "image", "core", "flash", "engines",
               "kernels", "RAM", "data", "bss", "stack");
    for (; i < argc; i++) {
        struct arena arena = ARENA_INIT;
        struct err err = ERR_INIT;
        struct footprint f;

        if (footprint_read(argv[i], &arena, &f, &err) < 0) {
            fprintf(stderr, "%s\n", err.text);
            return 1;
        }
        if (berkeley)
            print_berkeley(&f);
        else
            print_row(argv[i], &f);
        failed |= check(argv[i], &f, &limits);
        arena_release(&arena);
    }
    return failed;
}
