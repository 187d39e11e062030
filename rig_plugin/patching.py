"""This file is the patching: a test pulse again and again, from the bath to the whole cell, until somebody ends it.

Nothing is inferred and nothing recorded; who listens sees each pulse as it comes, and what it says of the patch.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from hardware.pulse import CURRENT, VOLTAGE, Pulse
from hardware.rig import Block, Rig
from rig_plugin import opening
from rig_plugin.account import Account
from rig_plugin.audience import Audience, Listener
from rig_plugin.membrane_tests import Tested, membrane_tests
from rig_plugin.reel import Reel
from rig_plugin.settings import Settings, SettingsError
from rig_plugin.stretch import further
from simulators.stimulus import Clamp, Stimulus

__all__ = ["Patching"]


class Patching:
    """Membrane tests on one rig.

    Args:
        settings: Of the rig; in current clamp the protocol's holding is where the pulses start from.
        clamp: In which they are played.
        count: How many tests; infinite until it is stopped.
        listeners: Who is told.

    Raises:
        SettingsError: If it is asked in voltage clamp before a cell, and no amplifier tells its mode.
    """

    def __init__(
        self, settings: Settings, clamp: Clamp, count: float = math.inf, listeners: Sequence[Listener] = ()
    ) -> None:
        self._pulse: Pulse = VOLTAGE if clamp == "voltage" else replace(CURRENT, holding=settings.protocol.holding)
        # Only of a simulated amplifier is the filter known here.
        self._corner = settings.electrode.corner if settings.rig.kind == "model-cell" else 0.0
        # A simulated patch has its own time, in which there is a test a second.
        self._rig: Rig = opening.rig(replace(settings, protocol=replace(settings.protocol, interval=1000.0)))
        self._rules, self._count = settings.quality, count
        self._reel = Reel()
        self._audience, self._account = Audience(listeners), Account(self._reel)
        self._ending = threading.Event()
        self._place = 0
        if clamp == "voltage" and self._rig.is_alive and settings.amplifier.kind is None:
            raise SettingsError(
                "Nobody tells the amplifier's mode, and a holding of -70 mV that is meant for voltage clamp is more "
                "than a nanoampere into a cell in current clamp: nothing is put out; connect a telegraph, or, where "
                'you know that it is in voltage clamp, say so in the rig file: kind = "manual" and mode = "voltage" '
                "in [amplifier]."
            )

    def stop(self) -> None:
        """End within one block; may be called from any thread."""
        self._ending.set()
        self._rig.stop()

    def end(self) -> None:
        """End as soon as can be, for half a test is worth nothing; may be called from any thread."""
        self.stop()

    def note(self) -> None:
        """Hold this moment, as in a session."""
        self._account.note()

    def mark(self, text: str = "") -> None:
        """Count a moment; nothing is recorded in which it could be found again.

        Args:
            text: What for.
        """
        self._account.mark(text)

    def record(self, on: bool, folder: Path | None = None) -> None:
        """Refuse: what is played while a cell is being patched is not recorded.

        Args:
            on: Whether it should be.
            folder: Where.
        """
        self._reel.ask(on, folder)
        self._reel.turn()

    def look(self, names: Sequence[str]) -> None:
        """Do nothing: membrane tests have no posterior to look at.

        Args:
            names: Of the parameters of a session.
        """

    def gate(self, mode: str) -> None:
        """Do nothing: membrane tests follow one another by themselves.

        Args:
            mode: Of a session.
        """

    def go(self) -> None:
        """Do nothing: no test waits."""

    def skip(self) -> None:
        """Do nothing: no test waits."""

    def run(self) -> None:
        """Test until the count is reached or it is stopped."""
        for _ in self.tests():
            pass

    def tests(self) -> Iterator[Tested]:
        """Test, and give each test when it is read, judged and told.

        Yields:
            The tests.

        Raises:
            RigError: As `membrane_tests`; listeners have been told, and the cell is at its exit level.
        """
        reason: str | None = None
        try:
            with self._rig as rig:
                tested = membrane_tests(
                    rig, self._pulse, self._count, self._rules, corner=self._corner, heard=self._hear
                )
                while not self._ending.is_set():
                    one = next(tested, None)
                    if one is None:
                        return
                    self._place = 0
                    self._audience.tell("tested", one)
                    yield one
        except GeneratorExit:
            raise
        except Exception as error:
            reason = str(error)
            raise
        finally:
            self._audience.tell("ended", reason)

    def _hear(self, stimulus: Stimulus, block: Block) -> None:
        if self._place == 0:
            self._account.expect(len(stimulus.command(self._rig.rate)))
            units = further(block, self._rig.gains)
            self._audience.tell("started", stimulus, self._rig.rate, None, *filter(None, [units]))
        whole = block.whole
        self._place += whole.response.size
        self._account.take(block)
        self._audience.tell("block", whole.response, whole.command, *filter(None, [whole.others]))
        self._audience.tell("status", self._account.status())
        if self._ending.is_set():
            # A stop that came just before the rig began to play was forgotten by it.
            self._rig.stop()
