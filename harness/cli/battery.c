/* `tinyrig battery`: how long a battery lasts, for stored results or for given numbers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/base/text.h"
#include "harness/cli/context.h"
#include "harness/cli/select.h"
#include "harness/cli/verb.h"
#include "harness/stats/battery.h"
#include "harness/store/store.h"

#define DEFAULT_TARGET_YEARS 10.0
#define YEAR_NS              (BATTERY_HOURS_PER_YEAR * 3600e9)

struct battery_arguments {
    struct common_options common;
    const char *capacity, *usable, *self_discharge, *sleep, *other, *charge, *rate, *efficiency;
    const char *load_v, *battery_v, *peak, *resistance, *open_v, *brownout_v;
    uint64_t shelf_ns, target_ns;
};

#define AT(field) offsetof(struct battery_arguments, field)
static const struct option options[] = {
    {"capacity", 'c', OPTION_STRING, "CHARGE", "nominal capacity, such as 2000mAh (required)",
     AT(capacity)},
    {"sleep-current", 's', OPTION_STRING, "CURRENT", "between inferences, such as 12uA", AT(sleep)},
    {"other-current", 0, OPTION_STRING, "CURRENT", "everything else, on average", AT(other)},
    {"charge", 0, OPTION_STRING, "CHARGE", "net, of one inference, such as 840uC; without a result",
     AT(charge)},
    {"rate", 0, OPTION_STRING, "N", "inferences per hour", AT(rate)},
    {"usable", 0, OPTION_STRING, "SHARE", "of the capacity, such as 85% (default: 100%)",
     AT(usable)},
    {"self-discharge", 0, OPTION_STRING, "SHARE", "lost in a year, such as 1% (default: 0%)",
     AT(self_discharge)},
    {"efficiency", 0, OPTION_STRING, "SHARE", "of the regulator, such as 90% (default: 100%)",
     AT(efficiency)},
    {"load-voltage", 0, OPTION_STRING, "VOLTAGE", "behind a switching converter ...", AT(load_v)},
    {"battery-voltage", 0, OPTION_STRING, "VOLTAGE", "... and before it", AT(battery_v)},
    {"shelf-life", 0, OPTION_DURATION, "TIME", "no longer than this, such as 10y", AT(shelf_ns)},
    {"target", 0, OPTION_DURATION, "TIME", "the life that is wanted (default: 10y)", AT(target_ns)},
    {"peak-current", 0, OPTION_STRING, "CURRENT", "does it hold up? The highest current ...",
     AT(peak)},
    {"resistance", 0, OPTION_STRING, "OHM", "... internal resistance at the end, such as 20Ohm ...",
     AT(resistance)},
    {"open-voltage", 0, OPTION_STRING, "VOLTAGE", "... voltage without load at the end ...",
     AT(open_v)},
    {"brownout-voltage", 0, OPTION_STRING, "VOLTAGE", "... and what the board needs",
     AT(brownout_v)},
    OPTION_DB,
    {.name = NULL},
};
#undef AT

/* ---- numbers ---- */

static int take_si(const char *name, const char *text, const char *unit, double scale, double *ret,
                   struct err *err)
{
    double value;

    if (text == NULL)
        return 0;
    if (!text_to_si(text, unit, &value) || !(value >= 0))
        return err_set(err, ERR_USAGE, "--%s: expected a number with %s, got '%s'", name, unit,
                       text);
    *ret = value * scale;
    return 0;
}

static int take_share(const char *name, const char *text, double *ret, struct err *err)
{
    char number[32];
    double value;
    size_t n;

    if (text == NULL)
        return 0;
    n = strlen(text);
    if (n == 0 || n >= sizeof(number))
        return err_set(err, ERR_USAGE, "--%s: expected a share such as 85%%", name);
    memcpy(number, text, n + 1);
    if (number[n - 1] == '%')
        number[n - 1] = '\0';
    if (!text_to_double(number, &value) || !(value >= 0))
        return err_set(err, ERR_USAGE, "--%s: expected a share such as 85%%, got '%s'", name, text);
    *ret = text[n - 1] == '%' ? value / 100 : value;
    return 0;
}

