/* The waveform of the `synthetic` meter, for those who check figures made from it. */
#ifndef HARNESS_METER_SYNTHETIC_H
#define HARNESS_METER_SYNTHETIC_H

#define SYNTHETIC_RATE_HZ  100000.0
#define SYNTHETIC_PERIOD   3000u /* samples; the window is the end of each period */
#define SYNTHETIC_WIDTH    1000u
#define SYNTHETIC_ACTIVE_A 8e-3f
#define SYNTHETIC_SLEEP_A  12e-6f

#endif
