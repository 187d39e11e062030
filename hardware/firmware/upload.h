/* This file is the upload: what is sent in parts and used only as a whole whose checksum is right. */
#ifndef UPLOAD_H
#define UPLOAD_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t *bytes;
    uint32_t room;
    uint32_t total;
    uint32_t received;
    uint32_t checksum;
    uint8_t whole;
} upload;

/* Take a part; one that came before, or that follows no other, changes nothing. Give 0 where it has no room. */
int upload_take(upload *to, uint32_t total, uint32_t checksum, uint32_t offset, const uint8_t *part, uint32_t count);

#endif
