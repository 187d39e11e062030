"""This file is the chronicle: a session as it came, all channels on one axis of time, with what began or was marked."""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from rig_plugin.feed import Live
from rig_plugin.widgets.pyramid import Pyramid

__all__ = ["Chronicle", "Flag"]

_FLAGS = 20_000
_PAGE_TURN = 1.0

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Flag:
    """A moment with a name.

    Args:
        place: Sample of the session at which it is.
        name: What is written beside it.
        is_mark: Whether it was marked; else something began there.
    """

    place: int
    name: str
    is_mark: bool = False


class Chronicle:
    """What came of a session since its first sweep.

    A sweep lies where it began by the clock, or right after the one before it where a replay is faster than the clock;
    between sweeps there is nothing. Where the clamp, the rate or the channels change, it begins anew.
    """

    def __init__(self) -> None:
        self._channels: dict[str, Pyramid] = {}
        self._live: Live | None = None
        self._taken = 0
        self._first_begun = 0.0
        self._planned: Array | None = None
        self._flags: list[Flag] = []
        self._held: int | None = None
        self._begun = 0

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come yet."""
        return not self._channels

    @property
    def rate(self) -> float:
        """Sampling rate [kHz]."""
        return self._live.rate if self._live else 1.0

    @property
    def channels(self) -> tuple[str, ...]:
        """Names of what is kept: "response", "command" and the further channels."""
        return tuple(self._channels)

    @property
    def oldest(self) -> float:
        """How far back it reaches [s]."""
        return self._time(next(iter(self._channels.values())).oldest) if self._channels else 0.0

    @property
    def newest(self) -> float:
        """Where the newest sample is [s]."""
        return self._time(self._count)

    def begin(self, live: Live) -> None:
        """Be told that a sweep begins.

        Args:
            live: The sweep as it comes in.
        """
        self.follow()
        before, names = self._live, ("response", "command", *live.units)
        if before is None or _kind(before) != _kind(live):
            self.clear()
            self._channels = {name: Pyramid() for name in names}
            self._first_begun = live.begun
        elif not _goes_on(before, live, self._pause(live)):
            missing = round(self._pause(live) * 1e3 * live.rate)
            for channel in self._channels.values():
                channel.skip(max(0, missing))
        self._live, self._taken, self._planned = live, 0, None
        self._begun += 1
        name = f"sweep {self._begun}" if live.file_sweep is None else f"file sweep {live.file_sweep}"
        self._plant(Flag(self._count, name))

    def follow(self) -> None:
        """Take in what has come of the running sweep since the last time."""
        live = self._live
        if live is None or live.count <= self._taken:
            return
        part = slice(self._taken, live.count)
        response = live.response[part]
        whole = {"response": response, "command": self._command(live, part, response), **live.others}
        for name, channel in self._channels.items():
            channel.append(whole[name] if name in ("response", "command") else whole[name][part])
        self._taken = part.stop

    def name(self, text: str) -> None:
        """Give the sweep that began last another name.

        Args:
            text: As it is written everywhere else.
        """
        starts = [place for place, flag in enumerate(self._flags) if not flag.is_mark]
        if starts:
            self._flags[starts[-1]] = replace(self._flags[starts[-1]], name=text)

    def note(self) -> None:
        """Hold this moment for the next mark that has a text."""
        self.follow()
        self._held = self._count

    def mark(self, text: str = "") -> None:
        """Mark this moment, or with a text the one that was held.

        Args:
            text: What for.
        """
        self.follow()
        place, self._held = (self._held, None) if text and self._held is not None else (self._count, self._held)
        if self._channels:
            self._plant(Flag(place, text or "mark", is_mark=True))

    def clear(self) -> None:
        """Forget all."""
        self._channels, self._live, self._taken, self._held = {}, None, 0, None
        self._flags, self._begun = [], 0

    def envelope(self, name: str, start: float, end: float, pixels: int) -> tuple[Array, Array]:
        """Cut a channel to what a screen can show.

        Args:
            name: Of the channel.
            start: Left edge [s].
            end: Right edge [s].
            pixels: Width.

        Returns:
            Times [s] and values, NaN where there are none, shape (m,) each.
        """
        first, last = self._place(start) - 1, self._place(end) + 2
        places, values = self._channels[name].envelope(first, last, pixels)
        return places / (1e3 * self.rate), values

    def at(self, name: str, time: float) -> float:
        """Read a sample.

        Args:
            name: Of the channel.
            time: When [s].

        Returns:
            The nearest sample; NaN where there is none, or where only its envelope is still kept.
        """
        place = self._place(time)
        channel = self._channels.get(name)
        read = None if channel is None else channel.read(place, place + 1)
        return math.nan if read is None else float(read[0])

    def mean(self, name: str, start: float, end: float) -> float:
        """Average samples.

        Args:
            name: Of the channel.
            start: Of the first [s].
            end: Of the last, which counts too [s].

        Returns:
            Their mean; NaN where there are none, or where not all are kept.
        """
        channel = self._channels.get(name)
        return math.nan if channel is None else channel.mean(self._place(start), self._place(end) + 1)

    def flags(self, start: float, end: float) -> list[tuple[float, Flag]]:
        """Find what began or was marked.

        Args:
            start: From when on [s].
            end: Until when [s].

        Returns:
            When each was [s], and what it is, oldest first.
        """
        first = bisect_left(self._flags, self._place(start), key=lambda flag: flag.place)
        last = bisect_left(self._flags, self._place(end), key=lambda flag: flag.place)
        return [(self._time(flag.place), flag) for flag in self._flags[first:last]]

    @property
    def _count(self) -> int:
        return next(iter(self._channels.values())).count if self._channels else 0

    def _time(self, place: int) -> float:
        return place / (1e3 * self.rate)

    def _place(self, time: float) -> int:
        return round(time * 1e3 * self.rate)

    def _pause(self, live: Live) -> float:
        """Tell how long nothing came before a sweep [s]; negative where it came faster than the clock goes."""
        return live.begun - self._first_begun - self.newest

    def _plant(self, flag: Flag) -> None:
        # A mark that was held lies before what began since.
        self._flags.insert(bisect_left(self._flags, flag.place + 1, key=lambda other: other.place), flag)
        del self._flags[:-_FLAGS]

    def _command(self, live: Live, part: slice, response: Array) -> Array:
        """Give what was measured of the command, and what was put out where that was not measured."""
        command = live.command[part]
        unknown = np.isnan(command) & ~np.isnan(response)
        if not unknown.any():
            return command
        if self._planned is None:
            self._planned = live.stimulus.command(live.rate)
        known = np.full(command.size, np.nan)
        planned = self._planned[part]
        known[: planned.size] = planned
        return np.where(unknown, known, command)


def _kind(live: Live) -> tuple[object, ...]:
    """Tell what has to be the same for two sweeps to lie on the same axes."""
    return live.rate, live.stimulus.clamp, tuple(live.units.items())


def _goes_on(before: Live, live: Live, pause: float) -> bool:
    """Say whether a command is held over both, so that the one is but the next page of the other."""
    levels = {epoch.level for epoch in (*before.stimulus.epochs, *live.stimulus.epochs)}
    return len(levels) == 1 and before.count >= before.expected and pause < _PAGE_TURN
