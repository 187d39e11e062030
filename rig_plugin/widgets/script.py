"""This file is the script's panel: which stage runs, which come, and what each decided with its reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from hardware.decision import Decision
from rig_plugin.script import Script
from rig_plugin.stage_text import stage_text
from rig_plugin.stages import kind_of
from rig_plugin.widgets.panel import Panel
from rig_plugin.widgets.qt import QtWidgets

__all__ = ["ScriptPanel"]

_PROMISE = (
    "The stages of an experiment appear here, with what each decides and why. File > Run a script… plays one on the "
    "rig that is open; a recording of one tells them when it is gone through."
)
_SIGNS = {"comes": "○", "runs": "▶", "over": "●", "stopped": "■"}
_STATES = {"began": "runs", "ended": "over", "taken over": "over", "stopped": "stopped"}
_PLAIN = ("began", "ended", "taken over", "finished")
"""Events that decide nothing but where the script is."""
_CAUTION = ("missed", "stopped", "late")


@dataclass
class _Stage:
    """One stage as it stands."""

    kind: str
    text: str = ""
    state: str = "comes"
    decisions: list[Decision] = field(default_factory=list)


class ScriptPanel(Panel):
    """One stage under the other, its decisions under it; the one that runs is kept in sight.

    Of a script that nobody opened here, as in a recording, stages appear when they begin.

    Args:
        parent: Owner, as in Qt.
    """

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__("Script", _PROMISE, parent)
        self._script: Script | None = None
        self._stages: list[_Stage] = []
        self._last = ""
        self._left = 0
        self._text = QtWidgets.QTextEdit()
        self._text.setReadOnly(True)
        self._text.setFrameShape(QtWidgets.QFrame.Shape.NoFrame)
        self._body.addWidget(self._text, 1)
        self._body.addStretch(0)
        self.wear(self.theme)

    @property
    def over(self) -> int:
        """How many stages are over."""
        return sum(stage.state == "over" for stage in self._stages)

    @property
    def broken(self) -> int | None:
        """Number of the stage in which it was broken off, or None."""
        return next((k for k, stage in enumerate(self._stages) if stage.state == "stopped"), None)

    def words(self) -> str:
        """Read what stands on the screen."""
        return f"{self._aside.text()}\n{self._text.toPlainText()}"

    def show_script(self, script: Script | None) -> None:
        """Be told what is going to be played.

        Args:
            script: Read and checked; None where none is.
        """
        self._script = script
        self.clear()

    def decide(self, decision: Decision) -> None:
        """Be told a decision.

        Args:
            decision: The newest one.
        """
        if decision.stage < 0 and decision.kind:
            # Of what was asked for beside any script.
            return
        if decision.stage < 0:
            self._last = decision.said
        else:
            while len(self._stages) <= decision.stage:
                self._stages.append(_Stage(""))
            stage = self._stages[decision.stage]
            stage.kind = decision.kind
            stage.state = _STATES.get(decision.event, stage.state)
            if decision.event != "began":
                stage.decisions.append(decision)
        self._draw()

    def _clear(self) -> None:
        stages = self._script.stages if self._script is not None else ()
        self._stages = [_Stage(kind_of(stage), stage_text(stage)) for stage in stages]
        self._last = ""

    def _draw(self) -> None:
        self.say("" if self._stages else self._promise)
        self._text.setVisible(bool(self._stages))
        running = next((k for k, stage in enumerate(self._stages) if stage.state == "runs"), None)
        count = f"{len(self._stages)} stage{'' if len(self._stages) == 1 else 's'}"
        aside = f"{self.over} of {count} over" if self._script is not None else f"{self.over} stages over"
        self._aside.setText(aside if self._stages else "")
        blocks = [self._told(k, stage) for k, stage in enumerate(self._stages)]
        if self._last:
            blocks.append(self._line(f"● {self._last}", self.theme.text, 0))
        there, was_left = self._scrolled, self._scrolled == self._left
        self._text.setHtml("".join(blocks))
        if was_left:
            at = next((each for each in (running, self.broken) if each is not None), None)
            self._follow(len(blocks) - 1 if at is None and self._last else at)
        elif (bar := self._text.verticalScrollBar()) is not None:
            bar.setValue(there)
        self._left = self._scrolled if was_left else self._left

    def _told(self, number: int, stage: _Stage) -> str:
        """Write a stage with its decisions."""
        theme = self.theme
        tone = {"comes": theme.quiet, "runs": theme.now, "stopped": theme.caution}.get(stage.state, theme.text)
        name = f"<b>{_SIGNS[stage.state]} {number + 1} {escape(stage.kind)}</b>"
        what = f": <span style='color:{theme.quiet}'>{escape(stage.text)}</span>" if stage.text else ""
        told = f"{name}, {stage.state}{what}"
        lines = [self._line(told, tone, 0, is_html=True)]
        for decision in stage.decisions:
            sign = "▲ " if decision.event in _CAUTION else ""
            plain = theme.quiet if decision.event in _PLAIN else theme.text
            lines.append(self._line(f"{sign}{decision.said}", theme.caution if sign else plain, 18))
        return "".join(lines)

    def _line(self, text: str, tone: str, indent: int, *, is_html: bool = False) -> str:
        style = f"color:{tone}; margin:1px 0 1px {self.theme.pixels(indent) if indent else 0}px;"
        return f"<p style='{style}'>{text if is_html else escape(text)}</p>"

    def _follow(self, running: int | None) -> None:
        """Keep the stage that runs in sight with what it decided last, unless somebody reads elsewhere."""
        if running is None:
            return
        lines = sum(1 + len(stage.decisions) for stage in self._stages[: running + 1])
        lines += running >= len(self._stages)
        document = self._text.document()
        if document is None:
            return
        cursor = self._text.textCursor()
        block = document.findBlockByNumber(lines - 1)
        cursor.setPosition(block.position() + max(block.length() - 1, 0))
        self._text.setTextCursor(cursor)
        self._text.ensureCursorVisible()

    @property
    def _scrolled(self) -> int:
        """How far it is scrolled down."""
        bar = self._text.verticalScrollBar()
        return 0 if bar is None else bar.value()

    def _wear(self) -> None:
        theme = self.theme
        self._text.setStyleSheet(
            f"QTextEdit {{ background: transparent; border: none; color: {theme.text};"
            f" font-size: {theme.pixels(12)}px; selection-background-color: {theme.line};"
            f" selection-color: {theme.text}; }}"
        )
