"""This file is the burden: other programs that keep every core of this computer busy."""

from __future__ import annotations

import os
import subprocess
import sys
from types import TracebackType
from typing import Self

__all__ = ["Burden"]


class Burden:
    """One process a core that does nothing but work, at the priority of everybody: `with Burden()`.

    Args:
        cores: How many; 0 is an idle computer, as far as we know.
    """

    def __init__(self, cores: int | None = None) -> None:
        self._cores = (os.cpu_count() or 1) if cores is None else cores
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        for _ in range(self._cores):
            self.processes.append(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
