/* This file is the upload: what is sent in parts and used only as a whole whose checksum is right. */
#include "upload.h"

#include "frame.h"

#include <string.h>

int upload_take(upload *to, uint32_t total, uint32_t checksum, uint32_t offset, const uint8_t *part, uint32_t count)
{
    if (total > to->room || count > total || offset > total - count)
        return 0;
    if (offset == 0 && (to->total != total || to->checksum != checksum)) {
        to->total = total;
        to->checksum = checksum;
        to->received = 0;
        to->whole = 0;
    }
    if (to->whole || offset != to->received || total != to->total || checksum != to->checksum)
        return 1;
    memcpy(to->bytes + offset, part, count);
    to->received += count;
    if (to->received == total) {
        to->whole = frame_crc32(0, to->bytes, total) == checksum;
        if (!to->whole)
            to->received = 0;
    }
    return 1;
}