static int take_rate(const char *text, double *ret, struct err *err)
{
    if (text != NULL && (!text_to_double(text, ret) || !(*ret >= 0)))
        return err_set(err, ERR_USAGE, "--rate: expected inferences per hour, got '%s'", text);
    return 0;
}

static int take_arguments(const struct battery_arguments *a, struct battery *b, struct err *err)
{
    if (a->capacity == NULL) {
        (void)err_set(err, ERR_USAGE, "battery: a capacity is needed");
        return err_hint(err, "add --capacity 2000mAh");
    }
    if (take_si("capacity", a->capacity, "Ah", 1, &b->capacity_ah, err) < 0 ||
        take_si("sleep-current", a->sleep, "A", 1, &b->sleep_a, err) < 0 ||
        take_si("other-current", a->other, "A", 1, &b->other_a, err) < 0 ||
        take_si("charge", a->charge, "C", 1, &b->charge_c, err) < 0 ||
        take_si("load-voltage", a->load_v, "V", 1, &b->load_v, err) < 0 ||
        take_si("battery-voltage", a->battery_v, "V", 1, &b->battery_v, err) < 0 ||
        take_si("peak-current", a->peak, "A", 1, &b->peak_a, err) < 0 ||
        take_si("resistance", a->resistance, "Ohm", 1, &b->resistance_ohm, err) < 0 ||
        take_si("open-voltage", a->open_v, "V", 1, &b->open_v, err) < 0 ||
        take_si("brownout-voltage", a->brownout_v, "V", 1, &b->brownout_v, err) < 0 ||
        take_share("usable", a->usable, &b->usable, err) < 0 ||
        take_share("self-discharge", a->self_discharge, &b->self_discharge, err) < 0 ||
        take_share("efficiency", a->efficiency, &b->efficiency, err) < 0 ||
        take_rate(a->rate, &b->inferences_per_hour, err) < 0)
        return (int)err->code;
    b->shelf_years = (double)a->shelf_ns / YEAR_NS;
    return 0;
}

/* ---- answers ---- */

/* "22.8 uA", four significant digits with an SI prefix. */
static const char *si(double value, const char *unit, char text[static 32])
{
    static const struct {
        double scale;
        const char *prefix;
    } prefixes[] = {{1, ""}, {1e-3, "m"}, {1e-6, "u"}, {1e-9, "n"}};
    size_t i = 0;

    while (i + 1 < ARRAY_SIZE(prefixes) && fabs(value) < prefixes[i].scale)
        i++;
    (void)snprintf(text, 32, "%.4g %s%s", value / prefixes[i].scale, prefixes[i].prefix, unit);
    return text;
}

static const char *life_text(double hours, char text[static 32])
{
    if (!isfinite(hours))
        (void)snprintf(text, 32, "for ever");
    else if (hours < 48)
        (void)snprintf(text, 32, "%.1f h", hours);
    else if (hours < BATTERY_HOURS_PER_YEAR)
        (void)snprintf(text, 32, "%.1f days", hours / 24);
    else
        (void)snprintf(text, 32, "%.1f years", hours / BATTERY_HOURS_PER_YEAR);
    return text;
}

static void say_target(const struct battery *b, double years)
{
    const double current = battery_current_for(b, years);
    const double rate = battery_rate_for(b, years);
    char text[32];

    if (!(current > 0)) {
        (void)printf("  %g years: self-discharge alone takes more than that\n", years);
        return;
    }
    (void)printf("  %g years need %s or less from the battery", years, si(current, "A", text));
    if (isnan(rate))
        (void)printf(", and more than its shelf life\n");
    else if (rate <= 0)
        (void)printf("; sleeping alone takes more\n");
    else if (isinf(rate))
        (void)printf("; reached at any rate\n");
    else
        (void)printf(": at most %.4g inferences per hour, one every %.4g s\n", rate, 3600 / rate);
}

static void say_peak(const struct battery *b, const struct battery_life *life)
{
    if (!life->peak_known)
        return;
    (void)printf("  peak %.4g mA: %s; the internal resistance may be up to %.4g Ohm\n",
                 b->peak_a * 1e3,
                 life->peak_holds ? "the battery holds up" : "THE VOLTAGE BREAKS DOWN",
                 life->resistance_limit);
}

