"""This file is the bridge: it looks at the feed thirty times a second and when a message came, in Qt's thread."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from hardware.decision import Decision
from hardware.injection import Injection
from rig_plugin.dosing import Dosing
from rig_plugin.feed import (
    Ended,
    Finished,
    Guarded,
    Live,
    MembraneTested,
    Overlaid,
    RecordingStatus,
    Sliced,
    Source,
    Started,
)
from rig_plugin.proposal import Proposed
from rig_plugin.refined import Refined
from rig_plugin.trial import Trial
from rig_plugin.widgets.qt import QtCore, Signal

__all__ = ["Bridge"]

_INTERVAL = 33
_PATIENCE = 1.0


class Bridge(QtCore.QObject):
    """What turns a feed into Qt signals; the session never calls into Qt and never waits for it.

    All trials found at one look travel together, so that a fast replay draws once and not sixty times.

    Args:
        feed: Where the session leaves what it has.
        clock: Monotonic time [s]; another one for tests.
        parent: Owner, as in Qt.
    """

    started = Signal(object)
    grew = Signal(object)
    finished = Signal(object)
    overlaid = Signal(object)
    sliced = Signal(object)
    proposed = Signal(object)
    decided = Signal(object)
    dosed = Signal(object)
    refined = Signal(object)
    tested = Signal(object)
    guarded = Signal(object)
    injected = Signal(object)
    status_changed = Signal(object)
    ended = Signal(object)
    stalled = Signal(float)
    lagged = Signal(float)
    dropped = Signal(int)

    def __init__(
        self, feed: Source, clock: Callable[[], float] = time.monotonic, parent: QtCore.QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._feed = feed
        self._clock = clock
        self._status: RecordingStatus | None = None
        self._injection: Injection | None = None
        self._dropped = 0
        self._live: Live | None = None
        self._count = 0
        self._is_whole = False
        self._heard = self._looked = clock()
        self._stalled = False
        self._notifier: QtCore.QSocketNotifier | None = None
        self._wire: int | None = None
        self._timer = QtCore.QTimer(self)
        self._timer.setInterval(_INTERVAL)
        self._timer.timeout.connect(self.poll)

    def start(self) -> None:
        """Begin to look."""
        self._looked = self._clock()
        self._timer.start()
        self._listen()

    def stop(self) -> None:
        """Look no more; what is in the feed stays there."""
        self._timer.stop()
        self._let_go()

    def poll(self) -> None:
        """Look once and tell what is new, and last of all that nobody had looked for a while."""
        now = self._clock()
        since, self._looked = now - self._looked, now
        trials: list[Trial] = []
        after: list[Overlaid | Sliced | Proposed] = []
        for message in self._feed.take():
            if isinstance(message, Finished):
                trials.append(message.trial)
                self._live = None
                continue
            if isinstance(message, Overlaid | Sliced | Proposed):
                after.append(message)
                continue
            self._tell(trials, after)
            if isinstance(message, Started):
                self._begin(message.live)
            elif isinstance(message, MembraneTested):
                self.tested.emit(message.tested)
            elif isinstance(message, Guarded):
                self.guarded.emit(message.word)
            elif isinstance(message, Decision):
                self.decided.emit(message)
            elif isinstance(message, Dosing):
                self.dosed.emit(message)
            elif isinstance(message, Refined):
                self.refined.emit(message)
            elif isinstance(message, Ended):
                self._live = None
                self.ended.emit(message.reason)
        self._tell(trials, after)
        self._grow()
        self._report()
        self._listen()
        if since > _PATIENCE:
            self.lagged.emit(since)

    def _listen(self) -> None:
        """Be woken by a message where that is possible; a trial is not to wait for the next look."""
        wire = self._feed.wire if self._timer.isActive() and sys.platform != "win32" else None
        if wire == self._wire:
            return
        self._let_go()
        if wire is not None:
            self._wire = wire
            kind = QtCore.QSocketNotifier.Type.Read
            # Both bindings take an integer here, whatever their stubs say.
            self._notifier = QtCore.QSocketNotifier(wire, kind, self)  # type: ignore[arg-type]
            self._notifier.activated.connect(lambda *_: self.poll())

    def _let_go(self) -> None:
        if self._notifier is not None:
            self._notifier.setEnabled(False)
            self._notifier.deleteLater()
        self._notifier = self._wire = None

    def _begin(self, live: Live) -> None:
        self._live, self._count, self._is_whole = live, 0, False
        self._heard = self._clock()
        self.started.emit(live)

    def _tell(self, trials: list[Trial], after: list[Overlaid | Sliced | Proposed]) -> None:
        """Tell the trials together, and what belongs to the latest."""
        if trials:
            self.finished.emit(tuple(trials))
            trials.clear()
        for kind, signal in ((Overlaid, self.overlaid), (Sliced, self.sliced), (Proposed, self.proposed)):
            latest = next((message for message in reversed(after) if isinstance(message, kind)), None)
            if latest is not None:
                signal.emit(latest)
        after.clear()

    def _grow(self) -> None:
        """Tell that samples came, or for how long none did in the middle of a sweep, or nothing was heard at all."""
        live = self._live
        if self._feed.silence:
            self._stalled = True
            self.stalled.emit(self._feed.silence)
            return
        if live is None:
            self._calm()
            return
        if live.count > self._count:
            self._heard = self._clock()
            self._calm()
            # Its trial comes at any moment, and draws all of it: what is waited for is not kept waiting by that.
            self._is_whole = live.count >= live.expected and not self._is_whole
            if not self._is_whole:
                self._count = live.count
                self.grew.emit(live)
        silence = self._clock() - self._heard
        if silence > _PATIENCE and live.count < live.expected:
            self._stalled = True
            self.stalled.emit(silence)

    def _calm(self) -> None:
        if self._stalled:
            self._stalled = False
            self.stalled.emit(0.0)

    def _report(self) -> None:
        status = self._feed.recording
        if status is not None and status is not self._status:
            self._status = status
            self.status_changed.emit(status)
        injection = self._feed.injection
        if injection is not None and injection is not self._injection:
            self._injection = injection
            self.injected.emit(injection)
        if self._feed.dropped != self._dropped:
            self._dropped = self._feed.dropped
            self.dropped.emit(self._dropped)
