"""The store of compiled kernels follows the sources that kernels are made of."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

from simulators.compiled import SOURCES, _forget

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("simulators", "estimators")
WATCH = """
import pathlib, sys
from simulators.compiled import folder
names = [folder()]
for change in sys.argv[1:]:
    path = pathlib.Path(change)
    before = path.read_bytes()
    path.write_bytes(before + b"# changed\\n")
    names.append(folder())
    path.write_bytes(before)
    names.append(folder())
sys.stdout.write("\\n".join(map(str, names)))
"""


def imported_by(source):
    """Modules that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def test_every_source_of_a_kernel_is_watched():
    files = {path.relative_to(ROOT).as_posix(): path for package in PACKAGES for path in ROOT.glob(f"{package}/*.py")}
    kernels = {name for name, path in files.items() if any(m.split(".")[0] == "numba" for m in imported_by(path))}
    assert len(kernels) >= 6
    reached = set(kernels)
    while (
        more := {f"{m.replace('.', '/')}.py" for name in reached for m in imported_by(files[name])}
        & set(files) - reached
    ):
        reached |= more
    assert set(SOURCES) >= reached


def test_another_source_makes_another_store_and_an_unrelated_one_does_not(tmp_path):
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "pretrained"))
    unrelated = "simulators/stimulus.py"
    places = dict.fromkeys(("XDG_CACHE_HOME", "HOME", "LOCALAPPDATA"), str(tmp_path / "cache"))
    done = subprocess.run(
        [sys.executable, "-c", WATCH, unrelated, *SOURCES],
        cwd=tmp_path,
        env=os.environ | places | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    first, *names = done.stdout.split("\n")
    changed, restored = names[0::2], names[1::2]
    assert Path(first).is_relative_to(tmp_path / "cache")
    assert Path(first).is_dir()
    assert changed[0] == first
    assert len({first, *changed[1:]}) == 1 + len(SOURCES)
    assert set(restored) == {first}


def test_kernels_that_nobody_started_for_a_month_are_removed_and_others_kept(tmp_path):
    now, then = (tmp_path / f"kernels-{name}" for name in ("now", "then"))
    for place in (now, then):
        place.mkdir()
        (place / "used").touch()
    os.utime(then / "used", (0.0, 0.0))
    foreign = tmp_path / "kernels-of-another"
    foreign.mkdir()
    _forget(now)
    assert now.is_dir()
    assert foreign.is_dir()
    assert not then.exists()
