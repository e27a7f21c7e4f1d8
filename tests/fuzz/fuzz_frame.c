/* Any bytes into the frame decoder: what it calls a frame is one, and it stays in its buffer. */
#include <stdlib.h>
#include <string.h>

#include "agents/wire/wire.h"
#include "tests/fuzz/fuzz.h"

enum {
    PAYLOAD = 60
};

/* NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *frame = malloc(WIRE_FRAME_SIZE(PAYLOAD)); /* exact, so that an overrun is seen */
    struct wire_rx rx = {.frame = frame, .capacity = WIRE_FRAME_SIZE(PAYLOAD)};
    uint32_t crc;

    if (frame == NULL)
        abort();
    for (size_t i = 0; i < size; i++) {
        if (wire_rx_byte(&rx, data[i]) != WIRE_RX_FRAME)
            continue;
        if (data[i] != 0 || rx.length < WIRE_FRAME_SIZE(0) || rx.length > rx.capacity)
            abort();
        memcpy(&crc, frame + rx.length - WIRE_CRC_SIZE, WIRE_CRC_SIZE);
        if (crc != wire_crc32(0, frame, rx.length - WIRE_CRC_SIZE) || frame[0] != WIRE_FORMAT)
            abort();
    }
    free(frame);
    return 0;
}
