/* This file is the status: what the device is doing, and why it last returned to the exit level. */
#ifndef STATUS_H
#define STATUS_H

#include <stddef.h>
#include <stdint.h>

enum { STATUS_IDLE = 0, STATUS_PLAYING = 1 };

/* Why the output is at the exit level. */
enum { CAUSE_BOOTED = 0, CAUSE_ENDED = 1, CAUSE_STOPPED = 2, CAUSE_SILENCE = 3 };

typedef struct {
    uint8_t state;
    uint8_t cause;
    uint16_t run;
    int16_t output;
    uint32_t made;
    uint32_t dropped;
    uint32_t damaged;
    uint32_t late;
    uint32_t milliseconds;
} status;

/* Write it behind `place`; give the place behind what was written. */
uint8_t *status_write(const status *now, uint8_t *place);

#endif
