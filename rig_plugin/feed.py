"""This file is the feed: where a session leaves what it has, and where the window looks when it has time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import numpy as np
import numpy.typing as npt

from estimators.overlay import Overlay
from estimators.slices import Slices
from hardware.decision import Decision
from hardware.injection import Injection
from hardware.last_word import Word
from rig_plugin.dosing import Dosing
from rig_plugin.membrane_tests import Tested
from rig_plugin.proposal import Proposed
from rig_plugin.recording_status import RecordingStatus
from rig_plugin.refined import Refined
from rig_plugin.trial import Trial
from simulators.stimulus import Stimulus

__all__ = [
    "Ended", "Feed", "Finished", "Guarded", "Live", "MembraneTested", "Message", "Overlaid", "RecordingStatus",
    "Sliced", "Source", "Started",
]  # fmt: skip

_LONGEST = 4_000_000
_NONE: Mapping[str, str] = MappingProxyType({})
_NOTHING: Mapping[str, npt.NDArray[np.float64]] = MappingProxyType({})


class Live:
    """A sweep as it comes in: one thread appends, others read what is there.

    No lock is needed: samples are written before the count that uncovers them, and never again.

    Args:
        stimulus: What is being put out.
        rate: Sampling rate [kHz].
        file_sweep: Number of the sweep in the file that is replayed, or None.
        units: Unit of each further channel by its name.
        begun: When it began, on a clock that only its differences are looked at of [s]; None is now.
    """

    def __init__(
        self,
        stimulus: Stimulus,
        rate: float,
        file_sweep: int | None,
        units: Mapping[str, str] = _NONE,
        begun: float | None = None,
    ) -> None:
        self.stimulus = stimulus
        self.rate = rate
        self.file_sweep = file_sweep
        self.units = MappingProxyType(dict(units))
        self.begun = time.monotonic() if begun is None else begun
        self.expected = round(stimulus.duration * rate)
        self.count = 0
        self.unshown = 0
        room = min(self.expected + 1, _LONGEST)
        self._response = np.empty(room)
        self._command = np.full(room, np.nan)
        self._others = {name: np.full(room, np.nan) for name in units}

    @property
    def response(self) -> npt.NDArray[np.float64]:
        """What has come so far, shape (n,), read-only [mV or pA]."""
        return self._seen(self._response)

    @property
    def command(self) -> npt.NDArray[np.float64]:
        """What was measured of the command so far, shape (n,), NaN where it was not, read-only [pA or mV]."""
        return self._seen(self._command)

    @property
    def others(self) -> dict[str, npt.NDArray[np.float64]]:
        """What has come of the further channels so far, shape (n,) each, NaN where nothing did, read-only."""
        return {name: self._seen(samples) for name, samples in self._others.items()}

    def append(
        self,
        response: npt.NDArray[np.float64],
        command: npt.NDArray[np.float64] | None,
        others: Mapping[str, npt.NDArray[np.float64]] = _NOTHING,
    ) -> None:
        """Add a block; what runs past the end of the stimulus is counted, not kept.

        Args:
            response: Samples, shape (n,) [mV or pA].
            command: Samples, shape (n,) [pA or mV], or None where it is not measured.
            others: Samples of further channels, shape (n,) each; of those only that were named at the beginning.

        Raises:
            ValueError: If the shapes do not fit.
        """
        shapes = [None if each is None else each.shape for each in (response, command, *others.values())]
        if response.ndim != 1 or any(shape not in (None, shapes[0]) for shape in shapes):
            said = " and ".join(str(shape) for shape in shapes)
            raise ValueError(f"Block has shapes {said}; each time the same (n,) was wanted.")
        end = min(self.count + response.size, self._response.size)
        kept = end - self.count
        self._response[self.count : end] = response[:kept]
        if command is not None:
            self._command[self.count : end] = command[:kept]
        for name in self._others.keys() & others.keys():
            self._others[name][self.count : end] = others[name][:kept]
        self.unshown += response.size - kept
        self.count = end

    def _seen(self, samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        seen = samples[: self.count]
        seen.setflags(write=False)
        return seen


@dataclass(frozen=True)
class Started:
    """A sweep began."""

    live: Live


@dataclass(frozen=True)
class Finished:
    """A sweep is over and was read."""

    trial: Trial


@dataclass(frozen=True, eq=False)
class Overlaid:
    """What the cells of a trial's posterior do was simulated."""

    trial: int
    overlay: Overlay


@dataclass(frozen=True)
class MembraneTested:
    """A membrane test that is no part of a sweep was read and judged."""

    tested: Tested


@dataclass(frozen=True)
class Guarded:
    """A guardian had to act, or should have."""

    word: Word


@dataclass(frozen=True)
class Ended:
    """The session is over; the reason is a sentence where something went wrong."""

    reason: str | None


@dataclass(frozen=True, eq=False)
class Sliced:
    """A trial's posterior was sliced along what is looked at."""

    trial: int
    slices: Slices


Message = (
    Started | Finished | Overlaid | MembraneTested | Guarded | Ended | Sliced | Proposed | Decision | Dosing | Refined
)


