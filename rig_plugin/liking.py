"""This file is the liking: it sees how the window is arranged by its user, remembers it, and undoes it when asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rig_plugin.history import History
from rig_plugin.preferences import LARGEST, SMALLEST, Preferences, keep, place, remembered
from rig_plugin.widgets.qt import QtCore
from rig_plugin.widgets.theme import DARK, LIGHT, Theme
from rig_plugin.window import Window

__all__ = ["Liking"]

_STEP = 0.1
_QUIET = 500


class Liking(QtCore.QObject):
    """Theme, letters, places of the panels, what is followed and whether sweeps wait, of the window over one rig.

    Args:
        key: Of the preparation.
        window: Over it.
    """

    def __init__(self, key: str, window: Window) -> None:
        super().__init__(window)
        self._file, self._window = place(key), window
        self._is_applying = False
        self.history = History(remembered(self._file))
        # A handle that is dragged tells of a hundred places; the last one counts.
        self._timer = QtCore.QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_QUIET)
        self._timer.timeout.connect(self.look)
        self._apply(self.history.now)
        window.worn.connect(lambda _: self.look())
        window.evolution.chosen.connect(lambda _: self.look())
        window.protocol.gated.connect(lambda _: self.look())
        window.pairs.looked.connect(lambda _: self._timer.start())
        window.docks.rearranged.connect(self._timer.start)

    @property
    def now(self) -> Preferences:
        """What holds."""
        return self.history.now

    def look(self) -> None:
        """See what the window is like, and remember it."""
        if self._is_applying:
            return
        window, theme = self._window, self._window.theme
        followed, pairs = window.evolution.followed, tuple(window.pairs.names)
        waits = window.protocol.next.mode == "accept"
        seen = replace(self.now, theme=theme.name, scale=theme.scale, followed=followed, pairs=pairs, waits=waits)
        if window.isVisible():
            seen = replace(seen, layout=window.docks.layout_bytes())
        if self.history.take(seen):
            self.keep()

    def scale(self, steps: int) -> None:
        """Make all letters larger or smaller.

        Args:
            steps: Of a tenth; 0 for as at first.
        """
        scale = round(min(max(self.now.scale + _STEP * steps, SMALLEST), LARGEST), 1) if steps else 1.0
        self._window.wear(replace(self._window.theme, scale=scale))

    def undo(self) -> bool:
        """Go back to what was before.

        Returns:
            Whether there was something.
        """
        self.look()
        return self._go(self.history.undo())

    def redo(self) -> bool:
        """Go forward again to what was undone.

        Returns:
            Whether there was something.
        """
        return self._go(self.history.redo())

    def amend(self, preferences: Preferences) -> None:
        """Remember what cannot be undone, such as what was opened.

        Args:
            preferences: What holds, changed.
        """
        self.history.amend(preferences)
        self.keep()

    def keep(self) -> None:
        """Write it."""
        keep(self._file, self.now)

    def opened(self, file: Path) -> None:
        """Remember a file that was opened.

        Args:
            file: Which.
        """
        self.amend(self.now.opened(file))

    def _go(self, preferences: Preferences | None) -> bool:
        if preferences is None:
            return False
        self._apply(preferences)
        self.keep()
        return True

    def _apply(self, preferences: Preferences) -> None:
        self._is_applying = True
        try:
            self._window.wear(_theme(preferences))
            self._window.protocol.next.auto.setChecked(not preferences.waits)
            if preferences.followed:
                self._window.evolution.choose(preferences.followed)
            if preferences.pairs:
                self._window.pairs.choose(preferences.pairs)
            if not (preferences.layout and self._window.docks.restore(preferences.layout)) and self._window.isVisible():
                self._window.docks.reset()
        finally:
            self._is_applying = False
        self._timer.stop()


def _theme(preferences: Preferences) -> Theme:
    """Make the colours and sizes that are preferred."""
    return replace(DARK if preferences.theme == DARK.name else LIGHT, scale=preferences.scale)
