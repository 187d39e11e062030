"""This file is the reference: published observations of a task, each with draws from its true posterior.

They come in the wheel of sbibm 1.1.0, which is fetched once, alone, into the user's cache. It is read as a zip of
tables whose hash is known; none of its code is ever run, and nothing in it is unpickled.

References:
    Lueckmann et al. (2021), Benchmarking simulation-based inference, AISTATS, PMLR 130:343.
        https://proceedings.mlr.press/v130/lueckmann21a.html
"""

from __future__ import annotations

import bz2
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from platformdirs import user_cache_path

from simulators.refusal import Refusal

__all__ = ["OBSERVATIONS", "SHA256", "Reference", "Wheel", "WheelError", "cached", "fetch"]

OBSERVATIONS = 10
"""How many each task has."""

SHA256 = "12ecc6b4d327b92f9225f08faa6405e4274fb8e75943d86a53157d1b1bcfaf74"
"""Of the wheel."""

_WANTED = "sbibm==1.1.0"
_NAME = "sbibm-1.1.0-py2.py3-none-any.whl"
_DISTRACTED = "slcp_distractors"

Numbers = npt.NDArray[np.float64]


class WheelError(Refusal):
    """The wheel is not there, or is another one."""


@dataclass(frozen=True)
class Reference:
    """One observation.

    Args:
        x: What was observed, shape (d,).
        theta: What it was simulated with, shape (p,).
        draws: From the posterior, shape (10000, p).
    """

    x: Numbers
    theta: Numbers
    draws: Numbers


class Wheel:
    """The wheel, checked before anything in it is looked at.

    Args:
        path: Where it is; None for the user's cache, into which it is fetched if need be.

    Raises:
        WheelError: If it can't be had, or its hash is not the known one.
    """

    def __init__(self, path: Path | None = None) -> None:
        path = path or (cached() if cached().is_file() else fetch())
        self._zip = zipfile.ZipFile(io.BytesIO(_checked(path)))

    def reference(self, task: str, observation: int) -> Reference:
        """Read one observation.

        Args:
            task: Its published name.
            observation: From 1 to 10.

        Returns:
            The observation.
        """
        folder, name = ("slcp", "observation_distractors") if task == _DISTRACTED else (task, "observation")
        files = f"sbibm/tasks/{folder}/files/num_observation_{observation}"
        return Reference(
            _table(self._zip.read(f"{files}/{name}.csv"))[0],
            _table(self._zip.read(f"{files}/true_parameters.csv"))[0],
            _table(bz2.decompress(self._zip.read(f"{files}/reference_posterior_samples.csv.bz2"))),
        )


def cached() -> Path:
    """Tell where the wheel is kept.

    Returns:
        The path, whether it is there or not.
    """
    return user_cache_path("rig-plugin") / _NAME


def fetch() -> Path:
    """Fetch the wheel into the cache, by the user's own pip.

    Returns:
        Where it is.

    Raises:
        WheelError: If pip could not get it, or got another one.
    """
    kept = cached()
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, _WANTED]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        got = Path(folder) / _NAME
        if done.returncode or not got.is_file():
            said = (done.stderr or done.stdout).strip().rpartition("\n")[2] or "nothing was said"
            raise WheelError(
                f"The reference draws are not in {kept} and could not be fetched ({said}); run `pip download "
                f"--no-deps {_WANTED}` where there is a network, and name the file with --wheel."
            )
        _checked(got)
        got.replace(kept)
    return kept


def _checked(path: Path) -> bytes:
    """Read a file whose hash is the known one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WheelError(f"{path} can't be read ({error.strerror}); the wheel of {_WANTED} was wanted.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise WheelError(
            f"{path} has the SHA-256 {found}, and that of {_WANTED} is {SHA256}: it was changed or cut short; "
            "delete it and fetch it again."
        )
    return content


def _table(content: bytes) -> Numbers:
    """Read a table whose first line names its columns."""
    return np.loadtxt(io.BytesIO(content), delimiter=",", skiprows=1, ndmin=2)
