/* Facts as content-hashed dimension rows: equal provenance is one row, however often it is met. */
#include <stdlib.h>
#include <string.h>

#include "harness/store/internal.h"

/* "board.uid" -> "board"; a key without a dot is its own kind. */
static size_t kind_length(const char *key)
{
    return strcspn(key, ".");
}

static bool same_kind(const char *a, const char *b)
{
    const size_t n = kind_length(a);

    return n == kind_length(b) && memcmp(a, b, n) == 0;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct data_fact *)a)->key, ((const struct data_fact *)b)->key);
}

void dimension_hash_begin(struct dimension_hash *d, int64_t id, const void *hash, size_t size)
{
    d->id = id;
    memset(d->expected, 0, sizeof(d->expected));
    memcpy(d->expected, hash, size < sizeof(d->expected) ? size : sizeof(d->expected));
    sha256_init(&d->h);
}

void dimension_hash_add(struct dimension_hash *d, const char *key, const char *value)
{
    if (key != NULL)
        sha256_update(&d->h, key, strlen(key) + 1);
    if (value != NULL)
        sha256_update(&d->h, value, strlen(value) + 1);
}

bool dimension_hash_matches(struct dimension_hash *d)
{
    uint8_t hash[32];

    sha256_final(&d->h, hash);
    return memcmp(hash, d->expected, sizeof(hash)) == 0;
}

static void hash_facts(const struct data_fact *facts, size_t count, uint8_t hash[static 32])
{
    struct dimension_hash d;

    dimension_hash_begin(&d, 0, "", 0);
    for (size_t i = 0; i < count; i++)
        dimension_hash_add(&d, facts[i].key, facts[i].value);
    sha256_final(&d.h, hash);
}

/* facts: all of one kind, by key. */
static int write_dimension(struct store *s, const struct data_fact *facts, size_t count,
                           const uint8_t hash[static 32], int64_t *ret, struct err *err)
{
    char kind[64];
    size_t n = kind_length(facts[0].key);
    int r = db_number(&s->db, ret, err, "SELECT id FROM dimension WHERE hash = ?", "h", hash);

    if (r != 0)
        return r < 0 ? r : 0;
    n = n < sizeof(kind) ? n : sizeof(kind) - 1;
    memcpy(kind, facts[0].key, n);
    kind[n] = '\0';
    r = db_run(&s->db, err, "INSERT INTO dimension (hash, kind) VALUES (?, ?)", "ht", hash, kind);
    *ret = sqlite3_last_insert_rowid(s->db.handle);
    for (size_t i = 0; i < count && r == 0; i++)
        r = db_run(&s->db, err,
                   "INSERT INTO dimension_fact (dimension, key, value) VALUES (?, ?, ?)"
                   " ON CONFLICT DO NOTHING",
                   "itt", *ret, facts[i].key, facts[i].value);
    return r;
}

/* Walk the kinds: with id 0 only hash them into h, otherwise write them as context id. */
static int each_dimension(struct store *s, const struct data_fact *facts, size_t count, int64_t id,
                          struct sha256 *h, struct err *err)
{
    for (size_t from = 0, to; from < count; from = to) {
        uint8_t hash[32];
        int64_t dimension = 0;
        int r = 0;

        for (to = from + 1; to < count && same_kind(facts[from].key, facts[to].key);)
            to++;
        hash_facts(&facts[from], to - from, hash);
        sha256_update(h, hash, sizeof(hash));
        if (id != 0)
            r = write_dimension(s, &facts[from], to - from, hash, &dimension, err);
        if (id != 0 && r == 0)
            r = db_run(&s->db, err,
                       "INSERT INTO context_dimension (context, dimension) VALUES (?, ?)"
                       " ON CONFLICT DO NOTHING",
                       "ii", id, dimension);
        if (r < 0)
            return r;
    }
    return 0;
}

static int find_or_write_context(struct store *s, const struct data_fact *facts, size_t count,
                                 int64_t *ret, struct err *err)
{
    struct sha256 h;
    uint8_t hash[32];
    int r;

    sha256_init(&h);
    (void)each_dimension(s, facts, count, 0, &h, err);
    sha256_final(&h, hash);
    r = db_number(&s->db, ret, err, "SELECT id FROM context WHERE hash = ?", "h", hash);
    if (r != 0)
        return r < 0 ? r : 0;
    r = db_run(&s->db, err, "INSERT INTO context (hash) VALUES (?)", "h", hash);
    if (r < 0)
        return r;
    *ret = sqlite3_last_insert_rowid(s->db.handle);
    return each_dimension(s, facts, count, *ret, &h, err);
}

int write_context(struct store *s, int64_t attempt, const struct data_fact *facts, size_t count,
                  struct err *err)
{
    struct arena arena = ARENA_INIT;
    struct data_fact *sorted;
    int64_t context = 0;
    size_t n = 0;
    int r;

    if (count == 0)
        return 0;
    sorted = arena_alloc(&arena, count * sizeof(*sorted));
    /* Of facts with one key the last stays. */
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;

        while (at < n && strcmp(sorted[at].key, facts[i].key) != 0)
            at++;
        sorted[at] = facts[i];
        n += at == n;
    }
    qsort(sorted, n, sizeof(*sorted), by_key);
    r = find_or_write_context(s, sorted, n, &context, err);
    if (r == 0)
        r = db_run(&s->db, err, "UPDATE attempt SET context = ? WHERE id = ? AND context IS NOT ?1",
                   "ii", context, attempt);
    arena_release(&arena);
    return r;
}

int read_context(struct store *s, int64_t attempt, struct arena *arena, struct data_fact **ret,
                 size_t *ret_count, struct err *err)
{
    struct data_fact *facts = NULL;
    size_t count = 0, capacity = 0;
    sqlite3_stmt *st;
    int r = db_start(&s->db, &st, err,
                     "SELECT f.key, f.value FROM attempt a"
                     " JOIN context_dimension c ON c.context = a.context"
                     " JOIN dimension_fact f ON f.dimension = c.dimension WHERE a.id = ?",
                     "i", attempt);

    while (r == 0 && (r = db_step(&s->db, st, err)) > 0) {
        struct data_fact *f = ARENA_PUSH(arena, facts, count, capacity);

        f->key = db_text(st, 0, arena);
        f->value = db_text(st, 1, arena);
        r = 0;
    }
    *ret = facts;
    *ret_count = count;
    return r;
}
