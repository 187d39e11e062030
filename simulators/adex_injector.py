"""This file is the AdEx injector: the dynamic clamp of `simulators.injector` between the steps of an AdEx cell.

The constants of such a cell hold its current, of which they are linear.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulators.adex_membrane import CONSTANTS, DT, constants, integrate
from simulators.injector import answer, see
from simulators.lanes import LANES, enter

__all__ = ["injected_adex_steps", "slopes"]

_TOLD = 1000.0


@njit(error_model="numpy")
def slopes(cells, leaks, currents, row):
    """Tell what a current changes of the constants.

    Args:
        cells: Parameters, shape (LANES, 10).
        leaks: In each epoch, shape (LANES, e) [nS].
        currents: In each epoch, shape (LANES, e) [pA].
        row: Constants of each epoch, shape (e, CONSTANTS, LANES), float32.

    Returns:
        The same shape [1/pA].
    """
    more = np.empty((CONSTANTS, LANES), dtype=np.float32)
    slope = np.empty_like(row)
    for epoch in range(len(row)):
        for lane in range(LANES):
            constants(cells[lane], leaks[lane, epoch], currents[lane, epoch] + _TOLD, DT, more, lane)
        slope[epoch] = (more - row[epoch]) / np.float32(_TOLD)
    return slope


@njit(error_model="numpy")
def injected_adex_steps(
    state, row, slope, random, ends, levels, begin, steps, trace, device, memory, knobs, extra
):  # fmt: skip
    """Integrate one block of cells under their commands and the clamp, as `simulators.adex_membrane.integrate` does.

    Args:
        state: As there.
        row: As there.
        slope: As `slopes` gives it.
        random: As there.
        ends: As there.
        levels: Current of each epoch, shape (e, LANES) [pA].
        begin: As there.
        steps: As there.
        trace: As there, shape (>= steps, LANES).
        device: As in `simulators.injector.begin_injector`.
        memory: As `simulators.injector.answer` has it.
        knobs: As in `simulators.injector.begin_injector`.
        extra: What the clamp's current adds to what is seen, shape (>= steps, LANES), written to [mV].
    """
    epoch = np.zeros(LANES, dtype=np.int32)
    through, ahead = (knobs[0] * 1e-3).astype(np.float32), np.empty(LANES, dtype=np.float32)
    cycle, rows = device[4][0], device[4][1]
    done, change = 0, begin
    while done < steps:
        step = begin + done
        if step >= change:
            change = enter(epoch, ends, step)
            for i in range(LANES):
                ahead[i] = knobs[1, i] + through[i] * levels[epoch[i], i]
        if step % cycle == 0:
            answer(memory, step, device)
        upto = min(cycle - step % cycle, steps - done)
        integrate(state, row + slope * memory[3], random, ends, step, upto, trace[done : done + upto])
        for t in range(upto):
            see(memory, (step + t + 1) % rows, trace[done + t], through, ahead, extra[done + t])
        done += upto
