#include "targets/virtual/meter/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/base/text.h"

extern const struct device_ops device_ppk2;
extern const struct device_ops device_lpm01a;

const struct device_ops *const device_kinds[] = {&device_ppk2, &device_lpm01a, NULL};

static const struct device_ops *find_kind(const char *kind)
{
    for (size_t i = 0; device_kinds[i] != NULL; i++) {
        if (strcmp(device_kinds[i]->name, kind) == 0)
            return device_kinds[i];
    }
    return NULL;
}

static bool is_word(const char *word, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        if (strcmp(words[i], word) == 0)
            return true;
    }
    return false;
}

int device_new(const char *kind, const char *variant, struct device **ret, struct err *err)
{
    const struct device_ops *ops = find_kind(kind);
    struct device *d;

    if (ops == NULL)
        return err_set(err, ERR_USAGE, "no meter is called '%s'; known: ppk2, lpm01a", kind);
    if (variant != NULL && !is_word(variant, ops->variants))
        return err_set(err, ERR_USAGE, "a %s has no variant '%s'", kind, variant);
    d = calloc(1, ops->size);
    if (d == NULL)
        abort();
    d->ops = ops;
    d->seed = 1;
    d->variant = variant != NULL ? variant : ops->variants[0];
    d->period_ns = 10000;
    d->out.limit = 4u << 20;
    ops->init(d);
    *ret = d;
    return 0;
}

void device_free(struct device *d)
{
    if (d == NULL)
        return;
    buf_release(&d->out);
    free(d);
}

int device_fault(struct device *d, const char *text, struct err *err)
{
    struct device_fault f = {.n = 1};
    char n[24] = "1";
    char at[24] = "0";
    const int words = sscanf(text, "%15s %20s at %20s", f.kind, n, at);

    if (d->fault_count == DEVICE_FAULTS_MAX)
        return err_set(err, ERR_USAGE, "%d faults are enough", DEVICE_FAULTS_MAX);
    if (words < 1 || !is_word(f.kind, d->ops->faults))
        return err_set(err, ERR_USAGE, "no fault of a %s is called '%.20s'", d->ops->name, text);
    if (!text_to_u64(n, &f.n) || !text_to_u64(at, &f.at))
        return err_set(err, ERR_USAGE, "'%.60s' is not KIND [N [at SAMPLE]]", text);
    if (words < 3)
        f.at = d->sent;
    d->faults[d->fault_count++] = f;
    return 0;
}

const struct device_fault *device_due(struct device *d)
{
    for (int i = 0; i < d->fault_count; i++) {
        struct device_fault *f = &d->faults[i];

        if (!f->done && f->at <= d->sent) {
            f->done = true;
            return f;
        }
    }
    return NULL;
}

void device_power(struct device *d, bool on)
{
    d->cut = d->cut || (d->switched_on && !on);
    d->switched_on = d->switched_on || on;
    d->powered = on && !(d->cut && strcmp(d->variant, "latch") == 0);
}

/* splitmix64 */
uint64_t device_random(struct device *d)
{
    uint64_t z = (d->seed += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The sum of eight numbers of eight bits is as normal as noise need be. */
double device_gauss(struct device *d)
{
    uint64_t bits = device_random(d);
    int sum = 0;

    for (int i = 0; i < 8; i++, bits >>= 8)
        sum += (int)(bits & 255);
    return (sum - 1020) / 209.02; /* sqrt(8 (256^2 - 1) / 12) */
}
