#include "harness/report/difference.h"

#include <string.h>

#include "harness/base/buf.h"

enum {
    DIGEST_MIN = 32,
    DIGEST_SHOWN = 12,
    OPTIONS_MIN = 4,
};

static bool same_text(const char *x, const char *y)
{
    return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

static bool is_digest(const char *s)
{
    const size_t n = strlen(s);

    return n >= DIGEST_MIN && strspn(s, "0123456789abcdef") == n;
}

/* The word at s and the start of the next one. */
static const char *next_word(const char *s, size_t *ret_size)
{
    *ret_size = strcspn(s, " ");
    s += *ret_size;
    return s + strspn(s, " ");
}

static bool is_command_line(const char *s)
{
    size_t options = 0;
    size_t words = 0;
    size_t n;

    for (s += strspn(s, " "); *s != '\0'; s = next_word(s, &n)) {
        options += *s == '-';
        words++;
    }
    return options >= OPTIONS_MIN && options * 2 > words;
}

static bool has_word(const char *s, const char *word, size_t size)
{
    const char *next;
    size_t n;

    for (s += strspn(s, " "); *s != '\0'; s = next) {
        next = next_word(s, &n);
        if (n == size && memcmp(s, word, n) == 0)
            return true;
    }
    return false;
}

/* The words of s that the other line has not; "" when it has all. */
static const char *words_of_its_own(struct arena *arena, const char *s, const char *other)
{
    AUTO_BUF text = BUF_INIT;
    const char *next;
    size_t n;

    for (s += strspn(s, " "); *s != '\0'; s = next) {
        next = next_word(s, &n);
        if (!has_word(other, s, n))
            buf_printf(&text, "%s%.*s", text.len > 0 ? " " : "", (int)n, s);
    }
    return arena_strdup(arena, buf_text(&text));
}

static const char *shown(struct arena *arena, const char *s)
{
    if (s == NULL)
        return "unknown";
    return is_digest(s) ? arena_printf(arena, "%.*s", DIGEST_SHOWN, s) : s;
}

struct difference_sides difference_sides(struct arena *arena, const struct difference *x)
{
    struct difference_sides sides = {shown(arena, x->a), shown(arena, x->b)};
    const char *a;
    const char *b;

    if (is_command_line(sides.a) && is_command_line(sides.b)) {
        a = words_of_its_own(arena, sides.a, sides.b);
        b = words_of_its_own(arena, sides.b, sides.a);
        if (a[0] != '\0' || b[0] != '\0') /* else they differ in order alone */
            sides = (struct difference_sides){a[0] != '\0' ? a : "none", b[0] != '\0' ? b : "none"};
    } else if (same_text(sides.a, sides.b)) {
        sides = (struct difference_sides){x->a, x->b};
    }
    return sides;
}

bool difference_same(const struct difference *x, const struct difference *y)
{
    return x->level == y->level && same_text(x->a, y->a) && same_text(x->b, y->b);
}

bool difference_is_said(const struct differences *d, size_t index)
{
    const struct difference *x = &d->list[index];

    for (size_t i = 0; i < index; i++) {
        if (strcmp(d->list[i].title, x->title) == 0 && difference_same(&d->list[i], x))
            return true;
    }
    return false;
}
