"""This file is the chain: from a membrane's voltage to samples, the same for every cell and both clamps.

In this order: the pipette, 1/f noise, the amplifier with its low-pass, the digitizer; each has a file of its own. Cells
go through it by blocks of lanes and by tiles of steps, which stay in the cache. What a lane gives depends on its own
inputs and seed only: a block none of whose lanes has a knob on goes without its stage, and a lane without it does not
see that its neighbour has.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import get_num_threads, njit

from simulators.amplifier import MEMORY, corner_index, filters, low_pass, remember
from simulators.digitizer import digitize, read_out
from simulators.electrode import KNOBS
from simulators.flicker import COLOURS, begin_flicker, flicker, flicker_seeds
from simulators.lanes import LANES
from simulators.pipette import CHARGE, begin_charge, charge, draw

__all__ = ["KEPT", "TILE", "deal", "keep", "lead", "pad", "plug_in", "through"]

TILE = 256
"""Steps of a tile."""

KEPT = MEMORY + CHARGE + COLOURS
"""Rows of what a block's chain remembers."""


def lead(
    electrodes: npt.NDArray[np.float64],
    rate: float,
    seeds: npt.NDArray[np.uint32],
    noises: npt.NDArray[np.uint32] | None = None,
    skip: npt.NDArray[np.float64] | float = 0.0,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32], npt.NDArray[np.uint32]]:
    """Prepare electrodes for the kernels.

    Args:
        electrodes: Shape (b, k), in the order of `simulators.electrode.KNOBS`; knobs behind the k-th are off.
        rate: Integration rate [kHz].
        seeds: Random states of the membranes, shape (b,).
        noises: Random states of the amplifiers, shape (b,); None makes them of those of the membranes.
        skip: Time from the start that is simulated and not recorded, shape (b,) [ms].

    Returns:
        The knobs, shape (b, knobs), the coefficients of each low-pass, shape (b, 13), and the random states of
        amplifier and flicker, shape (b, 2).
    """
    knobs = np.pad(electrodes.astype(np.float64), ((0, 0), (0, len(KNOBS) - electrodes.shape[1])))
    knobs[:, 1] += knobs[:, 11]
    # Drift and hum count from the first sample that is kept.
    knobs[:, 1] -= knobs[:, 7] * 1e-3 * skip
    knobs[:, 6] -= 2.0 * np.pi * knobs[:, 5] * 1e-3 * skip
    if noises is None:
        noises = flicker_seeds(seeds, np.zeros_like(seeds))
    return knobs, filters(rate)[corner_index(knobs[:, 2])], np.stack([noises, flicker_seeds(seeds, noises)], axis=1)


