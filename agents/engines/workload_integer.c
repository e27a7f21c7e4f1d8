/*
 * Integer work of the kind that control code does: a linked list is searched and sorted, matrices
 * are multiplied, a state machine reads text, and a CRC-16 runs over every result. In the spirit of
 * CoreMark, but code and results of our own: never report it as a CoreMark score.
 *
 * Input: a 32-bit seed. Output: CRC of list, matrix and text, and the number of numbers in the text.
 */
#include "agents/engines/workload.h"

enum {
    TEXT = 64
};

struct node {
    uint16_t next; /* index; END: the last */
    int16_t value;
};
#define END 0xffffu

struct integer_out {
    uint16_t list, matrix, text, numbers;
};

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

/* CRC-16/ARC, bit by bit: shifts and branches are part of the work. */
static uint16_t crc16(uint16_t crc, uint16_t value)
{
    for (unsigned i = 0; i < 16; i++, value >>= 1) {
        uint16_t odd = (crc ^ value) & 1;
        crc = (uint16_t)(crc >> 1 ^ (odd ? 0xa001 : 0));
    }
    return crc;
}

/* ---- list ---- */

static uint16_t merge(struct node *n, uint16_t a, uint16_t b)
{
    uint16_t head = END, tail = END;

    while (a != END || b != END) {
        uint16_t *from = b == END || (a != END && n[a].value <= n[b].value) ? &a : &b;
        uint16_t taken = *from;
        *from = n[taken].next;
        if (tail == END)
            head = taken;
        else
            n[tail].next = taken;
        tail = taken;
    }
    if (tail != END)
        n[tail].next = END;
    return head;
}

/* Merge sort from the bottom: runs[k] holds a sorted run of 2^k nodes. */
static uint16_t sort(struct node *n, uint32_t count)
{
    uint16_t runs[16], sorted = END;
    unsigned k;

    for (k = 0; k < 16; k++)
        runs[k] = END;
    for (uint32_t i = 0; i < count; i++) {
        uint16_t run = (uint16_t)i;
        n[i].next = END;
        for (k = 0; k < 15 && runs[k] != END; k++) {
            run = merge(n, runs[k], run);
            runs[k] = END;
        }
        runs[k] = run;
    }
    for (k = 0; k < 16; k++)
        sorted = merge(n, runs[k], sorted);
    return sorted;
}

static int list_work(struct node *n, uint32_t count, uint32_t *random, uint16_t *crc)
{
    int32_t before = 0, last = INT16_MIN;
    uint32_t seen = 0;

    for (uint32_t i = 0; i < count; i++) {
        n[i].value = (int16_t)next_random(random);
        before += n[i].value;
    }
    for (uint16_t at = sort(n, count); at != END; at = n[at].next, seen++) {
        if (n[at].value < last)
            return 0;
        last = n[at].value;
        before -= last;
        *crc = crc16(*crc, (uint16_t)last);
    }
    return seen == count && before == 0;
}

/* ---- matrices ---- */

/*
 * c = a * b, and the check that does not multiply them again: the elements of c add up to the sum
 * over k of (column k of a) * (row k of b).
 */
static int matrix_work(int16_t *a, uint32_t size, uint32_t *random, uint16_t *crc)
{
    int16_t *b = a + size * size;
    uint32_t total = 0;

    for (uint32_t i = 0; i < 2 * size * size; i++)
        a[i] = (int16_t)((int32_t)(next_random(random) & 0xff) - 128);
    for (uint32_t y = 0; y < size; y++) {
        for (uint32_t x = 0; x < size; x++) {
            int32_t sum = 0;
            for (uint32_t k = 0; k < size; k++)
                sum += a[y * size + k] * b[k * size + x];
            total += (uint32_t)sum;
            *crc = crc16(crc16(*crc, (uint16_t)sum), (uint16_t)((uint32_t)sum >> 16));
        }
    }
    for (uint32_t k = 0; k < size; k++) {
        int32_t column = 0, row = 0;
        for (uint32_t i = 0; i < size; i++) {
            column += a[i * size + k];
            row += b[k * size + i];
        }
        total -= (uint32_t)(column * row);
    }
    return total == 0;
}

/* ---- text ---- */

enum reading {
    BETWEEN,
    SIGN,
    WHOLE,
    FRACTION,
    WORD,
    READINGS
};

static enum reading read_char(enum reading state, uint8_t c)
{
    if (c == ',')
        return BETWEEN;
    if (c >= '0' && c <= '9')
        return state == BETWEEN || state == SIGN ? WHOLE : state;
    if (c == '-' && state == BETWEEN)
        return SIGN;
    if (c == '.' && state == WHOLE)
        return FRACTION;
    return WORD;
}

static int text_work(uint8_t *text, uint32_t *random, struct integer_out *out)
{
    static const char letters[16] = {'0', '1', '2', '5', '9', ',', ',', ',',
                                     '-', '.', 'x', ',', '7', '3', '-', ','};
    uint16_t visits[READINGS] = {0};
    enum reading state = BETWEEN;
    uint32_t sum = 0;

    for (uint32_t i = 0; i < TEXT; i++)
        text[i] = (uint8_t)letters[next_random(random) & 15];
    for (uint32_t i = 0; i < TEXT; i++) {
        enum reading next = read_char(state, text[i]);
        out->numbers += next == WHOLE && state != WHOLE;
        state = next;
        visits[state]++;
    }
    for (unsigned i = 0; i < READINGS; i++) {
        out->text = crc16(out->text, visits[i]);
        sum += visits[i];
    }
    return sum == TEXT;
}

/* ---- the workload ---- */

static void integer_sizes(const uint32_t *v, struct workload_sizes *ret)
{
    uint32_t list = v[1] * (uint32_t)sizeof(struct node), matrix = v[2] * v[2] * 4;

    ret->in = 4;
    ret->out = sizeof(struct integer_out);
    ret->state = list > matrix ? list : matrix;
    ret->state = ret->state > TEXT ? ret->state : TEXT;
}

static int integer_run(const struct workload_run *r)
{
    struct integer_out *out = r->out;
    uint32_t random = *(const uint32_t *)r->in;

    *out = (struct integer_out){0, 0, 0, 0};
    for (uint32_t i = 0; i < r->v[0]; i++) {
        if (!list_work(r->state, r->v[1], &random, &out->list))
            return 1;
        if (!matrix_work(r->state, r->v[2], &random, &out->matrix))
            return 2;
        if (!text_work(r->state, &random, out))
            return 3;
    }
    return 0;
}

const struct workload workload_integer = {
    .name = "integer",
    .params = {{"rounds", 4, 1, 100000}, {"list", 100, 1, 4000}, {"matrix", 10, 1, 64}},
    .sizes = integer_sizes,
    .run = integer_run,
};
