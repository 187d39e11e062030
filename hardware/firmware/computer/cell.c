/* This file is the cell: one compartment with leak, sodium, delayed rectifier and M current, or with the leak alone. */
#include "cell.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define STATES 5
#define LONGEST 0.025

cell cell_typical(void)
{
    cell typical = {90.0, 0.06, 55.0, 6.0, 0.08, 800.0, -56.0, -70.0, 55.0, -93.0, 0.9, 0.0, 0.0, 0.0, 0.0, 0.0};
    cell_rest(&typical, 0.0);
    return typical;
}

double *cell_parameter(cell *c, const char *name)
{
    static const char *const names[] = {"C", "g_leak", "g_Na", "g_K", "g_M", "tau_max", "V_T", "E_leak", "rate_factor"};
    double *places[] = {&c->C, &c->g_leak, &c->g_Na, &c->g_K, &c->g_M, &c->tau_max, &c->V_T, &c->E_leak,
                        &c->rate_factor};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (!strcmp(names[k], name))
            return places[k];
    return NULL;
}

/* z / (exp(z) - 1) without its hole at zero. */
static double ratio(double z)
{
    return fabs(z) < 1e-6 ? 1.0 - z / 2.0 : z / expm1(z);
}

/* Opening and closing rate of m, h and n, and of p what it relaxes to and how fast, both as rates [1/ms]. */
static void rates(const cell *c, double V, double *opening, double *closing)
{
    double u = V - c->V_T, k = c->rate_factor, w = (V + 35.0) / 20.0;
    opening[0] = k * 1.28 * ratio((13.0 - u) / 4.0);
    closing[0] = k * 1.4 * ratio((u - 40.0) / 5.0);
    opening[1] = k * 0.128 * exp((17.0 - u) / 18.0);
    closing[1] = k * 4.0 / (1.0 + exp((40.0 - u) / 5.0));
    opening[2] = k * 0.16 * ratio((15.0 - u) / 5.0);
    closing[2] = k * 0.5 * exp((10.0 - u) / 40.0);
    double speed = k * (3.3 * exp(w) + exp(-w)) / c->tau_max;
    opening[3] = speed / (1.0 + exp(-2.0 * w));
    closing[3] = speed - opening[3];
}

static void slope(const cell *c, const double *at, double current, double *change)
{
    double opening[4], closing[4], V = at[0];
    rates(c, V, opening, closing);
    for (int gate = 0; gate < 4; gate++)
        change[1 + gate] = opening[gate] - (opening[gate] + closing[gate]) * at[1 + gate];
    double g_Na = c->g_Na * pow(at[1], 3.0) * at[2], g_K = c->g_K * pow(at[3], 4.0) + c->g_M * at[4];
    change[0] = current / c->C - c->g_leak * (V - c->E_leak) - g_Na * (V - c->E_Na) - g_K * (V - c->E_K);
}

/* All gates where a voltage holds them; gives the net inward current there [uA/cm2]. */
static double settle(cell *c, double V, double current)
{
    double opening[4], closing[4], gates[4];
    rates(c, V, opening, closing);
    for (int gate = 0; gate < 4; gate++)
        gates[gate] = opening[gate] / (opening[gate] + closing[gate]);
    c->V = V, c->m = gates[0], c->h = gates[1], c->n = gates[2], c->p = gates[3];
    double at[STATES] = {c->V, c->m, c->h, c->n, c->p}, change[STATES];
    slope(c, at, current, change);
    return change[0];
}

void cell_rest(cell *c, double current)
{
    double low = -250.0, high;
    while (low < 60.0 && settle(c, low, current) > 0.0)
        low += 1.0;
    high = low;
    low -= 1.0;
    for (int k = 0; k < 50; k++) {
        double middle = (low + high) / 2.0;
        if (settle(c, middle, current) > 0.0)
            low = middle;
        else
            high = middle;
    }
}

void cell_advance(cell *c, double current, double time)
{
    int steps = (int)ceil(time / LONGEST - 1e-9);
    double dt = time / steps, at[STATES] = {c->V, c->m, c->h, c->n, c->p};
    for (int step = 0; step < steps; step++) {
        double k[4][STATES], there[STATES];
        slope(c, at, current, k[0]);
        for (int stage = 1; stage < 4; stage++) {
            for (int s = 0; s < STATES; s++)
                there[s] = at[s] + (stage == 3 ? dt : dt / 2.0) * k[stage - 1][s];
            slope(c, there, current, k[stage]);
        }
        for (int s = 0; s < STATES; s++)
            at[s] += dt / 6.0 * (k[0][s] + 2.0 * k[1][s] + 2.0 * k[2][s] + k[3][s]);
    }
    c->V = at[0], c->m = at[1], c->h = at[2], c->n = at[3], c->p = at[4];
}
