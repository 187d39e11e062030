"""This file is the theme: the colours and what each may mean, and the sheet that dresses the widgets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from rig_plugin.widgets.qt import QtGui, QtWidgets

_FACES = ("DejaVu Sans Mono", "Consolas", "Menlo", "Liberation Mono")

__all__ = ["DARK", "LIGHT", "Theme", "figures", "lettered"]


@dataclass(frozen=True)
class Theme:
    """Colours by meaning; colour is never the only sign, a word or a shape stands beside it.

    Args:
        name: "dark" or "light".
        ground: Behind everything.
        panel: Behind a panel.
        line: Borders and grids.
        text: What is read.
        quiet: Labels, units and the empty states.
        now: The one accent, for what is happening now.
        past: The prior and earlier sweeps.
        caution: Amber, for what is to be taken with care or is withheld.
        danger: Red, for loss, danger and recording only.
        scale: Of all letters, and of what has to hold them; 1 is what fits a small screen.
    """

    name: str
    ground: str
    panel: str
    line: str
    text: str
    quiet: str
    now: str
    past: str
    caution: str
    danger: str
    scale: float = 1.0

    def pixels(self, size: float) -> int:
        """Scale a size.

        Args:
            size: As it is where nothing is scaled [pixels].

        Returns:
            The same as it is wanted [pixels].
        """
        return max(round(size * self.scale), 1)

    def face(self, size: int, bold: bool = False) -> QtGui.QFont:
        """Choose the face for numbers, see `figures`.

        Args:
            size: Height where nothing is scaled [pixels].
            bold: Whether it is heavy.

        Returns:
            The font; to be shared, not changed.
        """
        return figures(self.pixels(size), bold)

    def palette(self) -> QtGui.QPalette:
        """Choose the colours of what the style sheet leaves to the platform's style.

        Returns:
            The palette.
        """
        role = QtGui.QPalette.ColorRole
        palette = QtGui.QPalette(QtGui.QColor(self.panel))
        for where in (role.Window, role.Base, role.Button):
            palette.setColor(where, QtGui.QColor(self.panel))
        for where in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
            palette.setColor(where, QtGui.QColor(self.text))
        palette.setColor(role.Highlight, QtGui.QColor(self.line))
        return palette

    def sheet(self) -> str:
        """Write the style sheet.

        Returns:
            Qt style sheet for the window and each panel.
        """
        return f"""
        QLabel, QPushButton, QTableWidget {{ color: {self.text}; }}
        QPushButton, QComboBox, QTableWidget, QHeaderView, QToolTip {{ font-size: {self.pixels(12)}px; }}
        #plain, #quiet, #heading, #notice, #warning {{ font-size: {self.pixels(12)}px; }}
        QMainWindow, QDialog, #root, #docks {{ background: {self.ground}; }}
        #panel {{ background: {self.panel}; border: 1px solid {self.line}; border-radius: 5px; }}
        QLabel {{ background: transparent; }}
        #quiet, #figures, #heading {{ color: {self.quiet}; }}
        #heading {{ font-weight: 600; }}
        #notice {{ color: {self.quiet}; background: {self.panel}; border-radius: 5px; padding: 6px; }}
        #warning {{ color: {self.text}; background: {self.panel}; border: 1px solid {self.caution};
            border-radius: 5px; padding: 8px; }}
        QSplitter::handle, QMainWindow::separator {{ background: {self.ground}; width: 6px; height: 6px; }}
        QMainWindow::separator:hover {{ background: {self.line}; }}
        QDockWidget {{ color: {self.quiet}; font-size: {self.pixels(12)}px; }}
        QDockWidget::title {{ background: {self.ground}; padding: 2px 8px; }}
        QTabBar {{ background: {self.ground}; font-size: {self.pixels(12)}px; qproperty-drawBase: 0; }}
        QTabBar::tab {{ background: {self.ground}; color: {self.quiet}; border: 1px solid transparent;
            padding: 2px 10px; margin-right: 2px; }}
        QTabBar::tab:selected {{ color: {self.text}; border-bottom: 2px solid {self.now}; }}
        QTabBar::tab:hover {{ color: {self.text}; }}
        QMenuBar, QMenu {{ background: {self.ground}; color: {self.text}; font-size: {self.pixels(12)}px; }}
        QMenuBar::item {{ background: transparent; padding: 3px 8px; }}
        QMenuBar::item:selected, QMenu::item:selected {{ background: {self.line}; }}
        QMenu {{ border: 1px solid {self.line}; }}
        QMenu::item:disabled {{ color: {self.past}; }}
        QMenu::separator {{ height: 1px; background: {self.line}; margin: 3px 6px; }}
        QPushButton {{ background: {self.ground}; border: 1px solid {self.line}; border-radius: 4px;
            padding: 4px 10px; }}
        QPushButton:hover, QPushButton:focus {{ border-color: {self.now}; }}
        QPushButton:pressed {{ background: {self.line}; }}
        QPushButton:disabled {{ color: {self.past}; }}
        QLineEdit {{ background: {self.panel}; color: {self.text}; border: 1px solid {self.now}; border-radius: 4px;
            padding: 4px 10px; font-size: {self.pixels(13)}px; }}
        #stop {{ border: 1px solid {self.danger}; font-weight: 700; }}
        {self._lists()}
        QTableWidget {{ background: transparent; border: none; gridline-color: transparent; outline: none; }}
        QTableWidget::item {{ border: none; padding: 0 4px; }}
        QTableWidget::item:selected {{ background: {self.line}; color: {self.text}; }}
        QHeaderView, QHeaderView::section {{ background: transparent; color: {self.quiet}; border: none;
            padding: 1px 4px; }}
        QScrollArea, #column {{ background: transparent; border: none; }}
        QScrollBar:vertical {{ background: transparent; width: 8px; margin: 0; }}
        QScrollBar::handle:vertical {{ background: {self.line}; border-radius: 4px; min-height: 24px; }}
        QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; width: 0; }}
        QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
        QToolTip {{ background: {self.panel}; color: {self.text}; border: 1px solid {self.line}; padding: 4px; }}
        """

    def _lists(self) -> str:
        """Dress lists, boxes and bars."""
        return f"""
        QListView, QTreeView, QPlainTextEdit {{ background: {self.panel}; color: {self.text};
            border: 1px solid {self.line}; font-size: {self.pixels(12)}px; }}
        QListView::item:selected, QTreeView::item:selected {{ background: {self.line}; color: {self.text}; }}
        QComboBox {{ background: {self.ground}; color: {self.text}; border: 1px solid {self.line}; border-radius: 4px;
            padding: 1px 8px; }}
        QComboBox:hover {{ border-color: {self.now}; }}
        QComboBox QAbstractItemView {{ background: {self.panel}; color: {self.text}; border: 1px solid {self.line};
            selection-background-color: {self.line}; selection-color: {self.text}; }}
        QScrollBar:horizontal {{ background: transparent; height: 8px; margin: 0; }}
        QScrollBar::handle:horizontal {{ background: {self.line}; border-radius: 4px; min-width: 24px; }}
        QAbstractSpinBox {{ background: {self.ground}; border: 1px solid {self.line}; border-radius: 3px;
            selection-background-color: {self.line}; selection-color: {self.text}; }}
        QAbstractSpinBox QLineEdit {{ background: transparent; border: none; padding: 0 2px; }}
        QSpinBox, QDoubleSpinBox, QCheckBox, QProgressBar {{ color: {self.text}; font-size: {self.pixels(12)}px; }}
        QProgressBar {{ background: {self.panel}; border: 1px solid {self.line}; text-align: center; }}
        QProgressBar::chunk {{ background: {self.now}; }}
        """


DARK = Theme(
    name="dark",
    ground="#0f1216",
    panel="#171b21",
    line="#2a313b",
    text="#e4e8ed",
    quiet="#93a0af",
    now="#3ec6e0",
    past="#6b7684",
    caution="#f0b23a",
    danger="#ff5d55",
)
LIGHT = Theme(
    name="light",
    ground="#eceff2",
    panel="#ffffff",
    line="#d0d6dd",
    text="#1b2128",
    quiet="#5a6673",
    now="#00718f",
    past="#97a1ac",
    caution="#9a5b00",
    danger="#c9251d",
)


@lru_cache
def figures(size: int, bold: bool = False) -> QtGui.QFont:
    """Choose the face for numbers: one whose figures are all of one width.

    Args:
        size: Height [pixels].
        bold: Whether it is heavy.

    Returns:
        The font; to be shared, not changed.
    """
    font = QtGui.QFontDatabase.systemFont(QtGui.QFontDatabase.SystemFont.FixedFont)
    faces = [*_FACES, font.family()]
    font.setFamilies(faces)
    # Files are told one name only, and that of the font that is there.
    there = QtGui.QFontInfo(font).family()
    font.setFamily(there)
    font.setFamilies([there, *faces])
    font.setStyleHint(QtGui.QFont.StyleHint.Monospace)
    font.setPixelSize(size)
    font.setBold(bold)
    return font


def lettered(widget: QtWidgets.QWidget, size: int, bold: bool = False) -> None:
    """Give a widget the face for numbers, in a size that a panel scales when it changes its theme.

    Args:
        widget: Which.
        size: Height where nothing is scaled [pixels].
        bold: Whether it is heavy.
    """
    widget.setProperty("face", [size, bold])
    widget.setFont(figures(size, bold))
