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

static void add_meter(struct resources *r, const struct lab_meter *m)
{
    if (m->serial != NULL)
        add(r, "meter-serial", m->serial);
    else
        add(r, "meter-at", m->where);
}

static void add_alone(struct resources *r, const struct lab_meter *m)
{
    add(r, "meter", m->name);
    add_meter(r, m);
}

bool resources_hold(const struct resources *r, const struct lab_meter *m)
{
    struct resources wanted;

    resources_of_meter(m, &wanted);
    for (size_t i = 0; wanted.count > 0 && i < r->count; i++) {
        if (strcmp(r->list[i], wanted.list[0]) == 0)
            return true;
    }
    return false;
}

static void add_named_meter(struct resources *r, const struct lab *lab, const char *name)
{
    const struct lab_meter nameless = {.name = name};
    const struct lab_meter *m = lab_find_meter(lab, name);

    m = m != NULL ? m : &nameless; /* the suite's slip; the name is leased all the same */
    if (name != NULL && !resources_hold(r, m))
        add_alone(r, m);
}

/* A hub's port is what it is under any name; a meter that switches is a meter. */
static void add_power(struct resources *r, const struct lab *lab, const struct lab_power *p)
{
    char port[128];

    add_named_meter(r, lab, p->meter);
    if (strcmp(p->kind, "uhubctl") != 0 || p->location == NULL)
        return;
    (void)snprintf(port, sizeof(port), "%.100s:%u", p->location, p->port);
    add(r, "hub", port);
}

void resources_of(const struct board *b, const struct lab *lab, const char *meter,
                  struct resources *ret)
{
    const struct lab_power *power = lab_find_power(lab, b->power);

    ret->count = 0;
    add(ret, "", b->name);
    add(ret, "probe", b->openocd.serial);
    add(ret, "power", b->power);
    add_named_meter(ret, lab, b->meter);
    add_named_meter(ret, lab, meter);
    if (power != NULL)
        add_power(ret, lab, power);
}

void resources_of_meter(const struct lab_meter *m, struct resources *ret)
{
    ret->count = 0;
    add_alone(ret, m);
}

/* Of a suite that measures energy, on boards where it can. */
static const char *suite_meter(const struct plan *plan, const struct board *b)
{
    for (size_t i = 0; i < plan->case_count; i++) {
        const struct plan_case *c = &plan->cases[i];

        if (c->board == b && c->skip == NULL && c->energy != NULL)
            return c->energy->meter;
    }
    return NULL;
}

void resources_of_plan(const struct plan *plan, const struct board *b, struct resources *ret)
{
    resources_of(b, plan->lab, suite_meter(plan, b), ret);
}

bool resources_clash(const struct resources *a, const struct resources *b)
{
    for (size_t i = 0; i < a->count; i++) {
        for (size_t k = 0; k < b->count; k++) {
            if (strcmp(a->list[i], b->list[k]) == 0)
                return true;
        }
    }
    return false;
}
