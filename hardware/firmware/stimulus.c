/* This file is the stimulus: what was uploaded, epochs or a table, given sample by sample. */
#include "stimulus.h"

#include "frame.h"

#include <string.h>

void stimulus_begin(stimulus *s)
{
    memset(s, 0, sizeof *s);
    s->sent.bytes = s->bytes;
    s->sent.room = sizeof s->bytes;
}

void stimulus_expect(stimulus *s, uint8_t kind)
{
    if (kind == s->kind)
        return;
    s->kind = kind;
    s->sent.whole = 0;
    s->sent.total = s->sent.received = 0;
}

static int is_playable(const stimulus *s, uint8_t source, uint32_t total, uint32_t checksum)
{
    uint32_t sum = 0;
    if (source == STIMULUS_LEVEL)
        return total == 0;
    if (source != s->kind || !s->sent.whole || s->sent.checksum != checksum || !total)
        return 0;
    if (source == STIMULUS_TABLE)
        return s->sent.total / 2 == total && s->sent.total % 2 == 0;
    if (s->sent.total % STIMULUS_EPOCH)
        return 0;
    for (uint32_t k = 0; k < s->sent.total; k += STIMULUS_EPOCH) {
        uint32_t count = frame_get32(s->bytes + k + 2);
        if (!count || count > total - sum)
            return 0;
        sum += count;
    }
    return sum == total;
}

int stimulus_rewind(stimulus *s, uint8_t source, uint32_t total, uint32_t checksum, int16_t level)
{
    if (!is_playable(s, source, total, checksum))
        return 0;
    s->source = source;
    s->total = total;
    s->level = level;
    s->position = s->epoch = s->left = 0;
    return 1;
}

int stimulus_next(stimulus *s)
{
    if (s->source == STIMULUS_LEVEL)
        return 1;
    if (s->position == s->total)
        return 0;
    if (s->source == STIMULUS_TABLE) {
        s->level = (int16_t)frame_get16(s->bytes + 2 * s->position);
    } else {
        if (!s->left) {
            s->left = frame_get32(s->bytes + STIMULUS_EPOCH * s->epoch + 2);
            s->level = (int16_t)frame_get16(s->bytes + STIMULUS_EPOCH * s->epoch);
            s->epoch++;
        }
        s->left--;
    }
    s->position++;
    return 1;
}
