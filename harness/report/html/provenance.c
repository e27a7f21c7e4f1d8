/* Where numbers come from: facts that all cases share, and facts that differ. */
#include <stdlib.h>
#include <string.h>

#include "harness/report/html/html.h"
#include "harness/report/value.h"
#include "harness/spec/fact.h"

/* ---- facts ---- */

/* Names that a value belongs to, each once. */
struct names {
    const char **list;
    size_t count, capacity;
};

/* One key with its different values and whose they are. */
struct fact_value {
    const char *value;
    struct names boards, models;
};
struct fact_row {
    const char *key;
    struct fact_value *values;
    size_t value_count, value_capacity;
    size_t cases;
};
struct facts {
    struct fact_row *rows;
    size_t count, capacity;
    size_t cases; /* with facts */
    struct names boards, models;
};

static bool has_name(const struct names *n, const char *name)
{
    for (size_t i = 0; i < n->count; i++) {
        if (strcmp(n->list[i], name) == 0)
            return true;
    }
    return false;
}

static void add_name(struct page *p, struct names *n, const char *name)
{
    if (!has_name(n, name))
        *ARENA_PUSH(p->arena, n->list, n->count, n->capacity) = name;
}

static const char *model_of(const struct data_case *c)
{
    return c->model != NULL ? c->model : c->key;
}

static void add_value(struct page *p, struct fact_row *row, const struct data_case *c,
                      const char *value)
{
    size_t i = 0;

    row->cases++;
    while (i < row->value_count && strcmp(row->values[i].value, value) != 0)
        i++;
    if (i == row->value_count) {
        struct fact_value *v =
            ARENA_PUSH(p->arena, row->values, row->value_count, row->value_capacity);

        memset(v, 0, sizeof(*v));
        v->value = value;
    }
    add_name(p, &row->values[i].boards, c->board);
    add_name(p, &row->values[i].models, model_of(c));
}

static void add_fact(struct page *p, struct facts *f, const struct data_case *c,
                     const struct data_fact *fact)
{
    size_t r = 0;

    while (r < f->count && strcmp(f->rows[r].key, fact->key) != 0)
        r++;
    if (r == f->count) {
        struct fact_row *row = ARENA_PUSH(p->arena, f->rows, f->count, f->capacity);

        memset(row, 0, sizeof(*row));
        row->key = fact->key;
    }
    add_value(p, &f->rows[r], c, fact->value);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct fact_row *)a)->key, ((const struct fact_row *)b)->key);
}

/* Of what was measured: a case that was planned away has only its board's. */
static void collect_facts(struct page *p, struct facts *f)
{
    for (size_t i = 0; i < p->data->case_count; i++) {
        const struct data_case *c = &p->data->cases[i];

        if (c->status == CASE_SKIPPED || c->fact_count == 0)
            continue;
        f->cases++;
        add_name(p, &f->boards, c->board);
        add_name(p, &f->models, model_of(c));
        for (size_t k = 0; k < c->fact_count; k++)
            add_fact(p, f, c, &c->facts[k]);
    }
    if (f->count > 0)
        qsort(f->rows, f->count, sizeof(*f->rows), by_key);
}

/* Whose business a fact is: what it follows from. */
enum owner {
    OWNER_ALL,
    OWNER_BOARD,
    OWNER_MODEL,
    OWNER_CASE
};

/* No name of the list has two values. */
static bool follows(const struct fact_row *row, bool boards)
{
    for (size_t i = 0; i < row->value_count; i++) {
        const struct names *mine = boards ? &row->values[i].boards : &row->values[i].models;

        for (size_t j = 0; j < i; j++) {
            const struct names *other = boards ? &row->values[j].boards : &row->values[j].models;

            for (size_t n = 0; n < mine->count; n++) {
                if (has_name(other, mine->list[n]))
                    return false;
            }
        }
    }
    return true;
}

static enum owner owner_of(const struct facts *f, const struct fact_row *row)
{
    if (row->value_count == 1 && row->cases == f->cases)
        return OWNER_ALL;
    if (f->boards.count > 1 && follows(row, true))
        return OWNER_BOARD;
    return f->models.count > 1 && follows(row, false) ? OWNER_MODEL : OWNER_CASE;
}

