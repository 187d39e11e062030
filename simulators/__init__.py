"""Cells made of equations, and the vocabulary that the whole program shares.

A stimulus goes into a cell, a sweep comes out. One vocabulary, the same word everywhere:

- stimulus: what is put out, as frozen epochs; command: the stimulus sampled at a rate.
- response: what the cell answers; sweep: one command with its response and where they came from.
- onset: the start of the observed step; holding: the current that was injected before it.
- parameter: one number of a cell with its unit and prior; theta: the vector of all of them.
- rate [kHz], time [ms], voltage [mV], current [pA], conductance [nS], capacitance [pF], resistance [GOhm]:
  a coherent set, so that no equation carries a power of ten.
"""
