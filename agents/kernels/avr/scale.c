/* From sums to outputs. */
#include "agents/kernels/arith.h"
#include "agents/kernels/avr/avr.h"

#ifdef __AVR__

/*
 * What struct avr_scale describes. r25:r24 cursor (then Y), r23:r22 sums (then X), r20 n (then r12).
 * The sum is r24:r22, the multiplier r25, r21 - r19, the product by columns r23, r17 - r14, r11, r10;
 * r18 is 2^e, r13 zero. Some 190 cycles each.
 */
static __attribute__((naked, noinline)) void finish_small(struct avr_cursor *c, const int32_t *sums,
                                                          uint8_t n)
{
    __asm__(
        "push r10\n push r11\n push r12\n push r13\n push r14\n push r15\n push r16\n push r17\n"
        "push r28\n push r29\n"
        "movw r28, r24\n"
        "movw r26, r22\n"
        "mov r12, r20\n"
        "clr r13\n"
        "1: ldd r30, Y+0\n ldd r31, Y+1\n"
        "ld r18, Z+\n ld r19, Z+\n ld r20, Z+\n ld r21, Z+\n"
        "std Y+0, r30\n std Y+1, r31\n"
        "ld r22, X+\n ld r23, X+\n ld r24, X+\n adiw r26, 1\n"
        "add r22, r19\n adc r23, r20\n adc r24, r21\n"
        "ldd r30, Y+2\n ldd r31, Y+3\n"
        "ld r19, Z\n ldd r20, Z+1\n ldd r21, Z+2\n ldd r25, Z+3\n"
        "clr r16\n clr r17\n"
        /* the lowest byte of the sum, */
        "mul r22, r19\n movw r10, r0\n"
        "mul r22, r21\n movw r14, r0\n"
        "mul r22, r20\n add r11, r0\n adc r14, r1\n adc r15, r13\n adc r16, r13\n"
        "mul r22, r25\n add r15, r0\n adc r16, r1\n"
        /* the middle one, */
        "mul r23, r19\n add r11, r0\n adc r14, r1\n adc r15, r13\n adc r16, r13\n"
        "adc r17, r13\n"
        "mul r23, r21\n add r15, r0\n adc r16, r1\n adc r17, r13\n"
        "mul r23, r20\n add r14, r0\n adc r15, r1\n adc r16, r13\n adc r17, r13\n"
        "mul r23, r25\n add r16, r0\n adc r17, r1\n"
        /* the highest one, as if it had no sign, and its correction. */
        "clr r23\n"
        "mul r24, r19\n add r14, r0\n adc r15, r1\n adc r16, r13\n adc r17, r13\n"
        "adc r23, r13\n"
        "mul r24, r21\n add r16, r0\n adc r17, r1\n adc r23, r13\n"
        "mul r24, r20\n add r15, r0\n adc r16, r1\n adc r17, r13\n adc r23, r13\n"
        "mul r24, r25\n add r17, r0\n adc r23, r1\n"
        "sbrs r24, 7\n rjmp 2f\n"
        "sub r15, r19\n sbc r16, r20\n sbc r17, r21\n sbc r23, r25\n"
        /* x in r23, r17, r16: rounded, less one when negative, plus 2^(n - 1), */
        "2: lsl r15\n adc r16, r13\n adc r17, r13\n adc r23, r13\n"
        "mov r0, r23\n lsl r0\n sbc r16, r13\n sbc r17, r13\n sbc r23, r13\n"
        "ldd r19, Z+4\n ldd r20, Z+5\n ldd r21, Z+6\n ldd r22, Z+7\n"
        "add r16, r20\n adc r17, r21\n adc r23, r22\n"
        "ldd r20, Y+12\n add r30, r20\n adc r31, r13\n std Y+2, r30\n std Y+3, r31\n"
        /* times 2^e, into r15, r14, r11, r10, */
        "mul r16, r18\n movw r10, r0\n"
        "mulsu r23, r18\n movw r14, r0\n"
        "mul r17, r18\n add r11, r0\n adc r14, r1\n adc r15, r13\n"
        /* without its last bytes, into r25:r24; */
        "cpi r19, 2\n"
        "breq 3f\n"
        "brsh 4f\n"
        "mov r24, r11\n mov r25, r14\n rjmp 5f\n"
        "3: movw r24, r14\n rjmp 5f\n"
        "4: mov r24, r15\n mov r25, r15\n lsl r25\n sbc r25, r25\n"
        /* zero point and range. */
        "5: ldd r20, Y+6\n ldd r21, Y+7\n add r24, r20\n adc r25, r21\n"
        "ldd r20, Y+8\n ldd r21, Y+9\n cp r24, r20\n cpc r25, r21\n brge 6f\n movw r24, r20\n"
        "6: ldd r20, Y+10\n ldd r21, Y+11\n cp r20, r24\n cpc r21, r25\n brge 7f\n movw r24, r20\n"
        "7: ldd r30, Y+4\n ldd r31, Y+5\n st Z+, r24\n std Y+4, r30\n std Y+5, r31\n"
        "dec r12\n"
        "breq 8f\n"
        "rjmp 1b\n"
        "8: clr r1\n"
        "pop r29\n pop r28\n"
        "pop r17\n pop r16\n pop r15\n pop r14\n pop r13\n pop r12\n pop r11\n pop r10\n"
        "ret\n");
}

