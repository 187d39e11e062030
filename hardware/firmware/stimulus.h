/* This file is the stimulus: what was uploaded, epochs or a table, given sample by sample. */
#ifndef STIMULUS_H
#define STIMULUS_H

#include "upload.h"

#include <stdint.h>

#ifndef STIMULUS_BYTES
#define STIMULUS_BYTES 80000
#endif
/* An epoch is its level (2 bytes) and how many samples it lasts (4 bytes); a table is a level (2 bytes) a sample. */
#define STIMULUS_EPOCH 6

enum { STIMULUS_EPOCHS = 0, STIMULUS_TABLE = 1, STIMULUS_LEVEL = 2 };

typedef struct {
    upload sent;
    uint8_t kind;
    uint8_t source;
    int16_t level;
    uint32_t total, position, epoch, left;
    uint8_t bytes[STIMULUS_BYTES];
} stimulus;

void stimulus_begin(stimulus *s);

/* Make ready for parts of a kind; a stimulus of the other kind is forgotten. */
void stimulus_expect(stimulus *s, uint8_t kind);

/* Go to the first sample; give 0 where what was uploaded is not a stimulus of so many samples. */
int stimulus_rewind(stimulus *s, uint8_t source, uint32_t total, uint32_t checksum, int16_t level);

/* Step to the next sample, whose level it is then; give 0 behind the last. A held level has no last. */
int stimulus_next(stimulus *s);

#endif