class Source(Protocol):
    """Where the window looks for what a session did, whichever process that runs in."""

    @property
    def recording(self) -> RecordingStatus | None:
        """The newest status, or None before the first."""

    @property
    def injection(self) -> Injection | None:
        """How the device beside the rig stands, or None where there is none."""

    @property
    def dropped(self) -> int:
        """Messages that fell out before the window looked; exact after each `take`."""

    @property
    def silence(self) -> float:
        """For how long nothing was heard of who runs the session [s]; 0 where it is well."""

    @property
    def wire(self) -> int | None:
        """File descriptor on which something can be read when a message came; None where there is none."""

    def take(self) -> tuple[Message, ...]:
        """Hand over the messages that came since the last call, oldest first; for one reader."""


class Feed:
    """A listener for a session that never keeps it waiting, and a source for a window that may be slow.

    The session's methods only store: no lock, no queue that can be full. When the window does not look for
    long, the oldest messages fall out and are counted; the file is not touched by that.

    Args:
        messages: How many messages are kept for the window.

    Raises:
        ValueError: If no message would be kept.
    """

    def __init__(self, messages: int = 64) -> None:
        if messages < 1:
            raise ValueError(f"Feed would keep {messages} messages, at least 1 was wanted.")
        self._messages: deque[tuple[int, Message]] = deque(maxlen=messages)
        self._sent = 0
        self._taken = 0
        self._dropped = 0
        self._live: Live | None = None
        self._recording: RecordingStatus | None = None
        self._injection: Injection | None = None

    def started(
        self, stimulus: Stimulus, rate: float, file_sweep: int | None, units: Mapping[str, str] = _NONE
    ) -> None:
        """Be told that a sweep begins.

        Args:
            stimulus: What is being put out.
            rate: Sampling rate [kHz].
            file_sweep: Number of the sweep in the file that is replayed, or None.
            units: Unit of each further channel by its name.
        """
        self._live = Live(stimulus, rate, file_sweep, units)
        self._send(Started(self._live))

    def block(
        self,
        response: npt.NDArray[np.float64],
        command: npt.NDArray[np.float64] | None,
        others: Mapping[str, npt.NDArray[np.float64]] = _NOTHING,
    ) -> None:
        """Be given the next samples of the running sweep; they are copied.

        Args:
            response: Samples, shape (n,) [mV or pA].
            command: Samples, shape (n,) [pA or mV], or None where it is not measured.
            others: Samples of further channels by their names, shape (n,) each.

        Raises:
            ValueError: If no sweep began, or the shapes do not fit.
        """
        if self._live is None:
            raise ValueError(f"A block of {response.size} samples came before any sweep; call started() first.")
        self._live.append(response, command, others)

    def finished(self, trial: Trial) -> None:
        """Be given the sweep that ended, with all that was made of it.

        Args:
            trial: The frozen trial.
        """
        self._send(Finished(trial))

    def overlaid(self, trial: int, overlay: Overlay) -> None:
        """Be given what the cells of a trial's posterior do.

        Args:
            trial: Its number.
            overlay: The frozen band.
        """
        self._send(Overlaid(trial, overlay))

    def sliced(self, trial: int, slices: Slices) -> None:
        """Be given frozen slices of the posterior of a trial, by its number."""
        self._send(Sliced(trial, slices))

    def tested(self, tested: Tested) -> None:
        """Be given a membrane test, read and judged."""
        self._send(MembraneTested(tested))

    def proposed(self, proposed: Proposed) -> None:
        """Be given the frozen proposal of the next sweep."""
        self._send(proposed)

    def decided(self, decision: Decision) -> None:
        """Be given the frozen decision of a script."""
        self._send(decision)

    def dosed(self, dosing: Dosing) -> None:
        """Be told how a virtual drug stands."""
        self._send(dosing)

    def refined(self, refined: Refined) -> None:
        """Be given the frozen refinement of a posterior."""
        self._send(refined)

    def status(self, status: RecordingStatus) -> None:
        """Be told how the recording is doing; only the newest word counts.

        Args:
            status: The frozen status.
        """
        self._recording = status

    def beside(self, injection: Injection) -> None:
        """Be told how a device beside the rig stands; only the newest word counts.

        Args:
            injection: The frozen state.
        """
        self._injection = injection

    def ended(self, reason: str | None) -> None:
        """Be told that the session is over.

        Args:
            reason: A sentence where something went wrong, else None.
        """
        self._send(Ended(reason))

    @property
    def live(self) -> Live | None:
        """The sweep that came in last, or None before the first."""
        return self._live

    @property
    def recording(self) -> RecordingStatus | None:
        """The newest status, or None before the first."""
        return self._recording

    @property
    def injection(self) -> Injection | None:
        """How the device beside the rig stands, or None where there is none."""
        return self._injection

    @property
    def dropped(self) -> int:
        """Messages that fell out before the window looked; exact after each `take`."""
        return self._dropped

    @property
    def silence(self) -> float:
        """None: a session in this process lives as long as it."""
        return 0.0

    @property
    def wire(self) -> int | None:
        """None: what this process leaves has to be looked for."""
        return None

    def take(self) -> tuple[Message, ...]:
        """Hand over the messages that came since the last call, oldest first; for one reader.

        Returns:
            Messages; the ones that fell out are missing and counted in `dropped`.
        """
        taken: list[Message] = []
        while self._messages:
            number, message = self._messages.popleft()
            self._dropped += number - self._taken
            self._taken = number + 1
            taken.append(message)
        return tuple(taken)

    def _send(self, message: Message) -> None:
        """Store one message with its number: a gap in the numbers is what was dropped, without a lock."""
        self._messages.append((self._sent, message))
        self._sent += 1
