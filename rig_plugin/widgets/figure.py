"""This file is the figure: a panel as it stands on paper, light, of any size, with a caption, as vectors or pixels.

The panel itself is drawn, in the light colours and without its buttons, and gets its own size and colours back before
Qt turns to anything else: the screen never shows it, and no second panel has to be fed with the whole session. Qt's
writer of SVG knows no clipping, so that what stands inside the axes of charts is drawn apart and clipped here.
"""

from __future__ import annotations

import contextlib
import html
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any
from xml.sax.saxutils import escape

from rig_plugin.widgets.chart import Chart
from rig_plugin.widgets.ink import Ink, inked
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtCore, QtGui, QtSvg, QtWidgets, pg
from rig_plugin.widgets.theme import LIGHT

__all__ = ["Figure", "figure"]

_DPI = 96.0
_SMALLEST = (240, 120)
_TALLEST = 2400
_LETTERS, _AIR = 10, 8
_NEVER_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, eq=False)
class Figure:
    """A panel that was drawn once, to be written in any form.

    Args:
        width: All of it [pixels of 1/96 inch].
        height: All of it, with the caption.
        caption: What is written under it.
        under: The panel without what stands inside its charts.
        inks: That.
        over: What lies over both, and the caption.
    """

    width: int
    height: int
    caption: str
    under: QtGui.QPicture
    inks: tuple[Ink, ...]
    over: QtGui.QPicture

    def svg(self) -> bytes:
        """Write it as vectors, text as text.

        Returns:
            SVG 1.1, encoded as UTF-8.
        """
        parts = [self._body(self.under, 0)]
        for k, ink in enumerate(self.inks, 1):
            x, y, width, height = (f"{v:.3f}" for v in ink.frame.getRect())
            parts.append(
                f'<clipPath id="inside{k}"><rect x="{x}" y="{y}" width="{width}" height="{height}"/></clipPath>\n'
                f'<g clip-path="url(#inside{k})"><g transform="translate({ink.origin.x():g} {ink.origin.y():g})">\n'
                f"{self._body(ink.whole, k)}</g></g>\n"
            )
        parts.append(self._body(self.over, len(self.inks) + 1))
        across, down = (f"{25.4 * size / _DPI:.2f}mm" for size in (self.width, self.height))
        told = escape(self.caption)
        whole = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" version="1.1"'
            f' width="{across}" height="{down}" viewBox="0 0 {self.width} {self.height}">\n'
            f"<title>{told}</title>\n<desc>{told}</desc>\n"
            f'<rect width="{self.width}" height="{self.height}" fill="{LIGHT.panel}"/>\n{"".join(parts)}</svg>\n'
        )
        return _NEVER_IN_XML.sub("", whole).encode("utf-8")

    def image(self, scale: float) -> QtGui.QImage:
        """Draw it as pixels.

        Args:
            scale: Pixels of the image for one of the figure's.

        Returns:
            The image; it carries the caption and its size on paper.
        """
        wide, high = round(scale * self.width), round(scale * self.height)
        image = QtGui.QImage(wide, high, QtGui.QImage.Format.Format_RGB32)
        image.fill(QtGui.QColor(LIGHT.panel))
        painter = QtGui.QPainter(image)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        painter.scale(scale, scale)
        painter.drawPicture(0, 0, self.under)
        for ink in self.inks:
            painter.save()
            painter.setClipRect(ink.frame)
            painter.drawPicture(ink.origin, ink.short)
            painter.restore()
        painter.drawPicture(0, 0, self.over)
        painter.end()
        # Afterwards: a picture is scaled by what its device says of itself.
        image.setDotsPerMeterX(round(scale * _DPI / 0.0254))
        image.setDotsPerMeterY(round(scale * _DPI / 0.0254))
        image.setText("Description", self.caption)
        return image

    def _body(self, picture: QtGui.QPicture, place: int) -> str:
        """Write one picture as the inside of an SVG; names in it are made different from those of others."""
        buffer = QtCore.QBuffer()
        buffer.open(QtCore.QIODevice.OpenModeFlag.WriteOnly)
        writer = QtSvg.QSvgGenerator()
        writer.setOutputDevice(buffer)
        writer.setSize(QtCore.QSize(self.width, self.height))
        writer.setViewBox(QtCore.QRect(0, 0, self.width, self.height))
        # As many as a picture has, so that letters keep their size.
        writer.setResolution(picture.logicalDpiX())
        painter = QtGui.QPainter(writer)
        painter.drawPicture(0, 0, picture)
        painter.end()
        text = bytes(buffer.data().data()).decode("utf-8", "replace")
        inside = text[text.index("<defs>") : text.rindex("</svg>")]
        inside = re.sub(r'(\bid="|url\(#)', rf"\g<1>part{place}-", inside)
        return re.sub(r'font-family="([^"]*)"', lambda found: f'font-family="{_family(found[1])}"', inside)


