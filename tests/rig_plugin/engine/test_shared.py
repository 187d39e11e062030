"""What window and engine share is one block, and is refused where there is no room for it."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rig_plugin.engine import shared as module
from rig_plugin.engine.shared import Shared, SharedError


def test_what_one_writes_the_other_reads():
    ours = Shared()
    theirs = Shared(ours.name)
    try:
        theirs.response.append(np.arange(3.0))
        theirs.shelf.append(np.arange(5.0))
        theirs.board.write("well")
        np.testing.assert_array_equal(ours.response.read(0, 3), np.arange(3.0))
        np.testing.assert_array_equal(ours.shelf.read(0, 5), np.arange(5.0))
        assert ours.command.written == 0
        assert ours.board.read() == "well"
    finally:
        theirs.close()
        ours.close()
        ours.unlink()


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="Room for shared memory is asked of /dev/shm.")
def test_too_little_room_is_refused_before_any_is_touched(monkeypatch):
    monkeypatch.setattr(module, "shutil", SimpleNamespace(disk_usage=lambda _: SimpleNamespace(free=30_000_000)))
    with pytest.raises(SharedError, match=r"30 MB free and 53 MB are wanted .*--shm-size"):
        Shared()
