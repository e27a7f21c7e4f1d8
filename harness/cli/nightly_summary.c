/*
 * The page about a night: verdict, what went wrong, the boards that need somebody, the gate's
 * reasons. Each list is cut: a page is for reading, the reports beside it have everything.
 */
#include <string.h>
#include <unistd.h>

#include "harness/base/clock.h"
#include "harness/base/file.h"
#include "harness/cli/nightly.h"
#include "harness/lab/health.h"
#include "harness/report/document.h"
#include "harness/report/glyph.h"
#include "harness/store/store.h"

enum {
    PAGE_LINES = 15, /* of each list */
    PAGE_BLOCKS = 64,
    GATE_MAX = 16 * 1024 * 1024
};

struct page {
    const struct night *night;
    struct arena *arena;
    struct document document;
};

static void add(struct page *p, enum block_kind kind, const char *text)
{
    struct block *b;

    if (p->document.block_count == PAGE_BLOCKS)
        return;
    b = &p->document.blocks[p->document.block_count++];
    *b = (struct block){
        .kind = kind,
        .level = p->document.block_count == 1 ? 1 : 2,
        .text = {glyph_safe(p->arena, text), TONE_PLAIN},
    };
}

static void add_rest(struct page *p, size_t shown, size_t all, const char *where)
{
    if (all > shown)
        add(p, BLOCK_TEXT, arena_printf(p->arena, "... and %zu more: %s.", all - shown, where));
}

static void add_head(struct page *p)
{
    const struct night *n = p->night;
    char now[21];

    clock_format_utc(clock_realtime_ns(), now);
    add(p, BLOCK_HEADING, arena_printf(p->arena, "%s: %s", n->suite, night_verdict(n)));
    add(p, BLOCK_TEXT,
        arena_printf(p->arena, "Lab '%s', %s, run %.8s; %u boards checked, %u failed.%s",
                     n->context->lab->name, now, n->run_id, n->checked, n->failed,
                     n->first ? " The first night: it is the next one's baseline." : ""));
    if (n->failure[0] != '\0')
        add(p, BLOCK_TEXT, n->failure);
}

static bool is_news(const struct data_case *c)
{
    return c->status != CASE_SKIPPED && (c->status != CASE_PASSED || !c->ended);
}

/* What did not pass, in plan order. */
static void add_cases(struct page *p)
{
    const struct store_selection selection = {.run = p->night->run_id};
    AUTO(store_close_auto) struct store *store = NULL;
    struct err err = ERR_INIT;
    struct dataset d;
    size_t all = 0;

    if (access(p->night->context->database, F_OK) != 0)
        return;
    if (store_open(p->night->context->database, STORE_READ, &store, &err) < 0 ||
        store_query(store, &selection, p->arena, &d, &err) < 0) {
        if (p->night->run_status != 2 && p->night->run_status != 3)
            add(p, BLOCK_TEXT, err.text); /* else there never was a run */
        return;
    }
    add(p, BLOCK_TEXT, document_tally(p->arena, &d));
    for (size_t i = 0; i < d.case_count; i++) {
        const struct data_case *c = &d.cases[i];

        if (!is_news(c) || all++ >= PAGE_LINES)
            continue;
        add(p, BLOCK_ITEM,
            arena_printf(p->arena, "%s: %s. %.300s", c->key, document_status(c).text,
                         document_failure(p->arena, c)));
    }
    add_rest(p, PAGE_LINES, all, "report.html has them");
}

static const struct column board_columns[] = {
    {"board", false, 0},     {"health", false, 0}, {"flake rate", true, 0},
    {"recoveries", true, 0}, {"why", false, 1},
};

static void put_board(struct page *p, const struct board *b, const struct health *h,
                      struct cell *row)
{
    const char *texts[ARRAY_SIZE(board_columns)] = {
        b->name,
        board_state_name(b->maintenance != NULL ? BOARD_MAINTENANCE : h->state),
        arena_printf(p->arena, "%.1f %% of %llu", 100 * health_flake_rate(h),
                     (unsigned long long)h->attempts),
        arena_printf(p->arena, "%llu", (unsigned long long)h->recoveries),
        b->maintenance != NULL ? b->maintenance : h->reason,
    };

    for (size_t i = 0; i < ARRAY_SIZE(board_columns); i++)
        row[i] = (struct cell){glyph_safe(p->arena, texts[i]), TONE_PLAIN};
}

/* Those that are not good, or failed attempts; a healthy lab has none. */
static void add_boards(struct page *p)
{
    const struct lab *lab = p->night->context->lab;
    struct table t = {.columns = board_columns, .column_count = ARRAY_SIZE(board_columns)};
    struct err ignored = ERR_INIT;
    char folder[HEALTH_PATH];
    size_t all = 0;

    if (health_folder(folder, &ignored) < 0)
        return;
    t.cells = arena_alloc(p->arena, (size_t)PAGE_LINES * t.column_count * sizeof(*t.cells));
    for (size_t i = 0; i < lab->board_count; i++) {
        const struct board *b = lab->boards[i];
        struct health h = {.state = BOARD_GOOD};

        err_clear(&ignored);
        if (!health_kept(b))
            continue;
        if (health_read(folder, b->name, &h, &ignored) < 0)
            h = (struct health){.state = BOARD_SUSPECT, .reason = "its state cannot be read"};
        if (h.state == BOARD_GOOD && h.faults == 0 && b->maintenance == NULL)
            continue;
        if (all++ < PAGE_LINES)
            put_board(p, b, &h, &t.cells[t.row_count++ * t.column_count]);
    }
    if (t.row_count == 0)
        return;
    add(p, BLOCK_HEADING, "boards");
    add(p, BLOCK_TABLE, NULL);
    p->document.blocks[p->document.block_count - 1].table = t;
    add_rest(p, PAGE_LINES, all, "'tinyrig boards' has them");
}

/* The gate's own words, from its title to the first case; they are Markdown already. */
static void put_gate(const struct night *night, struct buf *out)
{
    const char *path = night_path(night, "gate.md");
    struct err ignored = ERR_INIT;
    AUTO_BUF text = BUF_INIT;
    const char *line;
    unsigned lines = 0;
    size_t n;

    if (access(path, R_OK) != 0 || file_read(path, GATE_MAX, &text, &ignored) < 0)
        return;
    buf_puts(out, "### gate\n\n");
    for (line = buf_text(&text); *line != '\0' && strncmp(line, "### ", 4) != 0;
         line += n + (line[n] == '\n')) {
        n = strcspn(line, "\n");
        if (*line == '#' || (n == 0 && lines == 0))
            continue; /* its title is ours */
        if (lines++ == 2 * PAGE_LINES)
            break;
        buf_append(out, line, n);
        buf_putc(out, '\n');
    }
}

void night_summary(const struct night *n, struct buf *out)
{
    AUTO(arena_release) struct arena arena = ARENA_INIT;
    struct page p = {.night = n, .arena = &arena};

    p.document.blocks = arena_alloc(&arena, PAGE_BLOCKS * sizeof(*p.document.blocks));
    add_head(&p);
    add_cases(&p);
    add_boards(&p);
    document_markdown(&p.document, out);
    put_gate(n, out);
}
