#include "harness/lab/resources.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void add(struct resources *r, const char *kind, const char *name)
{
    char *text = r->names[r->count];

    if (name == NULL)
        return;
    (void)snprintf(text, RESOURCE_NAME, "%s%s%s", kind, kind[0] != '\0' ? ":" : "", name);
    for (char *p = text; *p != '\0'; p++) {
        if (!isalnum((unsigned char)*p) && strchr("._:-", *p) == NULL)
            *p = '_'; /* a serial number may hold what a file name may not */
    }
    r->list[r->count++] = text;
}

void resources_of(const struct board *b, struct resources *ret)
{
    ret->count = 0;
    add(ret, "", b->name);
    add(ret, "probe", b->openocd.serial);
    add(ret, "meter", b->meter);
    add(ret, "power", b->power);
}

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

bool resources_clash(const struct board *a, const struct board *b)
{
    return same(a->openocd.serial, b->openocd.serial) || same(a->meter, b->meter) ||
           same(a->power, b->power);
}
