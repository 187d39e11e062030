/* This file is the frame: what goes over the line between two zero bytes.
 *
 * Content (type, sequence number, body) is followed by its CRC-16-CCITT and its CRC-32, all little-endian, and packed
 * by consistent overhead byte stuffing, so that a zero byte only ever ends a frame: whatever was damaged, the reader
 * stands right again at the next zero. Of damaged frames one in 65,536 has the right CRC-16, which a bad line makes in
 * a minute; with the CRC-32 beside it none is expected in the life of a rig.
 *
 * References: Cheshire and Baker (1999), IEEE/ACM Trans. Networking 7, 159-172, doi 10.1109/90.769765 (byte stuffing).
 */
#ifndef FRAME_H
#define FRAME_H

#include <stddef.h>
#include <stdint.h>

#define FRAME_HEAD 3
#define FRAME_BODY 232
#define FRAME_CONTENT (FRAME_HEAD + FRAME_BODY)
#define FRAME_CHECK 6
/* One byte of stuffing for each 254 begun, and a zero at either end. */
#define FRAME_WIRE (FRAME_CONTENT + FRAME_CHECK + 3)

/* Bytes since the last zero, as they come. */
typedef struct {
    uint8_t bytes[FRAME_WIRE];
    size_t count;
    uint8_t overfull;
    uint32_t damaged;
} frame_reader;

/* Type, sequence number and body of one frame. */
typedef struct {
    uint8_t type;
    uint16_t sequence;
    uint8_t body[FRAME_BODY];
    size_t length;
} frame;

uint16_t frame_crc16(const uint8_t *bytes, size_t count);

/* Continue a CRC-32 (that of Ethernet); the first call is given 0. */
uint32_t frame_crc32(uint32_t crc, const uint8_t *bytes, size_t count);

/* Write a frame for the line, FRAME_WIRE bytes at most; give how many. */
size_t frame_write(const frame *sent, uint8_t *wire);

/* Take one byte from the line; give 1 where it ended a frame that is as it was sent. */
int frame_read(frame_reader *reader, uint8_t byte, frame *got);

/* Little-endian numbers; each gives the place behind what it wrote. */
uint8_t *frame_put16(uint8_t *place, uint16_t value);
uint8_t *frame_put32(uint8_t *place, uint32_t value);
uint16_t frame_get16(const uint8_t *place);
uint32_t frame_get32(const uint8_t *place);
float frame_get_float(const uint8_t *place);

#endif