static void put_names(struct page *p, const struct names *n)
{
    enum {
        SHOWN = 6
    };

    for (size_t i = 0; i < n->count && i < SHOWN; i++) {
        put(p, i == 0 ? " <span class=\"faint\">" : ", ");
        put_text(p, n->list[i]);
    }
    if (n->count > SHOWN)
        putf(p, " and %zu more", n->count - SHOWN);
    put(p, n->count > 0 ? "</span>" : "");
}

/* whose: print the boards that a value belongs to. */
static void put_fact(struct page *p, const struct fact_row *row, bool whose)
{
    enum {
        VALUES_SHOWN = 24
    };

    put(p, "<dt>");
    put_text(p, row->key);
    put(p, "</dt><dd>");
    for (size_t i = 0; i < row->value_count && i < VALUES_SHOWN; i++) {
        put(p, i > 0 ? "<br><code>" : "<code>");
        put_text(p, row->values[i].value);
        put(p, "</code>");
        if (whose)
            put_names(p, &row->values[i].boards);
    }
    if (row->value_count > VALUES_SHOWN)
        putf(p, "<br>and %zu more values", row->value_count - VALUES_SHOWN);
    put(p, "</dd>\n");
}

/* All facts of one owner kind as a list; nothing when there are none. */
static void put_facts(struct page *p, const struct facts *f, enum owner owner, const char *title)
{
    bool any = false;

    for (size_t i = 0; i < f->count; i++) {
        if (owner_of(f, &f->rows[i]) != owner)
            continue;
        if (!any)
            putf(p, "<div class=\"card\"><h3>%s</h3>\n<dl>", title);
        any = true;
        put_fact(p, &f->rows[i], owner == OWNER_CASE);
    }
    put(p, any ? "</dl></div>\n" : "");
}

/* What belongs to one board, or one model, folded up. */
static void put_owned(struct page *p, const struct facts *f, enum owner owner, const char *name)
{
    bool any = false;

    for (size_t i = 0; i < f->count; i++) {
        const struct fact_row *row = &f->rows[i];

        if (owner_of(f, row) != owner)
            continue;
        for (size_t v = 0; v < row->value_count; v++) {
            const struct fact_value *value = &row->values[v];

            if (!has_name(owner == OWNER_BOARD ? &value->boards : &value->models, name))
                continue;
            if (!any) {
                put(p, "<details><summary>");
                put_text(p, name);
                put(p, "</summary><dl>");
            }
            any = true;
            put(p, "<dt>");
            put_text(p, row->key);
            put(p, "</dt><dd><code>");
            put_text(p, value->value);
            put(p, "</code></dd>\n");
        }
    }
    put(p, any ? "</dl></details>\n" : "");
}

static void put_owners(struct page *p, const struct facts *f, enum owner owner,
                       const struct names *names, const char *title)
{
    enum {
        SHOWN = 60
    };
    bool any = false;

    for (size_t i = 0; i < f->count && !any; i++)
        any = owner_of(f, &f->rows[i]) == owner;
    if (!any)
        return;
    putf(p, "<div class=\"card\"><h3>%s</h3>\n", title);
    for (size_t i = 0; i < names->count && i < SHOWN; i++)
        put_owned(p, f, owner, names->list[i]);
    if (names->count > SHOWN)
        putf(p, "<p class=\"sub\">and %zu more</p>\n", names->count - SHOWN);
    put(p, "</div>\n");
}

static void put_runs(struct page *p)
{
    enum {
        RUNS_SHOWN = 20
    };

    for (size_t i = 0; i < p->data->run_count && i < RUNS_SHOWN; i++) {
        const struct data_run *r = &p->data->runs[i];

        put(p, "<dl><dt>run</dt><dd><code>");
        put_text(p, r->run_id);
        put(p, "</code></dd><dt>suite</dt><dd>");
        put_text(p, r->suite_path != NULL ? r->suite_path : r->suite);
        put(p, ", SHA-256 <code>");
        put_text(p, r->suite_digest);
        put(p, "</code></dd><dt>command</dt><dd><code>");
        put_text(p, r->command_line);
        put(p, "</code></dd></dl>\n");
    }
}

void page_provenance(struct page *p)
{
    struct facts f = {.rows = NULL};

    collect_facts(p, &f);
    put_runs(p);
    put_facts(p, &f, OWNER_ALL, "The same for all cases");
    put_owners(p, &f, OWNER_BOARD, &f.boards, "By board");
    put_owners(p, &f, OWNER_MODEL, &f.models, "By model");
    put_facts(p, &f, OWNER_CASE, "Different between cases");
}
