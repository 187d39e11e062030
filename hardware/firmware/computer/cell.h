/* This file is the cell: one compartment with leak, sodium, delayed rectifier and M current, or with the leak alone.
 *
 * References: Pospischil et al. (2008), Biol. Cybern. 99, 427-441, doi 10.1007/s00422-008-0263-8.
 */
#ifndef CELL_H
#define CELL_H

/* C in pF, conductances in mS/cm2 at 1 uF/cm2, potentials in mV, tau_max in ms. */
typedef struct {
    double C, g_leak, g_Na, g_K, g_M, tau_max, V_T, E_leak, E_Na, E_K, rate_factor;
    double V, m, h, n, p;
} cell;

/* A regular-spiking cell. */
cell cell_typical(void);

/* Give the place of a parameter by its name, or NULL. */
double *cell_parameter(cell *c, const char *name);

/* Put it at its lowest rest under a current [pA]. */
void cell_rest(cell *c, double current);

/* Advance under a current [pA] by so much time [ms]. */
void cell_advance(cell *c, double current, double time);

#endif
