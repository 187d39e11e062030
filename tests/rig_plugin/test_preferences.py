import json
import logging
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rig_plugin.preferences import Preferences, keep, place, remembered

ODD = Preferences("light", 1.3, b"\x00layout", b"\xff", "g_M", ("C", "g_Na"), True, ("/a b/µ.abf",), True)


def test_what_was_kept_comes_back(tmp_path):
    file = tmp_path / "new" / "rig.json"
    assert remembered(file) == Preferences()
    assert keep(file, ODD) and remembered(file) == ODD
    assert [path.name for path in file.parent.iterdir()] == ["rig.json"]


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(list(Preferences.__dataclass_fields__)), json_values) | json_values)
def test_whatever_stands_in_the_file_the_window_opens(tmp_path_factory, told):
    file = tmp_path_factory.getbasetemp() / "odd.json"
    file.write_text(json.dumps(told), encoding="utf-8")
    found = remembered(file)
    assert found.theme in ("dark", "light") and 0.8 <= found.scale <= 2.0
    assert all(isinstance(entry, str) for entry in (*found.pairs, *found.recent))
    assert keep(file, found) and remembered(file) == found


def test_what_is_broken_is_left_out_alone(tmp_path, caplog):
    file = tmp_path / "rig.json"
    keep(file, ODD)
    told = json.loads(file.read_text(encoding="utf-8")) | {"theme": "pink", "of_next_year": 1}
    file.write_text(json.dumps(told), encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        assert remembered(file) == replace(ODD, theme="dark")
    assert "theme is 'pink'" in caplog.text
    file.write_text("{", encoding="utf-8")
    assert remembered(file) == Preferences()


def test_a_place_that_cannot_be_written_is_told_and_harms_nothing(tmp_path, caplog):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        assert not keep(tmp_path / "file" / "rig.json", ODD)
    assert "can't be written" in caplog.text


@pytest.mark.parametrize(("one", "other"), [("simulated cell", "recordings"), ("/a/rig.toml", "/b/rig.toml")])
def test_each_rig_has_a_file_of_its_own(one, other):
    assert place(one) != place(other) and place(one) == place(one)


def test_the_newest_file_comes_first_and_once(tmp_path):
    preferences = Preferences()
    for k in (*range(12), 5):
        preferences = preferences.opened(tmp_path / f"{k}.abf")
    names = [name.rpartition("/")[2] for name in preferences.recent]
    assert names[:3] == ["5.abf", "11.abf", "10.abf"] and len(names) == 10 and names.count("5.abf") == 1
