"""This file is the store of compiled kernels: a user cache folder named by what the kernels are made of.

Numba's own cache looks at one file only, so an upgrade that changes a function in another file would keep the old
equations. Here the folder's name is a hash of every source file that a kernel is made of, and of the versions of
Python and numba. Import this module before any function is decorated.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numba
from platformdirs import user_cache_path

__all__ = ["ENTRY", "SOURCES", "folder", "is_cold", "store", "threads"]

SOURCES = (
    "simulators/lanes.py",
    "simulators/pospischil_step.py",
    "simulators/pospischil_rates.py",
    "simulators/pospischil.py",
    "simulators/pospischil_rest.py",
    "simulators/channels.py",
    "simulators/spike_channels.py",
    "simulators/compartments_step.py",
    "simulators/beside.py",
    "simulators/calcium.py",
    "simulators/spike_currents.py",
    "simulators/accessories.py",
    "simulators/compartments.py",
    "simulators/rest.py",
    "simulators/membrane.py",
    "simulators/pipette.py",
    "simulators/flicker.py",
    "simulators/electrode.py",
    "simulators/amplifier.py",
    "simulators/digitizer.py",
    "simulators/chain.py",
    "simulators/traces.py",
    "simulators/gate_table.py",
    "simulators/injected.py",
    "simulators/injector.py",
    "simulators/batch.py",
    "simulators/logarithm.py",
    "simulators/adex_membrane.py",
    "simulators/adex_injector.py",
    "simulators/adex_batch.py",
    "simulators/patchseq_kinetics.py",
    "simulators/patchseq_membrane.py",
    "simulators/patchseq_rest.py",
    "simulators/patchseq_batch.py",
    "simulators/course.py",
    "simulators/moments.py",
    "simulators/thread.py",
    "simulators/device.py",
    "simulators/refusal.py",
    "simulators/peak.py",
    "simulators/compiled.py",
    "simulators/pyloric_rhythm.py",
    "simulators/stg.py",
    "simulators/stg_batch.py",
    "simulators/stg_kinetics.py",
    "simulators/stg_relaxation.py",
    "estimators/conditioning.py",
    "estimators/context.py",
    "estimators/features.py",
    "estimators/measuring.py",
    "estimators/runs.py",
    "estimators/spikes.py",
    "estimators/thinning.py",
    "estimators/unbending.py",
)
"""Every file that imports numba, and every one that such a file imports from here; a test holds that."""

_KEPT = 30 * 86_400.0

ENTRY = threading.Lock()
"""Held by whoever runs a parallel kernel: numba's fallback threading layer dies when two threads enter it at once."""


def folder() -> Path:
    """Name the folder for the kernels as they are now.

    Returns:
        A path below the user's cache folder; it need not exist yet.
    """
    digest = hashlib.sha256(f"{sys.version} {numba.__version__}".encode())
    for source in SOURCES:
        package, name = source.split("/")
        spec = find_spec(package)
        for place in spec.submodule_search_locations or () if spec else ():
            digest.update(source.encode())
            digest.update((Path(place) / name).read_bytes())
    return user_cache_path("rig-plugin") / f"kernels-{digest.hexdigest()[:16]}"


def is_cold() -> bool:
    """Tell whether kernels are still to be compiled, which takes about a minute.

    Returns:
        True where the folder in use holds none.
    """
    return not any(Path(numba.config.CACHE_DIR).rglob("*.nbi"))


def store() -> Path:
    """Make the folder and tell numba to keep compiled kernels there.

    Where the user's cache can't be written, a temporary folder takes its place and the next start compiles again.

    Returns:
        The folder in use.
    """
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        (place / "used").touch()
        _forget(place)
    except OSError:
        place = Path(tempfile.mkdtemp(prefix="rig-plugin-kernels-"))
    numba.config.CACHE_DIR = str(place)
    if "NUMBA_OPT" not in os.environ:
        # The compiler's last level takes half as long again for the same kernels: equal in speed and in every bit.
        numba.config.OPT = type(numba.config.OPT)(2)
    if "NUMBA_THREADING_LAYER" not in os.environ:
        # OpenMP's layer also sets the number of threads of torch, whose small operations then wait for each other:
        # a posterior took 1.5 s in place of 25 ms on two busy cores. `ENTRY` is what this layer asks for.
        numba.config.THREADING_LAYER = "workqueue"
    return place


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let the parallel kernels that this thread enters use fewer threads for a while.

    Args:
        count: How many; there are never more than numba started with.

    Yields:
        Nothing.
    """
    before = numba.get_num_threads()
    numba.set_num_threads(min(count, before))
    try:
        yield
    finally:
        numba.set_num_threads(before)


def _forget(place: Path) -> None:
    """Remove the kernels of versions that nobody has started for a month."""
    for other in place.parent.glob("kernels-*"):
        mark = other / "used"
        if other != place and mark.is_file() and time.time() - mark.stat().st_mtime > _KEPT:
            shutil.rmtree(other, ignore_errors=True)


store()
