"""The benchmark of the scroll back paints each frame, whatever that takes."""

import numpy as np
import pytest

from rig_plugin.tasks.scroll_back import scroll_back


@pytest.mark.usefixtures("qtbot")
def test_each_frame_that_is_asked_for_has_its_cost():
    costs = scroll_back(seconds=11.0, frames=3, is_measuring=True)
    assert costs.shape == (3,)
    assert np.all(costs > 0)
