/* This file is the computer: the device with a computer for its board, a pseudo-terminal for its line and a cell.
 *
 * It says the name of its line on standard output, then answers there until standard input ends. Its clock is the
 * computer's, `speed` times as fast; where that gives it no time for more than 20 ms of its own, it stands still
 * meanwhile. SIGUSR1 resets it.
 *
 *     computer [C=100 g_Na=0 ...] [silence_ms=2000] [protocol=7] [log=FILE] [mV=0.015625] [pA=0.0625]
 *         [speed=1] [late=0]
 *
 * Names of the cell's parameters, then how long a silence is borne, the protocol that it claims to speak, where each
 * change of the output is written (time [us], level [counts], time since a frame came [us]), what a count is, how fast
 * its clock goes, and whether it says that every sample was late.
 */
#define _XOPEN_SOURCE 600
#include "../device.h"
#include "cell.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define STANDSTILL 20000000
#define AT_ONCE 2000000

typedef struct {
    device device;
    cell cell;
    double voltage_a_count, current_a_count, speed;
    uint16_t gains[DEVICE_CHANNELS];
    int16_t output;
    FILE *log;
    int line, other_end, late;
    uint8_t pending[FRAME_WIRE];
    size_t sent, count;
} computer;

static volatile sig_atomic_t reset;

static void on_reset(int signal)
{
    (void)signal;
    reset = 1;
}

static int16_t count_of(double value)
{
    double rounded = floor(value + 0.5);
    return (int16_t)(rounded > 32767.0 ? 32767.0 : rounded < -32768.0 ? -32768.0 : rounded);
}

static int16_t read_channel(void *context, uint8_t channel)
{
    computer *c = context;
    double value = channel == 0 ? c->cell.V / c->voltage_a_count : channel == 1 ? (double)c->output : 0.0;
    return count_of(value * c->gains[channel]);
}

static void write_level(void *context, int16_t level)
{
    computer *c = context;
    if (c->log && level != c->output) {
        uint64_t silent = (uint64_t)(c->device.ticks - c->device.heard) * 1000000u / device_tick_rate(&c->device);
        fprintf(c->log, "%llu %d %llu\n", (unsigned long long)(c->device.nanoseconds / 1000u), level,
                (unsigned long long)silent);
        fflush(c->log);
    }
    c->output = level;
}

static int amplify(void *context, uint8_t channel, uint16_t gain)
{
    if (gain < 1 || gain > 64)
        return 0;
    ((computer *)context)->gains[channel] = gain;
    return 1;
}

static void boot(computer *c, uint16_t protocol, uint32_t silence)
{
    board on = {read_channel, write_level, amplify, c};
    for (int k = 0; k < DEVICE_CHANNELS; k++)
        c->gains[k] = 1;
    device_begin(&c->device, on);
    c->device.protocol = protocol;
    c->device.silence = silence;
    c->sent = c->count = 0;
    write_level(c, 0);
}

/* Open a line that passes every byte as it is; the other end is kept open, so that nobody's leaving closes it. */
static int open_line(computer *c)
{
    struct termios raw;
    c->line = posix_openpt(O_RDWR | O_NOCTTY);
    if (c->line < 0 || grantpt(c->line) || unlockpt(c->line))
        return 0;
    const char *name = ptsname(c->line);
    c->other_end = name ? open(name, O_RDWR | O_NOCTTY) : -1;
    if (c->other_end < 0 || tcgetattr(c->other_end, &raw))
        return 0;
    raw.c_iflag = raw.c_oflag = raw.c_lflag = 0;
    raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(c->other_end, TCSANOW, &raw) || fcntl(c->line, F_SETFL, O_NONBLOCK))
        return 0;
    printf("%s\n", name);
    fflush(stdout);
    return 1;
}

/* The device's time [ns]. */
static int64_t now(const computer *c)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)(c->speed * ((double)time.tv_sec * 1e9 + (double)time.tv_nsec));
}

static void hear(computer *c)
{
    uint8_t bytes[4096];
    frame got;
    ssize_t count;
    while ((count = read(c->line, bytes, sizeof bytes)) > 0)
        for (ssize_t k = 0; k < count; k++)
            if (device_receive(&c->device, bytes[k], &got))
                device_handle(&c->device, &got);
}

/* Send until there is nothing more, or the line takes no more. */
static void speak(computer *c)
{
    for (;;) {
        if (c->sent == c->count) {
            c->count = device_transmit(&c->device, c->pending);
            c->sent = 0;
            if (!c->count)
                return;
        }
        ssize_t taken = write(c->line, c->pending + c->sent, c->count - c->sent);
        if (taken < 0)
            return;
        c->sent += (size_t)taken;
    }
}

static void tick(computer *c)
{
    device_tick(&c->device);
    c->device.now.late += (uint32_t)(c->late && c->device.now.state == STATUS_PLAYING);
    cell_advance(&c->cell, c->output * c->current_a_count, 1e3 / device_tick_rate(&c->device));
}

static void run(computer *c, uint16_t protocol, uint32_t silence)
{
    struct pollfd ends[2] = {{c->line, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    int64_t done = now(c);
    for (;;) {
        char ignored;
        poll(ends, 2, now(c) - done > AT_ONCE ? 0 : 1);
        if (ends[1].revents && read(STDIN_FILENO, &ignored, 1) <= 0)
            return;
        if (reset) {
            reset = 0;
            boot(c, protocol, silence);
        }
        hear(c);
        if (now(c) - done > STANDSTILL)
            done = now(c) - STANDSTILL;
        int64_t period = 1000000000 / device_tick_rate(&c->device);
        for (int64_t k = 0; k < AT_ONCE / period && now(c) - done >= period; k++, done += period)
            tick(c);
        speak(c);
    }
}

int main(int count, char **words)
{
    static computer c;
    uint16_t protocol = DEVICE_PROTOCOL;
    uint32_t silence = DEVICE_SILENCE;
    c.cell = cell_typical();
    c.voltage_a_count = 0.015625;
    c.current_a_count = 0.0625;
    c.speed = 1.0;
    for (int k = 1; k < count; k++) {
        char *value = strchr(words[k], '=');
        if (!value)
            return 2;
        *value++ = 0;
        double *parameter = cell_parameter(&c.cell, words[k]);
        if (parameter)
            *parameter = atof(value);
        else if (!strcmp(words[k], "silence_ms"))
            silence = (uint32_t)atol(value);
        else if (!strcmp(words[k], "protocol"))
            protocol = (uint16_t)atol(value);
        else if (!strcmp(words[k], "mV"))
            c.voltage_a_count = atof(value);
        else if (!strcmp(words[k], "pA"))
            c.current_a_count = atof(value);
        else if (!strcmp(words[k], "speed"))
            c.speed = atof(value);
        else if (!strcmp(words[k], "late"))
            c.late = atoi(value);
        else if (strcmp(words[k], "log") || !(c.log = fopen(value, "w")))
            return 2;
    }
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_reset;
    sigaction(SIGUSR1, &action, NULL);
    cell_rest(&c.cell, 0.0);
    boot(&c, protocol, silence);
    if (!open_line(&c)) {
        perror("computer: no line could be opened");
        return 1;
    }
    run(&c, protocol, silence);
    return 0;
}
