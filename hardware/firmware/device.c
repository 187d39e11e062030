/* This file is the device: a state machine between the line and a board with inputs and one output. */
#include "device.h"

#include <math.h>
#include <string.h>

static frame *lay_out(device *d, uint8_t type)
{
    /* Where eight answers wait already nobody reads them: one gives way, and is asked for again. */
    frame *answer = &d->answers[d->asked % DEVICE_ANSWERS];
    if (d->asked - d->answered < DEVICE_ANSWERS)
        d->asked++;
    answer->type = type;
    answer->length = 0;
    return answer;
}

static uint8_t *answer_to(device *d, const frame *got, uint8_t type, size_t length)
{
    frame *answer = lay_out(d, type);
    answer->length = 2 + length;
    return frame_put16(answer->body, got->sequence);
}

static void refuse(device *d, const frame *got, uint8_t reason)
{
    *answer_to(d, got, ANSWER_REFUSED, 1) = reason;
}

void device_begin(device *d, board on)
{
    memset(d, 0, sizeof *d);
    d->on = on;
    d->protocol = DEVICE_PROTOCOL;
    d->silence = DEVICE_SILENCE;
    d->rate = DEVICE_CLAMP_RATE;
    d->channels = 2;
    stimulus_begin(&d->played);
    for (int k = 0; k < CLAMP_CONDUCTANCES; k++) {
        d->conductances[k].bytes = d->conductance_bytes[k];
        d->conductances[k].room = CLAMP_BYTES;
    }
    frame *booted = lay_out(d, BOOTED);
    booted->length = 2;
    frame_put16(booted->body, d->protocol);
}

uint32_t device_tick_rate(const device *d)
{
    return d->rate * ((DEVICE_CLAMP_RATE + d->rate - 1) / d->rate);
}

/* Hand what is filled over to the line; where that has no room, it is dropped as a whole. */
static void hand_over(device *d)
{
    if (d->filled - d->emptied >= DEVICE_BLOCKS) {
        d->now.dropped += d->filling.count;
    } else {
        d->blocks[d->filled % DEVICE_BLOCKS] = d->filling;
        d->filled++;
    }
    d->filling.count = 0;
}

static void leave(device *d, uint8_t cause)
{
    if (d->now.state != STATUS_PLAYING)
        return;
    d->now.state = STATUS_IDLE;
    d->now.cause = cause;
    d->now.output = d->exit_level;
    if (d->filling.count)
        hand_over(d);
}

static int16_t within(float level)
{
    return (int16_t)(level > 32767.0f ? 32767.0f : level < -32768.0f ? -32768.0f : floorf(level + 0.5f));
}

static void keep(device *d, const int16_t *measured)
{
    block *now = &d->filling;
    if (!now->count) {
        now->run = d->now.run;
        now->index = d->now.made;
        now->channels = d->channels;
    }
    memcpy(now->values + now->count * d->channels, measured, d->channels * sizeof *measured);
    now->count++;
    d->now.made++;
    if ((now->count + 1) * d->channels > DEVICE_VALUES)
        hand_over(d);
}

static void play(device *d)
{
    int16_t measured[DEVICE_CHANNELS];
    uint32_t over = device_tick_rate(d) / d->rate;
    if (d->phase == 0 && !stimulus_next(&d->played)) {
        leave(d, CAUSE_ENDED);
        return;
    }
    int16_t seen = d->on.read(d->on.context, d->clamped_channel);
    d->now.output = d->played.level;
    if (d->dynamic.used) {
        float step = 1e3f / (float)device_tick_rate(d);
        float current = clamp_current(&d->dynamic, (float)seen * d->voltage_a_count, step);
        d->now.output = within((float)d->played.level + current / d->current_a_count);
    }
    d->on.write(d->on.context, d->now.output);
    if (d->phase == 0) {
        for (uint8_t k = 0; k < d->channels; k++)
            measured[k] = k == d->clamped_channel ? seen : d->on.read(d->on.context, k);
        keep(d, measured);
    }
    d->phase = d->phase + 1 == over ? 0 : d->phase + 1;
}

void device_tick(device *d)
{
    d->ticks++;
    d->nanoseconds += 1000000000u / device_tick_rate(d);
    uint32_t silent = d->silence * (device_tick_rate(d) / 1000);
    if (d->now.state == STATUS_PLAYING && d->ticks - d->heard >= silent)
        leave(d, CAUSE_SILENCE);
    if (d->now.state == STATUS_PLAYING)
        play(d);
    if (d->now.state != STATUS_PLAYING) {
        d->now.output = d->exit_level;
        d->on.write(d->on.context, d->exit_level);
    }
}

