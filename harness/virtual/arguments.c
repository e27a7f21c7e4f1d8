#include "harness/virtual/arguments.h"

void argument_add(struct argument_list *a, const char *word)
{
    if (a->count < ARGUMENTS_MAX)
        a->argv[a->count++] = word;
}

void argument_add_pair(struct argument_list *a, const char *name, const char *value)
{
    if (value == NULL || a->count + 2 > ARGUMENTS_MAX)
        return;
    argument_add(a, name);
    argument_add(a, value);
}

void argument_add_hex(struct argument_list *a, const char *name, uint64_t value)
{
    argument_add_pair(a, name, arena_printf(&a->arena, "0x%llx", (unsigned long long)value));
}

void argument_add_real(struct argument_list *a, const char *name, double value)
{
    argument_add_pair(a, name, arena_printf(&a->arena, "%.17g", value));
}

void argument_list_release(struct argument_list *a)
{
    arena_release(&a->arena);
}