def pad(count: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Fill whole blocks with sweeps.

    Args:
        count: How many sweeps, at least one.

    Returns:
        The sweep of each lane, and the row that it is written to, -1 for none; both of shape (blocks * LANES,).
    """
    lanes = np.concatenate([np.arange(count), np.full(-count % LANES, count - 1)])
    return lanes, np.where(np.arange(len(lanes)) < count, lanes, -1)


def deal(lengths: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Fill whole blocks with sweeps of about one length, and deal them out to the threads.

    A block takes as long as its longest lane, and each thread takes an equal run of blocks: so that all are done at
    about the same time, each gets every n-th of the sorted ones.

    Args:
        lengths: Of each sweep, shape (b,), of at least one.

    Returns:
        As `pad`.
    """
    order = np.argsort(lengths, kind="stable")
    idle = -len(order) % LANES
    threads, blocks = get_num_threads(), -(-len(order) // LANES)
    dealt = np.concatenate([np.arange(thread, blocks, threads) for thread in range(threads)])
    lanes = np.concatenate([order, np.repeat(order[-1:], idle)]).reshape(-1, LANES)[dealt].ravel()
    rows = np.concatenate([order, np.full(idle, -1)]).reshape(-1, LANES)[dealt].ravel()
    return lanes, rows


@njit(error_model="numpy")
def plug_in(first, level, clamped, knobs, table, taps, memory, random):
    """Turn the membrane's first voltage into what the amplifier gives, as if it had been there for ever.

    Args:
        first: Voltage of the membrane, shape (LANES,), float32 [mV]; written to [mV or pA].
        level: Command of the first epoch, shape (LANES,), float32 [pA or mV].
        clamped: Whether it is a voltage.
        knobs: As `lead` makes them, shape (knobs, LANES).
        table: As `simulators.flicker.colours` designs it.
        taps: Coefficients of each lane's low-pass, shape (13, LANES).
        memory: Shape (KEPT, LANES), float32, written to.
        random: Random states, shape (2, LANES), uint32; read and written.
    """
    if clamped:
        first[:] = (level - first) * (1000.0 / knobs[8]).astype(np.float32)
    begin_charge(first, level, memory[MEMORY : MEMORY + CHARGE])
    if knobs[10].max() > 0.0:
        begin_flicker(first, table, knobs[10], memory[MEMORY + CHARGE :], random[1])
    entering = (first + knobs[0] * 1e-3 * level).astype(np.float32)
    remember(entering, taps, memory)
    first[:] = entering + knobs[1] + knobs[4] * np.sin(knobs[6])


@njit(error_model="numpy")
def through(tile, begin, steps, dt, ends, levels, clamped, knobs, table, taps, memory, random):
    """Take a tile of the membrane's voltage through the chain, in place.

    Args:
        tile: Shape (1 + steps, LANES), float32; row 0 has been through, row r is the voltage at step begin + r [mV].
        begin: Step that the tile begins with.
        steps: How many steps it has.
        dt: Integration step [ms].
        ends: Step at which each epoch ends, shape (e, LANES), int32.
        levels: Command of each epoch, shape (e, LANES), float32 [pA or mV].
        clamped: Whether it is a voltage.
        knobs: As in `plug_in`.
        table: As in `plug_in`.
        taps: As in `plug_in`.
        memory: As in `plug_in`; read and written.
        random: As in `plug_in`.
    """
    if clamped:
        draw(tile[1:], begin, steps, knobs[8], knobs[9], knobs[2], dt, ends, levels)
    elif knobs[9].max() > 0.0:
        charge(tile[1:], begin, steps, knobs[8], knobs[9], dt, ends, levels, memory[MEMORY : MEMORY + CHARGE])
    if knobs[10].max() > 0.0:
        flicker(tile[1:], steps, table, knobs[10], memory[MEMORY + CHARGE :], random[1])
    if _amplifies(knobs):
        low_pass(tile[1:], begin, steps, taps, knobs, dt, ends, levels, memory, random[0])


@njit(error_model="numpy")
def _amplifies(knobs):
    """Tell whether the amplifier changes anything in any of the lanes."""
    most = 0.0
    for k in (0, 1, 2, 3, 4, 7):
        most = max(most, np.abs(knobs[k]).max())
    return most > 0.0


@njit(error_model="numpy")
def keep(tile, begin, steps, starts, periods, counts, knobs, rows, done, out):
    """Sample a tile as far as it is there, digitize it, and let the next one begin with its last row.

    Args:
        tile: As `through` leaves it; its row 0 is written to.
        begin: Step that the tile begins with.
        steps: How many steps it has.
        starts: Time of the first sample of each lane, in steps, shape (LANES,).
        periods: Sampling period of each lane, in steps, shape (LANES,).
        counts: Samples that each lane gives, shape (LANES,).
        knobs: As in `plug_in`.
        rows: Where each lane is written to, -1 for nowhere, shape (LANES,).
        done: Samples that are there already, shape (LANES,); read and written.
        out: Samples, shape (b, n), written to [mV or pA].
    """
    for lane in range(LANES):
        if rows[lane] >= 0:
            there = done[lane]
            kept = out[rows[lane], : counts[lane]]
            done[lane] = read_out(tile, lane, begin, steps, starts[lane], periods[lane], there, kept)
            digitize(kept[there : done[lane]], knobs[12, lane], knobs[13, lane])
    tile[0] = tile[steps]
