"""This file is the rig: the contract of everything that can be stimulated and answers."""

from __future__ import annotations

import contextlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType, TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from hardware.amplifier import Amplifier, Reading
from hardware.amplifier_watch import AmplifierWatch
from hardware.block import BLOCK, Block
from hardware.companion import Companion
from hardware.gain import ARBITRARY, Gain
from hardware.provenance import Provenance
from simulators.limits import Limits
from simulators.refusal import Refusal
from simulators.stimulus import Epoch, Stimulus

__all__ = ["ARBITRARY", "BLOCK", "Block", "Gain", "Provenance", "Rig", "RigClosed", "RigError", "RigLost"]


class RigError(Refusal):
    """A rig can't do what it was asked."""


class RigClosed(RigError):
    """A rig was used before it was opened or after it was closed."""


class RigLost(RigError):
    """Samples were lost.

    Args:
        samples: How many.
    """

    def __init__(self, samples: int) -> None:
        super().__init__(f"The rig lost {samples} samples: the sweep is not whole, record it again.")
        self.samples = samples


class Rig(ABC):
    """Something that plays a stimulus and answers in blocks: `with rig: for block in rig.play(stimulus)`.

    A driver writes `_open`, `_start`, `_read`, `_stop` and `_close`; what it can't forget is done here: the limits
    are checked before any output, `_stop` returns the cell to its exit state however a sweep ends, and where there is
    an amplifier to ask, nothing is put out while its mode does not fit, and a sweep during which it was changed is
    invalid.
    """

    rate: float
    """Sampling rate of the sweep being played, or of the next [kHz]."""
    limits: Limits
    """What may be put out."""
    exit_level: float = 0.0
    """Command at which the cell is left [pA]."""
    gains: Mapping[str, Gain] = MappingProxyType({})
    """Of "response" and "command", as far as they are known, and of each further channel by its name; where an
    amplifier tells them, as it last stood."""
    is_alive: bool = True
    """Whether what is put out may reach a cell that lives, which then needs its rest and its safety."""

    def __init__(self) -> None:
        self._is_open = False
        self._is_playing = False
        self._stopping = threading.Event()
        self._watch = AmplifierWatch()
        self._companion: Companion | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Take hold of the device; a second time does nothing."""
        if self._is_open:
            return
        with contextlib.ExitStack() as stack:
            if self._companion is not None:
                self._companion.open()
                stack.callback(self._companion.close)
            self._watch.open()
            stack.callback(self._watch.close)
            self._open()
            self._is_open = True
            if self._companion is not None:
                # Whatever it does, the rig is closed first.
                stack.callback(self._release)
                self._companion.begin()
            stack.pop_all()

    def close(self) -> None:
        """Stop, return to the exit state and let go of the device; a second time does nothing."""
        if self._is_open:
            with contextlib.ExitStack() as stack:
                if self._companion is not None:
                    stack.callback(self._companion.close)
                stack.callback(self._watch.close)
                self._release()

    def ask(self, amplifier: Amplifier | None) -> None:
        """Have an amplifier read before and after each sweep, from the next opening on.

        Args:
            amplifier: Who is asked; None asks nobody.

        Raises:
            RigError: If the rig is open.
        """
        if self._is_open:
            raise RigError("The rig is open: say which amplifier is asked before that.")
        self._watch = AmplifierWatch(amplifier)

    def accompany(self, companion: Companion | None) -> None:
        """Have another device act on the cell, from the next opening of the rig to its closing.

        Args:
            companion: Opened before the rig and closed after it; None has none.

        Raises:
            RigError: If the rig is open.
        """
        if self._is_open:
            raise RigError("The rig is open: say what stands beside it before that.")
        self._companion = companion

    @property
    def added(self) -> str | None:
        """Conductances that are added to the cell by a dynamic clamp, as a list with units, or None."""
        return None if self._companion is None else self._companion.added

    def seen(self, stimulus: Stimulus) -> Stimulus:
        """Say what the cell will get of a stimulus: the command, and the holding that the amplifier tells.

        Args:
            stimulus: What is to be put out.

        Returns:
            What the cell gets.

        Raises:
            RigClosed: If the rig is not open.
            AmplifierError: If the amplifier can't be read, its mode does not fit the stimulus, or its gain not the
                rig's.
            ValueError: If both together leave the limits.
        """
        self._check_open()
        self._watch.expect(stimulus.clamp)
        self._follow()
        seen = stimulus.raised(self._watch.injected)
        self.limits.check(seen)
        return seen

    def play(self, stimulus: Stimulus) -> Iterator[Block]:
        """Put out a stimulus and yield what the cell answers, as it comes.

        Nothing is put out before the first block is asked for. However it ends (the last sample, `stop`, an error,
        or an abandoned generator), the cell is back in its exit state.

        Args:
            stimulus: What to put out.

        Returns:
            Blocks of at most 20 ms, in order, together with what was lost as long as the stimulus unless it was
                stopped.

        Raises:
            RigClosed: If the rig is not open.
            RigError: If it is still playing, or does not have this stimulus.
            AmplifierError: If the amplifier can't be read, or its mode or its gain does not fit.
            RigLost: If samples were lost and the rig can't say where; else the next block says it.
            ValueError: If the stimulus leaves the limits.
        """
        self._check_open()
        self.limits.check(stimulus)
        self._check(stimulus)
        return self._play(partial(self._start, stimulus), stimulus)

    def hold(self, level: float) -> Generator[Block, None, None]:
        """Hold a command and yield what the cell does, without a gap, until `stop`.

        Args:
            level: The command, in current clamp [pA].

        Returns:
            Blocks, as `play`.

        Raises:
            RigClosed: If the rig is not open.
            RigError: If it is still playing, or plays sweeps only.
            ValueError: If the level leaves the limits.
        """
        self._check_open()
        moment = Stimulus("current", (Epoch(level, 1.0), Epoch(level, 1.0)))
        self.limits.check(moment)
        return self._play(partial(self._hold, level), moment)

    @property
    def origin(self) -> Provenance:
        """Where the sweep being played, or last played, comes from, its gains, and how the amplifier stood before."""
        return replace(self.provenance.behind(self._watch.reading), gains=dict(self.gains))

    @property
    def invalid(self) -> str | None:
        """Why the sweep that was played last can't be used: what was changed at the amplifier, or None."""
        return self._watch.invalid

    def telegraphs(self) -> Mapping[str, npt.NDArray[np.float64]]:
        """Sample the amplifier's analog telegraphs; by default a rig has none.

        Returns:
            Voltages by the telegraph's name, some milliseconds of each, shape (n,) [V].

        Raises:
            RigError: If this rig has none.
        """
        raise RigError("This rig has no channels for an amplifier's telegraphs: enter the settings by hand.")

    def stop(self) -> None:
        """End the sweep within one block; may be called from any thread."""
        self._stopping.set()

    @property
    @abstractmethod
    def provenance(self) -> Provenance:
        """Where the sweep being played, or last played, comes from."""

    def _release(self) -> None:
        """Return to the exit state and let go of the rig's own device."""
        self._is_open = False
        self._stopping.set()
        try:
            if self._is_playing:
                self._stop()
        finally:
            self._is_playing = False
            self._close()

    def _play(self, begin: Callable[[], None], stimulus: Stimulus) -> Generator[Block, None, None]:
        self._check_open()
        if self._is_playing:
            raise RigError("The rig is still playing a stimulus: stop it, or read it to its end, before the next.")
        self._is_playing = True
        self._stopping.clear()
        try:
            self._watch.begin(stimulus.clamp)
            self._follow()
            self.limits.check(stimulus.raised(self._watch.injected))
            begin()
            while not self._stopping.is_set():
                if self._companion is not None:
                    self._companion.check()
                block = self._read()
                if block is None:
                    return
                yield from _split(block.raised(self._watch.injected), self.rate)
                if not self._is_open:
                    raise RigClosed("The rig was closed while it played: open it and play the stimulus again.")
        finally:
            if self._is_playing:
                self._is_playing = False
                self._stop()
                self._watch.end()

    def _follow(self) -> None:
        if self._watch.reading is not None:
            self._tune(self._watch.reading)

    def _check_open(self) -> None:
        if not self._is_open:
            raise RigClosed("The rig is closed: open it first, for instance with `with rig:`.")

    def _check(self, stimulus: Stimulus) -> None:
        """Refuse a stimulus that this rig in particular can't play; by default there is none."""
        return

    def _tune(self, reading: Reading) -> None:
        """Take the scales that an amplifier tells, or refuse it, before each sweep; by default they do not depend."""
        return

    @abstractmethod
    def _open(self) -> None:
        """Take hold of the device, output at the exit level."""

    @abstractmethod
    def _start(self, stimulus: Stimulus) -> None:
        """Begin to put out a stimulus."""

    def _hold(self, level: float) -> None:
        """Begin to hold a command until `_stop`, acquiring all the while; by default a rig can't."""
        raise RigError("This rig plays sweeps only: ask for a protocol of steps, or use a rig that can hold a command.")

    @abstractmethod
    def _read(self) -> Block | None:
        """Wait for the next samples, or return None after the last; return early where `_stopping` is set."""

    @abstractmethod
    def _stop(self) -> None:
        """Return the output to the exit level, whatever state it is in."""

    @abstractmethod
    def _close(self) -> None:
        """Let go of the device."""


def _split(block: Block, rate: float) -> Iterator[Block]:
    """Cut what a driver read into blocks of at most 20 ms."""
    size = max(1, int(BLOCK * rate))
    if block.response.size <= size:
        yield block
        return
    for k in range(0, block.response.size, size):
        yield block.part(k, k + size)
