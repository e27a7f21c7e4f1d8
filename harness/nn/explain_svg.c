#include <string.h>

#include "harness/nn/explain.h"

/* Pixels. */
#define LEFT   70
#define TOP    40
#define BOTTOM 40
#define HEIGHT 360
#define STEP   28

static void escape(struct buf *b, const char *s, size_t limit)
{
    for (size_t i = 0; s[i] && i < limit; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '<')
            buf_puts(b, "&lt;");
        else if (c == '>')
            buf_puts(b, "&gt;");
        else if (c == '&')
            buf_puts(b, "&amp;");
        else if (c == '"')
            buf_puts(b, "&quot;");
        else
            buf_putc(b, c < 0x20 || c >= 0x7f ? '?' : s[i]);
    }
}

static double y_of(const struct nn_report *r, double bytes)
{
    return TOP + HEIGHT - bytes * HEIGHT / (r->arena_bytes ? r->arena_bytes : 1);
}

/* Ten colours that differ in lightness too; text stays readable on each. */
static const char *colour(size_t i)
{
    static const char *const colours[] = {"#9ecae9", "#ffbf79", "#88d27a", "#f2cf5b", "#e4a7c6",
                                          "#83bcb6", "#d6a5c9", "#fcbfd2", "#bab0ac", "#b6992d"};

    return colours[i % (sizeof colours / sizeof *colours)];
}

static void append_buffer(struct buf *b, const struct nn_report *r, size_t i)
{
    const struct nn_report_buffer *m = &r->buffers[i];
    uint32_t last = m->last < r->step_count ? m->last : (uint32_t)r->step_count;
    double x = LEFT + (double)m->first * STEP, width = ((double)last - m->first + 1) * STEP;
    double y = y_of(r, (double)m->offset + m->size), height = y_of(r, m->offset) - y;

    buf_printf(b,
               "<rect x=\"%.1f\" y=\"%.2f\" width=\"%.1f\" height=\"%.2f\" fill=\"%s\" "
               "fill-opacity=\"0.75\" stroke=\"#333\" stroke-width=\"0.6\"><title>",
               x, y, width, height, colour(i));
    escape(b, m->name, 120);
    buf_printf(b, ": %u B at %u, steps %u to %u</title></rect>\n", m->size, m->offset, m->first,
               last);
    if (height >= 11 && width >= 2 * STEP)
        buf_printf(b, "<text x=\"%.1f\" y=\"%.2f\" class=\"in\">%u</text>\n", x + 3,
                   y + height / 2 + 4, m->size);
}

static void append_axes(struct buf *b, const struct nn_report *r, double width)
{
    for (int i = 0; i <= 4; i++) {
        double bytes = (double)r->arena_bytes * i / 4;
        buf_printf(b,
                   "<line x1=\"%d\" y1=\"%.2f\" x2=\"%.1f\" y2=\"%.2f\" class=\"grid\"/>"
                   "<text x=\"%d\" y=\"%.2f\" text-anchor=\"end\">%.0f</text>\n",
                   LEFT, y_of(r, bytes), width - 10, y_of(r, bytes), LEFT - 6, y_of(r, bytes) + 4,
                   bytes);
    }
    for (size_t i = 0; i < r->step_count; i++) {
        double x = LEFT + (double)i * STEP + STEP / 2.0;
        buf_printf(b, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%u<title>", x,
                   TOP + HEIGHT + 16, r->steps[i].op);
        escape(b, r->steps[i].kind_name, 60);
        buf_puts(b, "</title></text>\n");
    }
}

void nn_explain_svg(const struct nn_report *r, const char *name, struct buf *b)
{
    double width = LEFT + ((double)r->step_count + 1) * STEP + 20;

    if (width < 360)
        width = 360;
    buf_printf(b,
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %d\" width=\"%.0f\" "
               "role=\"img\" font-family=\"sans-serif\" font-size=\"11\">\n<title>Memory plan of ",
               width, TOP + HEIGHT + BOTTOM, width);
    escape(b, name, 120);
    buf_printf(b, "</title>\n<desc>%zu buffers in an arena of %u bytes over %zu steps.</desc>\n",
               r->buffer_count, r->arena_bytes, r->step_count);
    buf_puts(b, "<style>text{fill:#222}.in{font-size:10px}.grid{stroke:#ccc;stroke-width:0.5}"
                "</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
    buf_printf(b, "<text x=\"%d\" y=\"20\" font-size=\"14\">", LEFT);
    escape(b, name, 60);
    buf_printf(b, ": arena %u B</text>\n", r->arena_bytes);
    append_axes(b, r, width);
    for (size_t i = 0; i < r->buffer_count; i++)
        append_buffer(b, r, i);
    buf_printf(b, "<text x=\"%d\" y=\"%d\">operator</text>\n</svg>\n", LEFT, TOP + HEIGHT + 32);
}