#else

static int16_t scaled(int32_t sum, const struct avr_scale *s, uint8_t power)
{
    int32_t x = (int32_t)(((int64_t)sum * s->multiplier + 0x80000000) >> 32);
    int32_t v = arith_add(x - (x < 0), (int32_t)(s->rounding >> 8));

    return (int16_t)((int64_t)v * power >> 8 * (s->rounding & 3));
}

static void finish_small(struct avr_cursor *c, const int32_t *sums, uint8_t n)
{
    for (; n > 0; n--) {
        int32_t bias = *c->bias++;
        int16_t v = scaled(*sums++ + (bias >> 8), c->scale, (uint8_t)bias);
        v = (int16_t)((uint16_t)v + (uint16_t)c->out_offset);
        *c->out++ = (int8_t)(v < c->act_min ? c->act_min : v > c->act_max ? c->act_max : v);
        if (c->scale_step)
            c->scale++;
    }
}

#endif

/* By the definition. Not inlined: its frame would be that of every output. */
static __attribute__((noinline)) void finish_any(struct avr_cursor *c, const int32_t *sums,
                                                 uint8_t n)
{
    for (; n > 0; n--) {
        int32_t v = arith_requantize(arith_add(*sums++, *c->bias++), (int32_t)c->scale->multiplier,
                                     (int32_t)c->scale->rounding);
        *c->out++ = (int8_t)arith_clamp(arith_add(v, c->out_offset), c->act_min, c->act_max);
        if (c->scale_step)
            c->scale++;
    }
}

struct avr_cursor avr_cursor_at(const struct avr_rows *r, int8_t *out)
{
    return (struct avr_cursor){
        .bias = r->biases,
        .scale = r->scales,
        .out = out,
        .out_offset = r->out_offset,
        .act_min = r->act_min,
        .act_max = r->act_max,
        .scale_step = r->scales_kind & AVR_UNIFORM ? 0 : sizeof(struct avr_scale),
        .any = r->scales_kind & AVR_ANY,
    };
}

void avr_finish(struct avr_cursor *c, const int32_t *sums, uint8_t n)
{
    if (c->any)
        finish_any(c, sums, n);
    else
        finish_small(c, sums, n);
}

void avr_row(const struct avr_rows *r, const int8_t *x, int8_t *out)
{
    struct avr_cursor c = avr_cursor_at(r, out);
    const int8_t *weights = r->weights;
    uint16_t left = r->out_c;
    int32_t sums[4];

    for (; left >= 4; left -= 4) {
        weights = avr_dot_4(sums, weights, x, r->k);
        avr_finish(&c, sums, 4);
    }
    for (; left > 0; left--, weights += r->k) {
        sums[0] = avr_dot_1(weights, x, r->k);
        avr_finish(&c, sums, 1);
    }
}
