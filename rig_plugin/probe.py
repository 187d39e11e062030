"""This file is the probe: membrane tests in the middle of a session, on its own rig.

They are read and judged as they are while a cell is patched, and told. Their samples are recorded apart from the
sweeps, each with what was read off it, and nothing is inferred from them.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hardware.pulse import Pulse
from hardware.rig import Block, Rig
from rig_plugin.account import Account
from rig_plugin.membrane_tests import Tested, membrane_tests
from rig_plugin.quality_settings import QualitySettings
from rig_plugin.stretch import further
from simulators.stimulus import Stimulus

__all__ = ["Probe"]


@dataclass(frozen=True, eq=False)
class Probe:
    """A wish for membrane tests.

    Args:
        pulse: That is played.
        rules: That each test is held against.
        heard: Is given each test and when it began, and tells whether that was enough.
        corner: Corner of the amplifier's low-pass where no amplifier tells it; 0 where nobody does [kHz].
    """

    pulse: Pulse
    rules: QualitySettings
    heard: Callable[[Tested, datetime], bool]
    corner: float = 0.0

    def play(self, rig: Rig, tell: Callable[..., None], ending: threading.Event, account: Account) -> None:
        """Play tests until they are enough or the session is to end.

        Args:
            rig: Open.
            tell: Is called with the name of a listener's method and its arguments, for each block and each test.
            ending: Set when the session is to end.
            account: Has the recorder, which may be changed between two tests, and counts what came.

        Raises:
            RigError: As `membrane_tests`.
        """
        begun = False

        def hear(stimulus: Stimulus, block: Block) -> None:
            nonlocal begun
            if not begun:
                begun = True
                account.expect(len(stimulus.command(rig.rate)))
                if account.recorder is not None:
                    account.recorder.start_test(stimulus, rig.rate, rig.origin)
                tell("started", stimulus, rig.rate, None, *filter(None, [further(block, rig.gains)]))
            if account.recorder is not None:
                account.recorder.append(block)
            account.take(block)
            whole = block.whole
            tell("block", whole.response, whole.command, *filter(None, [whole.others]))
            tell("status", account.status())
            if ending.is_set():
                # Half a test is worth nothing.
                rig.stop()

        for tested in membrane_tests(rig, self.pulse, math.inf, self.rules, corner=self.corner, heard=hear):
            begun = False
            if account.recorder is not None:
                account.recorder.finish_test(tested.to_json())
            tell("tested", tested)
            enough = self.heard(tested, rig.origin.start or datetime.now().astimezone())
            if enough or ending.is_set():
                return
            account.turn(tell)
        # One that was broken off brings no more.
        account.settle()
