/* This file is the sketch: the device on a Teensy 3.5 or 3.6, which have a converter for the output.
 *
 * To build it, put this file and frame, upload, stimulus, clamp, status and device (.c and .h) of the folder above into
 * one folder named sketch, open it with the Arduino IDE with Teensyduino, and choose the board. On another board change
 * the four functions between the lines; without a hardware converter write to an external one in `write_level`.
 *
 * Wiring: A0 amplifier's voltage output, A1 its current monitor, A21 its command input, each through a circuit that
 * fits the amplifier's volts to the board's 0 to 3.3 V with 0 in the middle. The output is at the middle from the
 * moment the sketch starts; before that, and without power, what the circuit gives then is what the cell gets: let it
 * pull the command to 0.
 */
extern "C" {
#include "device.h"
}

/* It takes 190 of the board's 256 kB; DEVICE_BLOCKS and STIMULUS_BYTES make it smaller. */
static device the_device;
static IntervalTimer timer;
static uint32_t ticking;

/* ---- what depends on the board ---- */

static const uint8_t pins[DEVICE_CHANNELS] = {A0, A1, A2, A3};

static void set_up_board()
{
    analogReadResolution(12);
    analogWriteResolution(12);
    analogReadAveraging(1);
    analogWrite(A21, 2048);
}

/* Twelve bits around the middle, as sixteen around zero. */
static int16_t read_channel(void *, uint8_t channel)
{
    return (int16_t)((analogRead(pins[channel]) - 2048) * 16);
}

static void write_level(void *, int16_t level)
{
    analogWrite(A21, ((int32_t)level + 32768) >> 4);
}

static int amplify(void *, uint8_t, uint16_t gain)
{
    return gain == 1;
}

/* ---- what does not ---- */

static void on_tick()
{
    uint32_t begun = micros();
    device_tick(&the_device);
    if ((micros() - begun) * device_tick_rate(&the_device) > 1000000u)
        the_device.now.late++;
}

void setup()
{
    board on = {read_channel, write_level, amplify, NULL};
    set_up_board();
    device_begin(&the_device, on);
    Serial.begin(2000000);
}

void loop()
{
    static uint8_t wire[FRAME_WIRE];
    static size_t sent, count;
    frame got;
    if (ticking != device_tick_rate(&the_device)) {
        ticking = device_tick_rate(&the_device);
        timer.begin(on_tick, 1e6f / (float)ticking);
    }
    while (Serial.available()) {
        if (device_receive(&the_device, (uint8_t)Serial.read(), &got)) {
            noInterrupts();
            device_handle(&the_device, &got);
            interrupts();
        }
    }
    if (sent == count) {
        count = device_transmit(&the_device, wire);
        sent = 0;
    }
    int room = Serial.availableForWrite();
    if (sent < count && room > 0) {
        size_t part = count - sent < (size_t)room ? count - sent : (size_t)room;
        sent += Serial.write(wire + sent, part);
    }
}