static void version(device *d, const frame *got)
{
    uint8_t *place = answer_to(d, got, ANSWER_VERSION, 20);
    place = frame_put16(place, d->protocol);
    place = frame_put32(place, DEVICE_FASTEST);
    place = frame_put16(place, DEVICE_CHANNELS);
    place = frame_put32(place, STIMULUS_BYTES);
    place = frame_put16(place, CLAMP_CONDUCTANCES);
    place = frame_put32(place, DEVICE_CLAMP_RATE);
    frame_put16(place, (uint16_t)d->silence);
}

static void report(device *d, const frame *got)
{
    frame *answer = lay_out(d, ANSWER_STATUS);
    d->now.damaged = d->reader.damaged;
    d->now.milliseconds = (uint32_t)(d->nanoseconds / 1000000u);
    answer->length = (size_t)(status_write(&d->now, frame_put16(answer->body, got->sequence)) - answer->body);
}

static uint8_t set_rate(device *d, const uint8_t *body)
{
    uint32_t rate = frame_get32(body);
    if (rate < DEVICE_SLOWEST || rate > DEVICE_FASTEST || body[4] < 1 || body[4] > DEVICE_CHANNELS)
        return REASON_RANGE;
    d->rate = rate;
    d->channels = body[4];
    d->is_set_up = 1;
    return 0;
}

static uint8_t set_gain(device *d, const uint8_t *body)
{
    if (body[0] >= DEVICE_CHANNELS || !d->on.amplify(d->on.context, body[0], frame_get16(body + 1)))
        return REASON_RANGE;
    return 0;
}

static uint8_t set_holding(device *d, const uint8_t *body)
{
    d->exit_level = (int16_t)frame_get16(body);
    return 0;
}

static upload *upload_of(device *d, uint8_t kind)
{
    if (kind >= KINDS)
        return NULL;
    return kind < KIND_CONDUCTANCE ? &d->played.sent : &d->conductances[kind - KIND_CONDUCTANCE];
}

/* Body: kind (1 byte), total, checksum, offset (4 bytes each), part. */
static uint8_t take_part(device *d, const frame *got)
{
    uint8_t kind = got->body[0];
    upload *to = upload_of(d, kind);
    uint32_t offset = frame_get32(got->body + 9);
    if (!to)
        return REASON_RANGE;
    if (kind < KIND_CONDUCTANCE)
        stimulus_expect(&d->played, kind);
    else
        d->dynamic.used = 0;
    if (!upload_take(to, frame_get32(got->body + 1), frame_get32(got->body + 5), offset, got->body + 13,
                     (uint32_t)got->length - 13))
        return REASON_RANGE;
    if (kind >= KIND_CONDUCTANCE && to->whole
        && !clamp_load(&d->dynamic.of[kind - KIND_CONDUCTANCE], to->bytes, to->total)) {
        to->whole = 0;
        return REASON_RANGE;
    }
    uint8_t *place = answer_to(d, got, ANSWER_RECEIVED, 5);
    *place++ = to->whole;
    frame_put32(place, to->received);
    return 0;
}

/* Body: kind (1 byte), offset (4 bytes), count (1 byte). */
static uint8_t read_back(device *d, const frame *got)
{
    upload *from = upload_of(d, got->body[0]);
    uint32_t offset = frame_get32(got->body + 1);
    uint8_t count = got->body[5];
    if (!from || !from->whole || count > FRAME_BODY - 2 || count > from->total || offset > from->total - count)
        return REASON_UPLOAD;
    memcpy(answer_to(d, got, ANSWER_CONTENT, count), from->bytes + offset, count);
    return 0;
}

/* Body: run (2 bytes), source (1), total, checksum (4 each), level (2). A run that was begun is not begun again. */
static uint8_t start(device *d, const uint8_t *body)
{
    uint16_t run = frame_get16(body);
    uint32_t total = frame_get32(body + 3);
    if (run && run == d->now.run)
        return 0;
    if (d->now.state == STATUS_PLAYING)
        return REASON_PLAYING;
    if (!d->is_set_up)
        return REASON_SET_UP;
    if (!run)
        return REASON_RANGE;
    if (!stimulus_rewind(&d->played, body[2], total, frame_get32(body + 7), (int16_t)frame_get16(body + 11)))
        return REASON_UPLOAD;
    d->phase = 0;
    d->filling.count = 0;
    d->now.run = run;
    d->now.made = d->now.dropped = d->now.late = 0;
    clamp_begin(&d->dynamic);
    d->now.state = STATUS_PLAYING;
    return 0;
}

