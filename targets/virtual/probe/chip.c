#include "targets/virtual/probe/chip.h"

#include <stddef.h>
#include <string.h>

#include "harness/base/base.h"
#include "harness/base/text.h"

static const struct chip *const chips[] = {
    &chip_nrf51,
    &chip_same54,
    &chip_nrf51_protected,
    &chip_same54_secured,
    &chip_same54_unknown,
    &chip_cm3,
    &chip_cm4,
    &chip_cm7,
    &chip_cm55,
};

static const struct chip *find_by_machine(const char *machine, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
        if (strcmp(chips[i]->machine, machine) == 0)
            return chips[i];
    }
    (void)err_set(err, ERR_USAGE, "no chip that the probe knows is on the machine '%s'", machine);
    return NULL;
}

const struct chip *chip_find(const char *name, const char *machine, struct err *err)
{
    const char *names[ARRAY_SIZE(chips) + 1] = {NULL};

    if (name == NULL)
        return find_by_machine(machine, err);
    for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
        names[i] = chips[i]->name;
        if (strcmp(name, names[i]) != 0)
            continue;
        if (strcmp(chips[i]->machine, machine) == 0)
            return chips[i];
        (void)err_set(err, ERR_USAGE, "chip %s needs the machine %s, not %s", name,
                      chips[i]->machine, machine);
        return NULL;
    }
    (void)err_set(err, ERR_USAGE, "the probe knows no chip '%.40s'", name);
    if (text_nearest(name, names) != NULL)
        (void)err_hint(err, "did you mean '%s'?", text_nearest(name, names));
    return NULL;
}
