#include "harness/lab/resources.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

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

static void add_meter(struct resources *r, const struct lab_meter *m)
{
    if (m->serial != NULL)
        add(r, "meter-serial", m->serial);
    else
        add(r, "meter-at", m->where);
}

static void add_power(struct resources *r, const struct lab_power *p)
{
    char port[128];

    if (strcmp(p->kind, "uhubctl") != 0 || p->location == NULL)
        return;
    (void)snprintf(port, sizeof(port), "%.100s:%u", p->location, p->port);
    add(r, "hub", port);
}

void resources_of(const struct board *b, const struct lab *lab, struct resources *ret)
{
    ret->count = 0;
    add(ret, "", b->name);
    add(ret, "probe", b->openocd.serial);
    add(ret, "meter", b->meter);
    add(ret, "power", b->power);
    for (size_t i = 0; lab != NULL && i < lab->meter_count; i++) {
        if (same(lab->meters[i].name, b->meter))
            add_meter(ret, &lab->meters[i]);
    }
    for (size_t i = 0; lab != NULL && i < lab->power_count; i++) {
        if (same(lab->powers[i].name, b->power))
            add_power(ret, &lab->powers[i]);
    }
}

void resources_of_meter(const struct lab_meter *m, struct resources *ret)
{
    ret->count = 0;
    add(ret, "meter", m->name);
    add_meter(ret, m);
}

bool resources_clash(const struct board *a, const struct board *b)
{
    return same(a->openocd.serial, b->openocd.serial) || same(a->meter, b->meter) ||
           same(a->power, b->power);
}
