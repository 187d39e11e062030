/* This file is the frame: what goes over the line between two zero bytes. */
#include "frame.h"

#include <string.h>

uint16_t frame_crc16(const uint8_t *bytes, size_t count)
{
    uint16_t crc = 0xFFFF;
    for (size_t k = 0; k < count; k++) {
        crc ^= (uint16_t)(bytes[k] << 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1);
    }
    return crc;
}

uint32_t frame_crc32(uint32_t crc, const uint8_t *bytes, size_t count)
{
    crc = ~crc;
    for (size_t k = 0; k < count; k++) {
        crc ^= bytes[k];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? (crc >> 1) ^ 0xEDB88320u : crc >> 1;
    }
    return ~crc;
}

uint8_t *frame_put16(uint8_t *place, uint16_t value)
{
    place[0] = (uint8_t)value;
    place[1] = (uint8_t)(value >> 8);
    return place + 2;
}

uint8_t *frame_put32(uint8_t *place, uint32_t value)
{
    return frame_put16(frame_put16(place, (uint16_t)value), (uint16_t)(value >> 16));
}

uint16_t frame_get16(const uint8_t *place)
{
    return (uint16_t)(place[0] | place[1] << 8);
}

uint32_t frame_get32(const uint8_t *place)
{
    return frame_get16(place) | (uint32_t)frame_get16(place + 2) << 16;
}

float frame_get_float(const uint8_t *place)
{
    uint32_t bits = frame_get32(place);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Replace each zero by the distance to the next, in stretches of at most 254 bytes. */
static size_t stuff(const uint8_t *bytes, size_t count, uint8_t *wire)
{
    size_t written = 1, mark = 0;
    uint8_t distance = 1;
    for (size_t k = 0; k < count; k++) {
        if (bytes[k]) {
            wire[written++] = bytes[k];
            distance++;
        }
        if (!bytes[k] || (distance == 0xFF && k + 1 < count)) {
            wire[mark] = distance;
            mark = written++;
            distance = 1;
        }
    }
    wire[mark] = distance;
    return written;
}

/* Undo it in place; give the length, or 0 where the distances lead out of the frame. */
static size_t unstuff(uint8_t *bytes, size_t count)
{
    size_t from = 0, to = 0;
    while (from < count) {
        uint8_t distance = bytes[from++];
        if (!distance || from + distance - 1 > count)
            return 0;
        for (uint8_t k = 1; k < distance; k++)
            bytes[to++] = bytes[from++];
        if (distance < 0xFF && from < count)
            bytes[to++] = 0;
    }
    return to;
}

size_t frame_write(const frame *sent, uint8_t *wire)
{
    uint8_t content[FRAME_CONTENT + FRAME_CHECK];
    size_t count = FRAME_HEAD + sent->length;
    content[0] = sent->type;
    frame_put16(content + 1, sent->sequence);
    memcpy(content + FRAME_HEAD, sent->body, sent->length);
    frame_put16(content + count, frame_crc16(content, count));
    frame_put32(content + count + 2, frame_crc32(0, content, count));
    wire[0] = 0;
    size_t written = 1 + stuff(content, count + FRAME_CHECK, wire + 1);
    wire[written++] = 0;
    return written;
}

int frame_read(frame_reader *reader, uint8_t byte, frame *got)
{
    if (byte) {
        if (reader->count < sizeof reader->bytes)
            reader->bytes[reader->count++] = byte;
        else
            reader->overfull = 1;
        return 0;
    }
    size_t count = reader->count, whole = reader->overfull ? 0 : unstuff(reader->bytes, count);
    reader->count = reader->overfull = 0;
    if (!count)
        return 0;
    const uint8_t *bytes = reader->bytes;
    if (whole < FRAME_HEAD + FRAME_CHECK || whole > FRAME_CONTENT + FRAME_CHECK
        || frame_get16(bytes + whole - 6) != frame_crc16(bytes, whole - 6)
        || frame_get32(bytes + whole - 4) != frame_crc32(0, bytes, whole - 6)) {
        reader->damaged++;
        return 0;
    }
    got->type = bytes[0];
    got->sequence = frame_get16(bytes + 1);
    got->length = whole - FRAME_HEAD - FRAME_CHECK;
    memcpy(got->body, bytes + FRAME_HEAD, got->length);
    return 1;
}
