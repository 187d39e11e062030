"""Origins: found again by name, equal for equal data, another when the code is another."""

import importlib
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.cortical import Cortical
from simulators.origin import OriginError, code, describe, find, name
from simulators.passive import Passive
from simulators.stimulus import step


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write modules where they can be imported, and import one."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(module, files):
        for file, text in files.items():
            path = tmp_path / file
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        importlib.invalidate_caches()
        for there in [there for there in sys.modules if there.split(".")[0] == module.split(".")[0]]:
            monkeypatch.delitem(sys.modules, there)
        return importlib.import_module(module)

    return write


def test_a_name_finds_what_it_was_made_from():
    for thing in (Cortical, step, Cortical.simulate):
        assert find(name(thing)) is thing
    assert name(Cortical) == "simulators.cortical:Cortical"


def test_what_another_process_would_not_find_is_refused():
    def inside():
        pass

    class Local(Passive):
        pass

    for thing in (inside, Local, lambda: 0, 3.0):
        with pytest.raises(OriginError, match="define it at the top of a module"):
            name(thing)


def test_what_the_program_itself_defines_is_refused(monkeypatch):
    def here():
        pass

    here.__module__, here.__qualname__ = "__main__", "here"
    monkeypatch.setattr(sys.modules["__main__"], "here", here, raising=False)
    with pytest.raises(OriginError, match="here can't be imported from __main__"):
        name(here)


@pytest.mark.parametrize("text", ["simulators.nowhere:Cell", "simulators.cortical:Cell", "Cell", "", ":"])
def test_a_name_of_nothing_is_refused(text):
    with pytest.raises(OriginError, match=r"'package\.module:name' of something installed was wanted"):
        find(text)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(plain, plain)
def test_equal_data_and_no_other_have_equal_descriptions(one, other):
    assert (describe(one) == describe(other)) == (one == other)


def test_an_array_is_described_by_its_type_shape_and_every_value():
    long = np.arange(5000.0)
    changed = long.copy()
    changed[2500] += 1e-9
    assert describe(long) == describe(long.copy())
    for other in (changed, long.astype(np.float32), long.reshape(2, 2500)):
        assert describe(other) != describe(long)
    assert describe(long[::2]) == describe(long[::2].copy())


def test_a_dataclass_is_described_by_its_fields():
    assert describe(step(10.0))["epochs"][1] == {"level": 10.0, "duration": 500.0, "doses": []}
    assert describe(step(10.0)) != describe(step(11.0))


def test_what_is_not_finite_equals_itself():
    assert describe([np.nan, np.inf]) == describe([np.nan, np.inf])
    assert describe(np.nan) != describe(np.inf)


@pytest.mark.parametrize("value", [object(), {1.0}, step, np.array([object()])], ids=lambda value: type(value).__name__)
def test_what_is_no_plain_data_is_refused(value):
    with pytest.raises(OriginError, match="numbers, text, arrays or dataclasses were wanted"):
        describe({"inside": [value]})


def test_code_changes_with_its_package_and_that_of_its_bases(written):
    base = "from simulators.passive import Passive\nclass Base(Passive): pass\n"
    files = {
        "bases/__init__.py": "",
        "bases/base.py": base,
        "cells/__init__.py": "",
        "cells/cell.py": "from bases.base import Base\nclass Cell(Base): pass\n",
        "cells/kernel.py": "",
        "neighbour.py": "",
    }
    before = code(written("cells.cell", files).Cell)
    assert code(written("cells.cell", files).Cell) == before
    assert code(written("cells.cell", files | {"neighbour.py": "# changed"}).Cell) == before
    for changed in ("bases/base.py", "cells/cell.py", "cells/kernel.py"):
        other = files | {changed: files[changed] + "# changed\n"}
        assert code(written("cells.cell", other).Cell) != before
    assert code(Passive) != before


def test_a_file_without_a_package_is_read_alone(written):
    text = "def least(response, stimulus, rate): pass\n"
    before = code(written("alone", {"alone.py": text, "beside.py": ""}).least)
    assert code(written("alone", {"beside.py": "# changed"}).least) == before
    assert code(written("alone", {"alone.py": text + "# changed", "beside.py": ""}).least) != before
