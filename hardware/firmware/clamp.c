/* This file is the clamp: conductances that are integrated sample by sample and answered with a current. */
#include "clamp.h"

#include "frame.h"

#include <math.h>

static int gate_usable(const clamp_conductance *c, int gate)
{
    for (uint32_t k = 0; k < c->points; k++) {
        float steady = c->steady[gate][k], tau = c->tau[gate][k];
        if (!(steady >= 0.0f && steady <= 1.0f && tau > 0.0f && isfinite(tau)))
            return 0;
    }
    return c->exponents[gate] >= 1 && c->exponents[gate] <= CLAMP_EXPONENT;
}

int clamp_load(clamp_conductance *c, const uint8_t *bytes, uint32_t count)
{
    if (count < CLAMP_HEAD)
        return 0;
    c->gates = bytes[0];
    c->points = frame_get32(bytes + 4);
    c->reversal = frame_get_float(bytes + 8);
    c->first = frame_get_float(bytes + 12);
    c->step = frame_get_float(bytes + 16);
    c->conductance = 0.0f;
    if (c->gates > CLAMP_GATES || c->points < 2 || c->points > CLAMP_POINTS || !isfinite(c->reversal)
        || !isfinite(c->first) || !(c->step > 0.0f && isfinite(c->step))
        || count != CLAMP_HEAD + 8u * c->gates * c->points)
        return 0;
    const uint8_t *place = bytes + CLAMP_HEAD;
    for (int gate = 0; gate < c->gates; gate++) {
        c->exponents[gate] = bytes[1 + gate];
        for (uint32_t k = 0; k < c->points; k++, place += 4)
            c->steady[gate][k] = frame_get_float(place);
        for (uint32_t k = 0; k < c->points; k++, place += 4)
            c->tau[gate][k] = frame_get_float(place);
        if (!gate_usable(c, gate))
            return 0;
    }
    return 1;
}

void clamp_begin(clamp *all)
{
    all->begun = 0;
}

static float conductance_open(clamp_conductance *c, float voltage, float step, int begun)
{
    float place = (voltage - c->first) / c->step, last = (float)(c->points - 1);
    place = place > 0.0f ? (place < last ? place : last) : 0.0f;
    uint32_t k = (uint32_t)place;
    if (k > c->points - 2)
        k = c->points - 2;
    float share = place - (float)k, open = 1.0f;
    for (int gate = 0; gate < c->gates; gate++) {
        float steady = c->steady[gate][k] + share * (c->steady[gate][k + 1] - c->steady[gate][k]);
        float tau = c->tau[gate][k] + share * (c->tau[gate][k + 1] - c->tau[gate][k]);
        c->open[gate] = begun ? c->open[gate] + (steady - c->open[gate]) * -expm1f(-step / tau) : steady;
        for (int power = 0; power < c->exponents[gate]; power++)
            open *= c->open[gate];
    }
    return open;
}

float clamp_current(clamp *all, float voltage, float step)
{
    float current = 0.0f;
    for (int k = 0; k < all->used; k++) {
        clamp_conductance *c = &all->of[k];
        current -= c->conductance * conductance_open(c, voltage, step, all->begun) * (voltage - c->reversal);
    }
    all->begun = 1;
    return current > all->clip ? all->clip : current < -all->clip ? -all->clip : current;
}
