/* This file is the status: what the device is doing, and why it last returned to the exit level. */
#include "status.h"

#include "frame.h"

uint8_t *status_write(const status *now, uint8_t *place)
{
    *place++ = now->state;
    *place++ = now->cause;
    place = frame_put16(place, now->run);
    place = frame_put16(place, (uint16_t)now->output);
    place = frame_put32(place, now->made);
    place = frame_put32(place, now->dropped);
    place = frame_put32(place, now->damaged);
    place = frame_put32(place, now->late);
    return frame_put32(place, now->milliseconds);
}
