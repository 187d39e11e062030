/* This file is the device: a state machine between the line and a board with inputs and one output.
 *
 * A board calls `device_tick` once a period (1 / `device_tick_rate`), from an interrupt if it likes, gives each byte of
 * the line to `device_receive`, each frame that comes of it to `device_handle` with that interrupt held off, and sends
 * what `device_transmit` gives. Stimuli are played from what was uploaded, never from the line. Nothing ever waits: a
 * line that does not keep up costs whole frames of samples, whose indices tell how many. While it plays, 250 ms in
 * which no frame comes return the output to the exit level, and so do stop, end and a reset, after which nothing is
 * played until the rate has been set: whatever else had been set is lost with it.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include "clamp.h"
#include "frame.h"
#include "status.h"
#include "stimulus.h"
#include "upload.h"

#define DEVICE_PROTOCOL 1
#define DEVICE_SILENCE 250
#define DEVICE_CHANNELS 4
#define DEVICE_VALUES 100
#ifndef DEVICE_BLOCKS
#define DEVICE_BLOCKS 256
#endif
#define DEVICE_ANSWERS 8
#define DEVICE_SLOWEST 1000
#define DEVICE_FASTEST 50000
/* A board's interrupt, and with it the clamp, never runs slower [Hz]. */
#define DEVICE_CLAMP_RATE 20000

enum {
    COMMAND_VERSION = 0x01,
    COMMAND_RATE = 0x02,
    COMMAND_GAIN = 0x03,
    COMMAND_HOLDING = 0x04,
    COMMAND_UPLOAD = 0x05,
    COMMAND_READ_BACK = 0x06,
    COMMAND_START = 0x07,
    COMMAND_STOP = 0x08,
    COMMAND_STATUS = 0x09,
    COMMAND_ALIVE = 0x0A,
    COMMAND_CLAMP = 0x0B,
    ANSWER_VERSION = 0x81,
    ANSWER_DONE = 0x82,
    ANSWER_RECEIVED = 0x83,
    ANSWER_CONTENT = 0x84,
    ANSWER_STATUS = 0x85,
    ANSWER_REFUSED = 0x86,
    SAMPLES = 0xC0,
    BOOTED = 0xC1
};

/* An upload is a stimulus, of either kind, or the conductance of a number above this one. */
enum { KIND_CONDUCTANCE = 2, KINDS = KIND_CONDUCTANCE + CLAMP_CONDUCTANCES };

enum {
    REASON_COMMAND = 1,
    REASON_LENGTH = 2,
    REASON_RANGE = 3,
    REASON_PLAYING = 4,
    REASON_UPLOAD = 5,
    REASON_SET_UP = 6
};

/* What the board can do. `amplify` gives 0 where it has no such gain. */
typedef struct {
    int16_t (*read)(void *context, uint8_t channel);
    void (*write)(void *context, int16_t level);
    int (*amplify)(void *context, uint8_t channel, uint16_t gain);
    void *context;
} board;

/* Samples on their way to the line, of all channels in turn. */
typedef struct {
    uint16_t run;
    uint32_t index;
    uint8_t channels;
    uint8_t count;
    int16_t values[DEVICE_VALUES];
} block;

typedef struct {
    board on;
    uint16_t protocol;
    status now;
    uint32_t rate;
    uint8_t channels;
    uint8_t is_set_up;
    int16_t exit_level;

    uint32_t ticks, phase, heard, silence;
    uint64_t nanoseconds;

    block filling, blocks[DEVICE_BLOCKS];
    volatile uint32_t filled, emptied;

    frame answers[DEVICE_ANSWERS];
    uint32_t asked, answered;
    uint16_t sent;

    frame_reader reader;
    stimulus played;
    upload conductances[CLAMP_CONDUCTANCES];
    uint8_t conductance_bytes[CLAMP_CONDUCTANCES][CLAMP_BYTES];
    clamp dynamic;
    uint8_t clamped_channel;
    float voltage_a_count, current_a_count;
} device;

/* Begin anew, as after a reset: output at 0, nothing uploaded. */
void device_begin(device *d, board on);

/* How often `device_tick` has to be called [Hz]: a multiple of the sampling rate. */
uint32_t device_tick_rate(const device *d);

/* One period: put out, measure, keep. */
void device_tick(device *d);

/* Take a byte of the line; give 1 where `got` is a frame for `device_handle`. */
int device_receive(device *d, uint8_t byte, frame *got);

/* Do what a frame asks, and lay its answer out. */
void device_handle(device *d, const frame *got);

/* Write what is next for the line, FRAME_WIRE bytes at most; give how many, 0 where there is nothing. */
size_t device_transmit(device *d, uint8_t *wire);

#endif
