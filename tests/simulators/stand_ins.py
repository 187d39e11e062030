"""Cells that do to a worker what real ones do now and then; in a file of their own, so that workers can import them."""

import os
import signal
import time
import uuid
from pathlib import Path

import numpy as np

from simulators.parameter import Parameter
from simulators.simulator import Simulator

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""Ends a process at once; Windows knows one signal only."""


class Noisy(Simulator):
    """Answers its reversal potential with noise on it."""

    parameters = (Parameter("E_leak", "mV", -100.0, 0.0),)

    def _simulate(self, theta, stimulus, rate, rng):
        return theta + rng.standard_normal((len(theta), len(stimulus.command(rate))))


class Held(Noisy):
    """Signs in a folder with its process, and waits there for as long as a file 'hold' does."""

    def __init__(self, folder):
        self.folder = str(folder)

    def _simulate(self, theta, stimulus, rate, rng):
        (Path(self.folder) / f"{os.getpid()}-{uuid.uuid4().hex}").touch()
        while (Path(self.folder) / "hold").exists():
            time.sleep(0.01)
        return super()._simulate(theta, stimulus, rate, rng)


class Fatal(Noisy):
    """Kills its process once, when it is asked for one chunk: that whose first cell lies at a potential."""

    def __init__(self, marker, potential):
        self.marker, self.potential = str(marker), potential

    def _simulate(self, theta, stimulus, rate, rng):
        if theta[0, 0] == self.potential and not Path(self.marker).exists():
            Path(self.marker).touch()
            os.kill(os.getpid(), KILL)
        return super()._simulate(theta, stimulus, rate, rng)


class Stubborn(Noisy):
    """Raises what it is told, in one chunk, for as long as a file is there."""

    def __init__(self, marker, potential, error="ValueError"):
        self.marker, self.potential, self.error = str(marker), potential, error

    def _simulate(self, theta, stimulus, rate, rng):
        if theta[0, 0] == self.potential and Path(self.marker).exists():
            raise {"ValueError": ValueError, "KeyboardInterrupt": KeyboardInterrupt}[self.error]("That is no cell.")
        return super()._simulate(theta, stimulus, rate, rng)


class Explosive(Noisy):
    """Blows up half-way where its potential is above -30 mV."""

    def _simulate(self, theta, stimulus, rate, rng):
        response = super()._simulate(theta, stimulus, rate, rng)
        response[theta[:, 0] > -30.0, response.shape[1] // 2 :] = np.nan
        return response


def extremes(response, stimulus, rate):
    """Lowest and highest voltage, and the step's amplitude; finite wherever anything was."""
    return np.stack(
        [np.nanmin(response, axis=1), np.nanmax(response, axis=1), np.full(len(response), stimulus.amplitude)], axis=1
    )


def flat(response, stimulus, rate):
    """Values of no use: one number a sweep, without an axis of values."""
    return response.mean(axis=1)


def number_of_threads(_):
    """How many threads a parallel kernel would take here."""
    import numba

    return numba.get_num_threads()


def process_of(_):
    """Which process works here."""
    return os.getpid()


def handler_of_interrupts():
    """What an interrupt does here."""
    return signal.getsignal(signal.SIGINT)