static int answer(const char *name, const struct battery *b, double target, struct err *err)
{
    struct battery_life life;
    char text[32];
    char other[32];

    if (battery_project(b, &life, err) < 0)
        return err_in(err, "battery");
    if (name != NULL)
        (void)printf("%s\n", name);
    (void)printf("  lasts %s", life_text(life.hours, text));
    if (b->self_discharge > 0)
        (void)printf(" (%s if self-discharge were constant)", life_text(life.simple_hours, other));
    if (life.shelf_limited)
        (void)printf(", but %.4g years on the shelf", life.years);
    (void)printf("\n  average %s at the board, %s at the battery", si(life.load_a, "A", text),
                 si(life.battery_a, "A", other));
    (void)printf("; sleep %.1f %%, inferences %.1f %%\n", life.sleep_share * 100,
                 life.inference_share * 100);
    say_target(b, target);
    say_peak(b, &life);
    return 0;
}

static const struct event_metric *find_charge(const struct data_case *c)
{
    return data_case_metric(c, "charge.net");
}

static int answer_stored(const char *selection, const struct battery_arguments *a,
                         const struct battery *given, double target, struct err *err)
{
    AUTO(context_release) struct context c = {.database = NULL};
    AUTO(store_close_auto) struct store *s = NULL;
    struct dataset d = {.case_count = 0};
    size_t found = 0;

    if (context_init(&c, &a->common, err) < 0 || store_open(c.database, STORE_READ, &s, err) < 0 ||
        select_cases(s, selection, &c.arena, &d, err) < 0)
        return (int)err->code;
    for (size_t i = 0; i < d.case_count; i++) {
        const struct event_metric *charge = find_charge(&d.cases[i]);
        const struct event_metric *peak = data_case_metric(&d.cases[i], "current.peak");
        const char *emulated = data_case_fact(&d.cases[i], "meter.emulated");
        struct battery b = *given;

        if (charge == NULL)
            continue;
        b.charge_c = charge->value > 0 ? charge->value * 1e-9 : 0;
        if (b.resistance_ohm > 0 && b.peak_a == 0 && peak != NULL)
            b.peak_a = peak->value * 1e-9;
        found++;
        if (answer(d.cases[i].key, &b, target, err) < 0)
            return (int)err->code;
        if (emulated != NULL && strcmp(emulated, "yes") == 0)
            (void)printf("  emulated meter: the charge is made up\n");
    }
    if (found == 0)
        return err_set(err, ERR_USAGE,
                       "battery: none of these results has a charge: no energy was "
                       "measured");
    return 0;
}

static int run(void *values, int argc, char **argv, struct err *err)
{
    const struct battery_arguments *a = values;
    struct battery b = {.usable = 1, .efficiency = 1};
    const double target = a->target_ns > 0 ? (double)a->target_ns / YEAR_NS : DEFAULT_TARGET_YEARS;

    if (take_arguments(a, &b, err) < 0)
        return (int)err->code;
    if (argc > 0 && a->charge != NULL)
        return err_set(err, ERR_USAGE, "battery: --charge and a stored result exclude each other");
    return argc > 0 ? answer_stored(argv[0], a, &b, target, err) : answer(NULL, &b, target, err);
}

const struct verb verb_battery = {
    .name = "battery",
    .arguments = "[SELECTION]",
    .summary = "how long a battery lasts, for stored results or given numbers",
    .details =
        "Average current I = sleep + other + rate x charge; at the battery I / efficiency, or\n"
        "I x load-voltage / (battery-voltage x efficiency) with a converter. With a share s lost\n"
        "a year, Q0 the capacity and Qe what cannot be used: t = ln((I + s Q0) / (I + s Qe)) / s.\n"
        "It also says which duty cycle reaches ten years (or --target).\n"
        "  tinyrig battery --capacity 2000mAh --sleep-current 12uA --charge 840uC --rate 360\n"
        "  tinyrig battery last --capacity 220mAh --sleep-current 2uA --rate 60",
    .options = options,
    .arguments_max = 1,
    .run = run,
};
