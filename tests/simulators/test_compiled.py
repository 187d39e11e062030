"""The store of compiled kernels follows the sources."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from simulators.compiled import PACKAGES

ROOT = Path(__file__).resolve().parents[2]
WATCH = """
import pathlib, sys
from simulators.compiled import folder
names = [folder()]
for change in sys.argv[1:]:
    path = pathlib.Path(change)
    before = path.read_bytes() if path.exists() else None
    path.write_bytes((before or b"") + b"# changed\\n")
    names.append(folder())
    path.unlink() if before is None else path.write_bytes(before)
    names.append(folder())
sys.stdout.write("\\n".join(map(str, names)))
"""


def test_another_source_makes_another_store(tmp_path):
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "pretrained"))
    changes = ["simulators/lanes.py", "estimators/spikes.py", "estimators/a_new_file.py"]
    cache = tmp_path / "cache"
    places = dict.fromkeys(("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"), str(cache))
    done = subprocess.run(
        [sys.executable, "-c", WATCH, *changes],
        cwd=tmp_path,
        env=os.environ | places | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    first, *names = done.stdout.split("\n")
    assert Path(first).is_relative_to(cache)
    assert Path(first).is_dir()
    assert set(names[1::2]) == {first}
    assert len({first, *names[0::2]}) == 1 + len(changes)
