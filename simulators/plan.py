"""This file is the plan: all that a worker is given to make one chunk of cells, and how it makes it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from simulators.origin import code, describe, find, name
from simulators.parameter import Parameter
from simulators.refusal import Refusal
from simulators.simulator import Simulator
from simulators.stimulus import Stimulus

__all__ = ["Batch", "BatchError", "Plan", "Summary"]

Summary = Callable[[npt.NDArray[np.float64], Stimulus, float], npt.NDArray[np.float64]]
"""Takes responses of shape (b, n), their stimulus and rate [kHz]; gives values of shape (b, f)."""


class BatchError(Refusal):
    """A simulation can't be begun or finished; the message says why, and what to do."""


@dataclass(frozen=True, eq=False)
class Batch:
    """One chunk: cells from the prior, each under every stimulus.

    Args:
        theta: Shape (b, p), in the order and units of the prior.
        responses: One array for each stimulus, shape (b, n), float32 [mV or pA]; none where they were summarized.
        values: What the summary made of them, shape (b, stimuli, f), or None without one.
        blown_up: Sweeps that are NaN.
    """

    theta: npt.NDArray[np.float64]
    responses: tuple[npt.NDArray[np.float32], ...]
    values: npt.NDArray[np.float64] | None
    blown_up: int


@dataclass(frozen=True)
class Plan:
    """Everything but the chunk's number; plain data, for it travels.

    Args:
        simulator: Of a class that can be imported.
        prior: Of its parameters, in their order and within their bounds.
        stimuli: At least one.
        rate: Sampling rate [kHz].
        seed: From 0 to 2^63 - 1.
        chunk: Cells in a chunk.
        summary: Name of the function that takes the place of the responses, or None to keep them.

    Raises:
        BatchError: If any of this does not hold.
    """

    simulator: Simulator
    prior: tuple[Parameter, ...]
    stimuli: tuple[Stimulus, ...]
    rate: float
    seed: int
    chunk: int
    summary: str | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rate) and self.rate > 0):
            raise BatchError(f"Sampling rate is {self.rate} kHz, a positive one was wanted.")
        if not 0 <= self.seed < 2**63:
            raise BatchError(f"The seed is {self.seed}, a number from 0 to 2^63 - 1 was wanted.")
        if self.chunk < 1:
            raise BatchError(f"A chunk of {self.chunk} cells was asked for, at least 1 was wanted.")
        if not self.stimuli:
            raise BatchError("No stimulus was given, at least one was wanted.")
        ours, theirs = (
            [(parameter.name, parameter.unit) for parameter in parameters]
            for parameters in (self.prior, self.simulator.parameters)
        )
        if ours != theirs:
            given, wanted = (", ".join(f"{label} [{unit}]" for label, unit in pairs) for pairs in (ours, theirs))
            raise BatchError(f"The prior is of {given}; the simulator's parameters were wanted: {wanted}.")
        for drawn, wide in zip(self.prior, self.simulator.parameters, strict=True):
            if not wide.low <= drawn.low < drawn.high <= wide.high:
                raise BatchError(
                    f"The prior of {drawn.name} reaches from {drawn.low:g} to {drawn.high:g} {drawn.unit}, within "
                    f"{wide.low:g} to {wide.high:g} {wide.unit} was wanted."
                )

    def origin(self) -> dict[str, Any]:
        """Describe what every number of this plan is made from, code included.

        Returns:
            As JSON holds it.

        Raises:
            OriginError: If the simulator or summary is not to be found by its name, or an attribute is no plain data.
        """
        kind = type(self.simulator)
        made_by = [kind, Plan] + ([find(self.summary)] if self.summary else [])
        return {
            "simulator": [name(kind), describe(vars(self.simulator))],
            "prior": [[p.name, p.unit, p.low, p.high, p.scale] for p in self.prior],
            "stimuli": describe(self.stimuli),
            "rate": float(self.rate),
            "seed": int(self.seed),
            "chunk": int(self.chunk),
            "summary": self.summary,
            "code": code(*made_by),
        }

    def make(self, number: int) -> Batch:
        """Make one chunk.

        Args:
            number: Its number.

        Returns:
            The chunk; what blew up is NaN in it.

        Raises:
            BatchError: If the simulator or summary raised anything; it names the chunk and its seed.
        """
        try:
            return self._make(number)
        except Exception as error:
            raise BatchError(
                f"Chunk {number} (seed {self.seed}, spawn key {number}) failed with {type(error).__name__}: "
                f"{str(error).rstrip('.')}. The chunks in the file are kept; mend this and run again."
            ) from error

    def _make(self, number: int) -> Batch:
        # One stream for theta and one for each stimulus: how much one draws does not shift the others.
        streams = np.random.SeedSequence(self.seed, spawn_key=(number,)).spawn(1 + len(self.stimuli))
        first, *others = (np.random.default_rng(stream) for stream in streams)
        u = first.standard_normal((self.chunk, len(self.prior)))
        theta = np.stack([parameter.constrain(u[:, k]) for k, parameter in enumerate(self.prior)], axis=1)
        summarize: Summary | None = find(self.summary) if self.summary else None
        kept, values, blown_up = [], [], 0
        for stimulus, rng in zip(self.stimuli, others, strict=True):
            response = self.simulator.simulate(theta, stimulus, self.rate, rng)
            blown = np.asarray(~np.isfinite(response).all(axis=1))
            blown_up += int(blown.sum())
            if summarize is None:
                kept.append(response.astype(np.float32))
            else:
                values.append(self._summarized(summarize, response, stimulus, blown))
        return Batch(theta, tuple(kept), np.stack(values, axis=1) if values else None, blown_up)

    def _summarized(
        self, summarize: Summary, response: npt.NDArray[np.float64], stimulus: Stimulus, blown: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.float64]:
        """Take a summary's values, and none of what blew up."""
        values = np.array(summarize(response, stimulus, self.rate), dtype=np.float64)
        if values.ndim != 2 or len(values) != self.chunk:
            raise ValueError(f"{self.summary} gave the shape {values.shape}, ({self.chunk}, f) was wanted.")
        values[blown] = np.nan
        return values