/* Body: conductances in use, channel of the voltage (1 byte each), then floats: mV and pA a count, clip [pA], and of
 * each conductance its maximum [nS]. */
static uint8_t set_clamp(device *d, const frame *got)
{
    const uint8_t *body = got->body;
    uint8_t used = body[0];
    float voltage = frame_get_float(body + 2), current = frame_get_float(body + 6), clip = frame_get_float(body + 10);
    if (used > CLAMP_CONDUCTANCES || got->length != 14 + 4u * used)
        return REASON_LENGTH;
    if (body[1] >= DEVICE_CHANNELS || !isfinite(voltage) || voltage == 0.0f || !isfinite(current) || current == 0.0f
        || !(clip >= 0.0f && isfinite(clip)))
        return REASON_RANGE;
    for (uint8_t k = 0; k < used; k++) {
        if (!isfinite(frame_get_float(body + 14 + 4 * k)))
            return REASON_RANGE;
        if (!d->conductances[k].whole)
            return REASON_UPLOAD;
    }
    for (uint8_t k = 0; k < used; k++)
        d->dynamic.of[k].conductance = frame_get_float(body + 14 + 4 * k);
    d->dynamic.used = used;
    d->dynamic.clip = clip;
    d->clamped_channel = body[1];
    d->voltage_a_count = voltage;
    d->current_a_count = current;
    return 0;
}

static int length_fits(const frame *got)
{
    switch (got->type) {
    case COMMAND_RATE: return got->length == 5;
    case COMMAND_GAIN: return got->length == 3;
    case COMMAND_HOLDING: return got->length == 2;
    case COMMAND_UPLOAD: return got->length > 13;
    case COMMAND_READ_BACK: return got->length == 6;
    case COMMAND_START: return got->length == 13;
    case COMMAND_CLAMP: return got->length >= 14;
    default: return got->length == 0;
    }
}

/* Change what may be changed between stimuli only; give why not, or 0. */
static uint8_t change(device *d, const frame *got)
{
    if (d->now.state == STATUS_PLAYING)
        return REASON_PLAYING;
    switch (got->type) {
    case COMMAND_RATE: return set_rate(d, got->body);
    case COMMAND_GAIN: return set_gain(d, got->body);
    case COMMAND_HOLDING: return set_holding(d, got->body);
    case COMMAND_UPLOAD: return take_part(d, got);
    case COMMAND_CLAMP: return set_clamp(d, got);
    default: return REASON_COMMAND;
    }
}

int device_receive(device *d, uint8_t byte, frame *got)
{
    return frame_read(&d->reader, byte, got);
}

void device_handle(device *d, const frame *got)
{
    uint8_t reason = 0, tells = 0;
    d->heard = d->ticks;
    if (!length_fits(got)) {
        refuse(d, got, REASON_LENGTH);
        return;
    }
    switch (got->type) {
    case COMMAND_ALIVE:
        return;
    case COMMAND_VERSION:
        version(d, got);
        return;
    case COMMAND_STOP:
        leave(d, CAUSE_STOPPED);
        report(d, got);
        return;
    case COMMAND_STATUS:
        report(d, got);
        return;
    case COMMAND_START:
        reason = start(d, got->body);
        break;
    case COMMAND_READ_BACK:
        reason = read_back(d, got);
        tells = 1;
        break;
    default:
        reason = change(d, got);
        tells = got->type == COMMAND_UPLOAD;
    }
    if (reason)
        refuse(d, got, reason);
    else if (!tells)
        answer_to(d, got, ANSWER_DONE, 0);
}

size_t device_transmit(device *d, uint8_t *wire)
{
    frame next;
    if (d->emptied != d->filled) {
        const block *full = &d->blocks[d->emptied % DEVICE_BLOCKS];
        uint8_t *place = frame_put32(frame_put16(next.body, full->run), full->index);
        *place++ = full->channels;
        for (int k = 0; k < full->count * full->channels; k++)
            place = frame_put16(place, (uint16_t)full->values[k]);
        next.type = SAMPLES;
        next.length = (size_t)(place - next.body);
        d->emptied++;
    } else if (d->answered != d->asked) {
        next = d->answers[d->answered++ % DEVICE_ANSWERS];
    } else {
        return 0;
    }
    next.sequence = d->sent++;
    return frame_write(&next, wire);
}
