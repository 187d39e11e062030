"""This file is the NI-DAQmx stand: the unmodified client against a server with a simulated board, as the tests have it.

The server stands in this project's folder of tests, beside a copy of the source: an installed package has none.
"""

from __future__ import annotations

import importlib.util
import sys
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Self

import numpy as np
import numpy.typing as npt

import rig_plugin
from hardware.nidaq import Nidaq
from hardware.nidaq_wiring import Input, Output, Wiring
from hardware.rig import Gain
from rig_plugin.tasks.stand import Stand, answered
from simulators.refusal import Refusal
from simulators.stimulus import step

__all__ = ["NidaqStand"]

_TESTS = Path(rig_plugin.__file__).parents[1] / "tests" / "hardware"
_SOURCE = "bench"
_START = 60.0


class NidaqStand(Stand):
    """Four inputs of 50 kHz and an output; the board in a process of its own notes when each output began."""

    name, channels = "nidaq", 4

    def __init__(self) -> None:
        self._pipe: Connection | None = None
        self._address = ""

    def __enter__(self) -> Self:
        """Start the server.

        Raises:
            Refusal: If nidaqmx is not installed, or there is no folder of tests.
        """
        if importlib.util.find_spec("nidaqmx") is None:
            raise Refusal("The package nidaqmx is not installed: pip install 'rig-plugin[nidaq]'.")
        if not (_TESTS / "nidaq_server.py").is_file():
            raise Refusal("The simulated board stands in the folder of tests: run this from a copy of the source.")
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        if not self._pipe.poll(_START):
            self.__exit__()
            raise Refusal(f"The simulated board did not answer within {_START:g} s: try again on an idler computer.")
        self._address = self._pipe.recv_bytes().decode()
        return self

    def __exit__(self, *_: object) -> None:
        """End the server, which ends with the pipe."""
        if self._pipe is not None:
            self._pipe.close()
            self._process.join(10.0)
            self._process.kill()
            self._process.join()

    def rig(self) -> Nidaq:
        """Give the driver, with its guardian.

        Returns:
            The rig, closed.
        """
        more = Gain(100.0, "mV/V", _SOURCE)
        wiring = Wiring(
            "Dev1",
            Output("ao0", Gain(400.0, "pA/V", _SOURCE)),
            Input("ai0", Gain(100.0, "mV/V", _SOURCE)),
            Input("ai1", Gain(500.0, "pA/V", _SOURCE)),
            {"third": Input("ai2", more), "fourth": Input("ai3", more)},
            server=self._address,
        )
        return Nidaq(wiring, rate=50.0)

    def pauses(self) -> npt.NDArray[np.float64]:
        """Tell how long nothing was played between sweeps since this was asked last.

        Returns:
            Time from the last sample of each sweep to the first of the next [ms].
        """
        if self._pipe is None:
            return np.empty(0)
        self._pipe.send_bytes(b"started")
        begun, lasting = np.frombuffer(self._pipe.recv_bytes()).reshape(-1, 2).T
        return np.asarray((begun[1:] - begun[:-1] - lasting[:-1]) * 1e3)


def _serve(pipe: Connection) -> None:
    """Be the server until the pipe is closed; tell what was started whenever asked."""
    _module("nidaq_board")
    server = _module("nidaq_server")
    # A real cell needs no loading.
    answered(step(50.0), 50.0, np.random.default_rng(0))
    with server.NidaqServer(answered, speed=1.0) as board:
        pipe.send_bytes(board.address.encode())
        try:
            while pipe.recv_bytes():
                with board.change:
                    started = np.array(board.started, dtype=np.float64)
                    board.started.clear()
                pipe.send_bytes(started.tobytes())
        except EOFError:
            return


def _module(name: str) -> ModuleType:
    """Load a file of the tests."""
    spec = importlib.util.spec_from_file_location(name, _TESTS / f"{name}.py")
    if spec is None or spec.loader is None:
        raise Refusal(f"There is no {name}.py among the tests: run this from a copy of the source.")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
