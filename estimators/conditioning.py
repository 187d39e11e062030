"""This file is the conditioning: every recording is brought to one rate and one bandwidth before it is measured.

A Gaussian of 3 kHz (-3 dB) read out at 20 kHz. Each output is one weighted sum over the samples within 0.15 ms,
always taken in the same order, so that it is the same number however the stream was cut into blocks.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

import simulators.compiled  # noqa: F401 - chooses the cache folder before anything is compiled

__all__ = ["BANDWIDTH", "RATE", "REACH", "condition", "weights"]

RATE = 20.0
"""Rate at which features are taken [kHz]."""

BANDWIDTH = 3.0
"""Corner (-3 dB) of the Gaussian low-pass [kHz]."""

REACH = 0.15
"""How far to either side the low-pass looks [ms]."""

_PHASES = 64


def weights(rate: float) -> npt.NDArray[np.float64]:
    """Tabulate the low-pass for a sampling rate.

    Args:
        rate: Sampling rate of the recording [kHz].

    Returns:
        Weight of each neighbouring sample for each of 65 phases of the output between two samples, shape (65, taps);
        a phase is rounded to 1/64 of a sample, which is exact at 10, 20, 25, 40, 50 and 100 kHz.
    """
    deviation = math.sqrt(math.log(2.0)) / (2.0 * math.pi * BANDWIDTH)
    half = max(1, math.floor(REACH * rate))
    taps = np.arange(-half, half + 2)
    phases = np.arange(_PHASES + 1) / _PHASES
    time = (taps[None, :] - phases[:, None]) / rate
    table = np.exp(-0.5 * (time / deviation) ** 2)
    return np.asarray(np.where(np.abs(time) <= max(REACH, 1.0 / rate) + 1e-9, table, 0.0))


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def condition(samples, available, complete, rate, table, out, done):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Condition as far as the samples reach.

    Args:
        samples: The sweep so far, shape (>= available,) [mV].
        available: How many samples there are.
        complete: Whether there will be no more; else outputs whose neighbours are still to come wait.
        rate: Their sampling rate [kHz].
        table: From `weights(rate)`.
        out: Conditioned trace at `RATE`, shape (m,), written from `done` on [mV].
        done: How many outputs are there already.

    Returns:
        How many outputs are there now.
    """
    half = table.shape[1] // 2 - 1
    taps = table.shape[1]
    ratio = rate / RATE
    whole = np.zeros(len(table))
    for phase in range(len(table)):
        for tap in range(taps):
            whole[phase] += table[phase, tap]
    while done < out.shape[0]:
        position = done * ratio
        before = int(position)
        if before + half + 1 >= available and not complete:
            break
        if before >= available:
            break
        phase = int((position - before) * _PHASES + 0.5)
        first = before - half
        total = 0.0
        if first >= 0 and first + taps <= available:
            for tap in range(taps):
                total += table[phase, tap] * samples[first + tap]
            out[done] = total / whole[phase]
        else:
            weight = 0.0
            for tap in range(taps):
                if 0 <= first + tap < available:
                    total += table[phase, tap] * samples[first + tap]
                    weight += table[phase, tap]
            out[done] = total / weight
        done += 1
    return done