def figure(panel: Panel, caption: str, size: QtCore.QSize | None = None) -> Figure:
    """Draw a panel as it is, for paper.

    What scrolls is made so tall that all of it is there, up to 25 inches.

    Args:
        panel: Which; one that is on the screen.
        caption: What is written under it.
        size: Of the panel [pixels of 1/96 inch]; None takes that on the screen.

    Returns:
        The figure. The panel is as it was.
    """
    with _on_paper(panel, size or panel.size()):
        views = [view for view in panel.findChildren(pg.PlotWidget) if view.isVisibleTo(panel)]
        inks = tuple(inked(view, panel) for view in views)
        with _without(panel, views):
            under = QtGui.QPicture()
            _render(panel, under)
        over, foot = _over(panel, caption)
        return Figure(panel.width(), panel.height() + foot, caption, under, inks, over)


@contextlib.contextmanager
def _on_paper(panel: Panel, size: QtCore.QSize) -> Iterator[None]:
    """Have a panel be light, so large, and without what can only be pressed."""
    theme, before = panel.theme, panel.size()
    focus = QtWidgets.QApplication.focusWidget()
    buttons = [button for button in panel.findChildren(QtWidgets.QAbstractButton) if not button.isHidden()]
    try:
        for button in buttons:
            button.hide()
        if theme.name != LIGHT.name:
            panel.wear(replace(LIGHT, scale=theme.scale))
        panel.resize(max(size.width(), _SMALLEST[0]), max(size.height(), _SMALLEST[1]))
        _settle(panel)
        panel.resize(panel.width(), min(panel.height() + _beyond(panel), _TALLEST))
        _settle(panel)
        # Words at the mouse belong to the screen.
        for child in panel.findChildren(QtWidgets.QWidget):
            if isinstance(child, Chart) or child.hasMouseTracking():
                QtWidgets.QApplication.sendEvent(child, QtCore.QEvent(QtCore.QEvent.Type.Leave))
        yield
    finally:
        for button in buttons:
            button.show()
        panel.resize(before)
        if theme.name != LIGHT.name:
            panel.wear(theme)
        _settle(panel)
        if focus is not None and panel.isAncestorOf(focus):
            focus.setFocus()


@contextlib.contextmanager
def _without(panel: Panel, views: Sequence[Any]) -> Iterator[None]:
    """Leave out what stands inside the charts, and the sentence across the panel, which lies over these."""
    groups = [view.getPlotItem().vb.childGroup for view in views]
    says = bool(panel.notice)
    try:
        for group in groups:
            group.setOpacity(0.0)
        panel.sentence.setVisible(False)
        yield
    finally:
        for group in groups:
            group.setOpacity(1.0)
        panel.sentence.setVisible(says)


def _settle(panel: Panel) -> None:
    """Have everything in its place now; Qt would do it with the next events."""
    for layout in panel.findChildren(QtWidgets.QLayout):
        layout.activate()
    for view in panel.findChildren(pg.PlotWidget):
        view.getPlotItem().layout.activate()


def _beyond(panel: Panel) -> int:
    """Tell how much of a panel can only be seen by scrolling; a text of any length is left as it is."""
    areas = panel.findChildren(QtWidgets.QAbstractScrollArea)
    bars = [
        area.verticalScrollBar()
        for area in areas
        if area.isVisibleTo(panel) and not isinstance(area, QtWidgets.QGraphicsView | QtWidgets.QPlainTextEdit)
    ]
    return max((bar.maximum() for bar in bars if bar is not None), default=0)


def _render(widget: QtWidgets.QWidget, picture: QtGui.QPicture, where: QtCore.QPoint | None = None) -> None:
    painter = QtGui.QPainter(picture)
    widget.render(painter, where or QtCore.QPoint(0, 0))
    painter.end()


def _over(panel: Panel, caption: str) -> tuple[QtGui.QPicture, int]:
    """Draw the sentence across a panel, and the caption under it; the height of the latter."""
    picture = QtGui.QPicture()
    painter = QtGui.QPainter(picture)
    if panel.notice:
        panel.sentence.render(painter, panel.sentence.pos())
    painter.setFont(panel.theme.face(_LETTERS))
    painter.setPen(QtGui.QColor(LIGHT.quiet))
    option = QtGui.QTextOption()
    option.setWrapMode(QtGui.QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    room = QtCore.QRectF(_AIR, panel.height() + _AIR / 2, panel.width() - 2 * _AIR, 1e4)
    taken = painter.boundingRect(room, caption, option)
    painter.drawText(room, caption, option)
    painter.end()
    return picture, math.ceil(taken.height()) + _AIR


def _family(asked: str) -> str:
    """Name the font that is there, and a kind of font for where it is not."""
    font = QtGui.QFontInfo(QtGui.QFont(html.unescape(asked)))
    return escape(f"'{font.family()}', {'monospace' if font.fixedPitch() else 'sans-serif'}", {'"': "&quot;"})
