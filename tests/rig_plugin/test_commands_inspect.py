"""What `inspect` tells of a file fits a screen and stands on a page."""

import json
import re
from html.parser import HTMLParser

import pytest

from rig_plugin.__main__ import main

KEYS = {
    "file", "format", "channels", "rate_kHz", "sweeps", "usable_sweeps", "duration_ms", "clamp", "clamp_source",
    "stimulus_source", "holding_source", "holding_pA", "junction", "protocols", "spikes", "problems",
}  # fmt: skip
VOID = {"meta", "line", "rect", "circle", "polyline"}


def inspected(capsys, path, *options):
    assert main(["inspect", str(path), "--json", *options]) == 0
    return json.loads(capsys.readouterr().out)


def test_all_that_is_known_of_a_family_is_told(data, capsys):
    found = inspected(capsys, data / "171116sh_0018.abf")
    assert set(found) == KEYS
    assert found["spikes"] == [0, 0, 0, 0, 0, 0, 1, 1, 3, 4, 5, 6, 6, 7, 8, 8, 9]
    assert found["clamp_source"] == "by its unit, 'IN 0' in mV, and by the amplifier's telegraph"
    assert found["junction"] == {"state": "unknown", "potential_mV": None}
    assert (found["holding_pA"], found["holding_source"]) == (None, "unknown")
    assert [e["observed"] for e in found["protocols"][0]["epochs"]] == [False, True, False, False, False, False]
    assert [c["channel"] for c in found["channels"]] == [0, 1]
    assert any("E_leak and V_T move with it one to one" in p for p in found["problems"])
    assert any("E_leak the effective one, at holding" in p for p in found["problems"])


@pytest.mark.parametrize(
    ("name", "clamp"),
    [
        ("LantyerEtAl2018_180817_ME_9_CC.nwb", "declared as CurrentClampSeries, and by its unit, volts"),
        ("PYR5_rebound.abf", "by its unit, 'Vm' in mV"),
        ("190619B_0003.abf", "by its unit, 'IN 0' in mV, and by the amplifier's telegraph"),
    ],
)
def test_how_the_clamp_mode_is_known_is_told(data, capsys, name, clamp):
    assert inspected(capsys, data / name)["clamp_source"] == clamp


def test_spikes_are_unknown_where_nothing_is_observed(data, capsys):
    assert inspected(capsys, data / "18425108.abf")["spikes"] == [None]
    refused = inspected(capsys, data / "171116sh_0013.abf")
    assert set(refused) == KEYS
    assert (refused["spikes"], refused["junction"]) == (None, {"state": None, "potential_mV": None})


@pytest.mark.parametrize(
    "name",
    ["171116sh_0018.abf", "18713001.abf", "LantyerEtAl2018_180817_ME_9_CC.nwb", "PYR5_rebound.abf", "18425108.abf"],
)
def test_an_inspection_fits_a_screen(data, capsys, name):
    assert main(["inspect", str(data / name)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(1 + len(line) // 160 for line in lines) <= 45


class Page(HTMLParser):
    """Reads a page, and refuses one whose elements do not close."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags = [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def curves(text):
    return [attrs["points"] for tag, attrs in Page(text).tags if tag == "polyline"]


def test_a_page_draws_voltage_and_current_of_every_sweep(data, capsys, tmp_path):
    page = tmp_path / "page.html"
    found = inspected(capsys, data / "171116sh_0018.abf", "--html", str(page))
    text = page.read_text(encoding="utf-8")
    assert set(found) == KEYS
    assert len(curves(text)) == 2 * 17
    assert "nan" not in "".join(curves(text))
    assert text.count('class="band"') == 2
    assert re.search(r"<td class=\"number\">300.0</td><td class=\"number\">9</td>", text)
    assert "<script" not in text


def test_a_page_of_a_refused_file_says_why_and_draws_nothing(data, capsys, tmp_path):
    page = tmp_path / "page.html"
    inspected(capsys, data / "2025053101.nwb", "--html", str(page))
    assert "wrong mode and unit" in page.read_text(encoding="utf-8")
    assert curves(page.read_text(encoding="utf-8")) == []


def test_a_page_never_takes_the_place_of_another(data, capsys, tmp_path):
    page = tmp_path / "page.html"
    page.write_text("mine", encoding="utf-8")
    assert main(["inspect", str(data / "18713001.abf"), "--html", str(page)]) == 2
    assert "never overwritten" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == "mine"
