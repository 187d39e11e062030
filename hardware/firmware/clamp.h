/* This file is the clamp: conductances that are integrated sample by sample and answered with a current.
 *
 * Each gate relaxes to its steady state with its time constant, both read from tables against voltage between whose
 * points they are straight and beyond whose ends they stay: x += (x_inf(V) - x) (1 - exp(-dt / tau(V))). The current of
 * a conductance is -g x1^k1 x2^k2 ... (V - E), with V in mV, g in nS and the current in pA; g below zero takes away.
 *
 * References: Sharp, O'Neil, Abbott and Marder (1993), J. Neurophysiol. 69, 992-995, doi 10.1152/jn.1993.69.3.992;
 * Desai, Gray and Johnston (2017), eNeuro 4, doi 10.1523/ENEURO.0250-17.2017 (on a microcontroller).
 */
#ifndef CLAMP_H
#define CLAMP_H

#include <stddef.h>
#include <stdint.h>

#define CLAMP_CONDUCTANCES 4
#define CLAMP_GATES 3
#define CLAMP_POINTS 256
#define CLAMP_EXPONENT 8
#define CLAMP_HEAD 20
#define CLAMP_BYTES (CLAMP_HEAD + CLAMP_GATES * CLAMP_POINTS * 8)

/* One conductance, as it was uploaded: gates (1 byte), exponent of each (3 bytes), points (4 bytes), then as floats
 * reversal potential [mV], voltage of the first point and from one to the next [mV], and of each gate all steady states
 * and all time constants [ms]. */
typedef struct {
    uint8_t gates;
    uint8_t exponents[CLAMP_GATES];
    uint32_t points;
    float reversal, first, step;
    float steady[CLAMP_GATES][CLAMP_POINTS];
    float tau[CLAMP_GATES][CLAMP_POINTS];
    float open[CLAMP_GATES];
    float conductance;
} clamp_conductance;

typedef struct {
    clamp_conductance of[CLAMP_CONDUCTANCES];
    uint8_t used;
    uint8_t begun;
    float clip;
} clamp;

/* Take a conductance from its bytes; give 0 where a number in it can't be used. */
int clamp_load(clamp_conductance *into, const uint8_t *bytes, uint32_t count);

/* Let every gate stand where the next voltage holds it. */
void clamp_begin(clamp *all);

/* Advance by a step [ms] at a voltage [mV]; give the current to inject [pA], within the clip. */
float clamp_current(clamp *all, float voltage, float step);

#endif
