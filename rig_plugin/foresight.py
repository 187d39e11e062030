"""This file is the foresight: a sweep is predicted from those before it while it is played.

A prediction takes some 40 ms, which a cell should not wait for between two sweeps. It may not know of the sweep that it
predicts: whoever observes that one waits for the prediction first.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from estimators.prequential import Prediction

__all__ = ["Foresight"]


class Foresight:
    """One thread that predicts, for as long as a session lasts: `with Foresight() as foresight`."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="foresight")
        self._asked: Future[Prediction | None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)

    def ask(self, predict: Callable[[], Prediction | None]) -> None:
        """Begin to predict.

        Args:
            predict: What does; nothing that it reads may change before `answer`.
        """
        self._asked = self._thread.submit(predict)

    def answer(self) -> Prediction | None:
        """Wait for what was asked last; whatever went wrong there is raised here.

        Returns:
            The prediction, or None where there is none to make.
        """
        asked, self._asked = self._asked, None
        return None if asked is None else asked.result()
