"""This file is the injector: a dynamic clamp in lanes, cycle by cycle between the steps of a membrane.

At the beginning of a cycle it takes the voltage that it sees by then, moves its gates, and answers with a current that
is held for the cycle. A current of nothing leaves every bit of a membrane as it was.
"""

from __future__ import annotations

import numpy as np
from numba import float32, int32, njit

from simulators.lanes import FAST, LANES, enter
from simulators.membrane import integrate

__all__ = ["RESERVE", "answer", "begin_injector", "injected_steps", "see"]

RESERVE = 6
"""Rows in front of what a clamp remembers of the voltage: three gates, its current, what it adds to what is seen of a
membrane, and the lag [steps]."""


@njit(error_model="numpy")
def begin_injector(first, level, knobs, lags, device):
    """Switch the clamp on: nothing flows yet, and its gates are where the first voltage wants them.

    Args:
        first: Voltage of the membrane, shape (LANES,), float32 [mV].
        level: Command of the first epoch, shape (LANES,), float32 [pA].
        knobs: As `simulators.chain.lead` makes them, shape (knobs, LANES).
        lags: How far back it looks, shape (LANES,) [steps].
        device: As `simulators.injected.Injected.device` lays it out.

    Returns:
        What it remembers, shape (rows, LANES), float32.
    """
    steady, _, _, numbers, sizes = device
    memory = np.zeros((RESERVE + sizes[1], LANES), dtype=np.float32)
    for i in range(LANES):
        seen = first[i] + knobs[1, i] + knobs[0, i] * 1e-3 * level[i]
        memory[5, i] = lags[i]
        for row in range(RESERVE, len(memory)):
            memory[row, i] = seen
        k, share = _place(float32(seen), float32(numbers[0]), float32(numbers[1]), steady.shape[1])
        for gate in range(len(steady)):
            memory[gate, i] = steady[gate, k] + share * (steady[gate, k + 1] - steady[gate, k])
    return memory


@njit(error_model="numpy", inline="always")
def _place(voltage, first, step, points):
    """Find a voltage between the points of a grid; beyond its ends it is as there."""
    place = (voltage - first) / step
    # A membrane that has blown up is nowhere.
    place = min(place, float32(points - 1)) if place > float32(0.0) else float32(0.0)
    k = min(int32(place), int32(points - 2))
    return k, place - float32(k)


@njit(fastmath=FAST, error_model="numpy", inline="always")
def _seen(memory, here, back, rows, i):
    """Give what a lane saw some steps ago, straight between steps and straight on behind the last."""
    whole = int32(back) if back > float32(0.0) else int32(0)
    row = here - whole
    row += rows if row < 0 else 0
    now = memory[RESERVE + row, i]
    row += rows - 1 if row == 0 else -1
    return now + (back - float32(whole)) * (memory[RESERVE + row, i] - now)


@njit(fastmath=FAST, error_model="numpy")
def answer(memory, step, device):
    """Begin a cycle: look, move the gates, and set the current of all lanes.

    Args:
        memory: As `begin_injector` makes it; read and written.
        step: Number of the step that is about to be made.
        device: As in `begin_injector`.
    """
    steady, shares, exponents, numbers, sizes = device
    rows, points = sizes[1], steady.shape[1]
    first, spacing, reversal = float32(numbers[0]), float32(numbers[1]), float32(numbers[2])
    maximum, clip = float32(numbers[3]), float32(numbers[4])
    here, half = step % rows, float32(0.5 * sizes[0])
    for i in range(LANES):
        seen = _seen(memory, here, memory[5, i], rows, i)
        # What moves the gates is the middle of their cycle: a voltage that is carried on through a spike overshoots,
        # and a rate is not linear in it.
        k, between = _place(_seen(memory, here, memory[5, i] + half, rows, i), first, spacing, points)
        opened = maximum
        for gate in range(len(steady)):
            goal = steady[gate, k] + between * (steady[gate, k + 1] - steady[gate, k])
            share = shares[gate, k] + between * (shares[gate, k + 1] - shares[gate, k])
            memory[gate, i] += (goal - memory[gate, i]) * share
            for _ in range(exponents[gate]):
                opened *= memory[gate, i]
        memory[3, i] = min(max(opened * (reversal - seen), -clip), clip)


@njit(error_model="numpy")
def injected_steps(state, row, random, ends, levels, begin, steps, trace, has, device, memory, knobs, extra):
    """Integrate one block of cells under their commands and the clamp, as `simulators.membrane.integrate` does.

    Args:
        state: As there.
        row: As there.
        random: As there.
        ends: As there.
        levels: As there.
        begin: As there.
        steps: As there.
        trace: As there, shape (>= steps, LANES).
        has: As there.
        device: As in `begin_injector`.
        memory: As in `answer`.
        knobs: As in `begin_injector`.
        extra: What the clamp's current adds to what is seen, shape (>= steps, LANES), written to [mV].
    """
    epoch = np.zeros(LANES, dtype=np.int32)
    through, ahead = (knobs[0] * 1e-3).astype(np.float32), np.empty(LANES, dtype=np.float32)
    cycle, rows = device[4][0], device[4][1]
    driven = levels.copy()
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
        for k in range(len(levels)):
            for i in range(LANES):
                driven[k, i] = levels[k, i] + memory[3, i]
        integrate(state, row, random, ends, driven, step, upto, trace[done : done + upto], has)
        for t in range(upto):
            see(memory, (step + t + 1) % rows, trace[done + t], through, ahead, extra[done + t])
        done += upto


@njit(fastmath=FAST, error_model="numpy")
def see(memory, place, voltage, through, ahead, extra):
    """Remember what is seen of the membrane after a step.

    Args:
        memory: As in `answer`.
        place: Which of the rows behind the reserve is written.
        voltage: Of the membrane, shape (LANES,) [mV].
        through: What the bridge leaves, shape (LANES,) [GOhm].
        ahead: What the command and the offset add, shape (LANES,) [mV].
        extra: What the clamp's current adds, shape (LANES,), written to [mV].
    """
    for i in range(LANES):
        extra[i] = through[i] * memory[3, i]
        memory[RESERVE + place, i] = voltage[i] + ahead[i] + extra[i]
