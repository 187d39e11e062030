"""This file is the docks: where the panels stand, which the user may move, and which is remembered."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Mapping, Sequence

from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import Action, QtCore, QtGui, QtWidgets, Signal

__all__ = ["Arrangement", "Docks"]

_KINDS = 2**15
_WIDE = QtCore.Qt.Orientation.Horizontal
_HIGH = QtCore.Qt.Orientation.Vertical
_AREA = QtCore.Qt.DockWidgetArea.LeftDockWidgetArea

Stack = Sequence[str]
"""Panels behind one another, by name; the first is in front."""
Row = tuple[int, Sequence[tuple[int, Stack]]]
"""A share of the height, and side by side a share of the width and who stands there."""
Arrangement = Sequence[tuple[int, Sequence[Row]]]
"""Columns from the left: a share of the width, and rows from the top."""


class Docks(QtWidgets.QMainWindow):
    """Panels side by side or behind one another; handles between them change their sizes at any time.

    What can be dragged by accident with an eye on the microscope is no help: panels have bars to move them by only
    while they are being arranged, or where they float.

    Args:
        arrangement: Where they stand until they are moved.
        parent: Owner, as in Qt.
    """

    rearranged = Signal()

    def __init__(self, arrangement: Arrangement, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowFlags(QtCore.Qt.WindowType.Widget)
        self.setDockNestingEnabled(True)
        self.setObjectName("docks")
        self.setContextMenuPolicy(QtCore.Qt.ContextMenuPolicy.NoContextMenu)
        option = QtWidgets.QMainWindow.DockOption
        self.setDockOptions(option.AllowNestedDocks | option.AllowTabbedDocks)
        self.setTabPosition(QtCore.Qt.DockWidgetArea.AllDockWidgetAreas, QtWidgets.QTabWidget.TabPosition.North)
        self._arrangement = arrangement
        self._docks: dict[str, QtWidgets.QDockWidget] = {}
        self._is_arranging = self._is_placed = False

    @property
    def names(self) -> tuple[str, ...]:
        """Of the panels, in order."""
        return tuple(self._docks)

    @property
    def is_arranging(self) -> bool:
        """Whether panels can be moved."""
        return self._is_arranging

    def hold(self, panels: Mapping[str, tuple[str, QtWidgets.QWidget]]) -> None:
        """Take the panels in and place them.

        Args:
            panels: {name: (title, widget)}; each that is in the arrangement, once.

        Raises:
            ValueError: If the arrangement names others than these.
        """
        placed = [name for _, rows in self._arrangement for _, row in rows for _, stack in row for name in stack]
        if sorted(placed) != sorted(panels):
            odd = sorted(set(placed) ^ set(panels))
            raise ValueError(f"Panels and arrangement differ by {', '.join(odd)}; each panel once was wanted.")
        for name, (title, widget) in panels.items():
            dock = QtWidgets.QDockWidget(title, self)
            dock.setObjectName(name)
            widget.setMinimumSize(60, 40)
            dock.setWidget(widget)
            if isinstance(widget, Panel):
                dock.visibilityChanged.connect(widget.attend)
            dock.topLevelChanged.connect(lambda _, dock=dock: self._bar(dock))
            dock.dockLocationChanged.connect(lambda _: self.rearranged.emit())
            self._docks[name] = dock
            self._bar(dock)
        self.reset()

    def arrange(self, on: bool) -> None:
        """Give the panels bars to move them by, or take these away.

        Args:
            on: Whether they can be moved.
        """
        self._is_arranging = on
        for dock in self._docks.values():
            self._bar(dock)

    def front(self, name: str) -> None:
        """Show a panel, before those that stand in the same place.

        Args:
            name: Of the panel.
        """
        self._docks[name].show()
        self._docks[name].raise_()

    def hide_panel(self, name: str) -> None:
        """Take a panel off the screen.

        Args:
            name: Of the panel.
        """
        self._docks[name].hide()

    def is_shown(self, name: str) -> bool:
        """Tell whether a panel is on the screen, or behind another one there.

        Args:
            name: Of the panel.

        Returns:
            Whether its tab or itself can be seen.
        """
        return not self._docks[name].isHidden()

    def panel(self, name: str) -> QtWidgets.QWidget | None:
        """Give a panel.

        Args:
            name: Which.

        Returns:
            The widget that was given to `hold`.
        """
        return self._docks[name].widget()

    def switch(self, name: str) -> Action:
        """Give the menu's entry that shows and hides a panel.

        Args:
            name: Of the panel.

        Returns:
            Qt's own action of it.
        """
        return self._docks[name].toggleViewAction()

    def layout_bytes(self) -> bytes:
        """Tell where all panels stand, for the next time."""
        return bytes(self.saveState(self._version()).data())

    def restore(self, layout: bytes) -> bool:
        """Place the panels as they stood once.

        Args:
            layout: As `layout_bytes` told it.

        Returns:
            Whether it could be read; otherwise they stand where they stood.
        """
        restored = bool(self.restoreState(QtCore.QByteArray(layout), self._version()))
        self._is_placed = self._is_placed or restored
        for dock in self._docks.values():
            self._bar(dock)
        return restored

    def reset(self) -> None:
        """Place the panels as if none had ever been moved."""
        for dock in self._docks.values():
            dock.setFloating(False)
            self.removeDockWidget(dock)
        heads = [rows[0][1][0][1][0] for _, rows in self._arrangement]
        self.addDockWidget(_AREA, self._docks[heads[0]])
        for before, head in itertools.pairwise(heads):
            self.splitDockWidget(self._docks[before], self._docks[head], _WIDE)
        for _, rows in self._arrangement:
            firsts = [row[0][1][0] for _, row in rows]
            for above, below in itertools.pairwise(firsts):
                self.splitDockWidget(self._docks[above], self._docks[below], _HIGH)
            for _, row in rows:
                self._fill(row)
        for dock in self._docks.values():
            dock.show()
        for _, rows in self._arrangement:
            for _, row in rows:
                for _, stack in row:
                    self._docks[stack[0]].raise_()
        self._is_placed = False
        self._share()
        self.rearranged.emit()

    def showEvent(self, event: QtGui.QShowEvent) -> None:
        """Give each its share as soon as there is a size to share."""
        super().showEvent(event)
        if not self._is_placed:
            self._share()
            QtCore.QTimer.singleShot(0, self._settle)

    def _fill(self, row: Sequence[tuple[int, Stack]]) -> None:
        """Put side by side, and behind one another, what belongs in a row."""
        for (_, left), (_, right) in itertools.pairwise(row):
            self.splitDockWidget(self._docks[left[0]], self._docks[right[0]], _WIDE)
        for _, stack in row:
            for front, behind in itertools.pairwise(stack):
                self.tabifyDockWidget(self._docks[front], self._docks[behind])

    def _settle(self) -> None:
        if not self._is_placed and self.isVisible():
            self._share()
            self._is_placed = True

    def _share(self) -> None:
        """Share width and height as the arrangement says."""
        columns = _parts([share for share, _ in self._arrangement], self.width())
        heads = [self._docks[rows[0][1][0][1][0]] for _, rows in self._arrangement]
        self.resizeDocks(heads, columns, _WIDE)
        for width, (_, rows) in zip(columns, self._arrangement, strict=True):
            firsts = [self._docks[row[0][1][0]] for _, row in rows]
            self.resizeDocks(firsts, _parts([share for share, _ in rows], self.height()), _HIGH)
            for _, row in rows:
                beside = [self._docks[stack[0]] for _, stack in row]
                self.resizeDocks(beside, _parts([share for share, _ in row], width), _WIDE)

    def _version(self) -> int:
        """Number the layouts of these panels, so that one with other panels in it is none of them."""
        return zlib.crc32(" ".join(sorted(self._docks)).encode()) % _KINDS

    def _bar(self, dock: QtWidgets.QDockWidget) -> None:
        """Give a panel its bar where it may be moved by it."""
        feature = QtWidgets.QDockWidget.DockWidgetFeature
        if self._is_arranging or dock.isFloating():
            if (bare := dock.titleBarWidget()) is not None:
                dock.setTitleBarWidget(None)  # type: ignore[arg-type]  # Qt's own bar, as Qt's manual has it
                bare.deleteLater()
            dock.setFeatures(feature.DockWidgetClosable | feature.DockWidgetMovable | feature.DockWidgetFloatable)
            return
        if dock.titleBarWidget() is None:
            bare = QtWidgets.QWidget(dock)
            bare.setMaximumHeight(0)
            dock.setTitleBarWidget(bare)
        dock.setFeatures(feature.DockWidgetClosable)


def _parts(shares: Sequence[int], whole: int) -> list[int]:
    """Divide pixels in these proportions."""
    return [max(whole * share // max(sum(shares), 1), 1) for share in shares]
