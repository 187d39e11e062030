"""The numbers under a chart: in a narrow one few enough to stand apart, and enough to tell a scale."""

import numpy as np

from rig_plugin.widgets.chart import Chart


def shown(qtbot, width):
    chart = Chart(("step", "pA"), ("", "Hz"))
    qtbot.addWidget(chart)
    chart.resize(width, 200)
    chart.show()
    return chart


def numbers(chart, low, high, pixels):
    chart.span(x=(low, high))
    told = [place for _, places in chart.plot.getAxis("bottom").tickValues(low, high, pixels) for place in places]
    # A number too near to an end has no room.
    return sum(0.15 <= (place - low) / (high - low) <= 0.85 for place in told)


def test_a_narrow_chart_has_two_to_four_numbers_under_it_whatever_it_spans(qtbot):
    chart, rng = shown(qtbot, 120), np.random.default_rng(3)
    for _ in range(100):
        low = rng.uniform(-1000.0, 1000.0)
        assert 2 <= numbers(chart, low, low + 10.0 ** rng.uniform(-1.0, 4.0), 70) <= 4


def test_a_wide_chart_has_as_many_as_have_room(qtbot):
    assert numbers(shown(qtbot, 600), 0.0, 100.0, 550) > 5
