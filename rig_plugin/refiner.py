"""This file is the refiner: it listens to a session and has the posterior refined where nothing else is asked.

The work is done in a process of low priority, which a newer sweep ends, for what it was at is of the past. Whatever
becomes of that process, the session and its posterior stay as they are.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from rig_plugin.adviser import Adviser, AdviserError
from rig_plugin.audience import Audience, Listener, Silent
from rig_plugin.refined import Refined
from rig_plugin.rounds import Cell, refined
from rig_plugin.trial import Trial
from simulators.refusal import Refusal

if TYPE_CHECKING:
    from estimators.context import Context

__all__ = ["Refiner"]

_LOG = logging.getLogger("rig_plugin")
_SLICE = 0.05


class Knowing(Protocol):
    """Whoever has the sweeps so far, as `estimators.observer.Observer` does."""

    @property
    def known(self) -> tuple[npt.NDArray[np.float64], tuple[Context, ...]]:
        """Features and circumstances of all sweeps so far."""


class Refiner(Silent):
    """One cell's refinement; without a question neither thread nor process is started.

    Args:
        listeners: Who is told, by `refined`, from a thread of its own.
        network: The checkpoint.
        after: When it begins by itself: "sweep", "stop" or "never".
        seed: Of everything that is random.
        adviser: Who works it out; another one for tests.
    """

    def __init__(
        self,
        listeners: Sequence[Listener],
        network: Path,
        after: str = "never",
        seed: int = 0,
        adviser: Adviser[Refined] | None = None,
    ) -> None:
        self._audience, self._network, self._after, self._seed = Audience(listeners), network, after, seed
        self._adviser: Adviser[Refined] = adviser or Adviser()
        self._changed = threading.Condition()
        self._observer: Knowing | None = None
        self._cell: Cell | None = None
        self._wanted: Cell | None = None
        self._thread: threading.Thread | None = None
        self._is_over = False

    def attend(self, observer: Knowing) -> None:
        """Belong to a session.

        Args:
            observer: Who has its sweeps.
        """
        self._observer = observer

    def finished(self, trial: Trial) -> None:
        """Take what is known of the cell now; whatever was refined before this sweep is dropped."""
        if self._observer is None:
            return
        rows, contexts = self._observer.known
        with self._changed:
            self._cell = Cell(trial.index, self._network, rows, contexts, self._seed) if len(rows) else None
            self._wanted = self._cell if self._after == "sweep" else None
            self._begin()

    def ended(self, reason: str | None) -> None:
        """Begin where the end of the session was waited for."""
        if self._after == "stop" and self._cell is not None:
            self.ask()

    def ask(self) -> None:
        """Refine now; from any thread. Where nothing is known yet, that is told."""
        with self._changed:
            cell = self._wanted = self._cell
            self._begin()
        if cell is None:
            self._audience.tell("refined", Refined(0, refusal="No sweep was used so far: play one, then refine."))

    def close(self) -> None:
        """End at once, whatever it is at."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _begin(self) -> None:
        """Wake the thread, or start it where there is something to do and none yet; under the condition."""
        if self._thread is None and self._wanted is not None and not self._is_over:
            self._thread = threading.Thread(target=self._work, name="refiner", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _work(self) -> None:
        with self._adviser as adviser:
            while True:
                with self._changed:
                    while self._wanted is None and not self._is_over:
                        self._changed.wait()
                    if self._is_over:
                        return
                    cell, self._wanted = self._wanted, None
                answer = None if cell is None else self._answered(adviser, cell)
                if answer is not None:
                    self._audience.tell("refined", answer)

    def _answered(self, adviser: Adviser[Refined], cell: Cell) -> Refined | None:
        """Wait for the answer; None where it is no longer wanted."""
        try:
            adviser.ask(refined, cell)
            while (answer := adviser.answer(_SLICE)) is None:
                if self._is_past(cell):
                    adviser.close()
                    return None
        except AdviserError as error:
            answer = Refined(cell.trial, refusal=_why(error))
        except Exception:  # noqa: BLE001 - a defect costs the refinement and nothing else
            _LOG.exception("The posterior could not be refined; the session goes on.")
            answer = Refined(
                cell.trial, refusal="The posterior could not be refined, as the log says; it stands as it is."
            )
        return None if self._is_past(cell) else answer

    def _is_past(self, cell: Cell) -> bool:
        with self._changed:
            return self._is_over or self._cell is not cell


def _why(error: AdviserError) -> str:
    """Say why there is no answer: in the words of who refused, or that the process is gone."""
    if isinstance(error.__cause__, Refusal):
        return str(error)
    return "The process that refines ended before it was done: the posterior stands as it is; refine again."
