/* The build-id note of an AVR image, still blank: stamp.py fills it in after linking. */
#include <stdint.h>

extern const uint8_t port_build_note[36];

const uint8_t port_build_note[36] = {4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', '\0'};
