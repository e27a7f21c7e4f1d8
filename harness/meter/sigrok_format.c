#include "harness/meter/sigrok_format.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The factor of an SI prefix, 0 when it is none. u also comes as the UTF-8 micro sign. */
static double prefix_of(const char **at)
{
    static const struct {
        const char *text;
        double factor;
    } prefixes[] = {{"\xc2\xb5", 1e-6}, {"\xce\xbc", 1e-6}, {"f", 1e-15}, {"p", 1e-12}, {"n", 1e-9},
                    {"u", 1e-6},        {"m", 1e-3},        {"k", 1e3},   {"M", 1e6},   {"G", 1e9}};

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        const size_t n = strlen(prefixes[i].text);

        if (strncmp(*at, prefixes[i].text, n) == 0 && isalpha((unsigned char)(*at)[n])) {
            *at += n;
            return prefixes[i].factor;
        }
    }
    return 1;
}

bool sigrok_line(const char *line, struct sigrok_value *ret)
{
    const char *colon = strstr(line, ": ");
    const char *at;
    char *end;

    if (colon == NULL || colon == line || (size_t)(colon - line) >= sizeof(ret->channel))
        return false;
    (void)snprintf(ret->channel, sizeof(ret->channel), "%.*s", (int)(colon - line), line);
    ret->value = strtod(colon + 2, &end);
    if (end == colon + 2)
        return false;
    at = end + strspn(end, " ");
    ret->value *= prefix_of(&at);
    if (!isfinite(ret->value))
        ret->value = NAN;
    ret->unit = (at[0] == 'A' || at[0] == 'V') && !isalpha((unsigned char)at[1]) ? at[0] : '\0';
    return true;
}

/* Up to one of `stops`, into text; false when it is empty or too long. */
static bool take(const char **at, const char *stops, char *text, size_t size)
{
    const size_t n = strcspn(*at, stops);

    if (n == 0 || n >= size)
        return false;
    (void)snprintf(text, size, "%.*s", (int)n, *at);
    *at += n;
    return true;
}

static bool take_rate(const char **at, struct sigrok_where *w)
{
    char *end;

    ++*at;
    if (!take(at, "#", w->rate, sizeof(w->rate)))
        return false;
    w->rate_hz = strtod(w->rate, &end);
    w->rate_hz *= *end == 'k' ? 1e3 : *end == 'm' ? 1e6 : 1;
    return end != w->rate && (*end == '\0' || end[1] == '\0') && w->rate_hz >= 1 &&
           w->rate_hz <= 1e6;
}

static bool take_shunt(const char **at, struct sigrok_where *w)
{
    char text[24];
    char *end;

    ++*at;
    if (!take(at, ",", text, sizeof(text)))
        return false;
    w->shunt_ohm = strtod(text, &end);
    return end != text && *end == '\0' && w->shunt_ohm > 0 && isfinite(w->shunt_ohm);
}

const char *sigrok_where(const char *text, struct sigrok_where *ret)
{
    const char *at = text;

    *ret = (struct sigrok_where){.rate_hz = 0};
    /* A driver's options may hold anything but our own two marks; a name never begins with "-". */
    if (!take(&at, "@#", ret->driver, sizeof(ret->driver)) || ret->driver[0] == '-')
        return "it begins with no driver";
    if (*at == '@' && !take_rate(&at, ret))
        return "the rate behind @ is none from 1 to 1m";
    if (*at++ != '#' || !take(&at, "/,", ret->current, sizeof(ret->current)))
        return "no channel is named behind #";
    if (*at == '/' && !take_shunt(&at, ret))
        return "the shunt behind / is no number of ohms";
    if (*at == ',' && (at++, !take(&at, "", ret->voltage, sizeof(ret->voltage))))
        return "no channel is named behind the comma";
    return NULL;
}
