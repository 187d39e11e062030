"""This file is the score strip: the trust of each sweep of a session, and the evidence of all of them together."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from rig_plugin.trial import Trial
from rig_plugin.widgets.oddity_text import chance
from rig_plugin.widgets.pointer import pointer
from rig_plugin.widgets.qt import QtCore, QtGui, QtWidgets
from rig_plugin.widgets.theme import DARK, Theme
from rig_plugin.widgets.verdict import CAUTION, Verdict, verdict

__all__ = ["ScoreStrip"]

_KEPT = 1000
_LOWEST = 1e-3
_LABELS, _FOOT = 30, 12
_WIDEST, _FEWEST = 14.0, 8
_RIGHT = int(QtCore.Qt.AlignmentFlag.AlignRight | QtCore.Qt.AlignmentFlag.AlignVCenter)
_LEFT = int(QtCore.Qt.AlignmentFlag.AlignLeft | QtCore.Qt.AlignmentFlag.AlignVCenter)
_MEANING = (
    "Score of each sweep, on a logarithmic axis; lower is less typical. ● typical  ▲ caution  ■ withheld or not used.\n"
    f"Dashed: {CAUTION:g}, from where care is asked for. Thin line: p of the session, which is an alarm from there on."
)


@dataclass(frozen=True)
class _Point:
    index: int
    score: float
    word: Verdict
    session: float


class ScoreStrip(QtWidgets.QWidget):
    """Scores over the trials down to a thousandth; the shape of a point is its verdict.

    Args:
        parent: Owner, as in Qt.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme: Theme = DARK
        self._points: deque[_Point] = deque(maxlen=_KEPT)
        self.setMouseTracking(True)
        self.setAccessibleName("Score over the trials")
        self.setToolTip(_MEANING)
        policy = QtWidgets.QSizePolicy.Policy
        self.setSizePolicy(policy.Expanding, policy.Expanding)
        self.setMinimumHeight(36)

    @property
    def scores(self) -> tuple[float, ...]:
        """One a trial, oldest first."""
        return tuple(point.score for point in self._points)

    @property
    def words(self) -> tuple[str, ...]:
        """The verdicts that the shapes stand for, oldest first."""
        return tuple(point.word for point in self._points)

    def push(self, trial: Trial) -> None:
        """Add the newest.

        Args:
            trial: With its trust.
        """
        told = {check.name: check.p for check in trial.trust.checks}
        last = self._points[-1].session if self._points else math.nan
        # A sweep that is not used leaves the wager where it was.
        session = told.get("session", last)
        word: Verdict = verdict(trial) if trial.trust.in_distribution else "withheld"
        self._points.append(_Point(trial.index, trial.trust.score, word, session))

    def clear(self) -> None:
        """Forget all."""
        self._points.clear()
        self.update()

    def wear(self, theme: Theme) -> None:
        """Change colours.

        Args:
            theme: Dark or light.
        """
        self.theme = theme
        self.update()

    def paintEvent(self, event: QtGui.QPaintEvent) -> None:
        """Draw it."""
        painter = QtGui.QPainter(self)
        painter.setRenderHint(QtGui.QPainter.RenderHint.Antialiasing)
        place = self._place()
        self._paint_axis(painter, place)
        self._paint_session(painter, place)
        for k, point in enumerate(self._points):
            if math.isfinite(point.score):
                self._paint_point(painter, QtCore.QPointF(self._x(place, k), _y(place, point.score)), point.word)
        painter.end()

    def mouseMoveEvent(self, event: QtGui.QMouseEvent) -> None:
        """Read the trial under the mouse."""
        place = self._place()
        near = [(abs(self._x(place, k) - pointer(event).x()), k) for k in range(len(self._points))]
        if not near or min(near)[0] > _WIDEST:
            self.setToolTip(_MEANING)
            return
        point = self._points[min(near)[1]]
        session = f", session p {chance(point.session)}" if math.isfinite(point.session) else ""
        self.setToolTip(f"trial {point.index}: {chance(point.score)} {point.word}{session}\n{_MEANING}")

    def _place(self) -> QtCore.QRectF:
        left, foot = self.theme.pixels(_LABELS), self.theme.pixels(_FOOT)
        return QtCore.QRectF(left, 5, max(self.width() - left - 5, 10), max(self.height() - foot - 8, 10))

    def _x(self, place: QtCore.QRectF, k: int) -> float:
        step = min(_WIDEST, place.width() / max(len(self._points), _FEWEST))
        return place.left() + (k + 0.5) * step

    def _paint_axis(self, painter: QtGui.QPainter, place: QtCore.QRectF) -> None:
        theme = self.theme
        painter.setFont(theme.face(10))
        high = theme.pixels(12)
        for value, text in ((1.0, "1"), (CAUTION, ".05"), (_LOWEST, ".001")):
            y = _y(place, value)
            is_caution = value == CAUTION
            style = QtCore.Qt.PenStyle.DashLine if is_caution else QtCore.Qt.PenStyle.SolidLine
            painter.setPen(QtGui.QPen(QtGui.QColor(theme.caution if is_caution else theme.line), 1, style))
            painter.drawLine(QtCore.QPointF(place.left(), y), QtCore.QPointF(place.right(), y))
            painter.setPen(QtGui.QColor(theme.quiet))
            painter.drawText(QtCore.QRectF(0, y - high / 2, place.left() - 4, high), _RIGHT, text)
        foot = QtCore.QRectF(place.left(), place.bottom() + 3, place.width(), high)
        if self._points:
            painter.drawText(foot, _LEFT, f"trial {self._points[0].index}")
            x = self._x(place, len(self._points) - 1) + theme.pixels(8)
            last = QtCore.QRectF(foot.left(), foot.top(), max(x - foot.left(), 0.0), high)
            if last.width() > theme.pixels(74):
                painter.drawText(last, _RIGHT, str(self._points[-1].index))

    def _paint_session(self, painter: QtGui.QPainter, place: QtCore.QRectF) -> None:
        told = [(self._x(place, k), point.session) for k, point in enumerate(self._points)]
        known = [QtCore.QPointF(x, _y(place, p)) for x, p in told if math.isfinite(p)]
        painter.setPen(QtGui.QPen(QtGui.QColor(self.theme.past), 1))
        painter.drawPolyline(QtGui.QPolygonF(known))

    def _paint_point(self, painter: QtGui.QPainter, at: QtCore.QPointF, word: Verdict) -> None:
        theme, size = self.theme, 3.0
        painter.setPen(QtCore.Qt.PenStyle.NoPen)
        painter.setBrush(QtGui.QColor(theme.now if word == "typical" else theme.caution))
        if word == "typical":
            painter.drawEllipse(at, size, size)
        elif word == "caution":
            corners = ((0.0, -4.5), (4.0, 3.0), (-4.0, 3.0))
            painter.drawPolygon(QtGui.QPolygonF([at + QtCore.QPointF(x, y) for x, y in corners]))
        else:
            painter.drawRect(QtCore.QRectF(at.x() - size, at.y() - size, 2 * size, 2 * size))
        painter.setBrush(QtCore.Qt.BrushStyle.NoBrush)


def _y(place: QtCore.QRectF, value: float) -> float:
    """Place a p-value: 1 at the top, a thousandth and less at the foot."""
    depth = math.log10(max(min(value, 1.0), _LOWEST)) / math.log10(_LOWEST)
    return place.top() + depth * place.height()
